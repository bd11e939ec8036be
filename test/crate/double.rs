//! The kernels in double precision against naive loops: ragged sizes, strides, NaN and infinities, guards around outputs.
//!
//! A sum of n products is within (n + 2)·u·Σ|terms|, whatever its order; tanh and the sigmoid are within 8u, relatively.

use crate::tools::{mixed, numbers, ptr, Room};
use gradus::abi;
use gradus::lane::F64x2;

const U: f64 = f64::EPSILON / 2.0;
const SPECIAL: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0];

fn doubles(n: usize, seed: u32) -> Vec<f64> {
    numbers(n, seed).into_iter().map(f64::from).collect()
}

/// NaN equals NaN and an infinity itself; other numbers are compared to the tolerance.
fn assert_near(got: f64, want: f64, tolerance: f64, what: &str) {
    let near = got == want || got.is_nan() && want.is_nan() || (got - want).abs() <= tolerance;
    assert!(near, "{what} is {got:e}, not {want:e}: off by {:e}, allowed {tolerance:e}", got - want);
}

/// Asserts that a result is a sum of these terms.
fn assert_sum(got: f64, terms: impl Iterator<Item = f64>, what: &str) {
    let (n, sum, size) = terms.fold((0.0, 0.0, 0.0), |(n, sum, size), x| (n + 1.0, sum + x, size + x.abs()));
    assert_near(got, sum, (n + 2.0) * U * size, what);
}

/// Checks J·Jᵀ and J·r, added to existing numbers; elements above the diagonal stay unchanged.
fn check_equations(j: &[f64], [n, m, stride]: [usize; 3], offset: usize) {
    let (r, h0, g0) = (doubles(m, 2), doubles(n * n, 3), doubles(n, 4));
    let (mut j, mut h, mut g) = (Room::new(j, offset), Room::new(&h0, 1), Room::new(&g0, offset));
    abi::double_gram(j.ptr(), n, m, stride, h.ptr());
    abi::double_product(j.ptr(), n, m, stride, ptr(&r), g.ptr());
    let row = |a: usize| &j.read()[a * stride..][..m];
    for a in 0..n {
        for b in 0..n {
            let (got, start) = (h.read()[a * n + b], h0[a * n + b]);
            let products = row(a).iter().zip(row(b)).map(|(x, y)| x * y);
            let terms = [start].into_iter().chain(products.take(if b > a { 0 } else { m }));
            assert_sum(got, terms, &format!("H[{a},{b}] of {n} × {m}, {stride} apart"));
        }
        let products = row(a).iter().zip(&r).map(|(x, y)| x * y);
        assert_sum(g.read()[a], [g0[a]].into_iter().chain(products), &format!("g[{a}] of {n} × {m}"));
    }
}

/// Tiles have three rows, registers two numbers: every remainder of both, no rows, no numbers, and a net's size.
fn shapes() -> impl Iterator<Item = [usize; 3]> {
    let small = (0..8 * 10).map(|i| [i / 10, i % 10, i % 10 + i % 3]);
    small.chain([[20, 33, 40], [31, 100, 100], [61, 200, 200], [1, 257, 257]])
}

#[test]
fn normal_equations() {
    for shape @ [n, m, stride] in shapes() {
        let j = doubles(if n == 0 { 0 } else { (n - 1) * stride + m }, 1);
        for offset in [0, 1] {
            check_equations(&j, shape, offset);
        }
    }
}

#[test]
fn normal_equations_with_special_numbers() {
    for special in SPECIAL {
        for (n, m) in [(1, 1), (4, 5), (7, 9), (3, 2)] {
            for at in 0..n * m {
                let mut j = doubles(n * m, 1);
                j[at] = special;
                check_equations(&j, [n, m, m], 0);
            }
        }
    }
}

/// J·Jᵀ of n rows of n + 3 numbers, both triangles.
fn positive(n: usize) -> Vec<f64> {
    let m = n + 3;
    let j = doubles(n * m, n as u32);
    let at = |i: usize| (0..m).map(|k| j[i / n * m + k] * j[i % n * m + k]).sum();
    (0..n * n).map(at).collect()
}

/// L, and true if it exists; the upper triangle of H is not read, and that of L is not written.
fn factor(h: &[f64], n: usize, mu: f64, d: Option<&[f64]>) -> (Vec<f64>, bool) {
    let lower = |(i, &x): (usize, &f64)| if i % n > i / n { f64::NAN } else { x };
    let h: Vec<f64> = h.iter().enumerate().map(lower).collect();
    let mut l = Room::new(&vec![7.0; n * n], n % 2);
    let answer = abi::double_cholesky(ptr(&h), n, mu, d.map_or(0, ptr), l.ptr());
    assert!(answer <= 1);
    (l.read().to_vec(), answer == 1)
}

#[test]
fn cholesky_factors_and_solves() {
    for n in (1..=13).chain([40, 61, 100]) {
        let (h, d) = (positive(n), doubles(n, 8).iter().map(|x| 1.0 + x.abs()).collect::<Vec<_>>());
        for (mu, d) in [(0.0, None), (0.25, None), (0.25, Some(&d[..]))] {
            let shifted = |i: usize, k: usize| h[i * n + k] + if i == k { mu * d.map_or(1.0, |d| d[i]) } else { 0.0 };
            let (l, is_positive) = factor(&h, n, mu, d);
            assert!(is_positive, "n = {n}, μ = {mu}");
            let of = |i: usize, k: usize| if i == k { 1.0 / l[i * n + i] } else { l[i * n + k] };
            for i in 0..n {
                for k in 0..=i {
                    let got: f64 = (0..=k).map(|c| of(i, c) * of(k, c)).sum();
                    let size = (shifted(i, i) * shifted(k, k)).sqrt();
                    assert_near(
                        got,
                        shifted(i, k),
                        4.0 * (n as f64 + 2.0) * U * size,
                        &format!("L·Lᵀ[{i},{k}], n = {n}"),
                    );
                }
                assert!(l[i * n + i + 1..(i + 1) * n].iter().all(|&x| x == 7.0), "wrote above the diagonal");
            }
            let b = doubles(n, 9);
            let mut x = Room::new(&b, 1);
            abi::double_solve(ptr(&l), n, x.ptr());
            let x = x.read();
            for (i, &b) in b.iter().enumerate() {
                let terms = |k: usize| shifted(i.max(k), i.min(k)) * x[k];
                let (sum, size) = (0..n).fold((0.0, 0.0), |(sum, size), k| (sum + terms(k), size + terms(k).abs()));
                assert_near(sum, b, 8.0 * (n * n) as f64 * U * (size + 1.0), &format!("(H + μD)·x [{i}], n = {n}"));
            }
        }
    }
}

/// A pivot that is zero, negative, lost in rounding or not finite, at every place; damping mends the first three.
#[test]
fn cholesky_says_no() {
    for n in 1..=9 {
        for at in 0..n {
            for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                let mut h = vec![0.0; n * n];
                for i in 0..n {
                    h[i * n + i] = if i == at { bad } else { 1.0 };
                }
                assert!(!factor(&h, n, 0.0, None).1, "{bad} at {at} of {n}");
                assert_eq!(factor(&h, n, 1.5, None).1, bad.abs() <= 1.0, "{bad} at {at} of {n}, damped");
            }
        }
        let ones = vec![1.0; n * n];
        assert_eq!(factor(&ones, n, 0.0, None).1, n == 1, "rank 1 of {n}");
        assert!(factor(&ones, n, 1e-3, None).1);
        for special in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut h: Vec<f64> = (0..n * n).map(|i| if i % n == i / n { 1.0 } else { 0.0 }).collect();
            h[(n - 1) * n] = special;
            assert!(!factor(&h, n, 0.0, None).1, "{special} in the last row of {n}");
        }
    }
    assert!(factor(&[], 0, 0.0, None).1);
}

/// One layer forward (weights by terms) or backward (by units).
fn check_affine([units, terms, count]: [usize; 3], forward: bool, bias: bool, special: Option<f64>) {
    let (mut w, b, a) = (doubles(units * terms, 1), doubles(units, 2), doubles(terms * count, 3));
    if let (Some(special), Some(w)) = (special, w.last_mut()) {
        *w = special;
    }
    let (by_unit, by_term) = if forward { (1, units) } else { (terms, 1) };
    let mut y = Room::new(&vec![f64::NAN; units * count], 1);
    let b_at = if bias { ptr(&b) } else { 0 };
    abi::double_affine(ptr(&w), by_unit, by_term, b_at, ptr(&a), y.ptr(), units, terms, count);
    for (i, &got) in y.read().iter().enumerate() {
        let (u, r) = (i / count, i % count);
        let start = if bias { b[u] } else { 0.0 };
        let products = (0..terms).map(|t| w[u * by_unit + t * by_term] * a[t * count + r]);
        assert_sum(got, [start].into_iter().chain(products), &format!("y[{u},{r}] of {units} × {terms} × {count}"));
    }
}

#[test]
fn affine_layers_both_ways() {
    let sizes = [[1, 1, 1], [3, 2, 7], [5, 4, 8], [2, 0, 3], [20, 1, 33], [0, 3, 4], [4, 3, 0], [3, 17, 200]];
    for size in sizes {
        for (forward, bias) in [(true, true), (true, false), (false, true), (false, false)] {
            check_affine(size, forward, bias, None);
            for special in SPECIAL {
                check_affine(size, forward, bias, Some(special));
            }
        }
    }
}

#[test]
fn columns_of_a_jacobian() {
    for count in [0, 1, 2, 3, 7, 8, 33] {
        for [inputs, units, step] in [[2, 3, 4], [1, 1, 1], [3, 1, 5], [0, 2, 2], [2, 0, 1]] {
            let stride = count + 2;
            let special = |n, seed| mixed(n, seed).into_iter().map(f64::from).collect::<Vec<f64>>();
            let (a, delta) = (special(inputs * count, 1), special(units * count, 2));
            let n = if inputs * units == 0 { 0 } else { ((inputs - 1) * step + units) * stride };
            let mut want = vec![9.0; n];
            let mut out = Room::new(&want, 1);
            abi::double_columns(ptr(&a), ptr(&delta), out.ptr(), inputs, units, step, count, stride);
            for (i, j, r) in (0..inputs * units * count).map(|at| (at / count / units, at / count % units, at % count))
            {
                want[(i * step + j) * stride + r] = a[i * count + r] * delta[j * count + r];
            }
            out.read().iter().zip(&want).for_each(|(&got, &want)| assert_near(got, want, 0.0, "a column"));
        }
    }
}

#[test]
fn products_and_residuals() {
    for n in (0..=9).chain([32, 33, 257]) {
        let special = |seed| mixed(n, seed).into_iter().map(f64::from).collect::<Vec<f64>>();
        for (x, y) in [(doubles(n, 1), doubles(n, 2)), (special(1), special(2))] {
            let (mut product, mut rest) = (Room::new(&vec![-77.0; n], 0), Room::new(&vec![-77.0; n], 1));
            abi::double_multiply(ptr(&x), ptr(&y), product.ptr(), n);
            let sum = abi::double_residual(ptr(&x), ptr(&y), rest.ptr(), n);
            for (i, (x, y)) in x.iter().zip(&y).enumerate() {
                assert_near(product.read()[i], x * y, 0.0, "a product");
                assert_near(rest.read()[i], x - y, 0.0, "a residual");
            }
            assert_sum(sum, x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)), "Σr²");
        }
    }
}

/// From the smallest numbers to beyond where exp overflows; alone, in pairs and as the odd one at the end.
#[test]
fn squashes_and_their_slopes() {
    let mut z: Vec<f64> =
        vec![0.0, -0.0, 1e-300, 1e-9, -1e-5, 0.1, 0.5, 19.06, -30.0, 40.0, 690.0, -690.0, 800.0, -800.0];
    z.extend(SPECIAL);
    z.extend(doubles(301, 5).iter().map(|x| 20.0 * x));
    for n in [0, 1, 2, 3, 5, z.len() - 1, z.len()] {
        let z = &z[z.len() - n..];
        for sigmoid in [false, true] {
            let (mut a, mut d) = (Room::new(&vec![-77.0; n], 1), Room::new(&vec![-77.0; n], 0));
            abi::double_squash(ptr(z), a.ptr(), n, sigmoid.into());
            abi::double_squash_slope(a.ptr(), d.ptr(), n, sigmoid.into());
            for (i, &z) in z.iter().enumerate() {
                let want = if sigmoid { 1.0 / (1.0 + (-z).exp()) } else { z.tanh() };
                let a = a.read()[i];
                // Beyond 700 in the exponent a sigmoid is as good as 0.
                assert_near(a, want, 8.0 * U * want.abs() + 2e-304, &format!("f({z:e})"));
                let slope = if sigmoid { a * (1.0 - a) } else { 1.0 - a * a };
                assert_near(d.read()[i], slope, 2.0 * U, &format!("f′({z:e})"));
            }
        }
    }
}

/// A number gets the same bits at every position.
#[test]
fn squashes_do_not_depend_on_the_place() {
    let z: Vec<f64> = doubles(9, 6).iter().map(|x| 5.0 * x).collect();
    for sigmoid in [0, 1] {
        let mut all = Room::new(&[0.0f64; 9], 0);
        abi::double_squash(ptr(&z), all.ptr(), 9, sigmoid);
        for (z, want) in z.iter().zip(all.read()) {
            let mut alone = Room::new(&[0.0f64], 0);
            abi::double_squash(ptr(std::slice::from_ref(z)), alone.ptr(), 1, sigmoid);
            assert_eq!(alone.read()[0].to_bits(), want.to_bits());
        }
    }
}

#[test]
fn operations_of_pairs() {
    let pair = |x: f64, y: f64| F64x2::load(&[x, y]);
    let both = |x: F64x2| [x.first(), x.second()];
    assert_eq!(both(pair(2.5, -3.5).nearest()), [2.0, -4.0]);
    assert_eq!(both(pair(-1022.0, 1023.0).power_of_two()), [f64::MIN_POSITIVE, 2f64.powi(1023)]);
    assert_eq!(both(pair(0.0, 3.0).power_of_two()), [1.0, 8.0]);
    let (least, most) = (F64x2::splat(-1.0), F64x2::splat(1.0));
    let [clamped, kept] = both(pair(-7.0, 0.5).pmax(least).pmin(most));
    assert_eq!([clamped, kept], [-1.0, 0.5]);
    assert!(both(pair(f64::NAN, f64::NAN).pmax(least).pmin(most)).iter().all(|x| x.is_nan()));
    assert_eq!(both(pair(2.0, 3.0).mul_add(pair(5.0, 7.0), pair(1.0, -1.0))), [11.0, 20.0]);
}

//! Reductions against double precision; their order depends on sizes alone.

use crate::tools::{assert_same, lengths, mixed, numbers, ptr, Room};
use gradus::abi;

type Reduce = fn(usize, usize, usize, usize, usize);

fn reduce(kernel: Reduce, x: &[f32], [outer, length, inner]: [usize; 3], offset: usize) -> Vec<f32> {
    let (mut x, mut y) = (Room::new(x, offset), Room::empty(outer * inner, 1));
    kernel(x.ptr(), y.ptr(), outer, length, inner);
    y.read().to_vec()
}

/// Every shape up to 5 × 12 × 6, long lines, wide ones, and each dimension 0 or 1.
fn shapes() -> impl Iterator<Item = [usize; 3]> {
    let small = (0..5 * 13 * 7).map(|i| [i / 91, i / 7 % 13, i % 7]);
    let large = [31, 64, 100, 257].into_iter();
    small.chain(large.flat_map(|n| [[2, n, 1], [1, n, 3], [3, 2, n], [n, 3, 1], [1, 1, n]]))
}

/// The line of x that output o sums up.
fn line(x: &[f32], [_, length, inner]: [usize; 3], o: usize) -> Vec<f32> {
    (0..length).map(|l| x[(o / inner * length + l) * inner + o % inner]).collect()
}

#[test]
fn sums() {
    for shape @ [outer, length, inner] in shapes() {
        let x = numbers(outer * length * inner, 1);
        let got = reduce(abi::reduce_sum, &x, shape, 0);
        for (o, got) in got.iter().enumerate() {
            let line = line(&x, shape, o);
            let exact: f64 = line.iter().map(|&x| f64::from(x)).sum();
            let size: f64 = line.iter().map(|x| f64::from(x.abs())).sum();
            let bound = size * length as f64 * f64::from(f32::EPSILON) / 2.0;
            assert!((f64::from(*got) - exact).abs() <= bound, "{shape:?}: element {o}");
        }
        assert_same(&reduce(abi::reduce_sum, &x, shape, 3), &got, "at another address");
    }
}

#[test]
fn equal_lines_have_equal_sums() {
    for length in lengths() {
        let x = numbers(length, 7);
        let one = reduce(abi::reduce_sum, &x, [1, length, 1], 0);
        let many = reduce(abi::reduce_sum, &x.repeat(5), [5, length, 1], 1);
        assert_same(&many, &[one[0]; 5], "rows");
        let columns: Vec<f32> = x.iter().flat_map(|&x| [x; 9]).collect();
        let columns = reduce(abi::reduce_sum, &columns, [1, length, 9], 2);
        assert_same(&columns, &[columns[0]; 9], "columns");
    }
}

#[test]
fn extremes() {
    for (shape @ [outer, length, inner], seed) in shapes().zip(1..) {
        let n = outer * length * inner;
        // one in three shapes has NaN in most lines, the others in none
        let x: Vec<f32> = mixed(n, seed).iter().map(|&x| if seed % 3 > 0 && x.is_nan() { 9.0 } else { x }).collect();
        let (high, low) = (reduce(abi::reduce_max, &x, shape, 1), reduce(abi::reduce_min, &x, shape, 2));
        let mut index = vec![-1i32; outer * inner];
        abi::argmax(ptr(&x), index.as_mut_ptr() as usize, outer, length, inner);
        for o in 0..outer * inner {
            let line = line(&x, shape, o);
            let nan = line.iter().position(|x| x.is_nan());
            let sorted = |a: f32, b: f32| if a.total_cmp(&b).is_ge() { a } else { b };
            let largest = line.iter().copied().fold(f32::NEG_INFINITY, sorted);
            let smallest = -line.iter().map(|x| -x).fold(f32::NEG_INFINITY, sorted);
            let want = nan.map_or((largest, smallest), |_| (f32::NAN, f32::NAN));
            assert_same(&[high[o], low[o]], &[want.0, want.1], &format!("{shape:?}: {line:?}"));
            let first = nan.or(line.iter().position(|&x| x == largest)).unwrap_or(0);
            assert_eq!(index[o], first as i32, "{shape:?}: {line:?}");
        }
    }
}

#[test]
fn nan_and_infinity_in_sums() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for length in 1..=20 {
        for at in 0..length {
            for (bad, want) in [(nan, nan), (inf, inf), (-inf, -inf)] {
                let mut x = numbers(length, 3);
                x[at] = bad;
                assert_same(&reduce(abi::reduce_sum, &x, [1, length, 1], 0), &[want], "line");
                assert_same(&reduce(abi::reduce_sum, &x, [length, 1, 1], 0)[at..=at], &[want], "alone");
                let max = abi::max_abs(ptr(&x), length);
                assert_same(&[max], &[want.abs()], "maxAbs");
                assert!(abi::sum_abs(ptr(&x), length) as f32 == want.abs() || bad.is_nan());
                assert!(bad.is_nan() == abi::sum_squares(ptr(&x), length).is_nan());
            }
        }
    }
}

#[test]
fn totals_in_double_precision() {
    for n in lengths() {
        let scaled = |x: &f32| 1e30 * x; // squares overflow a float
        let x: Vec<f32> = numbers(n, 1).iter().map(scaled).collect();
        let x64 = x.iter().map(|&x| f64::from(x));
        let squares: f64 = x64.clone().map(|x| x * x).sum();
        let abs: f64 = x64.map(f64::abs).sum();
        let near = |got: f64, want: f64| {
            assert!((got - want).abs() <= 1e-13 * want.abs().max(1.0), "{n}: {got:e}, not {want:e}")
        };
        near(abi::sum_squares(ptr(&x), n), squares);
        near(abi::sum_abs(ptr(&x), n), abs);
        let largest = x.iter().map(|x| x.abs()).fold(0.0, f32::max);
        assert_eq!(abi::max_abs(ptr(&x), n), largest);
    }
}

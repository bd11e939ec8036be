//! Element-wise kernels: every broadcast, every length, in place, special numbers.

use crate::tools::{assert_same, lengths, mixed, numbers, ptr, ulp, Room, SPECIAL};
use gradus::abi;
use gradus::math;

type Binary = fn(usize, usize, usize, usize, usize, usize, usize, usize, usize);

type Formula1 = fn(f32) -> f32;
type Formula2 = fn(f32, f32) -> f32;

/// a to the power of b as defined by IEEE 754.
fn power(a: f32, b: f32) -> f32 {
    f64::from(a).powf(f64::from(b)) as f32
}

fn maximum(a: f32, b: f32) -> f32 {
    match () {
        _ if a.is_nan() || b.is_nan() => f32::NAN,
        _ if a.total_cmp(&b).is_ge() => a,
        _ => b,
    }
}

/// Name, kernel, and the expected result for one element.
const BINARIES: [(&str, Binary, Formula2); 10] = [
    ("add", abi::add, |a, b| a + b),
    ("sub", abi::sub, |a, b| a - b),
    ("mul", abi::mul, |a, b| a * b),
    ("div", abi::div, |a, b| a / b),
    ("pow", abi::pow, power),
    ("maximum", abi::maximum, maximum),
    ("minimum", abi::minimum, |a, b| -maximum(-a, -b)),
    ("greater", abi::greater, |a, b| f32::from(a > b)),
    ("greaterEqual", abi::greater_equal, |a, b| f32::from(a >= b)),
    ("equal", abi::equal, |a, b| f32::from(a == b)),
];

/// Row and column strides: dense, a row, a column, one number, transposed, every other row and column.
fn strides(rows: usize, cols: usize) -> [[usize; 2]; 6] {
    [[cols, 1], [0, 1], [1, 0], [0, 0], [1, rows], [2 * cols + 1, 2]]
}

fn check_binary(rows: usize, cols: usize, offset: usize) {
    let room = 2 * (rows + 1) * (cols + 1);
    let (a, b) = (mixed(room, 1), mixed(room, 3));
    let (mut a_room, mut b_room) = (Room::new(&a, offset), Room::new(&b, offset + 1));
    for [ar, ac] in strides(rows, cols) {
        for [br, bc] in strides(rows, cols) {
            for (name, kernel, f) in BINARIES {
                let mut y = Room::empty(rows * cols, offset + 2);
                kernel(a_room.ptr(), b_room.ptr(), y.ptr(), rows, cols, ar, ac, br, bc);
                for (i, &y) in y.read().iter().enumerate() {
                    let (r, c) = (i / cols, i % cols);
                    let (a, b) = (a[r * ar + c * ac], b[r * br + c * bc]);
                    let what = || format!("{name}({a:e}, {b:e}) in {rows}×{cols}, strides {ar} {ac} {br} {bc}");
                    assert!(crate::tools::same(y, f(a, b)), "{}: {y:e}", what());
                }
            }
        }
    }
}

#[test]
fn broadcasts_of_small_shapes() {
    for rows in 0..=6 {
        for cols in 0..=12 {
            check_binary(rows, cols, (rows + cols) % 4);
        }
    }
}

#[test]
fn broadcasts_of_larger_shapes() {
    for (rows, cols) in [(12, 9), (31, 3), (2, 31), (2, 64), (1, 100), (1, 257), (257, 1)] {
        check_binary(rows, cols, cols % 4);
    }
}

#[test]
fn binary_in_place() {
    for n in lengths() {
        let (a, b) = (mixed(n, 1), mixed(n, 2));
        for (name, kernel, f) in BINARIES {
            let want: Vec<f32> = a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect();
            let (mut over_a, mut over_b) = (Room::new(&a, 1), Room::new(&b, 3));
            kernel(over_a.ptr(), ptr(&b), over_a.ptr(), 1, n, n, 1, n, 1);
            kernel(ptr(&a), over_b.ptr(), over_b.ptr(), 1, n, n, 1, n, 1);
            assert_same(over_a.read(), &want, name);
            assert_same(over_b.read(), &want, name);
            let (mut both, want) = (Room::new(&a, 2), a.iter().map(|&a| f(a, a)).collect::<Vec<_>>());
            kernel(both.ptr(), both.ptr(), both.ptr(), 1, n, n, 1, n, 1);
            assert_same(both.read(), &want, name);
        }
    }
}

#[test]
fn pow_is_that_of_ieee_754() {
    const INF: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;
    for (a, b, want) in [
        (NAN, 0.0, 1.0),
        (1.0, NAN, 1.0),
        (1.0, INF, 1.0),
        (-1.0, -INF, 1.0),
        (NAN, 1.0, NAN),
        (-8.0, 1.0 / 3.0, NAN),
        (-2.0, 3.0, -8.0),
        (0.0, -1.0, INF),
        (-0.0, -1.0, -INF),
        (0.5, -INF, INF),
        (-0.0, 0.5, 0.0),
        (3.0, 40.0, 12_157_665_459_056_928_801.0),
    ] {
        let mut y = Room::empty(1, 0);
        abi::pow(ptr(&[a]), ptr(&[b]), y.ptr(), 1, 1, 1, 1, 1, 1);
        assert_same(y.read(), &[want], &format!("{a} to the {b}"));
    }
}

type Unary = fn(usize, usize, usize);

const UNARIES: [(&str, Unary, Formula1); 10] = [
    ("copy", abi::copy, |x| x),
    ("neg", abi::neg, |x| -x),
    ("abs", abi::abs, f32::abs),
    ("sign", abi::sign, |x| if x == 0.0 || x.is_nan() { x.abs() } else { x.signum() }),
    ("exp", abi::exp, math::exp),
    ("log", abi::log, math::ln),
    ("sqrt", abi::sqrt, f32::sqrt),
    ("square", abi::square, |x| x * x),
    ("reciprocal", abi::reciprocal, |x| 1.0 / x),
    ("erf", abi::erf, math::erf),
];

#[test]
fn unary_of_every_length() {
    for (n, offset) in lengths().flat_map(|n| (0..4).map(move |offset| (n, offset))) {
        let x = mixed(n, n as u32 + offset as u32);
        for (name, kernel, f) in UNARIES {
            let want: Vec<f32> = x.iter().map(|&x| f(x)).collect();
            let (mut from, mut y) = (Room::new(&x, offset), Room::empty(n, 3 - offset));
            kernel(from.ptr(), y.ptr(), n);
            assert_same(y.read(), &want, name);
            kernel(from.ptr(), from.ptr(), n);
            assert_same(from.read(), &want, name);
        }
    }
}

#[test]
fn sine_and_cosine_are_rounded_once() {
    for n in lengths() {
        let x: Vec<f32> = numbers(n, 5).iter().map(|x| 1000.0 * x).collect();
        for (kernel, f) in [(abi::sin as Unary, f64::sin as fn(f64) -> f64), (abi::cos, f64::cos)] {
            let mut y = Room::empty(n, 1);
            kernel(ptr(&x), y.ptr(), n);
            for (&y, &x) in y.read().iter().zip(&x) {
                assert!(ulp(y, f(f64::from(x))) <= 0.500_001, "{x}");
            }
        }
    }
}

/// Tests large angles, too, and ordinary ones in the same vector as a large one.
#[test]
fn sine_and_cosine_of_all_floats() {
    let step = if cfg!(debug_assertions) { 99_991 } else { 9973 };
    for (kernel, f) in [(abi::sin as Unary, f64::sin as fn(f64) -> f64), (abi::cos, f64::cos)] {
        for bits in (0..=u32::MAX as usize).step_by(step) {
            let x = f32::from_bits(bits as u32);
            for x in [[x, x, x, x], [x, 1e30, x, f32::NAN]] {
                let mut y = Room::empty(4, 1);
                kernel(ptr(&x), y.ptr(), 4);
                let want = f(f64::from(x[0]));
                assert!(want.is_nan() && y.read()[0].is_nan() || ulp(y.read()[0], want) <= 0.500_001, "{x:?}");
                assert_same(&y.read()[2..3], &y.read()[..1], "beside others");
            }
        }
        for x in SPECIAL {
            let mut y = Room::empty(1, 1);
            kernel(ptr(&[x]), y.ptr(), 1);
            assert_same(y.read(), &[f(f64::from(x)) as f32], "alone");
        }
    }
}

#[test]
fn fill_add_scaled_and_clip() {
    for n in lengths() {
        let (x, old) = (mixed(n, 2), numbers(n, 3));
        let mut y = Room::new(&x, 1);
        abi::fill(y.ptr(), n, -0.0);
        assert_same(y.read(), &vec![-0.0; n], "fill");

        let mut y = Room::new(&old, 3);
        abi::add_scaled(ptr(&x), y.ptr(), n, -2.5);
        let want: Vec<f32> = x.iter().zip(&old).map(|(x, y)| x * -2.5 + y).collect();
        assert_same(y.read(), &want, "addScaled");

        for (low, high) in [(-1.0, 2.0), (0.5, f32::INFINITY), (3.0, 1.0), (f32::NAN, 1.0)] {
            let want = |&x: &f32| -maximum(-maximum(x, low), -high);
            let want: Vec<f32> = x.iter().map(want).collect();
            let mut y = Room::new(&x, 2);
            abi::clip(y.ptr(), y.ptr(), n, low, high);
            assert_same(y.read(), &want, "clip");
        }
    }
}

#[test]
fn transposes() {
    for (rows, cols) in
        (0..=12).flat_map(|r| (0..=12).map(move |c| (r, c))).chain([(31, 64), (100, 17), (1, 257), (33, 33)])
    {
        let x = numbers(rows * cols, 1);
        let want: Vec<f32> = (0..rows * cols).map(|i| x[i % rows * cols + i / rows]).collect();
        let mut y = Room::empty(rows * cols, 1);
        abi::transpose(ptr(&x), y.ptr(), 1, rows, cols, 1);
        assert_same(y.read(), &want, &format!("{rows}×{cols}"));
    }
}

#[test]
fn rows_are_gathered_and_scattered() {
    let index = [3i32, 0, 3, 5, 1, 3];
    for cols in lengths() {
        for rows in 0..=index.len() {
            let (table, dy) = (numbers(6 * cols, 1), numbers(rows * cols, 2));
            let at = |r: usize| index[r] as usize * cols;
            let want: Vec<f32> = (0..rows).flat_map(|r| table[at(r)..][..cols].to_vec()).collect();
            let mut y = Room::empty(rows * cols, 2);
            abi::gather_rows(ptr(&table), ptr(&index), y.ptr(), rows, cols);
            assert_same(y.read(), &want, "gather");

            let (mut sums, mut want) = (Room::new(&table, 1), table);
            for i in 0..rows * cols {
                want[at(i / cols) + i % cols] += dy[i];
            }
            abi::scatter_add_rows(ptr(&dy), ptr(&index), sums.ptr(), rows, cols);
            assert_same(sums.read(), &want, "scatter");

            let class = |i: usize| (7 * i % 1000) as i32;
            let numbers: Vec<f32> = (0..rows * (cols + 1)).map(|i| class(i) as f32).collect();
            let mut indices = vec![-1; rows];
            abi::to_indices(ptr(&numbers), indices.as_mut_ptr() as usize, rows, cols + 1);
            assert!(indices.iter().enumerate().all(|(r, &i)| i == class(r * (cols + 1))), "indices");
        }
    }
}

//! Softmax, its logarithm, and both gradients against double precision.

use crate::tools::{assert_close, assert_same, lengths, numbers, ptr, Room};
use gradus::abi;

type Rows = fn(usize, usize, usize, usize);

fn run(kernel: Rows, x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    let mut y = Room::empty(x.len(), 1);
    kernel(ptr(x), y.ptr(), rows, cols);
    y.read().to_vec()
}

/// log softmax of one row
fn exact(x: &[f32]) -> Vec<f64> {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = x.iter().map(|&x| f64::from(x) - f64::from(max));
    let log = shifted.clone().map(f64::exp).sum::<f64>().ln();
    shifted.map(|x| x - log).collect()
}

/// Rows × columns, and numbers up to `size` that fill them.
fn inputs() -> impl Iterator<Item = (usize, usize, Vec<f32>)> {
    let shapes = lengths().flat_map(|cols| [0, 1, 3].map(|rows| (rows, cols)));
    shapes.flat_map(|(rows, cols)| {
        [1.0, 30.0, 1e4].map(|size| {
            let x = numbers(rows * cols, cols as u32);
            (rows, cols, x.iter().map(|x| size * x).collect())
        })
    })
}

#[test]
fn values() {
    for (rows, cols, x) in inputs() {
        let y = run(abi::softmax_rows, &x, rows, cols);
        let log = run(abi::log_softmax, &x, rows, cols);
        for r in 0..if cols == 0 { 0 } else { rows } {
            let at = r * cols..(r + 1) * cols;
            for ((&y, &log), want) in y[at.clone()].iter().zip(&log[at.clone()]).zip(exact(&x[at.clone()])) {
                let error = (f64::from(y) - want.exp()).abs();
                // relative, except for underflow; x − max is rounded
                let bound = want.exp() * (1e-6 + 1e-7 * want.abs()) + 1e-37;
                assert!(error <= bound, "{y:e}, not {:e}", want.exp());
                assert_close(log, want, 3e-7, "log softmax");
            }
            let sum: f64 = y[at].iter().map(|&y| f64::from(y)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "sum {sum}");
        }
    }
}

#[test]
fn gradients() {
    for (rows, cols, x) in inputs() {
        let dy = numbers(rows * cols, 8);
        let (y, log) = (run(abi::softmax_rows, &x, rows, cols), run(abi::log_softmax, &x, rows, cols));
        let (mut dx, mut dlog) = (Room::empty(x.len(), 2), Room::empty(x.len(), 3));
        abi::softmax_backward(ptr(&y), ptr(&dy), dx.ptr(), rows, cols);
        abi::log_softmax_backward(ptr(&log), ptr(&dy), dlog.ptr(), rows, cols);
        for i in 0..rows * cols {
            let row = i / cols * cols;
            let p: Vec<f64> = exact(&x[row..row + cols]).into_iter().map(f64::exp).collect();
            let dy64 = |c: usize| f64::from(dy[row + c]);
            let dot: f64 = (0..cols).map(|c| dy64(c) * p[c]).sum();
            let sum: f64 = (0..cols).map(dy64).sum();
            let c = i - row;
            assert_close(dx.read()[i], p[c] * (dy64(c) - dot), 1e-6, "softmax gradient");
            assert_close(dlog.read()[i], dy64(c) - p[c] * sum, 1e-5, "log softmax gradient");
        }
    }
}

/// Rows do not affect each other: NaN and infinities stay in their rows.
#[test]
fn special_rows() {
    const INF: f32 = f32::INFINITY;
    let nan = f32::NAN;
    for cols in [4, 5, 9, 13] {
        let plain = numbers(cols, 1);
        let (mut some_out, mut with_nan, mut with_inf) = (plain.clone(), plain.clone(), plain.clone());
        (some_out[1], with_nan[cols - 1], with_inf[2]) = (-INF, nan, INF);
        let all_out = vec![-INF; cols];
        let x = [&plain[..], &some_out, &with_nan, &with_inf, &all_out, &plain].concat();
        let y = run(abi::softmax_rows, &x, 6, cols);
        let log = run(abi::log_softmax, &x, 6, cols);
        let row = |y: &[f32], r: usize| y[r * cols..][..cols].to_vec();
        assert_same(&row(&y, 0), &run(abi::softmax_rows, &plain, 1, cols), "alone");
        assert_same(&row(&y, 5), &row(&y, 0), "equal rows");
        assert_same(&row(&log, 5), &row(&log, 0), "equal rows");
        assert_same(&[y[cols + 1], log[cols + 1]], &[0.0, -INF], "an impossible class");
        assert!(row(&y, 1).iter().all(|y| y.is_finite()), "beside an impossible class");
        for r in 2..5 {
            assert!(row(&y, r)[2].is_nan() && row(&log, r)[2].is_nan(), "row {r}");
        }
        assert_same(&row(&y, 2), &vec![nan; cols], "NaN anywhere");
    }
}

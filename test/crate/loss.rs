//! Losses: values against formulas in double precision, gradients against their finite differences.

use crate::tools::{assert_close, assert_same, lengths, numbers, ptr, softplus, Room};
use gradus::abi;

type Loss = fn(usize, usize, usize, usize, usize, usize, usize, f32, f32);
/// Σ_c ℓ(p, t) of one row, with the loss's option.
type Exact = fn(&[f64], &[f64], f64) -> f64;

fn each(p: &[f64], t: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    p.iter().zip(t).map(|(&p, &t)| f(p, t)).sum()
}

fn huber(p: &[f64], t: &[f64], delta: f64) -> f64 {
    each(p, t, |p, t| match (p - t).abs() {
        d if d <= delta => 0.5 * d * d,
        d => delta * (d - 0.5 * delta),
    })
}

fn binary(p: &[f64], t: &[f64], s: f64) -> f64 {
    each(p, t, |p, t| softplus(p) - p * (t * (1.0 - s) + 0.5 * s))
}

fn cross_entropy(p: &[f64], t: &[f64], s: f64) -> f64 {
    let max = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log = max + p.iter().map(|p| (p - max).exp()).sum::<f64>().ln();
    let rest = s / p.len() as f64;
    each(p, t, |p, t| ((1.0 - s) * t + rest) * (log - p))
}

/// Name, kernel, formula, and options to try.
const LOSSES: [(&str, Loss, Exact, [f32; 2]); 5] = [
    ("squared", abi::squared_error, |p, t, _| each(p, t, |p, t| (p - t).powi(2)), [0.0, 1.0]),
    ("absolute", abi::absolute_error, |p, t, _| each(p, t, |p, t| (p - t).abs()), [0.0, 1.0]),
    ("huber", abi::huber, huber, [1.0, 0.3]),
    ("binary", abi::binary_cross_entropy, binary, [0.0, 0.2]),
    ("probabilities", abi::cross_entropy_probabilities, cross_entropy, [0.0, 0.1]),
];

/// A call and its expected result.
struct Case<'a> {
    what: &'a str,
    kernel: Loss,
    exact: Exact,
    option: f32,
    rows: usize,
    cols: usize,
    p: Vec<f32>,
    /// Address of the targets for the kernel, and the targets as one number per element.
    target: usize,
    dense: Vec<f64>,
}

impl Case<'_> {
    fn row(&self, p: &[f32], r: usize) -> Vec<f64> {
        let row = &p[r * self.cols..][..self.cols];
        row.iter().map(|&x| f64::from(x)).collect()
    }

    fn row_loss(&self, p: &[f64], r: usize) -> f64 {
        let t = &self.dense[r * self.cols..][..self.cols];
        (self.exact)(p, t, f64::from(self.option))
    }

    /// ∂ℓ/∂p of element (r, c) by finite differences.
    fn slope(&self, r: usize, c: usize) -> f64 {
        let moved = |by: f64| {
            let mut p = self.row(&self.p, r);
            p[c] += by;
            self.row_loss(&p, r)
        };
        (moved(1e-5) - moved(-1e-5)) / 2e-5
    }

    fn check(&self, weights: Option<&[f32]>, scale: f32) {
        let (rows, cols, n) = (self.rows, self.cols, self.p.len());
        let (mut out, mut alone) = (Room::empty(1, 0), Room::empty(1, 1));
        let (mut p, mut gradient) = (Room::new(&self.p, 1), Room::empty(n, 3));
        let w = weights.map_or(0, ptr);
        let (t, option) = (self.target, self.option);
        (self.kernel)(p.ptr(), t, w, gradient.ptr(), out.ptr(), rows, cols, scale, option);
        (self.kernel)(p.ptr(), t, w, 0, alone.ptr(), rows, cols, scale, option);
        assert_same(alone.read(), out.read(), "value without gradient");

        let what = format!("{} {rows}×{cols} option {option}", self.what);
        let weight = |r: usize| weights.map_or(1.0, |w| f64::from(w[r]));
        let losses = |r: usize| weight(r) * self.row_loss(&self.row(&self.p, r), r);
        let value = f64::from(scale) * (0..rows).map(losses).sum::<f64>();
        assert_close(out.read()[0], value, 2e-6, &what);
        for (i, &got) in gradient.read().iter().enumerate() {
            let (r, c) = (i / cols, i % cols);
            let want = f64::from(scale) * weight(r) * self.slope(r, c);
            assert_close(got, want, 1e-6, &format!("{what}: gradient {i}"));
        }
    }

    fn check_all(&self) {
        let weights: Vec<f32> = numbers(self.rows, 5).iter().map(|w| w + 1.0).collect();
        self.check(None, 1.0);
        self.check(None, 1.0 / (self.p.len().max(1)) as f32);
        self.check(Some(&weights), 0.25);
    }
}

fn shapes() -> impl Iterator<Item = (usize, usize)> {
    let small = (0..=5).flat_map(|rows| (0..=12).map(move |cols| (rows, cols)));
    small.chain(lengths().skip(13).flat_map(|n| [(2, n), (n, 3)]))
}

/// Predictions in (−4, 4).
fn predictions(n: usize) -> Vec<f32> {
    numbers(n, 1).iter().map(|p| 4.0 * p).collect()
}

#[test]
fn values_and_gradients() {
    for (rows, cols) in shapes() {
        let n = rows * cols;
        let t: Vec<f32> = numbers(n, 2).iter().map(|t| 0.5 + 0.5 * t).collect();
        for (what, kernel, exact, options) in LOSSES {
            for option in options {
                let (p, target) = (predictions(n), ptr(&t));
                let dense = t.iter().map(|&t| f64::from(t)).collect();
                Case { what, kernel, exact, option, rows, cols, p, target, dense }.check_all();
            }
        }
    }
}

#[test]
fn classes_by_index() {
    for (rows, cols) in shapes().filter(|&(_, cols)| cols > 0) {
        let index: Vec<i32> = (0..rows).map(|r| (r * 5 % cols) as i32).collect();
        let hot = |i: usize| f64::from(u8::from(index[i / cols] as usize == i % cols));
        for option in [0.0, 0.1, 1.0] {
            let (what, kernel) = ("indices", abi::cross_entropy_indices as Loss);
            let (p, target) = (predictions(rows * cols), ptr(&index));
            let dense = (0..rows * cols).map(hot).collect();
            Case { what, kernel, exact: cross_entropy, option, rows, cols, p, target, dense }.check_all();
        }
    }
}

/// Value and gradient of one row.
fn one(kernel: Loss, p: &[f32], target: usize, option: f32) -> (f32, Vec<f32>) {
    let (mut gradient, mut out) = (Room::empty(p.len(), 0), Room::empty(1, 0));
    kernel(ptr(p), target, 0, gradient.ptr(), out.ptr(), 1, p.len(), 1.0, option);
    (out.read()[0], gradient.read().to_vec())
}

#[test]
fn corners() {
    let t = [1.0f32, -2.0, 0.0, 0.5, 3.0];
    let (value, gradient) = one(abi::absolute_error, &t, ptr(&t), 0.0);
    assert_same(&gradient, &[0.0; 5], "|0| has slope 0");
    assert_eq!(value, 0.0);
    // at |d| = δ both formulas agree, beyond it the slope is ±δ
    let (value, gradient) = one(abi::huber, &[0.5, -0.5, 3.0, -1e30], ptr(&[0f32; 4]), 0.5);
    assert_same(&gradient, &[0.5, -0.5, 0.5, -0.5], "huber");
    assert_close(value, 0.25 + 0.5 * 2.75 + 5e29, 1e-6, "huber");
}

#[test]
fn logits_far_out() {
    let (p, t) = ([1e4f32, -1e4, 1e4, -1e4, 100.0], [1f32, 0.0, 0.0, 1.0, 1.0]);
    let (value, gradient) = one(abi::binary_cross_entropy, &p, ptr(&t), 0.0);
    assert_eq!(value, 2e4);
    assert_same(&gradient, &[0.0, 0.0, 1.0, -1.0, 0.0], "binary");

    let p = [1e4f32, -1e4, 0.0, f32::NEG_INFINITY, 1.0];
    let (value, gradient) = one(abi::cross_entropy_indices, &p, ptr(&[1i32]), 0.0);
    assert_eq!(value, 2e4);
    assert_same(&gradient, &[1.0, -1.0, 0.0, 0.0, 0.0], "indices");
    let t = [0f32, 1.0, 0.0, 0.0, 0.0];
    let (value, gradient) = one(abi::cross_entropy_probabilities, &p, ptr(&t), 0.0);
    assert_eq!(value, 2e4, "an impossible class that is not wanted costs nothing");
    assert_same(&gradient, &[1.0, -1.0, 0.0, 0.0, 0.0], "probabilities");
}

#[test]
fn nan_spreads_no_further_than_it_must() {
    for (what, kernel, _, [option, _]) in LOSSES {
        for at in 0..9 {
            let (mut p, t) = (numbers(9, 1), [0.25f32; 9]);
            p[at] = f32::NAN;
            let (value, gradient) = one(kernel, &p, ptr(&t), option);
            assert!(value.is_nan(), "{what}");
            for (i, g) in gradient.iter().enumerate() {
                assert_eq!(g.is_nan(), i == at || what == "probabilities", "{what}: {i}");
            }
        }
    }
}

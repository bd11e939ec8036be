//! Reductions along the middle axis of x\[outer, length, inner\], and sums over whole vectors. The order of every sum is
//! fixed by the sizes alone, so equal inputs give equal bits.

use crate::elementwise::{Add, Copy, Maximum, Minimum};
use crate::lane::{F32x4, F64x2, Lane};
use crate::sweep::{map, padded, zip, Cells, Zip, BLOCK};
use core::cell::Cell;

/// The reduction of a line by an associative formula: four at a time, then across, then the tail.
#[inline(always)]
fn line<F: Zip>(f: &F, x: Cells, start: f32) -> f32 {
    let fold = |t: f32, rest: Cells| rest.iter().fold(t, |t, x| f.apply(t, x.get()));
    if x.len() < 4 {
        return fold(start, x);
    }
    let xs = x.chunks_exact(4);
    let rest = xs.remainder();
    let mut sum = F32x4::splat(start);
    for x in xs {
        sum = f.apply(sum, F32x4::get(x));
    }
    let [a, b, c, d] = sum.to_array();
    let whole = f.apply(f.apply(a, c), f.apply(b, d));
    fold(whole, rest)
}

/// y\[o,i\] = reduction over l of x\[o,l,i\]
#[inline(always)]
fn reduce<F: Zip + Clone>(f: F, start: f32, x: Cells, y: Cells, length: usize, inner: usize) {
    if length == 0 {
        y.iter().for_each(|y| y.set(start));
        return;
    }
    for (x, y) in x.chunks_exact((length * inner).max(1)).zip(y.chunks_exact(inner.max(1))) {
        if inner == 1 {
            y[0].set(line(&f, x, start));
            continue;
        }
        map(Copy, &x[..inner], y);
        for row in x[inner..].chunks_exact(inner) {
            zip(f.clone(), y, row, y);
        }
    }
}

/// Sum; 0 for nothing.
pub fn sum(x: Cells, y: Cells, length: usize, inner: usize) {
    reduce(Add, 0.0, x, y, length, inner);
}

/// Largest, NaN if any is; −∞ for nothing.
pub fn max(x: Cells, y: Cells, length: usize, inner: usize) {
    reduce(Maximum, f32::NEG_INFINITY, x, y, length, inner);
}

/// Smallest, NaN if any is; ∞ for nothing.
pub fn min(x: Cells, y: Cells, length: usize, inner: usize) {
    reduce(Minimum, f32::INFINITY, x, y, length, inner);
}

/// Largest of a line, NaN if any is.
pub fn line_max(x: Cells) -> f32 {
    line(&Maximum, x, f32::NEG_INFINITY)
}

/// Sum of a line.
pub fn line_sum(x: Cells) -> f32 {
    line(&Add, x, 0.0)
}

/// y\[o,i\] = the first l with the largest x\[o,l,i\]; a NaN counts as largest.
pub fn argmax(x: Cells, y: &[Cell<i32>], length: usize, inner: usize) {
    for (o, y) in y.chunks_exact(inner.max(1)).enumerate() {
        for (i, y) in y.iter().enumerate() {
            let at = |l: usize| x[(o * length + l) * inner + i].get();
            let better = |best: usize, l: usize| at(l) > at(best) || (at(l).is_nan() && !at(best).is_nan());
            y.set((0..length).fold(0, |best, l| if better(best, l) { l } else { best }) as i32);
        }
    }
}

/// Σ f(x, y) in double precision, in eight running sums; a tail adds to the first ones.
#[inline(always)]
fn doubles(x: Cells, y: Cells, f: impl Fn(F64x2, F64x2) -> F64x2) -> f64 {
    let mut sums = [F64x2::splat(0.0); 4];
    let mut add = |x: Cells, y: Cells| {
        for j in 0..2 {
            let (x, y) = (F64x2::of(F32x4::get(&x[4 * j..])), F64x2::of(F32x4::get(&y[4 * j..])));
            sums[2 * j] = sums[2 * j] + f(x[0], y[0]);
            sums[2 * j + 1] = sums[2 * j + 1] + f(x[1], y[1]);
        }
    };
    let (xs, ys) = (x.chunks_exact(BLOCK), y.chunks_exact(BLOCK));
    let (x_rest, y_rest) = (xs.remainder(), ys.remainder());
    xs.zip(ys).for_each(|(x, y)| add(x, y));
    if !x_rest.is_empty() {
        add(&padded(x_rest), &padded(y_rest));
    }
    let sum = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    sum.first() + sum.second()
}

/// Σ x²
pub fn sum_squares(x: Cells) -> f64 {
    dot(x, x)
}

/// Σ |x|
pub fn sum_abs(x: Cells) -> f64 {
    doubles(x, x, |x, _| x.at_least(F64x2::splat(0.0) - x))
}

/// Σ x·y
pub fn dot(x: Cells, y: Cells) -> f64 {
    doubles(x, y, |x, y| x * y)
}

/// Σ (x − y)²
pub fn squared_distance(x: Cells, y: Cells) -> f64 {
    doubles(x, y, |x, y| (x - y) * (x - y))
}

/// |x|'s largest, NaN if any is.
#[derive(Clone)]
struct MaxAbs;

impl Zip for MaxAbs {
    #[inline(always)]
    fn apply<L: Lane>(&self, a: L, b: L) -> L {
        a.max(b.abs())
    }
}

/// max |x|; 0 for nothing
pub fn max_abs(x: Cells) -> f32 {
    line(&MaxAbs, x, 0.0)
}

//! Reductions along the middle axis of x\[outer, length, inner\], and sums over whole vectors. The order of every sum is
//! fixed by the sizes alone, so equal inputs give equal bits.

use crate::elementwise::{Add, Copy, Maximum, Minimum};
use crate::lane::{F32x4, F64x2, Lane};
use crate::sweep::{halves, map, zip, Cells, Zip, BLOCK, PAIRWISE_BLOCK};
use core::array::from_fn;
use core::cell::Cell;
use core::ops::Range;

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
    if inner == 1 {
        y.iter().zip(0..).for_each(|(y, o)| y.set(line_sum(&x[o * length..][..length])));
        return;
    }
    for (o, y) in y.chunks_exact(inner.max(1)).enumerate() {
        column_sums(&x[o * length * inner..][..length * inner], inner, 0..inner, y, false);
    }
}

/// The longest rows, in floats, that are summed a few columns at a time, with the sums in registers. Longer rows are added one after the other, so
/// that memory is read in order.
const SHORT: usize = 256;
/// Columns that are summed as two halves at a time; the sums of the second half wait in an array of this size.
const ASIDE: usize = 256;

/// sums\[j\] = Σ_i rows\[i,j\] (+ sums) for some columns j of rows of n floats: i ascending, or recursively as the sum of two halves if there are
/// many rows.
#[inline(never)]
pub fn column_sums(rows: Cells, n: usize, columns: Range<usize>, sums: Cells, accumulate: bool) {
    if !accumulate {
        sums.iter().for_each(|sum| sum.set(0.0));
    }
    if rows.len() <= PAIRWISE_BLOCK * n {
        run_sums(rows, n, columns.start, sums);
        return;
    }
    for (sums, at) in sums.chunks(ASIDE).zip(columns.step_by(ASIDE)) {
        pair_sums(rows, n, at, sums);
    }
}

/// [`run_sums`] of both halves, added to each other; recursive down to runs of rows.
fn pair_sums(rows: Cells, n: usize, at: usize, sums: Cells) {
    if rows.len() <= PAIRWISE_BLOCK * n {
        run_sums(rows, n, at, sums);
        return;
    }
    let (first, second) = rows.split_at(rows.len() / n / 2 * n);
    pair_sums(first, n, at, sums);
    let aside = [const { Cell::new(0.0) }; ASIDE];
    let aside = &aside[..sums.len()];
    pair_sums(second, n, at, aside);
    zip(Add, sums, aside, sums);
}

/// Adds the columns from `at` on to `sums`.
#[inline(never)]
fn run_sums(rows: Cells, n: usize, mut at: usize, sums: Cells) {
    if n > SHORT {
        for row in rows.chunks_exact(n) {
            zip(Add, sums, &row[at..at + sums.len()], sums);
        }
        return;
    }
    let (wide, rest) = sums.as_chunks::<16>();
    for sums in wide {
        column_vectors::<4>(rows, n, at, sums);
        at += 16;
    }
    let (narrow, rest) = rest.as_chunks::<4>();
    for sums in narrow {
        column_vectors::<1>(rows, n, at, sums);
        at += 4;
    }
    for (j, sum) in (at..).zip(rest) {
        sum.set(rows.chunks_exact(n).fold(sum.get(), |total, row| total + row[j].get()));
    }
}

/// [`run_sums`] of V vectors of columns.
#[inline(always)]
fn column_vectors<const V: usize>(rows: Cells, n: usize, at: usize, sums: Cells) {
    let mut total: [F32x4; V] = from_fn(|v| F32x4::get(&sums[4 * v..]));
    for row in rows.chunks_exact(n) {
        let row = &row[at..at + 4 * V];
        total = from_fn(|v| total[v] + F32x4::get(&row[4 * v..]));
    }
    total.iter().enumerate().for_each(|(v, total)| total.set(&sums[4 * v..]));
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
#[inline(always)]
pub fn line_sum(x: Cells) -> f32 {
    if x.len() > PAIRWISE_BLOCK {
        long_sum(x)
    } else {
        line(&Add, x, 0.0)
    }
}

/// The sum of a line of any length. A line longer than a run is summed as two halves.
#[inline(never)]
fn long_sum(x: Cells) -> f32 {
    let (first, second) = halves(x);
    line_sum(first) + line_sum(second)
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

/// Columns that [`cumsum`] takes at a time.
const SIDE: usize = 8;

/// y\[o,l,i\] = Σ of x\[o,k,i\] over k ≤ l, or over k ≥ l from the end; the running sums are in double precision. y may be x.
pub fn cumsum(x: Cells, y: Cells, length: usize, inner: usize, backwards: bool) {
    let block = (length * inner).max(1);
    for (x, y) in x.chunks_exact(block).zip(y.chunks_exact(block)) {
        for from in (0..inner).step_by(SIDE) {
            let mut sums = [0.0f64; SIDE];
            let width = SIDE.min(inner - from);
            for step in 0..length {
                let l = if backwards { length - 1 - step } else { step };
                let at = l * inner + from;
                for ((sum, x), y) in sums.iter_mut().zip(&x[at..at + width]).zip(&y[at..at + width]) {
                    *sum += f64::from(x.get());
                    y.set(*sum as f32);
                }
            }
        }
    }
}

/// Floats that [`doubles`] takes at a time, two per running sum: with fewer running sums, each addition would wait for the previous one.
const SPAN: usize = 2 * BLOCK;

/// Σ of terms in double precision, in sixteen running sums, and two for the tail. `add` adds the terms of two x to a sum.
#[inline(always)]
fn doubles(x: Cells, add: impl Fn(F64x2, F64x2) -> F64x2) -> f64 {
    let whole = x.len() / SPAN * SPAN;
    let xs = x[whole..].chunks_exact(2);
    let last = xs.remainder();
    let zero = F64x2::splat(0.0);
    let tail = xs.fold(zero, |sum, x| add(sum, F64x2::of(x)));
    let last = last.first().map_or(0.0, |x| add(zero, F64x2::splat(x.get().into())).first());
    let mut sums = [zero; BLOCK];
    spans(x, &add, &mut sums);
    let [a, b, c, d, e, f, g, h] = sums;
    let sum = ((a + e) + (c + g)) + ((b + f) + (d + h)) + tail;
    sum.first() + sum.second() + last
}

/// Adds whole spans to the running sums. They are read from memory and written back, as V8 keeps sums with a constant start on the stack, and each
/// addition there takes longer.
#[inline(never)]
fn spans(x: Cells, add: &impl Fn(F64x2, F64x2) -> F64x2, sums: &mut [F64x2; BLOCK]) {
    let mut now = *sums;
    for x in x.chunks_exact(SPAN) {
        now = from_fn(|j| add(now[j], F64x2::of(&x[2 * j..])));
    }
    *sums = now;
}

/// Σ x²
pub fn sum_squares(x: Cells) -> f64 {
    doubles(x, |sum, x| x.mul_add(x, sum))
}

/// Σ |x|
pub fn sum_abs(x: Cells) -> f64 {
    let mask = F64x2::all_but_sign();
    doubles(x, |sum, x| sum + x.and(mask))
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

//! Logistic regressions over rows that stay where they are: the loops of `gradus/head`.
//!
//! Rows come in bundles of [`BUNDLE`], with columns in whole [`STRIP`]s: the caller fills up with zeros, so there are no ragged edges. A bundle goes
//! through all three steps, logits, residuals and gradient, while the first-level cache holds it. Logits and residuals of a bundle are by class, so that a
//! vector has those of four rows. The loops over columns are functions of their own: engines optimize a small function sooner, and a new head is
//! trained in the first milliseconds of a process.

use crate::lane::{F32x4, Lane};
use crate::math::{exp_down, sigmoid};
use crate::sweep::Cells;
use core::array::from_fn;
use core::cell::Cell;

/// Rows of a bundle.
pub const BUNDLE: usize = 16;
/// The number of columns is a multiple of this.
pub const STRIP: usize = 16;
/// Floats of a row that one step of a product takes.
const STEP: usize = 8;
/// Rows of a product.
const ROWS: usize = 4;

/// Bundles of rows, and a line for each class.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    /// Rows, \[bundles, BUNDLE, columns\].
    pub x: Cells<'a>,
    /// Weights, \[classes, columns\].
    pub weights: Cells<'a>,
    /// Columns of a row.
    pub columns: usize,
    /// Number of lines.
    pub classes: usize,
}

/// What rows answer, for each class in the order of logits.
pub enum Answers<'a> {
    /// The class of each row; a number that is none leaves the row out of the sums of probabilities.
    Classes(&'a [Cell<i32>]),
    /// 1 for each class of a row, \[bundles, classes, BUNDLE\].
    Sets(Cells<'a>),
}

impl Lines<'_> {
    fn floats(&self) -> usize {
        BUNDLE * self.columns.max(1)
    }

    /// z = weights · xᵀ, \[bundles, classes, BUNDLE\]
    pub fn logits(&self, z: Cells) {
        for (x, z) in self.x.chunks_exact(self.floats()).zip(z.chunks_exact(BUNDLE * self.classes.max(1))) {
            self.logits_of(x, z);
        }
    }

    /// gradient\[classes, columns\] += Σ over rows of (p − t) · x, where p are the probabilities of a row, and t is what it answers. `z` is room for the
    /// logits of a bundle.
    pub fn gradient(&self, answers: &Answers, z: Cells, gradient: Cells) {
        for (b, x) in self.x.chunks_exact(self.floats()).enumerate() {
            self.logits_of(x, z);
            match answers {
                Answers::Classes(all) => softmax_residuals(z, &all[b * BUNDLE..][..BUNDLE]),
                Answers::Sets(all) => logistic_residuals(z, &all[b * z.len()..][..z.len()]),
            }
            let pairs = z.chunks_exact(2 * BUNDLE).zip(gradient.chunks_exact(2 * self.columns));
            pairs.for_each(|(z, gradient)| add_rows::<2>(x, z, gradient, self.columns));
            if self.classes % 2 == 1 {
                let last = self.classes - 1;
                add_rows::<1>(x, &z[last * BUNDLE..], &gradient[last * self.columns..], self.columns);
            }
        }
    }

    fn logits_of(&self, x: Cells, z: Cells) {
        let columns = self.columns;
        for (i, x) in x.chunks_exact(ROWS * columns).enumerate() {
            let z = &z[i * ROWS..];
            for c in (0..self.classes - self.classes % 2).step_by(2) {
                products::<2>(x, &self.weights[c * columns..], columns, &z[c * BUNDLE..]);
            }
            if self.classes % 2 == 1 {
                let last = self.classes - 1;
                products::<1>(x, &self.weights[last * columns..], columns, &z[last * BUNDLE..]);
            }
        }
    }
}

/// The first `columns` of each of N rows, in steps.
#[inline(always)]
fn steps<const N: usize, const W: usize>(from: Cells<'_>, columns: usize) -> [&[[Cell<f32>; W]]; N] {
    from_fn(|i| &from[i * columns..][..columns].as_chunks::<W>().0[..columns / W])
}

/// The logits of four rows for C classes.
#[inline(never)]
fn products<const C: usize>(x: Cells, weights: Cells, columns: usize, z: Cells) {
    let (x, weights) = (steps::<ROWS, STEP>(x, columns), steps::<C, STEP>(weights, columns));
    let mut sums = [[F32x4::splat(0.0); ROWS]; C];
    for j in 0..columns / STEP {
        for at in [0, F32x4::WIDTH] {
            let row = x.map(|row| F32x4::get(&row[j][at..]));
            for (weights, sums) in weights.iter().zip(&mut sums) {
                let w = F32x4::get(&weights[j][at..]);
                for (x, sum) in row.iter().zip(sums) {
                    *sum = x.mul_add(w, *sum);
                }
            }
        }
    }
    for (c, sums) in sums.into_iter().enumerate() {
        let [p, q, r, s] = F32x4::transpose(sums);
        ((p + q) + (r + s)).set(&z[c * BUNDLE..]);
    }
}

/// gradient\[C, columns\] += Σ over the rows of a bundle of z · x
#[inline(never)]
fn add_rows<const C: usize>(x: Cells, z: Cells, gradient: Cells, columns: usize) {
    let rows = steps::<BUNDLE, STRIP>(x, columns);
    let to = steps::<C, STRIP>(gradient, columns);
    for j in 0..columns / STRIP {
        let mut sums: [[F32x4; STRIP / 4]; C] = from_fn(|c| from_fn(|v| F32x4::get(&to[c][j][4 * v..])));
        for (i, row) in rows.iter().enumerate() {
            let row: [F32x4; STRIP / 4] = from_fn(|v| F32x4::get(&row[j][4 * v..]));
            for (c, sums) in sums.iter_mut().enumerate() {
                let factor = F32x4::splat(z[c * BUNDLE + i].get());
                for (x, sum) in row.iter().zip(sums) {
                    *sum = x.mul_add(factor, *sum);
                }
            }
        }
        for (sums, to) in sums.iter().zip(to) {
            for (v, sum) in sums.iter().enumerate() {
                sum.set(&to[j][4 * v..]);
            }
        }
    }
}

/// z ← softmax(z) − 1 for the class of a row
#[inline(never)]
fn softmax_residuals(z: Cells, classes: &[Cell<i32>]) {
    for at in (0..BUNDLE).step_by(F32x4::WIDTH) {
        let each = || z.chunks_exact(BUNDLE).map(|z| &z[at..]);
        let most = each().fold(F32x4::splat(f32::NEG_INFINITY), |most, z| most.max(F32x4::get(z)));
        let mut sum = F32x4::splat(0.0);
        for z in each() {
            let e = exp_down(F32x4::get(z) - most);
            e.set(z);
            sum = sum + e;
        }
        let inverse = F32x4::splat(1.0) / sum;
        each().for_each(|z| (F32x4::get(z) * inverse).set(z));
    }
    for (i, class) in classes.iter().enumerate() {
        if let Some(z) = usize::try_from(class.get()).ok().and_then(|c| z.get(c * BUNDLE + i)) {
            z.set(z.get() - 1.0);
        }
    }
}

/// z ← σ(z) − t
#[inline(never)]
fn logistic_residuals(z: Cells, targets: Cells) {
    for (z, t) in z.chunks_exact(F32x4::WIDTH).zip(targets.chunks_exact(F32x4::WIDTH)) {
        (sigmoid(F32x4::get(z)) - F32x4::get(t)).set(z);
    }
}

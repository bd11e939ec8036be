//! The tile of a convolution: as in crate/gemm/tile.rs, but its rows of A lie anywhere, and k runs over several stretches of memory, at equal distances.

use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Rows of the tallest tile, and floats in the widest row.
pub const TALLEST: usize = 6;
pub const WIDEST: usize = 16;
/// Rows of the tiles at the end, if no more are left.
pub const SHORT: usize = 4;

/// One tile: c\[to\[i\] + j\] = start + Σ a\[at\[i\] + k\] · b\[k, j\].
#[derive(Clone, Copy)]
pub struct Job {
    pub a: *const f32,
    /// Places of the rows of A, in floats from `a`.
    pub at: [usize; TALLEST],
    /// Stretches of k: `first` is the number of the first one, `across` of them are `apart` floats from one another, and then the next line begins.
    pub first: usize,
    pub stretches: usize,
    pub across: usize,
    pub apart: usize,
    pub line: usize,
    /// Steps of k in a stretch, and floats from step to step.
    pub run: usize,
    pub step: usize,
    /// The panel.
    pub b: *const f32,
    /// Start values: rows of `start`, at the places of C, or all the same row.
    pub start: *const f32,
    pub start_is_c: bool,
    pub c: *mut f32,
    /// Places of the rows of C.
    pub to: [usize; TALLEST],
}

/// Runs a tile of `height` rows and `width` columns, `columns` of which exist.
#[inline(never)]
pub unsafe fn run(height: usize, width: usize, job: &Job, columns: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if columns == width {
            shaped(height, width, job);
            return;
        }
        let mut buffer = [0.0f32; TALLEST * WIDEST];
        let c = buffer.as_mut_ptr();
        for i in 0..height {
            let from = if job.start_is_c { job.start.add(job.to[i]) } else { job.start };
            for j in 0..columns {
                *c.add(i * width + j) = *from.add(j);
            }
        }
        shaped(height, width, &Job { c, start: c, start_is_c: true, to: from_fn(|i| i * width), ..*job });
        for i in 0..height {
            for j in 0..columns {
                *job.c.add(job.to[i] + j) = *c.add(i * width + j);
            }
        }
    }
}

#[inline(always)]
unsafe fn shaped(height: usize, width: usize, job: &Job) {
    // SAFETY: the caller's promise.
    unsafe {
        match (height, width) {
            (4, 8) => tile::<4, 2>(job),
            (5, 8) => tile::<5, 2>(job),
            (_, 8) => tile::<6, 2>(job),
            (4, _) => tile::<4, 4>(job),
            (5, _) => tile::<5, 4>(job),
            (_, _) => tile::<6, 4>(job),
        }
    }
}

#[inline(never)]
unsafe fn tile<const MR: usize, const NV: usize>(job: &Job) {
    let &Job { a, first, stretches, across, apart, line, run, step, start, start_is_c, c, .. } = job;
    // SAFETY: the caller's promise: every row of A has these stretches, the panel as many steps, C and start their rows.
    unsafe {
        let at: [usize; MR] = from_fn(|i| job.at[i]);
        let mut sum: [[F32x4; NV]; MR] = from_fn(|i| {
            let from = start.add(if start_is_c { job.to[i] } else { 0 });
            from_fn(|v| F32x4::load_ptr(from.add(4 * v)))
        });
        let mut b = job.b;
        let (mut y, mut x) = (first / across, first % across);
        for _ in 0..stretches {
            let mut a = a.add(y * line + x * apart);
            for _ in 0..run {
                let panel: [F32x4; NV] = from_fn(|v| F32x4::load_ptr(b.add(4 * v)));
                for (sum, at) in sum.iter_mut().zip(at) {
                    let a = F32x4::load_splat(a.add(at));
                    for (sum, b) in sum.iter_mut().zip(panel) {
                        *sum = a.mul_add(b, *sum);
                    }
                }
                a = a.add(step);
                b = b.add(4 * NV);
            }
            x += 1;
            if x == across {
                (y, x) = (y + 1, 0);
            }
        }
        // two neighboring vectors of a row, one right after the other, so that V8 can widen the pair
        for pair in (0..NV).step_by(2) {
            for (i, sums) in sum.iter().enumerate() {
                let c = c.add(job.to[i] + 4 * pair);
                sums[pair].store_ptr(c);
                sums[pair + 1].store_ptr(c.add(4));
            }
        }
    }
}

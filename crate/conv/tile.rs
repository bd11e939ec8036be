//! The tile of a convolution: as in crate/gemm/tile.rs, but its rows of A and C lie anywhere. k runs along one stretch of memory; a window has several, and
//! the sums are in C between them. (A second loop around that over k, with the sums in registers, took half as long again: V8 spilled them.)

use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Rows of the tallest tile, and floats in the widest row.
pub const TALLEST: usize = 6;
pub const WIDEST: usize = 16;
/// Rows of the tiles at the end, if no more are left.
pub const SHORT: usize = 4;

/// One tile: c\[to\[i\] + j\] = start + Σ a\[at\[i\] + k·step\] · b\[k, j\].
#[derive(Clone, Copy)]
pub struct Job {
    pub a: *const f32,
    /// Places of the rows of A, in floats from `a`.
    pub at: [usize; TALLEST],
    /// Steps of k, and floats from step to step.
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
    let rows = &job.at[..height];
    let is_adjacent = rows.iter().zip(rows[0]..).all(|(at, wanted)| *at == wanted);
    // SAFETY: the caller's promise.
    unsafe {
        if job.step == 1 {
            walk::<Apart>(height, width, job);
        } else if is_adjacent {
            walk::<Adjacent>(height, width, job);
        } else {
            walk::<Anywhere>(height, width, job);
        }
    }
}

#[inline(always)]
unsafe fn walk<W: Walk>(height: usize, width: usize, job: &Job) {
    // SAFETY: the caller's promise.
    unsafe {
        match (height, width) {
            (4, 8) => tile::<W, 4, 2>(job),
            (5, _) => tile::<W, 5, 2>(job),
            (_, 8) => tile::<W, 6, 2>(job),
            (4, _) => tile::<W, 4, 4>(job),
            (_, _) => tile::<W, 6, 4>(job),
        }
    }
}

/// How a tile walks through A. Addresses take turns with multiply-adds at the front of a processor, so there should be few.
trait Walk {
    /// True if steps are neighbors.
    const STEP_IS_ONE: bool;
    /// True if the rows lie side by side, so that one address serves all.
    const ADJACENT: bool;
}
/// Rows anywhere, with neighboring steps: forward, and the gradient of the image.
struct Apart;
/// Rows side by side, with steps at a distance: the gradient of the weights.
struct Adjacent;
/// Rows anywhere, with steps at a distance: the gradient of the weights where a tile crosses lines of the window.
struct Anywhere;
impl Walk for Apart {
    const STEP_IS_ONE: bool = true;
    const ADJACENT: bool = false;
}
impl Walk for Adjacent {
    const STEP_IS_ONE: bool = false;
    const ADJACENT: bool = true;
}
impl Walk for Anywhere {
    const STEP_IS_ONE: bool = false;
    const ADJACENT: bool = false;
}

#[inline(never)]
unsafe fn tile<W: Walk, const MR: usize, const NV: usize>(job: &Job) {
    let &Job { run, start, start_is_c, c, .. } = job;
    let step = if W::STEP_IS_ONE { 1 } else { job.step };
    // SAFETY: the caller's promise: every row of A and the panel have `run` steps, C and start their rows.
    unsafe {
        let mut sum: [[F32x4; NV]; MR] = from_fn(|i| {
            let from = start.add(if start_is_c { job.to[i] } else { 0 });
            from_fn(|v| F32x4::load_ptr(from.add(4 * v)))
        });
        let (mut a, mut b) = (job.a.add(if W::ADJACENT { job.at[0] } else { 0 }), job.b);
        let at: [usize; MR] = from_fn(|i| if W::ADJACENT { i } else { job.at[i] });
        for _ in 0..run {
            multiply_add(&mut sum, a, at, b);
            a = a.add(step);
            b = b.add(4 * NV);
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

/// One step of k: sum\[i\] += a\[at\[i\]\] · b.
#[inline(always)]
unsafe fn multiply_add<const MR: usize, const NV: usize>(
    sum: &mut [[F32x4; NV]; MR],
    a: *const f32,
    at: [usize; MR],
    b: *const f32,
) {
    // SAFETY: the caller stays inside k.
    unsafe {
        let panel: [F32x4; NV] = from_fn(|v| F32x4::load_ptr(b.add(4 * v)));
        for (sum, at) in sum.iter_mut().zip(at) {
            let a = F32x4::load_splat(a.add(at));
            for (sum, b) in sum.iter_mut().zip(panel) {
                *sum = a.mul_add(b, *sum);
            }
        }
    }
}

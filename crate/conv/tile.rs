//! The tile of a convolution: as in crate/gemm/tile.rs, but its rows of A and C lie anywhere, and a table has the places of its steps of k. A call runs a
//! grid of equal tiles. (A loop over stretches of k around another one, with the sums in registers, took half as long again: V8 spilled them.)

use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Rows of the tallest tile, and floats in the widest row.
pub const TALLEST: usize = 6;
pub const WIDEST: usize = 16;
/// Rows of the lowest tile.
pub const SHORT: usize = 4;

/// Tiles in one direction of a grid: their number, and floats from tile to tile in A and in C.
#[derive(Clone, Copy)]
pub struct Repeat {
    pub count: usize,
    pub a: usize,
    pub c: usize,
}

impl Repeat {
    pub const ONCE: Repeat = Repeat { count: 1, a: 0, c: 0 };
}

/// Tiles c\[to\[i\] + j\] = start + Σ a\[at\[i\] + steps\[k\]\] · b\[k, j\], in lines one below the other.
#[derive(Clone, Copy)]
pub struct Job {
    pub a: *const f32,
    /// Places of the rows of A, in floats from `a`; not read if rows are neighbors.
    pub at: [usize; TALLEST],
    /// True if the rows of A lie side by side, so that one address serves all.
    pub is_adjacent: bool,
    /// Places of the steps of k in A, in bytes, and their number.
    pub steps: *const u32,
    pub run: usize,
    /// The panel, and floats from step to step in it.
    pub b: *const f32,
    pub b_step: usize,
    /// Start values: rows of `start`, at the places of C, or all the same row.
    pub start: *const f32,
    pub start_is_c: bool,
    pub c: *mut f32,
    /// Places of the rows of C.
    pub to: [usize; TALLEST],
    pub across: Repeat,
    pub down: Repeat,
}

/// Cuts a line of `count` rows into tiles of `SHORT` to `tall` rows without a rest: the number of the taller ones, of the lower ones, and the rows of
/// a lower one. None if that is not possible.
pub fn cut(count: usize, tall: usize) -> Option<(usize, usize, usize)> {
    let tiles = count.div_ceil(tall);
    let low = count.checked_div(tiles)?;
    (low >= SHORT).then(|| (count - tiles * low, tiles - (count - tiles * low), low))
}

/// Runs tiles of `height` rows and `width` columns, `columns` of which exist.
#[inline(never)]
pub unsafe fn run(height: usize, width: usize, job: &Job, columns: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        if columns == width {
            shaped(height, width, job);
            return;
        }
        let mut buffer = [0.0f32; TALLEST * WIDEST];
        let own = buffer.as_mut_ptr();
        for y in 0..job.down.count {
            for x in 0..job.across.count {
                let a = job.a.add(y * job.down.a + x * job.across.a);
                let place = y * job.down.c + x * job.across.c;
                let (c, start) = (job.c.add(place), job.start.add(if job.start_is_c { place } else { 0 }));
                for i in 0..height {
                    let from = if job.start_is_c { start.add(job.to[i]) } else { start };
                    for j in 0..columns {
                        *own.add(i * width + j) = *from.add(j);
                    }
                }
                let to = from_fn(|i| i * width);
                let (across, down) = (Repeat::ONCE, Repeat::ONCE);
                shaped(height, width, &Job { a, c: own, start: own, start_is_c: true, to, across, down, ..*job });
                for i in 0..height {
                    for j in 0..columns {
                        *c.add(job.to[i] + j) = *own.add(i * width + j);
                    }
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn shaped(height: usize, width: usize, job: &Job) {
    // SAFETY: the caller's promise.
    unsafe {
        if job.is_adjacent {
            sized::<true>(height, width, job);
        } else {
            sized::<false>(height, width, job);
        }
    }
}

#[inline(always)]
unsafe fn sized<const ADJACENT: bool>(height: usize, width: usize, job: &Job) {
    // SAFETY: the caller's promise.
    unsafe {
        match (height, width) {
            (4, 8) => tiles::<ADJACENT, 4, 2>(job),
            (5, 8) => tiles::<ADJACENT, 5, 2>(job),
            (_, 8) => tiles::<ADJACENT, 6, 2>(job),
            (4, _) => tiles::<ADJACENT, 4, 4>(job),
            (5, _) => tiles::<ADJACENT, 5, 4>(job),
            (_, _) => tiles::<ADJACENT, 6, 4>(job),
        }
    }
}

#[inline(always)]
unsafe fn tiles<const ADJACENT: bool, const MR: usize, const NV: usize>(job: &Job) {
    let Job { across, down, .. } = job;
    for y in 0..down.count {
        let (mut a, mut place) = (job.a.wrapping_add(y * down.a), y * down.c);
        for _ in 0..across.count {
            // SAFETY: the caller's promise.
            unsafe { tile::<ADJACENT, MR, NV>(job, a, place) }
            (a, place) = (a.wrapping_add(across.a), place + across.c);
        }
    }
}

/// The tile of a grid at `a` in A and `place` in C. It is a function of its own because V8 of Node 22 spills sums in a loop that is inside of another.
#[inline(never)]
unsafe fn tile<const ADJACENT: bool, const MR: usize, const NV: usize>(job: &Job, a: *const f32, place: usize) {
    let &Job { mut steps, run, start, start_is_c, mut b, b_step, c, .. } = job;
    let at: [usize; MR] = from_fn(|i| if ADJACENT { i } else { job.at[i] });
    // SAFETY: the caller's promise: every row of A and the panel have all steps, C and start their rows.
    unsafe {
        let mut sum: [[F32x4; NV]; MR] = from_fn(|i| {
            let from = start.add(if start_is_c { place + job.to[i] } else { 0 });
            from_fn(|v| F32x4::load_ptr(from.add(4 * v)))
        });
        for _ in 0..run {
            multiply_add(&mut sum, a.byte_add(*steps as usize), at, b);
            steps = steps.add(1);
            b = b.add(b_step);
        }
        // two neighboring vectors of a row, one right after the other, so that V8 can widen the pair
        let c = c.add(place);
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

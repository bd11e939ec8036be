//! The tiles: a few rows by a few vectors of columns of C, held in registers while k runs.
//!
//! A tile loads all its start values, then runs over k, then stores, row by row: in that shape V8 can widen vector pairs to 256 bits. One step of k
//! per turn of the loop: V8 unrolls it, and a longer body would spill registers.
//!
//! One pointer walks A, and rows of A are offsets from it. If rows are contiguous, these offsets are constants, which become part of the load
//! instructions (`foldSplats` in ts/build/pack/finish.mjs), so that no address is computed on the ports that multiply-adds need.
//!
//! The order of statements in [`multiply_add`] is the order of instructions in the module (ts/build/wasm.sh asks LLVM to keep it): a row's float is
//! loaded just before its multiply-adds, so one register serves all rows. test/backend/wasm/tile-loops.test.ts reads the loops.

use super::{Start, View};
use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Vectors in the widest tile, direct ones included.
pub const WIDEST: usize = 8;
/// Rows and columns of the largest [`Tile`], in floats.
const LARGEST: usize = 6 * 16;
/// Rows of the tiles that end a strip, if fewer rows are left than a full tile has.
pub const SHORT: usize = 4;

/// One tile of C: k steps of A and B at given distances, and `rows` rows of start values and of C.
#[derive(Clone, Copy)]
pub struct Job {
    pub k: usize,
    pub a: *const f32,
    pub a_step: usize,
    pub b: *const f32,
    pub b_step: usize,
    pub start: Start,
    pub c: *mut f32,
    pub ldc: usize,
    pub rows: usize,
}

/// A shape of tile, with its code for rows of A side by side.
pub struct Tile {
    pub rows: usize,
    pub columns: usize,
    tall: unsafe fn(&Job),
    short: unsafe fn(&Job),
}

/// The tiles to choose from (TILES in ts/backend/kernels.ts), in floats 5 × 8, 6 × 8, 4 × 16 and 6 × 16. Sixteen registers of 128 bits hold the sums
/// of the first two; sixteen of 256 bits, or thirty-two of 128, hold the sums of all four. A processor starts two multiply-adds a cycle, and each
/// takes four cycles or so: ten or twelve independent sums keep both units busy, twelve even more. Without a fused multiply-add a product needs a
/// register of its own until it is added: ten sums, one float of A and two vectors of B leave such a register, twelve sums leave none.
pub static TILES: [Tile; 4] = [shape::<5, 2>(), shape::<6, 2>(), shape::<SHORT, 4>(), shape::<6, 4>()];

const fn shape<const MR: usize, const NV: usize>() -> Tile {
    Tile { rows: MR, columns: 4 * NV, tall: adjacent_rows::<MR, NV>, short: adjacent_rows::<SHORT, NV> }
}

impl Tile {
    /// Cuts m rows into tiles: offset, existing rows, and rows of the tile. The last tiles are short ones if that needs no more tiles.
    #[inline(always)]
    pub fn cut(&self, m: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let tall = self.rows;
        let mut at = 0;
        core::iter::from_fn(move || {
            let (from, left) = (at, m - at);
            // the first comparison is implied by the second, but most calls then need no division
            let is_short = left <= SHORT * SHORT && left <= SHORT * left.div_ceil(tall);
            let height = if is_short { SHORT } else { tall };
            at += height.min(left);
            (left > 0).then_some((from, at - from, height))
        })
    }

    /// True if [`Tile::cut`] cuts m rows into full tiles only.
    #[inline(never)]
    pub fn fits(&self, m: usize) -> bool {
        self.cut(m).all(|(_, rows, height)| rows == height)
    }

    /// Runs a job whose A has `height` rows side by side; its first `columns` columns are valid.
    #[inline(always)]
    pub unsafe fn run<C: Calls>(&self, height: usize, job: &Job, columns: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if columns == self.columns && job.rows == height {
                C::call(self, height, job);
            } else {
                edge::<C>(self, height, job, columns);
            }
        }
    }
}

/// The way in which a product calls the code of a tile.
pub trait Calls {
    /// Runs a whole tile of that height.
    unsafe fn call(tile: &Tile, height: usize, job: &Job);
}

/// Through the table of functions, which only the core of the module has: it is the least code.
pub struct ByTable;
impl Calls for ByTable {
    #[inline(always)]
    unsafe fn call(tile: &Tile, height: usize, job: &Job) {
        let run = if height == SHORT { tile.short } else { tile.tall };
        // SAFETY: the caller's promise.
        unsafe { run(job) }
    }
}

/// By name, for the parts of the module.
pub struct ByName;
impl Calls for ByName {
    #[inline(always)]
    unsafe fn call(tile: &Tile, height: usize, job: &Job) {
        // SAFETY: the caller's promise.
        unsafe {
            match (height, tile.columns) {
                (SHORT, 8) => adjacent_rows::<SHORT, 2>(job),
                (SHORT, _) => adjacent_rows::<SHORT, 4>(job),
                (5, _) => adjacent_rows::<5, 2>(job),
                (_, 8) => adjacent_rows::<6, 2>(job),
                _ => adjacent_rows::<6, 4>(job),
            }
        }
    }
}

/// Computes the ragged end of C in a buffer that holds a whole tile; only its valid elements are copied in and out.
#[inline(never)]
unsafe fn edge<C: Calls>(tile: &Tile, height: usize, job: &Job, columns: usize) {
    let mut buffer = [0.0f32; LARGEST];
    let (c, width) = (buffer.as_mut_ptr(), tile.columns);
    // SAFETY: `rows` rows of C and of the start values have `columns` elements, no more than the buffer has.
    unsafe {
        for i in 0..job.rows {
            copy(job.start.at(i, 0).ptr, c.add(i * width), columns);
        }
        let start = Start::matrix(c, width);
        C::call(tile, height, &Job { c, ldc: width, start, ..*job });
        for i in 0..job.rows {
            copy(c.add(i * width), job.c.add(i * job.ldc), columns);
        }
    }
}

/// Copies n ≤ 16 floats. Unrolled: the compiler would make a loop a call of memcpy, which costs more than the copy.
#[inline(always)]
unsafe fn copy(from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n floats are there, and room for as many.
    unsafe {
        for v in 0..4 {
            if 4 * v + 4 <= n {
                F32x4::load_ptr(from.add(4 * v)).store_ptr(to.add(4 * v));
            }
        }
        let whole = n - n % 4;
        for r in whole..whole + 3 {
            if r < n {
                *to.add(r) = *from.add(r);
            }
        }
    }
}

/// Rows of A side by side; all rows of C exist. Each shape is a function of its own, which an engine optimizes sooner.
#[inline(never)]
unsafe fn adjacent_rows<const MR: usize, const NV: usize>(job: &Job) {
    let &Job { k, a, a_step, b, b_step, start, c, ldc, .. } = job;
    // SAFETY: MR rows of A lie side by side, and 4·NV columns of B, k times.
    unsafe { tile::<MR, NV, 4>(k, a, from_fn(|i| i), a_step, b, b_step, start, c, ldc, MR) }
}

/// [`tile`] with rows of A anywhere; past `rows` they repeat the last, whose sums are then stored twice.
#[inline(always)]
#[rustfmt::skip]
pub unsafe fn strided<const MR: usize, const NV: usize, const W: usize>(
    k: usize, a: View, b: *const f32, ldb: usize, start: Start, c: *mut f32, ldc: usize, rows: usize,
) {
    // SAFETY: rows below `rows` exist.
    unsafe {
        tile::<MR, NV, W>(k, a.ptr, from_fn(|i| i.min(rows - 1) * a.row_stride), a.column_stride, b, ldb, start, c, ldc, rows)
    }
}

/// c\[i,j\] = start\[i,j\] + Σ_p a\[row\[i\] + p·step\] · b\[p·ldb + j\], for MR rows and NV vectors of columns, W of them in the last; only `rows` rows of
/// start and c exist, and rows of a from there on repeat the last one.
#[inline(always)]
#[rustfmt::skip]
unsafe fn tile<const MR: usize, const NV: usize, const W: usize>(
    k: usize, a: *const f32, row: [usize; MR], step: usize, b: *const f32, ldb: usize, start: Start, c: *mut f32, ldc: usize, rows: usize,
) {
    // SAFETY: the caller's promise: rows of start and C with 4·NV columns, k steps of A and B.
    unsafe {
        let first: [Start; MR] = from_fn(|i| start.at(i.min(rows - 1), 0));
        let mut sum: [[F32x4; NV]; MR] = from_fn(|i| from_fn(|v| load::<NV, W>(first[i].ptr, v)));
        let (mut a, mut b) = (a, b);
        for _ in 0..k {
            multiply_add::<MR, NV, W>(&mut sum, a, row, b);
            a = a.add(step);
            b = b.add(ldb);
        }
        // two neighboring vectors of a row, one right after the other, so that V8 can widen the pair
        for pair in (0..NV).step_by(2) {
            for (i, sums) in sum.iter().enumerate() {
                let c = c.add(i.min(rows - 1) * ldc);
                for (v, s) in sums.iter().enumerate().skip(pair).take(2) {
                    if v + 1 < NV {
                        s.store_ptr(c.add(4 * v));
                    } else {
                        s.store_part::<W>(c.add(4 * v));
                    }
                }
            }
        }
    }
}

/// Vector v of a row of NV vectors. The last vector has W floats.
#[inline(always)]
unsafe fn load<const NV: usize, const W: usize>(row: *const f32, v: usize) -> F32x4 {
    // SAFETY: the row has this number of floats.
    unsafe {
        if v + 1 < NV {
            F32x4::load_ptr(row.add(4 * v))
        } else {
            F32x4::load_part::<W>(row.add(4 * v))
        }
    }
}

/// One step of k: sum\[i\] += a\[row\[i\]\] · b.
#[inline(always)]
unsafe fn multiply_add<const MR: usize, const NV: usize, const W: usize>(
    sum: &mut [[F32x4; NV]; MR],
    a: *const f32,
    row: [usize; MR],
    b: *const f32,
) {
    // SAFETY: the caller stays inside k.
    unsafe {
        let b: [F32x4; NV] = from_fn(|v| load::<NV, W>(b, v));
        for (sum, row) in sum.iter_mut().zip(row) {
            let a = F32x4::load_splat(a.add(row));
            if MR == 1 {
                // From the last vector to the first: a lone row waits for memory, and this asks for the second cache line of B sooner.
                for v in (0..NV).rev() {
                    sum[v] = a.mul_add(b[v], sum[v]);
                }
            } else {
                for (sum, b) in sum.iter_mut().zip(b) {
                    *sum = a.mul_add(b, *sum);
                }
            }
        }
    }
}

//! Small and narrow products, which read A and B in place.

use super::tile::strided;
use super::{blocks, Product, Start, SMALL_B};
use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Multiplies with B in place and all of k at once, in strips of columns from wide to narrow: `strip` gets the rows of a tile, its number of vectors,
/// and the floats in the last vector. (Tiles of eight rows and one vector have twice as many independent sums; they were 5 % faster at 64 rows and 25
/// % slower at 4.)
pub unsafe fn direct(x: &Product) {
    // SAFETY: each strip begins where the last one ended.
    unsafe {
        let j = if x.m == 1 { strip::<1, 8, 4>(x, 0) } else { strip::<2, 4, 4>(x, 0) };
        let j = strip::<4, 2, 4>(x, j);
        let j = strip::<4, 1, 4>(x, j);
        match x.n - j {
            0 => {}
            1 => _ = strip::<4, 1, 1>(x, j),
            2 => _ = strip::<4, 1, 2>(x, j),
            _ => _ = strip::<4, 1, 3>(x, j),
        }
    }
}

/// Runs tiles of NV vectors side by side from column j on, as long as they fit, with W columns in the last vector of each; returns the next column.
#[inline(always)]
unsafe fn strip<const MR: usize, const NV: usize, const W: usize>(x: &Product, j: usize) -> usize {
    let width = 4 * (NV - 1) + W;
    let end = x.n - (x.n - j) % width;
    if j < end {
        // SAFETY: the caller's promise.
        unsafe { tiles::<MR, NV, W>(x, j, end) }
    }
    end
}

/// The tiles of a strip from column j to `end`. It is a function of its own because engines optimize small functions sooner (see `pack`).
#[inline(never)]
unsafe fn tiles<const MR: usize, const NV: usize, const W: usize>(x: &Product, j: usize, end: usize) {
    for (i, rows) in blocks(x.m, MR) {
        for j in (j..end).step_by(4 * (NV - 1) + W) {
            // SAFETY: i < m, and j is at least the width of a tile below n.
            unsafe {
                let (b, c) = (x.b.at(0, j), x.c.add(i * x.ldc + j));
                let (a, start) = (x.a.from(i, 0), x.start.at(i, j));
                strided::<MR, NV, W>(x.k, a, b, x.b.row_stride, start, c, x.ldc, rows);
            }
        }
    }
}

/// Steps of k that [`one_row`] adds to a sum before it stores it: with more, V8 runs out of registers.
const DEPTH: usize = 4;
/// Columns that [`one_row`] computes side by side.
const PAIR: usize = 8;

/// True if [`one_row`] computes a product: one row of whole steps, and a B of whole pairs of vectors that exceeds a first-level cache.
pub fn is_one_row(x: &Product) -> bool {
    x.m == 1 && x.n * x.k > SMALL_B && x.k.is_multiple_of(DEPTH) && x.n.is_multiple_of(PAIR)
}

/// Multiplies a lone row with a large B. A strip of columns would read a few cache lines of each row of B; this reads a few rows as a whole,
/// which a processor fetches ahead, and keeps the sums in C meanwhile.
#[inline(never)]
pub unsafe fn one_row(x: &Product) {
    let mut start = x.start;
    for p in (0..x.k).step_by(DEPTH) {
        // SAFETY: [`is_one_row`] holds, so all these steps and columns exist.
        unsafe {
            let a: [F32x4; DEPTH] = from_fn(|q| F32x4::load_splat(x.a.at(0, p + q)));
            for j in (0..x.n).step_by(PAIR) {
                let from = start.at(0, j).ptr;
                let (mut low, mut high) = (F32x4::load_ptr(from), F32x4::load_ptr(from.add(4)));
                for (q, a) in a.iter().enumerate() {
                    let b = x.b.at(p + q, j);
                    low = a.mul_add(F32x4::load_ptr(b), low);
                    high = a.mul_add(F32x4::load_ptr(b.add(4)), high);
                }
                low.store_ptr(x.c.add(j));
                high.store_ptr(x.c.add(j + 4));
            }
        }
        start = Start::matrix(x.c, x.n);
    }
}

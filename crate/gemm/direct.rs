//! Small products and narrow ones: A and B in place.

use super::tile::strided;
use super::{blocks, Product, Start};
use crate::lane::{F32x4, Lane};
use core::array::from_fn;

/// Multiplies with B in place and all of k at once, in strips of columns from wide to narrow. (Tiles of eight rows and one vector have twice
/// as many sums under way; they were 5 % faster at 64 rows and 25 % slower at 4.)
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

/// Runs as many tiles of NV vectors side by side as there is room for from column j on, W columns in the last vector of
/// each; returns the column behind them.
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

/// The tiles of a strip from column j to `end`. It is a function of its own because engines compile small functions soon (see `pack`).
#[inline(never)]
unsafe fn tiles<const MR: usize, const NV: usize, const W: usize>(x: &Product, j: usize, end: usize) {
    for (i, rows) in blocks(x.m, MR) {
        for j in (j..end).step_by(4 * (NV - 1) + W) {
            // SAFETY: i < m, and j is at least the width of a tile below n.
            unsafe {
                let (b, c) = (x.b.at(0, j), x.c.add(i * x.ldc + j));
                let (a, start) = (x.a.from(i, 0), x.start.at(i, j));
                strided::<MR, NV, W>(x.k, a, b, x.b.row, start, c, x.ldc, rows);
            }
        }
    }
}

/// Steps of k that [`one_row`] adds to a sum before it stores it: with more, V8 runs out of registers.
const DEPTH: usize = 4;
/// Columns that it computes side by side.
const PAIR: usize = 8;

/// Multiplies a lone row with a B that no first-level cache holds. A strip of columns would read a few cache lines of each row of B; this
/// reads a few rows as a whole, which a processor fetches ahead, and keeps the sums in C meanwhile.
pub unsafe fn one_row(x: &Product) {
    let whole = x.n - x.n % PAIR;
    // SAFETY: steps p.. and columns j.. exist; C has n columns.
    unsafe {
        for (p, k) in blocks(x.k, DEPTH) {
            let start = if p == 0 { x.start } else { Start::matrix(x.c, x.n) };
            let part = Product { n: whole, k, a: x.a.from(0, p), b: x.b.from(p, 0), start, ..*x };
            if k == DEPTH {
                few_steps(&part);
            } else {
                direct(&part);
            }
        }
        if whole < x.n {
            let (b, c) = (x.b.from(0, whole), x.c.add(whole));
            direct(&Product { n: x.n - whole, b, c, start: x.start.at(0, whole), ..*x });
        }
    }
}

/// [`DEPTH`] steps of k for a row of whole pairs of vectors.
#[inline(never)]
unsafe fn few_steps(x: &Product) {
    // SAFETY: A and B have so many steps, C and the start values n columns.
    unsafe {
        let a: [F32x4; DEPTH] = from_fn(|p| F32x4::load_splat(x.a.at(0, p)));
        for j in (0..x.n).step_by(PAIR) {
            let start = x.start.at(0, j).ptr;
            let (mut low, mut high) = (F32x4::load_ptr(start), F32x4::load_ptr(start.add(4)));
            for (p, a) in a.iter().enumerate() {
                let b = x.b.at(p, j);
                low = a.mul_add(F32x4::load_ptr(b), low);
                high = a.mul_add(F32x4::load_ptr(b.add(4)), high);
            }
            low.store_ptr(x.c.add(j));
            high.store_ptr(x.c.add(j + 4));
        }
    }
}

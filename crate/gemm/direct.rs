//! Small products and narrow ones: A and B in place.

use super::tile::strided;
use super::{blocks, Product};

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

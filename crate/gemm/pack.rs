//! Panels: blocks of A and B copied in the order in which a tile walks them.
//!
//! Each way of copying is a separate function. V8 optimizes a function in the background once it has run for a while. As one function, all this code
//! took 60 ms to optimize, and a net's first step ran mostly on unoptimized code.

use super::tile::Tile;
use super::{blocks, View};
use crate::lane::F32x4;
use core::array::from_fn;

/// Panels that are filled side by side. A row of B is then read one cache line after the other, up to this number of lines, which a processor
/// prefetches. More panels would be written to more places than a first-level cache keeps apart.
const SIDE_BY_SIDE: usize = 4;
/// Steps of k that are copied at a time if rows of A are contiguous at each step. Their cache lines may all fall into one set of a first-level cache,
/// and a set holds this number of lines.
pub const STEPS_AT_A_TIME: usize = 8;

/// Copies a block of B into panels of `width` columns, k steps each. Results from the padding of a ragged panel are never stored in C.
#[inline(never)]
pub unsafe fn columns(b: View, to: *mut f32, k: usize, n: usize, width: usize) {
    let whole = n - n % width;
    // SAFETY: panels lie in their room of scratch, one behind the other; columns j.. of B exist.
    unsafe {
        if b.column_stride == 1 {
            for (j, columns) in blocks(whole, SIDE_BY_SIDE * width) {
                along_rows(b.from(0, j), to.add(j * k), k, columns, width);
            }
        } else {
            let squares = k - k % 4;
            for j in (0..whole).step_by(width) {
                let (from, panel) = (b.from(0, j), to.add(j * k));
                along_columns(from, panel, squares, width, width);
                one_by_one(from.from(squares, 0), panel.add(squares * width), k - squares, width, width);
            }
        }
        if whole < n {
            ragged(b.from(0, whole), to.add(whole * k), k, n - whole, width);
        }
    }
}

/// Fills the last panel, which has fewer columns.
#[inline(never)]
unsafe fn ragged(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) {
    // SAFETY: a whole vector that starts inside a row of B and ends past it is still inside B, unless the row is among the last few.
    unsafe {
        let done = if b.column_stride == 1 { k.saturating_sub((width - columns).div_ceil(b.row_stride)) } else { 0 };
        along_rows(b, panel, done, width, width);
        one_by_one(b.from(done, 0), panel.add(done * width), k - done, width, columns);
    }
}

/// panel\[p,:\] = b\[p,:\] in whole vectors, for panels behind each other that hold `columns` columns.
#[inline(never)]
unsafe fn along_rows(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            8 => along_rows_of::<8>(b, panel, k, columns / 8),
            _ => along_rows_of::<16>(b, panel, k, columns / 16),
        }
    }
}

/// [`along_rows`] for a width that the compiler knows, so that finding the next vector costs no more than copying it.
#[inline(always)]
unsafe fn along_rows_of<const W: usize>(b: View, panel: *mut f32, k: usize, panels: usize) {
    for p in 0..k {
        // SAFETY: row p has as many columns as the panels.
        unsafe {
            let (mut from, mut to) = (b.at(p, 0), panel.add(p * W));
            for _ in 0..panels {
                for v in (0..W).step_by(8) {
                    let (x, y) = (F32x4::load_ptr(from.add(v)), F32x4::load_ptr(from.add(v + 4)));
                    x.store_ptr(to.add(v));
                    y.store_ptr(to.add(v + 4));
                }
                from = from.add(W);
                to = to.add(k * W);
            }
        }
    }
}

/// panel\[p,j\] = b\[p,j\] for j < columns, where columns of b are contiguous: transposes 4×4 squares.
/// Both k and columns are multiples of 4.
#[inline(never)]
unsafe fn along_columns(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) {
    for v in (0..columns).step_by(4) {
        for p in (0..k).step_by(4) {
            // SAFETY: columns v.. of b have k rows; the panel has k rows of `width`.
            unsafe {
                let rows = F32x4::transpose(from_fn(|j| F32x4::load_ptr(b.at(p, v + j))));
                for (q, row) in rows.into_iter().enumerate() {
                    row.store_ptr(panel.add((p + q) * width + v));
                }
            }
        }
    }
}

/// to\[k,n\] = b\[k,n\], row-major, where columns of b are contiguous.
#[inline(always)]
pub unsafe fn transpose(b: View, to: *mut f32, k: usize, n: usize) {
    let (squares, steps) = (n - n % 4, k - k % 4);
    // SAFETY: the parts cover b: squares, the rows below them, the columns beside both.
    unsafe {
        along_columns(b, to, steps, squares, n);
        one_by_one(b.from(steps, 0), to.add(steps * n), k - steps, n, squares);
        one_by_one(b.from(0, squares), to.add(squares), k, n, n - squares);
    }
}

/// panel\[p,j\] = b\[p,j\] for j < columns; the padding keeps its old content.
unsafe fn one_by_one(b: View, panel: *mut f32, k: usize, width: usize, columns: usize) {
    // SAFETY: the caller's promise.
    unsafe { repeating(b, panel, k, width, columns, columns) }
}

/// [`one_by_one`] for a ragged panel: the last of `exist` columns is repeated for the missing ones.
#[inline(never)]
unsafe fn repeating(b: View, panel: *mut f32, k: usize, width: usize, columns: usize, exist: usize) {
    for j in 0..columns {
        for p in 0..k {
            // SAFETY: b has k rows and `exist` columns, the panel k rows of `width`.
            unsafe { *panel.add(p * width + j) = *b.at(p, j.min(exist - 1)) }
        }
    }
}

/// Copies a block of A into panels of a tile's rows, interleaved by k; a ragged panel repeats its last row. Rows that lie side by side
/// are read a few steps at a time, so that panels side by side share cache lines.
#[inline(always)]
pub unsafe fn rows(a: View, to: *mut f32, k: usize, m: usize, tile: &Tile) {
    let most = if a.column_stride == 1 { k } else { STEPS_AT_A_TIME };
    for (p, steps) in blocks(k, most) {
        for (i, rows, height) in tile.cut(m) {
            // SAFETY: rows i.. and steps p.. exist; the panel lies in its room of scratch.
            unsafe {
                let (from, panel) = (a.from(i, p), to.add(i * k + p * height));
                match height {
                    4 => interleaved::<4>(from, panel, steps, rows),
                    5 => interleaved::<5>(from, panel, steps, rows),
                    _ => interleaved::<6>(from, panel, steps, rows),
                }
            }
        }
    }
}

/// A panel of H rows; the matrix has `rows` of them.
unsafe fn interleaved<const H: usize>(a: View, panel: *mut f32, k: usize, rows: usize) {
    // SAFETY: rows below `rows` have k steps; the panel has k steps of H.
    unsafe {
        match a.column_stride {
            1 => across_rows::<H>(a, panel, k, rows),
            _ if rows == H => adjacent_rows::<H>(a, panel, k),
            _ => repeating(a.transposed(), panel, k, H, H, rows),
        }
    }
}

/// Packs contiguous rows: transposes squares of 4 × 4. If H is 6, rows 4 and 5 are transposed as a pair.
#[inline(never)]
unsafe fn across_rows<const H: usize>(a: View, panel: *mut f32, k: usize, rows: usize) {
    let squares = k - k % 4;
    // SAFETY: as for [`interleaved`].
    unsafe {
        let row: [*const f32; H] = from_fn(|r| a.at(r.min(rows - 1), 0));
        for p in (0..squares).step_by(4) {
            let to = panel.add(p * H);
            let steps = F32x4::transpose(from_fn(|r| F32x4::load_ptr(row[r].add(p))));
            let last = F32x4::transpose(from_fn(|r| F32x4::load_ptr(row[H - 2 + r % 2].add(p))));
            for (q, (step, last)) in steps.into_iter().zip(last).enumerate() {
                step.store_ptr(to.add(q * H));
                match H {
                    4 => {}
                    5 => *to.add(q * H + 4) = *row[4].add(p + q),
                    _ => last.store_part::<2>(to.add(q * H + 4)),
                }
            }
        }
        repeating(a.from(0, squares).transposed(), panel.add(squares * H), k - squares, H, H, rows);
    }
}

/// Packs H rows whose elements of one step are adjacent in memory: a copy.
#[inline(never)]
unsafe fn adjacent_rows<const H: usize>(a: View, panel: *mut f32, k: usize) {
    for p in 0..k {
        // SAFETY: as for [`interleaved`].
        unsafe {
            let (from, to) = (a.at(0, p), panel.add(p * H));
            F32x4::load_ptr(from).store_ptr(to);
            match H {
                4 => {}
                5 => *to.add(4) = *from.add(4),
                _ => F32x4::load_part::<2>(from.add(4)).store_part::<2>(to.add(4)),
            }
        }
    }
}

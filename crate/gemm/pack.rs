//! Panels: blocks of A and B copied in the order in which a tile walks them.
//!
//! Each way of copying is a function of its own, which an engine is soon done with: V8 compiles well what has run for a while, function by
//! function, and takes 60 ms for all of this as one. A net's first step ran mostly on code that was compiled fast.

use super::tile::{copy, Tile};
use super::{blocks, View};
use crate::lane::F32x4;
use core::array::from_fn;

/// Panels that are filled side by side: of a row of B so many cache lines are read one after the other, which a processor fetches
/// ahead; more would be written to more places than a first-level cache keeps apart.
const SIDE_BY_SIDE: usize = 4;

/// Copies a block of B into panels of `width` columns, k steps each. What pads a ragged panel is never stored in C.
#[inline(never)]
pub unsafe fn columns(b: View, to: *mut f32, k: usize, n: usize, width: usize) {
    let whole = n - n % width;
    // SAFETY: panels lie in their room of scratch, one behind the other; columns j.. of B exist.
    unsafe {
        if b.column == 1 {
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

/// The last panel, of fewer columns.
#[inline(never)]
unsafe fn ragged(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) {
    // SAFETY: a whole vector that starts inside a row of B and ends past it is still inside B, unless the row is among the last few.
    unsafe {
        let done = if b.column == 1 { k.saturating_sub((width - columns).div_ceil(b.row)) } else { 0 };
        along_rows(b, panel, done, width, width);
        one_by_one(b.from(done, 0), panel.add(done * width), k - done, width, columns);
    }
}

/// panel\[p,:\] = b\[p,:\] in whole vectors, for panels behind each other that hold `columns` columns. Two vectors at a time, as
/// an engine may make one of them.
unsafe fn along_rows(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) {
    for p in 0..k {
        for j in (0..columns).step_by(width) {
            for v in (0..width).step_by(8) {
                // SAFETY: row p has `columns` columns, and so have the panels; a width is a multiple of 8.
                unsafe {
                    let (from, to) = (b.at(p, j + v), panel.add(j * k + p * width + v));
                    let (x, y) = (F32x4::load_ptr(from), F32x4::load_ptr(from.add(4)));
                    x.store_ptr(to);
                    y.store_ptr(to.add(4));
                }
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
                let columns: [[f32; 4]; 4] = from_fn(|j| b.at(p, v + j).cast::<[f32; 4]>().read_unaligned());
                for q in 0..4 {
                    let row = columns.map(|column| column[q]);
                    panel.add((p + q) * width + v).cast::<[f32; 4]>().write_unaligned(row);
                }
            }
        }
    }
}

/// to\[k,n\] = b\[k,n\], row-major, where columns of b are contiguous.
pub unsafe fn transpose(b: View, to: *mut f32, k: usize, n: usize) {
    let (squares, steps) = (n - n % 4, k - k % 4);
    // SAFETY: the parts cover b: squares, the rows below them, the columns beside both.
    unsafe {
        along_columns(b, to, steps, squares, n);
        one_by_one(b.from(steps, 0), to.add(steps * n), k - steps, n, squares);
        one_by_one(b.from(0, squares), to.add(squares), k, n, n - squares);
    }
}

/// panel\[p,j\] = b\[p,j\] for j < columns; the padding keeps what it held.
#[inline(never)]
unsafe fn one_by_one(b: View, panel: *mut f32, k: usize, width: usize, columns: usize) {
    for j in 0..columns {
        for p in 0..k {
            // SAFETY: b has k rows and `columns` columns, the panel k rows of `width`.
            unsafe { *panel.add(p * width + j) = *b.at(p, j) }
        }
    }
}

/// Copies a block of A into panels of a tile's rows, interleaved by k; a ragged panel repeats its last row.
pub unsafe fn rows(a: View, to: *mut f32, k: usize, m: usize, tile: &Tile) {
    for (i, rows, height) in tile.cut(m) {
        // SAFETY: rows i.. exist; the panel lies in its room of scratch.
        unsafe {
            let (from, panel) = (a.from(i, 0), to.add(i * k));
            match a.column {
                1 => interleave(from, panel, k, rows, height),
                _ => side_by_side(from, panel, k, rows, height),
            }
        }
    }
}

/// A panel of rows that are contiguous: transposes squares of 4 × 4, the last of which may overlap the one before.
#[inline(never)]
unsafe fn interleave(a: View, panel: *mut f32, k: usize, rows: usize, height: usize) {
    let steps = k - k % 4;
    for r in (0..height).step_by(4) {
        let r = r.min(height - 4);
        for p in (0..steps).step_by(4) {
            // SAFETY: rows below `rows` have k steps; the panel has k steps of `height`.
            unsafe {
                let square: [[f32; 4]; 4] =
                    from_fn(|i| a.at((r + i).min(rows - 1), p).cast::<[f32; 4]>().read_unaligned());
                for q in 0..4 {
                    let step = square.map(|row| row[q]);
                    panel.add((p + q) * height + r).cast::<[f32; 4]>().write_unaligned(step);
                }
            }
        }
    }
    for p in steps..k {
        for r in 0..height {
            // SAFETY: as above.
            unsafe { *panel.add(p * height + r) = *a.at(r.min(rows - 1), p) }
        }
    }
}

/// A panel of rows that lie side by side, step after step.
#[inline(never)]
unsafe fn side_by_side(a: View, panel: *mut f32, k: usize, rows: usize, height: usize) {
    for p in 0..k {
        // SAFETY: as for [`interleave`].
        unsafe {
            let (from, to) = (a.at(0, p), panel.add(p * height));
            copy(from, to, rows);
            for r in rows..height {
                *to.add(r) = *from.add(rows - 1);
            }
        }
    }
}

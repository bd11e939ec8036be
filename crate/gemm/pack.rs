//! Panels: blocks of A and B copied in the order in which a tile walks them.

use super::tile::{copy, Tile};
use super::{blocks, View};
use crate::lane::F32x4;
use core::array::from_fn;

/// Copies a block of B into panels of `width` columns, k steps each. What pads a ragged panel is never stored in C.
pub unsafe fn columns(b: View, to: *mut f32, k: usize, n: usize, width: usize) {
    for (j, columns) in blocks(n, width) {
        // SAFETY: the panel lies in its room of scratch; columns j.. exist. A whole vector that starts inside a row of B
        // and ends past it is still inside B, unless the row is among the last few.
        unsafe {
            let (from, panel) = (b.from(0, j), to.add(j * k));
            let padding = width - columns;
            let done = match from.column {
                1 => along_rows(from, panel, k.saturating_sub(padding.div_ceil(from.row)), width),
                _ if padding == 0 => along_columns(from, panel, k - k % 4, width, width),
                _ => 0,
            };
            one_by_one(from.from(done, 0), panel.add(done * width), k - done, width, columns);
        }
    }
}

/// panel\[p,:\] = b\[p,:\] in whole vectors; the result is k.
unsafe fn along_rows(b: View, panel: *mut f32, k: usize, width: usize) -> usize {
    for v in (0..width).step_by(4) {
        for p in 0..k {
            // SAFETY: row p has `width` columns, and so has the panel.
            unsafe { F32x4::load_ptr(b.at(p, v)).store_ptr(panel.add(p * width + v)) }
        }
    }
    k
}

/// panel\[p,j\] = b\[p,j\] for j < columns, where columns of b are contiguous: transposes 4×4 squares; the result is k.
/// Both k and columns are multiples of 4.
unsafe fn along_columns(b: View, panel: *mut f32, k: usize, columns: usize, width: usize) -> usize {
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
    k
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

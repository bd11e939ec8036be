//! Large products: panels of A and B, or parts of A and B that already have the layout of panels, in blocks that fit the caches.
//!
//! The five loops around a tile are those of Goto & van de Geijn (2008), numbered from the inside as BLIS does: blocks of columns (5), blocks of k
//! (4), blocks of rows (3), strips of columns (2), tiles (1).

use super::tile::{Calls, Job, Tile};
use super::{blocks, pack, Product, Start, View, A_ROOM, B_ROOM};

/// Rows of A per block, a multiple of the rows of every tile: with a block's depth they fit a second-level cache.
pub const ROWS: usize = 120;
/// The largest number of steps of k in a block: a panel of B stays in a first-level cache beside one of A, and C is seldom read again.
pub const DEPTH: usize = 256;

/// Loops 5 and 4: cuts n and k into blocks, packs a block of B, and multiplies it with all rows of A.
pub unsafe fn blocked<C: Calls>(tile: &Tile, x: &Product) {
    let columns = tile.columns;
    let depth = even(x.k, DEPTH);
    let width = B_ROOM / (depth.max(1) * columns) * columns;
    let in_place = x.reads_b(tile);
    for (j, n) in blocks(x.n, width) {
        for (p, k) in blocks(x.k, depth) {
            // SAFETY: (p, j) is inside B, (0, j) inside C; the block's panels, if any, fit their scratch by the choice of `width`.
            unsafe {
                let c = x.c.add(j);
                let start = if p == 0 { x.start.at(0, j) } else { Start::matrix(c, x.ldc) };
                let (a, b) = (x.a.from(0, p), x.b.from(p, j));
                let packed_b = x.scratch.add(A_ROOM);
                let side = if in_place { Side::InPlace(b) } else { Side::Panels(packed_b, k) };
                if !in_place {
                    pack::columns(b, packed_b, k, n, columns);
                }
                row_blocks::<C>(tile, &Product { n, k, a, b, c, start, ..*x }, side);
            }
        }
    }
}

/// Copies all of B into panels, in blocks of k, for [`with_panels`]. They take k times n floats, n rounded up to whole tiles.
pub unsafe fn pack_whole(tile: &Tile, b: View, to: *mut f32, k: usize, n: usize) {
    let width = n.next_multiple_of(tile.columns);
    for (p, steps) in blocks(k, even(k, DEPTH)) {
        // SAFETY: the caller has room for the panels of all blocks.
        unsafe { pack::columns(b.from(p, 0), to.add(p * width), steps, n, tile.columns) }
    }
}

/// Multiplies with the panels of [`pack_whole`], made for the same tile, in the place of B. They were packed from `steps` rows and `columns` columns, of
/// which the product takes the first ones.
pub unsafe fn with_panels<C: Calls>(tile: &Tile, x: &Product, panels: *const f32, [steps, columns]: [usize; 2]) {
    let width = columns.next_multiple_of(tile.columns);
    for (p, packed) in blocks(steps, even(steps, DEPTH)).take_while(|&(p, _)| p == 0 || p < x.k) {
        // SAFETY: step p is inside A; its block of panels lies behind those of the steps before.
        unsafe {
            let start = if p == 0 { x.start } else { Start::matrix(x.c, x.ldc) };
            row_blocks::<C>(
                tile,
                &Product { k: packed.min(x.k - p), a: x.a.from(0, p), start, ..*x },
                Side::Panels(panels.add(p * width), packed),
            );
        }
    }
}

/// The length of equal blocks of at most `most` that cover `total`; a multiple of 4 if there are several.
fn even(total: usize, most: usize) -> usize {
    match total.div_ceil(most) {
        0 | 1 => total,
        blocks => total.div_ceil(blocks).next_multiple_of(4),
    }
}

/// Loop 3: cuts m into blocks, packs each block of A, and multiplies it with the block of B.
unsafe fn row_blocks<C: Calls>(tile: &Tile, x: &Product, b: Side) {
    let in_place = x.reads_a(tile);
    for (i, m) in blocks(x.m, ROWS) {
        // SAFETY: row i is inside A and C; ROWS · depth ≤ A_ROOM; in place no tile repeats a row.
        unsafe {
            let (a, c, start) = (x.a.from(i, 0), x.c.add(i * x.ldc), x.start.at(i, 0));
            let side = if in_place { Side::InPlace(a.transposed()) } else { Side::Panels(x.scratch, x.k) };
            if !in_place {
                pack::rows(a, x.scratch, x.k, m, tile);
            }
            strips::<C>(tile, &Product { m, a, c, start, ..*x }, side, b);
        }
    }
}

/// The memory in which tiles find rows of A, or columns of B, side by side at each step of k.
#[derive(Clone, Copy)]
enum Side {
    /// In panels with this number of steps of k.
    Panels(*const f32, usize),
    /// In the matrix itself. The rows of the view are the steps of k.
    InPlace(View),
}

impl Side {
    /// Address of the first step of k, and distance to the next step, for a tile of `many` rows (or columns) from number i on.
    #[inline(always)]
    unsafe fn from(self, i: usize, many: usize) -> (*const f32, usize) {
        // SAFETY: the caller stays inside the matrix, or the panels that were made of it.
        unsafe {
            match self {
                Side::Panels(ptr, steps) => (ptr.add(i * steps), many),
                Side::InPlace(x) => (x.at(0, i), x.row_stride),
            }
        }
    }
}

/// Loops 2 and 1: every tile of a block. Strips of columns are outside, so that a panel of B stays in the first-level cache.
unsafe fn strips<C: Calls>(tile: &Tile, x: &Product, a: Side, b: Side) {
    for (j, columns) in blocks(x.n, tile.columns) {
        for (i, rows, height) in tile.cut(x.m) {
            // SAFETY: (i, j) is inside C; a matrix read in place is cut into whole tiles (`reads_a`, `reads_b`), the others were packed for this
            // block.
            unsafe {
                let (c, start) = (x.c.add(i * x.ldc + j), x.start.at(i, j));
                let ((a, a_step), (b, b_step)) = (a.from(i, height), b.from(j, tile.columns));
                tile.run::<C>(height, &Job { k: x.k, a, a_step, b, b_step, start, c, ldc: x.ldc, rows }, columns);
            }
        }
    }
}

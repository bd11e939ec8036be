//! Matrix products: C ← A·B, A·Bᵀ or Aᵀ·B, plus a start value (zero, a bias row, or C itself).
//!
//! Every element of C is one running sum over k in ascending order, from its start value, whatever the tile, the
//! blocking or the path. So all of them give the same bits, and a caller may choose by speed alone. Ragged edges run
//! the same vector tile: columns are padded, rows repeat the last one; what is computed in excess is never stored.
//!
//! Two paths: [`direct`] reads B where it lies and suits few rows, or a B that fits the first-level cache; [`blocked`]
//! copies A and B into panels that a tile walks contiguously, in blocks that fit the caches (Goto & van de Geijn 2008). The
//! copy of A pays from a few dozen columns of C on, though its rows could be read in place: from a panel each load has its
//! offset in the instruction, where rows apart cost an address computation each, on ports that multiply-adds want.
#![allow(unsafe_code)]

mod pack;
mod part;
mod tile;

use crate::sweep::Cells;
use core::sync::atomic::{AtomicUsize, Ordering};
pub use part::{Part, Region};
use tile::{Job, Tile, TILES};

/// Floats of scratch that every product may overwrite (SCRATCH_BYTES of ts/backend/kernels.ts).
pub const SCRATCH: usize = 1 << 18;
/// The parts of scratch for panels of A and of B.
const A_ROOM: usize = 1 << 16;
const B_ROOM: usize = SCRATCH - A_ROOM;
/// Rows of A per block, a multiple of the rows of every tile: with a block's depth they fit a second-level cache.
const ROWS: usize = 120;
/// Most steps of k in a block: a panel of B stays in a first-level cache beside one of A, and C is seldom read again.
const DEPTH: usize = 256;
/// B is read in place for fewer rows than this, or where all of it is small enough for the first-level cache.
const FEW: usize = 24;
const SMALL: usize = 1 << 13;
/// So it is up to this size only where a wide tile is the fastest: [`direct`] has too few sums under way for such registers. A B of another
/// layout is transposed as a whole up to the same sizes, rather than copied into panels.
const TINY: usize = 1 << 11;
/// Up to this many columns of C do not repay the copy of A into panels.
const NARROW: usize = 24;

/// What a product adds to: element (i, j) is `ptr[i·row + j·column]`, so that strides of 0 broadcast.
#[derive(Clone, Copy)]
pub struct Start {
    ptr: *const f32,
    row: usize,
    column: usize,
}

impl Start {
    /// Zero everywhere.
    pub fn zero() -> Self {
        static ZEROS: [f32; 4 * tile::WIDEST] = [0.0; 4 * tile::WIDEST];
        let ptr = ZEROS.as_ptr();
        Start { ptr, row: 0, column: 0 }
    }

    /// bias\[j\] in every row; the slice must outlive the product.
    pub fn bias(bias: Cells) -> Self {
        Start { ptr: bias.as_ptr().cast(), row: 0, column: 1 }
    }

    /// What a row-major matrix of `row` columns holds.
    fn matrix(ptr: *const f32, row: usize) -> Self {
        Start { ptr, row, column: 1 }
    }

    /// Where C is added to itself, or not; C has n columns.
    fn accumulate(yes: bool, c: *const f32, n: usize) -> Self {
        if yes {
            Start::matrix(c, n)
        } else {
            Start::zero()
        }
    }

    /// [`Start::accumulate`] through a slice, which must outlive the product.
    pub fn sum(yes: bool, c: Cells, n: usize) -> Self {
        Start::accumulate(yes, read(c), n)
    }

    unsafe fn at(self, i: usize, j: usize) -> Self {
        // SAFETY: (i, j) is an element of C, and a start value exists for each.
        let ptr = unsafe { self.ptr.add(i * self.row + j * self.column) };
        Start { ptr, ..self }
    }
}

/// A strided view: element (i, j) is `ptr[i·row + j·column]`.
#[derive(Clone, Copy)]
struct View {
    ptr: *const f32,
    row: usize,
    column: usize,
}

impl View {
    /// Row-major, `row` columns.
    fn matrix(ptr: *const f32, row: usize) -> Self {
        View { ptr, row, column: 1 }
    }

    /// The transpose of a row-major matrix of `row` columns.
    fn columns(ptr: *const f32, row: usize) -> Self {
        View::matrix(ptr, row).transposed()
    }

    fn transposed(self) -> Self {
        View { row: self.column, column: self.row, ..self }
    }

    unsafe fn at(self, i: usize, j: usize) -> *const f32 {
        // SAFETY: the caller stays inside the matrix.
        unsafe { self.ptr.add(i * self.row + j * self.column) }
    }

    unsafe fn from(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller stays inside the matrix.
        let ptr = unsafe { self.at(i, j) };
        View { ptr, ..self }
    }
}

/// c\[m,n\] = start + a\[m,k\] · b\[k,n\]; rows of c are `ldc` apart.
#[derive(Clone, Copy)]
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: View,
    b: View,
    c: *mut f32,
    ldc: usize,
    start: Start,
    scratch: *mut f32,
}

/// The sizes of a product: c is m × n, sums run over k.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Rows of c.
    pub m: usize,
    /// Columns of c.
    pub n: usize,
    /// Terms of each sum.
    pub k: usize,
}

/// Which side of a product lies transposed in memory.
#[derive(Clone, Copy, PartialEq)]
pub enum Layout {
    /// a\[m,k\] · b\[k,n\]
    Plain,
    /// a\[m,k\] · b\[n,k\]ᵀ
    SecondTransposed,
    /// a\[k,m\]ᵀ · b\[k,n\]
    FirstTransposed,
}

impl Product {
    /// Of dense matrices: the one place where layouts become strides.
    #[inline(always)]
    #[rustfmt::skip]
    fn new(
        layout: Layout, start: Start, a: *const f32, b: *const f32, c: *mut f32, sizes: Sizes, scratch: *mut f32,
    ) -> Self {
        let Sizes { m, n, k } = sizes;
        let a = if layout == Layout::FirstTransposed { View::columns(a, m) } else { View::matrix(a, k) };
        let b = if layout == Layout::SecondTransposed { View::columns(b, k) } else { View::matrix(b, n) };
        Product { m, n, k, a, b, c, ldc: n, start, scratch }
    }

    /// One row times a B whose columns are contiguous: the same as B's columns, as rows, times one column.
    fn transposed(self) -> Self {
        let Product { a, b, start, .. } = self;
        let column = View { ptr: a.ptr, row: a.column, column: 1 };
        let start = Start { ptr: start.ptr, row: start.column, column: start.row };
        Product { m: self.n, n: self.m, a: b.transposed(), b: column, ldc: 1, start, ..self }
    }

    /// The product of one rectangle of C.
    #[inline(always)]
    unsafe fn within(self, Region { rows, columns }: Region) -> Self {
        let (m, n, i, j) = (rows.len(), columns.len(), rows.start, columns.start);
        // SAFETY: the rectangle lies inside C.
        unsafe {
            let (a, b) = (self.a.from(i, 0), self.b.from(0, j));
            Product { m, n, a, b, c: self.c.add(i * self.ldc + j), start: self.start.at(i, j), ..self }
        }
    }
}

/// The rectangle `region` of c = start + a·b, through slices. Panics unless they hold their matrices.
///
/// Inlined, as is all that leads from an export to it: of a product of a few numbers, handing over slices would be half the time.
#[inline(always)]
pub fn multiply(
    layout: Layout,
    start: Start,
    [a, b, c, scratch]: [Cells; 4],
    sizes: Sizes,
    Region { rows, columns }: Region,
) {
    let Sizes { m, n, k } = sizes;
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n && scratch.len() >= SCRATCH);
    assert!(rows.end <= m && columns.end <= n);
    if !rows.is_empty() && !columns.is_empty() {
        let whole = Product::new(layout, start, read(a), read(b), write(c), sizes, write(scratch));
        // SAFETY: the slices and the rectangle were checked; a `Start` is made of a slice of n, of c or of zeros.
        unsafe { product(&whole.within(Region { rows, columns })) }
    }
}

fn read(cells: Cells) -> *const f32 {
    cells.as_ptr().cast()
}

fn write(cells: Cells) -> *mut f32 {
    cells.as_ptr().cast_mut().cast()
}

/// c\[m,n\] = a\[m,k\] · b\[k,n\] (+ c).
///
/// # Safety
/// Pointers are valid for their matrices, `scratch` for [`SCRATCH`] floats; c overlaps nothing else.
#[rustfmt::skip]
pub unsafe fn matmul(
    a: *const f32, b: *const f32, c: *mut f32, m: usize, n: usize, k: usize, accumulate: bool, scratch: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe { matmul_from(Start::accumulate(accumulate, c, n), a, b, c, m, n, k, scratch) }
}

/// c\[m,n\] = start\[m,n\] + a\[m,k\] · b\[k,n\].
///
/// # Safety
/// As [`matmul`]; `start` is valid for m × n elements, and may be c itself.
#[rustfmt::skip]
pub unsafe fn matmul_from(
    start: Start, a: *const f32, b: *const f32, c: *mut f32, m: usize, n: usize, k: usize, scratch: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe { product(&Product::new(Layout::Plain, start, a, b, c, Sizes { m, n, k }, scratch)) }
}

/// c\[m,n\] = a\[m,k\] · b\[n,k\]ᵀ (+ c).
///
/// # Safety
/// As [`matmul`].
#[rustfmt::skip]
pub unsafe fn matmul_nt(
    a: *const f32, b: *const f32, c: *mut f32, m: usize, n: usize, k: usize, accumulate: bool, scratch: *mut f32,
) {
    let start = Start::accumulate(accumulate, c, n);
    // SAFETY: the caller's promise.
    unsafe { product(&Product::new(Layout::SecondTransposed, start, a, b, c, Sizes { m, n, k }, scratch)) }
}

/// c\[m,n\] = a\[k,m\]ᵀ · b\[k,n\] (+ c).
///
/// # Safety
/// As [`matmul`].
#[rustfmt::skip]
pub unsafe fn matmul_tn(
    a: *const f32, b: *const f32, c: *mut f32, m: usize, n: usize, k: usize, accumulate: bool, scratch: *mut f32,
) {
    let start = Start::accumulate(accumulate, c, n);
    // SAFETY: the caller's promise.
    unsafe { product(&Product::new(Layout::FirstTransposed, start, a, b, c, Sizes { m, n, k }, scratch)) }
}

/// The tile of large products, by its place in [`TILES`].
static TILE: AtomicUsize = AtomicUsize::new(0);

/// Chooses the tile of large products, by its place in [`TILES`]. All give the same bits; which is fastest depends on the engine and on the
/// processor's registers.
pub fn set_tile(tile: usize) {
    TILE.store(tile.min(TILES.len() - 1), Ordering::Relaxed);
}

/// Picks the path by shape.
#[inline(never)]
unsafe fn product(x: &Product) {
    if x.m == 0 || x.n == 0 {
        return;
    }
    let tile = &TILES[TILE.load(Ordering::Relaxed)];
    let size = x.n * x.k;
    let small = if tile.columns > 8 { TINY } else { SMALL };
    // SAFETY: `x` describes valid matrices; a transpose of at most B_ROOM floats fits the room for panels of B.
    unsafe {
        if x.m == 1 && x.b.row == 1 {
            direct(&x.transposed());
        } else if x.b.column == 1 && (x.m < FEW || x.n <= NARROW || size <= small) {
            direct(x);
        } else if size <= small || (x.n <= NARROW && size <= B_ROOM) {
            let b = x.scratch.add(A_ROOM);
            pack::transpose(x.b, b, x.k, x.n);
            direct(&Product { b: View::matrix(b, x.n), ..*x });
        } else {
            blocked(tile, x);
        }
    }
}

/// B in place, all of k at once: strips of columns from wide to narrow. (Eight rows of one vector, for twice the sums under
/// way, win 5 % at 64 rows and lose 25 % at 4.)
unsafe fn direct(x: &Product) {
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

/// The tiles of a strip from column j to `end`; a function of its own, which an engine is soon done with (see `pack`).
#[inline(never)]
unsafe fn tiles<const MR: usize, const NV: usize, const W: usize>(x: &Product, j: usize, end: usize) {
    for (i, rows) in blocks(x.m, MR) {
        for j in (j..end).step_by(4 * (NV - 1) + W) {
            // SAFETY: i < m, and j is at least the width of a tile below n.
            unsafe {
                let (b, c) = (x.b.at(0, j), x.c.add(i * x.ldc + j));
                let (a, start) = (x.a.from(i, 0), x.start.at(i, j));
                tile::strided::<MR, NV, W>(x.k, a, b, x.b.row, start, c, x.ldc, rows);
            }
        }
    }
}

/// Runs a product on packed panels of B: blocks of columns, then of k.
unsafe fn blocked(tile: &Tile, x: &Product) {
    let columns = tile.columns;
    let depth = even(x.k, DEPTH);
    let width = B_ROOM / (depth.max(1) * columns) * columns;
    for (j, n) in blocks(x.n, width) {
        for (p, k) in blocks(x.k, depth) {
            // SAFETY: (p, j) is inside B, (0, j) inside C; the block's panels fit their room by the choice of `width`.
            unsafe {
                let c = x.c.add(j);
                let start = if p == 0 { x.start.at(0, j) } else { Start::matrix(c, x.ldc) };
                let (a, b) = (x.a.from(0, p), x.b.from(p, j));
                let block = Product { n, k, a, b, c, start, ..*x };
                pack::columns(block.b, x.scratch.add(A_ROOM), k, n, columns);
                row_blocks(tile, &block);
            }
        }
    }
}

/// The length of equal blocks of at most `most` that cover `total`, a multiple of 4 where there is more than one.
fn even(total: usize, most: usize) -> usize {
    match total.div_ceil(most) {
        0 | 1 => total,
        blocks => total.div_ceil(blocks).next_multiple_of(4),
    }
}

/// (offset, length) of consecutive blocks of `size` that cover `total`; one empty block where there is nothing to cover.
#[inline(always)]
fn blocks(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut next = Some(0);
    core::iter::from_fn(move || {
        let at = next?;
        let length = size.min(total - at);
        next = Some(at + length).filter(|&end| end < total);
        Some((at, length))
    })
}

/// One block of B, already packed, times all rows of A, in blocks of rows.
unsafe fn row_blocks(tile: &Tile, x: &Product) {
    for (i, m) in blocks(x.m, ROWS) {
        // SAFETY: row i is inside A and C; ROWS · depth ≤ A_ROOM.
        unsafe {
            let (a, c, start) = (x.a.from(i, 0), x.c.add(i * x.ldc), x.start.at(i, 0));
            pack::rows(a, x.scratch, x.k, m, tile);
            strips(tile, &Product { m, a, c, start, ..*x });
        }
    }
}

/// Every tile of one block: strips of columns outside, so that a panel of B stays in the first-level cache.
unsafe fn strips(tile: &Tile, x: &Product) {
    for (j, columns) in blocks(x.n, tile.columns) {
        for (i, rows, height) in tile.cut(x.m) {
            // SAFETY: (i, j) is inside C; the panels were packed for this block.
            unsafe {
                let (a, b) = (x.scratch.add(i * x.k), x.scratch.add(A_ROOM + j * x.k));
                let (c, start) = (x.c.add(i * x.ldc + j), x.start.at(i, j));
                tile.run(height, &Job { k: x.k, a, b, start, c, ldc: x.ldc, rows }, columns);
            }
        }
    }
}

//! Matrix products: C ← A·B, A·Bᵀ or Aᵀ·B, plus a start value (zero, a bias row, or C itself).
//!
//! Every element of C is one running sum over k in ascending order, from its start value. Tile, blocking and path do not change that, so all of them
//! give the same bits, and only speed decides the choice. Ragged edges run the same vector tile as the inside: columns are padded, rows repeat the
//! last one, and excess results are never stored.
//!
//! There are two paths. [`direct`] reads A and B in place, which suits few rows or a B that fits the first-level cache. [`blocked`] copies both into
//! panels, in the order in which a tile reads them, in blocks that fit the caches (Goto & van de Geijn 2008); a factor that already has the layout of
//! a panel is read in place there, too. [`Path`] has the rules.
#![allow(unsafe_code)]

mod blocked;
mod direct;
mod pack;
mod repeated;
mod share;
mod tile;
mod view;

use crate::sweep::Cells;
use blocked::{blocked, ROWS};
use core::sync::atomic::{AtomicUsize, Ordering};
use direct::{direct, is_one_row, one_row};
use pack::STEPS_AT_A_TIME;
pub use repeated::{first_transposed, spare, Repeated, Room, Rows};
pub use share::{Region, Share};
use tile::{ByTable, Tile, TILES};
pub use view::Start;
use view::View;

/// Floats of scratch that every product may overwrite (SCRATCH_BYTES of ts/backend/kernels.ts).
pub const SCRATCH: usize = 1 << 18;
/// Scratch is divided into room for panels of A, and behind it for panels of B.
const A_ROOM: usize = 1 << 16;
const B_ROOM: usize = SCRATCH - A_ROOM;

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

/// Transposition of the factors of a product in memory.
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
    /// The product of dense matrices. Layouts become strides here and nowhere else.
    #[inline(always)]
    #[rustfmt::skip]
    fn new(
        layout: Layout, start: Start, a: *const f32, b: *const f32, c: *mut f32, sizes: Sizes, scratch: *mut f32,
    ) -> Self {
        let Sizes { m, n, k } = sizes;
        let a = if layout == Layout::FirstTransposed { View::transposed_matrix(a, m) } else { View::matrix(a, k) };
        let b = if layout == Layout::SecondTransposed { View::transposed_matrix(b, k) } else { View::matrix(b, n) };
        Product { m, n, k, a, b, c, ldc: n, start, scratch }
    }

    /// One row times a B whose columns are contiguous: the same as B's columns, as rows, times one column.
    fn transposed(self) -> Self {
        let Product { a, b, start, .. } = self;
        let column = View { ptr: a.ptr, row_stride: a.column_stride, column_stride: 1 };
        let start = Start { ptr: start.ptr, row_stride: start.column_stride, column_stride: start.row_stride };
        Product { m: self.n, n: self.m, a: b.transposed(), b: column, ldc: 1, start, ..self }
    }

    /// True if tiles may read A in place, as they would read panels. Only whole tiles may, as a ragged tile would read past the end of A.
    fn reads_a(&self, tile: &Tile) -> bool {
        self.n <= MAX_REREAD
            && self.a.is_column_major()
            && !self.a.has_columns_apart_by(HALF_PAGE)
            && tile.fits(self.m % ROWS)
    }

    /// True if tiles may read B in place; the first-level cache must hold it.
    fn reads_b(&self, tile: &Tile) -> bool {
        self.b.column_stride == 1 && self.n * self.k <= SMALL_B && self.n.is_multiple_of(tile.columns)
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
/// It is inlined, as is everything between an export and this function: handing slices from function to function would take half of the time
/// of a product of a few numbers.
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

/// c\[m,n\] = a\[m,k\] · b\[k,n\] (+ c). This function and the next two take addresses: slices, as [`multiply`] takes, would cost tiny products half
/// of their time.
///
/// # Safety
/// Pointers are valid for their matrices, `scratch` for [`SCRATCH`] floats; c overlaps nothing else.
#[rustfmt::skip]
pub unsafe fn matmul(
    a: *const f32, b: *const f32, c: *mut f32, m: usize, n: usize, k: usize, accumulate: bool, scratch: *mut f32,
) {
    let start = Start::accumulate(accumulate, c, n);
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

/// The tile of large products, by its index in [`TILES`].
static TILE: AtomicUsize = AtomicUsize::new(0);

/// Chooses the tile of large products, by its index in [`TILES`]. All give the same bits; which is fastest depends on the engine and on the
/// processor's registers.
pub fn set_tile(tile: usize) {
    TILE.store(tile.min(TILES.len() - 1), Ordering::Relaxed);
}

/// Rows and columns of the tile of large products.
pub fn tile() -> (usize, usize) {
    let Tile { rows, columns, .. } = TILES[TILE.load(Ordering::Relaxed)];
    (rows, columns)
}

/// Products of fewer rows than this read B in place: a copy of B would be read too few times.
const FEW_ROWS: usize = 24;
/// Products of at most this number of columns read A in place: only a few strips would read a copy of A.
const FEW_COLUMNS: usize = 24;
/// Floats of a B that the first-level cache holds, so that it may be read in place however many rows there are.
const SMALL_B: usize = 1 << 13;
/// The same limit for wide tiles: [`direct`] has narrow tiles only, so it pays up to a smaller B.
const TINY_B: usize = 1 << 11;
/// A tile of more columns counts as wide. Wide tiles are chosen if the engine has registers of 256 bits.
const NARROW_TILE: usize = 8;
/// Aᵀ·B of more steps of k than this is worth a wide tile even for a tiny B.
const FEW_STEPS: usize = 32;
/// The largest number of columns of C for which a column-major A is read in place: each strip of columns reads all of A again.
const MAX_REREAD: usize = 256;
/// Floats in half a page. If the steps of A are a multiple of half a page apart, all of them fall into the same few lines of a first-level cache, so
/// [`blocked`] does not read such an A in place. If they are whole pages apart, that happens on every processor, and even narrow products copy A.
const HALF_PAGE: usize = 512;

/// Steps of k in a block of a column-major A that [`direct`] reads in place.
const DIRECT_DEPTH: usize = 128;

/// The path of a product.
enum Path {
    /// [`direct`]: A and B in place, rows of B contiguous.
    Direct,
    /// [`direct`] likewise, after all of B, whose columns are contiguous, has been transposed into scratch.
    DirectTransposed,
    /// [`blocked`]: copies in panels.
    Blocked,
}

/// The path of a product that [`product`] has not decided: one of [`FEW_ROWS`] rows or more, or with a B whose columns are contiguous. The first
/// rule that applies decides.
#[inline(always)]
fn path(x: &Product, tile: &Tile) -> Path {
    let size = x.n * x.k;
    let rows_contiguous = x.b.column_stride == 1;
    let is_wide = tile.columns > NARROW_TILE;
    let steps_collide = x.k > STEPS_AT_A_TIME && x.a.has_columns_apart_by(2 * HALF_PAGE);
    let tile_reads_both = || x.reads_a(tile) && x.reads_b(tile);
    let in_place = if rows_contiguous { Path::Direct } else { Path::DirectTransposed };

    if steps_collide {
        return Path::Blocked;
    }
    if x.n <= FEW_COLUMNS && (rows_contiguous || size <= B_ROOM) {
        return in_place;
    }
    if is_wide && x.a.is_column_major() && (x.k > FEW_STEPS || tile_reads_both()) {
        return Path::Blocked;
    }
    if size <= if is_wide { TINY_B } else { SMALL_B } {
        in_place
    } else {
        Path::Blocked
    }
}

/// Computes a product. Small products are tested first, as the whole product may take no longer than the choice of a path.
#[inline(never)]
unsafe fn product(x: &Product) {
    if x.m == 0 || x.n == 0 {
        return;
    }
    // SAFETY: `x` describes valid matrices.
    unsafe {
        if x.m == 1 && x.b.is_column_major() {
            direct(&x.transposed());
        } else if is_one_row(x) {
            one_row(x);
        } else if x.b.column_stride == 1 && x.m < FEW_ROWS {
            direct(x);
        } else {
            larger(x);
        }
    }
}

/// [`product`] for shapes that need a choice of path.
unsafe fn larger(x: &Product) {
    let tile = &TILES[TILE.load(Ordering::Relaxed)];
    // SAFETY: as for [`product`]; a B that is transposed has at most B_ROOM floats.
    unsafe {
        match path(x, tile) {
            Path::Direct => direct_by_depth(x),
            Path::DirectTransposed => {
                let b = x.scratch.add(A_ROOM);
                pack::transpose(x.b, b, x.k, x.n);
                direct(&Product { b: View::matrix(b, x.n), ..*x });
            }
            Path::Blocked => blocked::<ByTable>(tile, x),
        }
    }
}

/// [`direct`], for a column-major A in blocks of k: every few rows of C read all of a block of A again, which a second-level cache then holds.
#[inline(always)]
unsafe fn direct_by_depth(x: &Product) {
    let depth = if x.a.is_column_major() { DIRECT_DEPTH } else { x.k };
    for (p, k) in blocks(x.k, depth) {
        // SAFETY: step p is inside A and B.
        unsafe {
            let start = if p == 0 { x.start } else { Start::matrix(x.c, x.ldc) };
            direct(&Product { k, a: x.a.from(0, p), b: x.b.from(p, 0), start, ..*x });
        }
    }
}

/// (offset, length) of consecutive blocks of `size` that cover `total`; one empty block if `total` is 0.
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

//! Matrix products: C ← A·B, A·Bᵀ or Aᵀ·B, plus a start value (zero, a bias row, or C itself).
//!
//! Every element of C is one running sum over k in ascending order, from its start value, whatever the tile, the
//! blocking or the path. So all of them give the same bits, and a caller may choose by speed alone. Ragged edges run
//! the same vector tile: columns are padded, rows repeat the last one; what is computed in excess is never stored.
//!
//! Two paths: [`direct`] reads A and B where they lie and suits few rows, or a B that fits the first-level cache; [`blocked`]
//! walks panels, copies of both in the order in which a tile reads them, in blocks that fit the caches (Goto & van de Geijn 2008).
//! What lies like a panel already (side by side at each step of k) and is not too large is read in place there too. Other rows of
//! A are copied from a few dozen columns of C on: from a panel each load has its offset in the instruction, where rows apart
//! cost an address computation each, on ports that multiply-adds want.
#![allow(unsafe_code)]

mod blocked;
mod direct;
mod pack;
mod part;
mod tile;
mod view;

use crate::sweep::Cells;
use blocked::{blocked, ROWS};
use core::sync::atomic::{AtomicUsize, Ordering};
use direct::direct;
use pack::STEPS;
pub use part::{Part, Region};
use tile::{Tile, TILES};
pub use view::Start;
use view::View;

/// Floats of scratch that every product may overwrite (SCRATCH_BYTES of ts/backend/kernels.ts).
pub const SCRATCH: usize = 1 << 18;
/// The parts of scratch for panels of A and of B.
const A_ROOM: usize = 1 << 16;
const B_ROOM: usize = SCRATCH - A_ROOM;
/// [`direct`] takes fewer rows than this, or a B that is small enough for the first-level cache.
const FEW: usize = 24;
const SMALL: usize = 1 << 13;
/// It is up to this size only where a wide tile is the fastest: [`direct`] has too few sums under way for such registers. A B of another
/// layout is transposed as a whole up to the same sizes, rather than copied into panels.
const TINY: usize = 1 << 11;
/// Up to this many columns of C do not repay the copy of A into panels.
const NARROW: usize = 24;
/// Rows of A that lie side by side are read in place for up to this many columns of C, as each strip of those reads them again.
const REREAD: usize = 256;
/// A wide tile, where it is the fastest, takes Aᵀ·B however small B is if it reads both in place, or if there are more steps of k than this.
const FEW_STEPS: usize = 32;
/// Floats from one step of k to the next, of which a multiple puts all steps into the same few lines of a first-level cache: half a page.
/// Whole pages do it on every processor, so an A whose steps are so far apart is copied even for few columns.
const HALF_PAGE: usize = 512;

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

    /// Whether tiles may read A where it lies, as they would read panels; whole tiles only, as a ragged one would read past its end.
    fn reads_a(&self, tile: &Tile) -> bool {
        self.n <= REREAD && self.a.row == 1 && !self.a.is_down(HALF_PAGE) && tile.fits(self.m % ROWS)
    }

    /// Likewise B, which the first-level cache must hold.
    fn reads_b(&self, tile: &Tile) -> bool {
        self.b.column == 1 && self.n * self.k <= SMALL && self.n.is_multiple_of(tile.columns)
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

/// Picks the path by shape; that of few rows first, which may take no longer than the choice.
#[inline(never)]
unsafe fn product(x: &Product) {
    if x.m == 0 || x.n == 0 {
        return;
    }
    // SAFETY: `x` describes valid matrices.
    unsafe {
        if x.m == 1 && x.b.row == 1 {
            direct(&x.transposed());
        } else if x.b.column == 1 && x.m < FEW {
            direct(x);
        } else {
            larger(x);
        }
    }
}

/// [`product`] of more rows, or of a B whose columns are contiguous.
unsafe fn larger(x: &Product) {
    let tile = &TILES[TILE.load(Ordering::Relaxed)];
    let size = x.n * x.k;
    let collides = x.k > STEPS && x.a.is_down(2 * HALF_PAGE);
    let wide = tile.columns > 8;
    let down = wide && x.a.row == 1 && (x.k > FEW_STEPS || (x.reads_a(tile) && x.reads_b(tile)));
    let small = if collides || down {
        0
    } else if wide {
        TINY
    } else {
        SMALL
    };
    let narrow = x.n <= NARROW && !collides;
    // SAFETY: as for [`product`]; a transpose of at most B_ROOM floats fits the room for panels of B.
    unsafe {
        if size > small && !(narrow && (x.b.column == 1 || size <= B_ROOM)) {
            blocked(tile, x);
        } else if x.b.column == 1 {
            direct(x);
        } else {
            let b = x.scratch.add(A_ROOM);
            pack::transpose(x.b, b, x.k, x.n);
            direct(&Product { b: View::matrix(b, x.n), ..*x });
        }
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

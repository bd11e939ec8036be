//! Drivers: run a formula written over [`Lane`] along slices, eight floats (two vectors) at a time.
//!
//! Slices are cells because a kernel may write over its input (in place); cells make that legal at no cost. A tail runs
//! through the same code in a block of eight, of which the valid part is copied, so each formula is compiled once: half
//! the bytes to download, and a float gets the same bits wherever it stands. Loads of a block come before arithmetic, and
//! arithmetic before stores: the shape in which V8 can widen vector pairs to 256 bits.

use crate::lane::{F32x4, Lane};
use core::cell::Cell;

/// Floats that a kernel may read and write through overlapping views.
pub type Cells<'a> = &'a [Cell<f32>];

/// Floats to a block.
pub const BLOCK: usize = 8;

/// y = f(x) for one float or several.
pub trait Map {
    /// The formula.
    fn apply<L: Lane>(&self, x: L) -> L;
}

/// y = f(a, b) for one float or several.
pub trait Zip {
    /// The formula.
    fn apply<L: Lane>(&self, a: L, b: L) -> L;
}

/// A block that begins with up to eight floats and ends with zeros.
pub fn padded(x: Cells) -> [Cell<f32>; BLOCK] {
    let block = [const { Cell::new(0.0) }; BLOCK];
    copy(x, &block);
    block
}

/// y\[i\] = x\[i\] up to the end of the shorter, at most a block. Eight questions instead of a loop, which the compiler would
/// turn into a call of memory.copy, slower than all of them.
#[inline(always)]
pub fn copy(x: Cells, y: Cells) {
    let n = x.len().min(y.len());
    for i in 0..BLOCK {
        if i < n {
            y[i].set(x[i].get());
        }
    }
}

/// y\[i\] = f(x\[i\]). Lengths agree; x and y are the same or apart.
pub fn map(f: impl Map, x: Cells, y: Cells) {
    let whole = x.len() / BLOCK * BLOCK;
    map_blocks(&f, &x[..whole], &y[..whole]);
    if whole < x.len() {
        let block = padded(&x[whole..]);
        map_blocks(&f, &block, &block);
        copy(&block, &y[whole..]);
    }
}

#[inline(never)]
fn map_blocks(f: &impl Map, x: Cells, y: Cells) {
    for (x, y) in x.chunks_exact(BLOCK).zip(y.chunks_exact(BLOCK)) {
        let (p, q) = (F32x4::get(x), F32x4::get(&x[4..]));
        let (p, q) = (f.apply(p), f.apply(q));
        p.set(y);
        q.set(&y[4..]);
    }
}

/// One side of a row: floats side by side, or one float for all.
#[derive(Clone, Copy)]
pub enum Line<'a> {
    /// As many floats as the row has columns.
    Many(Cells<'a>),
    /// The same float in each column.
    One(f32),
}

/// y\[i\] = f(a\[i\], b\[i\]). Lengths agree; y is a, b or apart from both.
pub fn zip(f: impl Zip, a: Cells, b: Cells, y: Cells) {
    let whole = y.len() / BLOCK * BLOCK;
    zip_blocks(&f, &a[..whole], &b[..whole], &y[..whole]);
    if whole < y.len() {
        let (a, b, block) = (padded(&a[whole..]), padded(&b[whole..]), padded(&[]));
        zip_blocks(&f, &a, &b, &block);
        copy(&block, &y[whole..]);
    }
}

#[inline(never)]
fn zip_blocks(f: &impl Zip, a: Cells, b: Cells, y: Cells) {
    for ((a, b), y) in a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).zip(y.chunks_exact(BLOCK)) {
        let (a0, a1) = (F32x4::get(a), F32x4::get(&a[4..]));
        let (b0, b1) = (F32x4::get(b), F32x4::get(&b[4..]));
        let (p, q) = (f.apply(a0, b0), f.apply(a1, b1));
        p.set(y);
        q.set(&y[4..]);
    }
}

/// [`zip`] where one side may be one float for all.
pub fn zip_lines<F: Zip>(f: &F, a: Line, b: Line, y: Cells) {
    match (a, b) {
        (Line::Many(a), Line::Many(b)) => zip(Borrowed(f), a, b, y),
        (Line::Many(a), Line::One(b)) => map(RightFixed(f, b), a, y),
        (Line::One(a), Line::Many(b)) => map(LeftFixed(f, a), b, y),
        (Line::One(a), Line::One(b)) => {
            let value = f.apply(a, b);
            y.iter().for_each(|y| y.set(value));
        }
    }
}

struct Borrowed<'a, F: Zip>(&'a F);
impl<F: Zip> Zip for Borrowed<'_, F> {
    #[inline(always)]
    fn apply<L: Lane>(&self, a: L, b: L) -> L {
        self.0.apply(a, b)
    }
}

/// x ↦ f(x, b)
struct RightFixed<'a, F: Zip>(&'a F, f32);
impl<F: Zip> Map for RightFixed<'_, F> {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        self.0.apply(x, L::splat(self.1))
    }
}

/// x ↦ f(a, x)
struct LeftFixed<'a, F: Zip>(&'a F, f32);
impl<F: Zip> Map for LeftFixed<'_, F> {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        self.0.apply(L::splat(self.1), x)
    }
}

/// Σ f(x\[i\], y\[i\]) in four running sums, then ((0+2)+(1+3)) and the tail in order: fixed by the length alone.
pub fn total(f: impl Zip, x: Cells, y: Cells) -> f32 {
    let whole = x.len() / 4 * 4;
    let [a, b, c, d] = total_vectors(&f, &x[..whole], &y[..whole]);
    let sum = (a + c) + (b + d);
    if whole == x.len() {
        return sum;
    }
    let terms = total_vectors(&f, &padded(&x[whole..])[..4], &padded(&y[whole..])[..4]);
    terms[..x.len() - whole].iter().fold(sum, |t, x| t + x)
}

#[inline(never)]
fn total_vectors(f: &impl Zip, x: Cells, y: Cells) -> [f32; 4] {
    let mut sum = F32x4::splat(0.0);
    for (x, y) in x.chunks_exact(4).zip(y.chunks_exact(4)) {
        sum = sum + f.apply(F32x4::get(x), F32x4::get(y));
    }
    sum.to_array()
}

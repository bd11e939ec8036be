//! Drivers: run a formula written over [`Lane`] along slices, eight floats (two vectors) at a time.
//!
//! Slices are cells because a kernel may write over its input (in place); cells make that legal at no cost. A tail runs through the same code in a
//! block of eight, and only its valid part is copied back. So each formula is compiled once: half the bytes to download, and a float gets the same
//! bits at any position. Loads of a block come before arithmetic, and arithmetic before stores: in this form V8 can widen vector pairs to 256 bits.

use crate::lane::{F32x4, Lane};
use core::cell::Cell;

/// Floats that a kernel may read and write through overlapping views.
pub type Cells<'a> = &'a [Cell<f32>];

/// Floats per block.
pub const BLOCK: usize = 8;

/// Terms that are added up one after the other. A longer sum is the sum of its two halves (pairwise summation: Higham 1993), so that its error does
/// not grow with its length.
pub const PAIRWISE_BLOCK: usize = 256;

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

/// A block that begins with fewer than eight floats and ends with zeros. It is written in whole vectors, as it will be read: a load that covers
/// several smaller pending stores would make the processor wait for them.
#[inline(never)]
pub fn padded(x: Cells) -> [Cell<f32>; BLOCK] {
    let block = [const { Cell::new(0.0) }; BLOCK];
    let (p, q) =
        if x.len() < 4 { (F32x4::get_few(x), F32x4::splat(0.0)) } else { (F32x4::get(x), F32x4::get_few(&x[4..])) };
    p.set(&block);
    q.set(&block[4..]);
    block
}

/// Copies n < 8 floats out of a block, in registers: memory.copy, which a loop becomes, is a call out of the module.
#[inline(never)]
pub fn store_first(from: &[Cell<f32>; BLOCK], to: Cells, n: usize) {
    let first = F32x4::get(from);
    if n < 4 {
        first.store_first(&to[..n]);
    } else {
        first.set(to);
        F32x4::get(&from[4..]).store_first(&to[4..n]);
    }
}

/// A copy of the last block of eight or more floats.
#[inline(always)]
pub fn last(x: Cells) -> [Cell<f32>; BLOCK] {
    let block = [const { Cell::new(0.0) }; BLOCK];
    let x = &x[x.len() - BLOCK..];
    let (p, q) = (F32x4::get(x), F32x4::get(&x[4..]));
    p.set(&block);
    q.set(&block[4..]);
    block
}

/// y\[i\] = f(x\[i\]). Lengths agree; x and y are the same or apart.
#[inline(always)]
pub fn map(f: impl Map, x: Cells, y: Cells) {
    let n = x.len();
    if n.is_multiple_of(BLOCK) {
        map_blocks(&f, x, y);
    } else if n > BLOCK {
        // the last block overlaps the previous one, so its inputs are saved before that one is overwritten
        let end = last(x);
        map_blocks(&f, x, y);
        map_blocks(&f, &end, &y[n - BLOCK..n]);
    } else {
        let block = padded(x);
        map_blocks(&f, &block, &block);
        store_first(&block, y, n);
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

/// y\[i\] = f(a\[i\], b\[i\]). Lengths agree; y is a, b or apart from both.
#[inline(always)]
pub fn zip(f: impl Zip, a: Cells, b: Cells, y: Cells) {
    let n = y.len();
    if n.is_multiple_of(BLOCK) {
        zip_blocks(&f, a, b, y);
    } else if n > BLOCK {
        let ends = (last(&a[..n]), last(&b[..n]));
        zip_blocks(&f, a, b, y);
        zip_blocks(&f, &ends.0, &ends.1, &y[n - BLOCK..]);
    } else {
        let (a, b) = (padded(a), padded(b));
        zip_blocks(&f, &a, &b, &a);
        store_first(&a, y, n);
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

/// Splits a slice into two halves. The first consists of whole blocks.
pub fn halves(x: Cells) -> (Cells, Cells) {
    x.split_at(x.len() / 2 / BLOCK * BLOCK)
}

/// Σ f(x\[i\], y\[i\]). A long slice is the sum of its halves; a run uses four running sums, then ((0+2)+(1+3)) and the tail in order. The length
/// alone fixes the order.
#[inline(never)]
pub fn total(f: &impl Zip, x: Cells, y: Cells) -> f32 {
    if x.len() > PAIRWISE_BLOCK {
        let ((x0, x1), (y0, y1)) = (halves(x), halves(y));
        return total(f, x0, y0) + total(f, x1, y1);
    }
    let whole = x.len() / 4 * 4;
    let [a, b, c, d] = total_vectors(f, &x[..whole], &y[..whole]);
    let sum = (a + c) + (b + d);
    if whole == x.len() {
        return sum;
    }
    let terms = total_vectors(f, &padded(&x[whole..])[..4], &padded(&y[whole..])[..4]);
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

/// [`total`], and out\[i\] = g(x\[i\], y\[i\]) if `out` is given, in one pass, so that the compiler computes common parts of both formulas once, such
/// as an exponential.
#[inline(always)]
pub fn total_into(f: impl Zip, g: impl Zip, x: Cells, y: Cells, out: Option<Cells>) -> f32 {
    let n = x.len();
    let whole = n / 4 * 4;
    let [a, b, c, d] = total_vectors_into(&f, &g, &x[..whole], &y[..whole], out);
    let sum = (a + c) + (b + d);
    if whole == n {
        return sum;
    }
    let (x, y) = (padded(&x[whole..]), padded(&y[whole..]));
    let terms = total_vectors_into(&f, &g, &x[..4], &y[..4], out.map(|_| &x[..]));
    if let Some(out) = out {
        store_first(&x, &out[whole..], n - whole);
    }
    terms[..n - whole].iter().fold(sum, |t, x| t + x)
}

#[inline(never)]
fn total_vectors_into(f: &impl Zip, g: &impl Zip, x: Cells, y: Cells, out: Option<Cells>) -> [f32; 4] {
    let mut sum = F32x4::splat(0.0);
    for (i, (x, y)) in x.chunks_exact(4).zip(y.chunks_exact(4)).enumerate() {
        let (x, y) = (F32x4::get(x), F32x4::get(y));
        sum = sum + f.apply(x, y);
        if let Some(out) = out {
            g.apply(x, y).set(&out[4 * i..]);
        }
    }
    sum.to_array()
}

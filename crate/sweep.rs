//! Drivers: run a formula written over [`Lane`] along slices, in vectors of four with a scalar tail.
//!
//! Slices are cells because a kernel may write over its input (in place); cells make that legal at no cost. Vectors go
//! in pairs, loads before arithmetic before stores: the shape in which V8 can widen them to 256 bits.

use crate::lane::{F32x4, Lane};
use core::cell::Cell;

/// Floats that a kernel may read and write through overlapping views.
pub type Cells<'a> = &'a [Cell<f32>];

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

/// y\[i\] = f(x\[i\]). Lengths agree; x and y are the same or apart.
#[inline(always)]
pub fn map(f: impl Map, x: Cells, y: Cells) {
    let (xs, ys) = (x.chunks_exact(8), y.chunks_exact(8));
    let (x_rest, y_rest) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        let (p, q) = (F32x4::get(x), F32x4::get(&x[4..]));
        let (p, q) = (f.apply(p), f.apply(q));
        p.set(y);
        q.set(&y[4..]);
    }
    for (x, y) in x_rest.iter().zip(y_rest) {
        y.set(f.apply(x.get()));
    }
}

/// y\[i\] = f(a\[i\], b\[i\]). Lengths agree; y is a, b or apart from both.
#[inline(always)]
pub fn zip(f: impl Zip, a: Cells, b: Cells, y: Cells) {
    let (chunks_a, chunks_b, chunks_y) = (a.chunks_exact(8), b.chunks_exact(8), y.chunks_exact(8));
    let rest = (
        chunks_a.remainder(),
        chunks_b.remainder(),
        chunks_y.remainder(),
    );
    for ((a, b), y) in chunks_a.zip(chunks_b).zip(chunks_y) {
        let (a0, a1) = (F32x4::get(a), F32x4::get(&a[4..]));
        let (b0, b1) = (F32x4::get(b), F32x4::get(&b[4..]));
        let (p, q) = (f.apply(a0, b0), f.apply(a1, b1));
        p.set(y);
        q.set(&y[4..]);
    }
    for ((a, b), y) in rest.0.iter().zip(rest.1).zip(rest.2) {
        y.set(f.apply(a.get(), b.get()));
    }
}

/// Σ f(x\[i\], y\[i\]) in four running sums, then ((0+2)+(1+3)) and the tail in order: fixed by the length alone.
#[inline(always)]
pub fn total(f: impl Zip, x: Cells, y: Cells) -> f32 {
    let (xs, ys) = (x.chunks_exact(4), y.chunks_exact(4));
    let rest = (xs.remainder(), ys.remainder());
    let mut sum = F32x4::splat(0.0);
    for (x, y) in xs.zip(ys) {
        sum = sum + f.apply(F32x4::get(x), F32x4::get(y));
    }
    let [a, b, c, d] = sum.to_array();
    let tail = rest
        .0
        .iter()
        .zip(rest.1)
        .fold(0.0, |t, (x, y)| t + f.apply(x.get(), y.get()));
    ((a + c) + (b + d)) + tail
}

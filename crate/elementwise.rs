//! Element-wise kernels: formulas of one number and of two, and moves of rows. Formulas of two arrays of different shapes are in `broadcast`.

use crate::lane::{F32x4, Lane};
use crate::math;
use crate::sweep::{zip, Cells, Map, Zip};
use core::cell::Cell;

/// Names a formula over two lanes.
macro_rules! zips {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident) $body:expr;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub struct $name;
        impl Zip for $name {
            #[inline(always)]
            fn apply<L: Lane>(&self, $a: L, $b: L) -> L {
                $body
            }
        })*
    };
}

/// Names a formula over one lane.
macro_rules! maps {
    ($($(#[$doc:meta])* $name:ident($x:ident) $body:expr;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name;
        impl Map for $name {
            #[inline(always)]
            fn apply<L: Lane>(&self, $x: L) -> L {
                $body
            }
        })*
    };
}

/// 1 or 0
#[inline(always)]
fn indicator<L: Lane>(mask: L::Mask) -> L {
    L::select(mask, L::splat(1.0), L::splat(0.0))
}

zips! {
    /// a + b
    Add(a, b) a + b;
    /// a − b
    Sub(a, b) a - b;
    /// a·b
    Mul(a, b) a * b;
    /// a / b
    Div(a, b) a / b;
    /// The larger, NaN if either is.
    Maximum(a, b) a.max(b);
    /// The smaller, NaN if either is.
    Minimum(a, b) a.min(b);
    /// 1 where a > b
    Greater(a, b) indicator::<L>(a.gt(b));
    /// 1 where a ≥ b
    GreaterEqual(a, b) indicator::<L>(a.ge(b));
    /// 1 where a = b
    Equal(a, b) indicator::<L>(a.eq(b));
}

maps! {
    /// x
    Copy(x) x;
    /// −x
    Neg(x) -x;
    /// |x|
    Abs(x) x.abs();
    /// −1, 0 or 1
    Sign(x) x.sign();
    /// eˣ
    Exp(x) math::exp(x);
    /// ln x
    Log(x) math::ln(x);
    /// √x
    Sqrt(x) x.sqrt();
    /// x²
    Square(x) x * x;
    /// 1/x
    Reciprocal(x) L::splat(1.0) / x;
    /// erf x
    Erf(x) math::erf(x);
}

/// min(max(x, low), high)
pub struct Clip {
    /// Lower bound.
    pub low: f32,
    /// Upper bound.
    pub high: f32,
}

impl Map for Clip {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        x.max(L::splat(self.low)).min(L::splat(self.high))
    }
}

/// y + scale·x
struct AddScaled(f32);

impl Zip for AddScaled {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L, y: L) -> L {
        x.mul_add(L::splat(self.0), y)
    }
}

/// y += scale·x
pub fn add_scaled(x: Cells, y: Cells, scale: f32) {
    zip(AddScaled(scale), x, y, y);
}

/// y\[i\] = f(x\[i\]), four at a time; a tail is filled up with zeros.
#[inline(always)]
pub fn map_four(f: impl Fn(F32x4) -> F32x4, x: Cells, y: Cells) {
    let (xs, ys) = (x.chunks_exact(4), y.chunks_exact(4));
    let (x, y) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        f(F32x4::get(x)).set(y);
    }
    if !x.is_empty() {
        f(F32x4::get_few(x)).store_first(y);
    }
}

/// y\[i\] = value
pub fn fill(y: Cells, value: f32) {
    y.iter().for_each(|y| y.set(value));
}

/// Edge of the square blocks of a transpose: read and written lines of both stay in cache.
const BLOCK: usize = 16;

/// y\[o,c,r,:\] = x\[o,r,c,:\], with rows of `inner` floats
pub fn transpose(x: Cells, y: Cells, rows: usize, cols: usize, inner: usize) {
    let size = (rows * cols * inner).max(1);
    for (x, y) in x.chunks_exact(size).zip(y.chunks_exact(size)) {
        if inner == 1 {
            transpose_floats(x, y, rows, cols);
        } else {
            for (i, x) in x.chunks_exact(inner).enumerate() {
                copy_row(x, &y[(i % cols * rows + i / cols) * inner..][..inner]);
            }
        }
    }
}

/// y\[c,r\] = x\[r,c\]
fn transpose_floats(x: Cells, y: Cells, rows: usize, cols: usize) {
    for r0 in (0..rows).step_by(BLOCK) {
        for c0 in (0..cols).step_by(BLOCK) {
            for r in r0..rows.min(r0 + BLOCK) {
                for c in c0..cols.min(c0 + BLOCK) {
                    y[c * rows + r].set(x[r * cols + c].get());
                }
            }
        }
    }
}

/// y\[r,:\] = table\[index\[r\],:\]
pub fn gather_rows(table: Cells, index: &[Cell<i32>], y: Cells, cols: usize) {
    if cols == 1 {
        for (index, y) in index.iter().zip(y) {
            y.set(table[index.get() as usize].get());
        }
        return;
    }
    for (index, y) in index.iter().zip(y.chunks_exact(cols.max(1))) {
        copy_row(&table[index.get() as usize * cols..][..cols], y);
    }
}

/// y = x for separate arrays, in whole vectors. The last vector may overlap the previous one.
#[inline(always)]
fn copy_row(x: Cells, y: Cells) {
    let n = x.len();
    if n < F32x4::WIDTH {
        return F32x4::get_few(x).store_first(y);
    }
    let end = n - F32x4::WIDTH;
    let mut at = 0;
    while at < end {
        F32x4::get(&x[at..]).set(&y[at..]);
        at += F32x4::WIDTH;
    }
    F32x4::get(&x[end..]).set(&y[end..]);
}

/// table\[index\[r\],:\] += dy\[r,:\], rows in ascending order
pub fn scatter_add_rows(dy: Cells, index: &[Cell<i32>], table: Cells, cols: usize) {
    for (index, dy) in index.iter().zip(dy.chunks_exact(cols.max(1))) {
        let row = &table[index.get() as usize * cols..][..cols];
        zip(Add, row, dy, row);
    }
}

/// y\[r\] = x\[r·stride\], whole numbers
pub fn to_indices(x: Cells, y: &[Cell<i32>], stride: usize) {
    for (x, y) in x.iter().step_by(stride.max(1)).zip(y) {
        y.set(x.get() as i32);
    }
}

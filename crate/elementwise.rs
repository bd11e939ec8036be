//! Element-wise kernels: arithmetic with broadcasting, functions of one number, and moves of rows.

use crate::lane::Lane;
use crate::math;
use crate::sweep::{map, zip, zip_lines, Cells, Line, Map, Zip};
use core::cell::Cell;

/// Names a formula over two lanes.
macro_rules! zips {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident) $body:expr;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy)]
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
    Equal(a, b) indicator::<L>(a.same(b));
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

/// One side of a broadcast: element (r, c) is `cells[r·row + c·column]`.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// From the first element to the end of the memory that the side walks.
    pub cells: Cells<'a>,
    /// Elements from row to row.
    pub row: usize,
    /// Elements from column to column.
    pub column: usize,
}

impl<'a> Side<'a> {
    /// Row r, where the column stride is 0 or 1.
    fn line(self, r: usize, cols: usize) -> Line<'a> {
        if self.column == 0 {
            Line::One(self.at(r, 0))
        } else {
            Line::Many(&self.cells[r * self.row..][..cols])
        }
    }

    /// A single column as a row.
    fn turned(self) -> Self {
        Side { column: self.row, ..self }
    }

    fn at(self, r: usize, c: usize) -> f32 {
        self.cells[r * self.row + c * self.column].get()
    }
}

/// y\[r,c\] = f(a\[r,c\], b\[r,c\]); y is dense and may be a or b where their strides agree with its own.
pub fn broadcast(f: impl Zip, a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    // a single column is one long row, not many short ones
    let (a, b, rows, cols) = match cols {
        1 => (a.turned(), b.turned(), 1, rows),
        _ => (a, b, rows, cols),
    };
    for (r, y) in y.chunks_exact(cols.max(1)).take(rows).enumerate() {
        if a.column <= 1 && b.column <= 1 {
            zip_lines(&f, a.line(r, cols), b.line(r, cols), y);
        } else {
            strided(|p, q| f.apply(p, q), a, b, y, r);
        }
    }
}

/// Row r, one element at a time.
fn strided(f: impl Fn(f32, f32) -> f32, a: Side, b: Side, y: Cells, r: usize) {
    for (c, y) in y.iter().enumerate() {
        y.set(f(a.at(r, c), b.at(r, c)));
    }
}

/// y\[r,c\] = a to the power of b, in double precision, with the special cases of Math.pow.
pub fn pow(a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    for (r, y) in y.chunks_exact(cols.max(1)).take(rows).enumerate() {
        strided(power, a, b, y, r);
    }
}

fn power(a: f32, b: f32) -> f32 {
    // Math.pow differs from IEEE pow in these: a NaN exponent, and |a| = 1 with an infinite one
    if b.is_nan() || (a.abs() == 1.0 && b.is_infinite()) {
        return f32::NAN;
    }
    f64::powf(f64::from(a), f64::from(b)) as f32
}

/// y\[i\] = f(x\[i\]) through double precision: for functions that nobody trains with.
pub fn map_double(f: impl Fn(f64) -> f64, x: Cells, y: Cells) {
    for (x, y) in x.iter().zip(y) {
        y.set(f(f64::from(x.get())) as f32);
    }
}

/// y\[i\] = value
pub fn fill(y: Cells, value: f32) {
    y.iter().for_each(|y| y.set(value));
}

/// Edge of the square blocks of a transpose: read and written lines of both stay in cache.
const BLOCK: usize = 16;

/// y\[c,r\] = x\[r,c\]
pub fn transpose(x: Cells, y: Cells, rows: usize, cols: usize) {
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
    for (index, y) in index.iter().zip(y.chunks_exact(cols.max(1))) {
        map(Copy, &table[index.get() as usize * cols..][..cols], y);
    }
}

/// table\[index\[r\],:\] += dy\[r,:\], rows in ascending order
pub fn scatter_add_rows(dy: Cells, index: &[Cell<i32>], table: Cells, cols: usize) {
    for (index, dy) in index.iter().zip(dy.chunks_exact(cols.max(1))) {
        let row = &table[index.get() as usize * cols..][..cols];
        zip(Add, row, dy, row);
    }
}

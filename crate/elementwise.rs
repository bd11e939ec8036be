//! Element-wise kernels: arithmetic with broadcasting, functions of one number, and moves of rows.

use crate::lane::Lane;
use crate::math;
use crate::precise;
use crate::sweep::{map, zip, Cells, Map, Zip};
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
    /// A single row.
    fn row_of(cells: Cells<'a>) -> Self {
        Side { cells, row: 0, column: 1 }
    }

    /// A single column as a row.
    fn turned(self) -> Self {
        Side { column: self.row, ..self }
    }

    /// Row r, whose floats lie side by side.
    fn row(self, r: usize, cols: usize) -> Cells<'a> {
        &self.cells[r * self.row..][..cols]
    }

    fn at(self, r: usize, c: usize) -> f32 {
        self.cells[r * self.row + c * self.column].get()
    }

    /// Elements from (r, c) on as a row, as many as `room` has: in it, unless they lie side by side where they are.
    fn together<'b>(self, r: usize, c: usize, room: Cells<'b>) -> Side<'b>
    where
        'a: 'b,
    {
        let mut at = r * self.row + c * self.column;
        if self.column == 1 {
            return Side::row_of(&self.cells[at..][..room.len()]);
        }
        for x in room {
            x.set(self.cells[at].get());
            at += self.column;
        }
        Side::row_of(room)
    }
}

/// A formula of two numbers over rows, so that walking the sides is compiled once for all formulas.
#[derive(Clone, Copy)]
struct Rows {
    /// y = f(a, b), floats of a row side by side.
    both: fn(Side, Side, Cells, usize),
    /// y = f(a, b) for one b.
    right: fn(Cells, f32, Cells),
    /// y = f(a, b) for one a.
    left: fn(f32, Cells, Cells),
}

/// y\[r,c\] = f(a\[r,c\], b\[r,c\]); y is dense and may be a or b where their strides agree with its own.
#[inline(always)]
pub fn broadcast<F: Zip + Default>(a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    if a.column == 1 && b.column == 1 {
        return zip_rows::<F>(a, b, y, cols);
    }
    let f = Rows {
        both: zip_rows::<F>,
        right: |a, b, y| map(RightFixed(F::default(), b), a, y),
        left: |a, b, y| map(LeftFixed(F::default(), a), b, y),
    };
    broadcast_by(f, a, b, y, rows, cols);
}

#[inline(never)]
fn zip_rows<F: Zip + Default>(a: Side, b: Side, y: Cells, cols: usize) {
    for (r, y) in y.chunks_exact(cols.max(1)).enumerate() {
        zip(F::default(), a.row(r, cols), b.row(r, cols), y);
    }
}

/// x ↦ f(x, b)
struct RightFixed<F: Zip>(F, f32);
impl<F: Zip> Map for RightFixed<F> {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        self.0.apply(x, L::splat(self.1))
    }
}

/// x ↦ f(a, x)
struct LeftFixed<F: Zip>(F, f32);
impl<F: Zip> Map for LeftFixed<F> {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        self.0.apply(L::splat(self.1), x)
    }
}

/// [`broadcast`] where not both sides have the floats of a row side by side.
#[inline(never)]
fn broadcast_by(f: Rows, a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    // a single column is one long row, not many short ones
    let (a, b, rows, cols) = match cols {
        1 => (a.turned(), b.turned(), 1, rows),
        _ => (a, b, rows, cols),
    };
    match (a.column, b.column) {
        (1, 1) => return (f.both)(a, b, y, cols),
        (2.., _) | (_, 2..) => return in_stretches(f, a, b, y, cols),
        _ => {}
    }
    for (r, y) in y.chunks_exact(cols.max(1)).take(rows).enumerate() {
        match (a.column, b.column) {
            (1, 0) => (f.right)(a.row(r, cols), b.at(r, 0), y),
            (0, 1) => (f.left)(a.at(r, 0), b.row(r, cols), y),
            _ => {
                let (a, b) = (a.at(r, 0), b.at(r, 0));
                fill(y, a);
                (f.right)(y, b, y);
            }
        }
    }
}

/// Floats of a row that are brought together at a time.
const STRETCH: usize = 64;

/// [`broadcast`] where floats of a row lie apart: a stretch of each side is copied side by side.
#[inline(never)]
fn in_stretches(f: Rows, a: Side, b: Side, y: Cells, cols: usize) {
    let (room_a, room_b) = ([const { Cell::new(0.0) }; STRETCH], [const { Cell::new(0.0) }; STRETCH]);
    for (r, y) in y.chunks_exact(cols.max(1)).enumerate() {
        for (i, y) in y.chunks(STRETCH).enumerate() {
            let (c, n) = (i * STRETCH, y.len());
            (f.both)(a.together(r, c, &room_a[..n]), b.together(r, c, &room_b[..n]), y, n);
        }
    }
}

/// y\[r,c\] = a to the power of b, with the special cases of Math.pow.
pub fn pow(a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    for (r, y) in y.chunks_exact(cols.max(1)).take(rows).enumerate() {
        for (c, y) in y.iter().enumerate() {
            y.set(precise::pow(a.at(r, c), b.at(r, c)));
        }
    }
}

/// y\[i\] = f(x\[i\]), one by one: for functions that nobody trains with.
pub fn map_single(f: impl Fn(f32) -> f32, x: Cells, y: Cells) {
    for (x, y) in x.iter().zip(y) {
        y.set(f(x.get()));
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

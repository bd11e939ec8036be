//! Formulas of two arrays of different shapes: each side is read by strides, and rows of contiguous floats are used in place.

use crate::elementwise::fill;
use crate::lane::Lane;
use crate::precise;
use crate::sweep::{map, zip, Cells, Map, Zip};
use core::cell::Cell;

/// One side of a broadcast: element (r, c) is `cells[r·row + c·column]`.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The memory of the side, from its first element to its last.
    pub cells: Cells<'a>,
    /// Elements from row to row.
    pub row: usize,
    /// Elements from column to column.
    pub column: usize,
}

impl<'a> Side<'a> {
    /// A row as one side of a broadcast.
    fn row_of(cells: Cells<'a>) -> Self {
        Side { cells, row: 0, column: 1 }
    }

    /// A single column as a row.
    fn turned(self) -> Self {
        Side { column: self.row, ..self }
    }

    /// Row r, whose floats are contiguous.
    fn row(self, r: usize, cols: usize) -> Cells<'a> {
        &self.cells[r * self.row..][..cols]
    }

    fn at(self, r: usize, c: usize) -> f32 {
        self.cells[r * self.row + c * self.column].get()
    }

    /// `room.len()` elements from (r, c) on as a row: in place if they are contiguous, else copied into `room`.
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

/// A formula of two numbers over rows; the code that walks over the sides is compiled once for all formulas.
#[derive(Clone, Copy)]
struct Rows {
    /// y = f(a, b), floats of a row side by side.
    both: fn(Side, Side, Cells, usize),
    /// y = f(a, b) for one b.
    right: fn(Cells, f32, Cells),
    /// y = f(a, b) for one a.
    left: fn(f32, Cells, Cells),
}

/// y\[r,c\] = f(a\[r,c\], b\[r,c\]); y is dense, and may be a or b if their strides equal its own.
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
pub struct RightFixed<F: Zip>(pub F, pub f32);
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

/// [`broadcast`] if at least one side has rows that are not contiguous.
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

/// Floats of a row that are gathered at a time.
const STRETCH: usize = 64;

/// [`broadcast`] for rows whose floats are not contiguous: stretches of each side are copied to contiguous memory.
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

/// y\[r,c\] = a to the power of b, with the special cases of IEEE 754.
pub fn pow(a: Side, b: Side, y: Cells, rows: usize, cols: usize) {
    for (r, y) in y.chunks_exact(cols.max(1)).take(rows).enumerate() {
        for (c, y) in y.iter().enumerate() {
            y.set(precise::pow(a.at(r, c), b.at(r, c)));
        }
    }
}

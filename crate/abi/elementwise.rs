//! Kernels that compute element by element, and kernels that move elements.

use super::{cells, integers, Ptr};
use crate::broadcast::{self, broadcast, Side};
use crate::elementwise as e;
use crate::precise;
use crate::sweep::{map, Cells};
use core::cell::Cell;
use wasm_bindgen::prelude::wasm_bindgen;

/// One side of a broadcast, as long as its last element.
fn side<'a>(at: Ptr, rows: usize, cols: usize, row: usize, column: usize) -> Side<'a> {
    let n = if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row + (cols - 1) * column + 1 };
    Side { cells: cells(at, n), row, column }
}

macro_rules! binaries {
    ($($js:ident $name:ident $f:ty;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(a: Ptr, b: Ptr, y: Ptr, rows: usize, cols: usize, ar: usize, ac: usize, br: usize, bc: usize) {
            broadcast::<$f>(side(a, rows, cols, ar, ac), side(b, rows, cols, br, bc), cells(y, rows * cols), rows, cols);
        })*
    };
}
binaries! {
    add add e::Add;
    sub sub e::Sub;
    mul mul e::Mul;
    div div e::Div;
    maximum maximum e::Maximum;
    minimum minimum e::Minimum;
    greater greater e::Greater;
    greaterEqual greater_equal e::GreaterEqual;
    equal equal e::Equal;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn pow(a: Ptr, b: Ptr, y: Ptr, rows: usize, cols: usize, ar: usize, ac: usize, br: usize, bc: usize) {
    broadcast::pow(side(a, rows, cols, ar, ac), side(b, rows, cols, br, bc), cells(y, rows * cols), rows, cols);
}

macro_rules! unaries {
    ($($name:ident $f:expr;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen]
        pub fn $name(x: Ptr, y: Ptr, n: usize) {
            map($f, cells(x, n), cells(y, n));
        })*
    };
}
unaries! {
    copy e::Copy;
    neg e::Neg;
    abs e::Abs;
    sign e::Sign;
    exp e::Exp;
    log e::Log;
    sqrt e::Sqrt;
    square e::Square;
    reciprocal e::Reciprocal;
    erf e::Erf;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn sin(x: Ptr, y: Ptr, n: usize) {
    e::map_four(precise::sin, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn cos(x: Ptr, y: Ptr, n: usize) {
    e::map_four(precise::cos, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn fill(y: Ptr, n: usize, value: f32) {
    e::fill(cells(y, n), value);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = addScaled)]
pub fn add_scaled(x: Ptr, y: Ptr, n: usize, scale: f32) {
    e::add_scaled(cells(x, n), cells(y, n), scale);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn clip(x: Ptr, y: Ptr, n: usize, low: f32, high: f32) {
    map(e::Clip { low, high }, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn transpose(x: Ptr, y: Ptr, outer: usize, rows: usize, cols: usize, inner: usize) {
    let size = outer * rows * cols * inner;
    e::transpose(cells(x, size), cells(y, size), rows, cols, inner);
}

/// The part of a table up to the last row that an index names.
fn table<'a>(at: Ptr, index: &[Cell<i32>], cols: usize) -> Cells<'a> {
    let rows = index.iter().map(|i| i.get() as usize + 1).max().unwrap_or(0);
    cells(at, rows * cols)
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = gatherRows)]
pub fn gather_rows(from: Ptr, index: Ptr, y: Ptr, rows: usize, cols: usize) {
    let index = integers(index, rows);
    e::gather_rows(table(from, index, cols), index, cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = scatterAddRows)]
pub fn scatter_add_rows(dy: Ptr, index: Ptr, to: Ptr, rows: usize, cols: usize) {
    let index = integers(index, rows);
    e::scatter_add_rows(cells(dy, rows * cols), index, table(to, index, cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = toIndices)]
pub fn to_indices(x: Ptr, y: Ptr, rows: usize, stride: usize) {
    let last = rows.saturating_sub(1);
    e::to_indices(cells(x, if rows == 0 { 0 } else { last * stride + 1 }), integers(y, rows), stride);
}

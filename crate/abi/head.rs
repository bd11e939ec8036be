//! Heads. See ts/backend/head-kernels.ts.

use super::{cells, integers, Ptr};
use crate::head::{Answers, Lines, BUNDLE};
use wasm_bindgen::prelude::wasm_bindgen;

fn lines<'a>(x: Ptr, weights: Ptr, rows: usize, columns: usize, classes: usize) -> Lines<'a> {
    Lines { x: cells(x, rows * columns), weights: cells(weights, classes * columns), columns, classes }
}

/// See ts/backend/head-kernels.ts.
#[wasm_bindgen(js_name = headLogits)]
pub fn head_logits(x: Ptr, weights: Ptr, z: Ptr, rows: usize, columns: usize, classes: usize) {
    lines(x, weights, rows, columns, classes).logits(cells(z, rows * classes));
}

/// See ts/backend/head-kernels.ts.
#[wasm_bindgen(js_name = headGradient)]
#[rustfmt::skip]
pub fn head_gradient(
    x: Ptr, weights: Ptr, answers: Ptr, z: Ptr, gradient: Ptr, rows: usize, columns: usize, classes: usize, sets: u32,
) {
    let answers = match sets {
        0 => Answers::Classes(integers(answers, rows)),
        _ => Answers::Sets(cells(answers, rows * classes)),
    };
    let (z, gradient) = (cells(z, BUNDLE * classes), cells(gradient, classes * columns));
    lines(x, weights, rows, columns, classes).gradient(&answers, z, gradient);
}

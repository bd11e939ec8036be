//! Reductions, and softmax, which is one over each row.

use super::{cells, integers, Ptr};
use crate::{reduce, softmax};
use wasm_bindgen::prelude::wasm_bindgen;

macro_rules! reductions {
    ($($js:ident $name:ident $reduce:path;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize) {
            $reduce(cells(x, outer * length * inner), cells(y, outer * inner), length, inner);
        })*
    };
}
reductions! {
    reduceSum reduce_sum reduce::sum;
    reduceMax reduce_max reduce::max;
    reduceMin reduce_min reduce::min;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn argmax(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize) {
    reduce::argmax(cells(x, outer * length * inner), integers(y, outer * inner), length, inner);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn cumsum(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize, backwards: u32) {
    let n = outer * length * inner;
    reduce::cumsum(cells(x, n), cells(y, n), length, inner, backwards != 0);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = sumSquares)]
pub fn sum_squares(x: Ptr, n: usize) -> f64 {
    reduce::sum_squares(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = sumAbs)]
pub fn sum_abs(x: Ptr, n: usize) -> f64 {
    reduce::sum_abs(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = maxAbs)]
pub fn max_abs(x: Ptr, n: usize) -> f32 {
    reduce::max_abs(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = softmax)]
pub fn softmax_rows(x: Ptr, y: Ptr, rows: usize, cols: usize) {
    softmax::softmax(cells(x, rows * cols), cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = logSoftmax)]
pub fn log_softmax(x: Ptr, y: Ptr, rows: usize, cols: usize) {
    softmax::log_softmax(cells(x, rows * cols), cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = softmaxBackward)]
pub fn softmax_backward(y: Ptr, dy: Ptr, dx: Ptr, rows: usize, cols: usize) {
    let n = rows * cols;
    softmax::softmax_backward(cells(y, n), cells(dy, n), cells(dx, n), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = logSoftmaxBackward)]
pub fn log_softmax_backward(y: Ptr, dy: Ptr, dx: Ptr, rows: usize, cols: usize) {
    let n = rows * cols;
    softmax::log_softmax_backward(cells(y, n), cells(dy, n), cells(dx, n), cols);
}

//! Losses: value and gradient in one call.

use super::{cells, integers, optional, Ptr};
use crate::loss::{self, Call};
use wasm_bindgen::prelude::wasm_bindgen;

macro_rules! losses {
    ($($js:ident $name:ident |$call:ident, $target:ident, $n:ident, $option:ident| $value:expr;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(p: Ptr, $target: Ptr, w: Ptr, g: Ptr, out: Ptr, rows: usize, cols: usize, scale: f32, $option: f32) {
            let $n = rows * cols;
            let $call = &Call { prediction: cells(p, $n), weights: optional(w, rows), gradient: optional(g, $n), rows, cols, scale };
            cells(out, 1)[0].set($value);
        })*
    };
}
losses! {
    squaredError squared_error |call, t, n, _option| loss::element_wise(loss::Squared, call, cells(t, n));
    absoluteError absolute_error |call, t, n, _option| loss::element_wise(loss::Absolute, call, cells(t, n));
    huber huber |call, t, n, delta| loss::element_wise(loss::Huber(delta), call, cells(t, n));
    binaryCrossEntropy binary_cross_entropy |call, t, n, s| loss::element_wise(loss::Binary(s), call, cells(t, n));
    crossEntropyIndices cross_entropy_indices |call, t, _n, s| loss::cross_entropy_indices(call, integers(t, call.rows), s);
    crossEntropyProbabilities cross_entropy_probabilities |call, t, n, s| loss::cross_entropy_probabilities(call, cells(t, n), s);
}

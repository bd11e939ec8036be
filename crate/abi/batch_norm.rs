//! Batch normalization. The kernels of ts/backend/batch-norm-kernels.ts have a share of the columns, for threads, as their last two arguments here.

use super::{cells, optional, Ptr};
use crate::batch_norm::{self, Backward, Columns, Norm};
use wasm_bindgen::prelude::wasm_bindgen;

fn norm<'a>(mean: Ptr, variance: Ptr, weight: Ptr, epsilon: Ptr, columns: usize) -> Norm<'a> {
    let [mean, variance, weight] = [mean, variance, weight].map(|at| cells(at, columns));
    Norm { mean, variance, weight, epsilon: cells(epsilon, 1)[0].get() }
}

/// See ts/backend/batch-norm-kernels.ts.
#[wasm_bindgen(js_name = batchNormMoments)]
pub fn batch_norm_moments(x: Ptr, mean: Ptr, variance: Ptr, rows: usize, columns: usize) {
    batch_norm_moments_share(x, mean, variance, rows, columns, 0, 1);
}

/// One share of batchNormMoments.
#[wasm_bindgen(js_name = batchNormMomentsShare)]
#[rustfmt::skip]
pub fn batch_norm_moments_share(x: Ptr, mean: Ptr, variance: Ptr, rows: usize, columns: usize, share: usize, shares: usize) {
    let (mean, variance) = (cells(mean, columns), cells(variance, columns));
    batch_norm::moments(cells(x, rows * columns), mean, variance, Columns { count: columns, share, shares });
}

/// See ts/backend/batch-norm-kernels.ts.
#[wasm_bindgen(js_name = batchNormForward)]
#[rustfmt::skip]
pub fn batch_norm_forward(
    x: Ptr, mean: Ptr, variance: Ptr, weight: Ptr, bias: Ptr, y: Ptr, rows: usize, columns: usize, relu: u32, epsilon: Ptr,
) {
    batch_norm_forward_share(x, mean, variance, weight, bias, y, rows, columns, relu, epsilon, 0, 1);
}

/// One share of batchNormForward.
#[wasm_bindgen(js_name = batchNormForwardShare)]
#[rustfmt::skip]
pub fn batch_norm_forward_share(
    x: Ptr, mean: Ptr, variance: Ptr, weight: Ptr, bias: Ptr, y: Ptr, rows: usize, columns: usize, relu: u32, epsilon: Ptr,
    share: usize, shares: usize,
) {
    let (x, y) = (cells(x, rows * columns), cells(y, rows * columns));
    let norm = norm(mean, variance, weight, epsilon, columns);
    batch_norm::forward(x, norm, cells(bias, columns), y, relu != 0, Columns { count: columns, share, shares });
}

/// See ts/backend/batch-norm-kernels.ts.
#[wasm_bindgen(js_name = batchNormBackward)]
#[rustfmt::skip]
pub fn batch_norm_backward(
    x: Ptr, mean: Ptr, variance: Ptr, weight: Ptr, bias: Ptr, dy: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    rows: usize, columns: usize, relu: u32, accumulate: u32, epsilon: Ptr,
) {
    batch_norm_backward_share(x, mean, variance, weight, bias, dy, dw, db, dx, rows, columns, relu, accumulate, epsilon, 0, 1);
}

/// One share of batchNormBackward.
#[wasm_bindgen(js_name = batchNormBackwardShare)]
#[rustfmt::skip]
pub fn batch_norm_backward_share(
    x: Ptr, mean: Ptr, variance: Ptr, weight: Ptr, bias: Ptr, dy: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    rows: usize, columns: usize, relu: u32, accumulate: u32, epsilon: Ptr, share: usize, shares: usize,
) {
    let n = rows * columns;
    let arrays = Backward {
        x: cells(x, n),
        norm: norm(mean, variance, weight, epsilon, columns),
        rectified: (relu != 0).then(|| cells(bias, columns)),
        dy: cells(dy, n),
        dw: optional(dw, columns),
        db: optional(db, columns),
        dx: optional(dx, n),
        accumulate,
    };
    batch_norm::backward(arrays, Columns { count: columns, share, shares });
}

//! Convolution and pooling; `geometry` is the address of the numbers in GEOMETRY of ts/backend/conv-kernels.ts.

use super::{cells, integers, optional, Ptr};
use crate::conv::upsample::{self, Sizes};
use crate::conv::{self, pool, Geometry, Gradients, Share};
use crate::gemm::SCRATCH;
use wasm_bindgen::prelude::wasm_bindgen;

fn geometry_at(at: Ptr) -> Geometry {
    Geometry::of(integers(at, conv::NUMBERS))
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = convForward)]
#[rustfmt::skip]
pub fn conv_forward(x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, rows: usize, geometry: Ptr, kind: u32, scratch: Ptr) {
    conv_forward_share(x, w, b, z, y, rows, geometry, kind, scratch, 0, 1);
}

/// One share of convForward, for a thread.
#[wasm_bindgen(js_name = convForwardShare)]
#[rustfmt::skip]
pub fn conv_forward_share(
    x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, rows: usize, geometry: Ptr, kind: u32, scratch: Ptr, index: usize, count: usize,
) {
    let g = geometry_at(geometry);
    let (x, w, n) = (cells(x, rows * g.image()), cells(w, g.weights()), rows * g.result());
    let share = Share { index, count };
    conv::forward(&g, rows, x, w, optional(b, g.filters), optional(z, n), cells(y, n), kind, cells(scratch, SCRATCH), share);
}

#[rustfmt::skip]
fn gradients<'a>(g: &Geometry, dw: Ptr, db: Ptr, dx: Ptr, rows: usize, accumulate: u32) -> Gradients<'a> {
    Gradients { dw: optional(dw, g.weights()), db: optional(db, g.filters), dx: optional(dx, rows * g.image()), accumulate }
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = convBackward)]
#[rustfmt::skip]
pub fn conv_backward(
    x: Ptr, w: Ptr, saved: Ptr, dy: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    rows: usize, geometry: Ptr, kind: u32, accumulate: u32, scratch: Ptr,
) {
    let g = geometry_at(geometry);
    let (x, w, n) = (cells(x, rows * g.image()), cells(w, g.weights()), rows * g.result());
    let to = gradients(&g, dw, db, dx, rows, accumulate);
    let dz = optional(dz, n).unwrap_or(&[]);
    conv::backward(&g, rows, x, w, cells(saved, n), cells(dy, n), dz, kind, &to, cells(scratch, SCRATCH));
}

/// One share of convBackward after dz is known, for a thread.
#[wasm_bindgen(js_name = convGradientsShare)]
#[rustfmt::skip]
pub fn conv_gradients_share(
    x: Ptr, w: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr, rows: usize, geometry: Ptr, accumulate: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let g = geometry_at(geometry);
    let (x, w, dz) = (cells(x, rows * g.image()), cells(w, g.weights()), cells(dz, rows * g.result()));
    let to = gradients(&g, dw, db, dx, rows, accumulate);
    conv::gradients(&g, rows, x, w, dz, &to, cells(scratch, SCRATCH), Share { index, count }, None);
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = maxPool)]
pub fn max_pool(x: Ptr, y: Ptr, taps: Ptr, rows: usize, geometry: Ptr) {
    let g = geometry_at(geometry);
    let n = rows * g.result();
    pool::max(&g, rows, cells(x, rows * g.image()), cells(y, n), cells(taps, n));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = maxPoolBackward)]
pub fn max_pool_backward(taps: Ptr, dy: Ptr, dx: Ptr, rows: usize, geometry: Ptr) {
    let g = geometry_at(geometry);
    let n = rows * g.result();
    pool::max_backward(&g, rows, cells(taps, n), cells(dy, n), cells(dx, rows * g.image()));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = maxPoolPick)]
pub fn max_pool_pick(x: Ptr, taps: Ptr, y: Ptr, rows: usize, geometry: Ptr) {
    let g = geometry_at(geometry);
    let n = rows * g.result();
    pool::pick(&g, rows, cells(x, rows * g.image()), cells(taps, n), cells(y, n));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = averagePool)]
pub fn average_pool(x: Ptr, y: Ptr, rows: usize, geometry: Ptr) {
    let g = geometry_at(geometry);
    pool::average(&g, rows, cells(x, rows * g.image()), cells(y, rows * g.result()));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = averagePoolBackward)]
pub fn average_pool_backward(dy: Ptr, dx: Ptr, rows: usize, geometry: Ptr) {
    let g = geometry_at(geometry);
    pool::average_backward(&g, rows, cells(dy, rows * g.result()), cells(dx, rows * g.image()));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = upsample)]
pub fn upsample(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize, factor: usize, smooth: u32) {
    let n = outer * length * inner;
    let sizes = Sizes { outer, length, inner, factor, is_smooth: smooth != 0 };
    upsample::forward(&sizes, cells(x, n), cells(y, n * factor));
}

/// See ts/backend/conv-kernels.ts.
#[wasm_bindgen(js_name = upsampleBackward)]
pub fn upsample_backward(dy: Ptr, dx: Ptr, outer: usize, length: usize, inner: usize, factor: usize, smooth: u32) {
    let n = outer * length * inner;
    let sizes = Sizes { outer, length, inner, factor, is_smooth: smooth != 0 };
    upsample::backward(&sizes, cells(dy, n * factor), cells(dx, n));
}

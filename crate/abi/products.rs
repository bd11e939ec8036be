//! Matrix products and the layers and activations around them.
#![allow(unsafe_code)] // the three plain products take addresses: slices would cost tiny ones half of their time

use super::{cells, optional, Ptr};
use crate::gemm::{self, Layout, Share, Sizes, Start};
use crate::{activation, dense};
use wasm_bindgen::prelude::wasm_bindgen;

macro_rules! products {
    ($($js:ident $name:ident $product:path;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(a: Ptr, b: Ptr, c: Ptr, m: usize, n: usize, k: usize, accumulate: u32, scratch: Ptr) {
            // SAFETY: the caller's contract.
            unsafe { $product(a as _, b as _, c as _, m, n, k, accumulate != 0, scratch as _) }
        })*
    };
}
products! {
    matmul matmul gemm::matmul;
    matmulNT matmul_nt gemm::matmul_nt;
    matmulTN matmul_tn gemm::matmul_tn;
}

/// One share of a product, for a thread; `layout` is the place of its kernel in the table: 0 matmul, 1 matmulNT, 2 matmulTN.
#[wasm_bindgen(js_name = matmulShare)]
#[rustfmt::skip]
pub fn matmul_share(
    layout: u32, a: Ptr, b: Ptr, c: Ptr, m: usize, n: usize, k: usize, accumulate: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layout = [Layout::Plain, Layout::SecondTransposed, Layout::FirstTransposed][layout as usize];
    let (c, share) = (cells(c, m * n), Share { index, count });
    let start = Start::sum(accumulate != 0, c, n);
    let arrays = [cells(a, m * k), cells(b, k * n), c, cells(scratch, gemm::SCRATCH)];
    gemm::multiply(layout, start, arrays, Sizes { m, n, k }, share.region(m, n, layout == Layout::FirstTransposed));
}

#[rustfmt::skip]
#[inline(always)]
fn layer<'a>(x: Ptr, w: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr, share: Share) -> dense::Layer<'a> {
    dense::Layer { x: cells(x, m * k), w: cells(w, k * n), m, k, n, kind, scratch: cells(scratch, gemm::SCRATCH), share }
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = denseForward)]
pub fn dense_forward(x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr) {
    let layer = layer(x, w, m, k, n, kind, scratch, Share::WHOLE);
    dense::forward(&layer, optional(b, n), optional(z, m * n), cells(y, m * n));
}

/// One share of denseForward, for a thread.
#[wasm_bindgen(js_name = denseForwardShare)]
#[rustfmt::skip]
pub fn dense_forward_share(
    x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layer = layer(x, w, m, k, n, kind, scratch, Share { index, count });
    dense::forward(&layer, optional(b, n), optional(z, m * n), cells(y, m * n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = denseBackward)]
#[rustfmt::skip]
pub fn dense_backward(
    x: Ptr, w: Ptr, saved: Ptr, dy: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    m: usize, k: usize, n: usize, kind: u32, accumulate: u32, scratch: Ptr,
) {
    let layer = layer(x, w, m, k, n, kind, scratch, Share::WHOLE);
    let to = dense::Gradients { dw: optional(dw, k * n), db: optional(db, n), dx: optional(dx, m * k), accumulate };
    let dz = optional(dz, m * n).unwrap_or(&[]);
    dense::backward(&layer, cells(saved, m * n), cells(dy, m * n), dz, &to);
}

/// One share of denseBackward after dz is known, for a thread.
#[wasm_bindgen(js_name = denseGradientsShare)]
#[rustfmt::skip]
pub fn dense_gradients_share(
    x: Ptr, w: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr, m: usize, k: usize, n: usize, accumulate: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layer = layer(x, w, m, k, n, 0, scratch, Share { index, count });
    let to = dense::Gradients { dw: optional(dw, k * n), db: optional(db, n), dx: optional(dx, m * k), accumulate };
    dense::gradients(&layer, cells(dz, m * n), &to);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = activationForward)]
pub fn activation_forward(x: Ptr, y: Ptr, n: usize, kind: u32) {
    activation::forward(kind, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = activationBackward)]
pub fn activation_backward(saved: Ptr, dy: Ptr, dx: Ptr, n: usize, kind: u32) {
    activation::backward(kind, cells(saved, n), cells(dy, n), cells(dx, n));
}

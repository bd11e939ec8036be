//! Attention; `sizes` is the address of the numbers in ATTENTION of ts/backend/attention-kernels.ts.

use super::{cells, integers, optional, Ptr};
use crate::attention::{self, Inputs, Rotation, Saved, Sizes, NUMBERS};
use crate::gemm::SCRATCH;
use wasm_bindgen::prelude::wasm_bindgen;

/// See ts/backend/attention-kernels.ts.
#[wasm_bindgen(js_name = attentionForward)]
#[rustfmt::skip]
pub fn attention_forward(
    q: Ptr, k: Ptr, v: Ptr, mask: Ptr, y: Ptr, stats: Ptr, first: usize, count: usize, sizes: Ptr, scratch: Ptr,
) {
    let s = Sizes::of(integers(sizes, NUMBERS));
    let rows = (first + count).div_ceil(s.heads.max(1));
    let [queries, keys, values, results] = s.floats(rows);
    let x = Inputs { q: cells(q, queries), k: cells(k, keys), v: cells(v, values), mask: optional(mask, rows * s.keys) };
    let stats = cells(stats, 2 * (first + count) * s.queries);
    attention::forward(&s, first..first + count, &x, cells(y, results), stats, cells(scratch, SCRATCH));
}

/// See ts/backend/attention-kernels.ts.
#[wasm_bindgen(js_name = attentionBackward)]
#[rustfmt::skip]
pub fn attention_backward(
    q: Ptr, k: Ptr, v: Ptr, mask: Ptr, y: Ptr, stats: Ptr, dy: Ptr, dq: Ptr, dk: Ptr, dv: Ptr,
    first: usize, count: usize, sizes: Ptr, scratch: Ptr,
) {
    let s = Sizes::of(integers(sizes, NUMBERS));
    let rows = (first + count).div_ceil(s.heads.max(1));
    let [queries, keys, values, results] = s.floats(rows);
    let x = Inputs { q: cells(q, queries), k: cells(k, keys), v: cells(v, values), mask: optional(mask, rows * s.keys) };
    let stats = cells(stats, 2 * (first + count) * s.queries);
    let saved = Saved { y: cells(y, results), stats, dy: cells(dy, results) };
    let d = [cells(dq, queries), cells(dk, keys), cells(dv, values)];
    attention::backward(&s, first..first + count, &x, &saved, d, cells(scratch, SCRATCH));
}

/// See ts/backend/attention-kernels.ts.
#[wasm_bindgen(js_name = attentionRotate)]
#[rustfmt::skip]
pub fn attention_rotate(
    x: Ptr, angles: Ptr, y: Ptr, rows: usize, steps: usize, columns: usize, heads: usize, width: usize, back: u32,
) {
    let r = Rotation { rows, steps, columns, heads, width, back: back != 0 };
    attention::rotate(&r, cells(x, rows * columns), cells(angles, steps * width), cells(y, rows * columns));
}

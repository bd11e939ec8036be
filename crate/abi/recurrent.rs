//! Recurrent layers.

use super::{cells, optional, Ptr};
use crate::gemm::{first_transposed, Rows, SCRATCH};
use crate::recurrent::{self, parts, Backward, Forward, Scan};
use wasm_bindgen::prelude::wasm_bindgen;

/// The sizes, and the number of the cell: the kind is that number and a bit for the direction.
fn scan_of(rows: usize, steps: usize, units: usize, kind: usize) -> (Scan, usize) {
    (Scan { rows, steps, units, reverse: kind & 1 == 1 }, kind >> 1)
}

/// See ts/backend/recurrent-kernels.ts.
#[wasm_bindgen(js_name = recurrentForward)]
#[rustfmt::skip]
pub fn recurrent_forward(
    z: Ptr, u: Ptr, b: Ptr, initial: Ptr, saved: Ptr, y: Ptr, last: Ptr, mask: Ptr,
    rows: usize, steps: usize, units: usize, kind: usize, scratch: Ptr,
) {
    let (scan, cell) = scan_of(rows, steps, units, kind);
    let ([gates, state, kept, _], all) = (parts(cell), rows * steps);
    recurrent::forward(cell, &Forward {
        scan,
        z: cells(z, all * gates * units),
        u: cells(u, gates * units * units),
        b: optional(b, units),
        initial: optional(initial, rows * state * units),
        saved: cells(saved, all * kept * units),
        y: optional(y, all * units),
        last: cells(last, rows * state * units),
        mask: optional(mask, all),
        scratch: cells(scratch, SCRATCH),
    });
}

/// See ts/backend/recurrent-kernels.ts.
#[wasm_bindgen(js_name = recurrentBackward)]
#[rustfmt::skip]
pub fn recurrent_backward(
    z: Ptr, u: Ptr, saved: Ptr, dy: Ptr, dlast: Ptr, mask: Ptr, dz: Ptr, dq: Ptr, carry: Ptr,
    rows: usize, steps: usize, units: usize, kind: usize, scratch: Ptr,
) {
    let (scan, cell) = scan_of(rows, steps, units, kind);
    let ([gates, state, kept, extra], all) = (parts(cell), rows * steps);
    recurrent::backward(cell, &Backward {
        scan,
        z: cells(z, all * gates * units),
        u: cells(u, gates * units * units),
        saved: cells(saved, all * kept * units),
        dy: optional(dy, all * units),
        dlast: optional(dlast, rows * state * units),
        mask: optional(mask, all),
        dz: cells(dz, all * gates * units),
        dq: cells(dq, all * extra * units),
        carry: cells(carry, rows * state * units),
        scratch: cells(scratch, SCRATCH),
    });
}

/// See ts/backend/recurrent-kernels.ts.
#[wasm_bindgen(js_name = recurrentWeights)]
#[rustfmt::skip]
pub fn recurrent_weights(
    a: Ptr, b: Ptr, c: Ptr, a_stride: usize, b_stride: usize, c_stride: usize,
    m: usize, n: usize, k: usize, accumulate: u32, scratch: Ptr,
) {
    let rows = |at: Ptr, rows: usize, columns: usize, stride: usize| Rows {
        cells: cells(at, if rows == 0 || columns == 0 { 0 } else { (rows - 1) * stride + columns }),
        stride,
    };
    let arrays = [rows(a, k, m, a_stride), rows(b, k, n, b_stride), rows(c, m, n, c_stride)];
    first_transposed(arrays, [m, n, k], accumulate != 0, cells(scratch, SCRATCH));
}

//! Random numbers.

use super::{cells, integers, Ptr};
use crate::random::{Source, SIXTEEN};
use wasm_bindgen::prelude::wasm_bindgen;

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = randomUniform)]
pub fn random_uniform(y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, low: f64, high: f64) {
    Source { key: [seed_low, seed_high], stream, counter }.uniform(cells(y, n), low, high);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = randomNormal)]
pub fn random_normal(y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, mean: f64, std: f64) {
    Source { key: [seed_low, seed_high], stream, counter }.normal(cells(y, n), mean, std);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
#[rustfmt::skip]
pub fn dropout(
    x: Ptr, y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, mask: Ptr, known: u32, rate: f64,
) {
    let mask = (mask != 0).then(|| integers(mask, n.div_ceil(SIXTEEN)));
    Source { key: [seed_low, seed_high], stream, counter }.dropout(cells(x, n), cells(y, n), mask, known != 0, rate);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn permutation(order: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32) {
    Source { key: [seed_low, seed_high], stream, counter }.permutation(integers(order, n));
}

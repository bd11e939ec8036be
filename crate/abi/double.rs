//! The solvers' kernels in doubles; ts/backend/double.ts is their contract.

use super::{doubles, doubles_mut, Ptr};
use crate::double::{self, cholesky, net, products, products::Rows};
use wasm_bindgen::prelude::wasm_bindgen;

/// n rows of m doubles, `stride` apart.
fn matrix<'a>(at: Ptr, n: usize, m: usize, stride: usize) -> Rows<'a> {
    Rows { all: doubles(at, if n == 0 { 0 } else { (n - 1) * stride + m }), n, m, stride }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleGram)]
pub fn double_gram(j: Ptr, n: usize, m: usize, stride: usize, h: Ptr) {
    products::gram(matrix(j, n, m, stride), doubles_mut(h, n * n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleProduct)]
pub fn double_product(j: Ptr, n: usize, m: usize, stride: usize, r: Ptr, g: Ptr) {
    products::product(matrix(j, n, m, stride), doubles(r, m), doubles_mut(g, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleCholesky)]
pub fn double_cholesky(h: Ptr, n: usize, mu: f64, d: Ptr, l: Ptr) -> u32 {
    u32::from(cholesky::factor(doubles(h, n * n), n, mu, doubles(d, n), doubles_mut(l, n * n)))
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSolve)]
pub fn double_solve(l: Ptr, n: usize, x: Ptr) {
    cholesky::solve(doubles(l, n * n), doubles_mut(x, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleAffine)]
#[rustfmt::skip]
pub fn double_affine(
    w: Ptr, by_unit: usize, by_term: usize, b: Ptr, a: Ptr, y: Ptr, units: usize, terms: usize, count: usize,
) {
    if count == 0 {
        return;
    }
    let (b, a) = (doubles(b, units), doubles(a, terms * count));
    let reach = if terms == 0 { 0 } else { (terms - 1) * by_term + 1 };
    for u in 0..units {
        let w = doubles(w + 8 * u * by_unit, reach);
        net::unit(w, by_term, *b.get(u).unwrap_or(&0.0), a, doubles_mut(y + 8 * u * count, count));
    }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleColumns)]
#[rustfmt::skip]
pub fn double_columns(
    a: Ptr, delta: Ptr, out: Ptr, inputs: usize, units: usize, step: usize, count: usize, stride: usize,
) {
    for i in 0..inputs {
        for j in 0..units {
            let (a, delta) = (doubles(a + 8 * i * count, count), doubles(delta + 8 * j * count, count));
            net::multiply(a, delta, doubles_mut(out + 8 * (i * step + j) * stride, count));
        }
    }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleMultiply)]
pub fn double_multiply(x: Ptr, y: Ptr, out: Ptr, n: usize) {
    net::multiply(doubles(x, n), doubles(y, n), doubles_mut(out, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleResidual)]
pub fn double_residual(y: Ptr, t: Ptr, r: Ptr, n: usize) -> f64 {
    net::residual(doubles(y, n), doubles(t, n), doubles_mut(r, n))
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSquash)]
pub fn double_squash(z: Ptr, a: Ptr, n: usize, sigmoid: u32) {
    double::activation::squash(doubles(z, n), doubles_mut(a, n), sigmoid != 0);
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSquashSlope)]
pub fn double_squash_slope(a: Ptr, d: Ptr, n: usize, sigmoid: u32) {
    double::activation::squash_slope(doubles(a, n), doubles_mut(d, n), sigmoid != 0);
}

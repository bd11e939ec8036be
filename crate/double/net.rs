//! Dense nets over unit-major rows: forward passes, gradients with respect to units, and columns of Jacobians.

use super::products::{add_scaled, dot};
use crate::lane::F64x2;

/// y\[r\] = b + Σₜ w\[t·step\]·a\[t,r\]: one unit from as many terms as `a` has rows of y's length.
pub fn unit(w: &[f64], step: usize, b: f64, a: &[f64], y: &mut [f64]) {
    y.fill(b);
    for (a, w) in a.chunks_exact(y.len()).zip(w.iter().step_by(step)) {
        add_scaled(y, *w, a);
    }
}

/// out\[i\] = x\[i\]·y\[i\]
#[inline(never)]
pub fn multiply(x: &[f64], y: &[f64], out: &mut [f64]) {
    let n = out.len();
    for ((x, y), out) in x.chunks_exact(2).zip(y.chunks_exact(2)).zip(out.chunks_exact_mut(2)) {
        (F64x2::load(x) * F64x2::load(y)).store(out);
    }
    if n % 2 == 1 {
        out[n - 1] = x[n - 1] * y[n - 1];
    }
}

/// r\[i\] = y\[i\] − t\[i\]; Σ r\[i\]²
pub fn residual(y: &[f64], t: &[f64], r: &mut [f64]) -> f64 {
    for ((r, y), t) in r.iter_mut().zip(y).zip(t) {
        *r = y - t;
    }
    dot(r, r)
}

//! The perturbation that a program of many steps makes between two evaluations of a batch, for wrappers of optimizers (ts/optim/wrappers).

use super::{cells, doubles, integers, Ptr};
use crate::elementwise::add_scaled;
use crate::lane::number::sqrt;
use crate::reduce::sum_squares;
use wasm_bindgen::prelude::wasm_bindgen;

/// Words of an array in the table of [`perturb`]: the addresses of p and g, and their number of floats.
const WORDS: usize = 3;

/// p ← p + (ρ/‖g‖)·g over several arrays, where ‖g‖ is the norm of all gradients together; `out` is then 0. If ‖g‖ is not a positive number, nothing
/// changes, and `out` is NaN. The table has ρ as a double, and then three words for each array. SAM in JavaScript (ts/optim/wrappers/sam.ts) gives
/// the same bits.
#[wasm_bindgen]
pub fn perturb(table: Ptr, count: usize, out: Ptr) {
    let rho = doubles(table, 1)[0];
    let arrays = || {
        integers(table + 8, WORDS * count).chunks_exact(WORDS).map(|words| [0, 1, 2].map(|i| words[i].get() as usize))
    };
    let norm = sqrt(arrays().map(|[_, g, n]| sum_squares(cells(g, n))).sum::<f64>());
    let moves = norm > 0.0;
    if moves {
        let scale = (rho / norm) as f32;
        arrays().for_each(|[p, g, n]| add_scaled(cells(g, n), cells(p, n), scale));
    }
    cells(out, 1)[0].set(if moves { 0.0 } else { f32::NAN });
}

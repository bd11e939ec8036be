//! Cholesky factors and solutions with them.

use super::products::{add_scaled, dot, Rows, TILE};
use crate::lane::number::sqrt;

/// The least fraction of its diagonal element that a pivot must keep for the matrix to count as positive definite.
const MIN_PIVOT: f64 = 1e-16;

/// Factors H + μ·diag(d) = L·Lᵀ: reads the lower triangle of H (n × n) and writes the lower triangle of L, with 1 / Lᵢᵢ on its diagonal. Works tile
/// by tile: the contribution of earlier columns to a tile is a block of dot products of rows of L. An empty d means all ones. Returns false if H is
/// not positive definite.
pub fn factor(h: &[f64], n: usize, mu: f64, d: &[f64], l: &mut [f64]) -> bool {
    for i in (0..n).step_by(TILE) {
        for j in (0..=i).step_by(TILE) {
            let known = Rows { all: l, n, m: j, stride: n }.dots(i, j);
            for (r, known) in (i..n).zip(known) {
                let (above, row) = l.split_at_mut(r * n);
                if !row_of_tile(&h[r * n..][..=r], mu * d.get(r).unwrap_or(&1.0), known, above, n, j, row) {
                    return false;
                }
            }
        }
    }
    true
}

/// Elements of a row of L from column j on, up to three and the diagonal; its earlier rows are in `above`.
fn row_of_tile(h: &[f64], shift: f64, known: [f64; TILE], above: &[f64], n: usize, j: usize, row: &mut [f64]) -> bool {
    let r = h.len() - 1;
    for ((c, &h), known) in h.iter().enumerate().skip(j).zip(known) {
        let before = &row[j..c];
        if c < r {
            let other = &above[c * n..][..=c];
            let within: f64 = before.iter().zip(&other[j..]).map(|(x, y)| x * y).sum();
            row[c] = (h - known - within) * other[c];
            continue;
        }
        let within: f64 = before.iter().map(|x| x * x).sum();
        let square = h + shift - known - within;
        if !(square > MIN_PIVOT * (h + shift) && square < f64::INFINITY) {
            return false;
        }
        row[c] = 1.0 / sqrt(square);
    }
    true
}

/// x ← (L·Lᵀ)⁻¹·x for a factor of [`factor`].
pub fn solve(l: &[f64], x: &mut [f64]) {
    let n = x.len();
    for i in 0..n {
        let (known, rest) = x.split_at_mut(i);
        let row = &l[i * n..][..=i];
        rest[0] = (rest[0] - dot(&row[..i], known)) * row[i];
    }
    for i in (0..n).rev() {
        let (others, rest) = x.split_at_mut(i);
        let row = &l[i * n..][..=i];
        rest[0] *= row[i];
        add_scaled(others, -rest[0], &row[..i]);
    }
}

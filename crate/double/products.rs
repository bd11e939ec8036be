//! Dot products in tiles of three rows by three: six loads serve nine products, and thirteen registers hold them.

use crate::lane::F64x2;
use core::array::from_fn;

/// Rows to a side of a tile.
pub const TILE: usize = 3;

/// A matrix with rows of m numbers. The first number of each row is `stride` after the first of the previous row.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The whole matrix, row after row.
    pub all: &'a [f64],
    /// Number of rows.
    pub n: usize,
    /// Numbers of a row.
    pub m: usize,
    /// Distance from row to row.
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// Row i; past the end the last one.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &'a [f64] {
        &self.all[i.min(self.n - 1) * self.stride..][..self.m]
    }

    /// out\[p\]\[q\] = row(a + p)·row(b + q), even and odd numbers summed apart.
    #[inline(never)]
    pub fn dots(&self, a: usize, b: usize) -> [[f64; TILE]; TILE] {
        let left: [&[f64]; TILE] = from_fn(|p| self.row(a + p));
        let right: [&[f64]; TILE] = from_fn(|q| self.row(b + q));
        let mut sums = [[F64x2::splat(0.0); TILE]; TILE];
        let [a0, a1, a2] = left.map(|row| row.chunks_exact(2));
        let [b0, b1, b2] = right.map(|row| row.chunks_exact(2));
        for (((((a0, a1), a2), b0), b1), b2) in a0.zip(a1).zip(a2).zip(b0).zip(b1).zip(b2) {
            let y = [F64x2::load(b0), F64x2::load(b1), F64x2::load(b2)];
            for (sums, x) in sums.iter_mut().zip([a0, a1, a2]) {
                let x = F64x2::load(x);
                *sums = [x.mul_add(y[0], sums[0]), x.mul_add(y[1], sums[1]), x.mul_add(y[2], sums[2])];
            }
        }
        let [left, right] = [left, right].map(|rows| rows.map(odd));
        from_fn(|p| from_fn(|q| sums[p][q].first() + sums[p][q].second() + left[p] * right[q]))
    }
}

/// The product of the last numbers if their count is odd, else 0.
#[inline(always)]
fn odd(row: &[f64]) -> f64 {
    row.chunks_exact(2).remainder().first().copied().unwrap_or(0.0)
}

/// Σᵢ a\[i\]·b\[i\], even and odd i apart.
#[inline(never)]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sum = F64x2::splat(0.0);
    for (a, b) in a.chunks_exact(2).zip(b.chunks_exact(2)) {
        sum = F64x2::load(a).mul_add(F64x2::load(b), sum);
    }
    sum.first() + sum.second() + odd(a) * odd(b)
}

/// y ← y + α·x
#[inline(never)]
pub fn add_scaled(y: &mut [f64], alpha: f64, x: &[f64]) {
    let mut pairs = y.chunks_exact_mut(2);
    for (y, x) in pairs.by_ref().zip(x.chunks_exact(2)) {
        F64x2::splat(alpha).mul_add(F64x2::load(x), F64x2::load(y)).store(y);
    }
    if let Some(last) = pairs.into_remainder().first_mut() {
        *last += alpha * odd(x);
    }
}

/// H ← H + J·Jᵀ, the lower triangle of n × n
pub fn gram(j: Rows, h: &mut [f64]) {
    for a in (0..j.n).step_by(TILE) {
        for b in (0..=a).step_by(TILE) {
            for (i, sums) in (a..j.n).zip(&j.dots(a, b)) {
                add(&mut h[i * j.n + b..][..TILE.min(i + 1 - b)], sums);
            }
        }
    }
}

#[inline(never)]
fn add(to: &mut [f64], terms: &[f64]) {
    to.iter_mut().zip(terms).for_each(|(y, x)| *y += x);
}

/// g ← g + J·r
pub fn product(j: Rows, r: &[f64], g: &mut [f64]) {
    for (a, g) in g.iter_mut().enumerate() {
        *g += dot(j.row(a), r);
    }
}

//! The dense layer of a fleet: what crate/dense.rs does to one net.
#![allow(unsafe_code)]

use super::product::{product, Factor};
use super::{Net8, NETS};
use crate::activation;
use crate::lane::{F32x8, Lane};
use crate::sweep::{Cells, RUN};
use core::ptr::null;

/// x\[m,k\]: one matrix for all nets, or one of each.
#[derive(Clone, Copy)]
pub enum Inputs<'a> {
    /// All nets see the same rows.
    Shared(Cells<'a>),
    /// Each net sees rows of its own.
    Own(&'a [Net8]),
}

impl Inputs<'_> {
    fn len(&self) -> usize {
        match self {
            Inputs::Shared(x) => x.len(),
            Inputs::Own(x) => x.len(),
        }
    }

    /// The [`product`] of x, or of xᵀ, with another factor: lines of the left one are so many numbers apart, and so many its steps.
    ///
    /// # Safety
    /// As `product`.
    unsafe fn times(self, sizes: [usize; 3], line: usize, step: usize, right: Factor, start: *const f32, c: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Inputs::Shared(x) => {
                    let left = Factor { at: x.as_ptr().cast(), line, step };
                    product::<true>(sizes, left, right, start, c);
                }
                Inputs::Own(x) => {
                    let left = Factor { at: address(x), line: NETS * line, step: NETS * step };
                    product::<false>(sizes, left, right, start, c);
                }
            }
        }
    }
}

/// The sizes of a layer and its batch.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Rows of x.
    pub m: usize,
    /// Inputs of a row.
    pub k: usize,
    /// Outputs of a row.
    pub n: usize,
}

fn address(x: &[Net8]) -> *const f32 {
    x.as_ptr().cast()
}

fn target(x: &[Net8]) -> *mut f32 {
    x.as_ptr().cast_mut().cast()
}

/// All floats of an array.
pub fn floats(x: &[Net8]) -> Cells<'_> {
    x.as_flattened()
}

/// y\[m,n\] = f(z), z\[m,n\] = b\[n\] + x\[m,k\] · w\[k,n\]; z is kept where the activation's derivative needs it.
pub fn forward(x: Inputs, w: &[Net8], b: Option<&[Net8]>, z: Option<&[Net8]>, y: &[Net8], sizes: Sizes, kind: u32) {
    let Sizes { m, k, n } = sizes;
    let sums = z.filter(|_| activation::saves_input(kind)).unwrap_or(y);
    let start = b.map_or(null(), address);
    let right = Factor { at: address(w), line: NETS, step: NETS * n };
    assert!(x.len() >= m * k && w.len() >= k * n && sums.len() >= m * n && b.is_none_or(|b| b.len() >= n));
    // SAFETY: the sizes were just compared.
    unsafe { x.times([m, n, k], k, 1, right, start, target(sums)) }
    if kind != 0 {
        activation::forward(kind, floats(sums), floats(y));
    }
}

/// Where backward writes what is wanted of dw\[k,n\], db\[n\], dx\[m,k\].
pub struct Gradients<'a> {
    /// For the weights.
    pub dw: Option<&'a [Net8]>,
    /// For the bias.
    pub db: Option<&'a [Net8]>,
    /// For the inputs.
    pub dx: Option<&'a [Net8]>,
}

/// dz\[m,n\] = dy ⊙ f′(saved);  dw = xᵀ · dz;  db = Σ_m dz;  dx = dz · wᵀ. dz may be dy, and is unused for linear.
#[rustfmt::skip]
pub fn backward(
    x: Inputs, w: &[Net8], saved: &[Net8], dy: &[Net8], dz: &[Net8], to: &Gradients, sizes: Sizes, kind: u32,
) {
    let Sizes { m, k, n } = sizes;
    let dz = if kind == 0 { dy } else { dz };
    if kind != 0 {
        activation::backward(kind, floats(saved), floats(dy), floats(dz));
    }
    assert!(w.len() >= k * n && dz.len() >= m * n);
    if let Some(dw) = to.dw {
        assert!(x.len() >= m * k && dw.len() >= k * n);
        let right = Factor { at: address(dz), line: NETS, step: NETS * n };
        // SAFETY: the sizes were just compared.
        unsafe { x.times([k, n, m], 1, k, right, null(), target(dw)) }
    }
    if let Some(db) = to.db {
        column_sums(&dz[..m * n], &db[..n]);
    }
    if let Some(dx) = to.dx {
        assert!(dx.len() >= m * k);
        let left = Factor { at: address(dz), line: NETS * n, step: NETS };
        let right = Factor { at: address(w), line: NETS * n, step: NETS };
        // SAFETY: the sizes were compared above.
        unsafe { product::<false>([m, k, n], left, right, null(), target(dx)) }
    }
}

/// Σ_i rows\[i,j\]: i ascending, or in pairs of halves where there are many rows, as `reduce::column_sums`.
fn column_sums(rows: &[Net8], sums: &[Net8]) {
    for (j, sum) in sums.iter().enumerate() {
        column_sum(rows, sums.len(), j).set(sum);
    }
}

fn column_sum(rows: &[Net8], n: usize, j: usize) -> F32x8 {
    if rows.len() > RUN * n {
        let (first, second) = rows.split_at(rows.len() / n / 2 * n);
        return column_sum(first, n, j) + column_sum(second, n, j);
    }
    let mut total = F32x8::splat(0.0);
    for at in (j..rows.len()).step_by(n) {
        // SAFETY: `at` is below the number of rows' elements.
        total = total + F32x8::get(unsafe { rows.get_unchecked(at) });
    }
    total
}

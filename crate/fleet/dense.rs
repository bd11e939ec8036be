//! The dense layer of a fleet: the counterpart of crate/dense.rs for eight nets.
#![allow(unsafe_code)]

use super::job::Factor;
pub use super::panels::SCRATCH_FLOATS;
pub use super::product::Context;
use super::product::{outer, product};
use super::{Net8, NETS};
use crate::activation::{self, RELU};
use crate::lane::{F32x8, Lane};
use crate::sweep::{Cells, PAIRWISE_BLOCK};
use core::array::from_fn;
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
    /// True if the product also computes ReLU. If both factors are interleaved, ReLU made the product's loop 30 % slower, and a separate pass is
    /// faster (docs/design/fleet.md).
    fn rectifies(&self, kind: u32) -> bool {
        kind == RELU && matches!(self, Inputs::Shared(_))
    }

    fn len(&self) -> usize {
        match self {
            Inputs::Shared(x) => x.len(),
            Inputs::Own(x) => x.len(),
        }
    }

    /// The [`product`] of x, or of xᵀ, with another factor. `line` and `step` are the distances between lines and between steps of the left factor.
    /// `RELU` has an effect only if all nets see the same rows ([`Inputs::rectifies`]).
    ///
    /// # Safety
    /// The contract of `product`.
    #[rustfmt::skip]
    unsafe fn times<const RELU: bool>(
        self, sizes: [usize; 3], line: usize, step: usize, right: Factor, start: *const f32, c: *mut f32, context: Context,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Inputs::Shared(x) => {
                    let left = Factor { at: x.as_ptr().cast(), line, step };
                    product::<true, RELU>(sizes, left, right, start, c, context);
                }
                Inputs::Own(x) => {
                    let left = Factor { at: address(x), line: NETS * line, step: NETS * step };
                    product::<false, false>(sizes, left, right, start, c, context);
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

/// y\[m,n\] = f(z), z\[m,n\] = b\[n\] + x\[m,k\] · w\[k,n\]; z is kept if the activation's derivative needs it.
#[rustfmt::skip]
pub fn forward(
    x: Inputs, w: &[Net8], b: Option<&[Net8]>, z: Option<&[Net8]>, y: &[Net8], sizes: Sizes, kind: u32, context: Context,
) {
    let Sizes { m, k, n } = sizes;
    let sums = z.filter(|_| activation::saves_input(kind)).unwrap_or(y);
    let start = b.map_or(null(), address);
    let right = Factor { at: address(w), line: NETS, step: NETS * n };
    assert!(x.len() >= m * k && w.len() >= k * n && sums.len() >= m * n && b.is_none_or(|b| b.len() >= n));
    // SAFETY: the sizes were just compared.
    unsafe {
        if x.rectifies(kind) {
            x.times::<true>([m, n, k], k, 1, right, start, target(y), context);
        } else {
            x.times::<false>([m, n, k], k, 1, right, start, target(sums), context);
            if kind != 0 {
                activation::forward(kind, floats(sums), floats(y));
            }
        }
    }
}

/// Destinations of the wanted gradients among dw\[k,n\], db\[n\], dx\[m,k\].
pub struct Gradients<'a> {
    /// The gradient of the weights.
    pub dw: Option<&'a [Net8]>,
    /// The gradient of the bias.
    pub db: Option<&'a [Net8]>,
    /// The gradient of the inputs.
    pub dx: Option<&'a [Net8]>,
}

/// dz\[m,n\] = dy ⊙ f′(saved);  dw = xᵀ · dz;  db = Σ_m dz;  dx = dz · wᵀ. dz may be dy, and is unused for linear.
#[rustfmt::skip]
pub fn backward(
    x: Inputs, w: &[Net8], saved: &[Net8], dy: &[Net8], dz: &[Net8], to: &Gradients, sizes: Sizes, kind: u32,
    context: Context,
) {
    let Sizes { m, k, n } = sizes;
    let dz = if kind == 0 { dy } else { dz };
    assert!(w.len() >= k * n && dz.len() >= m * n);
    let slopes = Slopes { saved, dy, dz, n };
    if kind == RELU {
        slopes.column_sums::<true>(m, to.db);
    } else {
        if kind != 0 {
            activation::backward(kind, floats(saved), floats(dy), floats(dz));
        }
        if to.db.is_some() {
            slopes.column_sums::<false>(m, to.db);
        }
    }
    if let Some(dw) = to.dw {
        assert!(x.len() >= m * k && dw.len() >= k * n);
        let right = Factor { at: address(dz), line: NETS, step: NETS * n };
        // SAFETY: the sizes were just compared.
        unsafe { x.times::<false>([k, n, m], 1, k, right, null(), target(dw), context) }
    }
    if let Some(dx) = to.dx {
        assert!(dx.len() >= m * k);
        if n == 1 {
            outer(&dz[..m], &w[..k], dx);
            return;
        }
        let left = Factor { at: address(dz), line: NETS * n, step: NETS };
        let right = Factor { at: address(w), line: NETS * n, step: NETS };
        // SAFETY: the sizes were compared above.
        unsafe { product::<false, false>([m, k, n], left, right, null(), target(dx), context) }
    }
}

/// Inputs of a backward pass, each array with n elements a row.
struct Slopes<'a> {
    saved: &'a [Net8],
    dy: &'a [Net8],
    dz: &'a [Net8],
    n: usize,
}

/// Columns that are summed at once.
const STRIP: usize = 4;

impl Slopes<'_> {
    /// db = Σ_m dz. If `RELU`, dz is computed in the same pass: dy, or 0 where ReLU gave 0.
    fn column_sums<const RELU: bool>(&self, m: usize, db: Option<&[Net8]>) {
        let keep = |j: usize, sums: &[F32x8]| {
            if let Some(db) = db {
                sums.iter().zip(&db[j..]).for_each(|(sum, to)| sum.set(to));
            }
        };
        let whole = self.n / STRIP * STRIP;
        for j in (0..whole).step_by(STRIP) {
            keep(j, &self.strip::<RELU, STRIP>(j, 0, m));
        }
        for j in whole..self.n {
            keep(j, &self.strip::<RELU, 1>(j, 0, m));
        }
    }

    /// The sums of J columns over some rows: row after row, or recursively as the sum of two halves if there are many rows, as in
    /// `reduce::column_sums`.
    fn strip<const RELU: bool, const J: usize>(&self, j: usize, first: usize, rows: usize) -> [F32x8; J] {
        if rows > PAIRWISE_BLOCK {
            let half = rows / 2;
            let sums = self.strip::<RELU, J>(j, first, half);
            let others = self.strip::<RELU, J>(j, first + half, rows - half);
            return from_fn(|v| sums[v] + others[v]);
        }
        let mut sums = [F32x8::splat(0.0); J];
        for row in first..first + rows {
            let here = row * self.n + j..row * self.n + j + J;
            let dz = &self.dz[here.clone()];
            if RELU {
                let (saved, dy) = (&self.saved[here.clone()], &self.dy[here]);
                for v in 0..J {
                    F32x8::get(&dy[v]).zero_where(F32x8::get(&saved[v]).le(F32x8::splat(0.0))).set(&dz[v]);
                }
            }
            for v in 0..J {
                sums[v] = sums[v] + F32x8::get(&dz[v]);
            }
        }
        sums
    }
}

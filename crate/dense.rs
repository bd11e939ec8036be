//! The dense layer: forward with its bias and activation, backward as three products.
//!
//! The accumulators start at the bias. The activation is a pass of its own over y: one read and one write against the k multiply-adds that each
//! element took, so fusing it into the tile would save under one percent.

use crate::activation;
use crate::gemm::{self, Layout, Region, Share, Sizes, Start};
use crate::reduce::column_sums;
use crate::sweep::Cells;
use core::ops::Range;

/// Bits of `accumulate` (ACCUMULATE_ in ts/backend/kernels.ts).
const ACCUMULATE_W: u32 = 1;
const ACCUMULATE_B: u32 = 2;
const ACCUMULATE_X: u32 = 4;

const LINEAR: u32 = 0;

/// Arguments of both directions: x\[m,k\], w\[k,n\], the activation, and [`gemm::SCRATCH`] floats of scratch.
pub struct Layer<'a> {
    /// Inputs.
    pub x: Cells<'a>,
    /// Weights.
    pub w: Cells<'a>,
    /// Rows of x.
    pub m: usize,
    /// Inputs per row.
    pub k: usize,
    /// Outputs per row.
    pub n: usize,
    /// Number of the activation.
    pub kind: u32,
    /// Room for panels.
    pub scratch: Cells<'a>,
    /// The share of the work to do, if threads divide it.
    pub share: Share,
}

/// Destinations of the gradients dw\[k,n\], db\[n\], dx\[m,k\] (each optional), and the flags of those to add to.
pub struct Gradients<'a> {
    /// Gradient of the weights.
    pub dw: Option<Cells<'a>>,
    /// Gradient of the bias.
    pub db: Option<Cells<'a>>,
    /// Gradient of the inputs.
    pub dx: Option<Cells<'a>>,
    /// ACCUMULATE_ bits.
    pub accumulate: u32,
}

/// y\[m,n\] = f(z), z\[m,n\] = b\[n\] + x\[m,k\] · w\[k,n\]; z is kept if the activation's derivative needs it.
#[inline(always)]
pub fn forward(layer: &Layer, b: Option<Cells>, z: Option<Cells>, y: Cells) {
    let &Layer { x, w, m, k, n, kind, scratch, share } = layer;
    let start = b.map_or_else(Start::zero, Start::bias);
    let sums = z.filter(|_| activation::saves_input(kind)).unwrap_or(y);
    let region = share.region(m, n, false);
    gemm::multiply(Layout::Plain, start, [x, w, sums, scratch], Sizes { m, n, k }, region.clone());
    if kind != LINEAR {
        lines(region, n, |at| activation::forward(kind, &sums[at.clone()], &y[at]));
    }
}

/// Calls f with each stretch of consecutive elements of a rectangle of a matrix with n columns.
#[inline(always)]
fn lines(Region { rows, columns }: Region, n: usize, f: impl Fn(Range<usize>)) {
    let whole = columns.len() == n;
    let (count, length) = if whole { (1, rows.len() * n) } else { (rows.len(), columns.len()) };
    for i in 0..count {
        let at = (rows.start + i) * n + columns.start;
        f(at..at + length);
    }
}

/// dz\[m,n\] = dy ⊙ f′(saved), then [`gradients`]. dz may be dy, and is unused for linear.
#[inline(always)]
pub fn backward(layer: &Layer, saved: Cells, dy: Cells, dz: Cells, to: &Gradients) {
    let kind = layer.kind;
    if kind != LINEAR {
        activation::backward(kind, saved, dy, dz);
    }
    gradients(layer, if kind == LINEAR { dy } else { dz }, to);
}

/// dw = xᵀ · dz; db = Σ_m dz; dx = dz · wᵀ.
#[inline(always)]
pub fn gradients(layer: &Layer, dz: Cells, to: &Gradients) {
    let &Layer { x, w, m, k, n, scratch, share, .. } = layer;
    let adds = |bit: u32| to.accumulate & bit != 0;
    if let Some(dw) = to.dw {
        let (start, sizes) = (Start::sum(adds(ACCUMULATE_W), dw, n), Sizes { m: k, n, k: m });
        gemm::multiply(Layout::FirstTransposed, start, [x, dz, dw, scratch], sizes, share.region(k, n, true));
    }
    if let Some(db) = to.db {
        let columns = share.columns(n);
        column_sums(dz, n, columns.clone(), &db[columns], adds(ACCUMULATE_B));
    }
    if let Some(dx) = to.dx {
        let (start, sizes) = (Start::sum(adds(ACCUMULATE_X), dx, k), Sizes { m, n: k, k: n });
        gemm::multiply(Layout::SecondTransposed, start, [dz, w, dx, scratch], sizes, share.region(m, k, false));
    }
}

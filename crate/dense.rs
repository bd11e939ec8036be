//! The dense layer: forward with its bias and activation, backward as three products.
//!
//! The bias is where the accumulators start. The activation is a pass of its own over y: one read and one write against
//! the k multiply-adds that each element took, so fusing it into the tile would save under one percent.

use crate::activation;
use crate::elementwise::Add;
use crate::gemm::{self, Sizes, Start};
use crate::sweep::{zip, Cells};

/// Bits of `accumulate` (ACCUMULATE_ in ts/backend/kernels.ts).
const ACCUMULATE_W: u32 = 1;
const ACCUMULATE_B: u32 = 2;
const ACCUMULATE_X: u32 = 4;

const LINEAR: u32 = 0;

/// What both directions take: x\[m,k\], w\[k,n\], the activation, and [`gemm::SCRATCH`] floats of scratch.
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
}

/// Where backward writes what is wanted of dw\[k,n\], db\[n\], dx\[m,k\], and which of them it adds to.
pub struct Gradients<'a> {
    /// For the weights.
    pub dw: Option<Cells<'a>>,
    /// For the bias.
    pub db: Option<Cells<'a>>,
    /// For the inputs.
    pub dx: Option<Cells<'a>>,
    /// ACCUMULATE_ bits.
    pub accumulate: u32,
}

/// y\[m,n\] = f(z), z\[m,n\] = b\[n\] + x\[m,k\] · w\[k,n\]; z is kept where the activation's derivative needs it.
pub fn forward(layer: &Layer, b: Option<Cells>, z: Option<Cells>, y: Cells) {
    let &Layer { x, w, m, k, n, kind, scratch } = layer;
    let start = b.map_or_else(Start::zero, Start::bias);
    let sums = z.filter(|_| activation::saves_input(kind)).unwrap_or(y);
    gemm::nn(start, x, w, sums, Sizes { m, n, k }, scratch);
    if kind != LINEAR {
        activation::forward(kind, sums, y);
    }
}

/// dz\[m,n\] = dy ⊙ f′(saved); dw = xᵀ · dz; db = Σ_m dz; dx = dz · wᵀ. dz may be dy, and is unused for linear.
pub fn backward(layer: &Layer, saved: Cells, dy: Cells, dz: Cells, to: &Gradients) {
    let &Layer { x, w, m, k, n, kind, scratch } = layer;
    if kind != LINEAR {
        activation::backward(kind, saved, dy, dz);
    }
    let dz = if kind == LINEAR { dy } else { dz };
    let adds = |bit: u32| to.accumulate & bit != 0;
    if let Some(dw) = to.dw {
        gemm::tn(x, dz, dw, Sizes { m: k, n, k: m }, adds(ACCUMULATE_W), scratch);
    }
    if let Some(db) = to.db {
        column_sums(dz, db, adds(ACCUMULATE_B));
    }
    if let Some(dx) = to.dx {
        gemm::nt(dz, w, dx, Sizes { m, n: k, k: n }, adds(ACCUMULATE_X), scratch);
    }
}

/// Fewer columns than this are summed one by one.
const FEW: usize = 8;

/// sums\[j\] = Σ_i rows\[i,j\] (+ sums), i ascending.
fn column_sums(rows: Cells, sums: Cells, accumulate: bool) {
    let n = sums.len();
    if !accumulate {
        sums.iter().for_each(|sum| sum.set(0.0));
    }
    if n < FEW {
        for (j, sum) in sums.iter().enumerate() {
            sum.set(rows.chunks_exact(n).fold(sum.get(), |total, row| total + row[j].get()));
        }
        return;
    }
    for row in rows.chunks_exact(n) {
        zip(Add, sums, row, sums);
    }
}

//! The dense layer: forward with its bias and activation, backward as three products.
//!
//! The bias is where the accumulators start. The activation is a pass of its own over y: one read and one write against
//! the k multiply-adds that each element took, so fusing it into the tile would save under one percent.
#![allow(unsafe_code)]

use crate::activation;
use crate::gemm::{self, Start};
use crate::lane::Lane;
use crate::sweep::{zip, Cells, Zip};
use core::slice;

/// Bits of `accumulate` (ACCUMULATE_ in ts/backend/kernels.ts).
const ACCUMULATE_W: u32 = 1;
const ACCUMULATE_B: u32 = 2;
const ACCUMULATE_X: u32 = 4;

const LINEAR: u32 = 0;

/// y\[m,n\] = f(z), z\[m,n\] = b\[n\] + x\[m,k\] · w\[k,n\]; b may be null, z null or unused.
///
/// # Safety
/// Pointers that are not null are valid for their matrices, `scratch` for [`gemm::SCRATCH`] floats; y and z overlap nothing.
pub unsafe fn forward(
    x: *const f32,
    w: *const f32,
    b: *const f32,
    z: *mut f32,
    y: *mut f32,
    m: usize,
    k: usize,
    n: usize,
    kind: u32,
    scratch: *mut f32,
) {
    let start = if b.is_null() {
        Start::zero()
    } else {
        Start::bias(b)
    };
    let sums = if activation::saves_input(kind) && !z.is_null() {
        z
    } else {
        y
    };
    // SAFETY: the caller's promise.
    unsafe {
        gemm::matmul_from(start, x, w, sums, m, n, k, scratch);
        if kind != LINEAR {
            activation::forward(kind, cells(sums, m * n), cells(y, m * n));
        }
    }
}

/// dz\[m,n\] = dy ⊙ f′(saved); dw\[k,n\] = xᵀ · dz; db\[n\] = Σ_m dz; dx\[m,k\] = dz · wᵀ; the last three may be null.
///
/// # Safety
/// Pointers that are not null are valid for their matrices, `scratch` for [`gemm::SCRATCH`] floats; dz may be dy, and
/// otherwise outputs overlap nothing.
pub unsafe fn backward(
    x: *const f32,
    w: *const f32,
    saved: *const f32,
    dy: *const f32,
    dz: *mut f32,
    dw: *mut f32,
    db: *mut f32,
    dx: *mut f32,
    m: usize,
    k: usize,
    n: usize,
    kind: u32,
    accumulate: u32,
    scratch: *mut f32,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if kind != LINEAR {
            activation::backward(
                kind,
                cells(saved, m * n),
                cells(dy, m * n),
                cells(dz, m * n),
            );
        }
        let dz = if kind == LINEAR { dy } else { dz.cast_const() };
        if !dw.is_null() {
            gemm::matmul_tn(x, dz, dw, k, n, m, accumulate & ACCUMULATE_W != 0, scratch);
        }
        if !db.is_null() {
            column_sums(
                cells(dz, m * n),
                cells(db, n),
                accumulate & ACCUMULATE_B != 0,
            );
        }
        if !dx.is_null() {
            gemm::matmul_nt(dz, w, dx, m, k, n, accumulate & ACCUMULATE_X != 0, scratch);
        }
    }
}

/// sums\[j\] = Σ_i rows\[i,j\] (+ sums), i ascending.
fn column_sums(rows: Cells, sums: Cells, accumulate: bool) {
    if !accumulate {
        sums.iter().for_each(|sum| sum.set(0.0));
    }
    for row in rows.chunks_exact(sums.len().max(1)) {
        zip(Add, sums, row, sums);
    }
}

/// sum + value
struct Add;

impl Zip for Add {
    #[inline(always)]
    fn apply<L: Lane>(&self, sum: L, value: L) -> L {
        sum + value
    }
}

/// The n floats at p, which other views may overlap.
unsafe fn cells<'a>(p: *const f32, n: usize) -> Cells<'a> {
    if n == 0 {
        return &[];
    }
    // SAFETY: the caller's promise: n floats at p; a cell is laid out as its float.
    unsafe { slice::from_raw_parts(p.cast(), n) }
}

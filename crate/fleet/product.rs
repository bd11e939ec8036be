//! The matrix product of a fleet: in each block of C some rows by some columns, for eight nets at a time.
#![allow(unsafe_code)]

use super::job::{Factor, Job, Nets};
use super::{panels, Net8, NETS};
use crate::activation::rectified;
use crate::lane::{F32x4, F32x8, Lane};
use core::array::from_fn;

/// c\[i,j\] = start\[j\] + Σ a\[i,step\] · b\[step,j\] for eight nets, steps in ascending order. If `SHARED`, a has one float for all nets. `start`
/// may be null: sums then begin at 0. If `RELU`, c has ReLU of the sums. With either flag, columns of b are contiguous.
///
/// # Safety
/// a, b, start and c have the number of elements that follows from the sizes, and the scratch is valid; c overlaps none of them.
pub unsafe fn product<const SHARED: bool, const RELU: bool>(
    [rows, columns, steps]: [usize; 3],
    a: Factor,
    b: Factor,
    start: *const f32,
    c: *mut f32,
    context: Context,
) {
    let job = Job { rows, columns, steps, a, b, start, c };
    // SAFETY: as the caller promises.
    unsafe {
        match b.line {
            _ if panels::pay::<SHARED>(&job, context.is_wide) => {
                panels::multiply::<SHARED>(&job, RELU, context.scratch, context.is_wide)
            }
            NETS => strips::<SHARED, true, RELU>(&job),
            _ if SHARED || RELU => unreachable!(),
            _ => strips::<false, false, false>(&job),
        }
    }
}

/// Scratch and flags of a product.
#[derive(Clone, Copy)]
pub struct Context {
    /// [`panels::SCRATCH_FLOATS`] floats.
    pub scratch: *mut f32,
    /// True if the engine computes with both halves of eight nets at once.
    pub is_wide: bool,
}

/// Computes all columns, as many at a time as fit the registers. If `NEAR`, columns of b are contiguous.
///
/// # Safety
/// The contract of [`product`].
unsafe fn strips<const SHARED: bool, const NEAR: bool, const RELU: bool>(job: &Job) {
    let mut j = 0;
    // SAFETY: strips lie inside c.
    unsafe {
        while j < job.columns {
            match job.columns - j {
                1 => {
                    strip::<F32x8, SHARED, NEAR, RELU, 4, 1>(job, j);
                    j += 1;
                }
                _ if SHARED => {
                    strip::<F32x8, SHARED, NEAR, RELU, 2, 2>(job, j);
                    j += 2;
                }
                2 | 4 => {
                    strip::<F32x4, SHARED, NEAR, RELU, 4, 2>(job, j);
                    j += 2;
                }
                // four nets at a time leave registers for more of c, so that each number that is loaded is used more often
                _ => {
                    strip::<F32x4, SHARED, NEAR, RELU, 3, 3>(job, j);
                    j += 3;
                }
            }
        }
    }
}

/// Computes J columns of c, I rows at a time.
///
/// # Safety
/// The contract of [`product`], and the columns lie inside c.
#[inline(always)]
unsafe fn strip<L: Nets, const SHARED: bool, const NEAR: bool, const RELU: bool, const I: usize, const J: usize>(
    job: &Job,
    j: usize,
) {
    let mut i = 0;
    // SAFETY: blocks lie inside c, and so do their lines of a and b.
    unsafe {
        while i + I <= job.rows && !(I == 3 && i + 4 == job.rows) {
            call_block::<L, SHARED, NEAR, RELU, I, J>(job, i, j);
            i += I;
        }
        while I > 2 && i + 2 <= job.rows {
            call_block::<L, SHARED, NEAR, RELU, 2, J>(job, i, j);
            i += 2;
        }
        if i < job.rows {
            call_block::<L, SHARED, NEAR, RELU, 1, J>(job, i, j);
        }
    }
}

/// Calls [`block`] in the form that V8 compiles best. If both factors are interleaved, that is a separate function, so that its sums have all
/// registers.
///
/// # Safety
/// As for [`block`].
#[inline(always)]
unsafe fn call_block<
    L: Nets,
    const SHARED: bool,
    const NEAR: bool,
    const RELU: bool,
    const I: usize,
    const J: usize,
>(
    job: &Job,
    i: usize,
    j: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if SHARED {
            block::<L, SHARED, NEAR, RELU, I, J>(job, i, j)
        } else {
            outlined_block::<L, SHARED, NEAR, RELU, I, J>(job, i, j)
        }
    }
}

/// [`block`] as a separate function.
///
/// # Safety
/// As for [`block`].
#[inline(never)]
unsafe fn outlined_block<
    L: Nets,
    const SHARED: bool,
    const NEAR: bool,
    const RELU: bool,
    const I: usize,
    const J: usize,
>(
    job: &Job,
    i: usize,
    j: usize,
) {
    // SAFETY: the caller's promise.
    unsafe { block::<L, SHARED, NEAR, RELU, I, J>(job, i, j) }
}

/// Computes I rows by J columns of c.
///
/// # Safety
/// The contract of [`product`], and the block lies inside c.
#[inline(always)]
unsafe fn block<L: Nets, const SHARED: bool, const NEAR: bool, const RELU: bool, const I: usize, const J: usize>(
    job: &Job,
    i: usize,
    j: usize,
) {
    let (a, b) = (job.a.from(i), job.b.from(j));
    let line = if NEAR { NETS } else { b.line };
    for net in L::FIRST {
        // SAFETY: the caller's promise.
        unsafe {
            let first: [L; J] = from_fn(|v| match job.start.is_null() {
                true => L::splat(0.0),
                false => L::load_nets(job.start.add(NETS * (j + v) + net)),
            });
            let mut sums = [first; I];
            let (mut pa, mut pb) = (if SHARED { a.at } else { a.at.add(net) }, b.at.add(net));
            for _ in 0..job.steps {
                let right: [L; J] = from_fn(|v| L::load_nets(pb.add(v * line)));
                for (u, sums) in sums.iter_mut().enumerate() {
                    let p = pa.add(u * a.line);
                    let left = if SHARED { L::load_shared(p) } else { L::load_nets(p) };
                    for v in 0..J {
                        sums[v] = left.mul_add(right[v], sums[v]);
                    }
                }
                pa = pa.wrapping_add(a.step);
                pb = pb.wrapping_add(b.step);
            }
            for (u, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let sum = if RELU { rectified(sum) } else { sum };
                    sum.store_nets(job.c.add(NETS * ((i + u) * job.columns + j + v) + net));
                }
            }
        }
    }
}

/// c\[i,j\] = 0 + a\[i\] · b\[j\], all side by side: a [`product`] of a single step.
pub fn outer(a: &[Net8], b: &[Net8], c: &[Net8]) {
    for (a, c) in a.iter().zip(c.chunks_exact(b.len())) {
        let a = F32x8::get(a);
        for (b, c) in b.iter().zip(c) {
            a.mul_add(F32x8::get(b), F32x8::splat(0.0)).set(c);
        }
    }
}

//! The matrix product of a fleet: in each block of C some rows by some columns, for eight nets at a time.
#![allow(unsafe_code)]

use super::NETS;
use crate::lane::{F32x4, F32x8, Lane};
use core::array::from_fn;

/// One factor of a product: where it begins, and how many floats lie between its rows (or columns) and between two steps of the sum.
#[derive(Clone, Copy)]
pub struct Factor {
    pub at: *const f32,
    pub line: usize,
    pub step: usize,
}

impl Factor {
    /// The factor from line i on.
    #[inline(always)]
    fn from(self, i: usize) -> Self {
        Factor { at: self.at.wrapping_add(i * self.line), ..self }
    }
}

/// c\[i,j\] = start\[j\] + Σ a\[i,step\] · b\[step,j\] for eight nets, steps in ascending order. Where `SHARED`, a has one float for all nets.
/// `start` may be null: sums then begin at 0.
///
/// # Safety
/// a, b, start and c have as many elements as the sizes say; c overlaps none of them.
pub unsafe fn product<const SHARED: bool>(
    [rows, columns, steps]: [usize; 3],
    a: Factor,
    b: Factor,
    start: *const f32,
    c: *mut f32,
) {
    let job = Job { columns, steps, start, c };
    let mut j = 0;
    // SAFETY: blocks lie inside c, and so do their lines of a and b.
    unsafe {
        while j + 2 <= columns {
            let mut i = 0;
            while i + 2 <= rows {
                block::<SHARED, 2, 2>(&job, a.from(i), b.from(j), i, j);
                i += 2;
            }
            if i < rows {
                block::<SHARED, 1, 2>(&job, a.from(i), b.from(j), i, j);
            }
            j += 2;
        }
        if j < columns {
            let mut i = 0;
            while i + 4 <= rows {
                block::<SHARED, 4, 1>(&job, a.from(i), b.from(j), i, j);
                i += 4;
            }
            while i < rows {
                block::<SHARED, 1, 1>(&job, a.from(i), b.from(j), i, j);
                i += 1;
            }
        }
    }
}

/// What all blocks of a product have in common.
struct Job {
    columns: usize,
    steps: usize,
    start: *const f32,
    c: *mut f32,
}

/// I rows by J columns of c.
///
/// # Safety
/// As [`product`], and the block lies inside c.
#[inline(always)]
unsafe fn block<const SHARED: bool, const I: usize, const J: usize>(
    job: &Job,
    a: Factor,
    b: Factor,
    i: usize,
    j: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let first: [F32x8; J] =
            from_fn(|v| if job.start.is_null() { F32x8::splat(0.0) } else { load(job.start.add(NETS * (j + v))) });
        let mut sums = [first; I];
        let (mut pa, mut pb) = (a.at, b.at);
        for _ in 0..job.steps {
            let right: [F32x8; J] = from_fn(|v| load(pb.add(v * b.line)));
            for (u, sums) in sums.iter_mut().enumerate() {
                let p = pa.add(u * a.line);
                let left = if SHARED { F32x8(F32x4::load_splat(p), F32x4::load_splat(p)) } else { load(p) };
                for v in 0..J {
                    sums[v] = left.mul_add(right[v], sums[v]);
                }
            }
            pa = pa.wrapping_add(a.step);
            pb = pb.wrapping_add(b.step);
        }
        for (u, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                let to = job.c.add(NETS * ((i + u) * job.columns + j + v));
                sum.0.store_ptr(to);
                sum.1.store_ptr(to.add(4));
            }
        }
    }
}

/// One float of each net.
///
/// # Safety
/// Eight floats are there.
#[inline(always)]
unsafe fn load(p: *const f32) -> F32x8 {
    // SAFETY: the caller's promise.
    unsafe { F32x8(F32x4::load_ptr(p), F32x4::load_ptr(p.add(4))) }
}

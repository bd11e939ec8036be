//! Products of a fleet whose factors exceed a first-level cache. The factors are copied into panels first, in the order in which a block of sums
//! reads them. With eight nets side by side, the rows of a matrix are so far apart that a walk down a column uses the same few sets of that cache
//! again and again; in a panel the same walk is sequential.
#![allow(unsafe_code)]

use super::job::{Job, Nets};
use super::NETS;
use crate::activation::rectified;
use crate::lane::{F32x4, F32x8};
use core::array::from_fn;

/// Rows of a block of sums, which stay in registers: for a left factor that all nets share, and for one factor per net.
const ROWS_SHARED: usize = 4;
const ROWS_OWN: usize = 5;
/// Columns of a block.
const COLUMNS: usize = 2;
/// Steps of a panel, so that two of them fit the first-level cache.
const DEPTH: usize = 128;
/// Columns whose panels are made at a time, so that they stay in the second-level cache.
const WIDTH: usize = 64;

/// Floats of scratch that a product may need (the constant of this name in ts/backend/fleet.ts).
pub const SCRATCH_FLOATS: usize = NETS * DEPTH * (WIDTH + ROWS_OWN);

/// Least sizes for panels: the number of elements of the right factor, and the number of rows that use each of them. MIN is for vectors of four nets.
/// MIN_WIDE is for vectors of eight nets, because with one factor per net only panels compute with them.
const MIN: [usize; 2] = [1024, 16];
const MIN_WIDE: [usize; 2] = [128, 8];

/// Start values of the sums of a block: the value for sum (u, v) is at `at` + u·row + v·column.
#[derive(Clone, Copy)]
struct Start {
    at: *const f32,
    row: usize,
    column: usize,
}

static ZEROS: [f32; NETS] = [0.0; NETS];

/// True if panels make a product faster.
pub fn pay<const SHARED: bool>(job: &Job, is_wide: bool) -> bool {
    let [numbers, rows] = if is_wide && !SHARED { MIN_WIDE } else { MIN };
    job.columns * job.steps >= numbers && job.rows >= rows
}

/// The product of a job, for four nets at a time or for all eight.
///
/// # Safety
/// The contract of [`super::product::product`], and `scratch` is valid for [`SCRATCH_FLOATS`] floats.
pub unsafe fn multiply<const SHARED: bool>(job: &Job, is_rectified: bool, scratch: *mut f32, is_wide: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        match (is_wide, SHARED) {
            (true, true) => multiply_nets::<F32x8, true, ROWS_SHARED>(job, is_rectified, scratch),
            (true, false) => multiply_nets::<F32x8, false, ROWS_OWN>(job, is_rectified, scratch),
            (false, true) => multiply_nets::<F32x4, true, ROWS_SHARED>(job, is_rectified, scratch),
            (false, false) => multiply_nets::<F32x4, false, ROWS_OWN>(job, is_rectified, scratch),
        }
    }
}

unsafe fn multiply_nets<L: Nets, const SHARED: bool, const ROWS: usize>(
    job: &Job,
    is_rectified: bool,
    scratch: *mut f32,
) {
    let left = scratch;
    // SAFETY: both panels fit the scratch: at most WIDTH columns and ROWS_OWN rows of DEPTH steps.
    unsafe {
        let right = scratch.add(NETS * DEPTH * ROWS_OWN);
        for net in L::FIRST {
            for from in (0..job.steps).step_by(DEPTH) {
                let steps = DEPTH.min(job.steps - from);
                let is_last = from + steps == job.steps;
                for j in (0..job.columns).step_by(WIDTH) {
                    let columns = WIDTH.min(job.columns - j);
                    let section = Section { job, net, from, steps, j, columns, is_rectified: is_rectified && is_last };
                    section.copy_right::<L>(right);
                    section.rows::<L, SHARED, ROWS>(left, right);
                }
            }
        }
    }
}

/// A section of a product: some steps and columns, whose panels are made at a time.
struct Section<'a> {
    job: &'a Job,
    /// The first of the section's nets.
    net: usize,
    from: usize,
    steps: usize,
    j: usize,
    columns: usize,
    is_rectified: bool,
}

impl Section<'_> {
    /// Copies columns of the right factor into panels of COLUMNS columns. Missing columns repeat the last one.
    #[inline(never)]
    unsafe fn copy_right<L: Nets>(&self, panel: *mut f32) {
        let b = self.job.b.from(self.j);
        let mut to = panel;
        // SAFETY: the columns and steps exist.
        unsafe {
            for j in (0..self.columns).step_by(COLUMNS) {
                let column: [_; COLUMNS] = from_fn(|v| (j + v).min(self.columns - 1) * b.line);
                let mut from = b.at.wrapping_add(self.from * b.step + self.net);
                for _ in 0..self.steps {
                    for (v, column) in column.into_iter().enumerate() {
                        L::load_nets(from.add(column)).store_nets(to.add(v * L::WIDTH));
                    }
                    from = from.wrapping_add(b.step);
                    to = to.add(COLUMNS * L::WIDTH);
                }
            }
        }
    }

    /// Copies rows of the left factor, from row i on: vectors of nets, or single floats that all nets share. Missing rows repeat the last one.
    #[inline(never)]
    unsafe fn copy_left<L: Nets, const SHARED: bool, const ROWS: usize>(&self, i: usize, panel: *mut f32) {
        let a = self.job.a.from(i);
        let mut to = panel;
        let row: [_; ROWS] = from_fn(|u| u.min(self.job.rows - 1 - i) * a.line);
        let mut from = a.at.wrapping_add(self.from * a.step + if SHARED { 0 } else { self.net });
        // SAFETY: the rows and steps exist.
        unsafe {
            for _ in 0..self.steps {
                for (u, row) in row.into_iter().enumerate() {
                    if SHARED {
                        *to.add(u) = *from.add(row);
                    } else {
                        L::load_nets(from.add(row)).store_nets(to.add(u * L::WIDTH));
                    }
                }
                from = from.wrapping_add(a.step);
                to = to.add(left_step::<L, SHARED>(ROWS));
            }
        }
    }

    /// Computes all rows of these columns.
    unsafe fn rows<L: Nets, const SHARED: bool, const ROWS: usize>(&self, left: *mut f32, right: *const f32) {
        let &Section { job, net, from, steps, j: first, columns, is_rectified } = self;
        let row = NETS * job.columns;
        // SAFETY: blocks lie inside c, whose partial sums are the start values after the first steps.
        unsafe {
            for i in (0..job.rows).step_by(ROWS) {
                self.copy_left::<L, SHARED, ROWS>(i, left);
                for j in (0..columns).step_by(COLUMNS) {
                    let c = job.c.add(i * row + NETS * (first + j) + net);
                    let start = if from > 0 {
                        Start { at: c, row, column: NETS }
                    } else if job.start.is_null() {
                        Start { at: ZEROS.as_ptr(), row: 0, column: 0 }
                    } else {
                        Start { at: job.start.add(NETS * (first + j) + net), row: 0, column: NETS }
                    };
                    let (b, rows, columns) =
                        (right.add(j * steps * L::WIDTH), ROWS.min(job.rows - i), COLUMNS.min(columns - j));
                    Block { a: left, b, steps, start, c, row, rows, columns, is_rectified }.run::<L, SHARED, ROWS>();
                }
            }
        }
    }
}

/// Floats of a step in a panel of the left factor.
const fn left_step<L: Nets, const SHARED: bool>(rows: usize) -> usize {
    rows * if SHARED { 1 } else { L::WIDTH }
}

/// ROWS by COLUMNS sums. Rows and columns that do not exist repeat the last one, and are stored over it.
struct Block {
    a: *const f32,
    b: *const f32,
    steps: usize,
    start: Start,
    c: *mut f32,
    /// Floats from one row of c to the next.
    row: usize,
    rows: usize,
    columns: usize,
    is_rectified: bool,
}

impl Block {
    #[inline(never)]
    unsafe fn run<L: Nets, const SHARED: bool, const ROWS: usize>(&self) {
        let &Block { mut a, mut b, steps, start, c, row, rows, columns, is_rectified } = self;
        let u: [usize; ROWS] = from_fn(|u| u.min(rows - 1));
        let v: [usize; COLUMNS] = from_fn(|v| v.min(columns - 1));
        // SAFETY: the panels hold this number of steps; rows and columns exist.
        unsafe {
            let mut sums: [[L; COLUMNS]; ROWS] =
                u.map(|u| v.map(|v| L::load_nets(start.at.add(u * start.row + v * start.column))));
            for _ in 0..steps {
                multiply_add::<L, SHARED, ROWS>(&mut sums, a, b);
                a = a.add(left_step::<L, SHARED>(ROWS));
                b = b.add(COLUMNS * L::WIDTH);
            }
            if is_rectified {
                sums = sums.map(|sums| sums.map(rectified));
            }
            for (sums, u) in sums.into_iter().zip(u) {
                for (sum, v) in sums.into_iter().zip(v) {
                    sum.store_nets(c.add(u * row + NETS * v));
                }
            }
        }
    }
}

/// One step of a block, from the last sum to the first: in this order V8 loads each number just before it is used, and keeps the sums in
/// registers (docs/design/fleet.md).
#[inline(always)]
unsafe fn multiply_add<L: Nets, const SHARED: bool, const ROWS: usize>(
    sums: &mut [[L; COLUMNS]; ROWS],
    a: *const f32,
    b: *const f32,
) {
    // SAFETY: the caller stays inside the panels.
    unsafe {
        let right: [L; COLUMNS] = from_fn(|v| L::load_nets(b.add(v * L::WIDTH)));
        for u in (0..ROWS).rev() {
            let left = if SHARED { L::load_shared(a.add(u)) } else { L::load_nets(a.add(u * L::WIDTH)) };
            for v in (0..COLUMNS).rev() {
                sums[u][v] = left.mul_add(right[v], sums[u][v]);
            }
        }
    }
}

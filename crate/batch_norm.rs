//! Batch normalization of the columns of x\[rows, columns\]: y = (x − mean) / √(variance + ε) · weight + bias, and max(y, 0) on request.
//!
//! The loops take a strip of columns and some rows at a time, which stay in the first-level cache, with the numbers of a column in registers. Sums are
//! recursive over the rows, down to runs of [`RUN`]: their errors do not grow with the number of rows, and their order depends on that number alone, so
//! bits depend neither on the number of columns nor on threads, each of which takes some columns.

use crate::activation::rectified;
use crate::lane::{F32x4, F32x8, Lane};
use crate::sweep::Cells;
use core::array::from_fn;
use core::cell::Cell;
use core::ops::Range;

/// Rows that are taken at a time.
const RUN: usize = 32;
/// Columns that are taken at a time.
const STRIP: usize = 64;
/// Shares of threads begin at multiples of this number of columns, a line of the cache.
const LINE: usize = 16;

/// Bits of `accumulate` (ACCUMULATE_ in ts/backend/kernels.ts).
const ACCUMULATE_W: u32 = 1;
const ACCUMULATE_B: u32 = 2;

/// Some columns of the arrays \[rows, columns\], and a share of them for one of several threads.
#[derive(Clone, Copy)]
pub struct Columns {
    /// All columns.
    pub count: usize,
    /// The number of this share, from 0.
    pub share: usize,
    /// The number of shares.
    pub shares: usize,
}

impl Columns {
    /// Strips that cover the share.
    fn strips(self) -> impl Iterator<Item = Range<usize>> {
        let units = self.count.div_ceil(LINE);
        let begin = |share: usize| (units * share / self.shares * LINE).min(self.count);
        let end = begin(self.share + 1);
        (begin(self.share)..end).step_by(STRIP).map(move |from| from..(from + STRIP).min(end))
    }
}

/// A loop over rows for the columns of a lane.
trait Loop {
    /// Runs it for the columns from `column` of a strip on, as many as the lane has floats.
    fn run<L: Lane>(&self, column: usize);

    /// Runs it for `width` columns.
    #[inline(always)]
    fn all(&self, width: usize) {
        self.from(0, width);
    }

    /// Runs it for the columns of a strip of `width` from `column` on.
    #[inline(always)]
    fn from(&self, mut column: usize, width: usize) {
        while column + F32x8::WIDTH <= width {
            self.run::<F32x8>(column);
            column += F32x8::WIDTH;
        }
        if column + F32x4::WIDTH <= width {
            self.run::<F32x4>(column);
            column += F32x4::WIDTH;
        }
        while column < width {
            self.run::<f32>(column);
            column += 1;
        }
    }
}

/// The number of rows of the first half: whole runs.
fn half(rows: usize) -> usize {
    (rows / 2).next_multiple_of(RUN)
}

/// Sums beside those that are in memory, for the columns of a strip.
type Aside = [Cell<f32>; STRIP];

fn aside() -> Aside {
    [const { Cell::new(0.0) }; STRIP]
}

/// The mean of each column, and the mean squared distance from it: NaN if it is too large for a float, since normalizing by it would make zeros.
pub fn moments(x: Cells, mean: Cells, variance: Cells, columns: Columns) {
    for strip in columns.strips() {
        let (mean, variance) = (&mean[strip.clone()], &variance[strip.clone()]);
        run_moments(x, columns.count, strip.start, mean, variance);
        variance.iter().for_each(|v| v.set(v.get() + 0.0 * v.get()));
    }
}

/// Mean and variance of columns from `at` on (Chan, Golub & LeVeque 1983). No sum of squares is larger than the variance.
#[inline(never)]
fn run_moments(x: Cells, n: usize, at: usize, mean: Cells, variance: Cells) {
    let rows = x.len() / n;
    if rows <= RUN {
        Moments { x, n, at, mean, variance }.all(mean.len());
        return;
    }
    let first = half(rows);
    let (above, below) = x.split_at(first * n);
    run_moments(above, n, at, mean, variance);
    let (other_mean, other_variance): (Aside, Aside) = (aside(), aside());
    let others = (&other_mean[..mean.len()], &other_variance[..mean.len()]);
    run_moments(below, n, at, others.0, others.1);
    let share = (rows - first) as f32 / rows as f32;
    Merge { of: (mean, variance), with: others, share }.all(mean.len());
}

struct Moments<'a> {
    x: Cells<'a>,
    n: usize,
    at: usize,
    mean: Cells<'a>,
    variance: Cells<'a>,
}

impl Loop for Moments<'_> {
    /// Two lanes at a time: each sum waits for its last addition, so that one lane would take twice as long.
    #[inline(always)]
    fn all(&self, width: usize) {
        let mut column = 0;
        while column + 2 * F32x8::WIDTH <= width {
            self.lanes::<F32x8, 2>(column);
            column += 2 * F32x8::WIDTH;
        }
        self.from(column, width);
    }

    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        self.lanes::<L, 1>(column);
    }
}

impl Moments<'_> {
    #[inline(always)]
    fn lanes<L: Lane, const N: usize>(&self, column: usize) {
        let lanes = self.at + column..self.at + column + N * L::WIDTH;
        let at = |cells: Cells| -> [L; N] { from_fn(|i| L::get(&cells[i * L::WIDTH..])) };
        let share = L::splat(self.n as f32 / self.x.len() as f32);
        let (mut sum, mut variance) = ([L::splat(0.0); N], [L::splat(0.0); N]);
        // distances from the first row: the mean of equal values is that value, and has no rounding error that would be normalized
        let first: [L; N] = self.x.get(lanes.clone()).map_or([L::splat(0.0); N], at);
        for row in self.x.chunks_exact(self.n) {
            let x = at(&row[lanes.clone()]);
            sum = from_fn(|i| sum[i] + (x[i] - first[i]));
        }
        let mean: [L; N] = from_fn(|i| sum[i].mul_add(share, first[i]));
        for row in self.x.chunks_exact(self.n) {
            let x = at(&row[lanes.clone()]);
            variance = from_fn(|i| {
                let distance = x[i] - mean[i];
                distance.mul_add(distance * share, variance[i])
            });
        }
        for i in 0..N {
            mean[i].set(&self.mean[column + i * L::WIDTH..]);
            variance[i].set(&self.variance[column + i * L::WIDTH..]);
        }
    }
}

/// The moments of two sets of rows together.
struct Merge<'a> {
    of: (Cells<'a>, Cells<'a>),
    with: (Cells<'a>, Cells<'a>),
    /// Share of the second set.
    share: f32,
}

impl Loop for Merge<'_> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let get = |cells: Cells| L::get(&cells[column..column + L::WIDTH]);
        let (a, b) = (L::splat(1.0 - self.share), L::splat(self.share));
        let distance = get(self.with.0) - get(self.of.0);
        let mean = distance.mul_add(b, get(self.of.0));
        let within = get(self.of.1).mul_add(a, get(self.with.1) * b);
        let variance = distance.mul_add(distance * (a * b), within);
        mean.set(&self.of.0[column..]);
        variance.set(&self.of.1[column..]);
    }
}

/// What the arrays of a column are normalized by.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// The mean of each column.
    pub mean: Cells<'a>,
    /// The variance of each column.
    pub variance: Cells<'a>,
    /// The weight of each column.
    pub weight: Cells<'a>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Norm<'_> {
    /// The mean of columns, and 1 / √(variance + ε).
    #[inline(always)]
    fn of<L: Lane>(&self, column: usize) -> (L, L) {
        let deviation = (L::get(&self.variance[column..column + L::WIDTH]) + L::splat(self.epsilon)).sqrt();
        (L::get(&self.mean[column..column + L::WIDTH]), L::splat(1.0) / deviation)
    }
}

/// y = (x − mean) / √(variance + ε) · weight + bias; with `relu`, the larger of that and 0.
pub fn forward(x: Cells, norm: Norm, bias: Cells, y: Cells, relu: bool, columns: Columns) {
    let n = columns.count;
    for strip in columns.strips() {
        let width = strip.len();
        for (x, y) in x.chunks(RUN * n).zip(y.chunks(RUN * n)) {
            if relu {
                Forward::<true> { x, norm, bias, y, n, at: strip.start }.all(width);
            } else {
                Forward::<false> { x, norm, bias, y, n, at: strip.start }.all(width);
            }
        }
    }
}

struct Forward<'a, const RELU: bool> {
    x: Cells<'a>,
    norm: Norm<'a>,
    bias: Cells<'a>,
    y: Cells<'a>,
    n: usize,
    at: usize,
}

impl<const RELU: bool> Loop for Forward<'_, RELU> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let from = self.at + column;
        let (mean, inverse): (L, L) = self.norm.of(from);
        let scale = inverse * L::get(&self.norm.weight[from..]);
        let bias = L::get(&self.bias[from..]);
        for (x, y) in self.x.chunks_exact(self.n).zip(self.y.chunks_exact(self.n)) {
            let z = (L::get(&x[from..from + L::WIDTH]) - mean).mul_add(scale, bias);
            let z = if RELU { rectified(z) } else { z };
            z.set(&y[from..from + L::WIDTH]);
        }
    }
}

/// Arrays of the backward pass.
#[derive(Clone, Copy)]
pub struct Backward<'a> {
    /// Inputs.
    pub x: Cells<'a>,
    /// Mean, variance and weight of each column.
    pub norm: Norm<'a>,
    /// The bias of each column, if negative results became 0: the results are computed again to see which.
    pub rectified: Option<Cells<'a>>,
    /// Gradient of the results.
    pub dy: Cells<'a>,
    /// Gradient of the weights.
    pub dw: Option<Cells<'a>>,
    /// Gradient of the bias.
    pub db: Option<Cells<'a>>,
    /// Gradient of the inputs.
    pub dx: Option<Cells<'a>>,
    /// ACCUMULATE_ bits.
    pub accumulate: u32,
}

/// With dz = dy, or 0 where a result was rectified to 0, and normal = (x − mean) / √(variance + ε): db = Σ dz, dw = Σ dz · normal, dx = weight / √(variance + ε) · (dz − db / rows − normal ·
/// dw / rows) (Ioffe & Szegedy 2015).
pub fn backward(b: Backward, columns: Columns) {
    let n = columns.count;
    let share = n as f32 / b.x.len() as f32;
    for strip in columns.strips() {
        let width = strip.len();
        let (along, total): (Aside, Aside) = (aside(), aside());
        let sums = (&along[..width], &total[..width]);
        if b.rectified.is_some() {
            run_sums::<true>(&b, n, strip.start, 0..b.x.len() / n, sums);
        } else {
            run_sums::<false>(&b, n, strip.start, 0..b.x.len() / n, sums);
        }
        Finish { b: &b, at: strip.start, sums }.all(width);
        if let Some(dx) = b.dx {
            for from in (0..b.x.len()).step_by(RUN * n) {
                let run = from..(from + RUN * n).min(b.x.len());
                if b.rectified.is_some() {
                    Gradient::<true> { b: &b, dx, n, at: strip.start, run, sums, share }.all(width);
                } else {
                    Gradient::<false> { b: &b, dx, n, at: strip.start, run, sums, share }.all(width);
                }
            }
        }
    }
}

/// Sums of some rows: Σ dz · (x − mean) and Σ dz of each column of a strip.
type Sums<'a> = (Cells<'a>, Cells<'a>);

#[inline(never)]
fn run_sums<const RELU: bool>(b: &Backward, n: usize, at: usize, rows: Range<usize>, sums: Sums) {
    let width = sums.0.len();
    if rows.len() <= RUN {
        GradientSums::<RELU> { b, n, at, run: rows.start * n..rows.end * n, sums }.all(width);
        return;
    }
    let middle = rows.start + half(rows.len());
    run_sums::<RELU>(b, n, at, rows.start..middle, sums);
    let (along, total): (Aside, Aside) = (aside(), aside());
    let others = (&along[..width], &total[..width]);
    run_sums::<RELU>(b, n, at, middle..rows.end, others);
    Add { to: sums.0, from: others.0 }.all(width);
    Add { to: sums.1, from: others.1 }.all(width);
}

struct Add<'a> {
    to: Cells<'a>,
    from: Cells<'a>,
}

impl Loop for Add<'_> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let to = &self.to[column..column + L::WIDTH];
        (L::get(to) + L::get(&self.from[column..])).set(to);
    }
}

/// Numbers of the columns of a lane.
struct Lanes<L> {
    mean: L,
    inverse: L,
    scale: L,
    bias: L,
}

impl Backward<'_> {
    #[inline(always)]
    fn lanes<L: Lane>(&self, column: usize) -> Lanes<L> {
        let (mean, inverse): (L, L) = self.norm.of(column);
        let bias = self.rectified.map_or(L::splat(0.0), |bias| L::get(&bias[column..]));
        Lanes { mean, inverse, scale: inverse * L::get(&self.norm.weight[column..]), bias }
    }
}

impl<L: Lane> Lanes<L> {
    /// The distance of x from the mean, and dz.
    #[inline(always)]
    fn of<const RELU: bool>(&self, x: &[Cell<f32>], dy: &[Cell<f32>]) -> (L, L) {
        let (distance, dy) = (L::get(x) - self.mean, L::get(dy));
        if RELU {
            (distance, dy.zero_where(distance.mul_add(self.scale, self.bias).le(L::splat(0.0))))
        } else {
            (distance, dy)
        }
    }
}

struct GradientSums<'a, const RELU: bool> {
    b: &'a Backward<'a>,
    n: usize,
    at: usize,
    run: Range<usize>,
    sums: Sums<'a>,
}

impl<const RELU: bool> Loop for GradientSums<'_, RELU> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let lane = self.at + column..self.at + column + L::WIDTH;
        let (b, run) = (self.b, self.run.clone());
        let lanes: Lanes<L> = b.lanes(lane.start);
        let (mut along, mut total) = (L::splat(0.0), L::splat(0.0));
        for (x, dy) in b.x[run.clone()].chunks_exact(self.n).zip(b.dy[run].chunks_exact(self.n)) {
            let (distance, dz) = lanes.of::<RELU>(&x[lane.clone()], &dy[lane.clone()]);
            total = total + dz;
            along = distance.mul_add(dz, along);
        }
        along.set(&self.sums.0[column..]);
        total.set(&self.sums.1[column..]);
    }
}

/// The gradients of weights and biases from the sums, of which the first becomes Σ dz · normal.
struct Finish<'a> {
    b: &'a Backward<'a>,
    at: usize,
    sums: Sums<'a>,
}

impl Loop for Finish<'_> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let from = self.at + column;
        let (_, inverse): (L, L) = self.b.norm.of(from);
        let sums = [L::get(&self.sums.0[column..]) * inverse, L::get(&self.sums.1[column..])];
        sums[0].set(&self.sums.0[column..]);
        for ((sum, to), bit) in sums.into_iter().zip([self.b.dw, self.b.db]).zip([ACCUMULATE_W, ACCUMULATE_B]) {
            if let Some(to) = to {
                let to = &to[from..from + L::WIDTH];
                (if self.b.accumulate & bit == 0 { sum } else { L::get(to) + sum }).set(to);
            }
        }
    }
}

struct Gradient<'a, const RELU: bool> {
    b: &'a Backward<'a>,
    dx: Cells<'a>,
    n: usize,
    at: usize,
    run: Range<usize>,
    sums: Sums<'a>,
    /// 1 / the number of rows.
    share: f32,
}

impl<const RELU: bool> Loop for Gradient<'_, RELU> {
    #[inline(always)]
    fn run<L: Lane>(&self, column: usize) {
        let lane = self.at + column..self.at + column + L::WIDTH;
        let (b, run) = (self.b, self.run.clone());
        let lanes: Lanes<L> = b.lanes(lane.start);
        let along = -(L::get(&self.sums.0[column..]) * lanes.inverse * L::splat(self.share));
        let average = L::get(&self.sums.1[column..]) * L::splat(self.share);
        let rows = b.x[run.clone()].chunks_exact(self.n).zip(b.dy[run.clone()].chunks_exact(self.n));
        for ((x, dy), dx) in rows.zip(self.dx[run].chunks_exact(self.n)) {
            let (distance, dz) = lanes.of::<RELU>(&x[lane.clone()], &dy[lane.clone()]);
            (distance.mul_add(along, dz - average) * lanes.scale).set(&dx[lane.clone()]);
        }
    }
}

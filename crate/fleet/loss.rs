//! Losses of a fleet: value and gradient of each net, with the bits of crate/loss.rs.

use super::{Net8, NETS};
use crate::lane::{F32x8, F64x2, Lane};
use crate::loss::Element;
use crate::math::exp_down;
use crate::precise::ln_single;
use crate::sweep::PAIRWISE_BLOCK;
use core::array::from_fn;
use core::cell::Cell;

/// Arguments of every loss besides its target.
pub struct Call<'a> {
    /// Predictions, rows × cols.
    pub prediction: &'a [Net8],
    /// One factor per row; all ones if absent.
    pub weights: Option<&'a [Net8]>,
    /// Destination of the gradient.
    pub gradient: &'a [Net8],
    /// Elements a row.
    pub cols: usize,
    /// Factor on everything.
    pub scale: f32,
}

impl Call<'_> {
    fn weight(&self, r: usize) -> F32x8 {
        self.weights.map_or(F32x8::splat(1.0), |w| F32x8::get(&w[r]))
    }
}

/// Sums in double precision, one a net.
struct Sums([F64x2; NETS / 2]);

impl Sums {
    fn new() -> Self {
        Sums([F64x2::splat(0.0); NETS / 2])
    }

    fn add(&mut self, weight: F32x8, value: F32x8) {
        let (weights, values) = (doubles(weight), doubles(value));
        self.0 = from_fn(|i| self.0[i] + weights[i] * values[i]);
    }

    fn store(self, scale: f32, out: &Net8) {
        let [a, b, c, d] = self.0.map(|sum| F64x2::splat(f64::from(scale)) * sum);
        F32x8(F64x2::pair_to_floats([a, b]), F64x2::pair_to_floats([c, d])).set(out);
    }
}

/// The same numbers as doubles.
fn doubles(x: F32x8) -> [F64x2; NETS / 2] {
    let ([a, b], [c, d]) = (F64x2::pair_of(x.0), F64x2::pair_of(x.1));
    [a, b, c, d]
}

/// Elements that are summed in single precision if rows have no weights (crate/loss.rs).
const CHUNK: usize = 64;

/// The value of an element-wise loss, and its gradient.
pub fn element_wise(loss: impl Element, call: &Call, target: &[Net8], out: &Net8) {
    let chunk = call.weights.map_or(CHUNK, |_| call.cols.max(1));
    let mut sums = Sums::new();
    let parts = call.prediction.chunks(chunk).zip(target.chunks(chunk)).zip(call.gradient.chunks(chunk));
    for (r, ((p, t), g)) in parts.enumerate() {
        let weight = call.weight(r);
        let factor = F32x8::splat(call.scale) * weight;
        let value = folded(
            F32x8::splat(0.0),
            p.len(),
            |a, b| a + b,
            |i| {
                let (p, t) = (F32x8::get(&p[i]), F32x8::get(&t[i]));
                (loss.slope(p, t) * factor).set(&g[i]);
                loss.value(p, t)
            },
        );
        sums.add(weight, value);
    }
    sums.store(call.scale, out);
}

/// n terms in four running sums, then ((0, 2), (1, 3)) and the remaining terms in order: the order of `sweep::total_into`.
#[inline(always)]
fn folded(start: F32x8, n: usize, f: impl Fn(F32x8, F32x8) -> F32x8, term: impl Fn(usize) -> F32x8) -> F32x8 {
    let mut running = [start; 4];
    let whole = n / 4 * 4;
    for i in (0..whole).step_by(4) {
        running = from_fn(|j| f(running[j], term(i + j)));
    }
    let [a, b, c, d] = running;
    (whole..n).fold(f(f(a, c), f(b, d)), |result, i| f(result, term(i)))
}

/// The order of `reduce::line`: one term after the other if there are fewer than four.
#[inline(always)]
fn line(start: F32x8, n: usize, f: impl Fn(F32x8, F32x8) -> F32x8, term: impl Fn(usize) -> F32x8) -> F32x8 {
    if n < 4 {
        return (0..n).fold(start, |result, i| f(result, term(i)));
    }
    folded(start, n, f, term)
}

/// The widest row of a cross-entropy. Longer rows are summed in halves, which only the kernel of a single net does.
pub const MAX_CLASSES: usize = PAIRWISE_BLOCK;

/// The terms from which the log-softmax of a row is computed.
struct Softmax {
    max: F32x8,
    /// Σ exp(p − max).
    exps: F32x8,
    /// Its logarithm.
    log: F32x8,
}

/// Leaves exp(p − max) in g.
#[inline(always)]
fn softmax(p: &[Net8], g: &[Net8]) -> Softmax {
    let at = |i: usize| F32x8::get(&p[i]);
    let max = line(F32x8::splat(f32::NEG_INFINITY), p.len(), F32x8::max, at);
    let exps = line(
        F32x8::splat(0.0),
        p.len(),
        |a, b| a + b,
        |i| {
            let e = exp_down(at(i) - max);
            e.set(&g[i]);
            e
        },
    );
    Softmax { max, exps, log: F32x8::from_array(exps.to_array().map(ln_single)) }
}

/// −Σ t′·log softmax(p) for one class a row, t′ = (1 − s)·onehot + s/cols. `target` has one label a row for each net.
pub fn cross_entropy_indices(call: &Call, target: &[[Cell<i32>; NETS]], smoothing: f32, out: &Net8) {
    let k = F32x8::splat;
    let rest = smoothing / call.cols as f32;
    let mut sums = Sums::new();
    let rows = call.prediction.chunks_exact(call.cols).zip(call.gradient.chunks_exact(call.cols));
    for (r, ((p, g), labels)) in rows.zip(target).enumerate() {
        let at = |i: usize| F32x8::get(&p[i]);
        let Softmax { max, exps, log } = softmax(p, g);
        let label: [usize; NETS] = from_fn(|net| labels[net].get() as usize);
        let wanted = F32x8::from_array(from_fn(|net| p[label[net]][net].get()));
        let mut loss = k(1.0 - smoothing) * ((max - wanted) + log);
        if rest != 0.0 {
            loss = loss + k(rest) * folded(k(0.0), p.len(), |a, b| a + b, |i| (max - at(i)) + log);
        }
        let weight = call.weight(r);
        sums.add(weight, loss);
        let factor = k(call.scale) * weight;
        let (share, rest) = (factor / exps, factor * k(rest));
        g.iter().for_each(|g| (F32x8::get(g) * share - rest).set(g));
        let hit = (factor * k(1.0 - smoothing)).to_array();
        for net in 0..NETS {
            let g = &g[label[net]][net];
            g.set(g.get() - hit[net]);
        }
    }
    sums.store(call.scale, out);
}

/// −Σ t′·log softmax(p) for probabilities t, t′ = (1 − s)·t + s/cols.
pub fn cross_entropy_probabilities(call: &Call, target: &[Net8], smoothing: f32, out: &Net8) {
    let k = F32x8::splat;
    let (keep, rest) = (k(1.0 - smoothing), k(smoothing / call.cols as f32));
    let zero = k(0.0);
    let mut sums = Sums::new();
    let rows = call.prediction.chunks_exact(call.cols).zip(call.gradient.chunks_exact(call.cols));
    for (r, ((p, g), t)) in rows.zip(target.chunks_exact(call.cols)).enumerate() {
        let at = |i: usize| F32x8::get(&p[i]);
        let smooth = |i: usize| F32x8::get(&t[i]) * keep + rest;
        let Softmax { max, exps, log } = softmax(p, g);
        let cost = |i: usize| {
            let wanted = smooth(i);
            F32x8::select(wanted.eq(zero), zero, wanted * ((max - at(i)) + log))
        };
        let weight = call.weight(r);
        sums.add(weight, folded(zero, p.len(), |a, b| a + b, cost));
        let mass = folded(zero, p.len(), |a, b| a + b, smooth);
        let (share, factor) = (mass / exps, k(call.scale) * weight);
        for (i, g) in g.iter().enumerate() {
            ((F32x8::get(g) * share - smooth(i)) * factor).set(g);
        }
    }
    sums.store(call.scale, out);
}

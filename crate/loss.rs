//! Losses: value and gradient in one pass. value = scale·Σ_r w_r·Σ_c ℓ(p, t), rows added up in double precision;
//! gradient = scale·w_r·∂ℓ/∂p.

use crate::elementwise::Exp;
use crate::lane::Lane;
use crate::math::{sigmoid, softplus_excess};
use crate::precise::ln_single;
use crate::reduce::{line_max, line_sum};
use crate::softmax::exp_sum;
use crate::sweep::{map, total, total_into, zip, Cells, Zip};
use core::cell::Cell;

/// Arguments of every loss besides its target.
pub struct Call<'a> {
    /// Predictions, rows × cols.
    pub prediction: Cells<'a>,
    /// One factor per row; all ones if absent.
    pub weights: Option<Cells<'a>>,
    /// Destination of the gradient, if it is wanted.
    pub gradient: Option<Cells<'a>>,
    /// Rows.
    pub rows: usize,
    /// Elements a row.
    pub cols: usize,
    /// Factor on everything.
    pub scale: f32,
}

impl Call<'_> {
    fn weight(&self, r: usize) -> f32 {
        self.weights.map_or(1.0, |w| w[r].get())
    }

    fn row<'b>(&self, cells: Cells<'b>, r: usize) -> Cells<'b> {
        &cells[r * self.cols..][..self.cols]
    }
}

/// A loss of one element: its value and its derivative by the prediction.
pub trait Element {
    /// ℓ(p, t)
    fn value<L: Lane>(&self, p: L, t: L) -> L;
    /// ∂ℓ/∂p
    fn slope<L: Lane>(&self, p: L, t: L) -> L;
}

struct Value<'a, E: Element>(&'a E);
impl<E: Element> Zip for Value<'_, E> {
    #[inline(always)]
    fn apply<L: Lane>(&self, p: L, t: L) -> L {
        self.0.value(p, t)
    }
}

struct Slope<'a, E: Element>(&'a E, f32);
impl<E: Element> Zip for Slope<'_, E> {
    #[inline(always)]
    fn apply<L: Lane>(&self, p: L, t: L) -> L {
        self.0.slope(p, t) * L::splat(self.1)
    }
}

/// Elements that are summed in single precision if rows have no weights: enough for vectors to pay, also for a single column, and few enough that the
/// rounding stays small.
const CHUNK: usize = 64;

/// The value of an element-wise loss; writes its gradient if wanted.
#[inline(always)]
pub fn element_wise(loss: impl Element, call: &Call, target: Cells) -> f32 {
    let chunk = call.weights.map_or(CHUNK, |_| call.cols.max(1));
    let mut sum = 0.0;
    let pairs = call.prediction.chunks(chunk).zip(target.chunks(chunk));
    for (r, (p, t)) in pairs.enumerate() {
        let weight = call.weight(r);
        let gradient = call.gradient.map(|gradient| &gradient[r * chunk..][..p.len()]);
        let value = total_into(Value(&loss), Slope(&loss, call.scale * weight), p, t, gradient);
        sum += f64::from(weight) * f64::from(value);
    }
    (f64::from(call.scale) * sum) as f32
}

/// (p − t)²
pub struct Squared;
impl Element for Squared {
    #[inline(always)]
    fn value<L: Lane>(&self, p: L, t: L) -> L {
        (p - t) * (p - t)
    }
    #[inline(always)]
    fn slope<L: Lane>(&self, p: L, t: L) -> L {
        (p - t) * L::splat(2.0)
    }
}

/// |p − t|
pub struct Absolute;
impl Element for Absolute {
    #[inline(always)]
    fn value<L: Lane>(&self, p: L, t: L) -> L {
        (p - t).abs()
    }
    #[inline(always)]
    fn slope<L: Lane>(&self, p: L, t: L) -> L {
        (p - t).sign()
    }
}

/// ½d² up to |d| = δ, then δ(|d| − ½δ)
pub struct Huber(pub f32);
impl Element for Huber {
    #[inline(always)]
    fn value<L: Lane>(&self, p: L, t: L) -> L {
        // both cases are s·(d − ½s), where s is the derivative
        let s = self.slope(p, t);
        s * ((p - t) - s * L::splat(0.5))
    }
    #[inline(always)]
    fn slope<L: Lane>(&self, p: L, t: L) -> L {
        (p - t).max(L::splat(-self.0)).min(L::splat(self.0))
    }
}

/// softplus(p) − p·t′, t′ = (1 − s)·t + s/2
pub struct Binary(pub f32);
impl Binary {
    #[inline(always)]
    fn smooth<L: Lane>(&self, t: L) -> L {
        t * L::splat(1.0 - self.0) + L::splat(0.5 * self.0)
    }
}
impl Element for Binary {
    #[inline(always)]
    fn value<L: Lane>(&self, p: L, t: L) -> L {
        // max(p, 0) and p·t′ nearly cancel if the prediction is right, so they are subtracted first: the small difference keeps its digits
        let (zero, wanted) = (L::splat(0.0), self.smooth(t));
        // p·t′ counts as 0 where t′ is 0, also for an infinite p
        (p.max(zero) - (p * wanted).zero_where(wanted.eq(zero))) + softplus_excess(p)
    }
    #[inline(always)]
    fn slope<L: Lane>(&self, p: L, t: L) -> L {
        sigmoid(p) - self.smooth(t)
    }
}

/// −log softmax(p) from the row's largest p and log Σ exp(p − max). p − max is computed first, as max and the logarithm may differ much in size.
struct Surprise {
    max: f32,
    log: f32,
}
impl Zip for Surprise {
    #[inline(always)]
    fn apply<L: Lane>(&self, p: L, _t: L) -> L {
        (L::splat(self.max) - p) + L::splat(self.log)
    }
}

/// −Σ t′·log softmax(p) for one class a row, t′ = (1 − s)·onehot + s/cols.
pub fn cross_entropy_indices(call: &Call, target: &[Cell<i32>], smoothing: f32) -> f32 {
    let rest = if call.cols == 0 { 0.0 } else { smoothing / call.cols as f32 };
    let mut sum = 0.0;
    if let Some(g) = call.gradient {
        exponentials(call, g);
    }
    for (r, label) in target.iter().enumerate().take(call.rows) {
        let (p, label) = (call.row(call.prediction, r), label.get() as usize);
        let gradient = call.gradient.map(|g| call.row(g, r));
        let max = line_max(p);
        let exps = gradient.map_or_else(|| exp_sum(p, max, None), line_sum);
        let log = ln_single(exps);
        let mut loss = (1.0 - smoothing) * ((max - p[label].get()) + log);
        if rest != 0.0 {
            loss += rest * total(&Surprise { max, log }, p, p);
        }
        let weight = call.weight(r);
        sum += f64::from(weight) * f64::from(loss);
        if let Some(g) = gradient {
            let factor = call.scale * weight;
            let (share, rest) = (factor / exps, factor * rest);
            g.iter().for_each(|g| g.set(g.get() * share - rest));
            g[label].set(g[label].get() - factor * (1.0 - smoothing));
        }
    }
    (f64::from(call.scale) * sum) as f32
}

/// g = exp(p − the row's largest): all rows at once, since a row of a few classes is much shorter than a block.
fn exponentials(call: &Call, g: Cells) {
    for r in 0..call.rows {
        let (p, g) = (call.row(call.prediction, r), call.row(g, r));
        let max = line_max(p);
        p.iter().zip(g).for_each(|(p, g)| g.set(p.get() - max));
    }
    map(Exp, g, g);
}

/// −t′·log softmax(p), and 0 where t′ is 0, also for a class of probability 0, whose logarithm is −∞.
struct Cost {
    surprise: Surprise,
    keep: f32,
    rest: f32,
}
impl Zip for Cost {
    #[inline(always)]
    fn apply<L: Lane>(&self, p: L, t: L) -> L {
        let wanted = t * L::splat(self.keep) + L::splat(self.rest);
        let zero = L::splat(0.0);
        L::select(wanted.eq(zero), zero, wanted * self.surprise.apply(p, t))
    }
}

/// t′
struct Wanted(f32, f32);
impl Zip for Wanted {
    #[inline(always)]
    fn apply<L: Lane>(&self, t: L, _p: L) -> L {
        t * L::splat(self.0) + L::splat(self.1)
    }
}

/// e·mass/Σe − t′, scaled
struct Residual {
    share: f32,
    keep: f32,
    rest: f32,
    factor: f32,
}
impl Zip for Residual {
    #[inline(always)]
    fn apply<L: Lane>(&self, e: L, t: L) -> L {
        (e * L::splat(self.share) - (t * L::splat(self.keep) + L::splat(self.rest))) * L::splat(self.factor)
    }
}

/// −Σ t′·log softmax(p) for probabilities t, t′ = (1 − s)·t + s/cols.
pub fn cross_entropy_probabilities(call: &Call, target: Cells, smoothing: f32) -> f32 {
    let (keep, rest) = (1.0 - smoothing, if call.cols == 0 { 0.0 } else { smoothing / call.cols as f32 });
    let mut sum = 0.0;
    if let Some(g) = call.gradient {
        exponentials(call, g);
    }
    for r in 0..call.rows {
        let (p, t) = (call.row(call.prediction, r), call.row(target, r));
        let gradient = call.gradient.map(|g| call.row(g, r));
        let max = line_max(p);
        let exps = gradient.map_or_else(|| exp_sum(p, max, None), line_sum);
        let surprise = Surprise { max, log: ln_single(exps) };
        let weight = call.weight(r);
        sum += f64::from(weight) * f64::from(total(&Cost { surprise, keep, rest }, p, t));
        if let Some(g) = gradient {
            let mass = total(&Wanted(keep, rest), t, t);
            zip(Residual { share: mass / exps, keep, rest, factor: call.scale * weight }, g, t, g);
        }
    }
    (f64::from(call.scale) * sum) as f32
}

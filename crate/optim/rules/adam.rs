//! Adam, with ε outside, inside or beside the root as the caller's numbers say, and AMSGrad.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// Adam's running means, which other methods share.
///
/// m ← m + (1 − β₁)·(g − m);  v ← β₂·v + (1 − β₂)·g²
pub struct Moments<N = f32> {
    one_minus_beta1: N,
    beta2: N,
    one_minus_beta2: N,
}

impl<N: Copy> From<&[N]> for Moments<N> {
    fn from(h: &[N]) -> Self {
        Moments { one_minus_beta1: h[0], beta2: h[1], one_minus_beta2: h[2] }
    }
}

impl<N: Number> Moments<N> {
    /// New m and v.
    #[inline(always)]
    pub fn update<L: Broadcast<N>>(&self, g: L, m: L, v: L) -> (L, L) {
        let k = L::broadcast;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        (m, v)
    }
}

/// p ← p − step_size·m / (√v + ε̂), or with √(v + εᵢ) where ε is INSIDE the root. The bias corrections are part of step_size and ε̂, so
/// that they cost nothing here: `Adam.hyper` in ts/optim/adam.ts derives them.
struct Adam<const INSIDE: bool, N = f32> {
    // the first field, so that V8 widens the loop: see `pairs` in crate/optim/mod.rs
    epsilon_hat: N,
    moments: Moments<N>,
    step_size: N,
    epsilon_in_root: N,
    /// What v is multiplied by before AMSGrad takes the largest: 1 or 1/(1 − β₂ᵗ).
    correction_before_maximum: N,
}

impl<const INSIDE: bool, N: Copy> From<&[N]> for Adam<INSIDE, N> {
    fn from(h: &[N]) -> Self {
        Adam {
            moments: h.into(),
            step_size: h[3],
            epsilon_hat: h[4],
            epsilon_in_root: h[5],
            correction_before_maximum: h[6],
        }
    }
}

impl<const INSIDE: bool, N: Number> Adam<INSIDE, N> {
    #[inline(always)]
    fn step<L: Broadcast<N>>(&self, p: L, m: L, v: L) -> L {
        let k = L::broadcast;
        let v = if INSIDE { v + k(self.epsilon_in_root) } else { v };
        p.minus_product(k(self.step_size), m / (v.sqrt() + k(self.epsilon_hat)))
    }
}

impl<const INSIDE: bool, N: Number> Rule<2, N> for Adam<INSIDE, N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let (m, v) = self.moments.update(g, m, v);
        (self.step(p, m, v), [m, v])
    }
}

impl<const INSIDE: bool, N: Number> Rule<3, N> for Adam<INSIDE, N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v, largest]: [L; 3]) -> (L, [L; 3]) {
        let (m, v) = self.moments.update(g, m, v);
        let largest = (v * L::broadcast(self.correction_before_maximum)).pmax(largest);
        (self.step(p, m, largest), [m, v, largest])
    }
}

/// ε outside the root.
type Outside<N> = Adam<false, N>;
/// ε inside the root or outside it: the caller sets the other to 0.
type Either<N> = Adam<true, N>;

export_update!(adam, fleetAdam, Outside, 2, 7);
export_update!(adamInside, fleetAdamInside, Either, 2, 7);
export_update!(amsgrad, fleetAmsgrad, Either, 3, 7);

//! Adam, with ε outside, inside or beside the root as the caller's numbers say, and AMSGrad.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

/// Adam's running means, which other methods share.
///
/// m ← m + (1 − β₁)·(g − m);  v ← β₂·v + (1 − β₂)·g²
#[inline(always)]
pub fn moments<N: Number, L: Broadcast<N>>(
    one_minus_beta1: N,
    beta2: N,
    one_minus_beta2: N,
    g: L,
    m: L,
    v: L,
) -> (L, L) {
    let k = L::broadcast;
    let m = (g - m).mul_add(k(one_minus_beta1), m);
    let v = k(beta2).mul_add(v, k(one_minus_beta2) * (g * g));
    (m, v)
}

numbers! {
    /// p ← p − step_size·m / (√v + ε̂), or with √(v + εᵢ) where ε is inside the root: the caller sets the other ε to 0. The bias corrections
    /// are part of step_size and ε̂, so that they cost nothing here: `Adam.hyper` in ts/optim/adam.ts derives them.
    struct Adam {
        // the first field, so that V8 widens the loop: see `pairs` in crate/optim/mod.rs
        epsilon_hat,
        one_minus_beta1,
        beta2,
        one_minus_beta2,
        step_size,
        epsilon_in_root,
        /// Factor of v before AMSGrad takes the largest: 1 or 1/(1 − β₂ᵗ).
        correction_before_maximum,
    }
}

numbers! {
    /// Adam with ε outside the root, where it needs no εᵢ.
    struct Outside(Adam);
}

impl<N: Number> Adam<N> {
    #[inline(always)]
    fn moments<L: Broadcast<N>>(&self, g: L, m: L, v: L) -> (L, L) {
        moments(self.one_minus_beta1, self.beta2, self.one_minus_beta2, g, m, v)
    }

    #[inline(always)]
    fn step<L: Broadcast<N>>(&self, p: L, m: L, root: L) -> L {
        let k = L::broadcast;
        p.minus_product(k(self.step_size), m / (root + k(self.epsilon_hat)))
    }

    #[inline(always)]
    fn root<L: Broadcast<N>>(&self, v: L) -> L {
        (v + L::broadcast(self.epsilon_in_root)).sqrt()
    }
}

impl<N: Number> Rule<2, N> for Outside<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let (m, v) = self.0.moments(g, m, v);
        (self.0.step(p, m, v.sqrt()), [m, v])
    }
}

impl<N: Number> Rule<2, N> for Adam<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let (m, v) = self.moments(g, m, v);
        (self.step(p, m, self.root(v)), [m, v])
    }
}

impl<N: Number> Rule<3, N> for Adam<N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v, largest]: [L; 3]) -> (L, [L; 3]) {
        let (m, v) = self.moments(g, m, v);
        let largest = (v * L::broadcast(self.correction_before_maximum)).pmax(largest);
        (self.step(p, m, self.root(largest)), [m, v, largest])
    }
}

export_update!(adam, fleetAdam, Outside, 2);
export_update!(adamInside, fleetAdamInside, Adam, 2);
export_update!(amsgrad, fleetAmsgrad, Adam, 3);

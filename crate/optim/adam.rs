//! Adam, with ε outside, inside or beside the root as the caller's numbers say, and AMSGrad.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// m ← m + (1 − β₁)(g − m);  v ← β₂·v + (1 − β₂)·g²;  p ← p − rate·m / (√v + ε), with √(v + εᵢ) where ε is INSIDE. The caller's
/// rate and ε make up for the bias of v as well, which so is no work for each number.
struct Adam<const INSIDE: bool> {
    epsilon: f32,
    take1: f32,
    beta2: f32,
    take2: f32,
    rate: f32,
    epsilon_root: f32,
    /// What v is multiplied by before AMSGrad takes the largest.
    early: f32,
}

impl<const INSIDE: bool> From<&[f32]> for Adam<INSIDE> {
    fn from(h: &[f32]) -> Self {
        Adam { take1: h[0], beta2: h[1], take2: h[2], rate: h[3], epsilon: h[4], epsilon_root: h[5], early: h[6] }
    }
}

impl<const INSIDE: bool> Adam<INSIDE> {
    #[inline(always)]
    fn moments<L: Lane>(&self, g: L, m: L, v: L) -> (L, L) {
        let k = L::splat;
        ((g - m).mul_add(k(self.take1), m), k(self.beta2).mul_add(v, k(self.take2) * (g * g)))
    }

    #[inline(always)]
    fn step<L: Lane>(&self, p: L, m: L, v: L) -> L {
        let k = L::splat;
        let v = if INSIDE { v + k(self.epsilon_root) } else { v };
        p.minus(k(self.rate), m / (v.sqrt() + k(self.epsilon)))
    }
}

impl<const INSIDE: bool> Rule<2> for Adam<INSIDE> {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let (m, v) = self.moments(g, m, v);
        (self.step(p, m, v), [m, v])
    }
}

impl<const INSIDE: bool> Rule<3> for Adam<INSIDE> {
    const SLOT: [Slot; 3] = [Slot::Mean, Slot::Square, Slot::Lasting];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v, largest]: [L; 3]) -> (L, [L; 3]) {
        let (m, v) = self.moments(g, m, v);
        let largest = (v * L::splat(self.early)).at_least(largest);
        (self.step(p, m, largest), [m, v, largest])
    }
}

/// ε outside the root.
type Outside = Adam<false>;
/// ε inside or outside.
type Inside = Adam<true>;

export_update!(adam, Outside, 2, 7);
export_update!(adamInside, Inside, 2, 7);
export_update!(amsgrad, Inside, 3, 7);

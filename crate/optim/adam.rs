//! Adam, with ε outside, inside or beside the root as the caller's numbers say, and AMSGrad.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// m ← m + (1 − β₁)(g − m);  v ← β₂·v + (1 − β₂)·g²;  p ← p − rate·m / (√(c·v + εᵢ) + ε)
struct Adam {
    take1: f32,
    beta2: f32,
    take2: f32,
    rate: f32,
    correction: f32,
    epsilon: f32,
    epsilon_root: f32,
    /// What v is multiplied by before AMSGrad takes the largest.
    early: f32,
}

impl From<&[f32]> for Adam {
    fn from(h: &[f32]) -> Self {
        Adam {
            take1: h[0],
            beta2: h[1],
            take2: h[2],
            rate: h[3],
            correction: h[4],
            epsilon: h[5],
            epsilon_root: h[6],
            early: h[7],
        }
    }
}

impl Adam {
    #[inline(always)]
    fn moments<L: Lane>(&self, g: L, m: L, v: L) -> (L, L) {
        let k = L::splat;
        ((g - m).mul_add(k(self.take1), m), k(self.beta2).mul_add(v, k(self.take2) * (g * g)))
    }

    #[inline(always)]
    fn step<L: Lane>(&self, m: L, v: L) -> L {
        let k = L::splat;
        k(self.rate) * m / (v.mul_add(k(self.correction), k(self.epsilon_root)).sqrt() + k(self.epsilon))
    }
}

impl Rule<2> for Adam {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let (m, v) = self.moments(g, m, v);
        (p - self.step(m, v), [m, v])
    }
}

impl Rule<3> for Adam {
    const SLOT: [Slot; 3] = [Slot::Mean, Slot::Square, Slot::Lasting];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v, largest]: [L; 3]) -> (L, [L; 3]) {
        let (m, v) = self.moments(g, m, v);
        let largest = (v * L::splat(self.early)).at_least(largest);
        (p - self.step(m, largest), [m, v, largest])
    }
}

export_update!(adam, Adam, 2, 8);
export_update!(amsgrad, Adam, 3, 8);

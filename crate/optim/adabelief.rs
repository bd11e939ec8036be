//! AdaBelief: Adam that divides by how much gradients surprise.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// s ← β₂·s + (1 − β₂)·(g − m)² + εᵣ;  p ← p − rate·m / (√s + ε)
struct AdaBelief {
    take1: f32,
    beta2: f32,
    take2: f32,
    epsilon_root: f32,
    rate: f32,
    epsilon: f32,
}

impl From<&[f32]> for AdaBelief {
    fn from(h: &[f32]) -> Self {
        AdaBelief { take1: h[0], beta2: h[1], take2: h[2], epsilon_root: h[3], rate: h[4], epsilon: h[5] }
    }
}

impl Rule<2> for AdaBelief {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, s]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.take1), m);
        let surprise = g - m;
        let s = k(self.beta2).mul_add(s, k(self.take2) * (surprise * surprise)) + k(self.epsilon_root);
        (p.minus(k(self.rate), m / (s.sqrt() + k(self.epsilon))), [m, s])
    }
}

export_update!(adaBelief, AdaBelief, 2, 6);

//! Prodigy in two passes: the moments, then, once the distance is estimated, the step.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// m ← β₁·m + a·g;  v ← β₂·v + b·g²;  s ← β₃·s + c·g
struct Moments {
    beta1: f32,
    a: f32,
    beta2: f32,
    b: f32,
    beta3: f32,
    c: f32,
}

impl From<&[f32]> for Moments {
    fn from(h: &[f32]) -> Self {
        Moments { beta1: h[0], a: h[1], beta2: h[2], b: h[3], beta3: h[4], c: h[5] }
    }
}

impl Rule<3> for Moments {
    const SLOT: [Slot; 3] = [Slot::Mean, Slot::Square, Slot::Mean];
    const MOVES: bool = false;

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v, s]: [L; 3]) -> (L, [L; 3]) {
        let k = L::splat;
        let m = k(self.beta1).mul_add(m, k(self.a) * g);
        let v = k(self.beta2).mul_add(v, k(self.b) * (g * g));
        let s = k(self.beta3).mul_add(s, k(self.c) * g);
        (p, [m, v, s])
    }
}

/// p ← p − rate·m / (√v + ε)
struct Step {
    rate: f32,
    epsilon: f32,
}

impl From<&[f32]> for Step {
    fn from(h: &[f32]) -> Self {
        Step { rate: h[0], epsilon: h[1] }
    }
}

impl Rule<2> for Step {
    const SLOT: [Slot; 2] = [Slot::Given, Slot::Given];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, _: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        (p.minus(k(self.rate), m / (v.sqrt() + k(self.epsilon))), [m, v])
    }
}

export_update!(prodigyMoments, Moments, 3, 6);
export_update!(prodigyStep, Step, 2, 2);

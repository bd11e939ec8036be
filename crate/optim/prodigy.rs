//! Prodigy in two passes: the moments, then, once the distance is estimated, the step.

use super::{export_sums, export_update, Rule, Slot, Sums, SHARED_HYPER};
use crate::lane::Lane;

/// m ← β₁·m + a·g;  v ← β₂·v + b·g²;  s ← β₃·s + c·g, each g times scale;  Σ g·(start − p), Σ |s|
struct Moments {
    scale: f32,
    beta1: f32,
    a: f32,
    beta2: f32,
    b: f32,
    beta3: f32,
    c: f32,
}

impl From<&[f32]> for Moments {
    fn from(h: &[f32]) -> Self {
        let own = &h[SHARED_HYPER..];
        Moments { scale: h[0], beta1: own[0], a: own[1], beta2: own[2], b: own[3], beta3: own[4], c: own[5] }
    }
}

impl Sums<4, 2> for Moments {
    const SLOT: [Slot; 4] = [Slot::Mean, Slot::Square, Slot::Mean, Slot::Given];

    #[inline(always)]
    fn state<L: Lane>(&self, _: L, g: L, [m, v, s, start]: [L; 4]) -> [L; 4] {
        let k = L::splat;
        let g = k(self.scale) * g;
        let m = k(self.beta1).mul_add(m, k(self.a) * g);
        let v = k(self.beta2).mul_add(v, k(self.b) * (g * g));
        let s = k(self.beta3).mul_add(s, k(self.c) * g);
        [m, v, s, start]
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, g: L, [_, _, s, start]: [L; 4]) -> [L; 2] {
        [g * (start - p), s.abs()]
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

export_sums!(prodigyMoments, Moments, 4, 6);
export_update!(prodigyStep, Step, 2, 2);

//! Prodigy in two passes: the moments, then, once the distance is estimated, the step.

use crate::lane::Lane;
use crate::optim::{export_sums, export_update, Rule, SlotKind, Sums, SHARED_HYPER};

/// m ← β₁·m + a·g;  v ← β₂·v + b·g²;  s ← β₃·s + c·g, each g times scale;  Σ g·(start − p), Σ |s|
struct Moments {
    scale: f32,
    beta1: f32,
    weight_m: f32,
    beta2: f32,
    weight_v: f32,
    beta3: f32,
    weight_s: f32,
}

impl From<&[f32]> for Moments {
    fn from(h: &[f32]) -> Self {
        let own = &h[SHARED_HYPER..];
        Moments {
            scale: h[0],
            beta1: own[0],
            weight_m: own[1],
            beta2: own[2],
            weight_v: own[3],
            beta3: own[4],
            weight_s: own[5],
        }
    }
}

impl Sums<4, 2> for Moments {
    const SLOT_KINDS: [SlotKind; 4] = [SlotKind::Mean, SlotKind::MeanSquare, SlotKind::Mean, SlotKind::ReadOnly];

    #[inline(always)]
    fn state<L: Lane>(&self, _: L, g: L, [m, v, s, start]: [L; 4]) -> [L; 4] {
        let k = L::splat;
        let g = k(self.scale) * g;
        let m = k(self.beta1).mul_add(m, k(self.weight_m) * g);
        let v = k(self.beta2).mul_add(v, k(self.weight_v) * (g * g));
        let s = k(self.beta3).mul_add(s, k(self.weight_s) * g);
        [m, v, s, start]
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, g: L, [_, _, s, start]: [L; 4]) -> [L; 2] {
        [g * (start - p), s.abs()]
    }
}

/// p ← p − step_size·m / (√v + ε)
struct Step {
    step_size: f32,
    epsilon: f32,
}

impl From<&[f32]> for Step {
    fn from(h: &[f32]) -> Self {
        Step { step_size: h[0], epsilon: h[1] }
    }
}

impl Rule<2> for Step {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::ReadOnly, SlotKind::ReadOnly];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, _: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        (p.minus_product(k(self.step_size), m / (v.sqrt() + k(self.epsilon))), [m, v])
    }
}

export_sums!(prodigyMoments, Moments, 4, 6);
export_update!(prodigyStep, Step, 2, 2);

//! Prodigy in two passes: the moments, then, once the distance is estimated, the step.

use crate::lane::Lane;
use crate::optim::{export_sums, export_update, numbers, Rule, SlotKind, Sums};

numbers! {
    /// m ← β₁·m + a·g;  v ← β₂·v + b·g²;  s ← β₃·s + c·g, each g times scale;  Σ g·(start − p), Σ |s|
    struct Moments(scale) { beta1, weight_m, beta2, weight_v, beta3, weight_s }
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

numbers! {
    /// p ← p − step_size·m / (√v + ε)
    struct Step { step_size, epsilon }
}

impl Rule<2> for Step {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::ReadOnly, SlotKind::ReadOnly];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, _: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        (p.minus_product(k(self.step_size), m / (v.sqrt() + k(self.epsilon))), [m, v])
    }
}

export_sums!(prodigyMoments, Moments, 4);
export_update!(prodigyStep, Step, 2);

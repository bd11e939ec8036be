//! Adamax: Adam with the largest recent gradient.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// u ← max(β₂·u, |g| + εᵢ);  p ← p − step_size·m / (u + εₒ)
struct Adamax {
    beta2: f32,
    epsilon_inside: f32,
    one_minus_beta1: f32,
    epsilon_outside: f32,
    step_size: f32,
}

impl From<&[f32]> for Adamax {
    fn from(h: &[f32]) -> Self {
        Adamax { one_minus_beta1: h[0], beta2: h[1], epsilon_inside: h[2], epsilon_outside: h[3], step_size: h[4] }
    }
}

impl Rule<2> for Adamax {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let u = (g.abs() + k(self.epsilon_inside)).at_least(k(self.beta2) * u);
        (p.minus(k(self.step_size), m / (u + k(self.epsilon_outside))), [m, u])
    }
}

export_update!(adamax, Adamax, 2, 5);

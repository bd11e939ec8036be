//! Adamax: Adam with the largest recent gradient.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// u ← max(β₂·u, |g| + εᵢ);  p ← p − step_size·m / (u + εₒ)
struct Adamax<N = f32> {
    beta2: N,
    epsilon_inside: N,
    one_minus_beta1: N,
    epsilon_outside: N,
    step_size: N,
}

impl<N: Copy> From<&[N]> for Adamax<N> {
    fn from(h: &[N]) -> Self {
        Adamax { one_minus_beta1: h[0], beta2: h[1], epsilon_inside: h[2], epsilon_outside: h[3], step_size: h[4] }
    }
}

impl<N: Number> Rule<2, N> for Adamax<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let u = (g.abs() + k(self.epsilon_inside)).pmax(k(self.beta2) * u);
        (p.minus_product(k(self.step_size), m / (u + k(self.epsilon_outside))), [m, u])
    }
}

export_update!(adamax, fleetAdamax, Adamax, 2, 5);

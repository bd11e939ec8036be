//! Adamax: Adam with the largest recent gradient.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// u ← max(β₂·u, |g| + εᵢ);  p ← p − step_size·m / (u + εₒ)
    struct Adamax { beta2, epsilon_inside, one_minus_beta1, epsilon_outside, step_size }
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

export_update!(adamax, fleetAdamax, Adamax, 2);

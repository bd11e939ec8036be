//! AdaBelief: Adam that divides by the deviation of gradients from their mean.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// s ← β₂·s + (1 − β₂)·(g − m)² + εᵣ;  p ← p − step_size·m / (√s + ε)
    struct AdaBelief { one_minus_beta1, beta2, one_minus_beta2, epsilon_root, step_size, epsilon }
}

impl<N: Number> Rule<2, N> for AdaBelief<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, s]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let surprise = g - m;
        let s = k(self.beta2).mul_add(s, k(self.one_minus_beta2) * (surprise * surprise)) + k(self.epsilon_root);
        (p.minus_product(k(self.step_size), m / (s.sqrt() + k(self.epsilon))), [m, s])
    }
}

export_update!(adaBelief, fleetAdaBelief, AdaBelief, 2);

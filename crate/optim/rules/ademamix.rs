//! AdEMAMix: Adam with a second, very slow mean.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// p ← p − (step_size·fast + slow_step_size·slow) / (√v + ε)
    struct AdEmaMix { one_minus_beta1, one_minus_beta3, beta2, one_minus_beta2, step_size, slow_step_size, epsilon }
}

impl<N: Number> Rule<3, N> for AdEmaMix<N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [fast, slow, v]: [L; 3]) -> (L, [L; 3]) {
        let k = L::broadcast;
        let fast = (g - fast).mul_add(k(self.one_minus_beta1), fast);
        let slow = (g - slow).mul_add(k(self.one_minus_beta3), slow);
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        let step = k(self.step_size).mul_add(fast, k(self.slow_step_size) * slow);
        (p - step / (v.sqrt() + k(self.epsilon)), [fast, slow, v])
    }
}

export_update!(ademamix, fleetAdemamix, AdEmaMix, 3);

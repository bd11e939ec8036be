//! NAdam: Adam with Nesterov's look-ahead.

use super::adam::moments;
use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// m and v as Adam's;  p ← p − (gradient_step_size·g + moment_step_size·m) / (√v + ε)
    struct NAdam { one_minus_beta1, beta2, one_minus_beta2, epsilon, gradient_step_size, moment_step_size }
}

impl<N: Number> Rule<2, N> for NAdam<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let (m, v) = moments(self.one_minus_beta1, self.beta2, self.one_minus_beta2, g, m, v);
        let step = k(self.gradient_step_size).mul_add(g, k(self.moment_step_size) * m);
        (p - step / (v.sqrt() + k(self.epsilon)), [m, v])
    }
}

export_update!(nadam, fleetNadam, NAdam, 2);

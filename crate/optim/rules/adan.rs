//! Adan: Adam with Nesterov momentum made of gradient differences.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// d = g − g₋₁;  m, w, n: means of g, d, (g + difference_weight·d)²;  p ← p − (step_size_m·m + step_size_w·w) / (√n + ε)
    struct Adan {
        one_minus_beta1,
        beta2,
        one_minus_beta2,
        beta3,
        one_minus_beta3,
        difference_weight,
        step_size_m,
        step_size_w,
        epsilon,
    }
}

impl<N: Number> Rule<4, N> for Adan<N> {
    const SLOT_KINDS: [SlotKind; 4] = [SlotKind::Mean, SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, w, n, previous]: [L; 4]) -> (L, [L; 4]) {
        let k = L::broadcast;
        let d = g - previous;
        let lookahead = d.mul_add(k(self.difference_weight), g);
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let w = k(self.beta2).mul_add(w, k(self.one_minus_beta2) * d);
        let n = k(self.beta3).mul_add(n, k(self.one_minus_beta3) * (lookahead * lookahead));
        let step = k(self.step_size_m).mul_add(m, k(self.step_size_w) * w) / (n.sqrt() + k(self.epsilon));
        (p - step, [m, w, n, g])
    }
}

export_update!(adan, fleetAdan, Adan, 4);

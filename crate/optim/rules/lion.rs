//! Lion: the sign of an interpolated momentum.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// p ← p − η·sign(β₁·m + (1 − β₁)·g);  m ← β₂·m + (1 − β₂)·g
    struct Lion { beta1, one_minus_beta1, beta2, one_minus_beta2, learning_rate }
}

impl<N: Number> Rule<1, N> for Lion<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let direction = k(self.beta1).mul_add(m, k(self.one_minus_beta1) * g).sign();
        let m = k(self.beta2).mul_add(m, k(self.one_minus_beta2) * g);
        (p.minus_product(k(self.learning_rate), direction), [m])
    }
}

export_update!(lion, fleetLion, Lion, 1);

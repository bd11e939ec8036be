//! Lion: the sign of an interpolated momentum.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·sign(β₁·m + (1 − β₁)·g);  m ← β₂·m + (1 − β₂)·g
struct Lion {
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Lion {
    fn from(h: &[f32]) -> Self {
        Lion { beta1: h[0], one_minus_beta1: h[1], beta2: h[2], one_minus_beta2: h[3], learning_rate: h[4] }
    }
}

impl Rule<1> for Lion {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let direction = k(self.beta1).mul_add(m, k(self.one_minus_beta1) * g).sign();
        let m = k(self.beta2).mul_add(m, k(self.one_minus_beta2) * g);
        (p.minus(k(self.learning_rate), direction), [m])
    }
}

export_update!(lion, Lion, 1, 5);

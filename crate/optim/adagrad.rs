//! Adagrad: steps shrink with the sum of all squared gradients.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// s ← s + g²;  p ← p − step_size·g / (√(s + εᵢ) + ε)
struct Adagrad {
    step_size: f32,
    epsilon: f32,
    epsilon_root: f32,
}

impl From<&[f32]> for Adagrad {
    fn from(h: &[f32]) -> Self {
        Adagrad { step_size: h[0], epsilon: h[1], epsilon_root: h[2] }
    }
}

impl Rule<1> for Adagrad {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let s = g.mul_add(g, s);
        (p.minus(k(self.step_size), g / ((s + k(self.epsilon_root)).sqrt() + k(self.epsilon))), [s])
    }
}

export_update!(adagrad, Adagrad, 1, 3);

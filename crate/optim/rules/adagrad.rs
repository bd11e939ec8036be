//! Adagrad: steps shrink with the sum of all squared gradients.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// s ← s + g²;  p ← p − step_size·g / (√(s + εᵢ) + ε)
    struct Adagrad { step_size, epsilon, epsilon_root }
}

impl<N: Number> Rule<1, N> for Adagrad<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let s = g.mul_add(g, s);
        (p.minus_product(k(self.step_size), g / ((s + k(self.epsilon_root)).sqrt() + k(self.epsilon))), [s])
    }
}

export_update!(adagrad, fleetAdagrad, Adagrad, 1);

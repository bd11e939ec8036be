//! Momentum in all its forms: classical, dampened, exponentially weighted, Nesterov.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// v ← velocity_decay·v + gradient_weight·g;  p ← p − gradient_rate·g − velocity_rate·v
    pub struct Momentum { velocity_decay, gradient_weight, gradient_rate, velocity_rate }
}

impl<N: Number> Rule<1, N> for Momentum<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];
    const FUSES_GRADIENT_SCALING: bool = true;

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [v]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let v = k(self.velocity_decay).mul_add(v, k(self.gradient_weight) * g);
        (p - k(self.gradient_rate).mul_add(g, k(self.velocity_rate) * v), [v])
    }
}

export_update!(momentum, fleetMomentum, Momentum, 1);

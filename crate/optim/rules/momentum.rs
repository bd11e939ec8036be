//! Momentum in all its forms: classical, dampened, exponentially weighted, Nesterov.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// v ← velocity_decay·v + gradient_weight·g;  p ← p − gradient_rate·g − velocity_rate·v
pub struct Momentum<N = f32> {
    pub velocity_decay: N,
    pub gradient_weight: N,
    pub gradient_rate: N,
    pub velocity_rate: N,
}

impl<N: Copy> From<&[N]> for Momentum<N> {
    fn from(h: &[N]) -> Self {
        Momentum { velocity_decay: h[0], gradient_weight: h[1], gradient_rate: h[2], velocity_rate: h[3] }
    }
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

export_update!(momentum, fleetMomentum, Momentum, 1, 4);

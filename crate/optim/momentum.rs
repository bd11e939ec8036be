//! Momentum in all its forms: classical, dampened, exponentially weighted, Nesterov.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// v ← velocity_decay·v + gradient_weight·g;  p ← p − gradient_rate·g − velocity_rate·v
pub struct Momentum {
    pub velocity_decay: f32,
    pub gradient_weight: f32,
    pub gradient_rate: f32,
    pub velocity_rate: f32,
}

impl From<&[f32]> for Momentum {
    fn from(h: &[f32]) -> Self {
        Momentum { velocity_decay: h[0], gradient_weight: h[1], gradient_rate: h[2], velocity_rate: h[3] }
    }
}

impl Rule<1> for Momentum {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];
    const FUSES_GRADIENT_SCALING: bool = true;

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [v]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let v = k(self.velocity_decay).mul_add(v, k(self.gradient_weight) * g);
        (p - k(self.gradient_rate).mul_add(g, k(self.velocity_rate) * v), [v])
    }
}

export_update!(momentum, Momentum, 1, 4);

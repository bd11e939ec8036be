//! LAMB's direction: Adam's step plus decay, left in a slot until its norm is known.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// m, v as Adam's;  u ← rate·m / (√v + ε) + λ·p;  p stays
struct LambDirection {
    take1: f32,
    beta2: f32,
    take2: f32,
    rate: f32,
    epsilon: f32,
    weight_decay: f32,
}

impl From<&[f32]> for LambDirection {
    fn from(h: &[f32]) -> Self {
        LambDirection { take1: h[0], beta2: h[1], take2: h[2], rate: h[3], epsilon: h[4], weight_decay: h[5] }
    }
}

impl Rule<3> for LambDirection {
    const SLOT: [Slot; 3] = [Slot::Mean, Slot::Square, Slot::Lasting];
    const MOVES: bool = false;

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v, _]: [L; 3]) -> (L, [L; 3]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.take1), m);
        let v = k(self.beta2).mul_add(v, k(self.take2) * (g * g));
        let u = (m / (v.sqrt() + k(self.epsilon))).mul_add(k(self.rate), k(self.weight_decay) * p);
        (p, [m, v, u])
    }
}

export_update!(lambDirection, LambDirection, 3, 6);

//! AdEMAMix: Adam with a second, very slow mean.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// p ← p − (rate·fast + slow_rate·slow) / (√v + ε)
struct AdEmaMix {
    take1: f32,
    take3: f32,
    beta2: f32,
    take2: f32,
    rate: f32,
    slow_rate: f32,
    epsilon: f32,
}

impl From<&[f32]> for AdEmaMix {
    fn from(h: &[f32]) -> Self {
        AdEmaMix { take1: h[0], take3: h[1], beta2: h[2], take2: h[3], rate: h[4], slow_rate: h[5], epsilon: h[6] }
    }
}

impl Rule<3> for AdEmaMix {
    const SLOT: [Slot; 3] = [Slot::Mean, Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [fast, slow, v]: [L; 3]) -> (L, [L; 3]) {
        let k = L::splat;
        let fast = (g - fast).mul_add(k(self.take1), fast);
        let slow = (g - slow).mul_add(k(self.take3), slow);
        let v = k(self.beta2).mul_add(v, k(self.take2) * (g * g));
        let step = k(self.rate).mul_add(fast, k(self.slow_rate) * slow);
        (p - step / (v.sqrt() + k(self.epsilon)), [fast, slow, v])
    }
}

export_update!(ademamix, AdEmaMix, 3, 7);

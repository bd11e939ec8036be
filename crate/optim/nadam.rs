//! NAdam: Adam with Nesterov's look-ahead.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// p ← p − (direct·g + carried·m) / (√v + ε)
struct NAdam {
    take1: f32,
    beta2: f32,
    take2: f32,
    epsilon: f32,
    direct: f32,
    carried: f32,
}

impl From<&[f32]> for NAdam {
    fn from(h: &[f32]) -> Self {
        NAdam { take1: h[0], beta2: h[1], take2: h[2], epsilon: h[3], direct: h[4], carried: h[5] }
    }
}

impl Rule<2> for NAdam {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.take1), m);
        let v = k(self.beta2).mul_add(v, k(self.take2) * (g * g));
        let step = k(self.direct).mul_add(g, k(self.carried) * m);
        (p - step / (v.sqrt() + k(self.epsilon)), [m, v])
    }
}

export_update!(nadam, NAdam, 2, 6);

//! Adan: Adam with Nesterov momentum made of gradient differences.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// d = g − g₋₁;  m, w, n: means of g, d, (g + ahead·d)²;  p ← p − (rate_m·m + rate_w·w) / (√n + ε)
struct Adan {
    take1: f32,
    beta2: f32,
    take2: f32,
    beta3: f32,
    take3: f32,
    ahead: f32,
    rate_m: f32,
    rate_w: f32,
    epsilon: f32,
}

impl From<&[f32]> for Adan {
    fn from(h: &[f32]) -> Self {
        Adan {
            take1: h[0],
            beta2: h[1],
            take2: h[2],
            beta3: h[3],
            take3: h[4],
            ahead: h[5],
            rate_m: h[6],
            rate_w: h[7],
            epsilon: h[8],
        }
    }
}

impl Rule<4> for Adan {
    const SLOT: [Slot; 4] = [Slot::Mean, Slot::Mean, Slot::Square, Slot::Lasting];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, w, n, previous]: [L; 4]) -> (L, [L; 4]) {
        let k = L::splat;
        let d = g - previous;
        let next = d.mul_add(k(self.ahead), g);
        let m = (g - m).mul_add(k(self.take1), m);
        let w = k(self.beta2).mul_add(w, k(self.take2) * d);
        let n = k(self.beta3).mul_add(n, k(self.take3) * (next * next));
        let step = k(self.rate_m).mul_add(m, k(self.rate_w) * w) / (n.sqrt() + k(self.epsilon));
        (p - step, [m, w, n, g])
    }
}

export_update!(adan, Adan, 4, 9);

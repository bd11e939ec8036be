//! Adan: Adam with Nesterov momentum made of gradient differences.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// d = g − g₋₁;  m, w, n: means of g, d, (g + β₂·d)²;  p ← after·(p − (rate_m·m + rate_w·w) / (√n + ε))
struct Adan {
    take1: f32,
    beta2: f32,
    take2: f32,
    beta3: f32,
    take3: f32,
    differs: f32,
    rate_m: f32,
    rate_w: f32,
    epsilon: f32,
    after: f32,
}

impl From<&[f32]> for Adan {
    fn from(h: &[f32]) -> Self {
        Adan {
            take1: h[0],
            beta2: h[1],
            take2: h[2],
            beta3: h[3],
            take3: h[4],
            differs: h[5],
            rate_m: h[6],
            rate_w: h[7],
            epsilon: h[8],
            after: h[9],
        }
    }
}

impl Rule<4> for Adan {
    const SLOT: [Slot; 4] = [Slot::Mean, Slot::Mean, Slot::Square, Slot::Lasting];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, w, n, previous]: [L; 4]) -> (L, [L; 4]) {
        let k = L::splat;
        let d = k(self.differs) * (g - previous);
        let ahead = d.mul_add(k(self.beta2), g);
        let m = (g - m).mul_add(k(self.take1), m);
        let w = k(self.beta2).mul_add(w, k(self.take2) * d);
        let n = k(self.beta3).mul_add(n, k(self.take3) * (ahead * ahead));
        let step = k(self.rate_m).mul_add(m, k(self.rate_w) * w) / (n.sqrt() + k(self.epsilon));
        let previous = g;
        (k(self.after) * (p - step), [m, w, n, previous])
    }
}

export_update!(adan, Adan, 4, 10);

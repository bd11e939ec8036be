//! ADOPT: normalise by the old v, then average.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// u = clip(g / max(√v, ε), ±bound);  m ← β₁·m + (1 − β₁)·u;  p ← p − η·m;  v ← keep·v + take·g²
struct Adopt {
    beta1: f32,
    take1: f32,
    keep: f32,
    take: f32,
    epsilon: f32,
    bound: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Adopt {
    fn from(h: &[f32]) -> Self {
        Adopt { beta1: h[0], take1: h[1], keep: h[2], take: h[3], epsilon: h[4], bound: h[5], learning_rate: h[6] }
    }
}

impl Rule<2> for Adopt {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let u = (g / v.sqrt().at_least(k(self.epsilon))).at_least(k(-self.bound)).at_most(k(self.bound));
        let m = k(self.beta1).mul_add(m, k(self.take1) * u);
        let v = k(self.keep).mul_add(v, k(self.take) * (g * g));
        (p.minus(k(self.learning_rate), m), [m, v])
    }
}

export_update!(adopt, Adopt, 2, 7);

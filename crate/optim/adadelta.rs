//! Adadelta: steps in the unit of the parameter.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// v ← ρ·v + (1 − ρ)·g²;  d = √((u + ε)/(v + ε))·g;  u ← ρ·u + (1 − ρ)·d²;  p ← p − η·d
struct Adadelta {
    rho: f32,
    take: f32,
    epsilon: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Adadelta {
    fn from(h: &[f32]) -> Self {
        Adadelta { rho: h[0], take: h[1], epsilon: h[2], learning_rate: h[3] }
    }
}

impl Rule<2> for Adadelta {
    const SLOT: [Slot; 2] = [Slot::Square, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [v, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let v = k(self.rho).mul_add(v, k(self.take) * (g * g));
        let d = ((u + k(self.epsilon)) / (v + k(self.epsilon))).sqrt() * g;
        let u = k(self.rho).mul_add(u, k(self.take) * (d * d));
        (p.minus(k(self.learning_rate), d), [v, u])
    }
}

export_update!(adadelta, Adadelta, 2, 4);

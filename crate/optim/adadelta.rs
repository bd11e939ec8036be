//! Adadelta: steps in the unit of the parameter.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// v ← ρ·v + (1 − ρ)·g²;  d = √((u + ε)/(v + ε))·g;  u ← ρ·u + (1 − ρ)·d²;  p ← p − η·d
struct Adadelta {
    rho: f32,
    one_minus_rho: f32,
    epsilon: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Adadelta {
    fn from(h: &[f32]) -> Self {
        Adadelta { rho: h[0], one_minus_rho: h[1], epsilon: h[2], learning_rate: h[3] }
    }
}

impl Rule<2> for Adadelta {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [v, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let v = k(self.rho).mul_add(v, k(self.one_minus_rho) * (g * g));
        let d = ((u + k(self.epsilon)) / (v + k(self.epsilon))).sqrt() * g;
        let u = k(self.rho).mul_add(u, k(self.one_minus_rho) * (d * d));
        (p.minus(k(self.learning_rate), d), [v, u])
    }
}

export_update!(adadelta, Adadelta, 2, 4);

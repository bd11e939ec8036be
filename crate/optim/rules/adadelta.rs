//! Adadelta: steps in the unit of the parameter.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// v ← ρ·v + (1 − ρ)·g²;  d = √((u + ε)/(v + ε))·g;  u ← ρ·u + (1 − ρ)·d²;  p ← p − η·d
struct Adadelta<N = f32> {
    rho: N,
    one_minus_rho: N,
    epsilon: N,
    learning_rate: N,
}

impl<N: Copy> From<&[N]> for Adadelta<N> {
    fn from(h: &[N]) -> Self {
        Adadelta { rho: h[0], one_minus_rho: h[1], epsilon: h[2], learning_rate: h[3] }
    }
}

impl<N: Number> Rule<2, N> for Adadelta<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [v, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let v = k(self.rho).mul_add(v, k(self.one_minus_rho) * (g * g));
        let d = ((u + k(self.epsilon)) / (v + k(self.epsilon))).sqrt() * g;
        let u = k(self.rho).mul_add(u, k(self.one_minus_rho) * (d * d));
        (p.minus_product(k(self.learning_rate), d), [v, u])
    }
}

export_update!(adadelta, fleetAdadelta, Adadelta, 2, 4);

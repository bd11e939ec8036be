//! Adadelta: steps in the unit of the parameter.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// v ← ρ·v + (1 − ρ)·g²;  d = √((u + ε)/(v + ε))·g;  u ← ρ·u + (1 − ρ)·d²;  p ← p − η·d
    struct Adadelta { rho, one_minus_rho, epsilon, learning_rate }
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

export_update!(adadelta, fleetAdadelta, Adadelta, 2);

//! Descent with averaged weights.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·g;  average ← one_minus_mu·average + mu·p
struct Asgd<N = f32> {
    eta: N,
    one_minus_mu: N,
    mu: N,
}

impl<N: Copy> From<&[N]> for Asgd<N> {
    fn from(h: &[N]) -> Self {
        Asgd { eta: h[0], one_minus_mu: h[1], mu: h[2] }
    }
}

impl<N: Number> Rule<1, N> for Asgd<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [average]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let p = p.minus_product(k(self.eta), g);
        let average = k(self.one_minus_mu).mul_add(average, k(self.mu) * p);
        (p, [average])
    }
}

export_update!(asgd, fleetAsgd, Asgd, 1, 3);

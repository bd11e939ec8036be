//! Descent with averaged weights.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// p ← p − η·g;  average ← one_minus_mu·average + mu·p
    struct Asgd { eta, one_minus_mu, mu }
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

export_update!(asgd, fleetAsgd, Asgd, 1);

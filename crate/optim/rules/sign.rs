//! Steps of the same length: signs of gradients, or of their mean.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// p ← p − η·sign(g)
    struct SignSgd { learning_rate }
}

impl<N: Number> Rule<0, N> for SignSgd<N> {
    const SLOT_KINDS: [SlotKind; 0] = [];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        let k = L::broadcast;
        (p.minus_product(k(self.learning_rate), g.sign()), s)
    }
}

numbers! {
    /// m ← β·m + (1 − β)·g;  p ← p − η·sign(m)
    struct Signum { beta, one_minus_beta, learning_rate }
}

impl<N: Number> Rule<1, N> for Signum<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let m = k(self.beta).mul_add(m, k(self.one_minus_beta) * g);
        (p.minus_product(k(self.learning_rate), m.sign()), [m])
    }
}

export_update!(signSgd, fleetSignSgd, SignSgd, 0);
export_update!(signum, fleetSignum, Signum, 1);

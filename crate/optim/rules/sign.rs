//! Steps of the same length: signs of gradients, or of their mean.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·sign(g)
struct SignSgd<N = f32> {
    learning_rate: N,
}

impl<N: Copy> From<&[N]> for SignSgd<N> {
    fn from(h: &[N]) -> Self {
        SignSgd { learning_rate: h[0] }
    }
}

impl<N: Number> Rule<0, N> for SignSgd<N> {
    const SLOT_KINDS: [SlotKind; 0] = [];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        let k = L::broadcast;
        (p.minus_product(k(self.learning_rate), g.sign()), s)
    }
}

/// m ← β·m + (1 − β)·g;  p ← p − η·sign(m)
struct Signum<N = f32> {
    beta: N,
    one_minus_beta: N,
    learning_rate: N,
}

impl<N: Copy> From<&[N]> for Signum<N> {
    fn from(h: &[N]) -> Self {
        Signum { beta: h[0], one_minus_beta: h[1], learning_rate: h[2] }
    }
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

export_update!(signSgd, fleetSignSgd, SignSgd, 0, 1);
export_update!(signum, fleetSignum, Signum, 1, 3);

//! ADOPT: normalise by the old v, then average.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// u = clip(g / max(√v, ε), ±bound);  m ← β₁·m + (1 − β₁)·u;  p ← p − η·m;  v ← beta2·v + one_minus_beta2·g²
struct Adopt<N = f32> {
    beta1: N,
    one_minus_beta1: N,
    beta2: N,
    one_minus_beta2: N,
    epsilon: N,
    bound: N,
    learning_rate: N,
}

impl<N: Copy> From<&[N]> for Adopt<N> {
    fn from(h: &[N]) -> Self {
        Adopt {
            beta1: h[0],
            one_minus_beta1: h[1],
            beta2: h[2],
            one_minus_beta2: h[3],
            epsilon: h[4],
            bound: h[5],
            learning_rate: h[6],
        }
    }
}

impl<N: Number> Rule<2, N> for Adopt<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let u = (g / v.sqrt().pmax(k(self.epsilon))).pmax(k(-self.bound)).pmin(k(self.bound));
        let m = k(self.beta1).mul_add(m, k(self.one_minus_beta1) * u);
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        (p.minus_product(k(self.learning_rate), m), [m, v])
    }
}

export_update!(adopt, fleetAdopt, Adopt, 2, 7);

//! ADOPT: normalize by the old v, then average.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// u = clip(g / max(√v, ε), ±bound);  m ← β₁·m + (1 − β₁)·u;  p ← p − η·m;  v ← beta2·v + one_minus_beta2·g²
    struct Adopt { beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, bound, learning_rate }
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

export_update!(adopt, fleetAdopt, Adopt, 2);

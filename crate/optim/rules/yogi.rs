//! Yogi: Adam whose v moves by bounded amounts.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// v ← v − (1 − β₂)·sign(v − g²)·g²;  p ← p − step_size·m / (√v + ε)
    struct Yogi { one_minus_beta1, one_minus_beta2, step_size, epsilon }
}

impl<N: Number> Rule<2, N> for Yogi<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let square = g * g;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let v = v - (k(self.one_minus_beta2) * square).with_sign_of(v - square).zero_where(v.eq(square));
        (p.minus_product(k(self.step_size), m / (v.sqrt() + k(self.epsilon))), [m, v])
    }
}

export_update!(yogi, fleetYogi, Yogi, 2);

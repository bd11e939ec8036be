//! Yogi: Adam whose v moves by bounded amounts.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// v ← v − (1 − β₂)·sign(v − g²)·g²;  p ← p − rate·m / (√v + ε)
struct Yogi {
    take1: f32,
    take2: f32,
    rate: f32,
    epsilon: f32,
}

impl From<&[f32]> for Yogi {
    fn from(h: &[f32]) -> Self {
        Yogi { take1: h[0], take2: h[1], rate: h[2], epsilon: h[3] }
    }
}

impl Rule<2> for Yogi {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let square = g * g;
        let m = (g - m).mul_add(k(self.take1), m);
        let v = v - (k(self.take2) * square).with_sign_of(v - square).unless(v.same(square));
        (p.minus(k(self.rate), m / (v.sqrt() + k(self.epsilon))), [m, v])
    }
}

export_update!(yogi, Yogi, 2, 4);

//! Steps of the same length: signs of gradients, or of their mean.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·sign(g)
struct SignSgd {
    learning_rate: f32,
}

impl From<&[f32]> for SignSgd {
    fn from(h: &[f32]) -> Self {
        SignSgd { learning_rate: h[0] }
    }
}

impl Rule<0> for SignSgd {
    const SLOT_KINDS: [SlotKind; 0] = [];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        let k = L::splat;
        (p.minus(k(self.learning_rate), g.sign()), s)
    }
}

/// m ← β·m + (1 − β)·g;  p ← p − η·sign(m)
struct Signum {
    beta: f32,
    one_minus_beta: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Signum {
    fn from(h: &[f32]) -> Self {
        Signum { beta: h[0], one_minus_beta: h[1], learning_rate: h[2] }
    }
}

impl Rule<1> for Signum {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let m = k(self.beta).mul_add(m, k(self.one_minus_beta) * g);
        (p.minus(k(self.learning_rate), m.sign()), [m])
    }
}

export_update!(signSgd, SignSgd, 0, 1);
export_update!(signum, Signum, 1, 3);

//! Steps of the same length: signs of gradients, or of their mean.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

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
    const SLOT: [Slot; 0] = [];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, s: [L; 0]) -> (L, [L; 0]) {
        let k = L::splat;
        (p.minus(k(self.learning_rate), g.sign()), s)
    }
}

/// m ← β·m + (1 − β)·g;  p ← p − η·sign(m)
struct Signum {
    beta: f32,
    take: f32,
    learning_rate: f32,
}

impl From<&[f32]> for Signum {
    fn from(h: &[f32]) -> Self {
        Signum { beta: h[0], take: h[1], learning_rate: h[2] }
    }
}

impl Rule<1> for Signum {
    const SLOT: [Slot; 1] = [Slot::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let m = k(self.beta).mul_add(m, k(self.take) * g);
        (p.minus(k(self.learning_rate), m.sign()), [m])
    }
}

export_update!(signSgd, SignSgd, 0, 1);
export_update!(signum, Signum, 1, 3);

//! Momentum in all its forms: classical, dampened, exponentially weighted, Nesterov.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// v ← keep·v + take·g;  p ← p − direct·g − carried·v
pub struct Momentum {
    pub keep: f32,
    pub take: f32,
    pub direct: f32,
    pub carried: f32,
}

impl From<&[f32]> for Momentum {
    fn from(h: &[f32]) -> Self {
        Momentum { keep: h[0], take: h[1], direct: h[2], carried: h[3] }
    }
}

impl Rule<1> for Momentum {
    const SLOT: [Slot; 1] = [Slot::Mean];
    const LIGHT: bool = true;

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [v]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let v = k(self.keep).mul_add(v, k(self.take) * g);
        (p - k(self.direct).mul_add(g, k(self.carried) * v), [v])
    }
}

export_update!(momentum, Momentum, 1, 4);

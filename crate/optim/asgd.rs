//! Descent with averaged weights.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// p ← p − η·g;  average ← keep·average + take·p
struct Asgd {
    eta: f32,
    keep: f32,
    take: f32,
}

impl From<&[f32]> for Asgd {
    fn from(h: &[f32]) -> Self {
        Asgd { eta: h[0], keep: h[1], take: h[2] }
    }
}

impl Rule<1> for Asgd {
    const SLOT: [Slot; 1] = [Slot::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [average]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let p = p.minus(k(self.eta), g);
        let average = k(self.keep).mul_add(average, k(self.take) * p);
        (p, [average])
    }
}

export_update!(asgd, Asgd, 1, 3);

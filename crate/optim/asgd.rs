//! Descent with averaged weights.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − η·g;  average ← one_minus_mu·average + mu·p
struct Asgd {
    eta: f32,
    one_minus_mu: f32,
    mu: f32,
}

impl From<&[f32]> for Asgd {
    fn from(h: &[f32]) -> Self {
        Asgd { eta: h[0], one_minus_mu: h[1], mu: h[2] }
    }
}

impl Rule<1> for Asgd {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [average]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let p = p.minus(k(self.eta), g);
        let average = k(self.one_minus_mu).mul_add(average, k(self.mu) * p);
        (p, [average])
    }
}

export_update!(asgd, Asgd, 1, 3);

//! Adamax: Adam with the largest recent gradient.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// u ← max(β₂·u, |g| + εᵢ);  p ← p − rate·m / (u + εₒ)
struct Adamax {
    beta2: f32,
    inside: f32,
    take: f32,
    outside: f32,
    rate: f32,
}

impl From<&[f32]> for Adamax {
    fn from(h: &[f32]) -> Self {
        Adamax { take: h[0], beta2: h[1], inside: h[2], outside: h[3], rate: h[4] }
    }
}

impl Rule<2> for Adamax {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, u]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.take), m);
        let u = (g.abs() + k(self.inside)).at_least(k(self.beta2) * u);
        (p.minus(k(self.rate), m / (u + k(self.outside))), [m, u])
    }
}

export_update!(adamax, Adamax, 2, 5);

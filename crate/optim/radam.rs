//! RAdam: Adam that does not divide before it knows by what.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// p ← p − rate·m / (root_scale·√v + offset)
struct RAdam {
    take1: f32,
    beta2: f32,
    take2: f32,
    rate: f32,
    root_scale: f32,
    offset: f32,
}

impl From<&[f32]> for RAdam {
    fn from(h: &[f32]) -> Self {
        RAdam { take1: h[0], beta2: h[1], take2: h[2], rate: h[3], root_scale: h[4], offset: h[5] }
    }
}

impl Rule<2> for RAdam {
    const SLOT: [Slot; 2] = [Slot::Mean, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let m = (g - m).mul_add(k(self.take1), m);
        let v = k(self.beta2).mul_add(v, k(self.take2) * (g * g));
        (p.minus(k(self.rate), m / v.sqrt().mul_add(k(self.root_scale), k(self.offset))), [m, v])
    }
}

export_update!(radam, RAdam, 2, 6);

//! RAdam: Adam that divides by √v only once v has seen enough gradients.

use super::adam::Moments;
use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// m and v as Adam's;  p ← p − step_size·m / (root_scale·√v + offset)
struct RAdam {
    moments: Moments,
    step_size: f32,
    root_scale: f32,
    offset: f32,
}

impl From<&[f32]> for RAdam {
    fn from(h: &[f32]) -> Self {
        RAdam { moments: h.into(), step_size: h[3], root_scale: h[4], offset: h[5] }
    }
}

impl Rule<2> for RAdam {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let (m, v) = self.moments.update(g, m, v);
        (p.minus(k(self.step_size), m / v.sqrt().mul_add(k(self.root_scale), k(self.offset))), [m, v])
    }
}

export_update!(radam, RAdam, 2, 6);

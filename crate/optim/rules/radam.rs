//! RAdam: Adam that divides by √v only once v has seen enough gradients.

use super::adam::Moments;
use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// m and v as Adam's;  p ← p − step_size·m / (root_scale·√v + offset)
struct RAdam<N = f32> {
    moments: Moments<N>,
    step_size: N,
    root_scale: N,
    offset: N,
}

impl<N: Copy> From<&[N]> for RAdam<N> {
    fn from(h: &[N]) -> Self {
        RAdam { moments: h.into(), step_size: h[3], root_scale: h[4], offset: h[5] }
    }
}

impl<N: Number> Rule<2, N> for RAdam<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let (m, v) = self.moments.update(g, m, v);
        (p.minus_product(k(self.step_size), m / v.sqrt().mul_add(k(self.root_scale), k(self.offset))), [m, v])
    }
}

export_update!(radam, fleetRadam, RAdam, 2, 6);

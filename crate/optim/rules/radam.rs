//! RAdam: Adam that divides by √v only once v has seen enough gradients.

use super::adam::moments;
use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// m and v as Adam's;  p ← p − step_size·m / (root_scale·√v + offset)
    struct RAdam { one_minus_beta1, beta2, one_minus_beta2, step_size, root_scale, offset }
}

impl<N: Number> Rule<2, N> for RAdam<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let (m, v) = moments(self.one_minus_beta1, self.beta2, self.one_minus_beta2, g, m, v);
        (p.minus_product(k(self.step_size), m / v.sqrt().mul_add(k(self.root_scale), k(self.offset))), [m, v])
    }
}

export_update!(radam, fleetRadam, RAdam, 2);

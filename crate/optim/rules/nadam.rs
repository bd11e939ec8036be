//! NAdam: Adam with Nesterov's look-ahead.

use super::adam::Moments;
use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// m and v as Adam's;  p ← p − (gradient_step_size·g + moment_step_size·m) / (√v + ε)
struct NAdam<N = f32> {
    moments: Moments<N>,
    epsilon: N,
    gradient_step_size: N,
    moment_step_size: N,
}

impl<N: Copy> From<&[N]> for NAdam<N> {
    fn from(h: &[N]) -> Self {
        NAdam { moments: h.into(), epsilon: h[3], gradient_step_size: h[4], moment_step_size: h[5] }
    }
}

impl<N: Number> Rule<2, N> for NAdam<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let (m, v) = self.moments.update(g, m, v);
        let step = k(self.gradient_step_size).mul_add(g, k(self.moment_step_size) * m);
        (p - step / (v.sqrt() + k(self.epsilon)), [m, v])
    }
}

export_update!(nadam, fleetNadam, NAdam, 2, 6);

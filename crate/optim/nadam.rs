//! NAdam: Adam with Nesterov's look-ahead.

use super::adam::Moments;
use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// m and v as Adam's;  p ← p − (gradient_step_size·g + moment_step_size·m) / (√v + ε)
struct NAdam {
    moments: Moments,
    epsilon: f32,
    gradient_step_size: f32,
    moment_step_size: f32,
}

impl From<&[f32]> for NAdam {
    fn from(h: &[f32]) -> Self {
        NAdam { moments: h.into(), epsilon: h[3], gradient_step_size: h[4], moment_step_size: h[5] }
    }
}

impl Rule<2> for NAdam {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [m, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let (m, v) = self.moments.update(g, m, v);
        let step = k(self.gradient_step_size).mul_add(g, k(self.moment_step_size) * m);
        (p - step / (v.sqrt() + k(self.epsilon)), [m, v])
    }
}

export_update!(nadam, NAdam, 2, 6);

//! Schedule-free descent: y, at which gradients are taken, follows the fast z; their average is the model.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// y ← y + c·(z − y) + gradient_rate·g;  z ← z − rate·g
struct ScheduleFreeSgd {
    c: f32,
    gradient_rate: f32,
    rate: f32,
}

impl From<&[f32]> for ScheduleFreeSgd {
    fn from(h: &[f32]) -> Self {
        ScheduleFreeSgd { c: h[0], gradient_rate: h[1], rate: h[2] }
    }
}

impl Rule<1> for ScheduleFreeSgd {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [z]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let y = p + k(self.c).mul_add(z - p, k(self.gradient_rate) * g);
        let z = z.minus(k(self.rate), g);
        (y, [z])
    }
}

/// y ← y + c·(z − y) + gradient_rate·u; z ← z − rate·u, with u = g/(√v + ε) + λ·y
struct ScheduleFreeAdamW {
    c: f32,
    gradient_rate: f32,
    beta2: f32,
    one_minus_beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    rate: f32,
}

impl From<&[f32]> for ScheduleFreeAdamW {
    fn from(h: &[f32]) -> Self {
        ScheduleFreeAdamW {
            c: h[0],
            gradient_rate: h[1],
            rate: h[2],
            beta2: h[3],
            one_minus_beta2: h[4],
            epsilon: h[5],
            weight_decay: h[6],
        }
    }
}

impl Rule<2> for ScheduleFreeAdamW {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::NonDecaying, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [z, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        let u = k(self.weight_decay).mul_add(p, g / (v.sqrt() + k(self.epsilon)));
        let y = p + k(self.c).mul_add(z - p, k(self.gradient_rate) * u);
        let z = z.minus(k(self.rate), u);
        (y, [z, v])
    }
}

export_update!(scheduleFreeSgd, ScheduleFreeSgd, 1, 3);
export_update!(scheduleFreeAdamw, ScheduleFreeAdamW, 2, 7);

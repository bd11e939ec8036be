//! Schedule-free descent: y, at which gradients are taken, follows the fast z; their average is the model.

use super::{export_update, Rule, Slot};
use crate::lane::Lane;

/// y ← y + c·(z − y) + direct·g;  z ← z − rate·g
struct ScheduleFreeSgd {
    c: f32,
    direct: f32,
    rate: f32,
}

impl From<&[f32]> for ScheduleFreeSgd {
    fn from(h: &[f32]) -> Self {
        ScheduleFreeSgd { c: h[0], direct: h[1], rate: h[2] }
    }
}

impl Rule<1> for ScheduleFreeSgd {
    const SLOT: [Slot; 1] = [Slot::Lasting];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [z]: [L; 1]) -> (L, [L; 1]) {
        let k = L::splat;
        let y = p + k(self.c).mul_add(z - p, k(self.direct) * g);
        let z = z.minus(k(self.rate), g);
        (y, [z])
    }
}

/// As above with u = g/(√v + ε) + λ·y in place of g.
struct ScheduleFreeAdamW {
    c: f32,
    direct: f32,
    beta2: f32,
    take2: f32,
    epsilon: f32,
    weight_decay: f32,
    rate: f32,
}

impl From<&[f32]> for ScheduleFreeAdamW {
    fn from(h: &[f32]) -> Self {
        ScheduleFreeAdamW {
            c: h[0],
            direct: h[1],
            rate: h[2],
            beta2: h[3],
            take2: h[4],
            epsilon: h[5],
            weight_decay: h[6],
        }
    }
}

impl Rule<2> for ScheduleFreeAdamW {
    const SLOT: [Slot; 2] = [Slot::Lasting, Slot::Square];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [z, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::splat;
        let v = k(self.beta2).mul_add(v, k(self.take2) * (g * g));
        let u = k(self.weight_decay).mul_add(p, g / (v.sqrt() + k(self.epsilon)));
        let y = p + k(self.c).mul_add(z - p, k(self.direct) * u);
        let z = z.minus(k(self.rate), u);
        (y, [z, v])
    }
}

export_update!(scheduleFreeSgd, ScheduleFreeSgd, 1, 3);
export_update!(scheduleFreeAdamw, ScheduleFreeAdamW, 2, 7);

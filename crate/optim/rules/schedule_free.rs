//! Schedule-free descent: y, at which gradients are taken, follows the fast z; their average is the model.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// y ← y + c·(z − y) + gradient_rate·g;  z ← z − rate·g
struct ScheduleFreeSgd<N = f32> {
    c: N,
    gradient_rate: N,
    rate: N,
}

impl<N: Copy> From<&[N]> for ScheduleFreeSgd<N> {
    fn from(h: &[N]) -> Self {
        ScheduleFreeSgd { c: h[0], gradient_rate: h[1], rate: h[2] }
    }
}

impl<N: Number> Rule<1, N> for ScheduleFreeSgd<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [z]: [L; 1]) -> (L, [L; 1]) {
        let k = L::broadcast;
        let y = p + k(self.c).mul_add(z - p, k(self.gradient_rate) * g);
        let z = z.minus_product(k(self.rate), g);
        (y, [z])
    }
}

/// y ← y + c·(z − y) + gradient_rate·u; z ← z − rate·u, with u = g/(√v + ε) + λ·y
struct ScheduleFreeAdamW<N = f32> {
    c: N,
    gradient_rate: N,
    beta2: N,
    one_minus_beta2: N,
    epsilon: N,
    weight_decay: N,
    rate: N,
}

impl<N: Copy> From<&[N]> for ScheduleFreeAdamW<N> {
    fn from(h: &[N]) -> Self {
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

impl<N: Number> Rule<2, N> for ScheduleFreeAdamW<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::NonDecaying, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [z, v]: [L; 2]) -> (L, [L; 2]) {
        let k = L::broadcast;
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        let u = k(self.weight_decay).mul_add(p, g / (v.sqrt() + k(self.epsilon)));
        let y = p + k(self.c).mul_add(z - p, k(self.gradient_rate) * u);
        let z = z.minus_product(k(self.rate), u);
        (y, [z, v])
    }
}

export_update!(scheduleFreeSgd, fleetScheduleFreeSgd, ScheduleFreeSgd, 1, 3);
export_update!(scheduleFreeAdamw, fleetScheduleFreeAdamw, ScheduleFreeAdamW, 2, 7);

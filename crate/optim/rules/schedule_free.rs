//! Schedule-free descent: y, at which gradients are taken, follows the fast z; their average is the model.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// y ← y + c·(z − y) + gradient_rate·g;  z ← z − rate·g
    struct ScheduleFreeSgd { c, gradient_rate, rate }
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

numbers! {
    /// y ← y + c·(z − y) + gradient_rate·u; z ← z − rate·u, with u = g/(√v + ε) + λ·y
    struct ScheduleFreeAdamW { c, gradient_rate, beta2, one_minus_beta2, epsilon, weight_decay, rate }
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

export_update!(scheduleFreeSgd, fleetScheduleFreeSgd, ScheduleFreeSgd, 1);
export_update!(scheduleFreeAdamw, fleetScheduleFreeAdamw, ScheduleFreeAdamW, 2);

//! AdEMAMix: Adam with a second, very slow mean.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// p ← p − (step_size·fast + slow_step_size·slow) / (√v + ε)
struct AdEmaMix<N = f32> {
    one_minus_beta1: N,
    one_minus_beta3: N,
    beta2: N,
    one_minus_beta2: N,
    step_size: N,
    slow_step_size: N,
    epsilon: N,
}

impl<N: Copy> From<&[N]> for AdEmaMix<N> {
    fn from(h: &[N]) -> Self {
        AdEmaMix {
            one_minus_beta1: h[0],
            one_minus_beta3: h[1],
            beta2: h[2],
            one_minus_beta2: h[3],
            step_size: h[4],
            slow_step_size: h[5],
            epsilon: h[6],
        }
    }
}

impl<N: Number> Rule<3, N> for AdEmaMix<N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::Mean, SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [fast, slow, v]: [L; 3]) -> (L, [L; 3]) {
        let k = L::broadcast;
        let fast = (g - fast).mul_add(k(self.one_minus_beta1), fast);
        let slow = (g - slow).mul_add(k(self.one_minus_beta3), slow);
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        let step = k(self.step_size).mul_add(fast, k(self.slow_step_size) * slow);
        (p - step / (v.sqrt() + k(self.epsilon)), [fast, slow, v])
    }
}

export_update!(ademamix, fleetAdemamix, AdEmaMix, 3, 7);

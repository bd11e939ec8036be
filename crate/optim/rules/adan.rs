//! Adan: Adam with Nesterov momentum made of gradient differences.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// d = g − g₋₁;  m, w, n: means of g, d, (g + difference_weight·d)²;  p ← p − (step_size_m·m + step_size_w·w) / (√n + ε)
struct Adan<N = f32> {
    one_minus_beta1: N,
    beta2: N,
    one_minus_beta2: N,
    beta3: N,
    one_minus_beta3: N,
    difference_weight: N,
    step_size_m: N,
    step_size_w: N,
    epsilon: N,
}

impl<N: Copy> From<&[N]> for Adan<N> {
    fn from(h: &[N]) -> Self {
        Adan {
            one_minus_beta1: h[0],
            beta2: h[1],
            one_minus_beta2: h[2],
            beta3: h[3],
            one_minus_beta3: h[4],
            difference_weight: h[5],
            step_size_m: h[6],
            step_size_w: h[7],
            epsilon: h[8],
        }
    }
}

impl<N: Number> Rule<4, N> for Adan<N> {
    const SLOT_KINDS: [SlotKind; 4] = [SlotKind::Mean, SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [m, w, n, previous]: [L; 4]) -> (L, [L; 4]) {
        let k = L::broadcast;
        let d = g - previous;
        let lookahead = d.mul_add(k(self.difference_weight), g);
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let w = k(self.beta2).mul_add(w, k(self.one_minus_beta2) * d);
        let n = k(self.beta3).mul_add(n, k(self.one_minus_beta3) * (lookahead * lookahead));
        let step = k(self.step_size_m).mul_add(m, k(self.step_size_w) * w) / (n.sqrt() + k(self.epsilon));
        (p - step, [m, w, n, g])
    }
}

export_update!(adan, fleetAdan, Adan, 4, 9);

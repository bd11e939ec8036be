//! LAMB: Adam's direction for a whole tensor, then a step along it in proportion to the tensor.

use super::adam::moments;
use super::sgd::Sgd;
use crate::lane::number::sqrt;
use crate::lane::Lane;
use crate::optim::{export_whole, numbers, sums, sweep, Cells, Shared, SlotKind, Sums};

numbers! {
    /// m, v as Adam's;  u ← step_size·m / (√v + ε) + λ·p;  p ← p − δ·p − η·(‖p‖/‖u‖)·u
    pub struct Lamb(scale) {
        one_minus_beta1,
        beta2,
        one_minus_beta2,
        step_size,
        epsilon_hat,
        direction_decay,
        learning_rate,
        parameter_decay,
    }
}

impl Sums<3, 2> for Lamb {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn state<L: Lane>(&self, p: L, g: L, [m, v, _]: [L; 3]) -> [L; 3] {
        let k = L::splat;
        let (m, v) = moments(self.one_minus_beta1, self.beta2, self.one_minus_beta2, k(self.scale) * g, m, v);
        let u = (m / (v.sqrt() + k(self.epsilon_hat))).mul_add(k(self.step_size), k(self.direction_decay) * p);
        [m, v, u]
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, _: L, [_, _, u]: [L; 3]) -> [L; 2] {
        [p * p, u * u]
    }
}

/// A step along the direction u, which stays in a slot between the passes; the quotient is 1 where a norm is 0.
pub fn whole_lamb(rule: &Lamb, p: Cells, g: Cells, s: [Cells; 3]) {
    let [squares, steps] = sums(rule, p, g, s);
    let ratio = if squares > 0.0 && steps > 0.0 { sqrt(squares / steps) } else { 1.0 };
    let learning_rate = (f64::from(rule.learning_rate) * ratio) as f32;
    sweep(&Sgd { learning_rate }, Shared::new(1.0, 0.0, rule.parameter_decay), p, s[2], []);
}

export_whole!(lamb, whole_lamb, Lamb, 3);

//! LAMB: Adam's direction for a whole tensor, then a step along it in proportion to the tensor.

use super::sgd::Sgd;
use crate::lane::number::sqrt;
use crate::lane::Lane;
use crate::optim::{export_whole, sums, sweep, Cells, Shared, SlotKind, Sums, SHARED_HYPER};

/// m, v as Adam's;  u ← step_size·m / (√v + ε) + λ·p
struct Direction {
    scale: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    step_size: f32,
    epsilon_hat: f32,
    direction_decay: f32,
}

impl Sums<3, 2> for Direction {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::Mean, SlotKind::MeanSquare, SlotKind::NonDecaying];

    #[inline(always)]
    fn state<L: Lane>(&self, p: L, g: L, [m, v, _]: [L; 3]) -> [L; 3] {
        let k = L::splat;
        let g = k(self.scale) * g;
        let m = (g - m).mul_add(k(self.one_minus_beta1), m);
        let v = k(self.beta2).mul_add(v, k(self.one_minus_beta2) * (g * g));
        let u = (m / (v.sqrt() + k(self.epsilon_hat))).mul_add(k(self.step_size), k(self.direction_decay) * p);
        [m, v, u]
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, _: L, [_, _, u]: [L; 3]) -> [L; 2] {
        [p * p, u * u]
    }
}

/// p ← p − δ·p − η·(‖p‖/‖u‖)·u, the quotient 1 where a norm is 0; the direction u stays in a slot between the passes.
pub fn whole_lamb(h: &[f32], p: Cells, g: Cells, s: [Cells; 3]) {
    let &[one_minus_beta1, beta2, one_minus_beta2, step_size, epsilon_hat, direction_decay, learning_rate, parameter_decay, ..] =
        &h[SHARED_HYPER..]
    else {
        return;
    };
    let direction =
        Direction { scale: h[0], one_minus_beta1, beta2, one_minus_beta2, step_size, epsilon_hat, direction_decay };
    let [squares, steps] = sums(&direction, p, g, s);
    let ratio = if squares > 0.0 && steps > 0.0 { sqrt(squares / steps) } else { 1.0 };
    let learning_rate = (f64::from(learning_rate) * ratio) as f32;
    sweep(&Sgd { learning_rate }, Shared::new(1.0, 0.0, parameter_decay), p, s[2], []);
}

export_whole!(lamb, whole_lamb, 3, 8);

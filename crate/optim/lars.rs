//! LARS: momentum on gradients in proportion to the tensor.

use super::momentum::Momentum;
use super::{export_whole, sums, sweep, Cells, Shared, Slot, Sums, SHARED_HYPER};
use crate::lane::Lane;

/// Σ p², Σ u², u = scale·g + λ·p
struct Norms {
    scale: f32,
    decay: f32,
}

impl Sums<0, 2> for Norms {
    const SLOT: [Slot; 0] = [];

    #[inline(always)]
    fn state<L: Lane>(&self, _: L, _: L, s: [L; 0]) -> [L; 0] {
        s
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, g: L, _: [L; 0]) -> [L; 2] {
        let u = L::splat(self.decay).mul_add(p, L::splat(self.scale) * g);
        [p * p, u * u]
    }
}

/// The momentum of η·r·u with r = trust·‖p‖ / (‖u‖ + ε), 1 where a norm is 0.
pub fn whole_lars(h: &[f32], p: Cells, g: Cells, s: [Cells; 1]) {
    let &[keep, take, direct, carried, learning_rate, weight_decay, trust, epsilon, ..] = &h[SHARED_HYPER..] else {
        return;
    };
    let double = f64::from;
    let [squares, steps] = sums(&Norms { scale: h[0], decay: weight_decay }, p, g, []);
    let ratio = if squares > 0.0 && steps > 0.0 {
        double(trust) * squares.sqrt() / (steps.sqrt() + double(epsilon))
    } else {
        1.0
    };
    let rate = double(learning_rate) * ratio;
    let shared = Shared::new((double(h[0]) * rate) as f32, (double(weight_decay) * rate) as f32, 0.0);
    sweep(&Momentum { keep, take, direct, carried }, shared, p, g, s);
}

export_whole!(lars, whole_lars, 1, 8);

//! LARS: momentum on gradients in proportion to the tensor.

use super::momentum::Momentum;
use crate::lane::number::sqrt;
use crate::lane::Lane;
use crate::optim::{export_whole, numbers, sums, sweep, Cells, Shared, SlotKind, Sums};
use core::array::from_fn;

numbers! {
    /// The momentum of η·r·u with r = trust·‖p‖ / (‖u‖ + ε), 1 where a norm is 0.
    pub struct Lars(scale) {
        velocity_decay,
        gradient_weight,
        gradient_rate,
        velocity_rate,
        learning_rate,
        weight_decay,
        trust_coefficient,
        epsilon,
    }
}

/// Σ (size·p)², Σ u², u = scale·g + λ·p
struct Squares {
    size: f32,
    scale: f32,
    decay: f32,
}

impl Sums<0, 2> for Squares {
    const SLOT_KINDS: [SlotKind; 0] = [];

    #[inline(always)]
    fn state<L: Lane>(&self, _: L, _: L, s: [L; 0]) -> [L; 0] {
        s
    }

    #[inline(always)]
    fn terms<L: Lane>(&self, p: L, g: L, _: [L; 0]) -> [L; 2] {
        let u = L::splat(self.decay).mul_add(p, L::splat(self.scale) * g);
        let p = L::splat(self.size) * p;
        [p * p, u * u]
    }
}

/// Mean squares below this may have lost digits, or all of them, because squares leave the range of a float.
const SMALL: f64 = 1e-30;
const TWO_TO_60: f32 = (1u64 << 60) as f32;

/// ‖p‖ and ‖scale·g + λ·p‖: if squares leave the range of a float, they are computed again from numbers multiplied by 2^±60.
fn norms(scale: f32, decay: f32, p: Cells, g: Cells) -> [f64; 2] {
    let of = |size: f32| {
        let squares = sums(&Squares { size, scale: size * scale, decay: size * decay }, p, g, []);
        squares.map(|sum| sqrt(sum) / f64::from(size))
    };
    let usual = of(1.0);
    let least = sqrt(SMALL * p.len() as f64);
    let again = if usual.iter().any(|norm| !norm.is_finite()) {
        of(1.0 / TWO_TO_60)
    } else if usual.iter().any(|norm| *norm < least) {
        of(TWO_TO_60)
    } else {
        usual
    };
    from_fn(|i| if usual[i] < least || !usual[i].is_finite() { again[i] } else { usual[i] })
}

/// See [`Lars`].
pub fn whole_lars(rule: &Lars, p: Cells, g: Cells, s: [Cells; 1]) {
    let double = f64::from;
    let [size, step] = norms(rule.scale, rule.weight_decay, p, g);
    let ratio = if size > 0.0 && step > 0.0 {
        double(rule.trust_coefficient) * size / (step + double(rule.epsilon))
    } else {
        1.0
    };
    let rate = double(rule.learning_rate) * ratio;
    let shared = Shared::new((double(rule.scale) * rate) as f32, (double(rule.weight_decay) * rate) as f32, 0.0);
    let &Lars { velocity_decay, gradient_weight, gradient_rate, velocity_rate, .. } = rule;
    sweep(&Momentum { velocity_decay, gradient_weight, gradient_rate, velocity_rate }, shared, p, g, s);
}

export_whole!(lars, whole_lars, Lars, 1);

//! RMSProp: the gradient over its root mean square; plain, centered, with momentum.

use crate::lane::Lane;
use crate::optim::{export_update, Rule, SlotKind};

/// s ← β·s + (1 − β)·g²;  d = g / (√(s + εᵢ) + εₒ)
struct RmsProp {
    beta: f32,
    one_minus_beta: f32,
    /// The bias correction of m² against s, for the centered form; the correction of d is part of the other numbers.
    inverse_correction: f32,
    epsilon_out: f32,
    epsilon_in: f32,
    /// p ← p − η·d
    learning_rate: f32,
}

impl From<&[f32]> for RmsProp {
    fn from(h: &[f32]) -> Self {
        RmsProp {
            beta: h[0],
            one_minus_beta: h[1],
            inverse_correction: h[2],
            epsilon_out: h[3],
            epsilon_in: h[4],
            learning_rate: h[5],
        }
    }
}

impl RmsProp {
    #[inline(always)]
    fn mean_square<L: Lane>(&self, s: L, g: L) -> L {
        L::splat(self.beta).mul_add(s, L::splat(self.one_minus_beta) * (g * g))
    }

    #[inline(always)]
    fn mean<L: Lane>(&self, m: L, g: L) -> L {
        (g - m).mul_add(L::splat(self.one_minus_beta), m)
    }

    #[inline(always)]
    fn variance<L: Lane>(&self, s: L, m: L) -> L {
        s.minus(L::splat(self.inverse_correction) * m, m).at_least(L::splat(0.0))
    }

    #[inline(always)]
    fn direction<L: Lane>(&self, g: L, variance: L) -> L {
        g / ((variance + L::splat(self.epsilon_in)).sqrt() + L::splat(self.epsilon_out))
    }
}

impl Rule<1> for RmsProp {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        let s = self.mean_square(s, g);
        let d = self.direction(g, s);
        (p.minus(L::splat(self.learning_rate), d), [s])
    }
}

/// √(s − c·m²) in place of √s, m the mean gradient.
struct Centered(RmsProp);

impl From<&[f32]> for Centered {
    fn from(h: &[f32]) -> Self {
        Centered(h.into())
    }
}

impl Rule<2> for Centered {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [s, m]: [L; 2]) -> (L, [L; 2]) {
        let (s, m) = (self.0.mean_square(s, g), self.0.mean(m, g));
        let d = self.0.direction(g, self.0.variance(s, m));
        (p.minus(L::splat(self.0.learning_rate), d), [s, m])
    }
}

/// b ← μ·b + direction_weight·d;  p ← p − direction_rate·d − velocity_rate·b
struct WithMomentum {
    rms: RmsProp,
    momentum: f32,
    direction_weight: f32,
    direction_rate: f32,
    velocity_rate: f32,
}

impl From<&[f32]> for WithMomentum {
    fn from(h: &[f32]) -> Self {
        WithMomentum {
            rms: h.into(),
            momentum: h[5],
            direction_weight: h[6],
            direction_rate: h[7],
            velocity_rate: h[8],
        }
    }
}

impl WithMomentum {
    #[inline(always)]
    fn step<L: Lane>(&self, p: L, b: L, d: L) -> (L, L) {
        let k = L::splat;
        let b = k(self.momentum).mul_add(b, k(self.direction_weight) * d);
        (p - k(self.direction_rate).mul_add(d, k(self.velocity_rate) * b), b)
    }
}

impl Rule<2> for WithMomentum {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [s, b]: [L; 2]) -> (L, [L; 2]) {
        let s = self.rms.mean_square(s, g);
        let (p, b) = self.step(p, b, self.rms.direction(g, s));
        (p, [s, b])
    }
}

impl Rule<3> for WithMomentum {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::MeanSquare, SlotKind::Mean, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Lane>(&self, p: L, g: L, [s, m, b]: [L; 3]) -> (L, [L; 3]) {
        let (s, m) = (self.rms.mean_square(s, g), self.rms.mean(m, g));
        let (p, b) = self.step(p, b, self.rms.direction(g, self.rms.variance(s, m)));
        (p, [s, m, b])
    }
}

export_update!(rmsprop, RmsProp, 1, 6);
export_update!(rmspropCentered, Centered, 2, 6);
export_update!(rmspropMomentum, WithMomentum, 2, 9);
export_update!(rmspropCenteredMomentum, WithMomentum, 3, 9);

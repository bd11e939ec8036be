//! RMSProp: the gradient over its root mean square; plain, centered, with momentum.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, Rule, SlotKind};

/// s ← β·s + (1 − β)·g²;  d = g / (√(s + εᵢ) + εₒ)
struct RmsProp<N = f32> {
    beta: N,
    one_minus_beta: N,
    /// The bias correction of m² against s, for the centered form; the correction of d is part of the other numbers.
    inverse_correction: N,
    epsilon_out: N,
    epsilon_in: N,
    /// p ← p − η·d
    learning_rate: N,
}

impl<N: Copy> From<&[N]> for RmsProp<N> {
    fn from(h: &[N]) -> Self {
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

impl<N: Number> RmsProp<N> {
    #[inline(always)]
    fn mean_square<L: Broadcast<N>>(&self, s: L, g: L) -> L {
        L::broadcast(self.beta).mul_add(s, L::broadcast(self.one_minus_beta) * (g * g))
    }

    #[inline(always)]
    fn mean<L: Broadcast<N>>(&self, m: L, g: L) -> L {
        (g - m).mul_add(L::broadcast(self.one_minus_beta), m)
    }

    #[inline(always)]
    fn variance<L: Broadcast<N>>(&self, s: L, m: L) -> L {
        s.minus_product(L::broadcast(self.inverse_correction) * m, m).pmax(L::splat(0.0))
    }

    #[inline(always)]
    fn direction<L: Broadcast<N>>(&self, g: L, variance: L) -> L {
        g / ((variance + L::broadcast(self.epsilon_in)).sqrt() + L::broadcast(self.epsilon_out))
    }
}

impl<N: Number> Rule<1, N> for RmsProp<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        let s = self.mean_square(s, g);
        let d = self.direction(g, s);
        (p.minus_product(L::broadcast(self.learning_rate), d), [s])
    }
}

/// √(s − c·m²) in place of √s, m the mean gradient.
struct Centered<N = f32>(RmsProp<N>);

impl<N: Copy> From<&[N]> for Centered<N> {
    fn from(h: &[N]) -> Self {
        Centered(h.into())
    }
}

impl<N: Number> Rule<2, N> for Centered<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s, m]: [L; 2]) -> (L, [L; 2]) {
        let (s, m) = (self.0.mean_square(s, g), self.0.mean(m, g));
        let d = self.0.direction(g, self.0.variance(s, m));
        (p.minus_product(L::broadcast(self.0.learning_rate), d), [s, m])
    }
}

/// b ← μ·b + direction_weight·d;  p ← p − direction_rate·d − velocity_rate·b
struct WithMomentum<N = f32> {
    rms: RmsProp<N>,
    momentum: N,
    direction_weight: N,
    direction_rate: N,
    velocity_rate: N,
}

impl<N: Copy> From<&[N]> for WithMomentum<N> {
    fn from(h: &[N]) -> Self {
        WithMomentum {
            rms: h.into(),
            momentum: h[5],
            direction_weight: h[6],
            direction_rate: h[7],
            velocity_rate: h[8],
        }
    }
}

impl<N: Number> WithMomentum<N> {
    #[inline(always)]
    fn step<L: Broadcast<N>>(&self, p: L, b: L, d: L) -> (L, L) {
        let k = L::broadcast;
        let b = k(self.momentum).mul_add(b, k(self.direction_weight) * d);
        (p - k(self.direction_rate).mul_add(d, k(self.velocity_rate) * b), b)
    }
}

impl<N: Number> Rule<2, N> for WithMomentum<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s, b]: [L; 2]) -> (L, [L; 2]) {
        let s = self.rms.mean_square(s, g);
        let (p, b) = self.step(p, b, self.rms.direction(g, s));
        (p, [s, b])
    }
}

impl<N: Number> Rule<3, N> for WithMomentum<N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::MeanSquare, SlotKind::Mean, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s, m, b]: [L; 3]) -> (L, [L; 3]) {
        let (s, m) = (self.rms.mean_square(s, g), self.rms.mean(m, g));
        let (p, b) = self.step(p, b, self.rms.direction(g, self.rms.variance(s, m)));
        (p, [s, m, b])
    }
}

export_update!(rmsprop, fleetRmsprop, RmsProp, 1, 6);
export_update!(rmspropCentered, fleetRmspropCentered, Centered, 2, 6);
export_update!(rmspropMomentum, fleetRmspropMomentum, WithMomentum, 2, 9);
export_update!(rmspropCenteredMomentum, fleetRmspropCenteredMomentum, WithMomentum, 3, 9);

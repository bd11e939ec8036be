//! RMSProp: the gradient over its root mean square; plain, centered, with momentum.

use crate::lane::{Broadcast, Number};
use crate::optim::{export_update, numbers, Rule, SlotKind};

numbers! {
    /// s ← β·s + (1 − β)·g²;  d = g / (√(s + εᵢ) + εₒ);  p ← p − η·d
    struct RmsProp {
        beta,
        one_minus_beta,
        /// The bias correction of m² against s, for the centered form; the correction of d is part of the other numbers.
        inverse_correction,
        epsilon_out,
        epsilon_in,
        learning_rate,
    }
}

numbers! {
    /// √(s − c·m²) in place of √s, m the mean gradient.
    struct Centered(RmsProp);
}

numbers! {
    /// d as above;  b ← μ·b + direction_weight·d;  p ← p − direction_rate·d − velocity_rate·b
    struct WithMomentum {
        beta,
        one_minus_beta,
        inverse_correction,
        epsilon_out,
        epsilon_in,
        momentum,
        direction_weight,
        direction_rate,
        velocity_rate,
    }
}

#[inline(always)]
fn mean_square<N: Number, L: Broadcast<N>>(beta: N, one_minus_beta: N, s: L, g: L) -> L {
    L::broadcast(beta).mul_add(s, L::broadcast(one_minus_beta) * (g * g))
}

#[inline(always)]
fn mean<N: Number, L: Broadcast<N>>(one_minus_beta: N, m: L, g: L) -> L {
    (g - m).mul_add(L::broadcast(one_minus_beta), m)
}

#[inline(always)]
fn variance<N: Number, L: Broadcast<N>>(inverse_correction: N, s: L, m: L) -> L {
    s.minus_product(L::broadcast(inverse_correction) * m, m).pmax(L::splat(0.0))
}

#[inline(always)]
fn direction<N: Number, L: Broadcast<N>>(epsilon_in: N, epsilon_out: N, g: L, variance: L) -> L {
    g / ((variance + L::broadcast(epsilon_in)).sqrt() + L::broadcast(epsilon_out))
}

impl<N: Number> Rule<1, N> for RmsProp<N> {
    const SLOT_KINDS: [SlotKind; 1] = [SlotKind::MeanSquare];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        let s = mean_square(self.beta, self.one_minus_beta, s, g);
        let d = direction(self.epsilon_in, self.epsilon_out, g, s);
        (p.minus_product(L::broadcast(self.learning_rate), d), [s])
    }
}

impl<N: Number> Rule<2, N> for Centered<N> {
    const SLOT_KINDS: [SlotKind; 2] = [SlotKind::MeanSquare, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s, m]: [L; 2]) -> (L, [L; 2]) {
        let rms = &self.0;
        let (s, m) = (mean_square(rms.beta, rms.one_minus_beta, s, g), mean(rms.one_minus_beta, m, g));
        let d = direction(rms.epsilon_in, rms.epsilon_out, g, variance(rms.inverse_correction, s, m));
        (p.minus_product(L::broadcast(rms.learning_rate), d), [s, m])
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
        let s = mean_square(self.beta, self.one_minus_beta, s, g);
        let (p, b) = self.step(p, b, direction(self.epsilon_in, self.epsilon_out, g, s));
        (p, [s, b])
    }
}

impl<N: Number> Rule<3, N> for WithMomentum<N> {
    const SLOT_KINDS: [SlotKind; 3] = [SlotKind::MeanSquare, SlotKind::Mean, SlotKind::Mean];

    #[inline(always)]
    fn update<L: Broadcast<N>>(&self, p: L, g: L, [s, m, b]: [L; 3]) -> (L, [L; 3]) {
        let (s, m) = (mean_square(self.beta, self.one_minus_beta, s, g), mean(self.one_minus_beta, m, g));
        let d = direction(self.epsilon_in, self.epsilon_out, g, variance(self.inverse_correction, s, m));
        let (p, b) = self.step(p, b, d);
        (p, [s, m, b])
    }
}

export_update!(rmsprop, fleetRmsprop, RmsProp, 1);
export_update!(rmspropCentered, fleetRmspropCentered, Centered, 2);
export_update!(rmspropMomentum, fleetRmspropMomentum, WithMomentum, 2);
export_update!(rmspropCenteredMomentum, fleetRmspropCenteredMomentum, WithMomentum, 3);

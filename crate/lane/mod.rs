//! Lanes: kernels are written once over [`Lane`] and run on one float (`f32`), on four in a register ([`F32x4`]) or on eight in
//! two of them ([`F32x8`]).
//!
//! This is the only module that names machine intrinsics. All lanes give the same bits: every operation of `f32` rounds as
//! its vector twin does, also the fused multiply-add of the relaxed artifact. Off wasm, `F32x4` is four scalars, so that
//! `cargo test` checks the very kernels that ship.

mod f32x4;
mod f32x8;
mod f64x2;
pub mod number;
#[cfg(not(target_feature = "simd128"))]
mod portable;
mod scalar;
#[cfg(target_feature = "simd128")]
mod simd;
mod touch;
mod u32x4;

use core::cell::Cell;
use core::ops::{Add, Div, Mul, Neg, Sub};
pub use f32x4::F32x4;
pub use f32x8::F32x8;
pub use f64x2::F64x2;
pub use touch::touch;
pub use u32x4::U32x4;

/// 1.5·2²³: a sum with it keeps whole numbers only, the number itself in its lowest bits.
const SHIFTER: f32 = 12_582_912.0;

/// One float, or several side by side.
pub trait Lane:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The outcome of a comparison, one yes or no per float.
    type Mask: Copy;
    /// Floats side by side.
    const WIDTH: usize;

    /// x everywhere.
    fn splat(x: f32) -> Self;
    /// The first [`Self::WIDTH`] floats of a slice.
    fn load(from: &[f32]) -> Self;
    /// Into the first [`Self::WIDTH`] floats of a slice.
    fn store(self, to: &mut [f32]);
    /// [`Self::load`] from memory that may be written elsewhere (in-place kernels).
    fn get(from: &[Cell<f32>]) -> Self;
    /// [`Self::store`] into memory that may be read elsewhere (in-place kernels).
    fn set(self, to: &[Cell<f32>]);

    /// self·a + b: rounded once on the relaxed artifact, twice otherwise.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// self − a·b, rounded as [`Self::mul_add`]. V8 widens no vector that is negated, so `a` should be
    /// a number everywhere, which the compiler negates before it becomes a vector.
    #[inline(always)]
    fn minus_product(self, a: Self, b: Self) -> Self {
        (-a).mul_add(b, self)
    }
    /// |x|
    fn abs(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// The smaller; NaN if either is.
    fn min(self, other: Self) -> Self;
    /// The larger; NaN if either is.
    fn max(self, other: Self) -> Self;

    /// self, or `least` where self is smaller; NaN stays NaN. This is the instruction pmax. LLVM writes another one for the relaxed artifact, which
    /// ts/build/pack/finish.mjs turns back into pmax.
    fn pmax(self, least: Self) -> Self;
    /// self, or `most` where self is larger; NaN stays NaN.
    fn pmin(self, most: Self) -> Self;
    /// From `least` to `most`, neither of them 0; NaN stays NaN. A fourth of the instructions of max and min on the relaxed artifact.
    #[inline(always)]
    fn clamp(self, least: Self, most: Self) -> Self {
        self.pmax(least).pmin(most)
    }
    /// |self| with the sign of `other`.
    fn with_sign_of(self, other: Self) -> Self;

    /// self < other
    fn lt(self, other: Self) -> Self::Mask;
    /// self ≤ other
    fn le(self, other: Self) -> Self::Mask;
    /// self = other
    fn eq(self, other: Self) -> Self::Mask;
    /// Set where `a` is set and `b` is not.
    fn without(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `yes` where the mask is set, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// self, or 0 where the mask is set: one instruction instead of the three of [`Self::select`].
    fn zero_where(self, mask: Self::Mask) -> Self;
    /// self, or NaN where `other` is NaN.
    fn or_nan_of(self, other: Self) -> Self;

    /// 2ⁿ for a whole n in −127..=127; 0 for −127. Adding 1.5·2²³ puts n + 127 into the lowest bits, from where a shift makes it the exponent: this
    /// avoids a conversion, for which engines take several instructions and which V8 does not widen.
    fn power_of_two(self) -> Self;
    /// The binary exponent of a positive normal number, as a float.
    fn exponent(self) -> Self;
    /// The number with its binary exponent set to 0: in [1, 2) for positive normal numbers.
    fn mantissa(self) -> Self;

    /// self > other
    #[inline(always)]
    fn gt(self, other: Self) -> Self::Mask {
        other.lt(self)
    }

    /// self ≥ other
    #[inline(always)]
    fn ge(self, other: Self) -> Self::Mask {
        other.le(self)
    }

    /// −1, 0 or 1; 0 for ±0, NaN for NaN.
    #[inline(always)]
    fn sign(self) -> Self {
        Self::splat(1.0).with_sign_of(self).zero_where(self.eq(Self::splat(0.0))).or_nan_of(self)
    }

    /// Nearest whole number, ties to even, for |x| ≤ 2²²; 0 has the sign +. Two additions, which V8 widens, unlike the instruction.
    #[inline(always)]
    fn nearest(self) -> Self {
        (self + Self::splat(SHIFTER)) - Self::splat(SHIFTER)
    }

    /// self·2ⁿ for a whole n in −252..=254: in two steps, so that the result may be denormal or overflow.
    #[inline(always)]
    fn scale2(self, n: Self) -> Self {
        let half = (n * Self::splat(0.5)).nearest();
        self * half.power_of_two() * (n - half).power_of_two()
    }

    /// x = m·2ᵉ for positive finite x with m in [√½, √2): (m, e).
    #[inline(always)]
    fn split2(self) -> (Self, Self) {
        let k = Self::splat;
        let tiny = self.lt(k(f32::MIN_POSITIVE));
        let x = Self::select(tiny, self * k(8_388_608.0), self);
        let e = x.exponent() - Self::select(tiny, k(23.0), k(0.0));
        let m = x.mantissa();
        let large = m.gt(k(core::f32::consts::SQRT_2));
        (Self::select(large, m * k(0.5), m), e + Self::select(large, k(1.0), k(0.0)))
    }
}

/// A number that a rule multiplies by: one float ([`f32`]), or one of each net of a fleet ([`F32x8`]).
pub trait Number: Copy + Neg<Output = Self> {}
impl Number for f32 {}
impl Number for F32x8 {}

/// A lane that takes numbers of a kind: a float for all of its floats, or one for each.
pub trait Broadcast<N>: Lane {
    /// The number, in its place or everywhere.
    fn broadcast(number: N) -> Self;
}

impl<L: Lane> Broadcast<f32> for L {
    #[inline(always)]
    fn broadcast(number: f32) -> Self {
        L::splat(number)
    }
}

impl Broadcast<F32x8> for F32x8 {
    #[inline(always)]
    fn broadcast(number: F32x8) -> Self {
        number
    }
}

//! One float as a lane: for the tail of every kernel, and as the reference for the vector form.

use super::{Lane, SHIFTER};
use core::cell::Cell;

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;

impl Lane for f32 {
    type Mask = bool;
    const WIDTH: usize = 1;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        from[0]
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to[0] = self;
    }
    #[inline(always)]
    fn get(from: &[Cell<f32>]) -> Self {
        from[0].get()
    }
    #[inline(always)]
    fn set(self, to: &[Cell<f32>]) {
        to[0].set(self);
    }
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f32x4_extract_lane::<0>(f32x4_relaxed_madd(f32x4_splat(self), f32x4_splat(a), f32x4_splat(b)))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        #[cfg(target_feature = "simd128")]
        return f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(self)));
        #[cfg(not(target_feature = "simd128"))]
        f32::sqrt(self)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            f32::NAN
        } else if self == other {
            f32::from_bits(self.to_bits() | other.to_bits())
        } else if self < other {
            self
        } else {
            other
        }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.is_nan() || other.is_nan() {
            f32::NAN
        } else if self == other {
            f32::from_bits(self.to_bits() & other.to_bits())
        } else if self > other {
            self
        } else {
            other
        }
    }
    #[inline(always)]
    fn pmax(self, least: Self) -> Self {
        if self < least {
            least
        } else {
            self
        }
    }
    #[inline(always)]
    fn pmin(self, most: Self) -> Self {
        if most < self {
            most
        } else {
            self
        }
    }
    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        self.copysign(other)
    }
    #[inline(always)]
    fn lt(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn le(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn eq(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn without(a: bool, b: bool) -> bool {
        a && !b
    }
    #[inline(always)]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask {
            yes
        } else {
            no
        }
    }
    #[inline(always)]
    fn zero_where(self, mask: bool) -> Self {
        Self::select(mask, 0.0, self)
    }
    #[inline(always)]
    fn or_nan_of(self, other: Self) -> Self {
        Self::select(other.is_nan(), f32::NAN, self)
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        f32::from_bits((self + (SHIFTER + 127.0)).to_bits() << 23)
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        ((self.to_bits() >> 23) as i32 - 127) as f32
    }
    #[inline(always)]
    fn mantissa(self) -> Self {
        f32::from_bits((self.to_bits() & 0x007f_ffff) | 0x3f80_0000)
    }
}

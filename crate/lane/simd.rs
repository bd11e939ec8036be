//! The arithmetic of four floats as WebAssembly's SIMD instructions.
#![allow(unsafe_code)] // of `memory!`

use super::f32x4::{memory, F32x4};
use super::{Lane, SHIFTER};
use core::arch::wasm32::*;
use core::cell::Cell;
use core::ops::{Add, Div, Mul, Neg, Sub};

impl Lane for F32x4 {
    type Mask = v128;
    memory!();

    #[inline(always)]
    fn splat(x: f32) -> Self {
        F32x4(f32x4_splat(x))
    }
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        F32x4(f32x4_relaxed_madd(self.0, a.0, b.0))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn abs(self) -> Self {
        F32x4(f32x4_abs(self.0))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        F32x4(f32x4_sqrt(self.0))
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        F32x4(f32x4_min(self.0, other.0))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        F32x4(f32x4_max(self.0, other.0))
    }
    #[inline(always)]
    fn pmax(self, least: Self) -> Self {
        F32x4(f32x4_pmax(self.0, least.0))
    }
    #[inline(always)]
    fn pmin(self, most: Self) -> Self {
        F32x4(f32x4_pmin(self.0, most.0))
    }
    #[inline(always)]
    fn with_sign_of(self, other: Self) -> Self {
        F32x4(v128_or(v128_and(other.0, u32x4_splat(0x8000_0000)), self.abs().0))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> v128 {
        f32x4_lt(self.0, other.0)
    }
    #[inline(always)]
    fn le(self, other: Self) -> v128 {
        f32x4_le(self.0, other.0)
    }
    #[inline(always)]
    fn eq(self, other: Self) -> v128 {
        f32x4_eq(self.0, other.0)
    }
    #[inline(always)]
    fn without(a: v128, b: v128) -> v128 {
        v128_andnot(a, b)
    }
    #[inline(always)]
    fn select(mask: v128, yes: Self, no: Self) -> Self {
        F32x4(v128_bitselect(yes.0, no.0, mask))
    }
    #[inline(always)]
    fn zero_where(self, mask: v128) -> Self {
        F32x4(v128_andnot(self.0, mask))
    }
    #[inline(always)]
    fn or_nan_of(self, other: Self) -> Self {
        F32x4(v128_or(self.0, f32x4_ne(other.0, other.0)))
    }
    #[inline(always)]
    fn power_of_two(self) -> Self {
        F32x4(i32x4_shl(f32x4_add(self.0, f32x4_splat(SHIFTER + 127.0)), 23))
    }
    #[inline(always)]
    fn exponent(self) -> Self {
        F32x4(f32x4_convert_i32x4(i32x4_sub(u32x4_shr(self.0, 23), i32x4_splat(127))))
    }
    #[inline(always)]
    fn mantissa(self) -> Self {
        F32x4(v128_or(v128_and(self.0, u32x4_splat(0x007f_ffff)), u32x4_splat(0x3f80_0000)))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for F32x4 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                F32x4($intrinsic(self.0, other.0))
            }
        }
    };
}
operator!(Add, add, f32x4_add);
operator!(Sub, sub, f32x4_sub);
operator!(Mul, mul, f32x4_mul);
operator!(Div, div, f32x4_div);

impl Neg for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        F32x4(f32x4_neg(self.0))
    }
}

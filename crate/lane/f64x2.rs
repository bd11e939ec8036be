//! Two doubles: the type and its arithmetic, on wasm and off it.
#![allow(unsafe_code)]

use super::F32x4;
use core::cell::Cell;
use core::ops::{Add, Div, Mul, Sub};

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;

/// Two doubles in one 128-bit register: the type of the solvers' kernels in `double`.
#[cfg(target_feature = "simd128")]
#[derive(Clone, Copy)]
pub struct F64x2(v128);

/// Two doubles, off wasm.
#[cfg(not(target_feature = "simd128"))]
#[derive(Clone, Copy)]
pub struct F64x2([f64; 2]);

impl F64x2 {
    /// x twice.
    #[inline(always)]
    pub fn splat(x: f64) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(f64x2_splat(x));
        #[cfg(not(target_feature = "simd128"))]
        return F64x2([x; 2]);
    }

    /// The first two floats of a slice as doubles. Loading four floats and taking two would need another instruction for the last two.
    #[inline(always)]
    pub fn of(x: &[Cell<f32>]) -> Self {
        assert!(x.len() >= 2);
        // SAFETY: the slice holds two floats; the load allows any alignment.
        #[cfg(target_feature = "simd128")]
        return F64x2(f64x2_promote_low_f32x4(unsafe { v128_load64_zero(x.as_ptr().cast()) }));
        #[cfg(not(target_feature = "simd128"))]
        return F64x2([x[0].get().into(), x[1].get().into()]);
    }

    /// Four floats as doubles.
    #[inline(always)]
    pub fn pair_of(x: F32x4) -> [Self; 2] {
        #[cfg(target_feature = "simd128")]
        return [x.0, i64x2_shuffle::<1, 1>(x.0, x.0)].map(|x| F64x2(f64x2_promote_low_f32x4(x)));
        #[cfg(not(target_feature = "simd128"))]
        return [[x.0[0], x.0[1]], [x.0[2], x.0[3]]].map(|x| F64x2(x.map(f64::from)));
    }

    /// Four doubles as floats.
    #[inline(always)]
    pub fn pair_to_floats([a, b]: [Self; 2]) -> F32x4 {
        #[cfg(target_feature = "simd128")]
        return F32x4(i64x2_shuffle::<0, 2>(f32x4_demote_f64x2_zero(a.0), f32x4_demote_f64x2_zero(b.0)));
        #[cfg(not(target_feature = "simd128"))]
        return F32x4([a.0[0] as f32, a.0[1] as f32, b.0[0] as f32, b.0[1] as f32]);
    }

    /// The first two doubles of a slice.
    #[inline(always)]
    pub fn load(from: &[f64]) -> Self {
        assert!(from.len() >= 2);
        // SAFETY: the slice holds two doubles; both loads allow any alignment.
        unsafe {
            #[cfg(target_feature = "simd128")]
            return F64x2(v128_load(from.as_ptr().cast()));
            #[cfg(not(target_feature = "simd128"))]
            return F64x2(from.as_ptr().cast::<[f64; 2]>().read_unaligned());
        }
    }

    /// Into the first two doubles of a slice.
    #[inline(always)]
    pub fn store(self, to: &mut [f64]) {
        assert!(to.len() >= 2);
        // SAFETY: the slice holds two doubles; both stores allow any alignment.
        unsafe {
            #[cfg(target_feature = "simd128")]
            v128_store(to.as_mut_ptr().cast(), self.0);
            #[cfg(not(target_feature = "simd128"))]
            to.as_mut_ptr().cast::<[f64; 2]>().write_unaligned(self.0);
        }
    }

    /// The first double.
    #[inline(always)]
    pub fn first(self) -> f64 {
        #[cfg(target_feature = "simd128")]
        return f64x2_extract_lane::<0>(self.0);
        #[cfg(not(target_feature = "simd128"))]
        return self.0[0];
    }

    /// The second double.
    #[inline(always)]
    pub fn second(self) -> f64 {
        #[cfg(target_feature = "simd128")]
        return f64x2_extract_lane::<1>(self.0);
        #[cfg(not(target_feature = "simd128"))]
        return self.0[1];
    }

    /// The bits that are set in both: |x|, with [`F64x2::all_but_sign`].
    #[inline(always)]
    pub fn and(self, mask: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_and(self.0, mask.0));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(mask, |x, mask| f64::from_bits(x.to_bits() & mask.to_bits()));
    }

    /// All bits but the signs. The constant is hidden from the compiler: otherwise it would put an instruction for |x| in front of a conversion from
    /// floats, where it takes 1.4 times as long.
    #[inline(always)]
    pub fn all_but_sign() -> Self {
        core::hint::black_box(Self::splat(f64::from_bits(i64::MAX as u64)))
    }

    /// self·a + b: rounded once on the relaxed artifact, twice otherwise.
    #[inline(always)]
    pub fn mul_add(self, a: Self, b: Self) -> Self {
        #[cfg(target_feature = "relaxed-simd")]
        return F64x2(f64x2_relaxed_madd(self.0, a.0, b.0));
        #[cfg(not(target_feature = "relaxed-simd"))]
        return self * a + b;
    }

    /// Nearest whole number, ties to even.
    #[inline(always)]
    pub fn nearest(self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(f64x2_nearest(self.0));
        #[cfg(not(target_feature = "simd128"))]
        return F64x2(self.0.map(f64::round_ties_even));
    }

    /// self, or `least` where self is smaller; NaN stays NaN.
    #[inline(always)]
    pub fn pmax(self, least: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_bitselect(least.0, self.0, f64x2_lt(self.0, least.0)));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(least, |x, least| if x < least { least } else { x });
    }

    /// self, or `most` where self is larger; NaN stays NaN.
    #[inline(always)]
    pub fn pmin(self, most: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_bitselect(most.0, self.0, f64x2_gt(self.0, most.0)));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(most, |x, most| if most < x { most } else { x });
    }

    /// `odd` if the lowest bit of self is set, else `even`.
    #[inline(always)]
    pub fn choose(self, even: Self, odd: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_bitselect(odd.0, even.0, i64x2_neg(v128_and(self.0, i64x2_splat(1)))));
        #[cfg(not(target_feature = "simd128"))]
        return F64x2(core::array::from_fn(|i| if self.0[i].to_bits() & 1 == 1 { odd.0[i] } else { even.0[i] }));
    }

    /// −x where the second lowest bit of self is set, else x.
    #[inline(always)]
    pub fn negate_by_second_bit(self, x: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_xor(x.0, i64x2_shl(v128_and(self.0, i64x2_splat(2)), 62)));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(x, |bits, x| f64::from_bits(x.to_bits() ^ (bits.to_bits() & 2) << 62));
    }

    /// 2ⁿ for a whole n in −1022..=1023: n added to a number whose last bits are whole leaves it there, biased.
    #[inline(always)]
    pub fn power_of_two(self) -> Self {
        let biased = self + Self::splat(6_755_399_441_055_744.0 + 1023.0);
        #[cfg(target_feature = "simd128")]
        return F64x2(i64x2_shl(biased.0, 52));
        #[cfg(not(target_feature = "simd128"))]
        return F64x2(biased.0.map(|x| f64::from_bits(x.to_bits() << 52)));
    }

    #[cfg(not(target_feature = "simd128"))]
    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        F64x2(core::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

macro_rules! double_operator {
    ($trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for F64x2 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                #[cfg(target_feature = "simd128")]
                return F64x2($intrinsic(self.0, other.0));
                #[cfg(not(target_feature = "simd128"))]
                return self.each(other, f64::$method);
            }
        }
    };
}
double_operator!(Add, add, f64x2_add);
double_operator!(Sub, sub, f64x2_sub);
double_operator!(Mul, mul, f64x2_mul);
double_operator!(Div, div, f64x2_div);

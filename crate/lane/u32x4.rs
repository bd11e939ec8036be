//! Four 32-bit integers: the type for random numbers, on wasm and elsewhere.

use super::{F32x4, Lane};
use core::ops::{BitXor, Shr};

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;
#[cfg(not(target_feature = "simd128"))]
use core::array::from_fn;

/// Four integers in one 128-bit register.
#[cfg(target_feature = "simd128")]
#[derive(Clone, Copy)]
pub struct U32x4(v128);

/// Four integers, for other targets than wasm.
#[cfg(not(target_feature = "simd128"))]
#[derive(Clone, Copy)]
pub struct U32x4([u32; 4]);

impl U32x4 {
    /// x everywhere.
    #[inline(always)]
    pub fn splat(x: u32) -> Self {
        #[cfg(target_feature = "simd128")]
        return U32x4(u32x4_splat(x));
        #[cfg(not(target_feature = "simd128"))]
        return U32x4([x; 4]);
    }

    /// x, x + 1, x + 2, x + 3
    #[inline(always)]
    pub fn counting(x: u32) -> Self {
        #[cfg(target_feature = "simd128")]
        return U32x4(u32x4_add(u32x4_splat(x), u32x4(0, 1, 2, 3)));
        #[cfg(not(target_feature = "simd128"))]
        return U32x4(from_fn(|i| x.wrapping_add(i as u32)));
    }

    /// The upper and the lower halves of the products. `other` should not be a constant for the compiler: it would replace these products of one
    /// instruction by general products of 64 bits, of six instructions each.
    #[inline(always)]
    pub fn times(self, other: Self) -> (Self, Self) {
        #[cfg(target_feature = "simd128")]
        {
            let (first, last) = (u64x2_extmul_low_u32x4(self.0, other.0), u64x2_extmul_high_u32x4(self.0, other.0));
            (U32x4(i32x4_shuffle::<1, 3, 5, 7>(first, last)), U32x4(i32x4_shuffle::<0, 2, 4, 6>(first, last)))
        }
        #[cfg(not(target_feature = "simd128"))]
        {
            let product = |i: usize| u64::from(self.0[i]) * u64::from(other.0[i]);
            (U32x4(from_fn(|i| (product(i) >> 32) as u32)), U32x4(from_fn(|i| product(i) as u32)))
        }
    }

    /// Transposes a 4 × 4 square.
    #[inline(always)]
    pub fn transpose(rows: [Self; 4]) -> [Self; 4] {
        #[cfg(target_feature = "simd128")]
        return F32x4::transpose(rows.map(|row| F32x4(row.0))).map(|column| U32x4(column.0));
        #[cfg(not(target_feature = "simd128"))]
        return from_fn(|i| U32x4(rows.map(|row| row.0[i])));
    }

    /// Bit i is 1 where number i is at least `least`, both below 2³¹.
    #[inline(always)]
    pub fn at_least(self, least: Self) -> u32 {
        #[cfg(target_feature = "simd128")]
        return u32::from(i32x4_bitmask(i32x4_ge(self.0, least.0)));
        #[cfg(not(target_feature = "simd128"))]
        return (0..4).map(|i| u32::from(self.0[i] >= least.0[i]) << i).sum();
    }

    /// x where bit i of `bits` is 1, else 0.
    #[inline(always)]
    pub fn keep(bits: u32, x: F32x4) -> F32x4 {
        #[cfg(target_feature = "simd128")]
        {
            let own = u32x4(1, 2, 4, 8);
            return x.zero_where(i32x4_ne(v128_and(u32x4_splat(bits), own), own));
        }
        #[cfg(not(target_feature = "simd128"))]
        return x.zero_where(from_fn(|i| bits >> i & 1 == 0));
    }

    /// The four numbers.
    #[inline(always)]
    pub fn to_array(self) -> [u32; 4] {
        #[cfg(target_feature = "simd128")]
        {
            let x = self.0;
            let (a, b) = (u32x4_extract_lane::<0>(x), u32x4_extract_lane::<1>(x));
            [a, b, u32x4_extract_lane::<2>(x), u32x4_extract_lane::<3>(x)]
        }
        #[cfg(not(target_feature = "simd128"))]
        return self.0;
    }
}

impl BitXor for U32x4 {
    type Output = Self;
    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return U32x4(v128_xor(self.0, other.0));
        #[cfg(not(target_feature = "simd128"))]
        return U32x4(from_fn(|i| self.0[i] ^ other.0[i]));
    }
}

impl Shr<u32> for U32x4 {
    type Output = Self;
    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        #[cfg(target_feature = "simd128")]
        return U32x4(u32x4_shr(self.0, bits));
        #[cfg(not(target_feature = "simd128"))]
        return U32x4(self.0.map(|x| x >> bits));
    }
}

//! Four floats: the type, and how it gets from and into memory. Its arithmetic is in `simd` and, off wasm, in `portable`.
#![allow(unsafe_code)]

use super::Lane;
use core::cell::Cell;

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;

/// Four floats in one 128-bit register.
#[cfg(target_feature = "simd128")]
#[derive(Clone, Copy)]
pub struct F32x4(pub(super) v128);

/// Four floats, off wasm.
#[cfg(not(target_feature = "simd128"))]
#[derive(Clone, Copy)]
pub struct F32x4(pub(super) [f32; 4]);

impl F32x4 {
    /// Four floats at p.
    ///
    /// # Safety
    /// p is valid for reads of four floats.
    #[inline(always)]
    pub unsafe fn load_ptr(p: *const f32) -> Self {
        // SAFETY: the caller's promise; both loads allow any alignment.
        unsafe {
            #[cfg(target_feature = "simd128")]
            return F32x4(v128_load(p.cast()));
            #[cfg(not(target_feature = "simd128"))]
            return F32x4(p.cast::<[f32; 4]>().read_unaligned());
        }
    }

    /// Four floats to p.
    ///
    /// # Safety
    /// p is valid for writes of four floats.
    #[inline(always)]
    pub unsafe fn store_ptr(self, p: *mut f32) {
        // SAFETY: the caller's promise; both stores allow any alignment.
        unsafe {
            #[cfg(target_feature = "simd128")]
            v128_store(p.cast(), self.0);
            #[cfg(not(target_feature = "simd128"))]
            p.cast::<[f32; 4]>().write_unaligned(self.0);
        }
    }

    /// The first W floats at p, W in 1..=4, then zeros.
    ///
    /// # Safety
    /// p is valid for reads of W floats.
    #[inline(always)]
    pub unsafe fn load_part<const W: usize>(p: *const f32) -> Self {
        // SAFETY: the caller's promise; no load goes past W floats.
        unsafe {
            #[cfg(target_feature = "simd128")]
            return F32x4(match W {
                1 => v128_load32_zero(p.cast()),
                2 => v128_load64_zero(p.cast()),
                3 => v128_load32_lane::<2>(v128_load64_zero(p.cast()), p.add(2).cast()),
                _ => v128_load(p.cast()),
            });
            #[cfg(not(target_feature = "simd128"))]
            return F32x4(core::array::from_fn(|i| if i < W { p.add(i).read_unaligned() } else { 0.0 }));
        }
    }

    /// The first W floats to p, W in 1..=4.
    ///
    /// # Safety
    /// p is valid for writes of W floats.
    #[inline(always)]
    pub unsafe fn store_part<const W: usize>(self, p: *mut f32) {
        // SAFETY: the caller's promise; no store goes past W floats.
        unsafe {
            #[cfg(target_feature = "simd128")]
            match W {
                1 => v128_store32_lane::<0>(self.0, p.cast()),
                2 => v128_store64_lane::<0>(self.0, p.cast()),
                3 => {
                    v128_store64_lane::<0>(self.0, p.cast());
                    v128_store32_lane::<2>(self.0, p.add(2).cast());
                }
                _ => v128_store(p.cast(), self.0),
            }
            #[cfg(not(target_feature = "simd128"))]
            for (i, x) in self.0.into_iter().enumerate().take(W) {
                p.add(i).write_unaligned(x);
            }
        }
    }

    /// The first of up to three floats, then zeros.
    #[inline(always)]
    pub fn get_few(from: &[Cell<f32>]) -> Self {
        let p = from.as_ptr().cast();
        // SAFETY: the slice holds this number of cells, each laid out as its float.
        unsafe {
            match from.len() {
                0 => Self::splat(0.0),
                1 => Self::load_part::<1>(p),
                2 => Self::load_part::<2>(p),
                _ => Self::load_part::<3>(p),
            }
        }
    }

    /// Stores the first of the four into up to three floats.
    #[inline(always)]
    pub fn store_first(self, to: &[Cell<f32>]) {
        let p = to.as_ptr().cast_mut().cast();
        // SAFETY: the slice holds this number of cells, which may be written through a shared reference.
        unsafe {
            match to.len() {
                0 => {}
                1 => self.store_part::<1>(p),
                2 => self.store_part::<2>(p),
                _ => self.store_part::<3>(p),
            }
        }
    }

    /// The float at p, four times.
    ///
    /// # Safety
    /// p is valid for reads of one float.
    #[inline(always)]
    pub unsafe fn load_splat(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            #[cfg(target_feature = "simd128")]
            return F32x4(v128_load32_splat(p.cast()));
            #[cfg(not(target_feature = "simd128"))]
            return F32x4([p.read_unaligned(); 4]);
        }
    }

    /// Transposes a 4 × 4 square.
    #[inline(always)]
    pub fn transpose(rows: [Self; 4]) -> [Self; 4] {
        #[cfg(target_feature = "simd128")]
        {
            let [a, b, c, d] = rows.map(|row| row.0);
            let (ab, cd) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d));
            let (last_ab, last_cd) = (i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d));
            let [first, third] = [(ab, cd), (last_ab, last_cd)].map(|(x, y)| F32x4(i64x2_shuffle::<0, 2>(x, y)));
            let [second, fourth] = [(ab, cd), (last_ab, last_cd)].map(|(x, y)| F32x4(i64x2_shuffle::<1, 3>(x, y)));
            [first, second, third, fourth]
        }
        #[cfg(not(target_feature = "simd128"))]
        core::array::from_fn(|i| F32x4(rows.map(|row| row.0[i])))
    }

    /// True if a comparison holds for all four.
    #[inline(always)]
    pub fn all(mask: <Self as Lane>::Mask) -> bool {
        #[cfg(target_feature = "simd128")]
        return u32x4_all_true(mask);
        #[cfg(not(target_feature = "simd128"))]
        return mask == [true; 4];
    }

    /// The four floats.
    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        let mut out = [0.0; 4];
        self.store(&mut out);
        out
    }
}

/// Loads and stores through slices, the same for both forms of F32x4.
macro_rules! memory {
    () => {
        const WIDTH: usize = 4;

        #[inline(always)]
        fn load(from: &[f32]) -> Self {
            assert!(from.len() >= 4);
            // SAFETY: the slice holds four floats.
            unsafe { Self::load_ptr(from.as_ptr()) }
        }
        #[inline(always)]
        fn store(self, to: &mut [f32]) {
            assert!(to.len() >= 4);
            // SAFETY: the slice holds four floats.
            unsafe { self.store_ptr(to.as_mut_ptr()) }
        }
        #[inline(always)]
        fn get(from: &[Cell<f32>]) -> Self {
            assert!(from.len() >= 4);
            // SAFETY: the slice holds four cells, each laid out as its float.
            unsafe { Self::load_ptr(from.as_ptr().cast()) }
        }
        #[inline(always)]
        fn set(self, to: &[Cell<f32>]) {
            assert!(to.len() >= 4);
            // SAFETY: the slice holds four cells, which may be written through a shared reference.
            unsafe { self.store_ptr(to.as_ptr().cast_mut().cast()) }
        }
    };
}
pub(super) use memory;

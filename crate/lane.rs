//! Lanes: kernels are written once over [`Lane`] and run on four floats at a time ([`F32x4`]) with a scalar tail (`f32`).
//!
//! The only file that names machine intrinsics. Body and tail give the same bits: every operation of `f32` rounds as
//! its vector twin does, also the fused multiply-add of the relaxed artefact. Off wasm, `F32x4` is four scalars, so that
//! `cargo test` checks the very kernels that ship.
#![allow(unsafe_code)]

use core::cell::Cell;
use core::ops::{Add, Div, Mul, Neg, Sub};

#[cfg(target_feature = "simd128")]
use core::arch::wasm32::*;

/// 1.5·2²³: a sum with it keeps whole numbers only, the number itself in its lowest bits.
const SHIFTER: f32 = 12_582_912.0;

/// Reads x\[at\], if there is one, so that the processor finds its page of memory: WebAssembly has no prefetch.
#[inline(always)]
pub fn touch<T>(x: &[T], at: usize) {
    if let Some(x) = x.get(at) {
        // SAFETY: a reference is valid for reads; volatile, or the compiler would drop it.
        unsafe { core::ptr::from_ref(x).cast::<u8>().read_volatile() };
    }
}

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
    /// As [`Self::load`], from memory that may be written elsewhere (in-place kernels).
    fn get(from: &[Cell<f32>]) -> Self;
    /// As [`Self::store`], into memory that may be read elsewhere (in-place kernels).
    fn set(self, to: &[Cell<f32>]);

    /// self·a + b: rounded once on the relaxed artefact, twice otherwise.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// self − a·b: rounded once on the relaxed artefact, twice otherwise. V8 widens no vector of a negated number, so this is not
    /// [`Self::mul_add`] with −a.
    fn minus(self, a: Self, b: Self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// The smaller; NaN if either is.
    fn min(self, other: Self) -> Self;
    /// The larger; NaN if either is.
    fn max(self, other: Self) -> Self;

    /// self, or `least` where self is smaller; NaN stays NaN. Not by pmax, of which LLVM makes relaxed_max on the relaxed
    /// artefact: whose NaN that keeps depends on the engine.
    fn at_least(self, least: Self) -> Self;
    /// self, or `most` where self is larger; NaN stays NaN.
    fn at_most(self, most: Self) -> Self;
    /// |self| with the sign of `other`.
    fn with_sign_of(self, other: Self) -> Self;

    /// self < other
    fn lt(self, other: Self) -> Self::Mask;
    /// self ≤ other
    fn le(self, other: Self) -> Self::Mask;
    /// self = other
    fn same(self, other: Self) -> Self::Mask;
    /// yes where the mask says so, else no.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// self, or 0 where the mask says so: one instruction to the three of [`Self::select`].
    fn unless(self, mask: Self::Mask) -> Self;
    /// self, or NaN where `other` is NaN.
    fn or_nan_of(self, other: Self) -> Self;

    /// 2ⁿ for a whole n in −127..=127; 0 for −127. Adding 1.5·2²³ puts n + 127 into the lowest bits, from where a shift makes
    /// it the exponent: no conversion, which engines take several instructions for and V8 does not widen.
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
        Self::splat(1.0).with_sign_of(self).unless(self.same(Self::splat(0.0))).or_nan_of(self)
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
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn minus(self, a: Self, b: Self) -> Self {
        f32x4_extract_lane::<0>(f32x4_relaxed_nmadd(f32x4_splat(a), f32x4_splat(b), f32x4_splat(self)))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn minus(self, a: Self, b: Self) -> Self {
        self - a * b
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
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
    fn at_least(self, least: Self) -> Self {
        if self < least {
            least
        } else {
            self
        }
    }
    #[inline(always)]
    fn at_most(self, most: Self) -> Self {
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
    fn same(self, other: Self) -> bool {
        self == other
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
    fn unless(self, mask: bool) -> Self {
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

/// Four floats in one 128-bit register.
#[cfg(target_feature = "simd128")]
#[derive(Clone, Copy)]
pub struct F32x4(v128);

/// Four floats, off wasm.
#[cfg(not(target_feature = "simd128"))]
#[derive(Clone, Copy)]
pub struct F32x4([f32; 4]);

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

#[cfg(target_feature = "simd128")]
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
    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn minus(self, a: Self, b: Self) -> Self {
        F32x4(f32x4_relaxed_nmadd(a.0, b.0, self.0))
    }
    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn minus(self, a: Self, b: Self) -> Self {
        self - a * b
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
    fn at_least(self, least: Self) -> Self {
        F32x4(v128_bitselect(least.0, self.0, f32x4_lt(self.0, least.0)))
    }
    #[inline(always)]
    fn at_most(self, most: Self) -> Self {
        F32x4(v128_bitselect(most.0, self.0, f32x4_gt(self.0, most.0)))
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
    fn same(self, other: Self) -> v128 {
        f32x4_eq(self.0, other.0)
    }
    #[inline(always)]
    fn select(mask: v128, yes: Self, no: Self) -> Self {
        F32x4(v128_bitselect(yes.0, no.0, mask))
    }
    #[inline(always)]
    fn unless(self, mask: v128) -> Self {
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

#[cfg(target_feature = "simd128")]
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
#[cfg(target_feature = "simd128")]
operator!(Add, add, f32x4_add);
#[cfg(target_feature = "simd128")]
operator!(Sub, sub, f32x4_sub);
#[cfg(target_feature = "simd128")]
operator!(Mul, mul, f32x4_mul);
#[cfg(target_feature = "simd128")]
operator!(Div, div, f32x4_div);

#[cfg(target_feature = "simd128")]
impl Neg for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        F32x4(f32x4_neg(self.0))
    }
}

/// The portable F32x4: each operation is the scalar one, four times.
#[cfg(not(target_feature = "simd128"))]
mod portable {
    use super::*;
    use core::array::from_fn;

    macro_rules! unary {
        ($($method:ident)*) => {
            $(#[inline(always)]
            fn $method(self) -> Self {
                F32x4(self.0.map(Lane::$method))
            })*
        };
    }
    macro_rules! binary {
        ($($method:ident)*) => {
            $(#[inline(always)]
            fn $method(self, other: Self) -> Self {
                F32x4(from_fn(|i| Lane::$method(self.0[i], other.0[i])))
            })*
        };
    }
    macro_rules! compare {
        ($($method:ident)*) => {
            $(#[inline(always)]
            fn $method(self, other: Self) -> [bool; 4] {
                from_fn(|i| Lane::$method(self.0[i], other.0[i]))
            })*
        };
    }

    impl Lane for F32x4 {
        type Mask = [bool; 4];
        memory!();
        unary!(abs sqrt power_of_two exponent mantissa);
        binary!(min max at_least at_most with_sign_of or_nan_of);
        compare!(lt le same);

        #[inline(always)]
        fn splat(x: f32) -> Self {
            F32x4([x; 4])
        }
        #[inline(always)]
        fn mul_add(self, a: Self, b: Self) -> Self {
            self * a + b
        }
        #[inline(always)]
        fn minus(self, a: Self, b: Self) -> Self {
            self - a * b
        }
        #[inline(always)]
        fn select(mask: [bool; 4], yes: Self, no: Self) -> Self {
            F32x4(from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
        }
        #[inline(always)]
        fn unless(self, mask: [bool; 4]) -> Self {
            F32x4(from_fn(|i| self.0[i].unless(mask[i])))
        }
    }

    macro_rules! operator {
        ($trait:ident, $method:ident) => {
            impl $trait for F32x4 {
                type Output = Self;
                #[inline(always)]
                fn $method(self, other: Self) -> Self {
                    F32x4(from_fn(|i| self.0[i].$method(other.0[i])))
                }
            }
        };
    }
    operator!(Add, add);
    operator!(Sub, sub);
    operator!(Mul, mul);
    operator!(Div, div);

    impl Neg for F32x4 {
        type Output = Self;
        #[inline(always)]
        fn neg(self) -> Self {
            F32x4(self.0.map(|x| -x))
        }
    }
}

/// Two doubles in one 128-bit register: what the solvers' kernels in `double` are written over.
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

    /// Four floats as doubles, the first two and the last two.
    #[inline(always)]
    pub fn of(x: F32x4) -> [Self; 2] {
        #[cfg(target_feature = "simd128")]
        return [F64x2(f64x2_promote_low_f32x4(x.0)), F64x2(f64x2_promote_low_f32x4(i64x2_shuffle::<1, 1>(x.0, x.0)))];
        #[cfg(not(target_feature = "simd128"))]
        return [F64x2([x.0[0].into(), x.0[1].into()]), F64x2([x.0[2].into(), x.0[3].into()])];
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

    /// self·a + b: rounded once on the relaxed artefact, twice otherwise.
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
    pub fn at_least(self, least: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_bitselect(least.0, self.0, f64x2_lt(self.0, least.0)));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(least, |x, least| if x < least { least } else { x });
    }

    /// self, or `most` where self is larger; NaN stays NaN.
    #[inline(always)]
    pub fn at_most(self, most: Self) -> Self {
        #[cfg(target_feature = "simd128")]
        return F64x2(v128_bitselect(most.0, self.0, f64x2_gt(self.0, most.0)));
        #[cfg(not(target_feature = "simd128"))]
        return self.each(most, |x, most| if most < x { most } else { x });
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

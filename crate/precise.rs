//! Functions of floats, computed in doubles from + − × ÷ and integers alone. They give the same bits on every engine (Math.sin and the like do not),
//! in a tenth of the code of a general library. Rounded to a float, results are within 0.5000001 units of the last place.

use crate::lane::number::{floor, round_ties_even};
use crate::lane::{F32x4, F64x2, Lane};
use core::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, FRAC_PI_2, LN_2, LOG2_E};

/// c\[0\] + c\[1\]·x + …, rounded after each product and each sum.
#[inline(always)]
fn series(x: f64, c: &[f64]) -> f64 {
    c.iter().rev().copied().reduce(|y, c| y * x + c).unwrap_or(0.0)
}

/// A positive normal number as m·2ᵉ with m in [√½, √2).
fn split(x: f64) -> (f64, f64) {
    let bits = x.to_bits();
    let m = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let e = (bits >> 52) as i32 - 1023;
    if m * 0.5 >= FRAC_1_SQRT_2 {
        (m * 0.5, f64::from(e + 1))
    } else {
        (m, f64::from(e))
    }
}

/// 1/1, 1/3, 1/5 …
const ODD: [f64; 11] = {
    let mut c = [0.0; 11];
    let mut i = 0;
    while i < 11 {
        c[i] = 1.0 / (2 * i + 1) as f64;
        i += 1;
    }
    c
};

/// ln x by the given number of terms, for x ≥ 0 and not denormal: −∞ at 0, ∞ and NaN stay.
#[inline(always)]
fn logarithm<const TERMS: usize>(x: f64) -> f64 {
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    let (m, e) = split(x);
    let s = (m - 1.0) / (m + 1.0);
    e * LN_2 + 2.0 * s * series(s * s, &ODD[..TERMS])
}

/// ln x for x ≥ 0 and not denormal: −∞ at 0, ∞ and NaN stay. Relative error below 1e-15.
///
/// ts/backend/js/random.ts does the same operations for 0 < x < 1; test/backend/kernels.random.test.ts compares the bits.
#[inline(never)]
pub fn ln(x: f64) -> f64 {
    logarithm::<11>(x)
}

/// ln x for a float x ≥ 0, rounded once: seven terms leave 1e-12.
#[inline(never)]
pub fn ln_single(x: f32) -> f32 {
    logarithm::<7>(f64::from(x)) as f32
}

/// 1/n!
const fn inverse_factorial(n: u32) -> f64 {
    let mut product = 1.0;
    let mut k = 2;
    while k <= n {
        product *= k as f64;
        k += 1;
    }
    1.0 / product
}

/// ±1/(first + 2i)!, with alternating signs.
const fn alternating<const N: usize>(first: u32) -> [f64; N] {
    let mut c = [0.0; N];
    let mut i = 0;
    while i < N {
        let sign = if i % 2 == 0 { 1.0 } else { -1.0 };
        c[i] = sign * inverse_factorial(first + 2 * i as u32);
        i += 1;
    }
    c
}

const EXP: [f64; 13] = {
    let mut c = [0.0; 13];
    let mut i = 0;
    while i < 13 {
        c[i] = inverse_factorial(i as u32);
        i += 1;
    }
    c
};

/// eˣ, held between 2⁻²⁸⁹ and 2²⁸⁹: 0 and ∞ as a float.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-200.0, 200.0);
    let n = round_ties_even(x * LOG2_E);
    let power = f64::from_bits(((n as i64 + 1023) as u64) << 52);
    series(x - n * LN_2, &EXP) * power
}

/// Integer exponents up to this one are computed by multiplication, so that squares of floats are rounded once.
const MAX_PRODUCTS: f64 = 64.0;

/// xⁿ by squaring.
fn product(x: f64, n: u32) -> f64 {
    let (mut result, mut square, mut rest) = (1.0, x, n);
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    result
}

/// a to the power of b, with the special cases of IEEE 754.
pub fn pow(a: f32, b: f32) -> f32 {
    let (x, y) = (f64::from(a), f64::from(b));
    // also if the other argument is NaN
    if b == 0.0 || a == 1.0 {
        return 1.0;
    }
    if a.is_nan() || b.is_nan() {
        return f32::NAN;
    }
    if a == -1.0 && b.is_infinite() {
        return 1.0;
    }
    let whole = floor(y) == y;
    if whole && y.abs() <= MAX_PRODUCTS {
        let power = product(x, y.abs() as u32);
        return (if y < 0.0 { 1.0 / power } else { power }) as f32;
    }
    let size = exp(y * ln(x.abs())) as f32;
    if a < 0.0 && !whole {
        return if a.is_infinite() { size } else { f32::NAN };
    }
    // floats above 2²⁴ are even
    let odd = whole && y.abs() < 16_777_216.0 && y as i32 & 1 == 1;
    if odd {
        size.copysign(a)
    } else {
        size
    }
}

/// π/2 in two parts, the first short enough that whole multiples of it below 2²⁰ are exact.
const HALF_PI: [f64; 2] = [f64::from_bits(FRAC_PI_2.to_bits() >> 20 << 20), 6.077_100_506_506_192e-11];
/// Largest argument for which the two parts of π/2 have a precision of 2⁻⁶⁸.
const MODERATE: f32 = 100_000.0;

/// Added to a number below 2⁵¹, it rounds to an integer; the lowest bits of the sum are the integer's.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// x as n·π/2 + r with |r| ≤ π/4, for |x| ≤ [`MODERATE`]: (n + [`SHIFT`], r).
#[inline(always)]
fn quarter_turns(x: F64x2) -> (F64x2, F64x2) {
    let k = F64x2::splat;
    let turns = x * k(FRAC_2_PI) + k(SHIFT);
    let n = turns - k(SHIFT);
    (turns, x - n * k(HALF_PI[0]) - n * k(HALF_PI[1]))
}

/// [`quarter_turns`] of four floats, some of them large, infinite or NaN.
#[cold]
#[inline(never)]
fn quarter_turns_of_any(x: F32x4) -> [(F64x2, F64x2); 2] {
    let one = |x: f32| {
        if x.abs() <= MODERATE {
            let (turns, rest) = quarter_turns(F64x2::splat(x.into()));
            return (turns.first(), rest.first());
        }
        let (n, rest) = quarter_turns_of_large(x.abs());
        let sign = 1f64.copysign(x.into());
        (sign * f64::from(n) + SHIFT, sign * rest)
    };
    let [a, b, c, d] = x.to_array().map(one);
    [[a, b], [c, d]].map(|[a, b]| (F64x2::load(&[a.0, b.0]), F64x2::load(&[a.1, b.1])))
}

/// The bits of 2/π behind the binary point.
const TWO_OVER_PI: [u32; 7] =
    [0xa2f9_836e, 0x4e44_1529, 0xfc27_57d1, 0xf534_ddc0, 0xdb62_9599, 0x3c43_9041, 0xfe51_63ab];

/// [`quarter_turns`] of a float above 2¹⁶, exact to 2⁻⁶⁸ (Payne & Hanek 1983).
///
/// x = m·2ᵉ⁻²³ with an integer m. Only some bits of 2/π matter: their product with x must be neither a multiple of 4 nor below the precision. They
/// are a window of 96 bits that begins after e − 25 bits; for x below 2²⁵, zeros are put in front.
#[cold]
fn quarter_turns_of_large(x: f32) -> (u32, f64) {
    if !x.is_finite() {
        return (0, f64::NAN);
    }
    let bits = x.to_bits();
    let m = u64::from((bits & 0x007f_ffff) | 0x0080_0000);
    let first = ((bits >> 23) - 127 + 7) as usize;
    let at = |i: usize| i.checked_sub(1).map_or(0, |i| u64::from(TWO_OVER_PI[i]));
    let word = |i: usize| (at(first / 32 + i) << 32 | at(first / 32 + i + 1)) << (first % 32) >> 32;
    // x·2/π modulo 4, in units of 2⁻⁶²
    let turns = ((m * word(0)) << 32).wrapping_add(m * word(1)).wrapping_add((m * word(2)) >> 32);
    let n = turns.wrapping_add(1 << 61) >> 62;
    let rest = turns.wrapping_sub(n << 62) as i64;
    (n as u32, rest as f64 * (FRAC_PI_2 / (1u64 << 62) as f64))
}

/// Taylor's series of sin r / r and cos r in r².
const SINE: [f64; 7] = alternating(1);
const COSINE: [f64; 7] = alternating(0);

/// [`series`] of two numbers.
#[inline(always)]
fn series_of_two(x: F64x2, c: [f64; 7]) -> F64x2 {
    c.map(F64x2::splat).into_iter().rev().reduce(|y, c| y * x + c).unwrap_or(x)
}

/// sin(x + ahead·π/2) of four floats. Both series are computed, because a branch that cannot be predicted would take longer.
#[inline(always)]
fn sine(x: F32x4, ahead: f64) -> F32x4 {
    let near = F32x4::all(x.abs().le(F32x4::splat(MODERATE)));
    let parts = if near { F64x2::pair_of(x).map(quarter_turns) } else { quarter_turns_of_any(x) };
    F64x2::pair_to_floats(parts.map(|(turns, rest)| {
        let (turns, square) = (turns + F64x2::splat(ahead), rest * rest);
        let (sine, cosine) = (series_of_two(square, SINE) * rest, series_of_two(square, COSINE));
        turns.negate_by_second_bit(turns.choose(sine, cosine))
    }))
}

/// sin x; NaN at ±∞.
#[inline(always)]
pub fn sin(x: F32x4) -> F32x4 {
    sine(x, 0.0)
}

/// cos x; NaN at ±∞.
#[inline(always)]
pub fn cos(x: F32x4) -> F32x4 {
    sine(x, 1.0)
}

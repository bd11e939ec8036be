//! Elementary functions over [`Lane`], without tables or branches. Errors are in units of the last place (ulp) of the
//! exact result over the whole range, measured by test/crate/math.rs.
//!
//! Polynomials: Cephes (S. L. Moshier), public domain, which are minimax fits on the intervals named.

// Coefficients are quoted as published; rounding to f32 is the compiler's.
#![allow(clippy::excessive_precision, clippy::approx_constant)]

use crate::lane::Lane;

/// c\[0\]·xⁿ + … + c\[n\]
#[inline(always)]
fn polynomial<L: Lane, const N: usize>(x: L, c: [f32; N]) -> L {
    let mut y = L::splat(c[0]);
    for &next in &c[1..] {
        y = y.mul_add(x, L::splat(next));
    }
    y
}

/// m and n of eˣ = m·2ⁿ.
#[inline(always)]
fn exp_parts<L: Lane>(x: L) -> (L, L) {
    let k = L::splat;
    let (rest, n) = exp_m1_parts(x);
    (rest + k(1.0), n)
}

/// eʳ − 1 and n of eˣ = eʳ·2ⁿ, |r| ≤ ½·ln 2.
#[inline(always)]
fn exp_m1_parts<L: Lane>(x: L) -> (L, L) {
    let k = L::splat;
    let n = (x * k(core::f32::consts::LOG2_E)).nearest();
    // ln 2 in two parts, the first short enough that n times it is exact
    let r = x - n * k(0.693_359_375);
    let r = r - n * k(-2.121_944_4e-4);
    let p = polynomial(r, [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    (p.mul_add(r * r, r), n)
}

/// eˣ. Error ≤ 2 ulp; 0 at −∞, ∞ above 88.73, denormal below −87.3.
#[inline(always)]
pub fn exp<L: Lane>(x: L) -> L {
    let (m, n) = exp_parts(x.clamp(L::splat(-110.0), L::splat(105.0)));
    m.scale2(n)
}

/// The same bits for x ≤ 40, in three quarters of the instructions: with 2⁶⁴ more, 2ⁿ needs no second step to become denormal.
#[inline(always)]
pub fn exp_down<L: Lane>(x: L) -> L {
    let k = L::splat;
    let (m, n) = exp_parts(x.pmax(k(-110.0)));
    m * (n + k(64.0)).power_of_two() * k(5.421_010_9e-20)
}

/// ln x. Error ≤ 2 ulp; −∞ at ±0, NaN below 0, ∞ at ∞.
#[inline(always)]
pub fn ln<L: Lane>(x: L) -> L {
    let k = L::splat;
    let (m, e) = x.split2();
    let y = ln_of(m, e);
    let y = L::select(x.eq(k(f32::INFINITY)), x, y);
    let y = L::select(x.eq(k(0.0)), k(f32::NEG_INFINITY), y);
    // x < 0 and NaN: everything that is not ≥ 0
    L::select(x.ge(k(0.0)), y, k(f32::NAN))
}

/// ln(m·2ᵉ) for m in [√½, √2).
#[inline(always)]
fn ln_of<L: Lane>(m: L, e: L) -> L {
    let k = L::splat;
    let f = m - k(1.0);
    let z = f * f;
    let p = polynomial(
        f,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = f * z * p;
    let y = y + e * k(-2.121_944_4e-4);
    let y = y - k(0.5) * z;
    (f + y) + e * k(0.693_359_375)
}

/// ln(1 + x) for 0 ≤ x ≤ 1. Error ≤ 3 ulp, also where 1 + x rounds (W. Kahan's correction).
#[inline(always)]
fn ln_1p<L: Lane>(x: L) -> L {
    let k = L::splat;
    let u = x + k(1.0);
    let d = u - k(1.0);
    // 1 ≤ u ≤ 2: only values above √2 have an exponent (of 1), and no special case occurs
    let large = u.gt(k(core::f32::consts::SQRT_2));
    let ln = ln_of(L::select(large, u * k(0.5), u), k(1.0).zero_where(u.le(k(core::f32::consts::SQRT_2))));
    L::select(d.eq(k(0.0)), x, ln * (x / d))
}

/// tanh x. Error ≤ 3 ulp.
#[inline(always)]
pub fn tanh<L: Lane>(x: L) -> L {
    let k = L::splat;
    let a = x.abs();
    let z = x * x;
    let small = polynomial(z, [-5.704_988_7e-3, 2.063_908_9e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328_2e-1]);
    // where x² is 0 the result is x, sign of zero included
    let small = L::select(z.eq(k(0.0)), x, (small * z).mul_add(x, x));
    let large = k(1.0) - k(2.0) / (exp_down((a + a).pmin(k(40.0))) + k(1.0));
    let large = L::select(x.lt(k(0.0)), -large, large);
    L::select(a.lt(k(0.625)), small, large)
}

/// 1 / (1 + e⁻ˣ). Error ≤ 3 ulp in both tails.
#[inline(always)]
pub fn sigmoid<L: Lane>(x: L) -> L {
    let one = L::splat(1.0);
    let e = exp_down(-x.abs());
    L::select(x.lt(L::splat(0.0)), e, one) / (one + e)
}

/// ln(1 + e^−|x|): the part of softplus beyond max(x, 0).
#[inline(always)]
pub fn softplus_excess<L: Lane>(x: L) -> L {
    ln_1p(exp_down(-x.abs()))
}

/// ln(1 + eˣ). Error ≤ 3 ulp.
#[inline(always)]
pub fn softplus<L: Lane>(x: L) -> L {
    x.max(L::splat(0.0)) + softplus_excess(x)
}

/// tanh(ln(1 + eˣ)) = n / (n + 2) with n = eˣ·(eˣ + 2), which is 1 from 20 on. Error ≤ 4 ulp.
#[inline(always)]
pub fn mish_gate<L: Lane>(x: L) -> L {
    let two = L::splat(2.0);
    let e = exp_down(x.pmin(L::splat(20.0)));
    let n = e * (e + two);
    n / (n + two)
}

/// The derivative of x·tanh(ln(1 + eˣ)), with u = 1 + eˣ: eˣ·q·((u + 1) / 2 + x·u·q), q = 2 / (u² + 1).
#[inline(always)]
pub fn mish_slope<L: Lane>(x: L) -> L {
    let k = L::splat;
    // from 20 on it is 1
    let x = x.pmin(k(20.0));
    let e = exp_down(x);
    let u = e + k(1.0);
    let q = k(2.0) / u.mul_add(u, k(1.0));
    e * q * (x * (u * q) + k(0.5) * (u + k(1.0)))
}

/// eˣ − 1 for x ≤ 0: 2ⁿ·(eʳ − 1) + (2ⁿ − 1). Error ≤ 4 ulp; +0 for −0.
#[inline(always)]
pub fn exp_m1<L: Lane>(x: L) -> L {
    // from −17.4 on it is −1
    let (rest, n) = exp_m1_parts(x.pmax(L::splat(-80.0)));
    let power = n.power_of_two();
    rest.mul_add(power, power - L::splat(1.0))
}

/// erf x for |x| ≤ 1.
#[inline(always)]
fn erf_small<L: Lane>(x: L) -> L {
    x * polynomial(
        x * x,
        [7.853_861e-5, -8.010_194e-4, 5.188_327_7e-3, -2.685_381_2e-2, 1.128_358_5e-1, -3.761_262_6e-1, 1.128_379_2],
    )
}

/// 1 − erf a for a ≥ 1.
#[inline(always)]
fn erfc_large<L: Lane>(a: L) -> L {
    let k = L::splat;
    let q = k(1.0) / a;
    let y = q * q;
    let near = polynomial(
        y,
        [
            2.326_82e-2,
            -1.387_039_4e-1,
            3.687_424_6e-1,
            -5.824_733e-1,
            6.210_004_6e-1,
            -4.944_515_3e-1,
            3.404_88e-1,
            -2.741_127e-1,
            5.638_259_4e-1,
        ],
    );
    let far = polynomial(
        y,
        [-10.477_664, 12.977_2, -7.495_518_7, 2.921_019, -1.015_265_3, 4.218_463_4e-1, -2.820_767_4e-1, 5.641_895e-1],
    );
    // a² in two parts, since the rounding of a² would cost digits in the exponential; from 32 on the result is 0
    let a = a.pmin(k(32.0));
    let high = (a * k(4096.0)).nearest() * k(1.0 / 4096.0);
    let square = high * high;
    let rest = (a - high) * (a + high);
    let e = exp_down(-square) * exp_down(-rest);
    L::select(y.eq(k(0.0)), k(0.0), e * q * L::select(a.lt(k(2.0)), near, far))
}

/// 2/√π ∫₀ˣ e^(−t²) dt. Error ≤ 4 ulp.
#[inline(always)]
pub fn erf<L: Lane>(x: L) -> L {
    let k = L::splat;
    let a = x.abs();
    let large = k(1.0) - erfc_large(a.max(k(1.0)));
    L::select(a.le(k(1.0)), erf_small(x), L::select(x.lt(k(0.0)), -large, large))
}

/// The normal distribution's Φ(x) = ½ erfc(−x/√2). Error ≤ 4 ulp for x ≥ 0; below ≤ 8 + x²/2 ulp: x² is rounded. It is the density times Mills'
/// ratio, so that with [`normal_pdf`] of the same x there is one exponential.
#[inline(always)]
pub fn normal_cdf<L: Lane>(x: L) -> L {
    let k = L::splat;
    // Φ(−a)·e^(a²/2) in t = 1/(a + 2.5), a minimax fit of relative error 1.5e-8 for 0 ≤ a ≤ 14.6, beyond which e^(−a²/2) is 0; ½ at 0
    let t = k(1.0) / (x.abs() + k(2.5));
    let mills = t * polynomial(
        t,
        [
            307.347_093,
            -674.721_154,
            583.508_551,
            -228.332_849,
            29.169_050_7,
            -2.616_487,
            3.566_563_07,
            2.080_454_86,
            0.997_663_143,
            0.398_939_933,
        ],
    );
    let tail = exp_down(k(-0.5) * x * x) * mills;
    L::select(x.lt(k(0.0)), tail, k(1.0) - tail)
}

/// Its density e^(−x²/2) / √(2π). Error ≤ 3 + x²/2 ulp: x² is rounded.
#[inline(always)]
pub fn normal_pdf<L: Lane>(x: L) -> L {
    exp_down(L::splat(-0.5) * x * x) * L::splat(0.398_942_3)
}

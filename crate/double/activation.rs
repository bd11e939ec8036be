//! The two saturating activations of small nets in double precision. The rest stays in ts/backend/js: cheap, or rare.

use crate::lane::F64x2;

/// a\[i\] = tanh z\[i\], or 1 / (1 + exp(−z\[i\])): with e = exp(y) − 1 they are e / (e + 2), y = 2z, and 1 / (e + 2), y = −z.
pub fn squash(z: &[f64], a: &mut [f64], sigmoid: bool) {
    let [scale, of_one, of_e] = if sigmoid { [-1.0, 1.0, 0.0] } else { [2.0, 0.0, 1.0] }.map(F64x2::splat);
    pairs(z, a, |z| {
        let e = exp_m1((z * scale).at_least(F64x2::splat(-700.0)).at_most(F64x2::splat(700.0)));
        of_e.mul_add(e, of_one) / (e + F64x2::splat(2.0))
    });
}

/// Their slopes from their values: 1 − a², or a·(1 − a).
pub fn squash_slope(a: &[f64], d: &mut [f64], sigmoid: bool) {
    let [first, second] = if sigmoid { [0.0, 1.0] } else { [1.0, 0.0] }.map(F64x2::splat);
    pairs(a, d, |a| a.mul_add(second - a, first));
}

/// y\[i\] = f(x\[i\]); the tail in a padded pair.
#[inline(always)]
fn pairs(x: &[f64], y: &mut [f64], f: impl Fn(F64x2) -> F64x2) {
    let n = y.len();
    let mut at = 0;
    while at < n {
        let mut pair = [x[at], x[(at + 1).min(n - 1)]];
        f(F64x2::load(&pair)).store(&mut pair);
        at += 2;
        y[at - 2] = pair[0];
        if at <= n {
            y[at - 1] = pair[1];
        }
    }
}

/// exp y − 1 for |y| ≤ 700: 2ᵏ·(exp r − 1) + (2ᵏ − 1), y = k·log 2 + r, |r| ≤ ½·log 2, and exp r − 1 by its Taylor
/// polynomial of degree 13.
#[inline(always)]
fn exp_m1(y: F64x2) -> F64x2 {
    let k = F64x2::splat;
    let whole = (y * k(core::f64::consts::LOG2_E)).nearest();
    // The first factor has zeros at its end, so that its product with a whole number is exact.
    let r = y - whole * k(0.693_147_180_369_123_8) - whole * k(1.908_214_929_270_587_7e-10);
    let mut sum = k(TAYLOR[0]);
    for c in &TAYLOR[1..] {
        sum = r.mul_add(sum, k(*c));
    }
    let power = whole.power_of_two();
    power.mul_add((r * r).mul_add(sum, r), power - k(1.0))
}

/// 1/13! to 1/2!
const TAYLOR: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

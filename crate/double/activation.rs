//! The two saturating activations of small nets in double precision. Other activations stay in ts/backend/js, as they are cheap or rare.

use crate::lane::F64x2;

/// a\[i\] = tanh z\[i\], or 1 / (1 + exp(−z\[i\])): with e = exp(y) − 1 they are e / (e + 2), y = 2z, and 1 / (e + 2), y = −z.
pub fn squash(z: &[f64], a: &mut [f64], sigmoid: bool) {
    let [scale, of_one, of_e] = if sigmoid { [-1.0, 1.0, 0.0] } else { [2.0, 0.0, 1.0] }.map(F64x2::splat);
    pairs(z, a, |z| {
        let e = exp_m1((z * scale).pmax(F64x2::splat(-700.0)).pmin(F64x2::splat(700.0)));
        of_e.mul_add(e, of_one) / (e + F64x2::splat(2.0))
    });
}

/// Their slopes from their values: 1 − a², or a·(1 − a).
pub fn squash_slope(a: &[f64], d: &mut [f64], sigmoid: bool) {
    let [first, second] = if sigmoid { [0.0, 1.0] } else { [1.0, 0.0] }.map(F64x2::splat);
    pairs(a, d, |a| a.mul_add(second - a, first));
}

/// y\[i\] = f(x\[i\]); an odd one at the end in a pair of its own.
#[inline(always)]
fn pairs(x: &[f64], y: &mut [f64], f: impl Fn(F64x2) -> F64x2) {
    whole_pairs(x, y, &f);
    let n = y.len();
    if n % 2 == 1 {
        let mut both = [0.0; 2];
        whole_pairs(&[x[n - 1]; 2], &mut both, &f);
        y[n - 1] = both[0];
    }
}

#[inline(never)]
fn whole_pairs(x: &[f64], y: &mut [f64], f: &impl Fn(F64x2) -> F64x2) {
    for (x, y) in x.chunks_exact(2).zip(y.chunks_exact_mut(2)) {
        f(F64x2::load(x)).store(y);
    }
}

/// exp y − 1 for |y| ≤ 700: 2ᵏ·(exp r − 1) + (2ᵏ − 1), y = k·log 2 + r, |r| ≤ ½·log 2, and exp r − 1 by its Taylor
/// polynomial of degree 13, split into even and odd powers: two short chains of dependent operations take less time than a long one.
#[inline(always)]
fn exp_m1(y: F64x2) -> F64x2 {
    let k = F64x2::splat;
    let whole = (y * k(core::f64::consts::LOG2_E)).nearest();
    // The first factor has zeros at its end, so that its product with a whole number is exact.
    let r = y - whole * k(0.693_147_180_369_123_8) - whole * k(1.908_214_929_270_587_7e-10);
    let square = r * r;
    let horner = |terms: [f64; 6]| terms[1..].iter().fold(k(terms[0]), |sum, term| square.mul_add(sum, k(*term)));
    let sum = r.mul_add(horner(ODD), horner(EVEN));
    let power = whole.power_of_two();
    power.mul_add(square.mul_add(sum, r), power - k(1.0))
}

/// 1/12!, 1/10! … 1/2!
const EVEN: [f64; 6] = [1.0 / 479_001_600.0, 1.0 / 3_628_800.0, 1.0 / 40_320.0, 1.0 / 720.0, 1.0 / 24.0, 1.0 / 2.0];

/// 1/13!, 1/11! … 1/3!
const ODD: [f64; 6] =
    [1.0 / 6_227_020_800.0, 1.0 / 39_916_800.0, 1.0 / 362_880.0, 1.0 / 5_040.0, 1.0 / 120.0, 1.0 / 6.0];

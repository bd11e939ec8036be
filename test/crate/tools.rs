//! Buffers with guards, numbers to feed them, measures of error, and functions in double precision that std lacks.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

const GUARD: f32 = 1234.5;

/// Lengths at which drivers change between pairs of vectors, single vectors and tails.
pub fn lengths() -> impl Iterator<Item = usize> + Clone {
    (0..=12).chain([31, 64, 100, 257])
}

/// Values that are difficult for formulas.
pub const SPECIAL: [f32; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    1e-40,
    f32::MAX,
    f32::MIN,
    f32::EPSILON,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    8_388_607.5,
    16_777_216.0,
    3.0,
    -1e10,
];

/// Numbers in [−1, 1) from a small generator.
pub fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Numbers; one in five is special.
pub fn mixed(n: usize, seed: u32) -> Vec<f32> {
    let at = |i: usize| SPECIAL[(i * 7 + seed as usize) % SPECIAL.len()];
    let mix = |(i, x): (usize, f32)| {
        if i % 5 == seed as usize % 5 {
            at(i)
        } else {
            4.0 * x
        }
    };
    numbers(n, seed).into_iter().enumerate().map(mix).collect()
}

/// Room in memory with guards on both sides, `offset` numbers off an allocation's alignment.
pub struct Room<T = f32> {
    all: Vec<T>,
    at: usize,
    n: usize,
}

impl Room {
    /// Memory for n floats, filled with a value that no kernel returns.
    pub fn empty(n: usize, offset: usize) -> Self {
        Self::new(&vec![-77.0; n], offset)
    }
}

impl<T: Copy + PartialEq + From<f32>> Room<T> {
    pub fn new(contents: &[T], offset: usize) -> Self {
        let (at, n) = (16 + offset, contents.len());
        let mut all = vec![GUARD.into(); n + at + 16];
        all[at..at + n].copy_from_slice(contents);
        Room { all, at, n }
    }

    /// Its address.
    pub fn ptr(&mut self) -> usize {
        self.all[self.at..].as_mut_ptr() as usize
    }

    /// The present content; memory around it must not have changed.
    pub fn read(&self) -> &[T] {
        let (before, rest) = self.all.split_at(self.at);
        let (inside, after) = rest.split_at(self.n);
        assert!(before.iter().chain(after).all(|&x| x == GUARD.into()), "wrote outside");
        inside
    }
}

/// The address of an array that a kernel only reads.
pub fn ptr<T>(x: &[T]) -> usize {
    x.as_ptr() as usize
}

/// The same bits, or both NaN.
pub fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

pub fn assert_same(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        assert!(same(g, w), "{what}: element {i} is {g:e}, not {w:e}");
    }
}

/// |got − want| ≤ tolerance·max(1, |want|), or both NaN, or the same infinity.
pub fn assert_close(got: f32, want: f64, tolerance: f64, what: &str) {
    let g = f64::from(got);
    let close = (g - want).abs() <= tolerance * want.abs().max(1.0);
    assert!(close || g == want || g.is_nan() && want.is_nan(), "{what} is {g:e}, not {want:e}");
}

/// The distance from an exact result in units of its last place as a float; infinities stand for 2¹²⁸.
pub fn ulp(got: f32, exact: f64) -> f64 {
    if got.is_nan() || exact.is_nan() {
        return if got.is_nan() && exact.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let end = 2f64.powi(128);
    let (got, exact) = (f64::from(got).clamp(-end, end), exact.clamp(-end, end));
    let exponent = ((exact.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    (got - exact).abs() / 2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// erf x: a series of positive terms, or 1 minus the tail.
pub fn erf(x: f64) -> f64 {
    if x.abs() > 2.5 {
        return (1.0 - erfc(x.abs())).copysign(x);
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= x * x / (n + 0.5);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// 1 − erf x, to full relative precision: Laplace's continued fraction in the tail.
pub fn erfc(x: f64) -> f64 {
    if x < 2.5 || x.is_nan() {
        return 1.0 - erf(x);
    }
    let fraction = (1..=60).rev().fold(x, |f, k| x + 0.5 * f64::from(k) / f);
    (-x * x).exp() / (PI.sqrt() * fraction)
}

pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

pub fn normal_pdf(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn softplus(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// λ and λ·α of selu (Klambauer et al. 2017), as floats.
const SELU_ABOVE: f64 = 1.050_701_f32 as f64;
const SELU_BELOW: f64 = 1.758_099_3_f32 as f64;

/// f(z) by the numbers of ACTIVATIONS in ts/backend/kernels.ts.
pub fn activation(kind: u32, z: f64) -> f64 {
    match kind {
        0 => z,
        1 if z <= 0.0 => 0.0,
        2 if z <= 0.0 => 0.01f32 as f64 * z,
        1 | 2 => z,
        3 => sigmoid(z),
        4 => z.tanh(),
        5 => z * normal_cdf(z),
        6 => z * sigmoid(z),
        7 => softplus(z),
        9 => z * softplus(z).tanh(),
        10 if z <= 0.0 => SELU_BELOW * z.exp_m1(),
        10 => SELU_ABOVE * z,
        _ if z <= 0.0 => z.exp_m1(),
        _ => z,
    }
}

/// f′(z)
pub fn derivative(kind: u32, z: f64) -> f64 {
    match kind {
        0 => 1.0,
        1 if z <= 0.0 => 0.0,
        2 if z <= 0.0 => 0.01f32 as f64,
        3 => sigmoid(z) * sigmoid(-z),
        4 => z.cosh().powi(-2),
        5 => normal_cdf(z) + z * normal_pdf(z),
        6 => sigmoid(z) * (1.0 + z * sigmoid(-z)),
        7 => sigmoid(z),
        8 if z <= 0.0 => z.exp(),
        9 => softplus(z).tanh() + z * sigmoid(z) * softplus(z).cosh().powi(-2),
        10 if z <= 0.0 => SELU_BELOW * z.exp(),
        10 => SELU_ABOVE,
        _ => 1.0,
    }
}

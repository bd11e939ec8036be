//! Elementary functions against double precision over the whole range of floats.

use crate::tools::{self, same, ulp, SPECIAL};
use gradus::lane::{F32x4, Lane};
use gradus::math;

/// Distance between tested bit patterns.
const STEP: usize = if cfg!(debug_assertions) { 9973 } else { 997 };

/// A function, its vector form, the truth, and the error in ulp that crate/math.rs states.
struct Function {
    scalar: fn(f32) -> f32,
    vector: fn(F32x4) -> F32x4,
    exact: fn(f64) -> f64,
    bound: fn(f64) -> f64,
}

impl Function {
    /// Checks four numbers: every lane must give the scalar's bits, which must be near the exact result. Returns the largest error.
    fn check(&self, x: [f32; 4]) -> f64 {
        let lanes = (self.vector)(F32x4::load(&x)).to_array();
        let error = |(x, lane): (f32, f32)| {
            let (y, exact) = ((self.scalar)(x), f64::from(x));
            assert!(same(y, lane), "at {x:e}: {y:e} alone, {lane:e} in a vector");
            let (error, bound) = (ulp(y, (self.exact)(exact)), (self.bound)(exact));
            if bound.is_nan() {
                return 0.0;
            }
            assert!(error <= bound, "at {x:e}: {error:.3} ulp, stated {bound}");
            error
        };
        x.into_iter().zip(lanes).map(error).fold(0.0, f64::max)
    }

    fn sweep(&self, step: usize) -> f64 {
        let four = |bits| std::array::from_fn(|i| f32::from_bits((bits + i * step) as u32));
        let all = (0..=u32::MAX as usize).step_by(4 * step).map(four);
        let special = SPECIAL.chunks(4).map(|x| x.try_into().unwrap());
        all.chain(special).map(|x| self.check(x)).fold(0.0, f64::max)
    }
}

/// Two tests a function: one that always runs, one over nearly all floats (cargo test --release -- --ignored --nocapture).
macro_rules! functions {
    ($($name:ident, $exact:expr, $bound:expr;)*) => {
        $(mod $name {
            use super::*;

            fn sweep(step: usize) {
                let f = Function {
                    scalar: math::$name::<f32>,
                    vector: math::$name::<F32x4>,
                    exact: $exact,
                    bound: $bound,
                };
                println!("{}: {:.3} ulp", stringify!($name), f.sweep(step));
            }

            #[test]
            fn error_is_as_stated() {
                sweep(STEP);
            }

            #[test]
            #[ignore = "takes a minute"]
            fn error_is_as_stated_nearly_everywhere() {
                sweep(97);
            }
        })*
    };
}

functions! {
    exp, f64::exp, |_| 2.0;
    ln, f64::ln, |_| 2.0;
    tanh, f64::tanh, |_| 3.0;
    sigmoid, tools::sigmoid, |_| 3.0;
    softplus, tools::softplus, |_| 3.0;
    // says nothing about x > 0
    exp_m1, f64::exp_m1, |x| if x <= 0.0 { 4.0 } else { f64::NAN };
    erf, tools::erf, |_| 4.0;
    normal_cdf, tools::normal_cdf, |x| if x < 0.0 { 8.0 + 0.5 * x * x } else { 4.0 };
    normal_pdf, tools::normal_pdf, |x| 3.0 + 0.5 * x * x;
}

/// f(x) = y exactly, the sign of a zero too.
#[track_caller]
fn exactly(f: fn(f32) -> f32, cases: &[(f32, f32)]) {
    for &(x, y) in cases {
        assert!(same(f(x), y), "f({x:e}) = {:e}, not {y:e}", f(x));
    }
}

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

#[test]
fn exp_at_its_edges() {
    exactly(
        math::exp,
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (1e-45, 1.0),
            (INF, INF),
            (-INF, 0.0),
            (88.73, INF),
            (f32::MAX, INF),
            (-104.0, 0.0),
            (f32::MIN, 0.0),
            (NAN, NAN),
            (-NAN, NAN),
        ],
    );
    assert!(math::exp(88.72f32).is_finite());
    assert!(math::exp(-87.3f32).is_normal());
    assert!(math::exp(-87.4f32).is_subnormal());
    assert!(math::exp(-103.9f32) == f32::from_bits(1));
}

#[test]
fn exp_down_has_the_bits_of_exp() {
    let all = (0..=u32::MAX as usize).step_by(STEP).map(|bits| f32::from_bits(bits as u32));
    for x in all.chain(SPECIAL).filter(|x| x.is_nan() || *x <= 40.0) {
        assert!(same(math::exp_down(x), math::exp(x)), "{x:e}");
    }
}

#[test]
fn ln_at_its_edges() {
    exactly(
        math::ln,
        &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (INF, INF), (-1e-45, NAN), (-1.0, NAN), (-INF, NAN), (NAN, NAN)],
    );
    assert!(ulp(math::ln(f32::from_bits(1)), 2f64.powi(-149).ln()) <= 2.0);
}

#[test]
fn odd_functions_at_their_edges() {
    for f in [math::tanh::<f32>, math::erf::<f32>] {
        exactly(f, &[(INF, 1.0), (-INF, -1.0), (30.0, 1.0), (-30.0, -1.0)]);
        exactly(f, &[(0.0, 0.0), (-0.0, -0.0), (NAN, NAN)]);
        for x in SPECIAL.into_iter().chain((0..4000).map(|i| i as f32 * 2e-3)) {
            assert!(same(f(-x), -f(x)), "{x:e}");
        }
    }
}

#[test]
fn functions_of_both_tails_at_their_edges() {
    exactly(math::sigmoid, &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)]);
    exactly(math::softplus, &[(INF, INF), (-INF, 0.0), (200.0, 200.0), (NAN, NAN)]);
    exactly(math::normal_cdf, &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (NAN, NAN)]);
    exactly(math::normal_pdf, &[(INF, 0.0), (-INF, 0.0), (NAN, NAN)]);
    exactly(math::exp_m1, &[(0.0, 0.0), (-0.0, 0.0), (-INF, -1.0), (NAN, NAN)]);
    exactly(math::exp_m1, &[(-200.0, -1.0)]);
}

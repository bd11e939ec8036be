//! Activations and their derivatives against double precision, and for special numbers.

use crate::tools::{activation, assert_close, assert_same, derivative, lengths, mixed, numbers, ptr, ulp, Room};
use gradus::abi::{activation_backward, activation_forward};
use gradus::activation::saves_input;

const KINDS: std::ops::Range<u32> = 0..11;

pub fn forward(kind: u32, x: &[f32]) -> Vec<f32> {
    let mut y = Room::empty(x.len(), 1);
    activation_forward(ptr(x), y.ptr(), x.len(), kind);
    y.read().to_vec()
}

fn backward(kind: u32, saved: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut dx = Room::empty(dy.len(), 3);
    activation_backward(ptr(saved), ptr(dy), dx.ptr(), dy.len(), kind);
    dx.read().to_vec()
}

/// Arguments: −20 to 20 densely, then bit patterns of all sizes.
fn range() -> Vec<f32> {
    let near = (-20_000..=20_000).map(|i| i as f32 * 1.003e-3);
    let all = (0..u32::MAX).step_by(300_007).map(f32::from_bits);
    near.chain(all.filter(|x| x.is_finite())).collect()
}

#[test]
fn values() {
    let x = range();
    for kind in KINDS {
        for (&x, y) in x.iter().zip(forward(kind, &x)) {
            let want = activation(kind, f64::from(x));
            let error = ulp(y, want);
            let far = f64::from(x.min(0.0));
            let bound = match kind {
                // the normal distribution's (crate/math.rs)
                5 => 17.0 + 1.7 * far * far,
                // x times a denormal number
                6 | 9 if far < -87.0 => 5.0 - 3.0 * far,
                _ => 5.0,
            };
            assert!(error <= bound, "activation {kind} at {x:e}: {y:e}, not {want:e}, off by {error:.2} ulp");
        }
    }
}

#[test]
fn derivatives() {
    let x = range();
    let dy: Vec<f32> = (0..x.len()).map(|i| 1.0 + (i % 3) as f32).collect();
    for kind in KINDS {
        let saved = if saves_input(kind) { x.clone() } else { forward(kind, &x) };
        let dx = backward(kind, &saved, &dy);
        for ((&x, dy), dx) in x.iter().zip(&dy).zip(dx) {
            let want = f64::from(*dy) * derivative(kind, f64::from(x));
            assert_close(dx, want, 2e-6, &format!("derivative {kind} at {x:e}"));
        }
    }
}

#[test]
fn derivatives_are_slopes() {
    for kind in KINDS {
        for x in (-60..60).map(|i| 0.1 * f64::from(i) + 0.05) {
            let slope = (activation(kind, x + 1e-5) - activation(kind, x - 1e-5)) / 2e-5;
            let off = (slope - derivative(kind, x)).abs();
            assert!(off < 1e-8, "{kind} at {x}: {off:e}");
        }
    }
}

#[test]
fn every_length_in_place_and_apart() {
    for n in lengths() {
        let (x, dy) = (mixed(n, 1), numbers(n, 2));
        for (kind, offset) in KINDS.zip([0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3]) {
            let what = format!("activation {kind} of {n}");
            let alone: Vec<f32> = x.iter().flat_map(|&x| forward(kind, &[x])).collect();
            assert_same(&forward(kind, &x), &alone, &what);
            let mut y = Room::new(&x, offset);
            activation_forward(y.ptr(), y.ptr(), n, kind);
            assert_same(y.read(), &alone, &what);

            let apart = backward(kind, &x, &dy);
            let one = |(&x, &dy): (&f32, &f32)| backward(kind, &[x], &[dy])[0];
            let alone: Vec<f32> = x.iter().zip(&dy).map(one).collect();
            assert_same(&apart, &alone, &what);
            let mut dx = Room::new(&dy, offset);
            activation_backward(ptr(&x), dx.ptr(), dx.ptr(), n, kind);
            assert_same(dx.read(), &alone, &what);
        }
    }
}

#[test]
fn limits_and_nan() {
    const INF: f32 = f32::INFINITY;
    // at −∞; gelu, silu and mish are 0·∞ there, as in PyTorch
    let at_minus_infinity = [-INF, 0.0, -INF, 0.0, -1.0, f32::NAN, f32::NAN, 0.0, -1.0, f32::NAN, -1.758_099_3];
    let at_infinity = [INF, INF, INF, 1.0, 1.0, INF, INF, INF, INF, INF, INF];
    for kind in KINDS {
        let got = forward(kind, &[-INF, INF, f32::NAN]);
        let want = [at_minus_infinity[kind as usize], at_infinity[kind as usize], f32::NAN];
        assert_same(&got, &want, &format!("activation {kind} at −∞, ∞, NaN"));
        let nan = backward(kind, &[0.5], &[f32::NAN]);
        assert!(nan[0].is_nan() || kind == 99, "derivative {kind} loses NaN");
    }
    assert_same(&forward(1, &[-0.0, -1e-45]), &[0.0, 0.0], "relu of −0");
}

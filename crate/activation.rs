//! Activations, each with its derivative, which is computed from the value that forward saved. Numbers follow ACTIVATIONS in ts/backend/kernels.ts.

use crate::lane::Lane;
use crate::math::{exp_down, exp_m1, mish_gate, mish_slope, normal_cdf, normal_pdf, sigmoid, softplus, tanh};
use crate::sweep::{map, zip, Cells, Map, Zip};

/// f(x)
struct Forward<const KIND: u32>;
/// dy·f′, from the output y, or from the input for the kinds of [`saves_input`]
struct Backward<const KIND: u32>;
/// above·x for x > 0, else below·(eˣ − 1): elu and selu, by one loop.
struct Elu {
    above: f32,
    below: f32,
}
/// dy times its derivative.
struct EluBackward(Elu);

const LINEAR: u32 = 0;
/// max(x, 0), which the products of fleets compute themselves.
pub const RELU: u32 = 1;
const LEAKY_RELU: u32 = 2;
const SIGMOID: u32 = 3;
const TANH: u32 = 4;
const GELU: u32 = 5;
const SILU: u32 = 6;
const SOFTPLUS: u32 = 7;
const ELU: u32 = 8;
const MISH: u32 = 9;
const SELU: u32 = 10;

const LEAKY_SLOPE: f32 = 0.01;

/// The factors of a kind.
fn factors(kind: u32) -> Elu {
    if kind == SELU {
        // λ, and λ·α, which keep mean 0 and variance 1 (Klambauer et al. 2017)
        Elu { above: 1.050_701, below: 1.758_099_3 }
    } else {
        Elu { above: 1.0, below: 1.0 }
    }
}

/// True if the derivative needs the input (SAVES_INPUT in ts/backend/kernels.ts).
pub fn saves_input(kind: u32) -> bool {
    matches!(kind, GELU | SILU | ELU | MISH | SELU)
}

/// max(x, 0), and NaN of NaN. V8 takes nine instructions for max itself.
#[inline(always)]
pub fn rectified<L: Lane>(x: L) -> L {
    x.zero_where(x.le(L::splat(0.0)))
}

impl<const KIND: u32> Map for Forward<KIND> {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        let zero = L::splat(0.0);
        match KIND {
            RELU => rectified(x),
            LEAKY_RELU => L::select(x.gt(zero), x, x * L::splat(LEAKY_SLOPE)),
            SIGMOID => sigmoid(x),
            TANH => tanh(x),
            GELU => x * normal_cdf(x),
            SILU => x * sigmoid(x),
            SOFTPLUS => softplus(x),
            MISH => x * mish_gate(x),
            _ => x,
        }
    }
}

impl Map for Elu {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        // −0 and NaN are themselves
        L::select(x.lt(L::splat(0.0)), exp_m1(x) * L::splat(self.below), x * L::splat(self.above))
    }
}

impl Zip for EluBackward {
    #[inline(always)]
    fn apply<L: Lane>(&self, s: L, dy: L) -> L {
        // from the output the derivative would be y + 1, which has no digits left for very negative inputs
        let slope = L::select(s.gt(L::splat(0.0)), L::splat(self.0.above), exp_down(s) * L::splat(self.0.below));
        dy * slope
    }
}

impl<const KIND: u32> Zip for Backward<KIND> {
    #[inline(always)]
    fn apply<L: Lane>(&self, s: L, dy: L) -> L {
        let (zero, one) = (L::splat(0.0), L::splat(1.0));
        match KIND {
            // not s > 0: a NaN in s lets dy through, as in PyTorch and in the JS twin
            RELU => dy.zero_where(s.le(zero)),
            // the derivative at NaN is NaN
            LEAKY_RELU => {
                let up = L::select(s.gt(zero), dy, s);
                L::select(s.le(zero), dy * L::splat(LEAKY_SLOPE), up)
            }
            SIGMOID => dy * s * (one - s),
            TANH => dy * (one - s * s),
            GELU => dy * (normal_cdf(s) + s * normal_pdf(s)),
            SILU => {
                let p = sigmoid(s);
                dy * p * (one + s * (one - p))
            }
            SOFTPLUS => dy * (zero - exp_m1(-s)),
            MISH => dy * mish_slope(s),
            _ => dy,
        }
    }
}

/// y = f(x); in place allowed.
pub fn forward(kind: u32, x: Cells, y: Cells) {
    match kind {
        RELU => map(Forward::<RELU>, x, y),
        LEAKY_RELU => map(Forward::<LEAKY_RELU>, x, y),
        SIGMOID => map(Forward::<SIGMOID>, x, y),
        TANH => map(Forward::<TANH>, x, y),
        GELU => map(Forward::<GELU>, x, y),
        SILU => map(Forward::<SILU>, x, y),
        SOFTPLUS => map(Forward::<SOFTPLUS>, x, y),
        ELU | SELU => map(factors(kind), x, y),
        MISH => map(Forward::<MISH>, x, y),
        _ => map(Forward::<LINEAR>, x, y),
    }
}

/// dx = dy ⊙ f′(saved); dx may be dy.
pub fn backward(kind: u32, saved: Cells, dy: Cells, dx: Cells) {
    match kind {
        RELU => zip(Backward::<RELU>, saved, dy, dx),
        LEAKY_RELU => zip(Backward::<LEAKY_RELU>, saved, dy, dx),
        SIGMOID => zip(Backward::<SIGMOID>, saved, dy, dx),
        TANH => zip(Backward::<TANH>, saved, dy, dx),
        GELU => zip(Backward::<GELU>, saved, dy, dx),
        SILU => zip(Backward::<SILU>, saved, dy, dx),
        SOFTPLUS => zip(Backward::<SOFTPLUS>, saved, dy, dx),
        ELU | SELU => zip(EluBackward(factors(kind)), saved, dy, dx),
        MISH => zip(Backward::<MISH>, saved, dy, dx),
        _ => zip(Backward::<LINEAR>, saved, dy, dx),
    }
}

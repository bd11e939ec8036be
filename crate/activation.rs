//! Activations, each with its derivative, which is computed from the value that forward saved. Numbers follow ACTIVATIONS in ts/backend/kernels.ts.

use crate::lane::Lane;
use crate::math::{exp_down, exp_m1, normal_cdf, normal_pdf, sigmoid, softplus, tanh};
use crate::sweep::{map, zip, Cells, Map, Zip};

/// f(x)
struct Forward<const KIND: u32>;
/// dy·f′, from the output y, or from the input for gelu, silu and elu
struct Backward<const KIND: u32>;

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

const LEAKY_SLOPE: f32 = 0.01;

/// True if the derivative needs the input (SAVES_INPUT in ts/backend/kernels.ts).
pub fn saves_input(kind: u32) -> bool {
    matches!(kind, GELU | SILU | ELU)
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
            ELU => L::select(x.gt(zero), x, exp_m1(x)),
            _ => x,
        }
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
            SOFTPLUS => dy * -exp_m1(-s),
            // from the output the derivative would be y + 1, which has no digits left for very negative inputs
            ELU => L::select(s.gt(zero), dy, dy * exp_down(s)),
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
        ELU => map(Forward::<ELU>, x, y),
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
        ELU => zip(Backward::<ELU>, saved, dy, dx),
        _ => zip(Backward::<LINEAR>, saved, dy, dx),
    }
}

//! Optimizers: one fused pass over parameters, gradients and state.
//!
//! A [`Rule`] says what happens to one parameter, generic over the lane; [`sweep`] makes the vector body and the tail
//! from it and does what all have in common: gradient scale, weight decay, keeping the state free of denormal numbers.
//! Numbers that change from step to step (bias correction …) are computed by the caller in doubles and arrive in the
//! hyper-parameter block. The readable twins are the `update` methods in ts/optim/.
//!
//! One file per rule. Adding one takes its file and a line here.

use crate::lane::{F32x4, Lane};
use core::array::from_fn;

mod adabelief;
mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adan;
mod ademamix;
mod adopt;
mod asgd;
mod lamb;
mod lion;
mod momentum;
mod nadam;
mod prodigy;
mod radam;
mod rmsprop;
mod rprop;
mod schedule_free;
mod sgd;
mod sign;
mod yogi;

/// An element-wise update with a number of state slots.
pub trait Rule<const SLOTS: usize> {
    /// New parameter and state from parameter p, gradient g and state.
    fn update<L: Lane>(&self, p: L, g: L, s: [L; SLOTS]) -> (L, [L; SLOTS]);
}

/// What every kernel does before its rule: g ← scale·g + coupled·p, then p ← p − decoupled·p (1 − decoupled would not
/// fit a float: of 1e-6 a fifth would be lost).
#[derive(Clone, Copy)]
pub struct Shared {
    scale: f32,
    coupled: f32,
    decoupled: f32,
}

/// Hyper-parameters of [`Shared`] at the head of the block; the rule's own follow.
pub const SHARED_HYPER: usize = 3;

impl From<&[f32]> for Shared {
    fn from(h: &[f32]) -> Self {
        Shared { scale: h[0], coupled: h[1], decoupled: h[2] }
    }
}

/// One lane: the shared part, the rule, and state too small to be a normal number set to 0. Averages of gradients that
/// have become zero decay into denormal numbers, on which processors take a hundred times as long.
#[inline(always)]
fn apply<R: Rule<S>, L: Lane, const S: usize>(rule: &R, h: Shared, p: L, g: L, s: [L; S]) -> (L, [L; S]) {
    let k = L::splat;
    let g = k(h.scale) * g + k(h.coupled) * p;
    let (p, s) = rule.update(p - k(h.decoupled) * p, g, s);
    (p, s.map(|x| L::select(x.abs().lt(k(f32::MIN_POSITIVE)), k(0.0), x)))
}

/// Two vectors: all loads, then arithmetic, then stores in pairs, which lets V8 widen them to 256 bits.
#[inline(always)]
fn pair<R: Rule<S>, const S: usize>(rule: &R, h: Shared, p: &mut [f32; 8], g: &[f32; 8], mut s: [&mut [f32; 8]; S]) {
    let (p0, p1) = (F32x4::load(&p[..4]), F32x4::load(&p[4..]));
    let (g0, g1) = (F32x4::load(&g[..4]), F32x4::load(&g[4..]));
    let s0 = from_fn(|j| F32x4::load(&s[j][..4]));
    let s1 = from_fn(|j| F32x4::load(&s[j][4..]));
    let (p0, s0) = apply(rule, h, p0, g0, s0);
    let (p1, s1) = apply(rule, h, p1, g1, s1);
    p0.store(&mut p[..4]);
    p1.store(&mut p[4..]);
    for (j, slot) in s.iter_mut().enumerate() {
        s0[j].store(&mut slot[..4]);
        s1[j].store(&mut slot[4..]);
    }
}

/// The rule over all elements. The slices are equally long. What is left after the last pair is worked on in eights on
/// the stack, by the very same code: the rule is compiled once, and position in the array changes no bit.
#[inline(always)]
pub fn sweep<R: Rule<S>, const S: usize>(rule: &R, h: Shared, p: &mut [f32], g: &[f32], mut s: [&mut [f32]; S]) {
    let n = p.len();
    let (mut p8, mut g8, mut s8) = ([0.0; 8], [0.0; 8], [[0.0; 8]; S]);
    for at in (0..n).step_by(8) {
        let rest = n - at;
        if rest >= 8 {
            let slots = s.each_mut().map(|slot| eight_mut(slot, at));
            pair(rule, h, eight_mut(p, at), eight(g, at), slots);
            continue;
        }
        few(&p[at..], &mut p8, rest);
        few(&g[at..], &mut g8, rest);
        for j in 0..S {
            few(&s[j][at..], &mut s8[j], rest);
        }
        pair(rule, h, &mut p8, &g8, s8.each_mut());
        few(&p8, &mut p[at..], rest);
        for j in 0..S {
            few(&s8[j], &mut s[j][at..], rest);
        }
    }
}

/// Copies n < 8 floats, as four, two and one: memory.copy, which copy_from_slice becomes, is a call out of the module.
#[inline(never)]
fn few(from: &[f32], to: &mut [f32], n: usize) {
    let mut at = n & 4;
    if at > 0 {
        F32x4::load(&from[..4]).store(&mut to[..4]);
    }
    if n & 2 > 0 {
        [to[at], to[at + 1]] = [from[at], from[at + 1]];
        at += 2;
    }
    if n & 1 > 0 {
        to[at] = from[at];
    }
}

fn eight(x: &[f32], at: usize) -> &[f32; 8] {
    (&x[at..at + 8]).try_into().unwrap()
}

fn eight_mut(x: &mut [f32], at: usize) -> &mut [f32; 8] {
    (&mut x[at..at + 8]).try_into().unwrap()
}

/// Exports rules as kernels: kernel name, rule, state slots, the rule's own hyper-parameters.
macro_rules! export_update {
    ($name:ident, $rule:ident, $slots:literal, $hyper:literal) => {
        #[doc = concat!("The fused update of `", stringify!($rule), "`.")]
        #[allow(non_snake_case)] // the name that JS looks for
        #[wasm_bindgen::prelude::wasm_bindgen]
        pub fn $name(p: *mut f32, g: *const f32, s: *mut f32, stride: usize, n: usize, h: *const f32) {
            $crate::abi::update::<$rule, $slots, $hyper>(p, g, s, stride, n, h);
        }
    };
}
pub(crate) use export_update;

//! Optimizers: one fused pass over parameters, gradients and state.
//!
//! A [`Rule`] says what happens to one parameter, generic over the lane; [`sweep`] makes the vector body and the tail
//! from it and does what all have in common: gradient scale, weight decay, keeping the state free of denormal numbers.
//! Numbers that change from step to step (bias correction …) are computed by the caller in doubles and arrive in the
//! hyper-parameter block. The readable twins are the `update` methods in ts/optim/.
//!
//! One file per rule. Adding one takes its file and a line here.

use crate::broadcast::RightFixed;
use crate::elementwise::{add_scaled, Mul};
use crate::lane::{touch, F32x4, Lane};
use crate::sweep::{few, last, map, padded, Cells, BLOCK};
use core::array::from_fn;
use core::cell::Cell;

mod adabelief;
mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adan;
mod ademamix;
mod adopt;
mod asgd;
mod dog;
mod lamb;
mod lars;
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
mod sums;
mod yogi;

pub use sums::{sums, Sums};

/// How a slot of state may become so small that its numbers are denormal, on which processors take a hundred times as long.
#[derive(Clone, Copy)]
pub enum Slot {
    /// A mean of numbers of either sign, which decays.
    Mean,
    /// A mean of numbers that are never negative.
    Square,
    /// Nothing that decays: a sum, the last gradient, a parameter.
    Lasting,
    /// What the update reads and leaves as it is.
    Given,
}

/// An element-wise update with a number of state slots.
pub trait Rule<const SLOTS: usize> {
    /// What the slots hold.
    const SLOT: [Slot; SLOTS];
    /// Whether scale and coupled decay are part of every update. So they are where arithmetic is little beside memory, and decay
    /// through the gradient is usual; elsewhere they cost up to a fifth of the time, and have a pass of their own when needed.
    const LIGHT: bool = false;

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

/// Scale and coupled decay that change nothing.
pub const PLAIN: [f32; 2] = [1.0, 0.0];

impl From<&[f32]> for Shared {
    fn from(h: &[f32]) -> Self {
        Shared { scale: h[0], coupled: h[1], decoupled: h[2] }
    }
}

impl Shared {
    /// With these numbers.
    #[inline(always)]
    pub fn new(scale: f32, coupled: f32, decoupled: f32) -> Self {
        Shared { scale, coupled, decoupled }
    }

    /// Whether a rule that is not [`Rule::LIGHT`] needs [`Pieces`].
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        [self.scale, self.coupled] == PLAIN
    }
}

/// Floats of a piece of [`Pieces`], which stay in the first cache.
pub const PIECE: usize = 480;

/// Gradients that are made ready piece by piece before a rule takes them: scale·g + coupled·p.
pub struct Pieces {
    /// Of the piece at hand.
    pub gradients: [Cell<f32>; PIECE],
    shared: Shared,
}

impl Pieces {
    /// With nothing in them.
    #[inline(always)]
    pub fn new(shared: Shared) -> Self {
        Pieces { gradients: [const { Cell::new(0.0) }; PIECE], shared }
    }

    /// Makes the gradients ready that begin at `start`, and says how many.
    #[inline(never)]
    pub fn next(&self, p: Cells, g: Cells, start: usize) -> usize {
        let end = p.len().min(start + PIECE);
        touch(p, start + PAGE);
        touch(g, start + PAGE);
        let ready = &self.gradients[..end - start];
        map(RightFixed(Mul, self.shared.scale), &g[start..end], ready);
        if self.shared.coupled != 0.0 {
            add_scaled(&p[start..end], ready, self.shared.coupled);
        }
        end - start
    }
}

/// One lane: what is left of the shared part, the rule, and [`normal`].
#[inline(always)]
fn apply<R: Rule<S>, L: Lane, const S: usize>(rule: &R, h: Shared, p: L, g: L, s: [L; S]) -> (L, [L; S]) {
    let k = L::splat;
    let g = if R::LIGHT { k(h.coupled).mul_add(p, k(h.scale) * g) } else { g };
    let (p, s) = rule.update(p.minus(k(h.decoupled), p), g, s);
    (p, normal(R::SLOT, s))
}

/// State with means that are too small to be normal numbers set to 0.
#[inline(always)]
fn normal<L: Lane, const S: usize>(kinds: [Slot; S], s: [L; S]) -> [L; S] {
    let least = L::splat(f32::MIN_POSITIVE);
    from_fn(|j| match kinds[j] {
        Slot::Mean => s[j].unless(s[j].abs().lt(least)),
        Slot::Square => s[j].unless(s[j].lt(least)),
        Slot::Lasting | Slot::Given => s[j],
    })
}

/// Floats to a page of memory, of 4 kB.
const PAGE: usize = 1024;
/// Floats of an array from which on a processor does not remember where all of its pages are.
pub const LONG: usize = 1 << 20;
/// Floats of a long array that are worked on at a time, and how far ahead is looked. Half a page, so that looks always come to the
/// same places of a page: at changing places updates took up to a quarter longer, perhaps as a processor guesses from them what is read
/// next.
const STEP: usize = PAGE / 2;
/// Most slots of a rule that looks ahead: each look waits for memory, and with more arrays than these that is what takes longer.
const MOST_AHEAD: usize = 1;

/// The rule over all elements, with scale and coupled decay only if it is [`Rule::LIGHT`]. The slices are equally long. What is left
/// after the last block is worked on in copies, by the very same code: the rule is compiled once, and position in the array changes no
/// bit.
///
/// Where arrays are few and long, of each one float of what comes next is read ahead, so that the processor finds its page while it works
/// on this one. Else it looks for it when it gets there, and can then start only what is a few hundred instructions away.
#[inline(always)]
pub fn sweep<R: Rule<S>, const S: usize>(rule: &R, h: Shared, p: Cells, g: Cells, s: [Cells; S]) {
    let n = p.len();
    let whole = n / BLOCK * BLOCK;
    if n < BLOCK {
        let (p8, s8) = (padded(p), s.map(padded));
        let s_end = s8.each_ref().map(|slot| &slot[..]);
        pairs(rule, h, &p8, &padded(g), s_end, &p8, s_end);
        few(&p8, p, n);
        for j in 0..S {
            few(&s8[j], s[j], n);
        }
        return;
    }
    // the last block overlaps the one before, so its inputs are put aside before that is written over them
    let (p_end, s_end) = (last(p), s.map(last));
    if R::LIGHT || S > MOST_AHEAD || n < LONG {
        let (p, g, s) = (&p[..whole], &g[..whole], s.map(|slot| &slot[..whole]));
        pairs(rule, h, p, g, s, p, s);
    } else {
        for start in (0..whole).step_by(STEP) {
            let end = whole.min(start + STEP);
            touch(p, end);
            touch(g, end);
            s.iter().for_each(|slot| touch(slot, end));
            let (p, g, s) = (&p[start..end], &g[start..end], s.map(|slot| &slot[start..end]));
            pairs(rule, h, p, g, s, p, s);
        }
    }
    if whole < n {
        let end = n - BLOCK;
        pairs(
            rule,
            h,
            &p_end,
            &g[end..],
            s_end.each_ref().map(|slot| &slot[..]),
            &p[end..],
            s.map(|slot| &slot[end..]),
        );
    }
}

/// Two vectors at a time: all loads, then arithmetic, then stores in pairs, which lets V8 widen them to 256 bits. The compiler
/// keeps that order only because where it writes may be anywhere, for all that it knows here: so parameters and slots come
/// twice, to read and to write, and this is no inline function.
///
/// The order of a rule's fields counts too: where the compiler loads two of them as one vector and takes that apart, V8 widens nothing
/// that they are used for. test/backend/widening.test.ts finds such; another order mends it.
#[inline(never)]
fn pairs<R: Rule<S>, const S: usize>(
    rule: &R,
    h: Shared,
    p: Cells,
    g: Cells,
    s: [Cells; S],
    p_out: Cells,
    s_out: [Cells; S],
) {
    // all cut to one length, so that no index is checked
    let count = p.len() / BLOCK;
    let (p, g, s) = (blocks(p, count), blocks(g, count), s.map(|slot| blocks(slot, count)));
    let (p_out, s_out) = (blocks(p_out, count), s_out.map(|slot| blocks(slot, count)));
    for i in 0..count {
        let (p0, p1) = (F32x4::get(&p[i]), F32x4::get(&p[i][4..]));
        let (g0, g1) = (F32x4::get(&g[i]), F32x4::get(&g[i][4..]));
        let s0 = s.map(|slot| F32x4::get(&slot[i]));
        let s1 = s.map(|slot| F32x4::get(&slot[i][4..]));
        let (p0, s0) = apply(rule, h, p0, g0, s0);
        let (p1, s1) = apply(rule, h, p1, g1, s1);
        p0.set(&p_out[i]);
        p1.set(&p_out[i][4..]);
        for j in (0..S).filter(|j| !matches!(R::SLOT[*j], Slot::Given)) {
            s0[j].set(&s_out[j][i]);
            s1[j].set(&s_out[j][i][4..]);
        }
    }
}

/// The first blocks of an array.
#[inline(always)]
fn blocks(x: Cells<'_>, count: usize) -> &[[Cell<f32>; BLOCK]] {
    &x.as_chunks().0[..count]
}

/// Exports a function of crate::abi as a kernel, under the name that JS looks for.
macro_rules! export_kernel {
    ($name:ident, $doc:expr, $kernel:expr) => {
        #[doc = $doc]
        #[allow(non_snake_case)]
        #[wasm_bindgen::prelude::wasm_bindgen]
        pub fn $name(p: *mut f32, g: *const f32, s: *mut f32, stride: usize, n: usize, h: *mut f32) {
            ($kernel)(p, g, s, stride, n, h);
        }
    };
}
pub(crate) use export_kernel;

/// Exports rules as kernels: kernel name, rule, state slots, the rule's own hyper-parameters.
macro_rules! export_update {
    ($name:ident, $rule:ident, $slots:literal, $hyper:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("The fused update of `", stringify!($rule), "`."),
            $crate::abi::update::<$rule, $slots, $hyper>
        );
    };
}
pub(crate) use export_update;

/// Exports methods that need sums over a whole tensor: kernel name, function, state slots, hyper-parameters behind the shared ones.
macro_rules! export_whole {
    ($name:ident, $function:ident, $slots:literal, $hyper:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("See [`", stringify!($function), "`]."),
            |p, g, s, stride, n, h: *mut f32| $crate::abi::whole::<$slots, $hyper, _>($function, p, g, s, stride, n, h)
        );
    };
}
pub(crate) use export_whole;

/// Exports the pass before the step of methods that need sums over all parameters: kernel name, rule, state slots, hyper-parameters.
macro_rules! export_sums {
    ($name:ident, $rule:ident, $slots:literal, $hyper:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("State and sums of `", stringify!($rule), "`."),
            $crate::abi::sums_of::<$rule, $slots, $hyper>
        );
    };
}
pub(crate) use export_sums;

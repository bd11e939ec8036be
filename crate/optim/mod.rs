//! Optimizers: one fused pass over parameters, gradients and state.
//!
//! A [`Rule`] says what happens to one parameter, and is generic over the lane: one float, or a vector of four. [`sweep`] turns it into
//! a loop over whole arrays and does what all rules have in common: scaling of gradients, weight decay, and setting state to zero that
//! became denormal. The numbers that change from step to step, such as bias corrections, are computed by the caller in doubles and
//! arrive as hyper-parameters. The readable twin of a rule is the `update` method of its class in ts/optim/.
//!
//! Each rule has a file in `rules`.

use crate::broadcast::RightFixed;
use crate::elementwise::{add_scaled, Mul};
use crate::fleet::{Net8, NETS};
use crate::lane::{touch, Broadcast, F32x4, F32x8, Lane, Number};
use crate::sweep::{last, map, padded, store_first, Cells, BLOCK};
use core::array::from_fn;
use core::cell::Cell;

mod rules;
mod sums;

pub use sums::{sums, Sums};

/// Kind of a state slot. Means decay, and so may become denormal numbers, with which processors take a hundred times as long.
#[derive(Clone, Copy)]
pub enum SlotKind {
    /// A running mean of numbers of either sign.
    Mean,
    /// A running mean of numbers that are never negative.
    MeanSquare,
    /// Nothing that decays: a sum, the last gradient, a parameter.
    NonDecaying,
    /// Something that the update reads and does not write.
    ReadOnly,
}

/// An element-wise update with a number of state slots, whose numbers are floats, or one float of each net of a fleet.
pub trait Rule<const SLOTS: usize, N: Number = f32> {
    /// Kinds of the state slots.
    const SLOT_KINDS: [SlotKind; SLOTS];
    /// True to always compute g ← scale·g + coupled·p in the loop of the rule. That is faster for rules with little arithmetic,
    /// which wait for memory anyway. In other rules it would cost up to a fifth of the time, even if scale is 1 and the decay is 0; for them it is a
    /// separate pass ([`ScaledGradients`]), made only when it is needed.
    const FUSES_GRADIENT_SCALING: bool = false;

    /// New parameter and state from parameter p, gradient g and state.
    fn update<L: Broadcast<N>>(&self, p: L, g: L, s: [L; SLOTS]) -> (L, [L; SLOTS]);
}

/// What every kernel does before its rule: g ← scale·g + coupled·p, then p ← p − decoupled·p. The last is not written as
/// (1 − decoupled)·p, because 1 − decoupled rounds to a float: of a decay of 1e-6 a fifth would be lost.
#[derive(Clone, Copy)]
pub struct Shared<N = f32> {
    scale: N,
    coupled: N,
    decoupled: N,
}

/// The numbers of a step that a rule reads by name, behind those of [`Shared`]. [`numbers!`] declares them.
pub trait Numbers<N = f32>: for<'a> From<&'a [N]> {
    /// Their names in the order in which the caller passes them.
    const NAMES: &'static [&'static str];
}

/// Declares the numbers of a rule, as a struct of their names. Their order is that in which the caller passes them: ts/optim/base/numbers.ts,
/// which the tests of this crate write, has it for TypeScript.
///
/// `struct Name(scale) { … }` has the scale of gradients as well, for a method that multiplies by it itself, and `struct Name(Other);` has the
/// numbers of another rule.
#[macro_export]
macro_rules! numbers {
    ($(#[$about:meta])* $vis:vis struct $name:ident $(($scale:ident))? { $($(#[$note:meta])* $number:ident),* $(,)? }) => {
        $(#[$about])*
        $vis struct $name<N = f32> {
            $(pub $scale: N,)?
            $($(#[$note])* pub $number: N,)*
        }

        impl<N: Copy> From<&[N]> for $name<N> {
            fn from(h: &[N]) -> Self {
                let &[$($number,)* ..] = &h[$crate::optim::SHARED_HYPER..] else { panic!() };
                $name { $($scale: h[0],)? $($number),* }
            }
        }

        impl<N: Copy> $crate::optim::Numbers<N> for $name<N> {
            const NAMES: &'static [&'static str] = &[$(stringify!($number)),*];
        }
    };
    ($(#[$about:meta])* $vis:vis struct $name:ident($numbers:ident);) => {
        $(#[$about])*
        $vis struct $name<N = f32>($numbers<N>);

        impl<N: Copy> From<&[N]> for $name<N> {
            fn from(h: &[N]) -> Self {
                $name(h.into())
            }
        }

        impl<N: Copy> $crate::optim::Numbers<N> for $name<N> {
            const NAMES: &'static [&'static str] = <$numbers<N> as $crate::optim::Numbers<N>>::NAMES;
        }
    };
}
pub use numbers;

/// Hyper-parameters of [`Shared`] at the head of the block; the rule's own follow.
pub const SHARED_HYPER: usize = 3;

/// Scale and coupled decay that change nothing.
pub const PLAIN: [f32; 2] = [1.0, 0.0];

impl<N: Copy> From<&[N]> for Shared<N> {
    fn from(h: &[N]) -> Self {
        Shared { scale: h[0], coupled: h[1], decoupled: h[2] }
    }
}

impl Shared {
    /// The shared hyper-parameters with these numbers.
    #[inline(always)]
    pub fn new(scale: f32, coupled: f32, decoupled: f32) -> Self {
        Shared { scale, coupled, decoupled }
    }

    /// True if gradients need no scaling and no coupled decay.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        [self.scale, self.coupled] == PLAIN
    }
}

impl Shared<F32x8> {
    /// True if no net's gradients need scaling or coupled decay.
    fn is_plain(self) -> bool {
        self.scale.to_array() == [PLAIN[0]; NETS] && self.coupled.to_array() == [PLAIN[1]; NETS]
    }

    /// scale·g + coupled·p, where nets without coupled decay add nothing.
    fn scale_gradients(self, p: &[Net8], g: &[Net8], scaled: &[Net8]) {
        let undecayed = self.coupled.eq(F32x8::splat(0.0));
        for ((p, g), to) in p.iter().zip(g).zip(scaled) {
            let slope = self.scale * F32x8::get(g);
            F32x8::select(undecayed, slope, F32x8::get(p).mul_add(self.coupled, slope)).set(to);
        }
    }
}

/// Gradients that [`ScaledGradients`] prepares at a time: they stay in the first-level cache until the rule reads them.
pub const CHUNK: usize = 480;

/// scale·g + coupled·p, chunk by chunk, for rules that do not compute it in their own loop.
pub struct ScaledGradients {
    /// Scaled gradients of the present chunk.
    pub gradients: [Cell<f32>; CHUNK],
    shared: Shared,
}

impl ScaledGradients {
    /// A scaler with no chunk prepared yet.
    #[inline(always)]
    pub fn new(shared: Shared) -> Self {
        ScaledGradients { gradients: [const { Cell::new(0.0) }; CHUNK], shared }
    }

    /// Prepares the chunk that begins at `start`, and returns its number of gradients.
    #[inline(never)]
    pub fn prepare(&self, p: Cells, g: Cells, start: usize) -> usize {
        let end = p.len().min(start + CHUNK);
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

/// One lane: gradient scaling where it is fused, decoupled decay, the rule, and [`flush_denormals`].
#[inline(always)]
fn apply<R: Rule<S, N>, N: Number, L: Broadcast<N>, const S: usize>(
    rule: &R,
    h: Shared<N>,
    p: L,
    g: L,
    s: [L; S],
) -> (L, [L; S]) {
    let k = L::broadcast;
    let g = if R::FUSES_GRADIENT_SCALING { k(h.coupled).mul_add(p, k(h.scale) * g) } else { g };
    let (p, s) = rule.update(p.minus_product(k(h.decoupled), p), g, s);
    (p, flush_denormals(R::SLOT_KINDS, s))
}

/// The state, with 0 in the place of means that became denormal numbers.
#[inline(always)]
fn flush_denormals<L: Lane, const S: usize>(kinds: [SlotKind; S], s: [L; S]) -> [L; S] {
    let least = L::splat(f32::MIN_POSITIVE);
    from_fn(|j| match kinds[j] {
        SlotKind::Mean => s[j].zero_where(s[j].abs().lt(least)),
        SlotKind::MeanSquare => s[j].zero_where(s[j].lt(least)),
        SlotKind::NonDecaying | SlotKind::ReadOnly => s[j],
    })
}

/// Floats in a page of memory (4 kB).
const PAGE: usize = 1024;
/// Arrays of at least this many floats have more pages than the processor keeps addresses of (in its TLB).
pub const LONG_ARRAY: usize = 1 << 20;
/// Floats of a long array that are updated between two prefetches, which is also the distance of a prefetch. It is half a page so that
/// prefetches always meet the same places of a page: with other distances updates took up to a quarter longer, perhaps because they
/// mislead the processor's own prefetcher.
const PREFETCH_DISTANCE: usize = PAGE / 2;
/// Rules with more slots than this do not prefetch: each prefetch waits for memory, and with that many arrays the waits outweigh the gain.
const PREFETCH_MAX_SLOTS: usize = 1;

/// Applies a rule to all elements of slices of one length; scale and coupled decay count only where the rule
/// [fuses](Rule::FUSES_GRADIENT_SCALING) them.
///
/// The elements after the last whole block are copied into a block and go through the very same code. So the rule is compiled once, and
/// the bits of an element do not depend on where it stands in the array.
///
/// Where arrays are few and long, one float of what comes next is read ahead from each, so that the processor has looked up the address of
/// its page by the time it gets there.
#[inline(always)]
pub fn sweep<R: Rule<S>, const S: usize>(rule: &R, h: Shared, p: Cells, g: Cells, s: [Cells; S]) {
    let n = p.len();
    let whole = n / BLOCK * BLOCK;
    if n < BLOCK {
        let (p8, s8) = (padded(p), s.map(padded));
        let s_end = s8.each_ref().map(|slot| &slot[..]);
        pairs(rule, h, &p8, &padded(g), s_end, &p8, s_end);
        store_first(&p8, p, n);
        for j in 0..S {
            store_first(&s8[j], s[j], n);
        }
        return;
    }
    // The last block overlaps the one before it, so its inputs are copied before they are overwritten.
    let (p_end, s_end) = (last(p), s.map(last));
    if R::FUSES_GRADIENT_SCALING || S > PREFETCH_MAX_SLOTS || n < LONG_ARRAY {
        let (p, g, s) = (&p[..whole], &g[..whole], s.map(|slot| &slot[..whole]));
        pairs(rule, h, p, g, s, p, s);
    } else {
        for start in (0..whole).step_by(PREFETCH_DISTANCE) {
            let end = whole.min(start + PREFETCH_DISTANCE);
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

/// Two vectors at a time: all loads, then the arithmetic, then all stores. V8 can then join the two into one vector of 256 bits.
///
/// The compiler would move loads behind stores if it could prove that they touch different memory. It cannot prove that here, because
/// inputs (`p`, `s`) and outputs (`p_out`, `s_out`) are separate arguments that may overlap, and because this function is not inlined into
/// callers that know more. That is why parameters and slots are passed twice.
///
/// The order of a rule's fields matters too: where the compiler loads two neighboring fields as one vector and takes that apart, V8 does
/// not widen what they are used for. test/backend/wasm/widen.test.ts finds such a rule; reorder its fields until it passes.
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
    // Slices of one length, so that no index needs a check.
    let count = p.len() / BLOCK;
    let (p, g, s) = (blocks(p, count), blocks(g, count), s.map(|slot| blocks(slot, count)));
    let (p_out, s_out) = (blocks(p_out, count), s_out.map(|slot| blocks(slot, count)));
    for i in 0..count {
        // What the rule needs first is loaded last, and so is still in a register: gradients, then slots from the first to the last.
        let (p0, p1) = (F32x4::get(&p[i]), F32x4::get(&p[i][4..]));
        let reversed0: [F32x4; S] = from_fn(|j| F32x4::get(&s[S - 1 - j][i]));
        let reversed1: [F32x4; S] = from_fn(|j| F32x4::get(&s[S - 1 - j][i][4..]));
        let (s0, s1) = (from_fn(|j| reversed0[S - 1 - j]), from_fn(|j| reversed1[S - 1 - j]));
        let (g0, g1) = (F32x4::get(&g[i]), F32x4::get(&g[i][4..]));
        let (p0, s0) = apply(rule, h, p0, g0, s0);
        let (p1, s1) = apply(rule, h, p1, g1, s1);
        p0.set(&p_out[i]);
        p1.set(&p_out[i][4..]);
        for j in (0..S).filter(|j| !matches!(R::SLOT_KINDS[*j], SlotKind::ReadOnly)) {
            s0[j].set(&s_out[j][i]);
            s1[j].set(&s_out[j][i][4..]);
        }
    }
}

/// One step of eight nets side by side, each with numbers of its own: what [`sweep`] does to one net, with [`ScaledGradients`].
#[inline(always)]
pub fn eight_nets<R: Rule<S, F32x8>, const S: usize>(
    rule: &R,
    h: Shared<F32x8>,
    p: &[Net8],
    g: &[Net8],
    s: [&[Net8]; S],
) {
    if R::FUSES_GRADIENT_SCALING || h.is_plain() {
        parameter_by_parameter(rule, h, p, g, s);
        return;
    }
    let scaled = [const { [const { Cell::new(0.0) }; NETS] }; CHUNK / NETS];
    for start in (0..p.len()).step_by(scaled.len()) {
        let here = start..p.len().min(start + scaled.len());
        let (p, g) = (&p[here.clone()], &g[here.clone()]);
        h.scale_gradients(p, g, &scaled);
        parameter_by_parameter(rule, h, p, &scaled[..p.len()], s.map(|slot| &slot[here.clone()]));
    }
}

/// Each parameter of eight nets. The loop contains only the rule: with more instructions the processor works on fewer parameters at a time while it
/// waits for divisions and roots.
#[inline(never)]
fn parameter_by_parameter<R: Rule<S, F32x8>, const S: usize>(
    rule: &R,
    h: Shared<F32x8>,
    p: &[Net8],
    g: &[Net8],
    s: [&[Net8]; S],
) {
    let n = p.len();
    let (g, s) = (&g[..n], s.map(|slot| &slot[..n]));
    for i in 0..n {
        let state = s.map(|slot| F32x8::get(&slot[i]));
        let (p_new, s_new) = apply(rule, h, F32x8::get(&p[i]), F32x8::get(&g[i]), state);
        p_new.set(&p[i]);
        for j in (0..S).filter(|j| !matches!(R::SLOT_KINDS[*j], SlotKind::ReadOnly)) {
            s_new[j].set(&s[j][i]);
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

/// Exports rules as kernels: name of the kernel, name of the kernel for eight nets side by side, rule, number of state slots. A rule that does only a
/// part of a step has no kernel for eight nets.
macro_rules! export_update {
    ($name:ident, $fleet:ident, $rule:ident, $slots:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("The fused update of `", stringify!($rule), "`."),
            $crate::abi::update::<$rule<f32>, $slots>
        );
        $crate::optim::export_kernel!(
            $fleet,
            concat!("The fused update of `", stringify!($rule), "` for eight nets."),
            $crate::abi::fleet::update::<$rule<crate::lane::F32x8>, $slots>
        );
    };
    ($name:ident, $rule:ident, $slots:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("The fused update of `", stringify!($rule), "`."),
            $crate::abi::update::<$rule, $slots>
        );
    };
}
pub(crate) use export_update;

/// Exports methods that step a whole tensor at once, because they need sums over it first: kernel name, function, its numbers, state slots.
macro_rules! export_whole {
    ($name:ident, $function:ident, $numbers:ident, $slots:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("See [`", stringify!($function), "`]."),
            |p, g, s, stride, n, h: *mut f32| $crate::abi::whole::<$numbers, $slots, _>(
                $function, p, g, s, stride, n, h
            )
        );
    };
}
pub(crate) use export_whole;

/// Exports the first pass of methods that need sums over all parameters before they step: kernel name, rule, state slots.
macro_rules! export_sums {
    ($name:ident, $rule:ident, $slots:literal) => {
        $crate::optim::export_kernel!(
            $name,
            concat!("State and sums of `", stringify!($rule), "`."),
            $crate::abi::sums_of::<$rule, $slots>
        );
    };
}
pub(crate) use export_sums;

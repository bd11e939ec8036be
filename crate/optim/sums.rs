//! The first pass of methods that need sums over a tensor before they can step: it updates the state and sums on the way.

use super::{blocks, flush_denormals, SlotKind};
use crate::lane::{F32x4, F64x2, Lane};
use crate::sweep::{Cells, BLOCK};
use core::array::from_fn;
use core::cell::Cell;

/// A rule that computes new state, and terms that are summed over a tensor.
pub trait Sums<const SLOTS: usize, const SUMS: usize> {
    /// Kinds of the state slots; read-only slots are not written.
    const SLOT_KINDS: [SlotKind; SLOTS];

    /// New state from parameter p, gradient g and state.
    fn state<L: Lane>(&self, p: L, g: L, s: [L; SLOTS]) -> [L; SLOTS];

    /// A term of each sum, of p, g and the new state.
    fn terms<L: Lane>(&self, p: L, g: L, s: [L; SLOTS]) -> [L; SUMS];
}

/// One of the sums while it is being added up: a part for each lane of a vector.
type Running = [Cell<f32>; F32x4::WIDTH];

/// Elements whose terms are added in floats, 256 to a lane, before doubles take over. With doubles throughout, the sums of LAMB took as
/// long as its root and division, and those of Prodigy longer than everything else: there are not enough registers for them.
const WINDOW: usize = 1024;

/// Updates the state and returns the sums, added in an order that depends on the length alone. The elements after the last whole block go
/// one by one, with the bits that vectors give: in a padded block, the terms of the padding would have to be excluded.
#[inline(always)]
pub fn sums<R: Sums<S, T>, const S: usize, const T: usize>(rule: &R, p: Cells, g: Cells, s: [Cells; S]) -> [f64; T] {
    let n = p.len();
    let whole = n / BLOCK * BLOCK;
    let mut sums = [0.0; T];
    for start in (0..whole).step_by(WINDOW) {
        let end = whole.min(start + WINDOW);
        let s = s.map(|slot| &slot[start..end]);
        let running = none();
        pass(rule, &p[start..end], &g[start..end], s, s, &running);
        sums = from_fn(|t| sums[t] + total(&running[t]));
    }
    for i in whole..n {
        let (p, g) = (p[i].get(), g[i].get());
        let state = flush_denormals(R::SLOT_KINDS, rule.state(p, g, s.map(|slot| slot[i].get())));
        for j in written::<R, S, T>() {
            s[j][i].set(state[j]);
        }
        let terms = rule.terms(p, g, state);
        sums = from_fn(|t| sums[t] + f64::from(terms[t]));
    }
    sums
}

/// Sums at their start, 0.
fn none<const T: usize>() -> [Running; T] {
    [const { [const { Cell::new(0.0) }; F32x4::WIDTH] }; T]
}

/// Adds up the lanes of a running sum.
fn total(running: &Running) -> f64 {
    let sum = F64x2::of(running) + F64x2::of(&running[2..]);
    sum.first() + sum.second()
}

/// The slots that are not read-only.
fn written<R: Sums<S, T>, const S: usize, const T: usize>() -> impl Iterator<Item = usize> {
    (0..S).filter(|j| !matches!(R::SLOT_KINDS[*j], SlotKind::ReadOnly))
}

/// Blocks of two vectors: all loads, then arithmetic, then stores, as in `pairs`. The sums come from memory and go back to it, because V8
/// keeps a sum that begins as a constant on the stack instead of in a register.
#[inline(never)]
fn pass<R: Sums<S, T>, const S: usize, const T: usize>(
    rule: &R,
    p: Cells,
    g: Cells,
    s: [Cells; S],
    s_out: [Cells; S],
    running: &[Running; T],
) {
    let count = p.len() / BLOCK;
    let (p, g, s) = (blocks(p, count), blocks(g, count), s.map(|slot| blocks(slot, count)));
    let s_out = s_out.map(|slot| blocks(slot, count));
    let pair = |x: &[Cell<f32>; BLOCK]| [F32x4::get(x), F32x4::get(&x[4..])];
    let mut now = running.each_ref().map(|sum| F32x4::get(sum));
    for i in 0..count {
        let ([p0, p1], [g0, g1], old) = (pair(&p[i]), pair(&g[i]), s.map(|slot| pair(&slot[i])));
        let s0 = flush_denormals(R::SLOT_KINDS, rule.state(p0, g0, old.map(|[slot, _]| slot)));
        let s1 = flush_denormals(R::SLOT_KINDS, rule.state(p1, g1, old.map(|[_, slot]| slot)));
        let (first, second) = (rule.terms(p0, g0, s0), rule.terms(p1, g1, s1));
        now = from_fn(|t| now[t] + (first[t] + second[t]));
        for j in written::<R, S, T>() {
            s0[j].set(&s_out[j][i]);
            s1[j].set(&s_out[j][i][4..]);
        }
    }
    for t in 0..T {
        now[t].set(&running[t]);
    }
}

//! Kernels of fleets: eight nets side by side (crate/fleet). Arrays are interleaved: in the place of each element they have eight floats, one of each
//! net. The argument `how` of dense layers has two flags: bit 0 says that all nets share x, which then has one float for all of them; bit 1 says that
//! the engine computes with all eight nets at once. `scratch` has [`crate::fleet::dense::SCRATCH_FLOATS`] floats.
#![allow(unsafe_code)]

use super::{cells, doubles, integers, Ptr, MAX_HYPER};
use crate::fleet::dense::{backward, forward, Context, Gradients, Inputs, Sizes};
use crate::fleet::dropout::dropout;
use crate::fleet::loss::{self, Call};
use crate::fleet::{interleave, Net8, NETS};
use crate::lane::{F32x8, Lane};
use crate::optim::{eight_nets, Numbers, Rule, Shared, SHARED_HYPER};
use crate::random::Source;
use crate::sweep::Cells;
use core::array::from_fn;
use core::cell::Cell;
use core::slice;
use wasm_bindgen::prelude::wasm_bindgen;

/// n elements of eight nets at an address.
fn nets<'a>(at: Ptr, n: usize) -> &'a [Net8] {
    // SAFETY: the caller's contract: 8·n floats at `at`; a cell is laid out as its float, and shared writes go through cells.
    unsafe { slice::from_raw_parts(at as *const Net8, n) }
}

/// [`nets`], or nothing for address 0.
fn optional<'a>(at: Ptr, n: usize) -> Option<&'a [Net8]> {
    (at != 0).then(|| nets(at, n))
}

/// Whole numbers of eight nets.
fn labels<'a>(at: Ptr, n: usize) -> &'a [[Cell<i32>; NETS]] {
    // SAFETY: as in `nets`.
    unsafe { slice::from_raw_parts(at as *const [Cell<i32>; NETS], n) }
}

/// Bits of `how` (ts/backend/fleet.ts has the same): all nets share x; the engine computes with all eight nets at once.
const SHARED_INPUTS: u32 = 1;
const WIDE: u32 = 2;

fn context(how: u32, scratch: Ptr) -> Context {
    Context { scratch: scratch as *mut f32, is_wide: how & WIDE != 0 }
}

fn inputs<'a>(x: Ptr, how: u32, n: usize) -> Inputs<'a> {
    if how & SHARED_INPUTS != 0 {
        Inputs::Shared(cells(x, n))
    } else {
        Inputs::Own(nets(x, n))
    }
}

/// denseForward of eight nets.
#[wasm_bindgen(js_name = fleetDenseForward)]
pub fn fleet_dense_forward(
    x: Ptr,
    how: u32,
    w: Ptr,
    b: Ptr,
    z: Ptr,
    y: Ptr,
    m: usize,
    k: usize,
    n: usize,
    kind: u32,
    scratch: Ptr,
) {
    let (x, y) = (inputs(x, how, m * k), nets(y, m * n));
    forward(x, nets(w, k * n), optional(b, n), optional(z, m * n), y, Sizes { m, k, n }, kind, context(how, scratch));
}

/// denseBackward of eight nets, which overwrites.
#[wasm_bindgen(js_name = fleetDenseBackward)]
#[rustfmt::skip]
pub fn fleet_dense_backward(
    x: Ptr, how: u32, w: Ptr, saved: Ptr, dy: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    m: usize, k: usize, n: usize, kind: u32, scratch: Ptr,
) {
    let to = Gradients { dw: optional(dw, k * n), db: optional(db, n), dx: optional(dx, m * k) };
    let dz = optional(dz, m * n).unwrap_or(&[]);
    let (saved, dy) = (nets(saved, m * n), nets(dy, m * n));
    let (x, w) = (inputs(x, how, m * k), nets(w, k * n));
    backward(x, w, saved, dy, dz, &to, Sizes { m, k, n }, kind, context(how, scratch));
}

/// The kernel behind every element-wise update of eight nets: n elements at p, g and each slot, slots `stride` elements apart, and the
/// hyper-parameters of each net at h.
pub(crate) fn update<R, const S: usize>(p: *mut f32, g: *const f32, s: *mut f32, stride: usize, n: usize, h: *const f32)
where
    R: Rule<S, F32x8> + Numbers<F32x8>,
{
    const { assert!(SHARED_HYPER + R::NAMES.len() <= MAX_HYPER) };
    let mut numbers = [F32x8::splat(0.0); MAX_HYPER];
    let given = nets(h as Ptr, SHARED_HYPER + R::NAMES.len());
    numbers.iter_mut().zip(given).for_each(|(number, given)| *number = F32x8::get(given));
    let slots = from_fn(|j| nets(s.wrapping_add(j * stride * NETS) as Ptr, n));
    let rule = R::from(&numbers[..]);
    eight_nets(&rule, Shared::from(&numbers[..]), nets(p as Ptr, n), nets(g as Ptr, n), slots);
}

/// The hyper-parameters of an update for each of eight nets, as floats at `to`. `table` has three groups of eight words. First, for each net, the
/// address of its hyper-parameters: doubles, `increment` bytes apart from one step to the next. Second, for each net, the address of its learning
/// rate, a double. Third, for each net, the bytes by which that address grows per step. Hyper-parameters whose bit is set in `scaled_by_rate` are
/// multiplied by the learning rate.
#[wasm_bindgen(js_name = fleetHyper)]
pub fn fleet_hyper(to: Ptr, table: Ptr, count: usize, scaled_by_rate: u32, increment: usize) {
    let (to, table) = (nets(to, count), integers(table, 3 * NETS));
    let rate = |net: usize| doubles(table[NETS + net].get() as Ptr, 1)[0];
    let row = |net: usize| doubles(table[net].get() as Ptr, count);
    if (1..NETS).all(|net| table[net].get() == table[0].get()) {
        // for nets that differ only in their learning rate
        let rates: [f64; NETS] = from_fn(rate);
        for (i, number) in row(0).iter().enumerate() {
            if scaled_by_rate >> i & 1 == 1 {
                to[i].iter().zip(rates).for_each(|(to, rate)| to.set((rate * number) as f32));
            } else {
                F32x8::splat(*number as f32).set(&to[i]);
            }
        }
    } else {
        (0..NETS).for_each(|net| {
            for (to, (i, number)) in to.iter().zip(row(net).iter().enumerate()) {
                let number = if scaled_by_rate >> i & 1 == 1 { rate(net) * number } else { *number };
                to[net].set(number as f32);
            }
        });
    }
    for net in 0..NETS {
        let grow = |word: &Cell<i32>, bytes: i32| word.set(word.get().wrapping_add(bytes));
        grow(&table[net], increment as i32);
        grow(&table[NETS + net], table[2 * NETS + net].get());
    }
}

/// Copies rows of a table to one net (0 to 7) or to all nets (8): the rows with the indices at `order`, or the first rows if `order` is 0. Elements
/// may be floats or integers.
#[wasm_bindgen(js_name = fleetRows)]
pub fn fleet_rows(to: Ptr, net: usize, from: Ptr, order: Ptr, rows: usize, width: usize) {
    let to = labels(to, rows * width);
    for (r, to) in to.chunks_exact(width.max(1)).enumerate() {
        let number = if order == 0 { r } else { integers(order, rows)[r].get() as usize };
        let row = integers(from + 4 * number * width, width);
        for (to, x) in to.iter().zip(row) {
            match net {
                NETS => to.iter().for_each(|to| to.set(x.get())),
                net => to[net].set(x.get()),
            }
        }
    }
}

/// Copies n elements of one of eight nets.
#[wasm_bindgen(js_name = fleetPick)]
pub fn fleet_pick(from: Ptr, net: usize, to: Ptr, n: usize) {
    labels(from, n).iter().zip(integers(to, n)).for_each(|(from, to)| to.set(from[net].get()));
}

/// n elements of each of eight arrays, whose addresses are in a table.
fn arrays<'a>(table: Ptr, n: usize) -> [Cells<'a>; NETS] {
    let addresses = integers(table, NETS);
    from_fn(|net| cells(addresses[net].get() as Ptr, n))
}

/// Copies n elements of the interleaved array to the array of each net.
#[wasm_bindgen(js_name = fleetDeinterleave)]
pub fn fleet_deinterleave(from: Ptr, table: Ptr, n: usize) {
    interleave::deinterleave(nets(from, n), arrays(table, n));
}

/// Copies n elements of the array of each net to the interleaved array.
#[wasm_bindgen(js_name = fleetInterleave)]
pub fn fleet_interleave(to: Ptr, table: Ptr, n: usize) {
    interleave::interleave(arrays(table, n), nets(to, n));
}

/// Words of a net in the table of [`fleet_dropout`]: the four words of its generator, then the rate as a double.
const DROPOUT_WORDS: usize = 6;

/// Dropout of n elements of eight nets. `table` has six words for each: seed (low, high), stream, counter, and its rate as a double. At the end the
/// counters grow by `increment`, so that the next step draws new numbers.
#[wasm_bindgen(js_name = fleetDropout)]
pub fn fleet_dropout(x: Ptr, y: Ptr, n: usize, table: Ptr, increment: u32) {
    let words: [_; NETS] = from_fn(|net| integers(table + 4 * DROPOUT_WORDS * net, 4));
    let rates = from_fn(|net| doubles(table + 4 * DROPOUT_WORDS * net + 16, 1)[0]);
    let sources = words.map(|w| {
        let [low, high, stream, counter] = from_fn(|i| w[i].get() as u32);
        Source { key: [low, high], stream, counter }
    });
    dropout(sources, rates, nets(x, n), nets(y, n));
    words.iter().for_each(|w| w[3].set(w[3].get().wrapping_add(increment as i32)));
}

macro_rules! losses {
    ($($js:ident $name:ident |$call:ident, $target:ident, $n:ident, $option:ident, $out:ident| $value:expr;)*) => {
        $(#[doc = "A loss of eight nets: the arguments of the kernel of one net."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(p: Ptr, $target: Ptr, w: Ptr, g: Ptr, out: Ptr, rows: usize, cols: usize, scale: f32, $option: f32) {
            let $n = rows * cols;
            let $call = &Call { prediction: nets(p, $n), weights: optional(w, rows), gradient: nets(g, $n), cols, scale };
            let $out = &nets(out, 1)[0];
            $value;
        })*
    };
}
losses! {
    fleetSquaredError fleet_squared_error |call, t, n, _option, out| loss::element_wise(crate::loss::Squared, call, nets(t, n), out);
    fleetAbsoluteError fleet_absolute_error |call, t, n, _option, out| loss::element_wise(crate::loss::Absolute, call, nets(t, n), out);
    fleetHuber fleet_huber |call, t, n, delta, out| loss::element_wise(crate::loss::Huber(delta), call, nets(t, n), out);
    fleetBinaryCrossEntropy fleet_binary_cross_entropy |call, t, n, s, out| loss::element_wise(crate::loss::Binary(s), call, nets(t, n), out);
    fleetCrossEntropyIndices fleet_cross_entropy_indices |call, t, n, s, out| loss::cross_entropy_indices(call, labels(t, n / call.cols), s, out);
    fleetCrossEntropyProbabilities fleet_cross_entropy_probabilities |call, t, n, s, out| loss::cross_entropy_probabilities(call, nets(t, n), s, out);
}

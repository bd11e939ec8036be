//! The exports: one line per kernel of ts/backend/kernels.ts, under its name there, in a file per family. Only this folder turns addresses into
//! slices; the code that it calls is safe, except for the matrix products.
//!
//! The caller (ts/ops, ts/optim) keeps the contract of that file: each address is a multiple of 4 inside the linear memory with as many elements
//! behind it as the sizes say, and outputs overlap inputs only where it allows.
#![allow(unsafe_code)]

mod attention;
mod batch_norm;
mod conv;
mod double;
mod elementwise;
pub(crate) mod fleet;
mod head;
mod loss;
mod perturb;
mod products;
mod program;
mod random;
mod recurrent;
mod reduce;

use crate::gemm;
use crate::optim::{sums, sweep, Numbers, Rule, ScaledGradients, Shared, Sums, CHUNK, PLAIN, SHARED_HYPER};
use crate::sweep::Cells;
pub use attention::*;
pub use batch_norm::*;
pub use conv::*;
use core::array::from_fn;
use core::cell::Cell;
use core::slice;
pub use double::*;
pub use elementwise::*;
pub use fleet::*;
pub use head::*;
pub use loss::*;
pub use perturb::*;
pub use products::*;
pub use program::run_program;
pub use random::*;
pub use recurrent::*;
pub use reduce::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// An address in the linear memory.
type Ptr = usize;

/// The n floats at an address, which other views may overlap.
fn cells<'a>(at: Ptr, n: usize) -> Cells<'a> {
    if n == 0 {
        return &[];
    }
    // SAFETY: the caller's contract: n floats at `at`; a cell is laid out as its float, and shared writes go through cells.
    unsafe { slice::from_raw_parts(at as *const Cell<f32>, n) }
}

/// The n whole numbers at an address.
fn integers<'a>(at: Ptr, n: usize) -> &'a [Cell<i32>] {
    if n == 0 {
        return &[];
    }
    // SAFETY: as in `cells`.
    unsafe { slice::from_raw_parts(at as *const Cell<i32>, n) }
}

/// [`cells`], or nothing for address 0.
fn optional<'a>(at: Ptr, n: usize) -> Option<Cells<'a>> {
    (at != 0).then(|| cells(at, n))
}

/// The n doubles at an address, or an empty slice for address 0.
fn doubles<'a>(at: Ptr, n: usize) -> &'a [f64] {
    if n == 0 || at == 0 {
        return &[];
    }
    // SAFETY: the caller's contract: n doubles at `at`, a multiple of 8, which no output of the call overlaps.
    unsafe { slice::from_raw_parts(at as *const f64, n) }
}

/// [`doubles`], for writing.
fn doubles_mut<'a>(at: Ptr, n: usize) -> &'a mut [f64] {
    if n == 0 {
        return &mut [];
    }
    // SAFETY: as in `doubles`; nothing else of the call overlaps an output.
    unsafe { slice::from_raw_parts_mut(at as *mut f64, n) }
}

/// The first byte that is free for the heap of ts/backend/heap.ts; the crate itself allocates nothing.
#[wasm_bindgen(js_name = heapBase)]
pub fn heap_base() -> Ptr {
    #[cfg(target_arch = "wasm32")]
    {
        extern "C" {
            static __heap_base: u8;
        }
        &raw const __heap_base as Ptr
    }
    #[cfg(not(target_arch = "wasm32"))]
    0
}

/// Sets the tile of large products; see [`gemm::set_tile`]. All tiles give the same bits.
#[wasm_bindgen(js_name = setTile)]
pub fn set_tile(tile: u32) {
    gemm::set_tile(tile as usize);
}

/// The kernel behind every exported optimizer update: parameters p\[n\], gradients g\[n\], slot j at s + j·stride, the
/// shared hyper-parameters and then the rule's own at h.
pub(crate) fn update<R, const S: usize>(p: *mut f32, g: *const f32, s: *mut f32, stride: usize, n: usize, h: *const f32)
where
    R: Rule<S> + Numbers,
{
    if n == 0 {
        return;
    }
    // SAFETY: the caller's contract: the shared numbers and the rule's own at h, and n at each of p, g and the slots.
    let numbers = unsafe { slice::from_raw_parts(h, SHARED_HYPER + R::NAMES.len()) };
    let shared = Shared::from(numbers);
    let (parameters, gradients) = (cells(p as Ptr, n), cells(g as Ptr, n));
    if R::FUSES_GRADIENT_SCALING || shared.is_plain() {
        let slots = from_fn(|j| cells(s.wrapping_add(j * stride) as Ptr, n));
        return sweep(&R::from(numbers), shared, parameters, gradients, slots);
    }
    const { assert!(SHARED_HYPER + R::NAMES.len() <= MAX_HYPER) };
    let scaled = ScaledGradients::new(shared);
    let h = plain(numbers);
    for start in (0..n).step_by(CHUNK) {
        let count = scaled.prepare(parameters, gradients, start);
        let ready = scaled.gradients.as_ptr().cast();
        update::<R, S>(p.wrapping_add(start), ready, s.wrapping_add(start), stride, count, h.as_ptr());
    }
}

/// The kernel behind methods that need a whole tensor: passes the numbers of [`update`] to a function and returns its result.
pub(crate) fn whole<R: Numbers, const S: usize, T>(
    step: impl Fn(&R, Cells, Cells, [Cells; S]) -> T,
    p: *mut f32,
    g: *const f32,
    s: *mut f32,
    stride: usize,
    n: usize,
    h: *const f32,
) -> T {
    // SAFETY: as in `update`.
    let numbers = unsafe { slice::from_raw_parts(h, SHARED_HYPER + R::NAMES.len()) };
    let slots = from_fn(|j| cells(s.wrapping_add(j * stride) as Ptr, n));
    step(&R::from(numbers), cells(p as Ptr, n), cells(g as Ptr, n), slots)
}

/// The kernel behind the sums of a method, which are written as doubles behind the [`MAX_HYPER`] floats at h.
pub(crate) fn sums_of<R, const S: usize>(p: *mut f32, g: *const f32, s: *mut f32, stride: usize, n: usize, h: *mut f32)
where
    R: Numbers + Sums<S, 2>,
{
    const { assert!(SHARED_HYPER + R::NAMES.len() <= MAX_HYPER) };
    let found = whole::<R, S, _>(sums, p, g, s, stride, n, h);
    doubles_mut(h.wrapping_add(MAX_HYPER) as Ptr, 2).copy_from_slice(&found);
}

/// The largest number of hyper-parameters of an update, the shared ones included: `MAX_HYPER` in ts/backend/kernels.ts.
const MAX_HYPER: usize = 16;

/// The same hyper-parameters without scale and coupled decay, for gradients that already include them.
#[inline(never)]
fn plain(h: &[f32]) -> [f32; MAX_HYPER] {
    from_fn(|i| PLAIN.get(i).or(h.get(i)).map_or(0.0, |h| *h))
}

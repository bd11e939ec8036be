//! The exports: one line per kernel of ts/backend/kernels.ts, under its name there. The one place where addresses become
//! slices; everything behind it is safe code, but for the matrix products.
//!
//! The caller (ts/ops, ts/optim) keeps the contract of that file: each address is a multiple of 4 inside the linear
//! memory with as many elements behind it as the sizes say, and outputs overlap inputs only where it allows.
#![allow(unsafe_code)]

mod program;

use crate::double::{self, cholesky, net, products, products::Rows};
use crate::elementwise::{self as e, broadcast, Side};
use crate::gemm::{self, Layout, Part, Sizes, Start};
use crate::loss::{self, Call};
use crate::optim::{sweep, Rule, Shared, SHARED_HYPER};
use crate::sweep::{map, Cells};
use crate::{activation, dense, precise, random::Source, reduce, softmax};
use core::array::from_fn;
use core::cell::Cell;
use core::slice;
pub use program::run_program;
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

/// As [`cells`], or nothing for address 0.
fn optional<'a>(at: Ptr, n: usize) -> Option<Cells<'a>> {
    (at != 0).then(|| cells(at, n))
}

/// [`crate::unpack::unpack`] of the n bytes at an address, `size` of them to another, behind `before` that are there. Cut out
/// into a module of its own by crate/pack/finish.mjs.
#[wasm_bindgen]
pub fn unpack(from: Ptr, n: usize, to: Ptr, before: usize, size: usize) {
    // SAFETY: the loader's contract: so many bytes in each place, which do not overlap.
    let (bytes, out) = unsafe {
        (slice::from_raw_parts(from as *const u8, n), slice::from_raw_parts_mut(to as *mut u8, before + size))
    };
    crate::unpack::unpack(bytes, out, before);
}

/// One side of a broadcast, as long as its last element.
fn side<'a>(at: Ptr, rows: usize, cols: usize, row: usize, column: usize) -> Side<'a> {
    let n = if rows == 0 || cols == 0 { 0 } else { (rows - 1) * row + (cols - 1) * column + 1 };
    Side { cells: cells(at, n), row, column }
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

/// Which tile large products use; see [`gemm::set_tile`]. All give the same bits.
#[wasm_bindgen(js_name = setTile)]
pub fn set_tile(tile: u32) {
    gemm::set_tile(tile as usize);
}

macro_rules! products {
    ($($js:ident $name:ident $product:path;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(a: Ptr, b: Ptr, c: Ptr, m: usize, n: usize, k: usize, accumulate: u32, scratch: Ptr) {
            // SAFETY: the caller's contract.
            unsafe { $product(a as _, b as _, c as _, m, n, k, accumulate != 0, scratch as _) }
        })*
    };
}
products! {
    matmul matmul gemm::matmul;
    matmulNT matmul_nt gemm::matmul_nt;
    matmulTN matmul_tn gemm::matmul_tn;
}

/// One share of a product, for a thread; `layout` is the place of its kernel in the table: 0 matmul, 1 matmulNT, 2 matmulTN.
#[wasm_bindgen(js_name = matmulPart)]
#[rustfmt::skip]
pub fn matmul_part(
    layout: u32, a: Ptr, b: Ptr, c: Ptr, m: usize, n: usize, k: usize, accumulate: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layout = [Layout::Plain, Layout::SecondTransposed, Layout::FirstTransposed][layout as usize];
    let (c, part) = (cells(c, m * n), Part { index, count });
    let start = Start::sum(accumulate != 0, c, n);
    let arrays = [cells(a, m * k), cells(b, k * n), c, cells(scratch, gemm::SCRATCH)];
    gemm::multiply(layout, start, arrays, Sizes { m, n, k }, part.region(m, n, layout == Layout::FirstTransposed));
}

#[rustfmt::skip]
fn layer<'a>(x: Ptr, w: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr, part: Part) -> dense::Layer<'a> {
    dense::Layer { x: cells(x, m * k), w: cells(w, k * n), m, k, n, kind, scratch: cells(scratch, gemm::SCRATCH), part }
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = denseForward)]
pub fn dense_forward(x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr) {
    dense_forward_part(x, w, b, z, y, m, k, n, kind, scratch, 0, 1);
}

/// One share of denseForward, for a thread.
#[wasm_bindgen(js_name = denseForwardPart)]
#[rustfmt::skip]
pub fn dense_forward_part(
    x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, m: usize, k: usize, n: usize, kind: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layer = layer(x, w, m, k, n, kind, scratch, Part { index, count });
    dense::forward(&layer, optional(b, n), optional(z, m * n), cells(y, m * n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = denseBackward)]
#[rustfmt::skip]
pub fn dense_backward(
    x: Ptr, w: Ptr, saved: Ptr, dy: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr,
    m: usize, k: usize, n: usize, kind: u32, accumulate: u32, scratch: Ptr,
) {
    let layer = layer(x, w, m, k, n, kind, scratch, Part::WHOLE);
    let to = dense::Gradients { dw: optional(dw, k * n), db: optional(db, n), dx: optional(dx, m * k), accumulate };
    let dz = optional(dz, m * n).unwrap_or(&[]);
    dense::backward(&layer, cells(saved, m * n), cells(dy, m * n), dz, &to);
}

/// One share of what denseBackward does once dz is known, for a thread.
#[wasm_bindgen(js_name = denseGradientsPart)]
#[rustfmt::skip]
pub fn dense_gradients_part(
    x: Ptr, w: Ptr, dz: Ptr, dw: Ptr, db: Ptr, dx: Ptr, m: usize, k: usize, n: usize, accumulate: u32, scratch: Ptr,
    index: usize, count: usize,
) {
    let layer = layer(x, w, m, k, n, 0, scratch, Part { index, count });
    let to = dense::Gradients { dw: optional(dw, k * n), db: optional(db, n), dx: optional(dx, m * k), accumulate };
    dense::gradients(&layer, cells(dz, m * n), &to);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = activationForward)]
pub fn activation_forward(x: Ptr, y: Ptr, n: usize, kind: u32) {
    activation::forward(kind, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = activationBackward)]
pub fn activation_backward(saved: Ptr, dy: Ptr, dx: Ptr, n: usize, kind: u32) {
    activation::backward(kind, cells(saved, n), cells(dy, n), cells(dx, n));
}

macro_rules! binaries {
    ($($js:ident $name:ident $f:ty;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(a: Ptr, b: Ptr, y: Ptr, rows: usize, cols: usize, ar: usize, ac: usize, br: usize, bc: usize) {
            broadcast::<$f>(side(a, rows, cols, ar, ac), side(b, rows, cols, br, bc), cells(y, rows * cols), rows, cols);
        })*
    };
}
binaries! {
    add add e::Add;
    sub sub e::Sub;
    mul mul e::Mul;
    div div e::Div;
    maximum maximum e::Maximum;
    minimum minimum e::Minimum;
    greater greater e::Greater;
    greaterEqual greater_equal e::GreaterEqual;
    equal equal e::Equal;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn pow(a: Ptr, b: Ptr, y: Ptr, rows: usize, cols: usize, ar: usize, ac: usize, br: usize, bc: usize) {
    e::pow(side(a, rows, cols, ar, ac), side(b, rows, cols, br, bc), cells(y, rows * cols), rows, cols);
}

macro_rules! unaries {
    ($($name:ident $f:expr;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen]
        pub fn $name(x: Ptr, y: Ptr, n: usize) {
            map($f, cells(x, n), cells(y, n));
        })*
    };
}
unaries! {
    copy e::Copy;
    neg e::Neg;
    abs e::Abs;
    sign e::Sign;
    exp e::Exp;
    log e::Log;
    sqrt e::Sqrt;
    square e::Square;
    reciprocal e::Reciprocal;
    erf e::Erf;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn sin(x: Ptr, y: Ptr, n: usize) {
    e::map_single(precise::sin, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn cos(x: Ptr, y: Ptr, n: usize) {
    e::map_single(precise::cos, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn fill(y: Ptr, n: usize, value: f32) {
    e::fill(cells(y, n), value);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = addScaled)]
pub fn add_scaled(x: Ptr, y: Ptr, n: usize, scale: f32) {
    e::add_scaled(cells(x, n), cells(y, n), scale);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn clip(x: Ptr, y: Ptr, n: usize, low: f32, high: f32) {
    map(e::Clip { low, high }, cells(x, n), cells(y, n));
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn transpose(x: Ptr, y: Ptr, rows: usize, cols: usize) {
    e::transpose(cells(x, rows * cols), cells(y, rows * cols), rows, cols);
}

/// The part of a table up to its last row that is named.
fn table<'a>(at: Ptr, index: &[Cell<i32>], cols: usize) -> Cells<'a> {
    let rows = index.iter().map(|i| i.get() as usize + 1).max().unwrap_or(0);
    cells(at, rows * cols)
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = gatherRows)]
pub fn gather_rows(from: Ptr, index: Ptr, y: Ptr, rows: usize, cols: usize) {
    let index = integers(index, rows);
    e::gather_rows(table(from, index, cols), index, cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = scatterAddRows)]
pub fn scatter_add_rows(dy: Ptr, index: Ptr, to: Ptr, rows: usize, cols: usize) {
    let index = integers(index, rows);
    e::scatter_add_rows(cells(dy, rows * cols), index, table(to, index, cols), cols);
}

macro_rules! reductions {
    ($($js:ident $name:ident $reduce:path;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize) {
            $reduce(cells(x, outer * length * inner), cells(y, outer * inner), length, inner);
        })*
    };
}
reductions! {
    reduceSum reduce_sum reduce::sum;
    reduceMax reduce_max reduce::max;
    reduceMin reduce_min reduce::min;
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn argmax(x: Ptr, y: Ptr, outer: usize, length: usize, inner: usize) {
    reduce::argmax(cells(x, outer * length * inner), integers(y, outer * inner), length, inner);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = sumSquares)]
pub fn sum_squares(x: Ptr, n: usize) -> f64 {
    reduce::sum_squares(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = sumAbs)]
pub fn sum_abs(x: Ptr, n: usize) -> f64 {
    reduce::sum_abs(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn dot(x: Ptr, y: Ptr, n: usize) -> f64 {
    reduce::dot(cells(x, n), cells(y, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = squaredDistance)]
pub fn squared_distance(x: Ptr, y: Ptr, n: usize) -> f64 {
    reduce::squared_distance(cells(x, n), cells(y, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = maxAbs)]
pub fn max_abs(x: Ptr, n: usize) -> f32 {
    reduce::max_abs(cells(x, n))
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = softmax)]
pub fn softmax_rows(x: Ptr, y: Ptr, rows: usize, cols: usize) {
    softmax::softmax(cells(x, rows * cols), cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = logSoftmax)]
pub fn log_softmax(x: Ptr, y: Ptr, rows: usize, cols: usize) {
    softmax::log_softmax(cells(x, rows * cols), cells(y, rows * cols), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = softmaxBackward)]
pub fn softmax_backward(y: Ptr, dy: Ptr, dx: Ptr, rows: usize, cols: usize) {
    let n = rows * cols;
    softmax::softmax_backward(cells(y, n), cells(dy, n), cells(dx, n), cols);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = logSoftmaxBackward)]
pub fn log_softmax_backward(y: Ptr, dy: Ptr, dx: Ptr, rows: usize, cols: usize) {
    let n = rows * cols;
    softmax::log_softmax_backward(cells(y, n), cells(dy, n), cells(dx, n), cols);
}

macro_rules! losses {
    ($($js:ident $name:ident |$call:ident, $target:ident, $n:ident, $option:ident| $value:expr;)*) => {
        $(#[doc = "See ts/backend/kernels.ts."]
        #[wasm_bindgen(js_name = $js)]
        pub fn $name(p: Ptr, $target: Ptr, w: Ptr, g: Ptr, out: Ptr, rows: usize, cols: usize, scale: f32, $option: f32) {
            let $n = rows * cols;
            let $call = &Call { prediction: cells(p, $n), weights: optional(w, rows), gradient: optional(g, $n), rows, cols, scale };
            cells(out, 1)[0].set($value);
        })*
    };
}
losses! {
    squaredError squared_error |call, t, n, _option| loss::element_wise(loss::Squared, call, cells(t, n));
    absoluteError absolute_error |call, t, n, _option| loss::element_wise(loss::Absolute, call, cells(t, n));
    huber huber |call, t, n, delta| loss::element_wise(loss::Huber(delta), call, cells(t, n));
    binaryCrossEntropy binary_cross_entropy |call, t, n, s| loss::element_wise(loss::Binary(s), call, cells(t, n));
    crossEntropyIndices cross_entropy_indices |call, t, _n, s| loss::cross_entropy_indices(call, integers(t, call.rows), s);
    crossEntropyProbabilities cross_entropy_probabilities |call, t, n, s| loss::cross_entropy_probabilities(call, cells(t, n), s);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = randomUniform)]
pub fn random_uniform(y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, low: f64, high: f64) {
    Source { key: [seed_low, seed_high], stream, counter }.uniform(cells(y, n), low, high);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen(js_name = randomNormal)]
pub fn random_normal(y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, mean: f64, std: f64) {
    Source { key: [seed_low, seed_high], stream, counter }.normal(cells(y, n), mean, std);
}

/// See ts/backend/kernels.ts.
#[wasm_bindgen]
pub fn dropout(x: Ptr, y: Ptr, n: usize, seed_low: u32, seed_high: u32, stream: u32, counter: u32, rate: f64) {
    Source { key: [seed_low, seed_high], stream, counter }.dropout(cells(x, n), cells(y, n), rate);
}

/// The n doubles at an address; none for address 0.
fn doubles<'a>(at: Ptr, n: usize) -> &'a [f64] {
    if n == 0 || at == 0 {
        return &[];
    }
    // SAFETY: the caller's contract: n doubles at `at`, a multiple of 8, which no output of the call overlaps.
    unsafe { slice::from_raw_parts(at as *const f64, n) }
}

/// As [`doubles`], to write.
fn doubles_mut<'a>(at: Ptr, n: usize) -> &'a mut [f64] {
    if n == 0 {
        return &mut [];
    }
    // SAFETY: as in `doubles`; nothing else of the call overlaps an output.
    unsafe { slice::from_raw_parts_mut(at as *mut f64, n) }
}

/// n rows of m doubles, `stride` apart.
fn matrix<'a>(at: Ptr, n: usize, m: usize, stride: usize) -> Rows<'a> {
    Rows { all: doubles(at, if n == 0 { 0 } else { (n - 1) * stride + m }), n, m, stride }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleGram)]
pub fn double_gram(j: Ptr, n: usize, m: usize, stride: usize, h: Ptr) {
    products::gram(matrix(j, n, m, stride), doubles_mut(h, n * n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleProduct)]
pub fn double_product(j: Ptr, n: usize, m: usize, stride: usize, r: Ptr, g: Ptr) {
    products::product(matrix(j, n, m, stride), doubles(r, m), doubles_mut(g, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleCholesky)]
pub fn double_cholesky(h: Ptr, n: usize, mu: f64, d: Ptr, l: Ptr) -> u32 {
    u32::from(cholesky::factor(doubles(h, n * n), n, mu, doubles(d, n), doubles_mut(l, n * n)))
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSolve)]
pub fn double_solve(l: Ptr, n: usize, x: Ptr) {
    cholesky::solve(doubles(l, n * n), doubles_mut(x, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleAffine)]
#[rustfmt::skip]
pub fn double_affine(
    w: Ptr, by_unit: usize, by_term: usize, b: Ptr, a: Ptr, y: Ptr, units: usize, terms: usize, count: usize,
) {
    if count == 0 {
        return;
    }
    let (b, a) = (doubles(b, units), doubles(a, terms * count));
    let reach = if terms == 0 { 0 } else { (terms - 1) * by_term + 1 };
    for u in 0..units {
        let w = doubles(w + 8 * u * by_unit, reach);
        net::unit(w, by_term, *b.get(u).unwrap_or(&0.0), a, doubles_mut(y + 8 * u * count, count));
    }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleColumns)]
#[rustfmt::skip]
pub fn double_columns(
    a: Ptr, delta: Ptr, out: Ptr, inputs: usize, units: usize, step: usize, count: usize, stride: usize,
) {
    for i in 0..inputs {
        for j in 0..units {
            let (a, delta) = (doubles(a + 8 * i * count, count), doubles(delta + 8 * j * count, count));
            net::multiply(a, delta, doubles_mut(out + 8 * (i * step + j) * stride, count));
        }
    }
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleMultiply)]
pub fn double_multiply(x: Ptr, y: Ptr, out: Ptr, n: usize) {
    net::multiply(doubles(x, n), doubles(y, n), doubles_mut(out, n));
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleResidual)]
pub fn double_residual(y: Ptr, t: Ptr, r: Ptr, n: usize) -> f64 {
    net::residual(doubles(y, n), doubles(t, n), doubles_mut(r, n))
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSquash)]
pub fn double_squash(z: Ptr, a: Ptr, n: usize, sigmoid: u32) {
    double::activation::squash(doubles(z, n), doubles_mut(a, n), sigmoid != 0);
}

/// See ts/backend/double.ts.
#[wasm_bindgen(js_name = doubleSquashSlope)]
pub fn double_squash_slope(a: Ptr, d: Ptr, n: usize, sigmoid: u32) {
    double::activation::squash_slope(doubles(a, n), doubles_mut(d, n), sigmoid != 0);
}

/// The kernel behind every exported optimizer update: parameters p\[n\], gradients g\[n\], slot j at s + j·stride, the
/// shared hyper-parameters and then the rule's own H at h.
pub(crate) fn update<R, const S: usize, const H: usize>(
    p: *mut f32,
    g: *const f32,
    s: *mut f32,
    stride: usize,
    n: usize,
    h: *const f32,
) where
    R: Rule<S> + for<'a> From<&'a [f32]>,
{
    if n == 0 {
        return;
    }
    // SAFETY: the caller's contract: 3 + H floats at h, and n at each of p, g and the slots.
    let h = unsafe { slice::from_raw_parts(h, SHARED_HYPER + H) };
    let slots = from_fn(|j| cells(s.wrapping_add(j * stride) as Ptr, n));
    sweep(&R::from(&h[SHARED_HYPER..]), Shared::from(h), cells(p as Ptr, n), cells(g as Ptr, n), slots);
}

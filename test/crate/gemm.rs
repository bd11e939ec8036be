//! Matrix products and the dense layer against naive loops. Off wasm a multiply-add rounds twice, so the naive single-precision
//! loop over k gives the exact bits that every path and every tile must give.
#![allow(unsafe_code)]

use gradus::gemm::{self, SCRATCH};
use gradus::{abi, activation};
use std::cell::Cell;
use std::ptr::{null, null_mut};

const GUARD: f32 = 1234.5;

/// Numbers in [−1, 1) that differ in every bit, from a small generator.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// A buffer with guards on both sides, its contents `offset` floats off an allocation's alignment.
struct Guarded {
    all: Vec<f32>,
    at: usize,
    n: usize,
}

impl Guarded {
    fn new(contents: &[f32], offset: usize) -> Self {
        let (at, n) = (16 + offset, contents.len());
        let mut all = vec![GUARD; n + at + 16];
        all[at..at + n].copy_from_slice(contents);
        Guarded { all, at, n }
    }

    fn ptr(&mut self) -> *mut f32 {
        self.all[self.at..].as_mut_ptr()
    }

    fn read(&self, what: &str) -> &[f32] {
        let outside = self.all[..self.at].iter().chain(&self.all[self.at + self.n..]);
        assert!(outside.into_iter().all(|&x| x == GUARD), "{what}: wrote outside");
        &self.all[self.at..self.at + self.n]
    }
}

fn scratch() -> Guarded {
    Guarded::new(&vec![f32::NAN; SCRATCH], 0)
}

fn transpose(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols * rows).map(|i| x[i % rows * cols + i / rows]).collect()
}

/// c + a·b, summed over k in ascending order: a row of b at a time, as its columns lie far apart.
fn naive(a: &[f32], b: &[f32], c: &[f32], [m, n, k]: [usize; 3]) -> Vec<f32> {
    let mut out = c.to_vec();
    for i in 0..m {
        for p in 0..k {
            let x = a[i * k + p];
            for (sum, y) in out[i * n..][..n].iter_mut().zip(&b[p * n..][..n]) {
                *sum += x * y;
            }
        }
    }
    out
}

fn assert_same_bits(got: &[f32], want: &[f32], what: &str) {
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(g.to_bits() == w.to_bits() || g.is_nan() && w.is_nan(), "{what}: element {i} is {g}, not {w}");
    }
}

/// All three products of one size, overwriting and accumulating.
fn check_products(a: &[f32], b: &[f32], size @ [m, n, k]: [usize; 3], offset: usize, scratch: &mut Guarded) {
    let old = numbers(m * n, 3);
    let (mut at, mut bt) = (Guarded::new(&transpose(a, m, k), offset), Guarded::new(&transpose(b, k, n), offset));
    let (mut a_room, mut b_room) = (Guarded::new(a, offset), Guarded::new(b, offset + 1));
    let (a_ptr, b_ptr, at_ptr, bt_ptr, s) = (a_room.ptr(), b_room.ptr(), at.ptr(), bt.ptr(), scratch.ptr());
    for accumulate in [false, true] {
        let want = naive(a, b, &if accumulate { old.clone() } else { vec![0.0; m * n] }, size);
        for kind in ["NN", "NT", "TN"] {
            let what = format!("{kind} {size:?} accumulate {accumulate} offset {offset}");
            let mut c = Guarded::new(&old, offset + 2);
            // SAFETY: every buffer has the size that the product expects.
            unsafe {
                match kind {
                    "NN" => gemm::matmul(a_ptr, b_ptr, c.ptr(), m, n, k, accumulate, s),
                    "NT" => gemm::matmul_nt(a_ptr, bt_ptr, c.ptr(), m, n, k, accumulate, s),
                    _ => gemm::matmul_tn(at_ptr, b_ptr, c.ptr(), m, n, k, accumulate, s),
                }
            }
            assert_same_bits(c.read(&what), &want, &what);
        }
    }
}

fn check(size @ [m, n, k]: [usize; 3], offset: usize, scratch: &mut Guarded) {
    check_products(&numbers(m * k, 1), &numbers(k * n, 2), size, offset, scratch);
}

const TILES: usize = 4;

#[test]
fn small_products_exhaustively() {
    let mut scratch = scratch();
    for m in 0..=12 {
        for n in 0..=12 {
            for k in 0..=12 {
                check([m, n, k], 0, &mut scratch);
            }
        }
    }
    scratch.read("scratch");
}

#[test]
fn ragged_products_with_every_tile() {
    let mut scratch = scratch();
    for tile in 0..TILES {
        gemm::set_tile(tile);
        for m in [1, 2, 3, 17, 33, 65] {
            for n in [1, 7, 10, 17, 33, 65, 100, 129] {
                for k in [1, 5, 33, 100, 257] {
                    check([m, n, k], 0, &mut scratch);
                }
            }
        }
    }
    scratch.read("scratch");
}

#[test]
fn products_of_many_blocks_with_every_tile() {
    let mut scratch = scratch();
    for tile in 0..TILES {
        gemm::set_tile(tile);
        for size in [
            [257, 257, 257],
            [129, 257, 1100],
            [1, 700, 600],
            [1, 704, 600],
            [30, 1, 3000],
            [3, 5000, 2],
            [1000, 10, 9],
            [130, 900, 520],
        ] {
            check(size, 0, &mut scratch);
        }
    }
    scratch.read("scratch");
}

#[test]
fn products_that_read_in_place_with_every_tile() {
    let mut scratch = scratch();
    for tile in 0..TILES {
        gemm::set_tile(tile);
        for m in [24, 25, 26, 27, 31, 40, 64, 120, 123, 131, 240] {
            for n in [16, 32, 64, 272] {
                for k in [9, 32, 130, 300] {
                    check([m, n, k], 0, &mut scratch);
                }
            }
        }
        // rows of A side by side, steps of k half a page, a page and two pages apart
        let apart = [[512, 32, 24], [512, 10, 40], [1024, 10, 40], [1024, 32, 9], [1024, 64, 20], [2048, 17, 33]];
        // then products that read B in place over several blocks of k
        for size in apart.into_iter().chain([[1024, 16, 300], [1024, 24, 300]]) {
            check(size, 0, &mut scratch);
        }
    }
    scratch.read("scratch");
}

#[test]
fn any_alignment() {
    let mut scratch = scratch();
    for offset in 0..4 {
        for size in [[5, 9, 6], [24, 17, 7], [1, 33, 5], [2, 16, 16], [1, 129, 70], [1, 128, 68]] {
            check(size, offset, &mut scratch);
        }
    }
}

#[test]
fn a_row_alone_gives_the_bits_it_has_in_a_batch() {
    let (m, n, k) = (64, 100, 784);
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let mut scratch = scratch();
    let (mut batch, mut single) = (vec![0.0; m * n], vec![0.0; m * n]);
    // SAFETY: every buffer has the size that the product expects.
    unsafe {
        gemm::matmul(a.as_ptr(), b.as_ptr(), batch.as_mut_ptr(), m, n, k, false, scratch.ptr());
        for i in 0..m {
            gemm::matmul(a[i * k..].as_ptr(), b.as_ptr(), single[i * n..].as_mut_ptr(), 1, n, k, false, scratch.ptr());
        }
    }
    assert_same_bits(&single, &batch, "rows one by one");
}

#[test]
fn close_to_double_precision() {
    let (m, n, k) = (33, 65, 1000);
    let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
    let mut c = vec![0.0; m * n];
    // SAFETY: every buffer has the size that the product expects.
    unsafe { gemm::matmul(a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), m, n, k, false, scratch().ptr()) };
    for (at, got) in c.iter().enumerate() {
        let terms = (0..k).map(|p| f64::from(a[at / n * k + p]) * f64::from(b[p * n + at % n]));
        let (sum, size) = terms.fold((0.0, 0.0), |(s, z): (f64, f64), t| (s + t, z + t.abs()));
        assert!((f64::from(*got) - sum).abs() <= size * k as f64 * f64::from(f32::EPSILON), "element {at}");
    }
}

#[test]
fn not_a_number_and_infinity_stay_in_their_row_and_column() {
    let mut scratch = scratch();
    for size @ [m, n, k] in [[5, 9, 6], [33, 10, 7], [40, 17, 300], [1, 37, 5], [1, 136, 64], [65, 3, 65]] {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut a, mut b) = (numbers(m * k, 1), numbers(k * n, 2));
            a[(m - 1) * k] = bad;
            b[(k - 1) * n + n - 1] = bad;
            b[0] = 0.0; // 0·∞ is NaN
            check_products(&a, &b, size, 0, &mut scratch);
        }
    }
}

/// f(x), by the same code as the element-wise kernel: what is tested here is the layer around it.
fn activate(kind: u32, x: &[f32]) -> Vec<f32> {
    let y = vec![Cell::new(0.0); x.len()];
    let x: Vec<_> = x.iter().copied().map(Cell::new).collect();
    activation::forward(kind, &x, &y);
    y.iter().map(Cell::get).collect()
}

fn activate_back(kind: u32, saved: &[f32], dy: &[f32]) -> Vec<f32> {
    let cells = |x: &[f32]| x.iter().copied().map(Cell::new).collect::<Vec<_>>();
    let dz = cells(dy);
    activation::backward(kind, &cells(saved), &cells(dy), &dz);
    dz.iter().map(Cell::get).collect()
}

const SIZES: [[usize; 3]; 7] =
    [[0, 3, 2], [1, 10, 128], [64, 10, 30], [33, 65, 17], [4, 0, 3], [5, 3, 0], [30, 33, 300]];
const KINDS: std::ops::Range<u32> = 0..9;

#[test]
fn dense_forward() {
    let mut scratch = scratch();
    for (size @ [m, n, k], kind) in SIZES.into_iter().flat_map(|size| KINDS.map(move |kind| (size, kind))) {
        let (x, w, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
        for with_bias in [false, true] {
            let what = format!("dense forward {size:?} activation {kind} bias {with_bias}");
            let start: Vec<f32> = (0..m * n).map(|i| if with_bias { bias[i % n] } else { 0.0 }).collect();
            let sums = naive(&x, &w, &start, size);
            let (mut z, mut y) = (Guarded::new(&vec![7.0; m * n], 1), Guarded::new(&vec![0.0; m * n], 2));
            let b = if with_bias { bias.as_ptr() } else { null() };
            dense::forward(x.as_ptr(), w.as_ptr(), b, z.ptr(), y.ptr(), m, k, n, kind, scratch.ptr());
            assert_same_bits(y.read(&what), &activate(kind, &sums), &what);
            let untouched = vec![7.0; m * n];
            assert_same_bits(z.read(&what), if activation::saves_input(kind) { &sums } else { &untouched }, &what);
        }
    }
}

#[test]
fn dense_backward() {
    let mut scratch = scratch();
    for (size @ [m, n, k], kind) in SIZES.into_iter().flat_map(|size| KINDS.map(move |kind| (size, kind))) {
        let (x, w, saved, dy) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3), numbers(m * n, 4));
        let dz = activate_back(kind, &saved, &dy);
        for accumulate in 0..8 {
            let what = format!("dense backward {size:?} activation {kind} accumulate {accumulate}");
            let old = |bit: u32, n: usize| {
                if accumulate & bit != 0 {
                    numbers(n, 5)
                } else {
                    vec![0.0; n]
                }
            };
            let buffer = |n: usize| Guarded::new(&numbers(n, 5), 1);
            let (mut dw, mut db, mut dx, mut room) = (buffer(k * n), buffer(n), buffer(m * k), buffer(m * n));
            {
                let (x, w, saved, dy) = (x.as_ptr(), w.as_ptr(), saved.as_ptr(), dy.as_ptr());
                dense::backward(
                    x,
                    w,
                    saved,
                    dy,
                    room.ptr(),
                    dw.ptr(),
                    db.ptr(),
                    dx.ptr(),
                    m,
                    k,
                    n,
                    kind,
                    accumulate,
                    scratch.ptr(),
                );
            }
            assert_same_bits(dw.read(&what), &naive(&transpose(&x, m, k), &dz, &old(1, k * n), [k, n, m]), &what);
            assert_same_bits(db.read(&what), &naive(&vec![1.0; m], &dz, &old(2, n), [1, n, m]), &what);
            assert_same_bits(dx.read(&what), &naive(&dz, &transpose(&w, k, n), &old(4, m * k), [m, k, n]), &what);
        }
    }
}

#[test]
fn dense_backward_computes_only_what_is_asked_for() {
    let [m, n, k] = [6, 5, 7];
    let (x, w, y) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
    let mut gradient = Guarded::new(&numbers(m * n, 4), 0);
    let want = activate_back(4, &y, gradient.read(""));
    let p = gradient.ptr();
    {
        dense::backward(
            x.as_ptr(),
            w.as_ptr(),
            y.as_ptr(),
            p,
            p,
            null_mut(),
            null_mut(),
            null_mut(),
            m,
            k,
            n,
            4,
            0,
            scratch().ptr(),
        );
    }
    assert_same_bits(gradient.read("dz"), &want, "dz over dy");
}

/// The layer as JavaScript calls it: addresses and sizes.
mod dense {
    use super::abi;

    #[rustfmt::skip]
    pub fn forward(
        x: *const f32, w: *const f32, b: *const f32, z: *mut f32, y: *mut f32, m: usize, k: usize, n: usize, kind: u32, scratch: *mut f32,
    ) {
        abi::dense_forward(x as _, w as _, b as _, z as _, y as _, m, k, n, kind, scratch as _);
    }

    #[rustfmt::skip]
    pub fn backward(
        x: *const f32, w: *const f32, saved: *const f32, dy: *const f32, dz: *mut f32, dw: *mut f32, db: *mut f32, dx: *mut f32,
        m: usize, k: usize, n: usize, kind: u32, accumulate: u32, scratch: *mut f32,
    ) {
        abi::dense_backward(
            x as _, w as _, saved as _, dy as _, dz as _, dw as _, db as _, dx as _, m, k, n, kind, accumulate, scratch as _,
        );
    }
}

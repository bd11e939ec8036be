//! The dense layer against loops in double precision, with and without each optional argument.

use crate::tools::{activation, assert_close, assert_same, derivative, numbers, ptr, Room};
use gradus::abi::{dense_backward, dense_forward};
use gradus::activation::saves_input;
use gradus::gemm::SCRATCH;

const KINDS: std::ops::Range<u32> = 0..11;
const TOLERANCE: f64 = 4e-6;

/// Σ over l < count
fn sum(count: usize, term: impl Fn(usize) -> f64) -> f64 {
    (0..count).map(term).sum()
}

fn at(x: &[f32], i: usize) -> f64 {
    f64::from(x[i])
}

/// One layer: its inputs, and z, y in double precision.
struct Layer {
    size: [usize; 3],
    kind: u32,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    z: Vec<f64>,
}

impl Layer {
    fn new(size @ [m, k, n]: [usize; 3], kind: u32, with_bias: bool) -> Self {
        let (x, w, dy) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 4));
        let bias = if with_bias { numbers(n, 3) } else { vec![0.0; n] };
        let product = |i: usize, j: usize| sum(k, |l| at(&x, i * k + l) * at(&w, l * n + j));
        let z = (0..m * n).map(|o| at(&bias, o % n) + product(o / n, o % n)).collect();
        Layer { size, kind, x, w, bias, dy, z }
    }

    fn check_forward(&self, with_bias: bool, with_z: bool, offset: usize, scratch: &mut Room) {
        let ([m, k, n], kind) = (self.size, self.kind);
        let what = format!("[m k n] {:?} activation {kind} bias {with_bias} z {with_z}", self.size);
        let (mut x, mut w) = (Room::new(&self.x, offset), Room::new(&self.w, offset + 1));
        let mut b = Room::new(&self.bias, offset + 2);
        let (mut z, mut y) = (Room::empty(m * n, offset), Room::empty(m * n, offset + 3));
        let b = if with_bias { b.ptr() } else { 0 };
        let z_ptr = if with_z { z.ptr() } else { 0 };
        dense_forward(x.ptr(), w.ptr(), b, z_ptr, y.ptr(), m, k, n, kind, scratch.ptr());
        for (i, &exact) in self.z.iter().enumerate() {
            assert_close(y.read()[i], activation(kind, exact), TOLERANCE, &what);
            let z = z.read()[i];
            if with_z && saves_input(kind) {
                assert_close(z, exact, TOLERANCE, &what);
            } else {
                assert_eq!(z, -77.0, "{what}: z written");
            }
        }
    }

    /// `wanted` is a set of bits: 1 dw, 2 db, 4 dx; `in_place` puts dz over dy.
    fn check_backward(&self, wanted: u32, accumulate: u32, in_place: bool, scratch: &mut Room) {
        let ([m, k, n], kind) = (self.size, self.kind);
        let what = format!("[m k n] {:?} activation {kind} wanted {wanted} + {accumulate}", self.size);
        let save = |&z: &f64| (if saves_input(kind) { z } else { activation(kind, z) }) as f32;
        let saved: Vec<f32> = self.z.iter().map(save).collect();
        let dz = |o: usize| at(&self.dy, o) * derivative(kind, self.z[o]);

        let sizes = [k * n, n, m * k];
        let old = sizes.map(|size| numbers(size, 9));
        let mut out = [0, 1, 2].map(|i| Room::new(&old[i], i));
        let [dw, db, dx] = [0, 1, 2].map(|i| if wanted & 1 << i != 0 { out[i].ptr() } else { 0 });
        let (mut dy, mut apart) = (Room::new(&self.dy, 1), Room::empty(m * n, 2));
        let room = match (in_place, kind) {
            (true, _) => dy.ptr(),
            (_, 0) => 0,
            _ => apart.ptr(),
        };
        let (x, w, s) = (ptr(&self.x), ptr(&self.w), scratch.ptr());
        dense_backward(x, w, ptr(&saved), dy.ptr(), room, dw, db, dx, m, k, n, kind, accumulate, s);

        let want = |i: usize, o: usize| match i {
            0 => sum(m, |r| at(&self.x, r * k + o / n) * dz(r * n + o % n)),
            1 => sum(m, |r| dz(r * n + o)),
            _ => sum(n, |j| dz(o / k * n + j) * at(&self.w, o % k * n + j)),
        };
        for i in 0..3 {
            if wanted & 1 << i == 0 {
                assert_same(out[i].read(), &old[i], &what);
                continue;
            }
            let start = |o: usize| {
                if accumulate & 1 << i != 0 {
                    at(&old[i], o)
                } else {
                    0.0
                }
            };
            for (o, &got) in out[i].read().iter().enumerate() {
                assert_close(got, start(o) + want(i, o), TOLERANCE, &format!("{what}: output {i}"));
            }
        }
        if !in_place {
            assert_same(dy.read(), &self.dy, &what);
        }
        let result = if in_place { dy.read() } else { apart.read() };
        if kind != 0 {
            let check = |(o, &got): (usize, &f32)| assert_close(got, dz(o), TOLERANCE, &what);
            result.iter().enumerate().for_each(check);
        }
    }
}

fn scratch() -> Room {
    Room::new(&vec![f32::NAN; SCRATCH], 0)
}

/// Every small shape, each with some activation and some of the options.
#[test]
fn small_layers_exhaustively() {
    let mut scratch = scratch();
    for i in 0..13 * 13 * 13 {
        let (size, turn) = ([i / 169, i / 13 % 13, i % 13], i as u32);
        let layer = Layer::new(size, turn % 9, turn % 2 == 0);
        layer.check_forward(turn % 2 == 0, turn % 5 != 0, i % 4, &mut scratch);
        layer.check_backward(7, turn % 8, turn % 3 == 0, &mut scratch);
    }
    scratch.read();
}

#[test]
fn every_activation_with_every_option() {
    let mut scratch = scratch();
    for kind in KINDS {
        for option in 0..8 {
            let layer = Layer::new([5, 7, 9], kind, option & 1 != 0);
            layer.check_forward(option & 1 != 0, option & 2 != 0, 1, &mut scratch);
            for accumulate in [0, 3, 5, 7] {
                layer.check_backward(option, accumulate, option & 1 != 0, &mut scratch);
            }
        }
    }
}

#[test]
fn larger_layers() {
    let mut scratch = scratch();
    for (size, kind) in [
        ([31, 64, 10], 1),
        ([64, 100, 31], 4),
        ([1, 257, 100], 5),
        ([100, 31, 257], 3),
        ([257, 12, 64], 6),
        ([64, 257, 1], 8),
    ] {
        let layer = Layer::new(size, kind, true);
        layer.check_forward(true, true, 2, &mut scratch);
        layer.check_backward(7, 0, false, &mut scratch);
    }
    scratch.read();
}

#[test]
fn nan_reaches_what_depends_on_it_and_nothing_else() {
    let ([m, k, n], mut scratch) = ([9, 6, 11], scratch());
    for kind in KINDS {
        let (mut x, w, b) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
        x[2 * k + 3] = f32::NAN;
        let mut y = Room::empty(m * n, 0);
        dense_forward(ptr(&x), ptr(&w), ptr(&b), 0, y.ptr(), m, k, n, kind, scratch.ptr());
        for (o, y) in y.read().iter().enumerate() {
            assert_eq!(y.is_nan(), o / n == 2, "activation {kind}, element {o}");
        }
    }
}

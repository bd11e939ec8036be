//! Kernels of fleets against the kernels of single nets, bit by bit: eight nets with numbers of their own, sizes that fill no block.

use crate::tools::numbers;
use gradus::abi;
use gradus::fleet::dense::SCRATCH_FLOATS;
use gradus::gemm::SCRATCH;

const NETS: usize = 8;
const KINDS: std::ops::Range<u32> = 0..11;
const SIZES: [[usize; 3]; 13] = [
    [64, 64, 64],
    [9, 33, 71],
    [150, 70, 15],
    [66, 20, 130],
    [4, 2, 8],
    [16, 4, 16],
    [16, 16, 3],
    [32, 8, 32],
    [32, 32, 1],
    [1, 1, 1],
    [3, 5, 7],
    [33, 9, 2],
    [300, 3, 5],
];

/// An array of each net.
fn arrays(n: usize, seed: u32) -> Vec<Vec<f32>> {
    (0..NETS as u32).map(|net| numbers(n, seed * 100 + net)).collect()
}

/// Arrays of eight nets as one, with eight floats for each.
fn together<T: Copy + Default>(arrays: &[Vec<T>]) -> Vec<T> {
    let n = arrays[0].len();
    (0..n * NETS).map(|i| arrays[i % NETS][i / NETS]).collect()
}

fn at<T>(x: &mut [T]) -> usize {
    x.as_mut_ptr() as usize
}

/// Compares one net's part of an interleaved array with the array of that net.
fn assert_bits(all: &[f32], net: usize, one: &[f32], what: &str) {
    for (i, x) in one.iter().enumerate() {
        assert_eq!(
            all[i * NETS + net].to_bits(),
            x.to_bits(),
            "{what}, net {net}, element {i}: {} {x}",
            all[i * NETS + net]
        );
    }
}

#[test]
fn dense_layers_have_the_bits_of_single_nets() {
    let mut scratch = vec![0.0f32; SCRATCH];
    let mut panels = vec![0.0f32; SCRATCH_FLOATS];
    for ([m, k, n], kind, how) in
        SIZES.iter().flat_map(|&s| KINDS.flat_map(move |kind| [0, 1, 2, 3].map(|how| (s, kind, how))))
    {
        let shared = how & 1;
        let what = format!("m {m} k {k} n {n} activation {kind} how {how}");
        let mut x = arrays(m * k, 1);
        if shared == 1 {
            x = vec![x[0].clone(); NETS];
        }
        let (mut w, mut b, mut dy) = (arrays(k * n, 2), arrays(n, 3), arrays(m * n, 4));
        let mut xs = if shared == 1 { x[0].clone() } else { together(&x) };
        let (mut ws, mut bs, mut dys) = (together(&w), together(&b), together(&dy));
        let room = |n: usize| vec![0.0f32; NETS * n];
        let (mut z, mut y, mut dz, mut dw, mut db, mut dx) =
            (room(m * n), room(m * n), room(m * n), room(k * n), room(n), room(m * k));
        let saves = gradus::activation::saves_input(kind);
        abi::fleet_dense_forward(
            at(&mut xs),
            how,
            at(&mut ws),
            at(&mut bs),
            at(&mut z),
            at(&mut y),
            m,
            k,
            n,
            kind,
            at(&mut panels),
        );
        let saved = if saves { at(&mut z) } else { at(&mut y) };
        #[rustfmt::skip]
        abi::fleet_dense_backward(
            at(&mut xs), how, at(&mut ws), saved, at(&mut dys), at(&mut dz), at(&mut dw), at(&mut db), at(&mut dx), m, k, n, kind,
            at(&mut panels),
        );
        for net in 0..NETS {
            let room = |n: usize| vec![0.0f32; n];
            let (mut z1, mut y1, mut dz1, mut dw1, mut db1, mut dx1) =
                (room(m * n), room(m * n), room(m * n), room(k * n), room(n), room(m * k));
            let (x, w, b, dy) = (at(&mut x[net]), at(&mut w[net]), at(&mut b[net]), at(&mut dy[net]));
            abi::dense_forward(x, w, b, at(&mut z1), at(&mut y1), m, k, n, kind, at(&mut scratch));
            let saved = if saves { at(&mut z1) } else { at(&mut y1) };
            #[rustfmt::skip]
            abi::dense_backward(
                x, w, saved, dy, at(&mut dz1), at(&mut dw1), at(&mut db1), at(&mut dx1), m, k, n, kind, 0, at(&mut scratch),
            );
            assert_bits(&y, net, &y1, &format!("{what}: y"));
            assert_bits(&dw, net, &dw1, &format!("{what}: dw"));
            assert_bits(&db, net, &db1, &format!("{what}: db"));
            assert_bits(&dx, net, &dx1, &format!("{what}: dx"));
        }
    }
}

#[test]
fn arrays_are_interleaved_and_back() {
    use gradus::fleet::interleave::{deinterleave, interleave};
    use std::cell::Cell;
    for n in [1, 3, 4, 7, 33] {
        let single: Vec<Vec<Cell<f32>>> =
            arrays(n, 5).into_iter().map(|x| x.into_iter().map(Cell::new).collect()).collect();
        let all: Vec<[Cell<f32>; NETS]> = (0..n).map(|_| [const { Cell::new(0.0) }; NETS]).collect();
        let back: Vec<Vec<Cell<f32>>> = (0..NETS).map(|_| vec![Cell::new(0.0); n]).collect();
        interleave(std::array::from_fn(|net| &single[net][..]), &all);
        deinterleave(&all, std::array::from_fn(|net| &back[net][..]));
        for (net, x) in single.iter().enumerate() {
            assert_eq!(&back[net], x);
            assert!((0..n).all(|i| all[i][net] == x[i]));
        }
    }
}

#[test]
fn dropout_draws_what_single_nets_draw() {
    for n in [1, 4, 17, 64] {
        let mut x = arrays(n, 7);
        let mut all = together(&x);
        let mut y = vec![0.0f32; NETS * n];
        let mut table: Vec<u64> = Vec::new();
        let source = |net: u32| [17 + net, net * 3, 2 + net % 3, 5 + net];
        let rate = |net: u32| 0.1 + 0.1 * f64::from(net);
        for net in 0..NETS as u32 {
            let [low, high, stream, counter] = source(net).map(u64::from);
            table.extend([low | high << 32, stream | counter << 32, rate(net).to_bits()]);
        }
        for step in 0..3 {
            abi::fleet_dropout(at(&mut all), at(&mut y), n, at(&mut table), 2);
            for (net, x) in x.iter_mut().enumerate() {
                let [low, high, stream, counter] = source(net as u32);
                let mut one = vec![0.0f32; n];
                abi::dropout(at(x), at(&mut one), n, low, high, stream, counter + 2 * step, 0, 0, rate(net as u32));
                assert_bits(&y, net, &one, &format!("{n} elements, step {step}"));
            }
        }
    }
}

type Loss = fn(usize, usize, usize, usize, usize, usize, usize, f32, f32);

#[test]
fn losses_have_the_bits_of_single_nets() {
    let losses: [(Loss, Loss, &str); 6] = [
        (abi::fleet_squared_error, abi::squared_error, "squared"),
        (abi::fleet_absolute_error, abi::absolute_error, "absolute"),
        (abi::fleet_huber, abi::huber, "huber"),
        (abi::fleet_binary_cross_entropy, abi::binary_cross_entropy, "binary"),
        (abi::fleet_cross_entropy_probabilities, abi::cross_entropy_probabilities, "probabilities"),
        (abi::fleet_cross_entropy_indices, abi::cross_entropy_indices, "indices"),
    ];
    for (fleet, single, name) in losses {
        for (rows, cols) in [(1, 1), (4, 1), (32, 1), (70, 1), (300, 1), (5, 3), (33, 3), (16, 10), (7, 67), (3, 256)] {
            for (option, weighted) in [(0.0, false), (0.2, false), (0.0, true), (0.2, true)] {
                let what = format!("{name} {rows} × {cols}, option {option}, weights {weighted}");
                let n = rows * cols;
                let (mut p, mut w) = (arrays(n, 1), arrays(rows, 2));
                let labels: Vec<Vec<i32>> =
                    (0..NETS).map(|net| (0..rows).map(|r| ((r * 7 + net * 3) % cols) as i32).collect()).collect();
                let mut t: Vec<Vec<f32>> =
                    arrays(n, 3).into_iter().map(|t| t.into_iter().map(f32::abs).collect()).collect();
                if name == "indices" {
                    t = labels.iter().map(|l| l.iter().map(|&l| f32::from_bits(l as u32)).collect()).collect();
                }
                let (mut ps, mut ws, mut ts) = (together(&p), together(&w), together(&t));
                let (mut gs, mut out) = (vec![0.0f32; NETS * n], vec![0.0f32; NETS]);
                let scale = 1.0 / rows as f32;
                let weights = if weighted { at(&mut ws) } else { 0 };
                fleet(at(&mut ps), at(&mut ts), weights, at(&mut gs), at(&mut out), rows, cols, scale, option);
                for net in 0..NETS {
                    let (mut g, mut value) = (vec![0.0f32; n], vec![0.0f32]);
                    let weights = if weighted { at(&mut w[net]) } else { 0 };
                    single(
                        at(&mut p[net]),
                        at(&mut t[net]),
                        weights,
                        at(&mut g),
                        at(&mut value),
                        rows,
                        cols,
                        scale,
                        option,
                    );
                    assert_bits(&out, net, &value, &format!("{what}: value"));
                    assert_bits(&gs, net, &g, &format!("{what}: gradient"));
                }
            }
        }
    }
}

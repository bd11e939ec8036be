//! Random numbers: Philox against its authors' vectors, distributions against their moments.

use crate::tools::{assert_same, lengths, numbers, ptr, Room};
use gradus::abi;
use gradus::lane::U32x4;
use gradus::random::{normal_quantile, philox, philox_four};

/// kat_vectors of Random123 (Salmon et al. 2011), philox4x32 with 10 rounds.
#[test]
fn known_answers() {
    const FULL: u32 = u32::MAX;
    let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
    assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    assert_eq!(philox([FULL; 4], [FULL; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
    assert_eq!(philox(pi, [0xa409_3822, 0x299f_31d0]), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
}

#[test]
fn four_counters_at_once_have_the_words_of_each() {
    for seed in 0..50u32 {
        let word = |i: u32| seed.wrapping_mul(0x9e37_79b9).wrapping_add(i.wrapping_mul(0x85eb_ca6b));
        let counters: [[u32; 4]; 4] = std::array::from_fn(|i| std::array::from_fn(|j| word((4 * i + j) as u32)));
        let key = [word(16), word(17)];
        let lanes = |j: usize| U32x4::transpose(std::array::from_fn(|i| U32x4::splat(counters[i][j])))[0];
        let got = philox_four(std::array::from_fn(lanes), key).map(U32x4::to_array);
        assert_eq!(got, counters.map(|counter| philox(counter, key)));
    }
    assert_eq!(U32x4::counting(u32::MAX).to_array(), [u32::MAX, 0, 1, 2]);
}

const SEED: (u32, u32, u32, u32) = (11, 22, 33, 44);

fn uniform(n: usize, low: f64, high: f64) -> Vec<f32> {
    let mut y = Room::empty(n, 1);
    abi::random_uniform(y.ptr(), n, SEED.0, SEED.1, SEED.2, SEED.3, low, high);
    y.read().to_vec()
}

fn normal(n: usize, mean: f64, std: f64) -> Vec<f32> {
    let mut y = Room::empty(n, 3);
    abi::random_normal(y.ptr(), n, SEED.0, SEED.1, SEED.2, SEED.3, mean, std);
    y.read().to_vec()
}

fn dropout(x: &[f32], rate: f64) -> Vec<f32> {
    let mut y = Room::new(x, 2);
    abi::dropout(y.ptr(), y.ptr(), x.len(), SEED.0, SEED.1, SEED.2, SEED.3, 0, 0, rate);
    y.read().to_vec()
}

#[test]
fn a_mask_is_read_as_it_was_written() {
    for n in lengths() {
        let (x, dy) = (numbers(n, 1), numbers(n, 2));
        let mut mask = vec![-1i32; n.div_ceil(16) + 1];
        let run = |x: &[f32], counter, known, mask: &mut [i32]| {
            let mut y = Room::new(x, 1);
            abi::dropout(y.ptr(), y.ptr(), n, SEED.0, SEED.1, SEED.2, counter, mask.as_mut_ptr() as usize, known, 0.3);
            y.read().to_vec()
        };
        assert_same(&run(&x, SEED.3, 0, &mut mask), &dropout(&x, 0.3), "dropout that writes a mask");
        assert_eq!(mask[n.div_ceil(16)], -1, "a mask of {n} bits ends");
        // another counter: nothing is drawn
        assert_same(&run(&dy, SEED.3 + 1, 1, &mut mask), &dropout(&dy, 0.3), "dropout by a mask");
    }
}

/// Word i of the sequence, by the contract.
fn word(i: usize) -> u32 {
    philox([i as u32 >> 2, SEED.3, SEED.2, 0], [SEED.0, SEED.1])[i & 3]
}

fn unit(i: usize) -> f64 {
    f64::from(word(i) >> 8) / 16_777_216.0
}

#[test]
fn words_become_numbers_as_the_contract_says() {
    for n in lengths() {
        let x = numbers(n, 1);
        let made = |f: &dyn Fn(usize) -> f64| (0..n).map(|i| f(i) as f32).collect::<Vec<_>>();
        assert_same(&uniform(n, 0.0, 1.0), &made(&unit), "uniform");
        assert_same(&uniform(n, -2.0, 3.0), &made(&|i| -2.0 + 5.0 * unit(i)), "uniform");
        let z = |i: usize| normal_quantile((f64::from(word(i)) + 0.5) / 4_294_967_296.0);
        assert_same(&normal(n, 1.0, 0.5), &made(&|i| 1.0 + 0.5 * z(i)), "normal");
        let kept = |i: usize| {
            if unit(i) >= 0.3 {
                f64::from(x[i]) * f64::from((1.0 / 0.7f64) as f32)
            } else {
                0.0
            }
        };
        assert_same(&dropout(&x, 0.3), &made(&kept), "dropout");
        assert_same(&dropout(&x, 0.0), &x, "dropout of nothing");
    }
}

#[test]
fn every_part_of_the_seed_counts() {
    let draw = |a, b, c, d| {
        let mut y = Room::empty(8, 0);
        abi::random_uniform(y.ptr(), 8, a, b, c, d, 0.0, 1.0);
        y.read().to_vec()
    };
    let all = [[0; 4], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]].map(|[a, b, c, d]| draw(a, b, c, d));
    for i in 0..5 {
        for j in 0..i {
            assert!(all[i].iter().zip(&all[j]).all(|(a, b)| a != b), "{i} and {j}");
        }
    }
}

/// Mean of xᵏ
fn moment(x: &[f32], k: i32) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(k)).sum::<f64>() / x.len() as f64
}

const MANY: usize = 200_000;

#[test]
fn moments_of_uniform() {
    let x = uniform(MANY, -1.0, 1.0);
    assert!(x.iter().all(|x| (-1.0..1.0).contains(x)));
    for (k, want) in [(1, 0.0), (2, 1.0 / 3.0), (3, 0.0), (4, 0.2)] {
        assert!((moment(&x, k) - want).abs() < 5e-3, "moment {k} is {}", moment(&x, k));
    }
}

#[test]
fn moments_of_normal() {
    let x = normal(MANY, 0.0, 1.0);
    for (k, want, tolerance) in [(1, 0.0, 0.01), (2, 1.0, 0.01), (3, 0.0, 0.03), (4, 3.0, 0.1)] {
        assert!((moment(&x, k) - want).abs() < tolerance, "moment {k} is {}", moment(&x, k));
    }
    let lag = x.windows(2).map(|x| f64::from(x[0] * x[1])).sum::<f64>() / MANY as f64;
    assert!(lag.abs() < 0.01, "neighbours correlate by {lag}");
}

#[test]
fn dropout_drops_its_rate_and_keeps_the_mean() {
    for rate in [0.1, 0.5, 0.9] {
        let y = dropout(&vec![1.0; MANY], rate);
        let dropped = y.iter().filter(|&&y| y == 0.0).count() as f64 / MANY as f64;
        assert!((dropped - rate).abs() < 4e-3, "{dropped} of rate {rate}");
        assert!((moment(&y, 1) - 1.0).abs() < 0.03);
    }
}

#[test]
fn quantiles() {
    for (p, z) in [
        (0.5, 0.0),
        (0.75, 0.674_489_750_196_081_7),
        (0.9, 1.281_551_565_544_600_4),
        (0.925, 1.439_531_470_938_456),
        (0.975, 1.959_963_984_540_054),
        (0.999, 3.090_232_306_167_813_5),
        (0.025, -1.959_963_984_540_054),
        (1e-10, -6.361_340_902_404_056),
    ] {
        let got = normal_quantile(p);
        assert!((got - z).abs() <= 4e-15 * f64::abs(z).max(1.0), "{p}: {got}, not {z}");
    }
}

#[test]
fn quantiles_undo_the_distribution() {
    let edges = [0.5, 1.5, 1e3, 4_294_967_295.5].map(|word| word / 4_294_967_296.0);
    for p in (1..2000).map(|i| f64::from(i) / 2000.0).chain(edges) {
        let tail = p.min(1.0 - p);
        let back = crate::tools::normal_cdf(-normal_quantile(p).abs());
        assert!((back - tail).abs() <= 1e-12 * tail, "{p}: {back:e}");
        assert_eq!(normal_quantile(p).is_sign_negative() && p != 0.5, p < 0.5, "{p}");
    }
}

/// The words come in the same order at every address.
#[test]
fn a_prefix_is_a_prefix() {
    let all = normal(257, 0.0, 1.0);
    for n in lengths() {
        assert_same(&normal(n, 0.0, 1.0), &all[..n], "normal");
    }
    let x = numbers(257, 1);
    let mut y = Room::empty(257, 0);
    abi::dropout(ptr(&x), y.ptr(), 257, SEED.0, SEED.1, SEED.2, SEED.3, 0, 0, 0.4);
    assert_same(y.read(), &dropout(&x, 0.4), "dropout in place and apart");
}

/// Number i of 53 bits of a draw, by the contract.
fn fraction(i: usize) -> f64 {
    let words = philox([i as u32 / 2, SEED.3, SEED.2, 0], [SEED.0, SEED.1]);
    let [high, low] = [0, 1].map(|j| words[2 * (i % 2) + j]);
    (f64::from(high >> 5) * 2f64.powi(26) + f64::from(low >> 6)) / 2f64.powi(53)
}

#[test]
fn permutations_change_places_as_the_contract_says() {
    for n in lengths().chain([1000]) {
        let mut order: Vec<i32> = (0..n as i32).collect();
        for i in (1..n).rev() {
            order.swap(i, (fraction(i) * (i + 1) as f64).floor() as usize);
        }
        let mut got = vec![-1i32; n];
        abi::permutation(got.as_mut_ptr() as usize, n, SEED.0, SEED.1, SEED.2, SEED.3);
        assert_eq!(got, order, "{n}");
    }
}

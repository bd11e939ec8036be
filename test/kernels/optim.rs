//! Optimizer rules: pairs of vectors, single vectors and tail must give the bits of the rule on scalars, one by one.
//!
//! The exports of crate/optim are for JS and private here, so its files are compiled once more, with an `export_update!`
//! that makes a test of each export.

use crate::tools::{assert_same, lengths, numbers};
use gradus::optim::{sweep, Pieces, Rule, Shared, Slot, LONG, PIECE, PLAIN, SHARED_HYPER};
use std::array::from_fn;
use std::cell::Cell;

macro_rules! rules {
    ($($name:ident $path:literal;)*) => {
        $(#[path = $path]
        mod $name;)*

        #[test]
        fn every_file_is_here() {
            let here = concat!($(stringify!($name), ".rs ",)* "mod.rs");
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crate/optim");
            for file in std::fs::read_dir(folder).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                assert!(here.split(' ').any(|known| known == name), "{name} is not in test/kernels/optim.rs");
            }
        }
    };
}

rules! {
    adabelief "../../crate/optim/adabelief.rs";
    adadelta "../../crate/optim/adadelta.rs";
    adagrad "../../crate/optim/adagrad.rs";
    adam "../../crate/optim/adam.rs";
    adamax "../../crate/optim/adamax.rs";
    adan "../../crate/optim/adan.rs";
    ademamix "../../crate/optim/ademamix.rs";
    adopt "../../crate/optim/adopt.rs";
    asgd "../../crate/optim/asgd.rs";
    lamb "../../crate/optim/lamb.rs";
    lion "../../crate/optim/lion.rs";
    momentum "../../crate/optim/momentum.rs";
    nadam "../../crate/optim/nadam.rs";
    prodigy "../../crate/optim/prodigy.rs";
    radam "../../crate/optim/radam.rs";
    rmsprop "../../crate/optim/rmsprop.rs";
    rprop "../../crate/optim/rprop.rs";
    schedule_free "../../crate/optim/schedule_free.rs";
    sgd "../../crate/optim/sgd.rs";
    sign "../../crate/optim/sign.rs";
    yogi "../../crate/optim/yogi.rs";
}

fn decays(slot: Slot) -> bool {
    !matches!(slot, Slot::Lasting | Slot::Given)
}

/// Parameters and state, as the rule alone leaves them: what the driver should do, one number at a time.
fn one_by_one<R: Rule<S>, const S: usize>(
    rule: &R,
    [scale, coupled, decoupled]: [f32; SHARED_HYPER],
    p: &mut [f32],
    g: &[f32],
    s: &mut [Vec<f32>; S],
) {
    let is_plain = !R::LIGHT && scale == 1.0 && coupled == 0.0;
    for i in 0..p.len() {
        let g = if is_plain { g[i] } else { scale * g[i] + coupled * p[i] };
        let (next, state) = rule.update(p[i] - decoupled * p[i], g, from_fn(|j| s[j][i]));
        if R::MOVES {
            p[i] = next;
        }
        for (j, x) in state.into_iter().enumerate() {
            if matches!(R::SLOT[j], Slot::Given) {
                assert_eq!(x.to_bits(), s[j][i].to_bits(), "a slot that is given changed");
            }
            // denormal means are dropped, NaN is not
            s[j][i] = if decays(R::SLOT[j]) && x.abs() < f32::MIN_POSITIVE { 0.0 } else { x };
        }
    }
}

/// Gradients with zeros, denormal results and, if wanted, NaN and infinity.
fn gradients(n: usize, seed: u32, bad: bool) -> Vec<f32> {
    let mut g = numbers(n, seed);
    for (i, g) in g.iter_mut().enumerate() {
        match i % 11 {
            3 => *g = 0.0,
            5 => *g *= 1e-30,
            7 if bad => *g = if i % 2 == 0 { f32::NAN } else { f32::INFINITY },
            _ => {}
        }
    }
    g
}

/// Three steps over n elements.
fn cells(x: &mut [f32]) -> &[Cell<f32>] {
    Cell::from_mut(x).as_slice_of_cells()
}

/// The update as crate/abi.rs runs it.
fn run<'a, R: Rule<S>, const S: usize>(
    rule: &R,
    shared: [f32; SHARED_HYPER],
    p: &'a [Cell<f32>],
    g: &[Cell<f32>],
    s: [&'a [Cell<f32>]; S],
) {
    let h = Shared::from(&shared[..]);
    if R::LIGHT || h.is_plain() {
        return sweep(rule, h, p, g, s);
    }
    let rest = Shared::from(&[PLAIN[0], PLAIN[1], shared[2]][..]);
    let pieces = Pieces::new(h);
    for start in (0..p.len()).step_by(PIECE) {
        let count = pieces.next(p, g, start);
        let at = |x: &'a [Cell<f32>]| &x[start..start + count];
        sweep(rule, rest, at(p), &pieces.gradients[..count], s.map(at));
    }
}

fn steps<R, const S: usize, const H: usize>(n: usize, shared: [f32; SHARED_HYPER], bad: bool)
where
    R: Rule<S> + for<'a> From<&'a [f32]>,
{
    // state ≥ 0, so that roots exist; some starts at 0 and some below every normal number
    let slot = |j: usize| -> Vec<f32> {
        let x = numbers(n, 20 + j as u32);
        let kind = |(i, x): (usize, &f32)| [x.abs(), x.abs(), 0.0, 1e-39][i % 4];
        x.iter().enumerate().map(kind).collect()
    };
    let mut want_s: [Vec<f32>; S] = from_fn(slot);
    let mut got_s = want_s.clone();
    let mut want_p = numbers(n, 1);
    let mut got_p = want_p.clone();
    for step in 0..3 {
        let h: Vec<f32> = numbers(H, 40 + step).iter().map(|h| 0.05 + 0.4 * (h + 1.0)).collect();
        let (rule, g) = (R::from(&h), gradients(n, 50 + step, bad));
        run(&rule, shared, cells(&mut got_p), cells(&mut g.clone()), got_s.each_mut().map(|s| cells(s)));
        one_by_one(&rule, shared, &mut want_p, &g, &mut want_s);
        let what = format!("{n} elements, step {step}");
        assert_same(&got_p, &want_p, &what);
        for (j, (got, want)) in got_s.iter().zip(&want_s).enumerate() {
            assert_same(got, want, &what);
            assert!(!decays(R::SLOT[j]) || got.iter().all(|x| !x.is_subnormal()), "{what}: denormal state");
        }
    }
    let (first_p, first_s): (_, [Vec<f32>; S]) = (numbers(n, 1), from_fn(slot));
    let moved = |i: &usize| {
        let slots = (0..S).any(|j| got_s[j][*i] != first_s[j][*i]);
        slots || got_p[*i].is_finite() && got_p[*i] != first_p[*i]
    };
    let count = (0..n).filter(moved).count();
    assert!(count >= n / 3, "only {count} of {n} parameters or their state moved");
}

fn check<R, const S: usize, const H: usize>()
where
    R: Rule<S> + for<'a> From<&'a [f32]>,
{
    for n in lengths().chain(13..=24).chain([239, 240, 241, 487]) {
        steps::<R, S, H>(n, [1.0, 0.0, 0.0], false);
        steps::<R, S, H>(n, [0.5, 0.01, 0.001], false);
        steps::<R, S, H>(n, [1.0, 0.0, 0.1], true);
    }
    // more than the driver works on at once
    steps::<R, S, H>(LONG + 1003, [0.5, 0.01, 0.001], false);
    steps::<R, S, H>(LONG + 1003, [1.0, 0.0, 0.001], false);
}

// last, so that the files find it by path, as in crate/optim/mod.rs
macro_rules! export_update {
    ($name:ident, $rule:ident, $slots:literal, $hyper:literal) => {
        #[allow(non_snake_case)] // the name that JS looks for
        #[test]
        fn $name() {
            super::check::<$rule, $slots, $hyper>();
        }
    };
}
use export_update;

//! Optimizer rules: pairs of vectors, single vectors and tail must give the bits of the rule on scalars, one by one.
//!
//! The exports of crate/optim/rules are for JS and private to the crate. So its rules are compiled here once more, with an `export_update!` that
//! makes a test of each export: a new rule is tested without a line in this file. It is also compared with its formula (test/crate/formulas.rs), and
//! the names of its numbers are written to ts/optim/base/numbers.ts.

use crate::formulas;
use crate::tools::{assert_same, lengths, numbers};
use gradus::fleet::{Net8, NETS};
use gradus::lane::F32x8;
use gradus::optim::{
    eight_nets, sums, sweep, Numbers, Rule, ScaledGradients, Shared, SlotKind, Sums, CHUNK, LONG_ARRAY, PLAIN,
    SHARED_HYPER,
};
use std::array::from_fn;
use std::cell::Cell;
use std::sync::Mutex;

#[path = "../../crate/optim/rules/mod.rs"]
mod rules;

#[test]
fn every_file_is_a_rule_of_the_list() {
    let list = include_str!("../../crate/optim/rules/mod.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crate/optim/rules");
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let is_listed = module == "mod" || list.contains(&format!("mod {module};"));
        assert!(is_listed, "add `pub mod {module};` to crate/optim/rules/mod.rs");
    }
}

fn decays(slot: SlotKind) -> bool {
    !matches!(slot, SlotKind::NonDecaying | SlotKind::ReadOnly)
}

/// Parameters and state after applying the rule alone to one number at a time: the expected result of the driver.
fn one_by_one<R: Rule<S>, const S: usize>(
    rule: &R,
    [scale, coupled, decoupled]: [f32; SHARED_HYPER],
    p: &mut [f32],
    g: &[f32],
    s: &mut [Vec<f32>; S],
) {
    let is_plain = !R::FUSES_GRADIENT_SCALING && scale == 1.0 && coupled == 0.0;
    for i in 0..p.len() {
        let g = if is_plain { g[i] } else { scale * g[i] + coupled * p[i] };
        let (next, state) = rule.update(p[i] - decoupled * p[i], g, from_fn(|j| s[j][i]));
        p[i] = next;
        for (j, x) in state.into_iter().enumerate() {
            if matches!(R::SLOT_KINDS[j], SlotKind::ReadOnly) {
                assert_eq!(x.to_bits(), s[j][i].to_bits(), "a slot that is given changed");
            }
            // denormal means are dropped, NaN is not
            s[j][i] = if decays(R::SLOT_KINDS[j]) && x.abs() < f32::MIN_POSITIVE { 0.0 } else { x };
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

/// The update as crate/abi runs it.
fn run<'a, R: Rule<S>, const S: usize>(
    rule: &R,
    shared: [f32; SHARED_HYPER],
    p: &'a [Cell<f32>],
    g: &[Cell<f32>],
    s: [&'a [Cell<f32>]; S],
) {
    let h = Shared::from(&shared[..]);
    if R::FUSES_GRADIENT_SCALING || h.is_plain() {
        return sweep(rule, h, p, g, s);
    }
    let rest = Shared::from(&[PLAIN[0], PLAIN[1], shared[2]][..]);
    let scaled = ScaledGradients::new(h);
    for start in (0..p.len()).step_by(CHUNK) {
        let count = scaled.prepare(p, g, start);
        let at = |x: &'a [Cell<f32>]| &x[start..start + count];
        sweep(rule, rest, at(p), &scaled.gradients[..count], s.map(at));
    }
}

fn steps<R, const S: usize>(n: usize, shared: [f32; SHARED_HYPER], bad: bool)
where
    R: Rule<S> + Numbers,
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
        let h: Vec<f32> =
            numbers(SHARED_HYPER + R::NAMES.len(), 40 + step).iter().map(|h| 0.05 + 0.4 * (h + 1.0)).collect();
        let (rule, g) = (R::from(&h), gradients(n, 50 + step, bad));
        run(&rule, shared, cells(&mut got_p), cells(&mut g.clone()), got_s.each_mut().map(|s| cells(s)));
        one_by_one(&rule, shared, &mut want_p, &g, &mut want_s);
        let what = format!("{n} elements, step {step}");
        assert_same(&got_p, &want_p, &what);
        for (j, (got, want)) in got_s.iter().zip(&want_s).enumerate() {
            assert_same(got, want, &what);
            assert!(!decays(R::SLOT_KINDS[j]) || got.iter().all(|x| !x.is_subnormal()), "{what}: denormal state");
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

fn check<R, const S: usize>()
where
    R: Rule<S> + Numbers,
{
    for n in lengths().chain(13..=24).chain([239, 240, 241, 487]) {
        steps::<R, S>(n, [1.0, 0.0, 0.0], false);
        steps::<R, S>(n, [0.5, 0.01, 0.001], false);
        steps::<R, S>(n, [1.0, 0.0, 0.1], true);
    }
    // more than the driver works on at once
    steps::<R, S>(LONG_ARRAY + 1003, [0.5, 0.01, 0.001], false);
    steps::<R, S>(LONG_ARRAY + 1003, [1.0, 0.0, 0.001], false);
}

/// Eight nets side by side, each with numbers of its own, end with the bits that each of them has alone.
fn check_fleet<R, F, const S: usize>()
where
    R: Rule<S> + Numbers,
    F: Rule<S, F32x8> + Numbers<F32x8>,
{
    for n in [1, 7, 33] {
        // some nets scale gradients or have coupled decay, others do not
        for kinds in [[1.0, 0.0, 0.0], [0.5, 0.01, 0.001]] {
            let shared: [[f32; SHARED_HYPER]; NETS] = from_fn(|net| match net % 3 {
                0 => [1.0, 0.0, 0.0],
                1 => kinds,
                _ => [1.0, kinds[1], kinds[2]],
            });
            let own: [Vec<f32>; NETS] = from_fn(|net| {
                numbers(SHARED_HYPER + R::NAMES.len(), 40 + net as u32).iter().map(|h| 0.05 + 0.4 * (h + 1.0)).collect()
            });
            let start: [Vec<f32>; NETS] = from_fn(|net| numbers(n, 1 + net as u32));
            let slope: [Vec<f32>; NETS] = from_fn(|net| gradients(n, 60 + net as u32, true));
            let state: [[Vec<f32>; S]; NETS] =
                from_fn(|net| from_fn(|j| numbers(n, (net * 5 + j) as u32 + 20).iter().map(|x| x.abs()).collect()));
            let all = |of: &dyn Fn(usize, usize) -> f32| -> Vec<Net8> {
                (0..n).map(|i| from_fn(|net| Cell::new(of(net, i)))).collect()
            };
            let (p, g) = (all(&|net, i| start[net][i]), all(&|net, i| slope[net][i]));
            let s: [Vec<Net8>; S] = from_fn(|j| all(&|net, i| state[net][j][i]));
            let numbers8 = |of: &dyn Fn(usize) -> f32| F32x8::from_array(from_fn(of));
            let h: Vec<F32x8> = (0..SHARED_HYPER + R::NAMES.len()).map(|i| numbers8(&|net| own[net][i])).collect();
            let h_shared = [0, 1, 2].map(|i| numbers8(&|net| shared[net][i]));
            eight_nets(&F::from(&h), Shared::from(&h_shared[..]), &p, &g, s.each_ref().map(|s| &s[..]));
            for net in 0..NETS {
                let (mut want_p, mut want_s) = (start[net].clone(), state[net].clone());
                let slots = want_s.each_mut().map(|s| cells(s));
                run(&R::from(&own[net]), shared[net], cells(&mut want_p), cells(&mut slope[net].clone()), slots);
                let of = |x: &[Net8]| -> Vec<f32> { x.iter().map(|x| x[net].get()).collect() };
                let what = format!("net {net} of {n} elements");
                assert_same(&of(&p), &want_p, &what);
                for (got, want) in s.iter().zip(&want_s) {
                    assert_same(&of(got), want, &what);
                }
            }
        }
    }
}

/// Checks that the new state equals the rule's, number by number and to the bit, and the sums those in doubles.
fn check_sums<R, const S: usize>()
where
    R: Numbers + Sums<S, 2>,
{
    for n in lengths().chain(13..=24).chain([1023, 1024, 1025, 3001]) {
        let h: Vec<f32> = numbers(SHARED_HYPER + R::NAMES.len(), 40).iter().map(|h| 0.05 + 0.4 * (h + 1.0)).collect();
        let (rule, mut p, mut g) = (R::from(&h[..]), numbers(n, 1), gradients(n, 50, false));
        let mut got: [Vec<f32>; S] = from_fn(|j| numbers(n, 20 + j as u32).iter().map(|x| x.abs()).collect());
        let mut want = got.clone();
        let (mut expected, mut size) = ([0.0; 2], [0.0; 2]);
        for i in 0..n {
            let state = rule.state(p[i], g[i], from_fn(|j| want[j][i]));
            for (j, x) in state.into_iter().enumerate() {
                want[j][i] = if decays(R::SLOT_KINDS[j]) && x.abs() < f32::MIN_POSITIVE { 0.0 } else { x };
            }
            let terms = rule.terms(p[i], g[i], from_fn(|j| want[j][i])).map(f64::from);
            expected = from_fn(|t| expected[t] + terms[t]);
            size = from_fn(|t| size[t] + terms[t].abs());
        }
        let found = sums(&rule, cells(&mut p), cells(&mut g), got.each_mut().map(|s| cells(s)));
        for (got, want) in got.iter().zip(&want) {
            assert_same(got, want, &format!("state of {n} elements"));
        }
        for t in 0..2 {
            let error = (found[t] - expected[t]).abs();
            assert!(error <= 1e-6 * size[t], "sum {t} of {n} elements: {} for {}", found[t], expected[t]);
        }
    }
}

/// Numbers that may overlap other arguments, as in the crate.
type Cells<'a> = &'a [Cell<f32>];

/// The numbers of a step: the shared ones, and then a rule's own. No two are near each other.
fn spread(own: &[&'static str]) -> formulas::Numbers {
    let names: Vec<_> = ["scale", "coupled", "decoupled"].into_iter().chain(own.iter().copied()).collect();
    let values = (1..=names.len()).map(|i| f64::from(0.1 + 0.7 * (0.618_034 * i as f32).fract())).collect();
    formulas::Numbers { names, values }
}

/// True if all numbers agree, except for rounding to floats.
fn agree(got: &[f64], want: &[f64]) -> bool {
    got.iter().zip(want).all(|(got, want)| (got - want).abs() <= 2e-5 * want.abs().max(1.0))
}

/// Checks that a kernel agrees with its formula, and no longer does so if any two of its numbers are swapped. Both functions return everything that
/// changes in a step.
fn follows(
    kernel: &str,
    own: &[&'static str],
    step: impl Fn(&[f32]) -> Vec<f32>,
    formula: impl Fn(&formulas::Numbers) -> Vec<f64>,
) {
    let step = |h: &formulas::Numbers| -> Vec<f64> {
        let floats: Vec<f32> = h.values.iter().map(|x| *x as f32).collect();
        step(&floats).into_iter().map(f64::from).collect()
    };
    let h = spread(own);
    let want = formula(&h);
    let got = step(&h);
    assert_eq!(got.len(), want.len(), "{kernel}");
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!(agree(&[*got], &[*want]), "{kernel}: element {i} is {got}, its formula says {want}");
    }
    let changed = |change: &dyn Fn(&mut Vec<f64>)| {
        let mut values = h.values.clone();
        change(&mut values);
        formulas::Numbers { names: h.names.clone(), values }
    };
    let is_used: Vec<bool> = (0..h.values.len()).map(|i| !agree(&formula(&changed(&|h| h[i] *= 1.5)), &want)).collect();
    for (i, j) in (0..h.values.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
        let is_told = !agree(&step(&changed(&|h| h.swap(i, j))), &want);
        assert!(is_told || !is_used[i] && !is_used[j], "{kernel}: {} and {} may be swapped", h.names[i], h.names[j]);
    }
}

/// Parameters, gradients, and state that is never negative.
fn drawn<const S: usize>(n: usize, seed: u32) -> (Vec<f32>, Vec<f32>, [Vec<f32>; S]) {
    let slot = |j: usize| numbers(n, seed + 20 + j as u32).iter().map(|x| x.abs()).collect();
    (numbers(n, seed), numbers(n, seed + 50), from_fn(slot))
}

fn doubles(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| (*x).into()).collect()
}

/// Lengths of vectors and tails.
const FORMULA_LENGTHS: [usize; 3] = [100, 241, 1027];

fn check_formula<R: Rule<S> + Numbers, const S: usize>(kernel: &str) {
    let formula = formulas::rule(kernel);
    for (seed, n) in FORMULA_LENGTHS.into_iter().enumerate() {
        let (p, g, s) = drawn::<S>(n, 100 * seed as u32);
        let step = |h: &[f32]| {
            let (mut p, mut s) = (p.clone(), s.clone());
            let shared = [h[0], h[1], h[2]];
            let slots = s.each_mut().map(|s| cells(s));
            run(&R::from(h), shared, cells(&mut p), cells(&mut g.clone()), slots);
            (0..n).flat_map(|i| [p[i]].into_iter().chain(s.each_ref().map(|s| s[i]))).collect()
        };
        follows(kernel, R::NAMES, step, |h| {
            let element = |i: usize| {
                let (p, g) = (f64::from(p[i]), f64::from(g[i]));
                let state = s.each_ref().map(|s| f64::from(s[i]));
                formula(h, p - h["decoupled"] * p, h["scale"] * g + h["coupled"] * p, &state)
            };
            (0..n).flat_map(element).collect()
        });
    }
    write_numbers(kernel, R::NAMES);
}

fn check_formula_of_sums<R: Numbers + Sums<S, 2>, const S: usize>(kernel: &str) {
    let formula = formulas::sums(kernel);
    for (seed, n) in FORMULA_LENGTHS.into_iter().enumerate() {
        let (p, g, s) = drawn::<S>(n, 100 * seed as u32);
        let step = |h: &[f32]| {
            let (mut p, mut g, mut s) = (p.clone(), g.clone(), s.clone());
            let found = sums(&R::from(h), cells(&mut p), cells(&mut g), s.each_mut().map(|s| cells(s)));
            s.concat().into_iter().chain(found.map(|sum| sum as f32)).collect()
        };
        follows(kernel, R::NAMES, step, |h| {
            let element = |i: usize| formula(h, p[i].into(), g[i].into(), &s.each_ref().map(|s| f64::from(s[i])));
            let (state, terms): (Vec<_>, Vec<_>) = (0..n).map(element).unzip();
            let slots = (0..S).flat_map(|j| state.iter().map(move |s| s[j]));
            slots.chain((0..2).map(|t| terms.iter().map(|terms| terms[t]).sum())).collect()
        });
    }
    write_numbers(kernel, R::NAMES);
}

/// A step of a whole tensor.
type Whole<R, const S: usize> = fn(&R, Cells, Cells, [Cells; S]);

fn check_formula_of_whole<R: Numbers, const S: usize>(kernel: &str, whole: Whole<R, S>) {
    let formula = formulas::whole(kernel);
    for (seed, n) in lengths().filter(|n| *n > 4).chain(FORMULA_LENGTHS).enumerate() {
        let (p, g, s) = drawn::<S>(n, 100 * seed as u32);
        // parameters of zeros have no norm
        let starts = [p, vec![0.0; n]];
        let step = |h: &[f32]| {
            let from = |start: &Vec<f32>| {
                let (mut p, mut g, mut s) = (start.clone(), g.clone(), s.clone());
                whole(&R::from(h), cells(&mut p), cells(&mut g), s.each_mut().map(|s| cells(s)));
                p
            };
            starts.iter().flat_map(from).collect()
        };
        let (slope, state) = (doubles(&g), s.each_ref().map(|s| doubles(s)));
        follows(kernel, R::NAMES, step, |h| {
            starts.iter().flat_map(|p| formula(h, &doubles(p), &slope, &state)).collect()
        });
    }
    write_numbers(kernel, R::NAMES);
}

const NUMBERS_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ts/optim/base/numbers.ts");
/// Tests run side by side.
static WRITING: Mutex<()> = Mutex::new(());

/// Writes the line of a kernel in ts/optim/base/numbers.ts. In CI, fails if it differs from the rule in Rust.
fn write_numbers(kernel: &str, names: &[&str]) {
    let camel = |name: &&str| {
        let mut words = name.split('_');
        let first = words.next().unwrap_or_default().to_string();
        words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
    };
    let names: Vec<String> = names.iter().map(camel).collect();
    let types: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let reads: Vec<String> = names.iter().map(|name| format!("n.{name}")).collect();
    let start = format!("export const {kernel} = ");
    let line = format!("{start}(n: Numbers<{}>): number[] => [{}]", types.join(" | "), reads.join(", "));
    let _guard = WRITING.lock();
    let text = std::fs::read_to_string(NUMBERS_FILE).unwrap();
    let (mut lines, head): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("export const "));
    if names.is_empty() || lines.contains(&line.as_str()) {
        return;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "ts/optim/base/numbers.ts has other numbers of {kernel}; run cargo test, and commit it"
    );
    lines.retain(|line| !line.starts_with(&start));
    lines.push(&line);
    lines.sort_unstable();
    std::fs::write(NUMBERS_FILE, head.into_iter().chain(lines).collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

#[test]
fn directions_and_parameters_of_zeros_have_no_ratio() {
    let h: [f32; 11] = [1.0, 0.0, 0.0, 0.1, 0.9, 0.1, 1.0, 1e-3, 0.0, 0.5, 0.0];
    let (mut p, mut g) = (vec![0.0; 11], vec![1.0; 11]);
    let mut s = [vec![0.0; 11], vec![0.0; 11], vec![0.0; 11]];
    rules::lamb::whole_lamb(&(&h[..]).into(), cells(&mut p), cells(&mut g), s.each_mut().map(|s| cells(s)));
    assert!(p.iter().all(|p| (p + 0.5 * s[2][0]).abs() < 1e-7), "a step of the learning rate");
}

// The rules import these from `crate::optim`, where the crate has its own macros.
macro_rules! export_update {
    ($name:ident, $fleet:ident, $rule:ident, $slots:literal) => {
        crate::optim::export_update!($name, $rule, $slots);

        #[allow(non_snake_case)]
        #[test]
        fn $fleet() {
            crate::optim::check_fleet::<$rule<f32>, $rule<gradus::lane::F32x8>, $slots>();
        }
    };
    ($name:ident, $rule:ident, $slots:literal) => {
        #[allow(non_snake_case)] // the name that JS looks for
        #[test]
        fn $name() {
            crate::optim::check_formula::<$rule, $slots>(stringify!($name));
            crate::optim::check::<$rule, $slots>();
        }
    };
}
use export_update;

macro_rules! export_sums {
    ($name:ident, $rule:ident, $slots:literal) => {
        #[allow(non_snake_case)]
        #[test]
        fn $name() {
            crate::optim::check_formula_of_sums::<$rule, $slots>(stringify!($name));
            crate::optim::check_sums::<$rule, $slots>();
        }
    };
}
use export_sums;

macro_rules! export_whole {
    ($name:ident, $function:ident, $numbers:ident, $slots:literal) => {
        #[test]
        fn $name() {
            crate::optim::check_formula_of_whole::<$numbers, $slots>(stringify!($name), $function);
        }
    };
}
use export_whole;
use gradus::numbers;

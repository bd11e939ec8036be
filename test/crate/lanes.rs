//! Operations of crate/lane: the vector does what the scalar does, and the scalar does what its line says.

use crate::tools::{assert_same, same, SPECIAL};
use gradus::lane::{F32x4, F64x2, Lane};
use std::cell::Cell;
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

/// Asserts that a formula of a and b gives the same result in each lane as for a scalar, for all pairs of special numbers.
macro_rules! agree {
    ($($name:literal |$a:ident, $b:ident| $body:expr;)*) => {
        $({
            fn formula<L: Lane>($a: L, $b: L) -> L {
                $body
            }
            for (i, x) in SPECIAL.into_iter().enumerate() {
                for y in SPECIAL {
                    let z = SPECIAL[(i + 1) % SPECIAL.len()];
                    let (a, b) = ([x, y, z, x], [y, x, x, z]);
                    let want: [f32; 4] = std::array::from_fn(|i| formula(a[i], b[i]));
                    let got = formula(F32x4::load(&a), F32x4::load(&b)).to_array();
                    assert_same(&got, &want, &format!("{} of {a:?}, {b:?}", $name));
                }
            }
        })*
    };
}

fn mask<L: Lane>(mask: L::Mask) -> L {
    L::select(mask, L::splat(1.0), L::splat(-0.0))
}

#[test]
fn vector_and_scalar_agree() {
    agree! {
        "add" |a, b| a + b;
        "sub" |a, b| a - b;
        "mul" |a, b| a * b;
        "div" |a, b| a / b;
        "neg" |a, _b| -a;
        "mul_add" |a, b| a.mul_add(b, a - b);
        "abs" |a, _b| a.abs();
        "sqrt" |a, _b| a.sqrt();
        "nearest" |a, _b| a.nearest();
        "min" |a, b| a.min(b);
        "max" |a, b| a.max(b);
        "lt" |a, b| mask::<L>(a.lt(b));
        "le" |a, b| mask::<L>(a.le(b));
        "same" |a, b| mask::<L>(a.eq(b));
        "gt" |a, b| mask::<L>(a.gt(b));
        "ge" |a, b| mask::<L>(a.ge(b));
        "select" |a, b| L::select(a.lt(b), a, b);
        "sign" |a, _b| a.sign();
        "exponent" |a, _b| a.exponent();
        "mantissa" |a, _b| a.mantissa();
        "power_of_two" |a, _b| a.max(L::splat(-126.0)).min(L::splat(127.0)).nearest().power_of_two();
        "scale2" |a, b| a.scale2(b.max(L::splat(-252.0)).min(L::splat(254.0)).nearest());
        "split2" |a, _b| a.split2().0 * L::splat(8.0) + a.split2().1;
    }
}

#[test]
fn scalar_does_what_ieee_says() {
    for a in SPECIAL {
        if a.abs() <= 4_194_304.0 {
            assert!(Lane::nearest(a) == a.round_ties_even(), "nearest {a}");
        }
        assert!(same(Lane::sqrt(a), f64::from(a).sqrt() as f32), "sqrt {a}");
        assert!(Lane::abs(a).to_bits() == a.to_bits() & 0x7fff_ffff, "abs {a}");
        for b in SPECIAL {
            let what = format!("{a:e}, {b:e}");
            assert_eq!(a.lt(b), a < b, "{what}");
            assert_eq!(a.le(b), a <= b, "{what}");
            assert_eq!(Lane::gt(a, b), a > b, "{what}");
            assert_eq!(Lane::ge(a, b), a >= b, "{what}");
            assert_eq!(a.eq(b), a == b, "{what}");
            assert!(same(Lane::mul_add(a, b, 0.5), a * b + 0.5), "{what}");
        }
    }
}

#[test]
fn extremes_propagate_nan_and_order_zeros() {
    for a in SPECIAL {
        for b in SPECIAL {
            let (low, high) = (Lane::min(a, b), Lane::max(a, b));
            if a.is_nan() || b.is_nan() {
                assert!(low.is_nan() && high.is_nan(), "{a:e}, {b:e}");
                continue;
            }
            // total_cmp puts −0 before +0
            let sorted = if a.total_cmp(&b).is_le() { (a, b) } else { (b, a) };
            assert!(same(low, sorted.0) && same(high, sorted.1), "{a:e}, {b:e}");
        }
    }
}

#[test]
fn nearest_is_that_of_the_instruction() {
    for quarter in -1_000_000..=1_000_000 {
        let x = quarter as f32 * 0.25;
        assert!(Lane::nearest(x) == x.round_ties_even(), "nearest {x}");
    }
    for x in [4_194_303.5, 4_194_304.0f32, 0.499_999_97, f32::MIN_POSITIVE] {
        assert!(Lane::nearest(x) == x.round_ties_even() && Lane::nearest(-x) == (-x).round_ties_even(), "nearest {x}");
    }
    assert!(Lane::nearest(f32::NAN).is_nan());
}

#[test]
fn signs() {
    for (x, want) in [
        (0.0, 0.0),
        (-0.0, 0.0),
        (1e-45, 1.0),
        (-1e-45, -1.0),
        (f32::INFINITY, 1.0),
        (f32::NEG_INFINITY, -1.0),
        (f32::NAN, f32::NAN),
        (-f32::NAN, f32::NAN),
        (3.5, 1.0),
        (f32::MIN, -1.0),
    ] {
        assert!(same(x.sign(), want), "sign {x:e} = {:e}", x.sign());
    }
}

#[test]
fn powers_of_two_and_their_parts() {
    for e in -126..=127 {
        let (n, power) = (e as f32, 2f32.powi(e));
        assert!(same(n.power_of_two(), power), "2^{e}");
        for m in [1.0, 1.0 + f32::EPSILON, 1.5, 2.0 - f32::EPSILON] {
            assert!(same((m * power).exponent(), n), "exponent of {m}·2^{e}");
            assert!(same((m * power).mantissa(), m), "mantissa of {m}·2^{e}");
        }
    }
}

#[test]
fn scale2_rounds_once() {
    for n in -252..=254 {
        for m in [1.0f32, FRAC_1_SQRT_2, SQRT_2, 1.234_567_8, 0.987_654_3, -1.1] {
            let want = (f64::from(m) * 2f64.powi(n)) as f32;
            let got = m.scale2(n as f32);
            assert!(same(got, want), "{m}·2^{n} = {got:e}, not {want:e}");
        }
    }
}

#[test]
fn split2_is_exact() {
    let all = (1..f32::INFINITY.to_bits()).step_by(9973);
    let edges = [1, 2, 3, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff];
    let roots = [SQRT_2.to_bits() - 1, SQRT_2.to_bits(), SQRT_2.to_bits() + 1];
    for x in all.chain(edges).chain(roots).map(f32::from_bits) {
        let (m, e) = x.split2();
        assert!((FRAC_1_SQRT_2..=SQRT_2).contains(&m), "{x:e}: m = {m}");
        let back = f64::from(m) * 2f64.powi(e as i32);
        assert_eq!(back, f64::from(x), "{m}·2^{e}");
    }
}

#[test]
fn memory_holds_what_was_stored() {
    let x = [1.0, -0.0, f32::INFINITY, 1e-45, 7.0];
    let mut y = [9.0; 6];
    F32x4::load(&x[1..]).store(&mut y[1..]);
    assert_same(&y, &[9.0, -0.0, f32::INFINITY, 1e-45, 7.0, 9.0], "store");
    let cells = x.map(Cell::new);
    F32x4::get(&cells[..4]).set(&cells[1..]);
    let moved = cells.map(|c| c.get());
    assert_same(&moved, &[1.0, 1.0, -0.0, f32::INFINITY, 1e-45], "set");
    assert_same(&F32x4::splat(2.5).to_array(), &[2.5; 4], "splat");
    assert_eq!((f32::WIDTH, F32x4::WIDTH), (1, 4));
}

#[test]
#[should_panic = "from.len() >= 4"]
fn a_short_slice_is_refused() {
    F32x4::load(&[1.0; 3]);
}

#[test]
fn bits_of_doubles() {
    let two = |a: f64, b: f64| F64x2::load(&[a, b]);
    let both = |x: F64x2| [x.first(), x.second()];
    for n in 0..8u64 {
        let bits = F64x2::load(&[n, n + 1].map(|n| f64::from_bits(1023 << 52 | n)));
        let odd = |n: u64, x: f64, y: f64| if n & 1 == 1 { y } else { x };
        let sign = |n: u64| if n & 2 == 2 { -1.0 } else { 1.0 };
        assert_eq!(both(bits.choose(two(1.0, 2.0), two(3.0, 4.0))), [odd(n, 1.0, 3.0), odd(n + 1, 2.0, 4.0)]);
        assert_eq!(both(bits.negate_by_second_bit(two(5.0, -6.0))), [5.0 * sign(n), -6.0 * sign(n + 1)]);
    }
    assert_eq!(both(two(-1.5, 2.5).and(F64x2::all_but_sign())), [1.5, 2.5]);
    let floats = [1.5, -2.5, f32::MAX, -0.0];
    assert_same(&F64x2::pair_to_floats(F64x2::pair_of(F32x4::load(&floats))).to_array(), &floats, "there and back");
}

#[test]
fn all_of_four() {
    for bits in 0..16u8 {
        let x: [f32; 4] = std::array::from_fn(|i| f32::from(bits >> i & 1));
        assert_eq!(F32x4::all(F32x4::load(&x).gt(F32x4::splat(0.5))), bits == 15);
    }
}

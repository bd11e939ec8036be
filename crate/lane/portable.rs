//! The arithmetic of four floats off wasm: each operation is the scalar one, four times.
#![allow(unsafe_code)] // of `memory!`

use super::f32x4::{memory, F32x4};
use super::Lane;
use core::array::from_fn;
use core::cell::Cell;
use core::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! unary {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self) -> Self {
            F32x4(self.0.map(Lane::$method))
        })*
    };
}
macro_rules! binary {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self, other: Self) -> Self {
            F32x4(from_fn(|i| Lane::$method(self.0[i], other.0[i])))
        })*
    };
}
macro_rules! compare {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self, other: Self) -> [bool; 4] {
            from_fn(|i| Lane::$method(self.0[i], other.0[i]))
        })*
    };
}

impl Lane for F32x4 {
    type Mask = [bool; 4];
    memory!();
    unary!(abs sqrt power_of_two exponent mantissa);
    binary!(min max pmax pmin with_sign_of or_nan_of);
    compare!(lt le eq);

    #[inline(always)]
    fn splat(x: f32) -> Self {
        F32x4([x; 4])
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn without(a: [bool; 4], b: [bool; 4]) -> [bool; 4] {
        core::array::from_fn(|i| a[i] && !b[i])
    }
    #[inline(always)]
    fn select(mask: [bool; 4], yes: Self, no: Self) -> Self {
        F32x4(from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    fn zero_where(self, mask: [bool; 4]) -> Self {
        F32x4(from_fn(|i| self.0[i].zero_where(mask[i])))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl $trait for F32x4 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                F32x4(from_fn(|i| self.0[i].$method(other.0[i])))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl Neg for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        F32x4(self.0.map(|x| -x))
    }
}

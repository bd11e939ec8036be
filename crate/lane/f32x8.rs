//! Eight floats in two registers: one of each of the eight nets that a fleet computes side by side.

use super::{F32x4, Lane};
use core::cell::Cell;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Eight floats. Everything is done to both halves, one right after the other, which lets V8 widen the pair to 256 bits.
#[derive(Clone, Copy)]
pub struct F32x8(pub F32x4, pub F32x4);

impl F32x8 {
    /// The eight floats.
    #[inline(always)]
    pub fn to_array(self) -> [f32; 8] {
        let ([a, b, c, d], [e, f, g, h]) = (self.0.to_array(), self.1.to_array());
        [a, b, c, d, e, f, g, h]
    }

    /// Eight floats as one.
    #[inline(always)]
    pub fn from_array(x: [f32; 8]) -> Self {
        Self::load(&x)
    }
}

macro_rules! unary {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self) -> Self {
            F32x8(self.0.$method(), self.1.$method())
        })*
    };
}
macro_rules! binary {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self, other: Self) -> Self {
            F32x8(self.0.$method(other.0), self.1.$method(other.1))
        })*
    };
}
macro_rules! compare {
    ($($method:ident)*) => {
        $(#[inline(always)]
        fn $method(self, other: Self) -> Self::Mask {
            (self.0.$method(other.0), self.1.$method(other.1))
        })*
    };
}

impl Lane for F32x8 {
    type Mask = (<F32x4 as Lane>::Mask, <F32x4 as Lane>::Mask);
    const WIDTH: usize = 8;

    unary!(abs sqrt power_of_two exponent mantissa);
    binary!(min max pmax pmin with_sign_of or_nan_of);
    compare!(lt le eq);

    #[inline(always)]
    fn splat(x: f32) -> Self {
        F32x8(F32x4::splat(x), F32x4::splat(x))
    }
    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        F32x8(F32x4::load(from), F32x4::load(&from[4..]))
    }
    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        self.0.store(to);
        self.1.store(&mut to[4..]);
    }
    #[inline(always)]
    fn get(from: &[Cell<f32>]) -> Self {
        F32x8(F32x4::get(from), F32x4::get(&from[4..]))
    }
    #[inline(always)]
    fn set(self, to: &[Cell<f32>]) {
        self.0.set(to);
        self.1.set(&to[4..]);
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        F32x8(self.0.mul_add(a.0, b.0), self.1.mul_add(a.1, b.1))
    }
    #[inline(always)]
    fn without(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        (F32x4::without(a.0, b.0), F32x4::without(a.1, b.1))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        F32x8(F32x4::select(mask.0, yes.0, no.0), F32x4::select(mask.1, yes.1, no.1))
    }
    #[inline(always)]
    fn zero_where(self, mask: Self::Mask) -> Self {
        F32x8(self.0.zero_where(mask.0), self.1.zero_where(mask.1))
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident;)*) => {
        $(impl $trait for F32x8 {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                F32x8(self.0.$method(other.0), self.1.$method(other.1))
            }
        })*
    };
}
operator!(Add add; Sub sub; Mul mul; Div div;);

impl Neg for F32x8 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        F32x8(-self.0, -self.1)
    }
}

//! A product of a fleet: its factors and sizes, and vectors of four or eight nets. Both algorithms work on it.
#![allow(unsafe_code)]

use crate::lane::{F32x4, F32x8, Lane};

/// One factor of a product: its first element, and the distances in floats between its rows (or columns) and between two steps of the sum.
#[derive(Clone, Copy)]
pub struct Factor {
    pub at: *const f32,
    pub line: usize,
    pub step: usize,
}

impl Factor {
    /// The factor from line i on.
    #[inline(always)]
    pub fn from(self, i: usize) -> Self {
        Factor { at: self.at.wrapping_add(i * self.line), ..self }
    }
}

/// Arguments that all blocks of a product share.
pub struct Job {
    pub rows: usize,
    pub columns: usize,
    pub steps: usize,
    pub a: Factor,
    pub b: Factor,
    pub start: *const f32,
    pub c: *mut f32,
}

/// A vector with one float of each of four or eight nets.
pub trait Nets: Lane {
    /// The first net of each vector that eight nets need.
    const FIRST: Self::Firsts;
    type Firsts: IntoIterator<Item = usize>;
    /// The floats at an address, one of each net.
    ///
    /// # Safety
    /// There are as many floats at p as the vector has nets.
    unsafe fn load_nets(p: *const f32) -> Self;
    /// The float at an address for all nets.
    ///
    /// # Safety
    /// A float is there.
    unsafe fn load_shared(p: *const f32) -> Self;
    /// # Safety
    /// There is room at p for as many floats as the vector has nets.
    unsafe fn store_nets(self, p: *mut f32);
}

impl Nets for F32x4 {
    type Firsts = [usize; 2];
    const FIRST: [usize; 2] = [0, 4];
    #[inline(always)]
    unsafe fn load_nets(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { F32x4::load_ptr(p) }
    }
    #[inline(always)]
    unsafe fn load_shared(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { F32x4::load_splat(p) }
    }
    #[inline(always)]
    unsafe fn store_nets(self, p: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { self.store_ptr(p) }
    }
}

impl Nets for F32x8 {
    type Firsts = [usize; 1];
    const FIRST: [usize; 1] = [0];
    #[inline(always)]
    unsafe fn load_nets(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { F32x8(F32x4::load_ptr(p), F32x4::load_ptr(p.add(4))) }
    }
    #[inline(always)]
    unsafe fn load_shared(p: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { F32x8(F32x4::load_splat(p), F32x4::load_splat(p)) }
    }
    #[inline(always)]
    unsafe fn store_nets(self, p: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            self.0.store_ptr(p);
            self.1.store_ptr(p.add(4));
        }
    }
}

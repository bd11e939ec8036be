//! Images and signals that are larger by a whole factor along one axis: x\[outer, length, inner\] becomes y\[outer, length · factor, inner\].

use super::depthwise::{get, set};
use crate::lane::{F32x4, F32x8, Lane};
use crate::sweep::Cells;

/// The sizes of an enlargement.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// Arrays.
    pub outer: usize,
    /// Places along the axis.
    pub length: usize,
    /// Floats of a place.
    pub inner: usize,
    /// Places of the result for each of them.
    pub factor: usize,
    /// Places between two are their weighted mean; otherwise each is repeated.
    pub is_smooth: bool,
}

impl Sizes {
    /// Two neighboring places of x, and the weight of the second one, for place j of y. The weight is 0 if the first one counts alone.
    #[inline(always)]
    fn between(&self, j: usize) -> (usize, f32) {
        let factor = self.factor.max(1);
        if !self.is_smooth {
            return (j / factor, 0.0);
        }
        // (j + 1/2) / factor - 1/2 in units of 1 / (2 factor)
        let at = (2 * j + 1).saturating_sub(factor);
        let (place, rest) = (at / (2 * factor), at % (2 * factor));
        (place, if place + 1 < self.length { rest as f32 / (2 * factor) as f32 } else { 0.0 })
    }

    /// Calls f with each array and place of y.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize, usize, f32)) {
        for i in 0..self.outer {
            for j in 0..self.length * self.factor {
                let (place, weight) = self.between(j);
                f(
                    (i * self.length + place) * self.inner,
                    (i * self.length * self.factor + j) * self.inner,
                    self.inner,
                    weight,
                );
            }
        }
    }
}

/// Calls f with the places of lanes that cover `count` floats.
macro_rules! lanes {
    ($count:expr, $f:ident ( $($argument:expr),* )) => {{
        let mut at = 0;
        while at + 8 <= $count { $f::<F32x8>(at, $($argument),*); at += 8 }
        if at + 4 <= $count { $f::<F32x4>(at, $($argument),*); at += 4 }
        while at < $count { $f::<f32>(at, $($argument),*); at += 1 }
    }};
}

#[inline(always)]
unsafe fn copy<L: Lane>(at: usize, x: *const f32, y: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { set::<L>(get(x.add(at)), y.add(at)) }
}

#[inline(always)]
unsafe fn mix<L: Lane>(at: usize, x: *const f32, next: *const f32, weight: f32, y: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        let first = get::<L>(x.add(at)) * L::splat(1.0 - weight);
        set(get::<L>(next.add(at)).mul_add(L::splat(weight), first), y.add(at));
    }
}

#[inline(always)]
unsafe fn add<L: Lane>(at: usize, dy: *const f32, weight: f32, dx: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { set(get::<L>(dy.add(at)).mul_add(L::splat(weight), get(dx.add(at))), dx.add(at)) }
}

/// y from x.
pub fn forward(sizes: &Sizes, x: Cells, y: Cells) {
    let (from, to) = (super::read(x), super::write(y));
    debug_assert!(x.len() * sizes.factor == y.len() && x.len() == sizes.outer * sizes.length * sizes.inner);
    // SAFETY: places lie in arrays of these sizes.
    sizes.each(|place, at, inner, weight| unsafe {
        let (x, y) = (from.add(place), to.add(at));
        if weight == 0.0 {
            lanes!(inner, copy(x, y));
        } else {
            lanes!(inner, mix(x, x.add(inner), weight, y));
        }
    });
}

/// dx from dy.
pub fn backward(sizes: &Sizes, dy: Cells, dx: Cells) {
    let (from, to) = (super::read(dy), super::write(dx));
    debug_assert!(dx.len() * sizes.factor == dy.len() && dx.len() == sizes.outer * sizes.length * sizes.inner);
    dx.iter().for_each(|d| d.set(0.0));
    // SAFETY: as in `forward`.
    sizes.each(|place, at, inner, weight| unsafe {
        let (dy, dx) = (from.add(at), to.add(place));
        lanes!(inner, add(dy, 1.0 - weight, dx));
        if weight > 0.0 {
            lanes!(inner, add(dy, weight, dx.add(inner)));
        }
    });
}

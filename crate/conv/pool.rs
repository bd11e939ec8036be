//! Pooling: the largest value, or the mean, of each window and channel. Taps outside of the image do not count.

use super::{Geometry, Side};
use crate::lane::{F32x8, Lane};
use crate::sweep::Cells;
use core::ops::Range;

impl Side {
    /// The taps of a window that lie in the image.
    fn inside(&self, position: usize) -> Range<usize> {
        let at = position * self.stride;
        let first = self.before.saturating_sub(at).div_ceil(self.dilation);
        let end = (self.input + self.before).saturating_sub(at).div_ceil(self.dilation).min(self.taps);
        first..end.max(first)
    }

    /// The place of a tap in the image.
    fn place(&self, position: usize, tap: usize) -> usize {
        position * self.stride + tap * self.dilation - self.before
    }
}

/// Calls f with the number of each position, from 0, and its coordinates: image, y, x.
#[inline(always)]
fn positions(g: &Geometry, rows: usize, mut f: impl FnMut(usize, usize, usize, usize)) {
    let mut position = 0;
    for image in 0..rows {
        for y in 0..g.y.output {
            for x in 0..g.x.output {
                f(position, image, y, x);
                position += 1;
            }
        }
    }
}

/// The place of tap (ty, tx) of a window, in floats.
#[inline(always)]
fn place(g: &Geometry, image: usize, (y, ty): (usize, usize), (x, tx): (usize, usize)) -> usize {
    ((image * g.y.input + g.y.place(y, ty)) * g.x.input + g.x.place(x, tx)) * g.channels
}

/// y = the largest of each window, NaN if any is; taps = the number of its tap, as a float: the first of several.
pub fn max(g: &Geometry, rows: usize, x: Cells, y: Cells, taps: Cells) {
    let c = g.channels;
    positions(g, rows, |p, image, py, px| {
        let (ys, xs) = (g.y.inside(py), g.x.inside(px));
        let window = |channel: usize, is_wide: bool| {
            if is_wide {
                largest::<F32x8>(g, x, &y[p * c..], &taps[p * c..], image, (py, ys.clone()), (px, xs.clone()), channel);
            } else {
                largest::<f32>(g, x, &y[p * c..], &taps[p * c..], image, (py, ys.clone()), (px, xs.clone()), channel);
            }
        };
        let wide = c / 8 * 8;
        (0..wide).step_by(8).for_each(|channel| window(channel, true));
        (wide..c).for_each(|channel| window(channel, false));
    });
}

#[inline(always)]
#[rustfmt::skip]
fn largest<L: Lane>(
    g: &Geometry, from: Cells, y: Cells, taps: Cells,
    image: usize, (py, ys): (usize, Range<usize>), (px, xs): (usize, Range<usize>), channel: usize,
) {
    let mut best = L::splat(f32::NEG_INFINITY);
    let mut at = L::splat((ys.start * g.x.taps + xs.start) as f32);
    for ty in ys {
        for tx in xs.clone() {
            let value = L::get(&from[place(g, image, (py, ty), (px, tx)) + channel..]);
            let tap = L::splat((ty * g.x.taps + tx) as f32);
            let (keeps, is_number) = (value.le(best), best.eq(best));
            at = L::select(is_number, L::select(keeps, at, tap), at);
            best = L::select(is_number, L::select(keeps, best, value), best);
        }
    }
    best.set(&y[channel..]);
    at.set(&taps[channel..]);
}

/// Calls f with each result, and the place of its tap in the image.
#[inline(always)]
fn chosen(g: &Geometry, rows: usize, taps: Cells, mut f: impl FnMut(usize, usize)) {
    let c = g.channels;
    positions(g, rows, |p, image, y, x| {
        for channel in 0..c {
            let tap = taps[p * c + channel].get() as usize;
            let (ty, tx) = (tap / g.x.taps, tap % g.x.taps);
            f(p * c + channel, place(g, image, (y, ty), (x, tx)) + channel);
        }
    });
}

/// dx = dy at the chosen taps, added up, and 0 elsewhere.
pub fn max_backward(g: &Geometry, rows: usize, taps: Cells, dy: Cells, dx: Cells) {
    dx.iter().for_each(|d| d.set(0.0));
    chosen(g, rows, taps, |from, to| dx[to].set(dx[to].get() + dy[from].get()));
}

/// y = x at the chosen taps.
pub fn pick(g: &Geometry, rows: usize, x: Cells, taps: Cells, y: Cells) {
    chosen(g, rows, taps, |to, from| y[to].set(x[from].get()));
}

/// y = the mean of each window.
pub fn average(g: &Geometry, rows: usize, x: Cells, y: Cells) {
    let c = g.channels;
    positions(g, rows, |p, image, py, px| {
        let (ys, xs) = (g.y.inside(py), g.x.inside(px));
        let share = 1.0 / (ys.len() * xs.len()) as f32;
        let y = &y[p * c..(p + 1) * c];
        y.iter().for_each(|y| y.set(0.0));
        for ty in ys {
            for tx in xs.clone() {
                let x = &x[place(g, image, (py, ty), (px, tx))..][..c];
                y.iter().zip(x).for_each(|(y, x)| y.set(y.get() + x.get()));
            }
        }
        y.iter().for_each(|y| y.set(y.get() * share));
    });
}

/// dx = the sum over windows of dy divided by the number of taps.
pub fn average_backward(g: &Geometry, rows: usize, dy: Cells, dx: Cells) {
    let c = g.channels;
    dx.iter().for_each(|d| d.set(0.0));
    positions(g, rows, |p, image, py, px| {
        let (ys, xs) = (g.y.inside(py), g.x.inside(px));
        let share = 1.0 / (ys.len() * xs.len()) as f32;
        let dy = &dy[p * c..(p + 1) * c];
        for ty in ys {
            for tx in xs.clone() {
                let dx = &dx[place(g, image, (py, ty), (px, tx))..][..c];
                dx.iter().zip(dy).for_each(|(dx, dy)| dx.set(dx.get() + dy.get() * share));
            }
        }
    });
}

//! Pooling: the largest value, or the mean, of each window and channel. Taps outside of the image do not count.

use super::{Geometry, Side};
use crate::lane::{F32x4, F32x8, Lane};
use crate::sweep::Cells;
use core::ops::Range;

impl Side {
    /// The taps of a window that lie in the image.
    #[inline(always)]
    fn inside(&self, position: usize) -> Range<usize> {
        let at = position * self.stride;
        if at >= self.before && at + (self.taps - 1) * self.dilation < self.input + self.before {
            return 0..self.taps;
        }
        let first = self.before.saturating_sub(at).div_ceil(self.dilation);
        let end = (self.input + self.before).saturating_sub(at).div_ceil(self.dilation).min(self.taps);
        first..end.max(first)
    }

    /// The place of a tap in the image.
    #[inline(always)]
    fn place(&self, position: usize, tap: usize) -> usize {
        position * self.stride + tap * self.dilation - self.before
    }
}

/// A window in one image: the place of its results, of its first tap inside the image, and its taps there. All places are in floats.
struct Window {
    result: usize,
    first: usize,
    y: Range<usize>,
    x: Range<usize>,
}

/// Something that is computed for each window, for some channels at a time.
trait Pooling {
    /// The channels from `channel` on, as many as the lane has floats.
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize);
}

/// Calls f for each window, and all channels.
#[inline(always)]
fn windows(g: &Geometry, rows: usize, f: &impl Pooling) {
    let mut result = 0;
    for image in 0..rows {
        for i in 0..g.y.output {
            let y = g.y.inside(i);
            for j in 0..g.x.output {
                let x = g.x.inside(j);
                let line = image * g.y.input + g.y.place(i, y.start);
                let first = (line * g.x.input + g.x.place(j, x.start)) * g.channels;
                let window = Window { result, first, y: y.clone(), x };
                let mut channel = 0;
                while channel + 8 <= g.channels {
                    f.channels::<F32x8>(g, &window, channel);
                    channel += 8;
                }
                if channel + 4 <= g.channels {
                    f.channels::<F32x4>(g, &window, channel);
                    channel += 4;
                }
                while channel < g.channels {
                    f.channels::<f32>(g, &window, channel);
                    channel += 1;
                }
                result += g.channels;
            }
        }
    }
}

impl Window {
    /// Calls f with the place of each tap in the image, and its number.
    #[inline(always)]
    fn taps(&self, g: &Geometry, channel: usize, mut f: impl FnMut(usize, usize)) {
        let (right, down) = (g.x.dilation * g.channels, g.y.dilation * g.x.input * g.channels);
        let mut line = self.first + channel;
        for y in self.y.clone() {
            let mut at = line;
            for x in self.x.clone() {
                f(at, y * g.x.taps + x);
                at += right;
            }
            line += down;
        }
    }
}

/// y = the largest of each window, NaN if any is; taps = the number of its tap, as a float: the first of several.
struct Largest<'a> {
    x: Cells<'a>,
    y: Cells<'a>,
    taps: Cells<'a>,
}

impl Pooling for Largest<'_> {
    #[inline(always)]
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        let mut best = L::splat(f32::NEG_INFINITY);
        let mut chosen = L::splat((window.y.start * g.x.taps + window.x.start) as f32);
        window.taps(g, channel, |at, tap| {
            let value = L::get(&self.x[at..]);
            let (keeps, is_number) = (value.le(best), best.eq(best));
            chosen = L::select(is_number, L::select(keeps, chosen, L::splat(tap as f32)), chosen);
            best = L::select(is_number, L::select(keeps, best, value), best);
        });
        best.set(&self.y[window.result + channel..]);
        chosen.set(&self.taps[window.result + channel..]);
    }
}

/// dx += dy at the chosen taps.
struct Spread<'a> {
    taps: Cells<'a>,
    dy: Cells<'a>,
    dx: Cells<'a>,
}

impl Pooling for Spread<'_> {
    #[inline(always)]
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        let chosen = L::get(&self.taps[window.result + channel..]);
        let dy = L::get(&self.dy[window.result + channel..]);
        window.taps(g, channel, |at, tap| {
            let to = &self.dx[at..];
            let share = L::select(chosen.eq(L::splat(tap as f32)), dy, L::splat(0.0));
            (L::get(to) + share).set(to);
        });
    }
}

/// y = x at the chosen taps.
struct Pick<'a> {
    taps: Cells<'a>,
    x: Cells<'a>,
    y: Cells<'a>,
}

impl Pooling for Pick<'_> {
    #[inline(always)]
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        let chosen = L::get(&self.taps[window.result + channel..]);
        let mut y = L::splat(0.0);
        window.taps(g, channel, |at, tap| y = L::select(chosen.eq(L::splat(tap as f32)), L::get(&self.x[at..]), y));
        y.set(&self.y[window.result + channel..]);
    }
}

/// y = the mean of each window.
struct Mean<'a> {
    x: Cells<'a>,
    y: Cells<'a>,
}

impl Pooling for Mean<'_> {
    #[inline(always)]
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        let mut sum = L::splat(0.0);
        window.taps(g, channel, |at, _| sum = sum + L::get(&self.x[at..]));
        let share = 1.0 / (window.y.len() * window.x.len()) as f32;
        (sum * L::splat(share)).set(&self.y[window.result + channel..]);
    }
}

/// dx += dy divided by the number of taps.
struct SpreadMean<'a> {
    dy: Cells<'a>,
    dx: Cells<'a>,
}

impl Pooling for SpreadMean<'_> {
    #[inline(always)]
    fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        let share = 1.0 / (window.y.len() * window.x.len()) as f32;
        let dy = L::get(&self.dy[window.result + channel..]) * L::splat(share);
        window.taps(g, channel, |at, _| {
            let to = &self.dx[at..];
            (L::get(to) + dy).set(to);
        });
    }
}

/// y = the largest of each window; taps = the number of its tap.
pub fn max(g: &Geometry, rows: usize, x: Cells, y: Cells, taps: Cells) {
    windows(g, rows, &Largest { x, y, taps });
}

/// dx = dy at the chosen taps, added up, and 0 elsewhere.
pub fn max_backward(g: &Geometry, rows: usize, taps: Cells, dy: Cells, dx: Cells) {
    dx.iter().for_each(|d| d.set(0.0));
    windows(g, rows, &Spread { taps, dy, dx });
}

/// y = x at the chosen taps.
pub fn pick(g: &Geometry, rows: usize, x: Cells, taps: Cells, y: Cells) {
    windows(g, rows, &Pick { taps, x, y });
}

/// y = the mean of each window.
pub fn average(g: &Geometry, rows: usize, x: Cells, y: Cells) {
    windows(g, rows, &Mean { x, y });
}

/// dx = the sum over windows of dy divided by the number of taps.
pub fn average_backward(g: &Geometry, rows: usize, dy: Cells, dx: Cells) {
    dx.iter().for_each(|d| d.set(0.0));
    windows(g, rows, &SpreadMean { dy, dx });
}

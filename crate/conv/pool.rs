//! Pooling: the largest value, or the mean, of each window and channel. Taps outside of the image do not count.

use super::depthwise::{get, set};
use super::{read, write, Geometry, Side};
use crate::lane::{F32x4, F32x8, Lane};
use crate::sweep::Cells;
use core::ops::Range;

impl Side {
    /// The taps of a window that lie in the image.
    #[inline(always)]
    fn inside(&self, position: usize) -> Range<usize> {
        if self.adapts {
            let end = ((position + 1) as u64 * self.input as u64).div_ceil(self.output as u64) as usize;
            return 0..end - self.place(position, 0);
        }
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
        if self.adapts {
            return (position as u64 * self.input as u64 / self.output as u64) as usize + tap;
        }
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
    /// True if windows of 2 × 2 have code without loops.
    const IS_UNROLLED: bool = false;
    /// True if the first tap is known already.
    const KNOWS_FIRST: bool = false;
    /// The channels from `channel` on, as many as the lane has floats.
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize);
}

/// Calls f for each window of images, and all channels.
#[inline(always)]
fn windows(g: &Geometry, rows: usize, images: Cells, results: Cells, f: &impl Pooling) {
    debug_assert!(images.len() >= rows * g.image() && results.len() >= rows * g.result());
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
                    // SAFETY: taps lie in the images, and the arrays have their sizes.
                    unsafe { f.channels::<F32x8>(g, &window, channel) }
                    channel += 8;
                }
                if channel + 4 <= g.channels {
                    // SAFETY: taps lie in the images, and the arrays have their sizes.
                    unsafe { f.channels::<F32x4>(g, &window, channel) }
                    channel += 4;
                }
                while channel < g.channels {
                    // SAFETY: taps lie in the images, and the arrays have their sizes.
                    unsafe { f.channels::<f32>(g, &window, channel) }
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
    fn taps<P: Pooling>(&self, g: &Geometry, channel: usize, mut f: impl FnMut(usize, usize)) {
        let (right, down) = (g.x.dilation * g.channels, g.y.dilation * g.x.input * g.channels);
        let mut line = self.first + channel;
        if P::IS_UNROLLED && self.y.len() == 2 && self.x.len() == 2 {
            // the usual size, without loops
            let tap = self.y.start * g.x.taps + self.x.start;
            if !P::KNOWS_FIRST {
                f(line, tap);
            }
            f(line + right, tap + 1);
            f(line + down, tap + g.x.taps);
            f(line + down + right, tap + g.x.taps + 1);
            return;
        }
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
struct Largest {
    x: *const f32,
    y: *mut f32,
    taps: *mut f32,
}

impl Pooling for Largest {
    const IS_UNROLLED: bool = true;
    const KNOWS_FIRST: bool = true;
    #[inline(always)]
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut best: L = get(self.x.add(window.first + channel));
            let mut chosen = L::splat((window.y.start * g.x.taps + window.x.start) as f32);
            window.taps::<Self>(g, channel, |at, tap| {
                let value: L = get(self.x.add(at));
                // not larger, or smaller than or equal to: NaN is chosen, and stays
                let changes = L::without(best.eq(best), value.le(best));
                chosen = L::select(changes, L::splat(tap as f32), chosen);
                best = L::select(changes, value, best);
            });
            set(best, self.y.add(window.result + channel));
            set(chosen, self.taps.add(window.result + channel));
        }
    }
}

/// dx = dy at the chosen taps, or dx += dy at them and nothing elsewhere.
struct Spread<const ADDS: bool> {
    taps: *const f32,
    dy: *const f32,
    dx: *mut f32,
}

impl<const ADDS: bool> Pooling for Spread<ADDS> {
    const IS_UNROLLED: bool = !ADDS;
    #[inline(always)]
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let chosen: L = get(self.taps.add(window.result + channel));
            let dy: L = get(self.dy.add(window.result + channel));
            window.taps::<Self>(g, channel, |at, tap| {
                let to = self.dx.add(at);
                let share = L::select(chosen.eq(L::splat(tap as f32)), dy, L::splat(0.0));
                set(if ADDS { get::<L>(to) + share } else { share }, to);
            });
        }
    }
}

/// y = x at the chosen taps.
struct Pick {
    taps: *const f32,
    x: *const f32,
    y: *mut f32,
}

impl Pooling for Pick {
    #[inline(always)]
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let chosen: L = get(self.taps.add(window.result + channel));
            let mut y = L::splat(0.0);
            window.taps::<Self>(g, channel, |at, tap| {
                y = L::select(chosen.eq(L::splat(tap as f32)), get(self.x.add(at)), y);
            });
            set(y, self.y.add(window.result + channel));
        }
    }
}

/// Terms of a sum that are added one after the other: the rounding error grows with their number. A larger window is a sum of such sums, and of sums of them.
const RUN: usize = 256;

/// y = the mean of each window.
struct Mean {
    x: *const f32,
    y: *mut f32,
}

impl Pooling for Mean {
    #[inline(always)]
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let count = window.y.len() * window.x.len();
            let mut sum = L::splat(0.0);
            if count <= RUN {
                window.taps::<Self>(g, channel, |at, _| sum = sum + get(self.x.add(at)));
            } else {
                let (mut runs, mut total, mut added) = (sum, sum, 0);
                window.taps::<Self>(g, channel, |at, _| {
                    sum = sum + get(self.x.add(at));
                    added += 1;
                    if added % RUN == 0 {
                        (runs, sum) = (runs + sum, L::splat(0.0));
                    }
                    if added % (RUN * RUN) == 0 {
                        (total, runs) = (total + runs, L::splat(0.0));
                    }
                });
                sum = total + (runs + sum);
            }
            set(sum * L::splat(1.0 / count as f32), self.y.add(window.result + channel));
        }
    }
}

/// dx += dy divided by the number of taps.
struct SpreadMean {
    dy: *const f32,
    dx: *mut f32,
}

impl Pooling for SpreadMean {
    #[inline(always)]
    unsafe fn channels<L: Lane>(&self, g: &Geometry, window: &Window, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let share = 1.0 / (window.y.len() * window.x.len()) as f32;
            let dy = get::<L>(self.dy.add(window.result + channel)) * L::splat(share);
            window.taps::<Self>(g, channel, |at, _| {
                let to = self.dx.add(at);
                set(get::<L>(to) + dy, to);
            });
        }
    }
}

/// True if each pixel is in exactly one window.
fn is_cut_up(g: &Geometry) -> bool {
    [g.y, g.x].iter().all(|s| s.stride == s.taps && s.dilation == 1 && s.before == 0 && s.input == s.taps * s.output)
}

/// y = the largest of each window; taps = the number of its tap.
pub fn max(g: &Geometry, rows: usize, x: Cells, y: Cells, taps: Cells) {
    windows(g, rows, x, y, &Largest { x: read(x), y: write(y), taps: write(&taps[..rows * g.result()]) });
}

/// dx = dy at the chosen taps, added up, and 0 elsewhere.
pub fn max_backward(g: &Geometry, rows: usize, taps: Cells, dy: Cells, dx: Cells) {
    let (taps, from, to) = (read(&taps[..rows * g.result()]), read(dy), write(dx));
    if is_cut_up(g) {
        windows(g, rows, dx, dy, &Spread::<false> { taps, dy: from, dx: to });
    } else {
        dx.iter().for_each(|d| d.set(0.0));
        windows(g, rows, dx, dy, &Spread::<true> { taps, dy: from, dx: to });
    }
}

/// y = x at the chosen taps.
pub fn pick(g: &Geometry, rows: usize, x: Cells, taps: Cells, y: Cells) {
    windows(g, rows, x, y, &Pick { taps: read(&taps[..rows * g.result()]), x: read(x), y: write(y) });
}

/// y = the mean of each window.
pub fn average(g: &Geometry, rows: usize, x: Cells, y: Cells) {
    windows(g, rows, x, y, &Mean { x: read(x), y: write(y) });
}

/// dx = the sum over windows of dy divided by the number of taps.
pub fn average_backward(g: &Geometry, rows: usize, dy: Cells, dx: Cells) {
    dx.iter().for_each(|d| d.set(0.0));
    windows(g, rows, dx, dy, &SpreadMean { dy: read(dy), dx: write(dx) });
}

//! Filters of one channel each: a multiply-add for each channel and tap, with channels as lanes.

use super::product::{Block, Product, Source};
use super::{part, write, Geometry, Share, BAND, PANEL_ROOM, STEPS_ROOM};
use crate::lane::{F32x4, F32x8, Lane};
use crate::sweep::Cells;
use core::array::from_fn;
use core::cell::Cell;
use core::ops::Range;
use core::slice::from_raw_parts;

/// Floats of the image in a block of positions.
const BLOCK: usize = 1 << 13;
/// Positions that share a load of the weights.
const TOGETHER: usize = 4;

/// The lane of floats at an address.
#[inline(always)]
pub unsafe fn get<L: Lane>(at: *const f32) -> L {
    // SAFETY: the caller's promise: a lane of floats is there.
    L::get(unsafe { from_raw_parts(at.cast::<Cell<f32>>(), L::WIDTH) })
}

/// Writes a lane of floats.
#[inline(always)]
pub unsafe fn set<L: Lane>(x: L, at: *mut f32) {
    // SAFETY: as in `get`.
    x.set(unsafe { from_raw_parts(at.cast::<Cell<f32>>(), L::WIDTH) })
}

/// A tap: its place in the image and in the weights, in bytes.
#[derive(Clone, Copy)]
struct Tap {
    image: u32,
    weight: i32,
}

/// Taps that a line of positions takes at a time: their table has [`STEPS_ROOM`] numbers.
const MOST_TAPS: usize = STEPS_ROOM / 2;

/// [`Product::run`] where each group has one channel and one filter.
#[inline(never)]
pub unsafe fn run(product: &Product, lines: Range<usize>, finish: impl Fn(Range<usize>)) {
    let &Product { source, to, groups, scratch, weights, bias, .. } = product;
    let (across, stride) = (source.x.taps, source.x.stride);
    let is_narrow = source.x.dilation == 1 && (across <= 3 && stride == 1 || across == 3 && stride == 2);
    let at = |block: &Block, y: usize, x: usize| Tap {
        image: 4 * (y * source.y.dilation * block.line + x * source.x.dilation * source.channels) as u32,
        weight: 4 * (y as i32 * weights.tap_y as i32 + x as i32 * weights.tap_x as i32),
    };
    // SAFETY: the caller's promise.
    unsafe {
        let table = scratch.add(PANEL_ROOM).cast::<Tap>();
        source.blocks(lines, BLOCK, usize::MAX, scratch.add(BAND), |block| {
            let whole = if is_narrow && block.x.len() >= TOGETHER { groups / 8 * 8 } else { 0 };
            let line = |i: usize| Line {
                taps: &[],
                a: block.at.add((i - block.y.start) * source.y.stride * block.line),
                pixel: source.channels,
                right: stride * source.channels,
                w: weights.ptr,
                bias,
                continues: false,
                c: to.ptr.add(to.at(block.image, i, block.x.start)),
                apart: to.x,
                count: block.x.len(),
            };
            let done = |i: usize| finish(to.at(block.image, i, block.x.start)..to.at(block.image, i, block.x.end));
            if whole > 0 {
                let rows = Rows {
                    count: block.taps.len(),
                    a: block.taps.start * source.y.dilation * block.line,
                    w: block.taps.start as isize * weights.tap_y,
                    down: source.y.dilation * block.line,
                    tap_y: weights.tap_y,
                    tap_x: weights.tap_x,
                };
                for i in block.y.clone() {
                    for channel in (0..whole).step_by(8) {
                        match (across, stride) {
                            (1, _) => line(i).rows::<1, 1>(&rows, channel),
                            (2, _) => line(i).rows::<2, 1>(&rows, channel),
                            (_, 1) => line(i).rows::<3, 1>(&rows, channel),
                            _ => line(i).rows::<3, 2>(&rows, channel),
                        }
                    }
                    if whole == groups {
                        done(i);
                    }
                }
                if whole == groups {
                    return;
                }
            }
            let taps = block.taps.start * across..block.taps.end * across;
            let mut from = taps.start;
            // once at least, since a window without taps has its bias, too
            loop {
                let end = (from + MOST_TAPS).min(taps.end);
                for (i, tap) in (from..end).enumerate() {
                    *table.add(i) = at(block, tap / across, tap % across);
                }
                for i in block.y.clone() {
                    let line =
                        Line { taps: from_raw_parts(table, end - from), continues: from > taps.start, ..line(i) };
                    let mut channel = whole;
                    while channel + 8 <= groups {
                        line.run::<F32x8>(channel);
                        channel += 8;
                    }
                    if channel + 4 <= groups {
                        line.run::<F32x4>(channel);
                        channel += 4;
                    }
                    while channel < groups {
                        line.run::<f32>(channel);
                        channel += 1;
                    }
                    if end == taps.end {
                        done(i);
                    }
                }
                from = end;
                if from == taps.end {
                    break;
                }
            }
        });
    }
}

/// Rows of taps: the places of the first one in the image and in the weights, in floats, and floats to the next row and the next tap.
struct Rows {
    count: usize,
    a: usize,
    w: isize,
    down: usize,
    tap_y: isize,
    tap_x: isize,
}

/// A line of positions.
struct Line<'a> {
    taps: &'a [Tap],
    /// The first window, and floats to the next pixel and the next window.
    a: *const f32,
    pixel: usize,
    right: usize,
    w: *const f32,
    bias: Option<*const f32>,
    /// True if sums go on from the results of other taps.
    continues: bool,
    /// The first result, and floats to the next one.
    c: *mut f32,
    apart: usize,
    count: usize,
}

impl Line<'_> {
    /// Windows of K taps across, side by side, S pixels apart, for eight channels: each pixel is loaded once for all sums of a tile. The last tile
    /// computes some positions again.
    #[inline(never)]
    unsafe fn rows<const K: usize, const S: usize>(&self, rows: &Rows, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let start = self.bias.map_or(F32x8::splat(0.0), |bias| get(bias.add(channel)));
            let mut x = 0;
            while x < self.count {
                x = x.min(self.count - TOGETHER);
                let mut sum = [start; TOGETHER];
                let mut a = self.a.add(rows.a + x * self.right + channel);
                let mut w = self.w.offset(rows.w).add(channel);
                for _ in 0..rows.count {
                    let weights: [F32x8; K] = from_fn(|t| get(w.offset(t as isize * rows.tap_x)));
                    let mut at = a;
                    for j in 0..(TOGETHER - 1) * S + K {
                        let value: F32x8 = get(at);
                        for (t, weight) in weights.into_iter().enumerate() {
                            if j >= t && (j - t) % S == 0 && (j - t) / S < TOGETHER {
                                let sum = &mut sum[(j - t) / S];
                                *sum = value.mul_add(weight, *sum);
                            }
                        }
                        at = at.add(self.pixel);
                    }
                    (a, w) = (a.add(rows.down), w.offset(rows.tap_y));
                }
                let c = self.c.add(x * self.apart + channel);
                for (i, sum) in sum.into_iter().enumerate() {
                    set(sum, c.add(i * self.apart));
                }
                x += TOGETHER;
            }
        }
    }

    #[inline(never)]
    unsafe fn run<L: Lane>(&self, channel: usize) {
        let mut x = 0;
        // SAFETY: the caller's promise.
        unsafe {
            while x + TOGETHER <= self.count {
                self.positions::<L, TOGETHER>(x, channel);
                x += TOGETHER;
            }
            while x < self.count {
                self.positions::<L, 1>(x, channel);
                x += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn positions<L: Lane, const N: usize>(&self, x: usize, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let c = self.c.add(x * self.apart + channel);
            let mut sum: [L; N] = if self.continues {
                from_fn(|i| get(c.add(i * self.apart)))
            } else {
                [self.bias.map_or(L::splat(0.0), |bias| get(bias.add(channel))); N]
            };
            let (a, w) = (self.a.add(x * self.right + channel), self.w.add(channel));
            for tap in self.taps {
                let weight: L = get(w.byte_offset(tap.weight as isize));
                let a = a.byte_add(tap.image as usize);
                sum = from_fn(|i| get::<L>(a.add(i * self.right)).mul_add(weight, sum[i]));
            }
            for (i, sum) in sum.into_iter().enumerate() {
                set(sum, c.add(i * self.apart));
            }
        }
    }
}

/// Taps of a line whose sums are in registers at a time.
const TAPS: usize = 3;

/// dw (+)= Σ over positions of window · dz, for a share of the channels.
#[rustfmt::skip]
#[inline(never)]
pub unsafe fn weights(
    g: &Geometry, source: &Source, rows: usize, dz: *const f32, dw: Cells, adds: bool, scratch: *mut f32, share: Share,
) {
    let units = part(g.channels.div_ceil(8), share.index, share.count);
    let channels = (units.start * 8).min(g.channels)..(units.end * 8).min(g.channels);
    if !adds {
        for tap in 0..g.y.taps * g.x.taps {
            dw[tap * g.channels..][channels.clone()].iter().for_each(|d| d.set(0.0));
        }
    }
    let to = write(dw);
    // SAFETY: the caller's promise.
    unsafe {
        source.blocks(0..rows * g.y.output, BLOCK, usize::MAX, scratch.add(BAND), |block| {
            let dz = dz.add(block.image * g.result() + (block.y.start * g.x.output + block.x.start) * g.channels);
            let (height, width) = (block.y.len(), block.x.len());
            for tap in 0..g.y.taps {
                let a = block.at.add(tap * g.y.dilation * block.line);
                let mut from = 0;
                while from < g.x.taps {
                    let count = TAPS.min(g.x.taps - from);
                    let (a, dw) = (a.add(from * g.x.dilation * g.channels), to.add((tap * g.x.taps + from) * g.channels));
                    let sums = Sums { g, a, dz, dw, line: block.line, height, width, count };
                    let mut channel = channels.start;
                    while channel + 8 <= channels.end { sums.add::<F32x8>(channel); channel += 8 }
                    if channel + 4 <= channels.end { sums.add::<F32x4>(channel); channel += 4 }
                    while channel < channels.end { sums.add::<f32>(channel); channel += 1 }
                    from += count;
                }
            }
        });
    }
}

struct Sums<'a> {
    g: &'a Geometry,
    a: *const f32,
    dz: *const f32,
    dw: *mut f32,
    line: usize,
    height: usize,
    width: usize,
    count: usize,
}

impl Sums<'_> {
    #[inline(always)]
    unsafe fn add<L: Lane>(&self, channel: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.count {
                TAPS => self.taps::<L, TAPS>(channel),
                2 => self.taps::<L, 2>(channel),
                _ => self.taps::<L, 1>(channel),
            }
        }
    }

    #[inline(never)]
    unsafe fn taps<L: Lane, const N: usize>(&self, channel: usize) {
        let g = self.g;
        // SAFETY: the caller's promise.
        unsafe {
            let dw = self.dw.add(channel);
            let mut sum: [L; N] = from_fn(|i| get(dw.add(i * g.channels)));
            for y in 0..self.height {
                let mut a = self.a.add(y * g.y.stride * self.line + channel);
                let mut d = self.dz.add(y * g.x.output * g.channels + channel);
                for _ in 0..self.width {
                    let dz: L = get(d);
                    sum = from_fn(|i| get::<L>(a.add(i * g.x.dilation * g.channels)).mul_add(dz, sum[i]));
                    a = a.add(g.x.stride * g.channels);
                    d = d.add(g.channels);
                }
            }
            for (i, sum) in sum.into_iter().enumerate() {
                set(sum, dw.add(i * g.channels));
            }
        }
    }
}

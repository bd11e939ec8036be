//! Filters of one channel each: a multiply-add for each channel and tap, with channels as lanes.

use super::product::{Product, Source};
use super::{part, write, Geometry, Share, BAND};
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

#[inline(always)]
unsafe fn get<L: Lane>(at: *const f32) -> L {
    // SAFETY: the caller's promise: a lane of floats is there.
    L::get(unsafe { from_raw_parts(at.cast::<Cell<f32>>(), L::WIDTH) })
}

#[inline(always)]
unsafe fn set<L: Lane>(x: L, at: *mut f32) {
    // SAFETY: as in `get`.
    x.set(unsafe { from_raw_parts(at.cast::<Cell<f32>>(), L::WIDTH) })
}

/// [`Product::run`] where each group has one channel and one filter.
#[inline(never)]
pub unsafe fn run(product: &Product, lines: Range<usize>, finish: impl Fn(Range<usize>)) {
    let &Product { source, to, groups, scratch, .. } = product;
    // SAFETY: the caller's promise.
    unsafe {
        source.blocks(lines, BLOCK, usize::MAX, scratch.add(BAND), |block| {
            for i in block.y.clone() {
                let a = block.at.add((i - block.y.start) * source.y.stride * block.line);
                let c = to.ptr.add(to.at(block.image, i, block.x.start));
                let mut channel = 0;
                while channel + 8 <= groups {
                    line::<F32x8>(product, a, block.line, c, block.x.len(), channel);
                    channel += 8;
                }
                if channel + 4 <= groups {
                    line::<F32x4>(product, a, block.line, c, block.x.len(), channel);
                    channel += 4;
                }
                while channel < groups {
                    line::<f32>(product, a, block.line, c, block.x.len(), channel);
                    channel += 1;
                }
                finish(to.at(block.image, i, block.x.start)..to.at(block.image, i, block.x.end));
            }
        });
    }
}

/// One line of positions, for some channels.
#[inline(never)]
unsafe fn line<L: Lane>(p: &Product, a: *const f32, pitch: usize, c: *mut f32, count: usize, channel: usize) {
    let mut x = 0;
    // SAFETY: the caller's promise.
    unsafe {
        while x + TOGETHER <= count {
            positions::<L, TOGETHER>(p, a, pitch, c, x, channel);
            x += TOGETHER;
        }
        while x < count {
            positions::<L, 1>(p, a, pitch, c, x, channel);
            x += 1;
        }
    }
}

#[inline(always)]
unsafe fn positions<L: Lane, const N: usize>(
    p: &Product,
    a: *const f32,
    pitch: usize,
    c: *mut f32,
    x: usize,
    channel: usize,
) {
    let (source, w) = (&p.source, &p.weights);
    let right = source.x.stride * source.channels;
    // SAFETY: the caller's promise.
    unsafe {
        let start: L = p.bias.map_or(L::splat(0.0), |bias| get(bias.add(channel)));
        let mut sum = [start; N];
        let a = a.add(x * right + channel);
        for ty in 0..source.y.taps {
            for tx in 0..source.x.taps {
                let weight: L = get(w.ptr.offset(ty as isize * w.tap_y + tx as isize * w.tap_x).add(channel));
                let a = a.add(ty * source.y.dilation * pitch + tx * source.x.dilation * source.channels);
                sum = from_fn(|i| get::<L>(a.add(i * right)).mul_add(weight, sum[i]));
            }
        }
        for (i, sum) in sum.into_iter().enumerate() {
            set(sum, c.add((x + i) * p.to.x + channel));
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

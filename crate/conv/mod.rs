//! Convolutions over images [rows, height, width, channels], with weights [kernel height, kernel width, channels / groups, filters].
//!
//! A convolution is a product whose left factor, the windows of the image as rows, is never written to memory: a tile of the product reads the windows
//! where they lie in the image ([`tile`]), because windows that belong to one tile have the same shape at different places. Only where windows reach
//! over the edge, a band of the image is copied with its border of zeros. [`product`] runs both directions: forward, and the gradient of the image,
//! which is a convolution of dz with turned weights (for a stride above 1 it is several, one for each remainder of the position). [`weights`] computes
//! the gradient of the weights, with the same tile. Filters of one channel each have loops of their own, with channels as lanes ([`depthwise`]).
//!
//! Every result is one running sum in a fixed order (over the window, or over the positions), so its bits depend neither on tiles nor on threads.
#![allow(unsafe_code)]

mod depthwise;
pub mod pool;
mod product;
mod tile;
pub mod upsample;
mod weights;

use crate::activation;
use crate::gemm::SCRATCH;
use crate::reduce::column_sums;
use crate::sweep::Cells;
use core::cell::Cell;
use core::ops::Range;
use product::{Axis, Product, Source, Target, Weights};
use tile::WIDEST;

/// Whole numbers of a geometry: GEOMETRY in ts/backend/conv-kernels.ts has their order.
pub const NUMBERS: usize = 15;

/// Bits of `accumulate` (ACCUMULATE_ in ts/backend/kernels.ts).
const ACCUMULATE_W: u32 = 1;
const ACCUMULATE_B: u32 = 2;
const LINEAR: u32 = 0;

/// Scratch is divided into room for panels of weights (or of dz), for the places of the steps of a tile, and for a band of the image with its border.
const PANEL_ROOM: usize = BAND - STEPS_ROOM;
const STEPS_ROOM: usize = 1 << 13;
const BAND: usize = SCRATCH / 2;
const BAND_ROOM: usize = SCRATCH - BAND;

/// One of the two directions, height or width.
#[derive(Clone, Copy)]
pub struct Side {
    /// Length of the image.
    pub input: usize,
    /// Positions of the window.
    pub output: usize,
    /// Taps of the window.
    pub taps: usize,
    /// Distance between neighboring positions.
    pub stride: usize,
    /// Zeros before the image.
    pub before: usize,
    /// Distance between neighboring taps.
    pub dilation: usize,
    /// True for windows of a pooling that adapt to the number of positions: a stride of 0 in memory.
    pub adapts: bool,
}

/// The sizes of a convolution or of a pooling.
#[derive(Clone, Copy)]
pub struct Geometry {
    /// Height.
    pub y: Side,
    /// Width.
    pub x: Side,
    /// Channels of the image.
    pub channels: usize,
    /// Channels of the result.
    pub filters: usize,
    /// Groups of channels and filters.
    pub groups: usize,
}

impl Geometry {
    /// From whole numbers in memory.
    pub fn of(numbers: &[Cell<i32>]) -> Self {
        let at = |i: usize| numbers[i].get() as usize;
        let side = |i: usize| Side {
            input: at(i),
            output: at(i + 3),
            taps: at(i + 6).max(1),
            stride: at(i + 8).max(1),
            before: at(i + 10),
            dilation: at(i + 12).max(1),
            adapts: at(i + 8) == 0,
        };
        Geometry { y: side(0), x: side(1), channels: at(2), filters: at(5), groups: at(14).max(1) }
    }

    /// Floats of an image.
    pub fn image(&self) -> usize {
        self.y.input * self.x.input * self.channels
    }

    /// Floats of a result.
    pub fn result(&self) -> usize {
        self.y.output * self.x.output * self.filters
    }

    /// Floats of the weights.
    pub fn weights(&self) -> usize {
        self.y.taps * self.x.taps * (self.channels / self.groups) * self.filters
    }

    /// Floats of panels of the weights, with which dz is multiplied for the gradient of the image.
    fn panels(&self) -> usize {
        self.y.taps * self.x.taps * self.filters * (self.channels / self.groups).next_multiple_of(WIDEST)
    }

    fn is_depthwise(&self) -> bool {
        self.groups == self.channels && self.groups == self.filters && self.groups > 1
    }
}

/// Part `index` of `count` of a range.
fn part(total: usize, index: usize, count: usize) -> Range<usize> {
    total * index / count..total * (index + 1) / count
}

fn read(cells: Cells) -> *const f32 {
    cells.as_ptr().cast()
}

fn write(cells: Cells) -> *mut f32 {
    cells.as_ptr().cast_mut().cast()
}

/// A share of the work, for threads: number `index` of `count`.
#[derive(Clone, Copy)]
pub struct Share {
    /// The number of this share, from 0.
    pub index: usize,
    /// The number of shares.
    pub count: usize,
}

impl Share {
    /// Undivided work.
    pub const WHOLE: Share = Share { index: 0, count: 1 };
}

/// y = f(z), z = b + x ∗ w; z is kept if the activation's derivative needs it.
#[rustfmt::skip]
pub fn forward(
    g: &Geometry, rows: usize, x: Cells, w: Cells, b: Option<Cells>, z: Option<Cells>, y: Cells, kind: u32, scratch: Cells, share: Share,
) {
    debug_assert!(x.len() >= rows * g.image() && w.len() >= g.weights() && y.len() >= rows * g.result() && scratch.len() >= SCRATCH);
    let sums = z.filter(|_| activation::saves_input(kind)).unwrap_or(y);
    let along = |s: Side| Axis { size: s.input, origin: -(s.before as isize), count: s.output, stride: s.stride, taps: s.taps, dilation: s.dilation };
    let (inputs, filters) = (g.channels / g.groups, g.filters / g.groups);
    let product = Product {
        source: Source { ptr: read(x), channels: g.channels, image: g.image(), width: g.x.input, y: along(g.y), x: along(g.x) },
        weights: Weights {
            ptr: read(w),
            tap_y: (g.x.taps * inputs * g.filters) as isize,
            tap_x: (inputs * g.filters) as isize,
            row: g.filters,
            column: 1,
            group: filters,
        },
        to: Target { ptr: write(sums), image: g.result(), y: g.x.output * g.filters, x: g.filters, group: filters },
        groups: g.groups,
        inputs,
        outputs: filters,
        bias: b.map(read),
        scratch: write(scratch),
        is_packed: false,
    };
    let finish = |at: Range<usize>| if kind != LINEAR { activation::forward(kind, &sums[at.clone()], &y[at]) };
    let lines = part(rows * g.y.output, share.index, share.count);
    // SAFETY: the slices were checked, and a geometry describes windows inside the image and its border.
    unsafe { if g.is_depthwise() { depthwise::run(&product, lines, finish) } else { product.run(lines, finish) } }
}

/// Destinations of the gradients, each optional, and the flags of those to add to.
pub struct Gradients<'a> {
    /// Gradient of the weights.
    pub dw: Option<Cells<'a>>,
    /// Gradient of the bias.
    pub db: Option<Cells<'a>>,
    /// Gradient of the image.
    pub dx: Option<Cells<'a>>,
    /// ACCUMULATE_ bits.
    pub accumulate: u32,
}

/// Floats of images whose gradients are computed before those of the next ones, so that a cache keeps their dz.
const IMAGES: usize = 1 << 14;

/// The activation behind a convolution, what its derivative needs, and the gradient of its results.
pub type Activated<'a> = (u32, Cells<'a>, Cells<'a>);

/// dw, db and dx from dz, which is dy ⊙ f′(saved) where an activation is given, computed for some images at a time.
#[rustfmt::skip]
#[inline(never)]
pub fn gradients(
    g: &Geometry, rows: usize, x: Cells, w: Cells, dz: Cells, to: &Gradients, scratch: Cells, share: Share, activated: Option<Activated>,
) {
    debug_assert!(dz.len() >= rows * g.result() && scratch.len() >= SCRATCH);
    // panels of weights are packed once for all images if they fit their room; positions a stride apart have other panels
    let is_packed_once = g.y.stride * g.x.stride == 1 && g.panels() + weights::DZ_ROOM <= PANEL_ROOM;
    let most = if g.is_depthwise() || is_packed_once { IMAGES / g.image().max(1) } else { rows };
    let mut first = 0;
    while first == 0 || first < rows {
        let images = first..(first + most.max(1)).min(rows);
        if let Some((kind, saved, dy)) = activated {
            let at = images.start * g.result()..images.end * g.result();
            activation::backward(kind, &saved[at.clone()], &dy[at.clone()], &dz[at]);
        }
        if let Some(dw) = to.dw {
            debug_assert!(x.len() >= rows * g.image() && dw.len() >= g.weights());
            let adds = first > 0 || to.accumulate & ACCUMULATE_W != 0;
            let along = |s: Side| Axis { size: s.input, origin: -(s.before as isize), count: s.output, stride: s.stride, taps: s.taps, dilation: s.dilation };
            let source = Source { ptr: read(&x[first * g.image()..]), channels: g.channels, image: g.image(), width: g.x.input, y: along(g.y), x: along(g.x) };
            let dz = read(&dz[first * g.result()..]);
            // SAFETY: the slices were checked.
            unsafe {
                if g.is_depthwise() { depthwise::weights(g, &source, images.len(), dz, dw, adds, write(scratch), share) }
                else { weights::run(g, &source, images.len(), dz, dw, adds, write(scratch), share) }
            }
        }
        if let Some(dx) = to.dx {
            debug_assert!(w.len() >= g.weights() && dx.len() >= rows * g.image());
            image_gradient(g, rows, images.clone(), w, dz, dx, scratch, share);
        }
        first = images.end.max(1);
    }
    if let Some(db) = to.db {
        let columns = part(g.filters, share.index, share.count);
        column_sums(&dz[..rows * g.result()], g.filters, columns.clone(), &db[columns], to.accumulate & ACCUMULATE_B != 0);
    }
}

/// The taps that positions of one remainder have in common: positions at + i·stride of the image, whose windows of dz begin at `origin` + i.
struct Phase {
    /// The first position of the image, and their number.
    at: usize,
    count: usize,
    /// The tap that is the first in the turned window, the distance to the next (both in taps of w), and the number of taps.
    tap: usize,
    period: usize,
    taps: usize,
    /// The first window of dz, and the distance of its taps.
    origin: isize,
    dilation: usize,
}

/// Position p of the image gets dz\[o\]·w\[t\] wherever p + before = o·stride + t·dilation. For the positions `at` + i·stride these are the taps with
/// t·dilation ≡ at + before modulo the stride: all taps or every few, `period`, of them.
fn phase(s: Side, at: usize) -> Phase {
    let r = (at + s.before) % s.stride;
    let count = (s.input - at).div_ceil(s.stride);
    let matches = |t: usize| (t * s.dilation) % s.stride == r;
    let first = (0..s.taps.min(s.stride)).find(|&t| matches(t));
    let Some(first) = first else {
        return Phase { at, count, tap: 0, period: 1, taps: 0, origin: 0, dilation: 1 };
    };
    let period = s.stride / greatest_common_divisor(s.stride, s.dilation);
    let taps = (s.taps - first).div_ceil(period);
    let last = first + (taps - 1) * period;
    // (at + before − r) / stride is the o of tap 0 if its dilation were r
    let base = ((at + s.before - r) / s.stride) as isize;
    let origin = base - ((last * s.dilation - r) / s.stride) as isize;
    Phase { at, count, tap: last, period, taps, origin, dilation: period * s.dilation / s.stride }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// dx of some images, for a share of the lines of all.
#[rustfmt::skip]
fn image_gradient(g: &Geometry, rows: usize, images: Range<usize>, w: Cells, dz: Cells, dx: Cells, scratch: Cells, share: Share) {
    let (inputs, filters) = (g.channels / g.groups, g.filters / g.groups);
    let line = g.x.input * g.channels;
    for top in 0..g.y.stride.min(g.y.input) {
        let py = phase(g.y, top);
        let share = part(rows * py.count, share.index, share.count);
        let lines = share.start.max(images.start * py.count)..share.end.min(images.end * py.count);
        for left in 0..g.x.stride.min(g.x.input) {
            let px = phase(g.x, left);
            if lines.is_empty() { continue }
            if px.taps == 0 || py.taps == 0 {
                for i in lines.clone() {
                    let at = i / py.count * g.image() + (py.at + i % py.count * g.y.stride) * line;
                    for j in 0..px.count {
                        let at = at + (px.at + j * g.x.stride) * g.channels;
                        dx[at..at + g.channels].iter().for_each(|d| d.set(0.0));
                    }
                }
                continue;
            }
            let along = |s: Side, p: &Phase| Axis { size: s.output, origin: p.origin, count: p.count, stride: 1, taps: p.taps, dilation: p.dilation };
            let tap = inputs * g.filters;
            let product = Product {
                source: Source { ptr: read(dz), channels: g.filters, image: g.result(), width: g.x.output, y: along(g.y, &py), x: along(g.x, &px) },
                weights: Weights {
                    ptr: read(&w[(py.tap * g.x.taps + px.tap) * tap..]),
                    tap_y: -((py.period * g.x.taps * tap) as isize),
                    tap_x: -((px.period * tap) as isize),
                    row: 1,
                    column: g.filters,
                    group: filters,
                },
                to: Target {
                    ptr: write(&dx[py.at * line + px.at * g.channels..]),
                    image: g.image(),
                    y: g.y.stride * line,
                    x: g.x.stride * g.channels,
                    group: inputs,
                },
                groups: g.groups,
                inputs: filters,
                outputs: inputs,
                bias: None,
                scratch: write(scratch),
                is_packed: lines.start > share.start && g.y.stride * g.x.stride == 1,
            };
            // SAFETY: as in `forward`.
            unsafe { if g.is_depthwise() { depthwise::run(&product, lines.clone(), |_| {}) } else { product.run(lines.clone(), |_| {}) } }
        }
    }
}

/// dz = dy ⊙ f′(saved), then [`gradients`]. dz may be dy, and is unused for linear.
#[rustfmt::skip]
pub fn backward(
    g: &Geometry, rows: usize, x: Cells, w: Cells, saved: Cells, dy: Cells, dz: Cells, kind: u32, to: &Gradients, scratch: Cells,
) {
    let (dz, activated) = if kind == LINEAR { (dy, None) } else { (dz, Some((kind, saved, dy))) };
    gradients(g, rows, x, w, dz, to, scratch, Share::WHOLE, activated);
}

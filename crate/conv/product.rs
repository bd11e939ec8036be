//! The product of windows and weights: blocks of positions, strips of filters, tiles.

use super::tile::{self, Job, Repeat, SHORT, TALLEST, WIDEST};
use super::{BAND, BAND_ROOM, PANEL_ROOM, STEPS_ROOM};
use crate::gemm;
use crate::lane::{F32x4, Lane};
use core::array::from_fn;
use core::ops::Range;

/// Floats of the source in a block of positions: a second-level cache holds them beside the panels.
const BLOCK: usize = 1 << 14;

/// Windows along one direction: window i begins at origin + i·stride, and its taps are `dilation` apart.
#[derive(Clone, Copy)]
pub struct Axis {
    pub size: usize,
    pub origin: isize,
    pub count: usize,
    pub stride: usize,
    pub taps: usize,
    pub dilation: usize,
}

impl Axis {
    /// Places of the source from the first tap of a window to the last tap of the window `count` − 1 further on.
    pub fn reach(&self, count: usize) -> usize {
        (count - 1) * self.stride + (self.taps - 1) * self.dilation + 1
    }

    /// The taps of a window that lie in the source.
    fn taps_inside(&self, window: usize) -> Range<usize> {
        let at = self.origin + (window * self.stride) as isize;
        let before = |place: isize| ((place - at).max(0) as usize).div_ceil(self.dilation).min(self.taps);
        let first = before(0);
        first..before(self.size as isize).max(first)
    }

    fn is_inside(&self) -> bool {
        self.origin >= 0 && self.origin as usize + self.reach(self.count) <= self.size
    }
}

/// The images whose windows are multiplied.
#[derive(Clone, Copy)]
pub struct Source {
    pub ptr: *const f32,
    pub channels: usize,
    /// Floats of an image.
    pub image: usize,
    /// Pixels of a line.
    pub width: usize,
    pub y: Axis,
    pub x: Axis,
}

/// Positions of one image, side by side, whose windows lie in memory with any border they need.
pub struct Block {
    pub image: usize,
    pub y: Range<usize>,
    pub x: Range<usize>,
    /// The lines of the windows that lie in the image, the same for all positions.
    pub taps: Range<usize>,
    /// The first tap of the first window, and floats from line to line.
    pub at: *const f32,
    pub line: usize,
}

impl Source {
    /// Calls f with blocks of positions that cover lines of positions, numbered through all images. A block reads about `floats` of the source, and has
    /// at most `most` positions.
    #[inline(always)]
    pub unsafe fn blocks(
        &self,
        lines: Range<usize>,
        floats: usize,
        most: usize,
        room: *mut f32,
        mut f: impl FnMut(&Block),
    ) {
        let (y, x) = (&self.y, &self.x);
        if y.count == 0 || x.count == 0 {
            return;
        }
        let is_inside = y.is_inside() && x.is_inside();
        let mut columns = x.count.min(most);
        while columns > 1 && y.reach(1).saturating_mul(x.reach(columns)).saturating_mul(self.channels) > BAND_ROOM {
            columns = columns.div_ceil(2);
        }
        let pitch = x.reach(columns) * self.channels;
        let fitting = (floats / pitch.max(1)).saturating_sub(y.reach(1)) / y.stride + 1;
        let rows = fitting.min(most / columns).max(1);
        let mut at = lines.start;
        while at < lines.end {
            let (image, from) = (at / y.count, at % y.count);
            let taps = y.taps_inside(from);
            let most = (from + rows).min(y.count).min(from + lines.end - at);
            let end = (from + 1..most).find(|&i| y.taps_inside(i) != taps).unwrap_or(most);
            for left in (0..x.count).step_by(columns) {
                let right = (left + columns).min(x.count);
                // SAFETY: windows lie in the image or, if they do not, in the border of the copy, which has room.
                unsafe {
                    let (top, start) = (y.origin + (from * y.stride) as isize, x.origin + (left * x.stride) as isize);
                    let whole = self.ptr.add(image * self.image);
                    let (from_where, line) = if is_inside {
                        let line = self.width * self.channels;
                        (whole.add(top as usize * line + start as usize * self.channels), line)
                    } else {
                        let (height, width) = (y.reach(end - from), x.reach(right - left));
                        self.copy(whole, top, start, height, width, room);
                        (room.cast_const(), width * self.channels)
                    };
                    f(&Block { image, y: from..end, x: left..right, taps: taps.clone(), at: from_where, line });
                }
            }
            at += end - from;
        }
    }

    /// Copies a rectangle of an image, with zeros outside of the image.
    #[inline(never)]
    unsafe fn copy(&self, image: *const f32, top: isize, left: isize, height: usize, width: usize, to: *mut f32) {
        let c = self.channels;
        let before = (-left).max(0).min(width as isize) as usize;
        let existing = ((self.width as isize - left).max(0).min(width as isize) as usize).saturating_sub(before);
        for i in 0..height {
            let y = top + i as isize;
            // SAFETY: the line is in the image, and the columns `before..before + existing` of the copy are, too.
            unsafe {
                let to = to.add(i * width * c);
                if y < 0 || y >= self.y.size as isize || existing == 0 {
                    fill(to, width * c);
                    continue;
                }
                fill(to, before * c);
                let from = image.offset((y * self.width as isize + left + before as isize) * c as isize);
                copy(from, to.add(before * c), existing * c);
                fill(to.add((before + existing) * c), (width - before - existing) * c);
            }
        }
    }
}

/// Writes n zeros.
#[inline(always)]
pub unsafe fn fill(to: *mut f32, n: usize) {
    // SAFETY: n floats are there.
    unsafe {
        for i in (0..n / 4 * 4).step_by(4) {
            F32x4::splat(0.0).store_ptr(to.add(i));
        }
        for i in n / 4 * 4..n {
            *to.add(i) = 0.0;
        }
    }
}

/// Copies n floats.
#[inline(always)]
pub unsafe fn copy(from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n floats are at both places.
    unsafe {
        for i in (0..n / 4 * 4).step_by(4) {
            F32x4::load_ptr(from.add(i)).store_ptr(to.add(i));
        }
        for i in n / 4 * 4..n {
            *to.add(i) = *from.add(i);
        }
    }
}

/// Weights by strides, in floats: tap (y, x), channel c and filter j of group g are at y·tap_y + x·tap_x + c·row + j·column + g·group.
#[derive(Clone, Copy)]
pub struct Weights {
    pub ptr: *const f32,
    pub tap_y: isize,
    pub tap_x: isize,
    pub row: usize,
    pub column: usize,
    pub group: usize,
}

/// The places of results: floats from image to image, from position to position in both directions, and from group to group.
#[derive(Clone, Copy)]
pub struct Target {
    pub ptr: *mut f32,
    pub image: usize,
    pub y: usize,
    pub x: usize,
    pub group: usize,
}

impl Target {
    /// The place of position (y, x) of an image.
    pub fn at(&self, image: usize, y: usize, x: usize) -> usize {
        image * self.image + y * self.y + x * self.x
    }
}

/// A product of windows and weights.
pub struct Product {
    pub source: Source,
    pub weights: Weights,
    pub to: Target,
    pub groups: usize,
    /// Channels and filters of a group.
    pub inputs: usize,
    pub outputs: usize,
    /// One float for each filter, or zeros.
    pub bias: Option<*const f32>,
    pub scratch: *mut f32,
    /// True if a product with the same weights came before, whose panels are in scratch if all of them fit there.
    pub is_packed: bool,
}

/// The filters of a panel: a job without its rows, and the panel's width and existing columns.
struct Strip {
    job: Job,
    columns: usize,
    width: usize,
}

static ZEROS: [f32; WIDEST] = [0.0; WIDEST];

impl Product {
    /// Computes lines of positions, and calls `finish` with ranges of results, in floats, that are complete.
    #[inline(never)]
    pub unsafe fn run(&self, lines: Range<usize>, finish: impl Fn(Range<usize>)) {
        let &Product { source, to, groups, inputs, outputs, scratch, .. } = self;
        let (height, widest) = gemm::tile();
        let (y, x) = (source.y, source.x);
        // the taps of a line are one stretch of memory, if they are neighbors and all channels are used
        let most = (PANEL_ROOM / widest).min(STEPS_ROOM);
        let across = if groups == 1 && x.dilation == 1 && x.taps * inputs <= most { 1 } else { x.taps };
        let run = x.taps / across * inputs;
        let stretches = y.taps * across;
        let deep = (most / run.max(1)).max(1).min(stretches);
        let strips_of_group = outputs.div_ceil(widest);
        let strips = groups * strips_of_group;
        let together = (PANEL_ROOM / (deep * run * widest).max(1)).max(1).min(strips.max(1));
        let room = scratch.wrapping_add(BAND);
        let is_single = together == strips && deep == stretches;
        let done = |block: &Block| {
            for i in block.y.clone() {
                let (from, end) = (to.at(block.image, i, block.x.start), to.at(block.image, i, block.x.end));
                finish(from..end);
            }
        };
        for from in (0..strips).step_by(together) {
            let chunk = from..(from + together).min(strips);
            for first in (0..stretches).step_by(deep) {
                let count = deep.min(stretches - first);
                let steps = count * run;
                let strip_of = |s: usize| {
                    let (group, j) = (s / strips_of_group, s % strips_of_group * widest);
                    let columns = (outputs - j).min(widest);
                    (group, j, columns, if columns <= 8 { 8 } else { widest })
                };
                // SAFETY: panels fit their room by the choice of `deep` and `together`; windows lie in the block.
                unsafe {
                    for s in chunk.clone().filter(|_| !(self.is_packed && is_single)) {
                        let (group, j, columns, width) = strip_of(s);
                        let panel = scratch.add((s - from) * steps * widest);
                        let taps = x.taps / across;
                        self.pack(first * taps..(first + count) * taps, group, j, columns, width, panel);
                    }
                    source.blocks(lines.clone(), BLOCK, usize::MAX, room, |block| {
                        let table = scratch.add(PANEL_ROOM).cast::<u32>();
                        let mut at = table;
                        // lines of zeros are left out
                        let inside = (block.taps.start * across).clamp(first, first + count)
                            ..(block.taps.end * across).clamp(first, first + count);
                        for n in inside.clone() {
                            let place =
                                n / across * y.dilation * block.line + n % across * x.dilation * source.channels;
                            for k in 0..run {
                                *at = 4 * (place + k) as u32;
                                at = at.add(1);
                            }
                        }
                        for s in chunk.clone() {
                            let (group, j, columns, width) = strip_of(s);
                            let c = to.ptr.add(group * to.group + j);
                            let (start, start_is_c) = match self.bias {
                                _ if first > 0 => (c.cast_const(), true),
                                Some(bias) => (bias.add(group * outputs + j), false),
                                None => (ZEROS.as_ptr(), false),
                            };
                            let job = Job {
                                a: block.at.add(group * inputs),
                                at: [0; TALLEST],
                                is_adjacent: false,
                                steps: table,
                                run: inside.len() * run,
                                b: scratch.add((s - from) * steps * widest + (inside.start - first) * run * width),
                                b_step: width,
                                start,
                                start_is_c,
                                c,
                                to: [0; TALLEST],
                                across: Repeat::ONCE,
                                down: Repeat::ONCE,
                            };
                            self.tiles(block, height, Strip { job, columns, width });
                        }
                        if is_single {
                            done(block);
                        }
                    });
                }
            }
        }
        if !is_single {
            // SAFETY: as above.
            unsafe { source.blocks(lines, BLOCK, usize::MAX, room, done) }
        }
    }

    /// Runs all tiles of a block and a strip: a grid of two heights if lines can be cut into tiles, else tiles that go from line to line without a gap,
    /// the last of which repeats its last row.
    #[inline(never)]
    unsafe fn tiles(&self, block: &Block, height: usize, strip: Strip) {
        let (source, target) = (&self.source, &self.to);
        let Strip { mut job, columns, width } = strip;
        let (right, down) = (source.x.stride * source.channels, source.y.stride * block.line);
        let across = block.x.len();
        let total = across * block.y.len();
        let mut place = target.at(block.image, block.y.start, block.x.start);
        // SAFETY: the caller's promise.
        unsafe {
            if let Some((tall, low, height)) = tile::cut(across, height) {
                let c = job.c.add(place);
                let starts = if job.start_is_c { c.cast_const() } else { job.start };
                (job.c, job.start) = (c, starts);
                job.down = Repeat { count: block.y.len(), a: down, c: target.y };
                (job.at, job.to) = (from_fn(|i| i * right), from_fn(|i| i * target.x));
                for (count, height) in [(tall, height + 1), (low, height)] {
                    if count == 0 {
                        continue;
                    }
                    job.across = Repeat { count, a: height * right, c: height * target.x };
                    tile::run(height, width, &job, columns);
                    job.a = job.a.add(count * height * right);
                    job.c = job.c.add(count * height * target.x);
                    if job.start_is_c {
                        job.start = job.c;
                    }
                }
                return;
            }
            let (mut at, mut x, mut p) = (0, 0, 0);
            while p < total {
                let height = if total - p <= SHORT { SHORT } else { height };
                for i in 0..height {
                    (job.at[i], job.to[i]) = (at, place);
                    if p + i + 1 >= total {
                        continue;
                    }
                    x += 1;
                    (at, place) = (at + right, place + target.x);
                    if x == across {
                        x = 0;
                        (at, place) = (at + down - across * right, place + target.y - across * target.x);
                    }
                }
                tile::run(height, width, &job, columns);
                p += height;
            }
        }
    }

    /// Copies the weights of some taps, numbered line by line, into a panel of `width` columns.
    #[inline(never)]
    unsafe fn pack(
        &self,
        taps: Range<usize>,
        group: usize,
        j: usize,
        columns: usize,
        width: usize,
        mut panel: *mut f32,
    ) {
        let &Weights { ptr, tap_y, tap_x, row, column, group: apart } = &self.weights;
        let across = self.source.x.taps;
        for tap in taps {
            // SAFETY: the tap, its channels and these columns exist; the panel has room.
            unsafe {
                let from = ptr
                    .offset((tap / across) as isize * tap_y + (tap % across) as isize * tap_x)
                    .add(group * apart + j * column);
                for c in 0..self.inputs {
                    let from = from.add(c * row);
                    for i in 0..columns {
                        *panel.add(i) = *from.add(i * column);
                    }
                    fill(panel.add(columns), width - columns);
                    panel = panel.add(width);
                }
            }
        }
    }
}

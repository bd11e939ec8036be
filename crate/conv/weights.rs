//! The gradient of the weights: dw\[k, j\] = Σ over positions of window\[k\] · dz\[j\]. The rows of a tile are places of the window, and its steps are the
//! positions of a block, line by line.

use super::product::{copy, fill, Source};
use super::tile::{self, Job, Repeat, SHORT, TALLEST, WIDEST};
use super::{part, write, Geometry, Share, BAND, PANEL_ROOM};
use crate::gemm;
use crate::sweep::Cells;
use core::array::from_fn;

/// Floats of the image in a block of positions, of which a tile reads some channels at a time.
const BLOCK: usize = 1 << 13;
/// Positions of a block, at most: a first-level cache holds the channels of a tile and a panel of dz.
const POSITIONS: usize = 3 << 6;
/// Room for a panel of dz, behind that of the weights: these stay, for the gradient of the next images.
pub const DZ_ROOM: usize = POSITIONS * WIDEST;
/// Shares begin at multiples of this number of rows of dw, or of a low tile where there are few of them.
const UNIT: usize = 12;

/// dw (+)= windowsᵀ · dz, for a share of the rows of dw of each group.
#[rustfmt::skip]
#[inline(never)]
pub unsafe fn run(
    g: &Geometry, source: &Source, rows: usize, dz: *const f32, dw: Cells, adds: bool, scratch: *mut f32, share: Share,
) {
    let (height, widest) = gemm::tile();
    let (inputs, filters) = (g.channels / g.groups, g.filters / g.groups);
    let k = g.y.taps * g.x.taps * inputs;
    let unit = if k < 2 * UNIT { SHORT } else { UNIT };
    let units = part(k.div_ceil(unit), share.index, share.count);
    let ks = (units.start * unit).min(k)..(units.end * unit).min(k);
    if !adds {
        dw[ks.start * g.filters..ks.end * g.filters].iter().for_each(|d| d.set(0.0));
    }
    let strips_of_group = filters.div_ceil(widest);
    let strips = g.groups * strips_of_group;
    // places of the window that lie side by side in the image: those of a line, or the channels of a tap
    let side_by_side = if g.groups == 1 && g.x.dilation == 1 { g.x.taps * inputs } else { inputs };
    let table = scratch.wrapping_add(PANEL_ROOM).cast::<u32>();
    let (panel, room) = (scratch.wrapping_add(PANEL_ROOM - DZ_ROOM), scratch.wrapping_add(BAND));
    let (right, c) = (source.x.stride * g.channels, write(dw));
    // SAFETY: the caller's promise; panels of that number of positions fit their room.
    unsafe {
        source.blocks(0..rows * g.y.output, BLOCK, POSITIONS, room, |block| {
            let (mut step, mut positions) = (table, 0);
            for y in 0..block.y.len() {
                for x in 0..block.x.len() {
                    *step = 4 * (y * source.y.stride * block.line + x * right) as u32;
                    (step, positions) = (step.add(1), positions + 1);
                }
            }
            for s in 0..strips {
                let (group, j) = (s / strips_of_group, s % strips_of_group * widest);
                let columns = (filters - j).min(widest);
                let width = if columns <= 8 { 8 } else { widest };
                let first = dz.add(block.image * g.result() + (block.y.start * g.x.output + block.x.start) * g.filters + group * filters + j);
                // columns of dz are a panel themselves if there are as many as in one
                let is_panel = columns == width && block.x.len() == g.x.output;
                if !is_panel {
                    let mut to = panel;
                    for y in 0..block.y.len() {
                        for x in 0..block.x.len() {
                            let from = first.add((y * g.x.output + x) * g.filters);
                            copy(from, to, columns);
                            fill(to.add(columns), width - columns);
                            to = to.add(width);
                        }
                    }
                }
                let to = c.add(group * filters + j);
                let job = Job {
                    a: block.at.add(group * inputs), at: [0; TALLEST], is_adjacent: false, steps: table, run: positions,
                    b: if is_panel { first } else { panel.cast_const() }, b_step: if is_panel { g.filters } else { width },
                    start: to, start_is_c: true, c: to, to: [0; TALLEST], across: Repeat::ONCE, down: Repeat::ONCE,
                };
                let place = |k: usize| {
                    let (tap, channel) = (k / inputs, k % inputs);
                    tap / g.x.taps * g.y.dilation * block.line + tap % g.x.taps * g.x.dilation * g.channels + channel
                };
                let mut from = ks.start;
                while from < ks.end {
                    let next = (from / side_by_side + 1) * side_by_side;
                    if let Some((tall, low, height)) = tile::cut(next.min(ks.end) - from, height) {
                        for (count, height) in [(tall, height + 1), (low, height)] {
                            if count == 0 { continue }
                            let c = to.add(from * g.filters);
                            let across = Repeat { count, a: height, c: height * g.filters };
                            let rows = from_fn(|i| i * g.filters);
                            tile::run(height, width, &Job { a: job.a.add(place(from)), is_adjacent: true, start: c, c, to: rows, across, ..job }, columns);
                            from += count * height;
                        }
                        continue;
                    }
                    // few places side by side: a tile takes those of several lines or taps
                    let left = ks.end - from;
                    let height = if left <= SHORT { SHORT } else { height };
                    let k = |i: usize| (from + i).min(ks.end - 1);
                    tile::run(height, width, &Job { at: from_fn(|i| place(k(i))), to: from_fn(|i| k(i) * g.filters), ..job }, columns);
                    from += height;
                }
            }
        });
    }
}

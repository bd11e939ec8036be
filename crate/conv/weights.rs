//! The gradient of the weights: dw\[k, j\] = Σ over positions of window\[k\] · dz\[j\]. The rows of a tile are places of the window, and its k runs over
//! positions, line by line.

use super::product::Source;
use super::tile::{self, Job, SHORT, TALLEST};
use super::{part, write, Geometry, Share, BAND, PANEL_ROOM};
use crate::gemm;
use crate::sweep::Cells;

/// Floats of the image in a block of positions: a first-level cache holds them beside a panel of dz.
const BLOCK: usize = 1 << 12;
/// Shares begin at multiples of this number of rows of dw.
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
    let units = part(k.div_ceil(UNIT), share.index, share.count);
    let ks = (units.start * UNIT).min(k)..(units.end * UNIT).min(k);
    if !adds {
        dw[ks.start * g.filters..ks.end * g.filters].iter().for_each(|d| d.set(0.0));
    }
    let strips_of_group = filters.div_ceil(widest);
    let strips = g.groups * strips_of_group;
    let most = PANEL_ROOM / widest;
    let room = scratch.wrapping_add(BAND);
    let (right, c) = (source.x.stride * g.channels, write(dw));
    // SAFETY: the caller's promise; panels of `most` positions fit their room.
    unsafe {
        source.blocks(0..rows * g.y.output, BLOCK, most, room, |block| {
            for s in 0..strips {
                let (group, j) = (s / strips_of_group, s % strips_of_group * widest);
                let columns = (filters - j).min(widest);
                let width = if columns <= 8 { 8 } else { widest };
                let panel = scratch;
                let mut to = panel;
                for y in block.y.clone() {
                    let line = dz.add(block.image * g.result() + (y * g.x.output + block.x.start) * g.filters + group * filters + j);
                    for x in 0..block.x.len() {
                        let from = line.add(x * g.filters);
                        for i in 0..columns { *to.add(i) = *from.add(i) }
                        for i in columns..width { *to.add(i) = 0.0 }
                        to = to.add(width);
                    }
                }
                let mut job = Job {
                    a: block.at, at: [0; TALLEST], run: block.x.len(), step: right, b: panel,
                    start: c.add(group * filters + j), start_is_c: true, c: c.add(group * filters + j), to: [0; TALLEST],
                };
                let place = |k: usize| {
                    let (tap, channel) = (k / inputs, k % inputs);
                    tap / g.x.taps * g.y.dilation * block.line + tap % g.x.taps * g.x.dilation * g.channels + channel
                };
                let mut from = ks.start;
                while from < ks.end {
                    let height = if ks.end - from <= SHORT { SHORT } else { height };
                    for i in 0..height {
                        let k = (from + i).min(ks.end - 1);
                        (job.at[i], job.to[i]) = (place(k), k * g.filters);
                    }
                    for y in 0..block.y.len() {
                        job.a = block.at.add(group * inputs + y * source.y.stride * block.line);
                        job.b = panel.add(y * block.x.len() * width);
                        tile::run(height, width, &job, columns);
                    }
                    from += height;
                }
            }
        });
    }
}

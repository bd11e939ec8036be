//! Scaled dot-product attention over heads, and rotations of queries and keys by their positions.
//!
//! A pair is one head of one row of a batch. Its scores are computed in tiles of [`QUERIES`] × [`KEYS`], each used and overwritten at once; a softmax is
//! carried from tile to tile by its largest score and its sum so far (Milakov & Gimelshein 2018; Dao et al. 2022). The gradient computes the tiles
//! again. So no array is larger than the inputs. Keys and values of a tile are packed once for all queries ([`Repeated`]).
//!
//! Pairs do not depend on one another: threads take some of them each.

use crate::elementwise::{fill, Mul};
use crate::gemm::{first_transposed, spare, Repeated, Room, Rows, Start};
use crate::lane::{F32x8, Lane};
use crate::math::exp_down;
use crate::sweep::{map, total, zip, Cells, Map, Zip, BLOCK};
use core::cell::Cell;
use core::ops::Range;

/// Rows and columns of a tile of scores: two of them fit a first-level cache. Of a causal tile only the columns that its last row sees are computed.
const QUERIES: usize = 32;
const KEYS: usize = 64;

/// Whole numbers of [`Sizes`]: ATTENTION in ts/backend/attention-kernels.ts has their order.
pub const NUMBERS: usize = 9;

/// The sizes of a call.
pub struct Sizes {
    /// Heads of a row.
    pub heads: usize,
    /// Queries of a row.
    pub queries: usize,
    /// Keys of a row.
    pub keys: usize,
    /// Floats of a head's query, and of its key.
    pub width: usize,
    /// Floats of a head's value.
    pub value_width: usize,
    /// Floats from a query to the next.
    pub query_stride: usize,
    /// Floats from a key to the next.
    pub key_stride: usize,
    /// Floats from a value to the next.
    pub value_stride: usize,
    /// Query i sees the keys up to i + keys − queries.
    pub causal: bool,
}

impl Sizes {
    /// From numbers in memory.
    pub fn of(numbers: &[Cell<i32>]) -> Self {
        let at = |i: usize| numbers[i].get() as usize;
        let [heads, queries, keys, width, value_width] = [at(0), at(1), at(2), at(3), at(4)];
        let ([query_stride, key_stride, value_stride], causal) = ([at(5), at(6), at(7)], at(8) != 0);
        Sizes { heads, queries, keys, width, value_width, query_stride, key_stride, value_stride, causal }
    }

    /// Floats of the queries, keys, values and results of a number of rows.
    pub fn floats(&self, rows: usize) -> [usize; 4] {
        let size = |count: usize, width: usize, stride: usize| {
            if rows * count * width == 0 {
                0
            } else {
                (rows * count - 1) * stride + self.heads * width
            }
        };
        let results = self.heads * self.value_width;
        [
            size(self.queries, self.width, self.query_stride),
            size(self.keys, self.width, self.key_stride),
            size(self.keys, self.value_width, self.value_stride),
            size(self.queries, self.value_width, results),
        ]
    }

    /// Number of keys that a query sees among those from `key` on.
    fn seen(&self, query: usize, key: usize, count: usize) -> usize {
        if self.causal {
            (query + 1 + self.keys - self.queries).saturating_sub(key).min(count)
        } else {
            count
        }
    }

    /// 1 / √width
    fn scale(&self) -> f32 {
        1.0 / Lane::sqrt(self.width as f32)
    }

    /// The part of an array [rows, count, stride] that belongs to a pair: the vectors of one head.
    fn of_pair<'a>(&self, x: Cells<'a>, pair: usize, count: usize, width: usize, stride: usize) -> Rows<'a> {
        let from = pair / self.heads * count * stride + pair % self.heads * width;
        Rows { cells: x.get(from..).unwrap_or(&[]), stride }
    }

    fn query<'a>(&self, x: Cells<'a>, pair: usize) -> Rows<'a> {
        self.of_pair(x, pair, self.queries, self.width, self.query_stride)
    }

    fn key<'a>(&self, x: Cells<'a>, pair: usize) -> Rows<'a> {
        self.of_pair(x, pair, self.keys, self.width, self.key_stride)
    }

    fn value<'a>(&self, x: Cells<'a>, pair: usize) -> Rows<'a> {
        self.of_pair(x, pair, self.keys, self.value_width, self.value_stride)
    }

    fn result<'a>(&self, x: Cells<'a>, pair: usize) -> Rows<'a> {
        self.of_pair(x, pair, self.queries, self.value_width, self.heads * self.value_width)
    }

    /// The room for the packed factors of a tile, and in front of it for what [`first_transposed`] packs.
    fn room<'a>(&self, scratch: Cells<'a>) -> Room<'a> {
        let widest = self.width.max(self.value_width) + 16;
        let mut room = Room::new(scratch, KEYS, 2 * self.width + self.value_width + widest);
        room.leave(QUERIES * widest);
        room
    }
}

/// What both passes read.
pub struct Inputs<'a> {
    /// Queries.
    pub q: Cells<'a>,
    /// Keys.
    pub k: Cells<'a>,
    /// Values.
    pub v: Cells<'a>,
    /// 0 for keys that nobody sees, \[rows, keys\].
    pub mask: Option<Cells<'a>>,
}

/// Parts of a range: begin and length.
fn tiles(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..total).step_by(size).map(move |at| (at, size.min(total - at)))
}

fn from<'a>(x: Rows<'a>, row: usize) -> Rows<'a> {
    Rows { cells: x.cells.get(row * x.stride..).unwrap_or(&[]), ..x }
}

fn row<'a>(x: Rows<'a>, row: usize, width: usize) -> Cells<'a> {
    &x.cells[row * x.stride..][..width]
}

/// exp((x − shift)·scale)·factor
struct Probability {
    shift: f32,
    scale: f32,
    factor: f32,
}

impl Map for Probability {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        exp_down((x - L::splat(self.shift)) * L::splat(self.scale)) * L::splat(self.factor)
    }
}

/// x = 0. The compiler would make a loop with a constant a call of memory.fill, which is a call out of the module: it takes longer than a row.
fn zero(x: Cells) {
    fill(x, core::hint::black_box(0.0));
}

/// The largest float. A NaN may be left out; if there is nothing but NaN and −∞, it may be either. It takes one instruction a vector instead of nine.
#[inline(never)]
fn largest_of(x: Cells) -> f32 {
    let blocks = x.chunks_exact(BLOCK);
    let rest = blocks.remainder();
    let mut most = F32x8::splat(f32::NEG_INFINITY);
    for x in blocks {
        most = F32x8::get(x).pmax(most);
    }
    let larger = |most: f32, x: f32| x.pmax(most);
    let most = most.to_array().into_iter().fold(f32::NEG_INFINITY, larger);
    rest.iter().fold(most, |most, x| larger(most, x.get()))
}

/// x = f(x) for each of some rows, and calls `done` with its sum. All rows in one call, as the constants of a formula take as long as a few floats.
#[inline(never)]
fn exponentials<'a>(rows: usize, row: impl Fn(usize) -> (Cells<'a>, Probability), done: impl Fn(usize, f32)) {
    for r in 0..rows {
        let (x, f) = row(r);
        let blocks = x.chunks_exact(BLOCK);
        let rest = blocks.remainder();
        let mut sum = F32x8::splat(0.0);
        for x in blocks {
            let y = f.apply(F32x8::get(x));
            y.set(x);
            sum = sum + y;
        }
        let [a, b, c, d, e, g, h, i] = sum.to_array();
        let sum = ((a + e) + (b + g)) + ((c + h) + (d + i));
        let last = rest.iter().fold(sum, |sum, x| {
            let y = f.apply(x.get());
            x.set(y);
            sum + y
        });
        done(r, last);
    }
}

/// x·scale
struct Scale(f32);

impl Map for Scale {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        x * L::splat(self.0)
    }
}

/// p·(dp − dot)·scale
struct Centered {
    dot: f32,
    scale: f32,
}

impl Zip for Centered {
    #[inline(always)]
    fn apply<L: Lane>(&self, p: L, dp: L) -> L {
        p * (dp - L::splat(self.dot)) * L::splat(self.scale)
    }
}

/// The largest score of a query and the sum of its exponentials, for each query of a pair.
struct Softmax<'a> {
    largest: Cells<'a>,
    sum: Cells<'a>,
}

impl<'a> Softmax<'a> {
    fn of(stats: Cells<'a>, sizes: &Sizes, pair: usize) -> Self {
        let (largest, sum) = stats[2 * pair * sizes.queries..][..2 * sizes.queries].split_at(sizes.queries);
        Softmax { largest, sum }
    }

    /// Takes the scores of a query for its largest score so far; the results and the sum so far shrink with it.
    fn raise(&self, query: usize, scores: Cells, scale: f32, y: Cells) {
        let before = self.largest[query].get();
        let largest = Lane::max(before, largest_of(scores));
        if before != f32::NEG_INFINITY {
            let shrink = exp_down((before - largest) * scale);
            map(Scale(shrink), y, y);
            self.sum[query].set(self.sum[query].get() * shrink);
        }
        self.largest[query].set(largest);
    }

    /// The formula of a query's exponentials. If it sees no key, all its scores are −∞.
    fn formula(&self, query: usize, scale: f32, factor: f32) -> Probability {
        let largest = self.largest[query].get();
        Probability { shift: if largest == f32::NEG_INFINITY { 0.0 } else { largest }, scale, factor }
    }

    /// 1 / sum; 0 for a query that sees no key.
    fn inverse(&self, query: usize) -> f32 {
        let sum = self.sum[query].get();
        if sum == 0.0 {
            0.0
        } else {
            1.0 / sum
        }
    }
}

/// The scores of whole blocks that have a key a query sees.
fn shown(scores: Cells, seen: usize) -> Cells {
    &scores[..seen.next_multiple_of(BLOCK).min(scores.len())]
}

/// Sets the scores of masked keys to −∞, and those of keys behind a query's last to −∞ up to the end of a block of floats, then to 0; returns the scores
/// of whole blocks.
fn visible<'a>(scores: Cells<'a>, seen: usize, mask: Option<Cells>) -> Cells<'a> {
    let (scores, hidden) = scores.split_at(shown(scores, seen).len());
    fill(&scores[seen..], f32::NEG_INFINITY);
    zero(hidden);
    if let Some(mask) = mask {
        for (score, mask) in scores.iter().zip(mask) {
            if mask.get() == 0.0 {
                score.set(f32::NEG_INFINITY);
            }
        }
    }
    scores
}

/// The mask of the keys of a pair from one on.
fn masked<'a>(x: &Inputs<'a>, sizes: &Sizes, pair: usize, key: usize) -> Option<Cells<'a>> {
    x.mask.map(|mask| &mask[pair / sizes.heads * sizes.keys + key..])
}

/// y = softmax(q·kᵀ / √width)·v for some pairs; `stats` gets the largest scores and sums of each pair.
pub fn forward(sizes: &Sizes, pairs: Range<usize>, x: &Inputs, y: Cells, stats: Cells, scratch: Cells) {
    let Sizes { queries, keys, width, value_width, .. } = *sizes;
    let scale = sizes.scale();
    for pair in pairs {
        let (q, k, v, y) =
            (sizes.query(x.q, pair), sizes.key(x.k, pair), sizes.value(x.v, pair), sizes.result(y, pair));
        let softmax = Softmax::of(stats, sizes, pair);
        fill(softmax.largest, f32::NEG_INFINITY);
        zero(softmax.sum);
        for i in 0..queries {
            zero(row(y, i, value_width));
        }
        for (j, n) in tiles(keys, KEYS) {
            let most = queries.min(QUERIES);
            let mut room = sizes.room(scratch);
            let transposed = Repeated::new(from(k, j), true, [most, width, n], &mut room);
            let values = Repeated::new(from(v, j), false, [most, n, value_width], &mut room);
            let scores = Rows { cells: spare(scratch), stride: n };
            for (i, m) in tiles(queries, QUERIES).filter(|(i, m)| sizes.seen(i + m - 1, j, n) > 0) {
                let last = sizes.seen(i + m - 1, j, n);
                transposed.columns(last).multiply(m, Start::zero(), from(q, i), scores);
                for r in 0..m {
                    let scores = visible(row(scores, r, last), sizes.seen(i + r, j, n), masked(x, sizes, pair, j));
                    softmax.raise(i + r, scores, scale, row(y, i + r, value_width));
                }
                exponentials(
                    m,
                    |r| (shown(row(scores, r, last), sizes.seen(i + r, j, n)), softmax.formula(i + r, scale, 1.0)),
                    |r, sum| softmax.sum[i + r].set(softmax.sum[i + r].get() + sum),
                );
                values.rows(last).add(m, scores, from(y, i));
            }
        }
        for i in 0..queries {
            let y = row(y, i, value_width);
            map(Scale(softmax.inverse(i)), y, y);
        }
    }
}

/// What the gradient reads beside the inputs.
pub struct Saved<'a> {
    /// Results.
    pub y: Cells<'a>,
    /// Largest scores and sums.
    pub stats: Cells<'a>,
    /// Gradient of the results.
    pub dy: Cells<'a>,
}

/// Gradients of queries, keys and values for some pairs.
pub fn backward(sizes: &Sizes, pairs: Range<usize>, x: &Inputs, saved: &Saved, d: [Cells; 3], scratch: Cells) {
    let Sizes { queries, keys, width, value_width, .. } = *sizes;
    let scale = sizes.scale();
    for pair in pairs {
        let (q, k, v) = (sizes.query(x.q, pair), sizes.key(x.k, pair), sizes.value(x.v, pair));
        let (y, dy) = (sizes.result(saved.y, pair), sizes.result(saved.dy, pair));
        let (dq, dk, dv) = (sizes.query(d[0], pair), sizes.key(d[1], pair), sizes.value(d[2], pair));
        let softmax = Softmax::of(saved.stats, sizes, pair);
        for i in 0..queries {
            zero(row(dq, i, width));
        }
        for j in 0..keys {
            zero(row(dk, j, width));
            zero(row(dv, j, value_width));
        }
        for (j, n) in tiles(keys, KEYS) {
            let most = queries.min(QUERIES);
            let mut room = sizes.room(scratch);
            let transposed = Repeated::new(from(k, j), true, [most, width, n], &mut room);
            let back = Repeated::new(from(v, j), true, [most, value_width, n], &mut room);
            let plain = Repeated::new(from(k, j), false, [most, n, width], &mut room);
            let (p, dp) = spare(scratch).split_at(QUERIES * KEYS);
            let (p, dp) = (Rows { cells: p, stride: n }, Rows { cells: dp, stride: n });
            for (i, m) in tiles(queries, QUERIES).filter(|(i, m)| sizes.seen(i + m - 1, j, n) > 0) {
                let last = sizes.seen(i + m - 1, j, n);
                transposed.columns(last).multiply(m, Start::zero(), from(q, i), p);
                back.columns(last).multiply(m, Start::zero(), from(dy, i), dp);
                for r in 0..m {
                    visible(row(p, r, last), sizes.seen(i + r, j, n), masked(x, sizes, pair, j));
                }
                exponentials(
                    m,
                    |r| {
                        let scores = shown(row(p, r, last), sizes.seen(i + r, j, n));
                        (scores, softmax.formula(i + r, scale, softmax.inverse(i + r)))
                    },
                    |_, _| (),
                );
                for r in 0..m {
                    let (p, dp) = (row(p, r, last), row(dp, r, last));
                    let dot = total(&Mul, row(y, i + r, value_width), row(dy, i + r, value_width));
                    zip(Centered { dot, scale }, p, dp, dp);
                }
                first_transposed([p, from(dy, i), from(dv, j)], [last, value_width, m], true, scratch);
                first_transposed([dp, from(q, i), from(dk, j)], [last, width, m], true, scratch);
                plain.rows(last).add(m, dp, from(dq, i));
            }
        }
    }
}

/// Sizes of [`rotate`].
pub struct Rotation {
    /// Rows times steps.
    pub rows: usize,
    /// Positions: row r has position r mod steps.
    pub steps: usize,
    /// Columns of x; those behind the heads are copied.
    pub columns: usize,
    /// Heads to turn.
    pub heads: usize,
    /// Columns of a head.
    pub width: usize,
    /// Turns back.
    pub back: bool,
}

/// y = x with columns c and c + width/2 of its first heads turned by the angle of their position; `angles` has the cosines of each position, and then
/// its sines, \[steps, width\].
pub fn rotate(r: &Rotation, x: Cells, angles: Cells, y: Cells) {
    let half = r.width / 2;
    let sign = if r.back { -1.0 } else { 1.0 };
    for at in 0..r.rows {
        let (x, y) = (&x[at * r.columns..][..r.columns], &y[at * r.columns..][..r.columns]);
        let (cosines, sines) = angles[at % r.steps * 2 * half..][..2 * half].split_at(half);
        for head in 0..r.heads {
            let from = head * r.width;
            for i in 0..half {
                let (a, b) = (x[from + i].get(), x[from + half + i].get());
                let (c, s) = (cosines[i].get(), sign * sines[i].get());
                y[from + i].set(a * c - b * s);
                y[from + half + i].set(b * c + a * s);
            }
        }
        for i in r.heads * r.width..r.columns {
            y[i].set(x[i].get());
        }
    }
}

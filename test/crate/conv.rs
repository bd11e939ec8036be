//! Convolutions, poolings and enlargements against their definitions in double precision, within guards.

use crate::tools::{assert_close, numbers, ptr, Room};
use gradus::abi;
use gradus::gemm::{self, SCRATCH};

/// Whole numbers from a small generator.
struct Draw(u32);

impl Draw {
    fn between(&mut self, low: usize, high: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        low + (self.0 >> 8) as usize % (high - low + 1)
    }

    fn one_of(&mut self, values: &[usize]) -> usize {
        values[self.between(0, values.len() - 1)]
    }
}

/// One direction: input, output, taps, stride, zeros before, dilation. A stride of 0 adapts windows of a pooling to the output.
#[derive(Clone, Copy, Debug)]
struct Side {
    input: usize,
    output: usize,
    taps: usize,
    stride: usize,
    before: usize,
    dilation: usize,
}

impl Side {
    fn draw(random: &mut Draw, largest: usize) -> Side {
        let (taps, stride, dilation) =
            (random.between(1, 4), random.one_of(&[1, 1, 1, 2, 3]), random.one_of(&[1, 1, 2]));
        let (before, after) = (random.between(0, 3), random.between(0, 3));
        let reach = (taps - 1) * dilation + 1;
        let input = random.between(reach.saturating_sub(before + after).max(1), largest.max(reach));
        Side { input, output: (input + before + after - reach) / stride + 1, taps, stride, before, dilation }
    }

    /// Windows that each see a part of the image.
    fn draw_pool(random: &mut Draw, largest: usize) -> Side {
        let (input, output) = (random.between(1, largest), random.between(1, 9));
        if random.between(0, 1) == 0 {
            return Side { input, output, taps: input.div_ceil(output) + 1, stride: 0, before: 0, dilation: 1 };
        }
        loop {
            let side = Side::draw(random, largest);
            if (0..side.output).all(|i| (0..side.taps).any(|tap| side.pixel(i, tap).is_some())) {
                return side;
            }
        }
    }

    /// The pixel under a tap, if it is in the image.
    fn pixel(&self, position: usize, tap: usize) -> Option<usize> {
        if self.stride == 0 {
            let end = ((position + 1) * self.input).div_ceil(self.output);
            return Some(position * self.input / self.output + tap).filter(|&at| at < end);
        }
        (position * self.stride + tap * self.dilation).checked_sub(self.before).filter(|&at| at < self.input)
    }
}

#[test]
fn convolutions() {
    let mut random = Draw(7);
    let mut scratch = Room::empty(SCRATCH, 0);
    for round in 0..400 {
        gemm::set_tile(round as usize % 4);
        let (y, x) = (Side::draw(&mut random, 12), Side::draw(&mut random, 29));
        let groups = random.one_of(&[1, 1, 1, 2, 5, 12]);
        let is_depthwise = groups > 1 && random.between(0, 1) == 0;
        let (inputs, outputs) =
            if is_depthwise { (1, 1) } else { (random.one_of(&[1, 2, 3, 8, 11]), random.one_of(&[1, 3, 8, 16, 21])) };
        let (channels, filters, rows) = (groups * inputs, groups * outputs, random.between(0, 2));
        let sides = [(y.input, x.input), (y.output, x.output), (y.taps, x.taps)];
        let [image, result, taps] = sides.map(|(a, b)| a * b);
        let geometry: Vec<i32> = [
            [y.input, x.input, channels, y.output, x.output, filters, y.taps, x.taps],
            [y.stride, x.stride, y.before, x.before, y.dilation, x.dilation, groups, 0],
        ]
        .concat()
        .into_iter()
        .map(|n| n as i32)
        .collect();
        let source = numbers(rows * image * channels, round);
        let weights = numbers(taps * inputs * filters, round + 1000);
        let bias = numbers(filters, round + 2000);
        let upstream = numbers(rows * result * filters, round + 3000);

        let mut wanted: Vec<f64> = (0..upstream.len()).map(|i| bias[i % filters].into()).collect();
        let (mut wanted_dw, mut wanted_dx) = (vec![0.0; weights.len()], vec![0.0; source.len()]);
        for position in 0..rows * result {
            let (row, i, j) = (position / result, position % result / x.output, position % x.output);
            for tap in 0..taps {
                let (Some(v), Some(h)) = (y.pixel(i, tap / x.taps), x.pixel(j, tap % x.taps)) else { continue };
                for c in 0..channels {
                    let at = ((row * y.input + v) * x.input + h) * channels + c;
                    for o in 0..outputs {
                        let filter = c / inputs * outputs + o;
                        let w = (tap * inputs + c % inputs) * filters + filter;
                        let to = position * filters + filter;
                        let (a, b, d): (f64, f64, f64) = (source[at].into(), weights[w].into(), upstream[to].into());
                        wanted[to] += a * b;
                        wanted_dw[w] += a * d;
                        wanted_dx[at] += b * d;
                    }
                }
            }
        }

        let mut z = Room::empty(upstream.len(), 1);
        let (mut dw, mut dx) = (Room::empty(weights.len(), 2), Room::empty(source.len(), 3));
        let (from, w, to) = (ptr(&source), ptr(&weights), ptr(&upstream));
        let (numbers, room) = (ptr(&geometry), scratch.ptr());
        abi::conv_forward(from, w, ptr(&bias), 0, z.ptr(), rows, numbers, 0, room);
        abi::conv_backward(from, w, z.ptr(), to, 0, dw.ptr(), 0, dx.ptr(), rows, numbers, 0, 0, room);
        for (name, got, want) in [("y", &z, &wanted), ("dw", &dw, &wanted_dw), ("dx", &dx, &wanted_dx)] {
            for (i, (&got, &want)) in got.read().iter().zip(want).enumerate() {
                assert_close(
                    got,
                    want,
                    2e-4,
                    &format!("{name}[{i}] of {y:?} {x:?}, {groups} groups of {inputs} to {outputs}"),
                );
            }
        }
        scratch.read();
    }
}

#[test]
fn poolings() {
    let mut random = Draw(11);
    for round in 0..400 {
        let (y, x) = (Side::draw_pool(&mut random, 9), Side::draw_pool(&mut random, 13));
        let (channels, rows) = (random.one_of(&[1, 3, 4, 8, 13, 17]), random.between(0, 2));
        let (image, result) = (y.input * x.input, y.output * x.output);
        let geometry = [
            [y.input, x.input, channels, y.output, x.output, channels, y.taps, x.taps],
            [y.stride, x.stride, y.before, x.before, y.dilation, x.dilation, channels, 0],
        ];
        let geometry: Vec<i32> = geometry.concat().into_iter().map(|n| n as i32).collect();
        let source = numbers(rows * image * channels, round);
        let upstream = numbers(rows * result * channels, round + 1000);
        let n = upstream.len();
        let (mut largest, mut taps, mut mean) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let (mut spread, mut spread_mean) = (vec![0.0; source.len()], vec![0.0; source.len()]);
        for i in 0..n {
            let (position, c) = (i / channels, i % channels);
            let (row, down, across) = (position / result, position % result / x.output, position % x.output);
            let seen: Vec<(usize, usize)> = (0..y.taps * x.taps)
                .filter_map(|tap| {
                    let (v, h) = (y.pixel(down, tap / x.taps)?, x.pixel(across, tap % x.taps)?);
                    Some((tap, ((row * y.input + v) * x.input + h) * channels + c))
                })
                .collect();
            let first =
                |best: (usize, usize), one: (usize, usize)| if source[one.1] > source[best.1] { one } else { best };
            let (tap, at) = seen.iter().copied().reduce(first).unwrap();
            (largest[i], taps[i]) = (f64::from(source[at]), tap as f64);
            spread[at] += f64::from(upstream[i]);
            for &(_, at) in &seen {
                mean[i] += f64::from(source[at]) / seen.len() as f64;
                spread_mean[at] += f64::from(upstream[i]) / seen.len() as f64;
            }
        }
        let [mut got_largest, mut got_taps, mut picked, mut got_mean] =
            [0, 1, 2, 3].map(|offset| Room::empty(n, offset));
        let [mut got_spread, mut got_spread_mean] = [1, 2].map(|offset| Room::empty(source.len(), offset));
        let (from, to, at) = (ptr(&source), ptr(&upstream), ptr(&geometry));
        abi::max_pool(from, got_largest.ptr(), got_taps.ptr(), rows, at);
        abi::max_pool_pick(from, got_taps.ptr(), picked.ptr(), rows, at);
        abi::max_pool_backward(got_taps.ptr(), to, got_spread.ptr(), rows, at);
        abi::average_pool(from, got_mean.ptr(), rows, at);
        abi::average_pool_backward(to, got_spread_mean.ptr(), rows, at);
        for (name, got, want) in [
            ("largest", &got_largest, &largest),
            ("taps", &got_taps, &taps),
            ("picked", &picked, &largest),
            ("mean", &got_mean, &mean),
            ("spread", &got_spread, &spread),
            ("spread mean", &got_spread_mean, &spread_mean),
        ] {
            for (i, (&got, &want)) in got.read().iter().zip(want).enumerate() {
                assert_close(got, want, 1e-5, &format!("{name}[{i}] of {y:?} {x:?}, {channels} channels"));
            }
        }
    }
}

/// The last of 800,000 floats: beyond 65,536, sums of sums are added up as well.
#[test]
fn means_of_large_windows() {
    for (width, channels) in [(16, 4), (17, 13), (1000, 9)] {
        let height = width * 4 / 5;
        let geometry = [height, width, channels, 1, 1, channels, height, width, height, width, 0, 0, 1, 1, channels, 0];
        let geometry: Vec<i32> = geometry.into_iter().map(|n| n as i32).collect();
        let source: Vec<f32> = numbers(height * width * channels, 3).into_iter().map(|x| x + 100.0).collect();
        let mut means = Room::empty(channels, 1);
        abi::average_pool(ptr(&source), means.ptr(), 1, ptr(&geometry));
        for (c, &got) in means.read().iter().enumerate() {
            let sum: f64 = source[c..].iter().step_by(channels).map(|&x| f64::from(x)).sum();
            assert_close(got, sum / (height * width) as f64, 5e-6, &format!("{height} × {width}, channel {c}"));
        }
    }
}

#[test]
fn enlargements() {
    for (length, factor, inner) in [1, 2, 3, 7]
        .into_iter()
        .flat_map(|l| [1, 2, 3, 4].map(|f| (l, f)))
        .flat_map(|(l, f)| [0, 1, 3, 4, 9, 17].map(|n| (l, f, n)))
    {
        for smooth in [0, 1] {
            let outer = 3;
            let x = numbers(outer * length * inner, 1);
            let dy = numbers(x.len() * factor, 2);
            let (mut wanted, mut wanted_dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
            for (i, wanted) in wanted.iter_mut().enumerate() {
                let (array, j, k) = (i / (length * factor * inner), i / inner % (length * factor), i % inner);
                let at =
                    if smooth == 0 { (j / factor) as f64 } else { ((j as f64 + 0.5) / factor as f64 - 0.5).max(0.0) };
                let place = at.floor() as usize;
                let share = if place + 1 < length { at - at.floor() } else { 0.0 };
                for (place, share) in [(place, 1.0 - share), (place + 1, share)] {
                    if share > 0.0 {
                        let from = (array * length + place) * inner + k;
                        *wanted += share * f64::from(x[from]);
                        wanted_dx[from] += share * f64::from(dy[i]);
                    }
                }
            }
            let (mut y, mut dx) = (Room::empty(dy.len(), 1), Room::empty(x.len(), 2));
            abi::upsample(ptr(&x), y.ptr(), outer, length, inner, factor, smooth);
            abi::upsample_backward(ptr(&dy), dx.ptr(), outer, length, inner, factor, smooth);
            for (got, want) in [(&y, &wanted), (&dx, &wanted_dx)] {
                for (i, (&got, &want)) in got.read().iter().zip(want).enumerate() {
                    assert_close(got, want, 1e-6, &format!("{i} of {length} × {factor} × {inner}, smooth {smooth}"));
                }
            }
        }
    }
}

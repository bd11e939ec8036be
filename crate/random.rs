//! Counter-based random numbers: Philox-4x32-10 (Salmon et al. 2011). A word depends on (seed, stream, counter, i) alone.
//!
//! ts/backend/js/random.ts does the same operations in the same order on integers and doubles, so that both give the
//! same bits; test/backend/kernels.random.test.ts compares them.

use crate::lane::number::{ceil, floor, sqrt};
use crate::lane::{F32x4, Lane, U32x4};
use crate::precise::ln;
use crate::sweep::Cells;
use core::array::from_fn;
use core::cell::Cell;
use core::hint::black_box;

/// The parameters of a sequence of random numbers.
#[derive(Clone, Copy)]
pub struct Source {
    /// Key: low and high half of the seed.
    pub key: [u32; 2],
    /// Index of the sequence under the seed.
    pub stream: u32,
    /// Index of the draw within the sequence.
    pub counter: u32,
}

/// Multipliers of the words in each round, and increments of the key after it.
const FACTORS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// The four words of a counter under a key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..ROUNDS {
        let (p0, p1) = (u64::from(c0) * u64::from(FACTORS[0]), u64::from(c2) * u64::from(FACTORS[1]));
        (c0, c1, c2, c3) = ((p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32);
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// [`philox`] of four counters at once: the words of the first counter, then the second's, and so on.
#[inline(always)]
pub fn philox_four(counters: [U32x4; 4], key: [u32; 2]) -> [U32x4; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counters;
    let [m0, m1] = FACTORS.map(|factor| black_box(U32x4::splat(factor)));
    // written out: in a loop the compiler takes only half of each product and then misses its instruction for the other half
    macro_rules! rounds {
        ($($round:literal)*) => {
            $(
                let ((high0, low0), (high1, low1)) = (c0.times(m0), c2.times(m1));
                let [k0, k1] = [0, 1].map(|i| U32x4::splat(key[i].wrapping_add(WEYL[i].wrapping_mul($round))));
                (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0);
            )*
        };
    }
    rounds!(0 1 2 3 4 5 6 7 8 9);
    U32x4::transpose([c0, c1, c2, c3])
}

impl Source {
    /// Calls f with the words of elements 4i..4i+4.
    fn each_four(self, n: usize, mut f: impl FnMut(usize, [u32; 4])) {
        for i in 0..n.div_ceil(4) {
            f(4 * i, philox([i as u32, self.counter, self.stream, 0], self.key));
        }
    }

    /// Fills y by a function of one word.
    fn fill(self, y: Cells, f: impl Fn(u32) -> f32) {
        self.each_four(y.len(), |at, words| {
            for (y, word) in y[at..].iter().zip(words) {
                y.set(f(word));
            }
        });
    }

    /// low + (high − low)·u
    pub fn uniform(self, y: Cells, low: f64, high: f64) {
        self.fill(y, |word| (low + (high - low) * unit(word)) as f32);
    }

    /// mean + std·Φ⁻¹((word + ½)·2⁻³²)
    pub fn normal(self, y: Cells, mean: f64, std: f64) {
        self.fill(y, |word| (mean + std * normal_quantile((f64::from(word) + 0.5) / 4_294_967_296.0)) as f32);
    }

    /// The numbers 0..n in random order (Fisher-Yates): from the last place down to the second, the numbers at i and at ⌊u·(i + 1)⌋ change
    /// places. Number u of 53 bits is made of words 2i and 2i + 1.
    pub fn permutation(self, order: &[Cell<i32>]) {
        for (i, place) in order.iter().enumerate() {
            place.set(i as i32);
        }
        let [counter, stream, zero] = [self.counter, self.stream, 0].map(U32x4::splat);
        for block in (0..order.len().div_ceil(EIGHT)).rev() {
            let words =
                philox_four([U32x4::counting(4 * block as u32), counter, stream, zero], self.key).map(U32x4::to_array);
            let first = EIGHT * block;
            let other = from_fn::<_, EIGHT, _>(|j| {
                let words = &words[j / 2][2 * (j % 2)..];
                below(fraction(words[0], words[1]), (first + j + 1) as u32)
            });
            for (i, place) in order.iter().enumerate().skip(first.max(1)).take(EIGHT - usize::from(first == 0)).rev() {
                place.swap(&order[other[i - first]]);
            }
        }
    }

    /// x·s where u ≥ rate, else 0, with s = 1 / (1 − rate) as a float; in place allowed. The mask has a number for sixteen elements, with a bit
    /// for each that is kept. It is written, or read if it is known already.
    pub fn dropout(self, x: Cells, y: Cells, mask: Option<&[Cell<i32>]>, is_known: bool, rate: f64) {
        let room = [const { Cell::new(0) }; SIXTEENS];
        let least = ceil(rate / UNIT) as u32;
        let scale = (1.0 / (1.0 - rate)) as f32;
        let size = SIXTEEN * SIXTEENS;
        for (i, (x, y)) in x.chunks(size).zip(y.chunks(size)).enumerate() {
            let bits = mask.map_or(&room[..], |mask| &mask[SIXTEENS * i..]);
            let bits = &bits[..x.len().div_ceil(SIXTEEN)];
            if !is_known {
                self.draw_bits(size / 4 * i, bits, least);
            }
            keep(x, y, bits, scale);
        }
    }

    /// A bit for each word from word 4·start on: 1 where its upper 24 bits are at least `least`.
    #[inline(never)]
    fn draw_bits(self, start: usize, bits: &[Cell<i32>], least: u32) {
        let [counter, stream, zero, least] = [self.counter, self.stream, 0, least].map(U32x4::splat);
        for (i, bits) in bits.iter().enumerate() {
            let words = philox_four([U32x4::counting((start + 4 * i) as u32), counter, stream, zero], self.key);
            let [a, b, c, d] = words.map(|word| (word >> 8).at_least(least));
            bits.set((a | b << 4 | c << 8 | d << 12) as i32);
        }
    }
}

/// x·scale where a bit is 1, else 0.
fn keep(x: Cells, y: Cells, bits: &[Cell<i32>], scale: f32) {
    let whole = x.len() / SIXTEEN * SIXTEEN;
    let (most, last) = bits.split_at(whole / SIXTEEN);
    keep_sixteens(&x[..whole], &y[..whole], most, scale);
    if whole < y.len() {
        let room = [const { Cell::new(0.0) }; SIXTEEN];
        room.iter().zip(&x[whole..]).for_each(|(to, from)| to.set(from.get()));
        keep_sixteens(&room, &room, last, scale);
        room.iter().zip(&y[whole..]).for_each(|(from, to)| to.set(from.get()));
    }
}

#[inline(never)]
fn keep_sixteens(x: Cells, y: Cells, bits: &[Cell<i32>], scale: f32) {
    let scale = F32x4::splat(scale);
    for ((x, y), bits) in x.chunks_exact(SIXTEEN).zip(y.chunks_exact(SIXTEEN)).zip(bits) {
        for j in 0..4 {
            U32x4::keep(bits.get() as u32 >> (4 * j), F32x4::get(&x[4 * j..]) * scale).set(&y[4 * j..]);
        }
    }
}

/// Numbers of a mask that are drawn at a time.
const SIXTEENS: usize = 64;

/// Numbers that four counters give.
pub const SIXTEEN: usize = 16;

/// Numbers of 53 bits that four counters give.
const EIGHT: usize = 8;

/// A number in \[0, 1) from the upper 27 bits of one word and the upper 26 of another.
#[inline(always)]
fn fraction(high: u32, low: u32) -> f64 {
    (u64::from(high >> 5) << 26 | u64::from(low >> 6)) as i64 as f64 / 9_007_199_254_740_992.0
}

/// ⌊u·n⌋ for u in \[0, 1): the last bits of 2⁵² + ⌊u·n⌋, as engines check the range in conversions of doubles.
#[inline(always)]
fn below(u: f64, n: u32) -> usize {
    (floor(u * f64::from(n)) + 4_503_599_627_370_496.0).to_bits() as u32 as usize
}

/// 2⁻²⁴: the numbers in \[0, 1) are its multiples.
pub const UNIT: f64 = 1.0 / 16_777_216.0;

/// A word as a number in \[0, 1) with 24 bits.
fn unit(word: u32) -> f64 {
    f64::from(word >> 8) * UNIT
}

/// c\[0\]·xⁿ + … + c\[n\], rounded after each product and each sum.
fn polynomial<const N: usize>(x: f64, c: [f64; N]) -> f64 {
    c[1..].iter().fold(c[0], |y, c| y * x + c)
}

/// Φ⁻¹(p) for 0 < p < 1: algorithm AS 241 (PPND16) of M. J. Wichura (Appl. Statist. 37, 1988), about 1e-16 relative.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * centre(0.180625 - q * q);
    }
    let r = sqrt(-ln(if q < 0.0 { p } else { 1.0 - p }));
    let value = if r <= 5.0 { middle(r - 1.6) } else { tail(r - 5.0) };
    if q < 0.0 {
        -value
    } else {
        value
    }
}

#[rustfmt::skip]
fn centre(r: f64) -> f64 {
    polynomial(r, [
        2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
        133.14166789178438, 3.3871328727963665,
    ]) / polynomial(r, [
        5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
        42.31333070160091, 1.0,
    ])
}

#[rustfmt::skip]
fn middle(r: f64) -> f64 {
    polynomial(r, [
        0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045, 5.769497221460691,
        4.630337846156546, 1.4234371107496835,
    ]) / polynomial(r, [
        1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851, 1.6763848301838038,
        2.053191626637759, 1.0,
    ])
}

#[rustfmt::skip]
fn tail(r: f64) -> f64 {
    polynomial(r, [
        2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
        1.7848265399172913, 5.463784911164114, 6.657904643501103,
    ]) / polynomial(r, [
        2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
        0.1369298809227358, 0.599832206555888, 1.0,
    ])
}

//! The way back from ts/build/pack: the modules that a text carries, out of its bytes. It is built into a module of its own, which
//! the loader runs first (ts/backend/wasm/decode.ts): half a million bits with a probability each take JavaScript thirty
//! milliseconds, most of them before it is compiled.
//!
//! ts/build/pack/model.mjs has the same model the other way round, and says what its parts are; change neither alone.

use core::hint::black_box;

const CONTEXTS: usize = 18;

const KINDS: usize = 12;
const MATCHED: usize = 7;

const MATCH: usize = 0;
const AGAIN: usize = MATCH + KINDS;
const WHICH: usize = AGAIN + KINDS;
const MORE: usize = WHICH + 3 * KINDS;
const NEW_LENGTH: usize = MORE + KINDS;
const OLD_LENGTH: usize = NEW_LENGTH + 274;
const SLOT: usize = OLD_LENGTH + 274;
const LOW: usize = SLOT + 256;
const FOOTER: usize = LOW + 16;
const MIDDLE: usize = FOOTER + 14 * 32;
const BYTE: usize = MIDDLE + 32;
const UNLIKE: usize = BYTE + CONTEXTS * 256;
const SIZE: usize = UNLIKE + CONTEXTS * 512;

const FIRST: u16 = 3;
const FAST: u16 = 16;
const SLOW: u16 = 160;

/// Reads bits by their probabilities, each of which the bit then changes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    range: u32,
    code: u32,
    /// Of a one, in 65536ths, learned fast, and slowly; and the n of which the next bit moves them by an n-th part.
    odds: [[u16; 3]; SIZE],
    /// Such parts in 16384ths.
    rate: [u16; SLOW as usize + 1],
}

/// A part of the way down from a number of 16 bits.
fn part(of: u16, rate: u16) -> u16 {
    ((u32::from(of) * u32::from(rate)) >> 14) as u16
}

impl Reader<'_> {
    /// Beyond the end: 0.
    fn byte(&mut self) -> u32 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte.into()
    }

    /// Not in line: the module has to be small.
    #[inline(never)]
    fn bit(&mut self, index: usize) -> usize {
        while self.range < 1 << 23 {
            self.range <<= 8;
            self.code = self.code << 8 | self.byte();
        }
        let [fast, slow, parts] = &mut self.odds[index];
        let [quick, steady] = [(*parts).min(FAST), *parts].map(|n| self.rate[usize::from(n)]);
        *parts += u16::from(*parts < SLOW);
        let bound = (self.range >> 12) * ((u32::from(*fast) + u32::from(*slow)) >> 5);
        let one = self.code < bound;
        if one {
            self.range = bound;
            *fast += part(65535 - *fast, quick);
            *slow += part(65535 - *slow, steady);
        } else {
            self.code -= bound;
            self.range -= bound;
            *fast -= part(*fast, quick);
            *slow -= part(*slow, steady);
        }
        one.into()
    }

    /// Highest bit first.
    #[inline(never)]
    fn tree(&mut self, index: usize, bits: u32) -> usize {
        let mut node = 1;
        while node < 1 << bits {
            node = 2 * node + self.bit(index + node);
        }
        node - (1 << bits)
    }

    /// Lowest bit first.
    #[inline(never)]
    fn low(&mut self, index: usize, bits: usize) -> usize {
        let (mut node, mut value) = (1, 0);
        for i in 0..bits {
            let bit = self.bit(index + node);
            node = 2 * node + bit;
            value |= bit << i;
        }
        value
    }

    #[inline(never)]
    fn length(&mut self, index: usize) -> usize {
        if self.bit(index) == 0 {
            self.tree(index + 2, 3)
        } else if self.bit(index + 1) == 0 {
            8 + self.tree(index + 10, 3)
        } else {
            16 + self.tree(index + 18, 8)
        }
    }

    fn distance(&mut self, context: usize) -> usize {
        let slot = self.tree(SLOT + 64 * context, 6) + 1;
        if slot == 1 {
            return 1;
        }
        let rest = (slot >> 1) - 1;
        let high = (2 | (slot & 1)) << rest;
        if rest < 6 {
            return high | self.low(FOOTER + 32 * (slot - 1), rest);
        }
        let middle = (4..rest).rev().fold(0, |sum, i| sum | self.bit(MIDDLE + i) << i);
        high | middle | self.low(LOW, 4)
    }

    /// `likely` is the byte that the last match would have gone on with, if one came just before.
    fn literal(&mut self, context: usize, likely: Option<u8>) -> u8 {
        let mut alike = likely.is_some();
        let mut likely = usize::from(likely.unwrap_or(0));
        let mut node = 1;
        while node < 256 {
            let expected = likely >> 7 & 1;
            let index = if alike { UNLIKE + 512 * context + 256 * expected } else { BYTE + 256 * context };
            let bit = self.bit(index + node);
            alike &= bit == expected;
            likely <<= 1;
            node = 2 * node + bit;
        }
        node as u8
    }

    /// How long a match is, and the kind of this step; puts how far back it goes to the front of the last four.
    fn a_match(&mut self, kind: usize, back: &mut [usize; 4]) -> (usize, usize) {
        let [new, old, one] = if kind < MATCHED { [7, 8, 9] } else { [10, 11, 11] };
        if self.bit(AGAIN + kind) == 0 {
            let length = self.length(NEW_LENGTH) + 2;
            to_front(back, 3, self.distance((length - 2).min(3)));
            return (length, new);
        }
        let mut which = 0;
        while which < 3 && self.bit(WHICH + KINDS * which + kind) == 1 {
            which += 1;
        }
        if which == 0 && self.bit(MORE + kind) == 0 {
            return (1, one);
        }
        to_front(back, which, back[which]);
        (self.length(OLD_LENGTH) + 2, old)
    }
}

/// The entries before i move one on. Written out, as it is a fraction of what a rotation becomes.
fn to_front(back: &mut [usize; 4], i: usize, distance: usize) {
    for j in (0..i).rev() {
        back[j + 1] = back[j];
    }
    back[0] = distance;
}

/// Of the byte after c, b and a.
fn context([a, b, c]: [u8; 3]) -> usize {
    match (a, b, c) {
        (0..=127, 0x20..=0x22 | 0x41, _) | (_, 128.., 0xfd) => 8,
        (0x20..=0x22, _, _) => 9,
        (0xfd, _, _) => 10,
        (0..=11, 0xfd, _) => 12,
        (_, 0xfd, _) => 11,
        (_, 0..=11, 0xfd) | (_, 0x28..=0x3e, _) => 13,
        (0x28..=0x3e, _, _) => 12,
        (0x41, _, _) => 14,
        (12 | 13, _, _) => 15,
        (2..=4, _, _) => 16,
        (0x10, _, _) => 17,
        _ => usize::from(a >> 5),
    }
}

fn after_byte(kind: usize) -> usize {
    match kind {
        0..=3 => 0,
        4..=9 => kind - 3,
        _ => kind - 6,
    }
}

/// Fills `out` from n on.
pub fn unpack(bytes: &[u8], out: &mut [u8], mut n: usize) {
    // with a range of one, the first bit asks for bytes
    let mut reader = Reader { bytes, at: 0, range: 1, code: 0, odds: [[0; 3]; SIZE], rate: [0; SLOW as usize + 1] };
    reader.odds.fill([1 << 15, 1 << 15, FIRST]);
    let mut parts = FIRST;
    while parts <= SLOW {
        reader.rate[usize::from(parts)] = 16384 / parts;
        // hidden, or all of the table becomes instructions
        parts = black_box(parts + 1);
    }
    let (mut kind, mut back) = (0, [0; 4]);
    while n < out.len() {
        if reader.bit(MATCH + kind) == 0 {
            let before = [1, 2, 3].map(|i| if n >= i { out[n - i] } else { 0 });
            let likely = (kind >= MATCHED).then(|| out[n - back[0]]);
            out[n] = reader.literal(context(before), likely);
            n += 1;
            kind = after_byte(kind);
        } else {
            let (length, next) = reader.a_match(kind, &mut back);
            for _ in 0..length {
                // hidden, or a loop of vectors is made of it
                out[n] = black_box(out[n - back[0]]);
                n += 1;
            }
            kind = next;
        }
    }
}

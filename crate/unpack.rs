//! The way back from crate/pack: the modules that a text carries, out of its bytes. It is built into a module of its own, which
//! the loader runs first (ts/backend/decode.ts): half a million bits with a probability each take JavaScript thirty
//! milliseconds, most of them before it is compiled.
//!
//! crate/pack/model.mjs has the same model the other way round, and says what its parts are; change neither alone.

const AGAIN: usize = 8;
const WHICH: usize = 16;
const NEW_LENGTH: usize = 48;
const OLD_LENGTH: usize = 560;
const SLOT: usize = 1072;
const LOW: usize = 1328;
const FOOTER: usize = 1344;
const BYTE: usize = 4416;
const UNLIKE: usize = BYTE + 8 * 256;
const MIDDLE: usize = UNLIKE + 2 * 256;
const SIZE: usize = MIDDLE + 32;

/// Reads bits by their probabilities, each of which the bit then changes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    range: u32,
    code: u32,
    /// Of a one, in 65536ths: learned fast, and slowly.
    odds: [[u16; 2]; SIZE],
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
        let [fast, slow] = &mut self.odds[index];
        let bound = (self.range >> 12) * ((u32::from(*fast) + u32::from(*slow)) >> 5);
        let one = self.code < bound;
        if one {
            self.range = bound;
            *fast += (65535 - *fast) >> 4;
            *slow += (65535 - *slow) >> 7;
        } else {
            self.code -= bound;
            self.range -= bound;
            *fast -= *fast >> 4;
            *slow -= *slow >> 7;
        }
        while self.range < 1 << 23 {
            self.range <<= 8;
            self.code = self.code << 8 | self.byte();
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
            return high | self.low(FOOTER + 64 * (slot - 1), rest);
        }
        let middle = (4..rest).rev().fold(0, |sum, i| sum | self.bit(MIDDLE + i) << i);
        high | middle | self.low(LOW, 4)
    }

    /// `likely` is the byte that the last match would have gone on with, if one came just before.
    fn literal(&mut self, before: u8, mut likely: Option<u8>) -> u8 {
        let mut node = 1;
        for i in (0..8).rev() {
            let expected = likely.map(|byte| usize::from(byte >> i & 1));
            let index = match expected {
                Some(bit) => UNLIKE + 256 * bit,
                None => BYTE + usize::from(before >> 5) * 256,
            };
            let bit = self.bit(index + node);
            likely = likely.filter(|_| expected == Some(bit));
            node = 2 * node + bit;
        }
        node as u8
    }

    /// How long a match is; puts how far back it goes to the front of the last four.
    fn a_match(&mut self, kinds: usize, back: &mut [usize; 4]) -> usize {
        let mut which = 0;
        if self.bit(AGAIN + kinds) == 1 {
            while which < 3 && self.bit(WHICH + 8 * which + kinds) == 1 {
                which += 1;
            }
            back[..=which].rotate_right(1);
            return self.length(OLD_LENGTH) + 1;
        }
        let length = self.length(NEW_LENGTH) + 2;
        back.rotate_right(1);
        back[0] = self.distance((length - 2).min(3));
        length
    }
}

/// Fills `out` from n on.
pub fn unpack(bytes: &[u8], out: &mut [u8], mut n: usize) {
    let mut reader = Reader { bytes, at: 0, range: (1 << 31) - 1, code: 0, odds: [[1 << 15; 2]; SIZE] };
    for _ in 0..4 {
        reader.code = reader.code << 8 | reader.byte();
    }
    let (mut kinds, mut back) = (0, [0; 4]);
    while n < out.len() {
        let is_match = reader.bit(kinds);
        if is_match == 0 {
            let before = if n > 0 { out[n - 1] } else { 0 };
            let likely = (kinds & 1 == 1).then(|| out[n - back[0]]);
            out[n] = reader.literal(before, likely);
            n += 1;
        } else {
            let length = reader.a_match(kinds, &mut back);
            for i in n..n + length {
                out[i] = out[i - back[0]];
            }
            n += length;
        }
        kinds = (kinds << 1 | is_match) & 7;
    }
}

//! Dropout of a fleet: each net draws from a generator of its own.

use super::{Net8, NETS};
use crate::lane::number::ceil;
use crate::lane::{F32x8, Lane};
use crate::random::{philox, Source, UNIT};
use core::array::from_fn;

/// y = x·s where u ≥ rate, else 0, with s = 1 / (1 − rate) as a float; in place allowed. Each net draws the same numbers u as it would alone.
pub fn dropout(sources: [Source; NETS], rates: [f64; NETS], x: &[Net8], y: &[Net8]) {
    let scale = F32x8::from_array(rates.map(|rate| (1.0 / (1.0 - rate)) as f32));
    let least = rates.map(|rate| ceil(rate / UNIT) as u32);
    for (i, (x, y)) in x.chunks(4).zip(y.chunks(4)).enumerate() {
        let words = sources.map(|s| philox([i as u32, s.counter, s.stream, 0], s.key));
        for (j, (x, y)) in x.iter().zip(y).enumerate() {
            let scaled = (F32x8::get(x) * scale).to_array();
            let kept = from_fn(|net| if words[net][j] >> 8 >= least[net] { scaled[net] } else { 0.0 });
            F32x8::from_array(kept).set(y);
        }
    }
}

//! Interleaved arrays have eight floats, one of each net, for every float of the array of a single net. Parameters and the states of
//! optimizers are interleaved before a round of steps and deinterleaved after it.

use super::{Net8, NETS};
use crate::lane::{F32x4, Lane};
use crate::sweep::Cells;

/// Copies each net's own array into the interleaved one.
pub fn interleave(from: [Cells; NETS], to: &[Net8]) {
    let n = to.len();
    let whole = n / 4 * 4;
    for i in (0..whole).step_by(4) {
        for half in [0, 4] {
            let columns = [0, 1, 2, 3].map(|net| F32x4::get(&from[half + net][i..]));
            for (r, row) in F32x4::transpose(columns).into_iter().enumerate() {
                row.set(&to[i + r][half..]);
            }
        }
    }
    for (i, all) in to.iter().enumerate().skip(whole) {
        from.iter().zip(all).for_each(|(from, x)| x.set(from[i].get()));
    }
}

/// Copies the values of each net from the interleaved array to the net's own array.
pub fn deinterleave(from: &[Net8], to: [Cells; NETS]) {
    let n = from.len();
    let whole = n / 4 * 4;
    for i in (0..whole).step_by(4) {
        for half in [0, 4] {
            let rows = [0, 1, 2, 3].map(|r| F32x4::get(&from[i + r][half..]));
            for (net, row) in F32x4::transpose(rows).into_iter().enumerate() {
                row.set(&to[half + net][i..]);
            }
        }
    }
    for (i, all) in from.iter().enumerate().skip(whole) {
        to.iter().zip(all).for_each(|(to, x)| to[i].set(x.get()));
    }
}

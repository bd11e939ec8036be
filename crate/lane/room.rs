//! Memory on the stack that is not cleared first.
#![allow(unsafe_code)]

use super::{F32x4, Lane};
use core::cell::Cell;
use core::mem::MaybeUninit;

/// Two vectors in memory.
type Block = [Cell<f32>; 8];

/// Room for N blocks, which are written before they are seen.
pub struct Room<const N: usize>([MaybeUninit<Block>; N]);

impl<const N: usize> Room<N> {
    /// Room with nothing in it.
    #[inline(always)]
    pub const fn new() -> Self {
        Room([const { MaybeUninit::uninit() }; N])
    }

    /// Pairs of vectors behind each other, N at most.
    #[inline(always)]
    pub fn fill(&mut self, pairs: impl Iterator<Item = [F32x4; 2]>) -> &[Block] {
        let mut count = 0;
        for (block, [x, y]) in self.0.iter_mut().zip(pairs) {
            let block: &Block = block.write([const { Cell::new(0.0) }; 8]);
            x.set(block);
            y.set(&block[4..]);
            count += 1;
        }
        // SAFETY: so many blocks were written.
        unsafe { core::slice::from_raw_parts(self.0.as_ptr().cast(), count) }
    }
}

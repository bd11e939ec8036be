//! How threads share a product: each computes a rectangle of C, and every element has the bits that one thread would give.

use core::ops::Range;

/// Any multiple of 12 rows is cut into whole tiles of every shape (those of five end in some of four), any multiple of 16 columns too: a
/// share has no ragged edge that the whole has not.
const ROW_UNIT: usize = 12;
const COLUMN_UNIT: usize = 16;
/// Columns that a share should have, where it may choose: less would read A often for little.
const COMFORTABLE: usize = 32;

/// One share of a kernel's work: number `index` of `count`.
#[derive(Clone, Copy)]
pub struct Part {
    /// From 0.
    pub index: usize,
    /// At least 1.
    pub count: usize,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { index: 0, count: 1 };

    /// This share of `total`, its ends multiples of `unit` but for the last.
    fn of(self, total: usize, unit: usize) -> Range<usize> {
        let units = total.div_ceil(unit);
        let at = |index: usize| (units * index / self.count * unit).min(total);
        at(self.index)..at(self.index + 1)
    }

    /// This share of a row of C, for passes over its columns alone.
    pub fn columns(self, n: usize) -> Range<usize> {
        self.of(n, COLUMN_UNIT)
    }

    /// This share of a product with m × n elements. Shares of rows each read all of B, shares of columns all of A, which
    /// costs more where A is walked `down` its columns: the dearer one is not repeated.
    #[inline(always)]
    pub fn region(self, m: usize, n: usize, down: bool) -> Region {
        if self.count == 1 {
            Region { rows: 0..m, columns: 0..n }
        } else {
            self.share(m, n, down)
        }
    }

    #[inline(never)]
    fn share(self, m: usize, n: usize, down: bool) -> Region {
        if m > n && (down || n < COMFORTABLE * self.count) {
            Region { rows: self.of(m, ROW_UNIT), columns: 0..n }
        } else {
            Region { rows: 0..m, columns: self.of(n, COLUMN_UNIT) }
        }
    }
}

/// A rectangle of C.
#[derive(Clone)]
pub struct Region {
    /// From and to.
    pub rows: Range<usize>,
    /// From and to.
    pub columns: Range<usize>,
}

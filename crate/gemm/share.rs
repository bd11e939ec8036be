//! Shares of a product for threads: each thread computes a rectangle of C, and every element has the same bits as on one thread.

use core::ops::Range;

/// Shares begin at multiples of these. Every tile shape cuts 12 rows and 16 columns without a remainder (tiles of five rows end in some of
/// four), so no share has a ragged edge that the whole product does not have.
const ROW_UNIT: usize = 12;
const COLUMN_UNIT: usize = 16;
/// The least number of columns of a share, if C has enough: with fewer columns, every share would read all of A for little work.
const COMFORTABLE: usize = 32;

/// One share of a kernel's work: number `index` of `count`.
#[derive(Clone, Copy)]
pub struct Share {
    /// The number of this share, from 0.
    pub index: usize,
    /// The number of shares, at least 1.
    pub count: usize,
}

impl Share {
    /// The one share of undivided work.
    pub const WHOLE: Share = Share { index: 0, count: 1 };

    /// This share of `total`. Its ends are multiples of `unit`, except at the end of `total`.
    fn of(self, total: usize, unit: usize) -> Range<usize> {
        let units = total.div_ceil(unit);
        let at = |index: usize| (units * index / self.count * unit).min(total);
        at(self.index)..at(self.index + 1)
    }

    /// This share of a row of C, for passes over its columns alone.
    pub fn columns(self, n: usize) -> Range<usize> {
        self.of(n, COLUMN_UNIT)
    }

    /// The rectangle of an m × n product that this share computes. Shares that split the rows each read all of B; shares that split the columns each
    /// read all of A, which takes longer where A is column-major. The cheaper split is taken.
    #[inline(always)]
    pub fn region(self, m: usize, n: usize, a_is_column_major: bool) -> Region {
        if self.count == 1 {
            Region { rows: 0..m, columns: 0..n }
        } else {
            self.rectangle(m, n, a_is_column_major)
        }
    }

    #[inline(never)]
    fn rectangle(self, m: usize, n: usize, a_is_column_major: bool) -> Region {
        if m > n && (a_is_column_major || n < COMFORTABLE * self.count) {
            Region { rows: self.of(m, ROW_UNIT), columns: 0..n }
        } else {
            Region { rows: 0..m, columns: self.of(n, COLUMN_UNIT) }
        }
    }
}

/// A rectangle of C.
#[derive(Clone)]
pub struct Region {
    /// The first row or column, and the end.
    pub rows: Range<usize>,
    /// The first row or column, and the end.
    pub columns: Range<usize>,
}

//! Where the numbers of a product are: matrices by their strides, and what sums start from.

use super::{read, tile};
use crate::sweep::Cells;

/// What a product adds to: element (i, j) is `ptr[i·row + j·column]`, so that strides of 0 broadcast.
#[derive(Clone, Copy)]
pub struct Start {
    pub(super) ptr: *const f32,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl Start {
    /// Zero everywhere.
    pub fn zero() -> Self {
        static ZEROS: [f32; 4 * tile::WIDEST] = [0.0; 4 * tile::WIDEST];
        let ptr = ZEROS.as_ptr();
        Start { ptr, row: 0, column: 0 }
    }

    /// bias\[j\] in every row; the slice must outlive the product.
    pub fn bias(bias: Cells) -> Self {
        Start { ptr: bias.as_ptr().cast(), row: 0, column: 1 }
    }

    /// What a row-major matrix of `row` columns holds.
    pub(super) fn matrix(ptr: *const f32, row: usize) -> Self {
        Start { ptr, row, column: 1 }
    }

    /// Where C is added to itself, or not; C has n columns.
    pub(super) fn accumulate(yes: bool, c: *const f32, n: usize) -> Self {
        if yes {
            Start::matrix(c, n)
        } else {
            Start::zero()
        }
    }

    /// [`Start::accumulate`] through a slice, which must outlive the product.
    pub fn sum(yes: bool, c: Cells, n: usize) -> Self {
        Start::accumulate(yes, read(c), n)
    }

    pub(super) unsafe fn at(self, i: usize, j: usize) -> Self {
        // SAFETY: (i, j) is an element of C, and a start value exists for each.
        let ptr = unsafe { self.ptr.add(i * self.row + j * self.column) };
        Start { ptr, ..self }
    }
}

/// A strided view: element (i, j) is `ptr[i·row + j·column]`.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) ptr: *const f32,
    pub(super) row: usize,
    pub(super) column: usize,
}

impl View {
    /// Row-major, `row` columns.
    pub(super) fn matrix(ptr: *const f32, row: usize) -> Self {
        View { ptr, row, column: 1 }
    }

    /// The transpose of a row-major matrix of `row` columns.
    pub(super) fn transposed_matrix(ptr: *const f32, row: usize) -> Self {
        View::matrix(ptr, row).transposed()
    }

    pub(super) fn transposed(self) -> Self {
        View { row: self.column, column: self.row, ..self }
    }

    /// Whether the elements of a column are neighbours in memory.
    pub(super) fn is_column_major(self) -> bool {
        self.row == 1
    }

    /// Whether it is column-major, with columns a multiple of so many floats apart.
    pub(super) fn has_columns_apart_by(self, apart: usize) -> bool {
        self.is_column_major() && self.column.is_multiple_of(apart)
    }

    pub(super) unsafe fn at(self, i: usize, j: usize) -> *const f32 {
        // SAFETY: the caller stays inside the matrix.
        unsafe { self.ptr.add(i * self.row + j * self.column) }
    }

    pub(super) unsafe fn from(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller stays inside the matrix.
        let ptr = unsafe { self.at(i, j) };
        View { ptr, ..self }
    }
}

//! Operands of a product: matrices by their strides, and the start values of the sums.

use super::{read, tile};
use crate::sweep::Cells;

/// Start values of the sums: element (i, j) is `ptr[i·row_stride + j·column_stride]`, so that strides of 0 broadcast.
#[derive(Clone, Copy)]
pub struct Start {
    pub(super) ptr: *const f32,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl Start {
    /// Zero everywhere.
    pub fn zero() -> Self {
        static ZEROS: [f32; 4 * tile::WIDEST] = [0.0; 4 * tile::WIDEST];
        let ptr = ZEROS.as_ptr();
        Start { ptr, row_stride: 0, column_stride: 0 }
    }

    /// bias\[j\] in every row; the slice must outlive the product.
    pub fn bias(bias: Cells) -> Self {
        Start { ptr: bias.as_ptr().cast(), row_stride: 0, column_stride: 1 }
    }

    /// The contents of a row-major matrix with `columns` columns.
    pub(super) fn matrix(ptr: *const f32, columns: usize) -> Self {
        Start { ptr, row_stride: columns, column_stride: 1 }
    }

    /// C itself if the product is added to it, else zero; C has n columns.
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
        let ptr = unsafe { self.ptr.add(i * self.row_stride + j * self.column_stride) };
        Start { ptr, ..self }
    }
}

/// A strided view: element (i, j) is `ptr[i·row_stride + j·column_stride]`.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) ptr: *const f32,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl View {
    /// A row-major matrix with `columns` columns.
    pub(super) fn matrix(ptr: *const f32, columns: usize) -> Self {
        View { ptr, row_stride: columns, column_stride: 1 }
    }

    /// The transpose of a row-major matrix with `columns` columns.
    pub(super) fn transposed_matrix(ptr: *const f32, columns: usize) -> Self {
        View::matrix(ptr, columns).transposed()
    }

    pub(super) fn transposed(self) -> Self {
        View { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// True if the elements of a column are neighbors in memory.
    pub(super) fn is_column_major(self) -> bool {
        self.row_stride == 1
    }

    /// True if it is column-major and the distance between its columns is a multiple of `apart` floats.
    pub(super) fn has_columns_apart_by(self, apart: usize) -> bool {
        self.is_column_major() && self.column_stride.is_multiple_of(apart)
    }

    pub(super) unsafe fn at(self, i: usize, j: usize) -> *const f32 {
        // SAFETY: the caller stays inside the matrix.
        unsafe { self.ptr.add(i * self.row_stride + j * self.column_stride) }
    }

    pub(super) unsafe fn from(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller stays inside the matrix.
        let ptr = unsafe { self.at(i, j) };
        View { ptr, ..self }
    }
}

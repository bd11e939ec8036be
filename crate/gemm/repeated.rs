//! Products with one second factor, such as the weights of a recurrent layer at each step of time: it is packed once.

use super::blocked::{blocked, pack_whole, with_panels, DEPTH, ROWS};
use super::tile::{ByName, Tile, TILES};
use super::{
    direct, direct_by_depth, pack, path, read, write, Path, Product, Start, View, A_ROOM, B_ROOM, FEW_ROWS, SCRATCH,
    TILE,
};
use crate::sweep::Cells;
use core::sync::atomic::Ordering;

/// The tile of large products.
fn tile() -> &'static Tile {
    &TILES[TILE.load(Ordering::Relaxed)]
}

/// Panics unless a promise is kept. The text of an assertion would be data in the core of the module, which every program has.
fn check(kept: bool) {
    if !kept {
        unreachable!()
    }
}

/// Rows of floats at equal distances, such as the steps of one time in a batch of sequences.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// From the first float of the first row on.
    pub cells: Cells<'a>,
    /// Floats from a row to the next.
    pub stride: usize,
}

impl Rows<'_> {
    /// Panics unless there are `rows` rows of `columns` floats.
    fn check(self, rows: usize, columns: usize) {
        check(rows == 0 || columns == 0 || self.cells.len() >= (rows - 1) * self.stride + columns);
    }

    fn view(self) -> View {
        View::matrix(read(self.cells), self.stride)
    }
}

/// A factor B of products of the same number of rows.
#[derive(Clone, Copy)]
pub struct Repeated<'a> {
    k: usize,
    n: usize,
    /// Both as they were when B was packed.
    packed: [usize; 2],
    b: View,
    /// The tile of the panels of B; none if B is read as it is.
    tile: Option<&'static Tile>,
    panels: *const f32,
    scratch: Cells<'a>,
}

/// The room that factors take from scratch: some of the room for panels of B.
pub struct Room<'a> {
    scratch: Cells<'a>,
    used: usize,
    /// False if the factors together do not fit: none is copied then, as plain products overwrite the room.
    fits: bool,
}

impl<'a> Room<'a> {
    /// The room for factors that together have this number of rows and columns, or fewer.
    pub fn new(scratch: Cells<'a>, rows: usize, columns: usize) -> Self {
        check(scratch.len() >= SCRATCH);
        // each of two factors may end in a ragged panel
        Room { scratch, used: A_ROOM, fits: rows * (columns + 2 * 16) <= B_ROOM }
    }

    /// Leaves floats to plain products, which overwrite the begin of the room.
    pub fn leave(&mut self, floats: usize) {
        self.used += floats;
    }

    /// The next floats.
    fn take(&mut self, floats: usize) -> *mut f32 {
        let at = self.used;
        self.used += floats;
        write(&self.scratch[at..self.used])
    }
}

/// Floats of scratch that no product of this file overwrites, for results that are used at once: behind the panels of A.
pub fn spare(scratch: Cells) -> Cells {
    &scratch[ROWS * DEPTH..A_ROOM]
}

impl<'a> Repeated<'a> {
    /// The factor b\[k,n\], or the transpose of b\[n,k\], for products of m rows. Few rows read B in place, or a transposed copy; more rows read panels.
    pub fn new(b: Rows<'a>, is_transposed: bool, [m, k, n]: [usize; 3], room: &mut Room<'a>) -> Self {
        let (rows, columns) = if is_transposed { (n, k) } else { (k, n) };
        b.check(rows, columns);
        let view = if is_transposed { b.view().transposed() } else { b.view() };
        let plain =
            Repeated { k, n, packed: [k, n], b: view, tile: None, panels: core::ptr::null(), scratch: room.scratch };
        if !room.fits || k == 0 || n == 0 {
            return plain;
        }
        // SAFETY: B was checked, and `take` returns as many floats as it is asked for.
        unsafe {
            if m >= FEW_ROWS {
                let tile = tile();
                let panels = room.take(k * n.next_multiple_of(tile.columns));
                pack_whole(tile, view, panels, k, n);
                Repeated { tile: Some(tile), panels, ..plain }
            } else if is_transposed {
                let copy = room.take(k * n);
                pack::transpose(view, copy, k, n);
                Repeated { b: View::matrix(copy, n), ..plain }
            } else {
                plain
            }
        }
    }

    /// The first rows of B.
    pub fn rows(self, k: usize) -> Self {
        check(k <= self.k);
        Repeated { k, ..self }
    }

    /// The first columns of B.
    pub fn columns(self, n: usize) -> Self {
        check(n <= self.n);
        Repeated { n, ..self }
    }

    /// c\[m,n\] = start + a\[m,k\] · B. No row of a overlaps c.
    pub fn multiply(&self, m: usize, start: Start, a: Rows, c: Rows) {
        let &Repeated { k, n, packed, b, scratch, .. } = self;
        a.check(m, k);
        c.check(m, n);
        if m == 0 || n == 0 {
            return;
        }
        let x = Product { m, n, k, a: a.view(), b, c: write(c.cells), ldc: c.stride, start, scratch: write(scratch) };
        // SAFETY: the rows were checked; a `Start` is made of a slice of n, of c or of zeros.
        unsafe {
            match self.tile {
                Some(tile) => with_panels::<ByName>(tile, &x, self.panels, packed),
                None if b.column_stride == 1 && m < FEW_ROWS => direct(&x),
                None => blocked::<ByName>(tile(), &x),
            }
        }
    }

    /// c\[m,n\] += a\[m,k\] · B.
    pub fn add(&self, m: usize, a: Rows, c: Rows) {
        self.multiply(m, Start::matrix(read(c.cells), c.stride), a, c);
    }
}

/// c\[m,n\] = aᵀ · b (+ c), of a\[k,m\] and b\[k,n\].
pub fn first_transposed([a, b, c]: [Rows; 3], [m, n, k]: [usize; 3], accumulate: bool, scratch: Cells) {
    a.check(k, m);
    b.check(k, n);
    c.check(m, n);
    check(scratch.len() >= SCRATCH);
    let to = write(c.cells);
    let start = if accumulate { Start::matrix(to, c.stride) } else { Start::zero() };
    let a = a.view().transposed();
    let x = Product { m, n, k, a, b: b.view(), c: to, ldc: c.stride, start, scratch: write(scratch) };
    if m > 0 && n > 0 {
        // SAFETY: all three were checked.
        unsafe {
            match path(&x, tile()) {
                Path::Blocked => blocked::<ByName>(tile(), &x),
                _ => direct_by_depth(&x),
            }
        }
    }
}

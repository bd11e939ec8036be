//! Matrix products: C ← A·B, A·Bᵀ or Aᵀ·B, plus a start value (zero, a bias row, or C itself).
//!
//! Every element of C is one running sum over k in ascending order, from its start value, whatever the tile, the
//! blocking or the path. So all of them give the same bits, and a caller may choose by speed alone. Ragged edges run
//! the same vector tile: columns are padded (with zeros, in a panel or a buffer of their own), rows repeat the last one.
//!
//! Two paths: [`direct`] reads B where it lies and suits few rows or a short k; [`blocked`] copies B into panels that a
//! tile walks contiguously, in blocks that fit the caches (Goto & van de Geijn 2008). A is read in place unless it is
//! walked down its columns, where a power-of-two stride would fall on a few cache sets.
//!
//! The tile loads all its start values, then runs over k, then stores: in that shape V8 can widen vector pairs to 256 bits.
#![allow(unsafe_code)]

use crate::lane::{F32x4, Lane};
use core::array::from_fn;
use core::sync::atomic::{AtomicU32, Ordering};

/// Floats of scratch that every product may overwrite (SCRATCH_BYTES of ts/backend/kernels.ts).
pub const SCRATCH: usize = 1 << 18;
/// The parts of scratch for panels of A and of B.
const A_ROOM: usize = 1 << 16;
const B_ROOM: usize = SCRATCH - A_ROOM;
/// Rows of A per block: with [`DEPTH`] columns they fit a second-level cache.
const ROWS: usize = 120;
/// Longest stretch of k per block: a panel of B and the rows of a tile fit a first-level cache.
const DEPTH: usize = 512;
/// B is read in place for fewer rows than this, or where all of it is small enough for the first-level cache.
const FEW: usize = 24;
const SMALL: usize = 1 << 13;
/// Up to this many columns of C do not repay the copy of A.
const NARROW: usize = 24;
/// Vectors in the widest tile.
const WIDEST: usize = 8;

/// What a product adds to: element (i, j) is `ptr[i·row + j·column]`, so that strides of 0 broadcast.
#[derive(Clone, Copy)]
pub struct Start {
    ptr: *const f32,
    row: usize,
    column: usize,
}

impl Start {
    /// Zero everywhere.
    pub fn zero() -> Self {
        static ZEROS: [f32; 4 * WIDEST] = [0.0; 4 * WIDEST];
        Start {
            ptr: ZEROS.as_ptr(),
            row: 0,
            column: 0,
        }
    }

    /// bias\[j\] in every row.
    pub fn bias(bias: *const f32) -> Self {
        Start {
            ptr: bias,
            row: 0,
            column: 1,
        }
    }

    /// What a row-major matrix of `n` columns holds.
    pub fn matrix(c: *const f32, n: usize) -> Self {
        Start {
            ptr: c,
            row: n,
            column: 1,
        }
    }

    unsafe fn at(self, i: usize, j: usize) -> Self {
        // SAFETY: (i, j) is an element of C, and a start value exists for each.
        let ptr = unsafe { self.ptr.add(i * self.row + j * self.column) };
        Start { ptr, ..self }
    }
}

/// A strided view: element (i, j) is `ptr[i·row + j·column]`.
#[derive(Clone, Copy)]
struct View {
    ptr: *const f32,
    row: usize,
    column: usize,
}

impl View {
    unsafe fn at(self, i: usize, j: usize) -> *const f32 {
        // SAFETY: the caller stays inside the matrix.
        unsafe { self.ptr.add(i * self.row + j * self.column) }
    }

    unsafe fn from(self, i: usize, j: usize) -> Self {
        // SAFETY: the caller stays inside the matrix.
        let ptr = unsafe { self.at(i, j) };
        View { ptr, ..self }
    }
}

/// c\[m,n\] = start + a\[m,k\] · b\[k,n\]; rows of c are `ldc` apart.
#[derive(Clone, Copy)]
struct Product {
    m: usize,
    n: usize,
    k: usize,
    a: View,
    b: View,
    c: *mut f32,
    ldc: usize,
    start: Start,
    scratch: *mut f32,
}

static TILE: AtomicU32 = AtomicU32::new(0);

/// Chooses the tile of large products: 0 is 4×8 (best with 128-bit registers), 1 is 4×16, 2 is 5×16 (best when the
/// engine widens to 256 bits). All give the same bits.
pub fn set_tile(tile: u32) {
    TILE.store(tile, Ordering::Relaxed);
}

/// c\[m,n\] = a\[m,k\] · b\[k,n\] (+ c).
///
/// # Safety
/// Pointers are valid for their matrices, `scratch` for [`SCRATCH`] floats; c overlaps nothing else.
pub unsafe fn matmul(
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    m: usize,
    n: usize,
    k: usize,
    accumulate: bool,
    scratch: *mut f32,
) {
    let start = if accumulate {
        Start::matrix(c, n)
    } else {
        Start::zero()
    };
    // SAFETY: the caller's promise.
    unsafe { matmul_from(start, a, b, c, m, n, k, scratch) }
}

/// c\[m,n\] = start\[m,n\] + a\[m,k\] · b\[k,n\].
///
/// # Safety
/// As [`matmul`]; `start` is valid for m × n elements, and may be c itself.
pub unsafe fn matmul_from(
    start: Start,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    m: usize,
    n: usize,
    k: usize,
    scratch: *mut f32,
) {
    let a = View {
        ptr: a,
        row: k,
        column: 1,
    };
    let b = View {
        ptr: b,
        row: n,
        column: 1,
    };
    // SAFETY: the caller's promise.
    unsafe {
        product(Product {
            m,
            n,
            k,
            a,
            b,
            c,
            ldc: n,
            start,
            scratch,
        })
    }
}

/// c\[m,n\] = a\[m,k\] · b\[n,k\]ᵀ (+ c).
///
/// # Safety
/// As [`matmul`].
pub unsafe fn matmul_nt(
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    m: usize,
    n: usize,
    k: usize,
    accumulate: bool,
    scratch: *mut f32,
) {
    let start = if accumulate {
        Start::matrix(c, n)
    } else {
        Start::zero()
    };
    let a = View {
        ptr: a,
        row: k,
        column: 1,
    };
    let b = View {
        ptr: b,
        row: 1,
        column: k,
    };
    // SAFETY: the caller's promise.
    unsafe {
        product(Product {
            m,
            n,
            k,
            a,
            b,
            c,
            ldc: n,
            start,
            scratch,
        })
    }
}

/// c\[m,n\] = a\[k,m\]ᵀ · b\[k,n\] (+ c).
///
/// # Safety
/// As [`matmul`].
pub unsafe fn matmul_tn(
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    m: usize,
    n: usize,
    k: usize,
    accumulate: bool,
    scratch: *mut f32,
) {
    let start = if accumulate {
        Start::matrix(c, n)
    } else {
        Start::zero()
    };
    let a = View {
        ptr: a,
        row: 1,
        column: m,
    };
    let b = View {
        ptr: b,
        row: n,
        column: 1,
    };
    // SAFETY: the caller's promise.
    unsafe {
        product(Product {
            m,
            n,
            k,
            a,
            b,
            c,
            ldc: n,
            start,
            scratch,
        })
    }
}

/// Picks the path and the tile by shape.
unsafe fn product(x: Product) {
    if x.m == 0 || x.n == 0 {
        return;
    }
    let in_place = x.b.column == 1 && (x.m < FEW || x.n * x.k <= SMALL);
    // SAFETY: `x` describes valid matrices, and both paths stay inside them.
    unsafe {
        match x.n {
            _ if in_place && x.m == 1 => rest(x, direct::<1, 8>(x)),
            _ if in_place => rest(x, direct::<2, 4>(x)),
            _ => panels(x),
        }
    }
}

/// The columns of `x` from `done` on.
unsafe fn rest(x: Product, done: usize) {
    if done < x.n {
        // SAFETY: `done` is a column of the product.
        unsafe {
            panels(Product {
                n: x.n - done,
                b: x.b.from(0, done),
                c: x.c.add(done),
                start: x.start.at(0, done),
                ..x
            })
        }
    }
}

unsafe fn panels(x: Product) {
    // SAFETY: as in `product`.
    unsafe {
        match (x.n, TILE.load(Ordering::Relaxed)) {
            (9..=12, _) => blocked::<3, 3>(x),
            (13.., 1) => blocked::<4, 4>(x),
            (13.., 2) => blocked::<5, 4>(x),
            _ => blocked::<4, 2>(x),
        }
    }
}

/// Runs the full strips of NV vectors with B in place, all of k at once; returns how many columns that covered.
unsafe fn direct<const MR: usize, const NV: usize>(x: Product) -> usize {
    let width = x.n - x.n % (4 * NV);
    if width == 0 {
        return 0;
    }
    for (i, _) in blocks(x.m, MR) {
        for (j, _) in blocks(width, 4 * NV) {
            // SAFETY: i < m and j + 4·NV ≤ n.
            unsafe {
                let a = rows::<MR>(x.a.from(i, 0), x.m - i);
                let c = x.c.add(i * x.ldc + j);
                tile::<MR, NV>(
                    x.k,
                    a,
                    x.a.column,
                    x.b.at(0, j),
                    x.b.row,
                    x.start.at(i, j),
                    c,
                    x.ldc,
                    x.m - i,
                );
            }
        }
    }
    width
}

/// Runs all of a product on packed panels of B.
unsafe fn blocked<const MR: usize, const NV: usize>(x: Product) {
    let depth = even(x.k, DEPTH * 2 / NV.max(2));
    let width = B_ROOM / (depth.max(1) * 4 * NV) * 4 * NV;
    for (j, n) in blocks(x.n, width) {
        for (p, k) in blocks(x.k, depth) {
            // SAFETY: (p, j) is inside B, (0, j) inside C; the block's panels fit their room by the choice of `width`.
            unsafe {
                let c = x.c.add(j);
                let start = if p == 0 {
                    x.start.at(0, j)
                } else {
                    Start::matrix(c, x.ldc)
                };
                let block = Product {
                    n,
                    k,
                    a: x.a.from(0, p),
                    b: x.b.from(p, j),
                    c,
                    start,
                    ..x
                };
                pack_b::<NV>(&block);
                row_blocks::<MR, NV>(block);
            }
        }
    }
}

/// The length of equal blocks of at most `most` that cover `total`, a multiple of 4 where there is more than one.
fn even(total: usize, most: usize) -> usize {
    let blocks = total.div_ceil(most).max(1);
    if blocks == 1 {
        total
    } else {
        total.div_ceil(blocks).next_multiple_of(4)
    }
}

/// (offset, length) of consecutive blocks of `size` that cover `total`; one empty block where there is nothing to cover.
#[inline(always)]
fn blocks(total: usize, size: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut next = Some(0);
    core::iter::from_fn(move || {
        let at = next?;
        let length = size.min(total - at);
        next = Some(at + length).filter(|&end| end < total);
        Some((at, length))
    })
}

/// One block of B, already packed, times all rows of A.
unsafe fn row_blocks<const MR: usize, const NV: usize>(x: Product) {
    for (i, m) in blocks(x.m, ROWS) {
        // SAFETY: row i is inside A and C.
        unsafe {
            let part = Product {
                m,
                a: x.a.from(i, 0),
                c: x.c.add(i * x.ldc),
                start: x.start.at(i, 0),
                ..x
            };
            if x.a.column == 1 || x.n <= NARROW {
                strips::<MR, NV, false>(part);
            } else {
                pack_a::<MR>(&part);
                strips::<MR, NV, true>(part);
            }
        }
    }
}

/// Every tile of one block: strips of columns outside, so that a panel of B stays in the first-level cache.
unsafe fn strips<const MR: usize, const NV: usize, const PACKED: bool>(x: Product) {
    for (j, columns_left) in blocks(x.n, 4 * NV) {
        for (i, rows_left) in blocks(x.m, MR) {
            // SAFETY: (i, j) is inside C; the panels were packed for this block.
            unsafe {
                let b = x.scratch.add(A_ROOM + j * x.k);
                let start = x.start.at(i, j);
                let c = x.c.add(i * x.ldc + j);
                let panel = View {
                    ptr: x.scratch.add(i * x.k),
                    row: 1,
                    column: MR,
                };
                let a = if PACKED { panel } else { x.a.from(i, 0) };
                if columns_left == 4 * NV {
                    panel_tile::<MR, NV, PACKED>(x.k, a, b, start, c, x.ldc, rows_left);
                } else {
                    edge_tile::<MR, NV, PACKED>(
                        x.k,
                        a,
                        b,
                        start,
                        c,
                        x.ldc,
                        rows_left,
                        columns_left,
                    );
                }
            }
        }
    }
}

/// Pointers to the MR rows at the top of `a`; past `count` they repeat the last row, whose sums are then stored twice.
#[inline(always)]
unsafe fn rows<const MR: usize>(a: View, count: usize) -> [*const f32; MR] {
    // SAFETY: rows below `count` exist.
    from_fn(|i| unsafe { a.at(i.min(count - 1), 0) })
}

/// A tile on a panel of B, with rows of A in place or in a panel.
#[inline(never)]
unsafe fn panel_tile<const MR: usize, const NV: usize, const PACKED: bool>(
    k: usize,
    a: View,
    b: *const f32,
    start: Start,
    c: *mut f32,
    ldc: usize,
    count: usize,
) {
    // SAFETY: the caller's promise: panels of k steps, `count` rows of A and C.
    unsafe {
        if PACKED {
            tile::<MR, NV>(
                k,
                from_fn(|i| a.ptr.add(i)),
                MR,
                b,
                4 * NV,
                start,
                c,
                ldc,
                count,
            );
        } else {
            tile::<MR, NV>(
                k,
                rows::<MR>(a, count),
                a.column,
                b,
                4 * NV,
                start,
                c,
                ldc,
                count,
            );
        }
    }
}

/// [`panel_tile`] for the last `columns` of C: in a buffer of whole vectors, of which the valid part is copied.
#[cold]
#[inline(never)]
unsafe fn edge_tile<const MR: usize, const NV: usize, const PACKED: bool>(
    k: usize,
    a: View,
    b: *const f32,
    start: Start,
    c: *mut f32,
    ldc: usize,
    count: usize,
    columns: usize,
) {
    let mut buffer = [[[0.0f32; 4]; NV]; MR];
    let whole = buffer.as_mut_ptr().cast::<f32>();
    // SAFETY: `count` rows of C and of the start values have `columns` elements, fewer than a row of the buffer.
    unsafe {
        for i in 0..count {
            copy::<NV>(start.at(i, 0).ptr, whole.add(i * 4 * NV), columns);
        }
        panel_tile::<MR, NV, PACKED>(k, a, b, Start::matrix(whole, 4 * NV), whole, 4 * NV, count);
        for i in 0..count {
            copy::<NV>(whole.add(i * 4 * NV), c.add(i * ldc), columns);
        }
    }
}

/// Copies n ≤ 4·NV floats. Unrolled: the compiler would make a loop a call of memcpy, which costs more than the copy.
#[inline(always)]
unsafe fn copy<const NV: usize>(from: *const f32, to: *mut f32, n: usize) {
    // SAFETY: n floats are there, and room for as many.
    unsafe {
        for v in 0..NV {
            if 4 * v + 4 <= n {
                F32x4::load_ptr(from.add(4 * v)).store_ptr(to.add(4 * v));
            }
        }
        let whole = n - n % 4;
        for r in 0..3 {
            if whole + r < n {
                *to.add(whole + r) = *from.add(whole + r);
            }
        }
    }
}

/// c\[i,j\] = start\[i,j\] + Σ_p a\[i\]\[p·step\] · b\[p·ldb + j\], for MR rows and NV vectors of columns. Rows from `count` on
/// repeat the last one.
#[inline(always)]
unsafe fn tile<const MR: usize, const NV: usize>(
    k: usize,
    a: [*const f32; MR],
    step: usize,
    b: *const f32,
    ldb: usize,
    start: Start,
    c: *mut f32,
    ldc: usize,
    count: usize,
) {
    // SAFETY: the caller's promise: `count` rows of start and C with 4·NV columns, k steps of A and B.
    unsafe {
        let first: [*const f32; MR] = from_fn(|i| start.ptr.add(i.min(count - 1) * start.row));
        let mut sum: [[F32x4; NV]; MR] =
            from_fn(|i| from_fn(|v| F32x4::load_ptr(first[i].add(4 * v))));
        let (mut a, mut b) = (a, b);
        for _ in 0..k {
            step_k(&mut sum, a, 0, b);
            a = a.map(|a| a.add(step));
            b = b.add(ldb);
        }
        for (i, row) in sum.iter().enumerate() {
            let c = c.add(i.min(count - 1) * ldc);
            for (v, s) in row.iter().enumerate() {
                s.store_ptr(c.add(4 * v));
            }
        }
    }
}

/// One step of k: sum\[i\] += a\[i\]\[offset\] · b.
#[inline(always)]
unsafe fn step_k<const MR: usize, const NV: usize>(
    sum: &mut [[F32x4; NV]; MR],
    a: [*const f32; MR],
    offset: usize,
    b: *const f32,
) {
    // SAFETY: the caller stays inside k.
    unsafe {
        let b: [F32x4; NV] = from_fn(|v| F32x4::load_ptr(b.add(4 * v)));
        for i in 0..MR {
            let a = F32x4::load_splat(a[i].add(offset));
            for v in 0..NV {
                sum[i][v] = a.mul_add(b[v], sum[i][v]);
            }
        }
    }
}

/// Copies a block of B into panels of 4·NV columns, k steps each. What pads a ragged panel is never stored in C.
unsafe fn pack_b<const NV: usize>(x: &Product) {
    for (j, columns) in blocks(x.n, 4 * NV) {
        // SAFETY: the panel lies in its room of scratch; columns j.. exist. A whole vector that starts inside a row of B
        // and ends past it is still inside B, unless the row is among the last few.
        unsafe {
            let panel = x.scratch.add(A_ROOM + j * x.k);
            let from = x.b.from(0, j);
            let padding = 4 * NV - columns;
            let done = match from.column {
                1 => copy_rows::<NV>(from, panel, x.k.saturating_sub(padding.div_ceil(from.row))),
                _ if padding == 0 => copy_columns::<NV>(from, panel, x.k / 4 * 4),
                _ => 0,
            };
            gather(
                from.from(done, 0),
                panel.add(done * 4 * NV),
                x.k - done,
                4 * NV,
                columns,
            );
        }
    }
}

/// panel\[p,j\] = b\[p,j\] where columns of b are contiguous: transposes 4×4 squares. k is a multiple of 4, and the result.
#[inline(always)]
unsafe fn copy_columns<const NV: usize>(b: View, panel: *mut f32, k: usize) -> usize {
    for p in (0..k).step_by(4) {
        for v in 0..NV {
            // SAFETY: columns 4·v.. of b have k rows; the panel has k rows of 4·NV.
            unsafe {
                let columns: [[f32; 4]; 4] =
                    from_fn(|j| b.at(p, 4 * v + j).cast::<[f32; 4]>().read_unaligned());
                for q in 0..4 {
                    let row = columns.map(|column| column[q]);
                    panel
                        .add(((p + q) * NV + v) * 4)
                        .cast::<[f32; 4]>()
                        .write_unaligned(row);
                }
            }
        }
    }
    k
}

/// panel\[p,:\] = b\[p,:\] in whole vectors; the result is k.
#[inline(always)]
unsafe fn copy_rows<const NV: usize>(b: View, panel: *mut f32, k: usize) -> usize {
    for p in 0..k {
        // SAFETY: row p has 4·NV columns, and so has the panel.
        unsafe {
            let row: [F32x4; NV] = from_fn(|v| F32x4::load_ptr(b.at(p, 4 * v)));
            for (v, value) in row.iter().enumerate() {
                value.store_ptr(panel.add((p * NV + v) * 4));
            }
        }
    }
    k
}

/// panel\[p,j\] = b\[p,j\] for j < columns, else 0.
unsafe fn gather(b: View, panel: *mut f32, k: usize, width: usize, columns: usize) {
    for p in 0..k {
        for j in 0..width {
            // SAFETY: j < columns where b is read, j < width in the panel.
            unsafe { *panel.add(p * width + j) = if j < columns { *b.at(p, j) } else { 0.0 } }
        }
    }
}

/// Copies a block of A, walked down its columns, into panels of MR rows, interleaved by k; a ragged panel repeats its last row.
unsafe fn pack_a<const MR: usize>(x: &Product) {
    for (i, rows) in blocks(x.m, MR) {
        for p in 0..x.k {
            // SAFETY: rows i.. exist and lie side by side; the panel lies in its room of scratch.
            unsafe {
                let (from, to) = (x.a.at(i, p), x.scratch.add(i * x.k + p * MR));
                copy::<2>(from, to, rows);
                for r in rows..MR {
                    *to.add(r) = *from.add(rows - 1);
                }
            }
        }
    }
}

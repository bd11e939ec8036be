//! Softmax and its logarithm over rows, shifted by the row's largest value so that nothing overflows.

use crate::elementwise::Mul;
use crate::lane::Lane;
use crate::math::exp_down;
use crate::precise::ln_single;
use crate::reduce::{line_max, line_sum};
use crate::sweep::{map, total, zip, Cells, Map, Zip};

/// x·scale
struct Scale(f32);

impl Map for Scale {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        x * L::splat(self.0)
    }
}

/// x − shift
struct Shift(f32);

impl Map for Shift {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L) -> L {
        x - L::splat(self.0)
    }
}

/// exp(x − shift)
struct ExpShifted(f32);

impl Zip for ExpShifted {
    #[inline(always)]
    fn apply<L: Lane>(&self, x: L, _: L) -> L {
        exp_down(x - L::splat(self.0))
    }
}

/// Σ exp(x − shift); if y is given, the terms are written to it.
pub fn exp_sum(x: Cells, shift: f32, y: Option<Cells>) -> f32 {
    match y {
        Some(y) => {
            zip(ExpShifted(shift), x, x, y);
            line_sum(y)
        }
        None => total(&ExpShifted(shift), x, x),
    }
}

/// y = exp(x) / Σ exp(x), row by row
pub fn softmax(x: Cells, y: Cells, cols: usize) {
    for (x, y) in x.chunks_exact(cols.max(1)).zip(y.chunks_exact(cols.max(1))) {
        let sum = exp_sum(x, line_max(x), Some(y));
        map(Scale(1.0 / sum), y, y);
    }
}

/// y = x − log Σ exp(x), row by row
pub fn log_softmax(x: Cells, y: Cells, cols: usize) {
    for (x, y) in x.chunks_exact(cols.max(1)).zip(y.chunks_exact(cols.max(1))) {
        let max = line_max(x);
        let log = ln_single(exp_sum(x, max, None));
        // x − max is computed first, as max and the logarithm may differ much in size, and digits would be lost
        map(Shift(max), x, y);
        map(Shift(log), y, y);
    }
}

/// y·(dy − dot)
struct Centered(f32);

impl Zip for Centered {
    #[inline(always)]
    fn apply<L: Lane>(&self, y: L, dy: L) -> L {
        y * (dy - L::splat(self.0))
    }
}

/// dx = y ⊙ (dy − Σ dy ⊙ y), row by row
pub fn softmax_backward(y: Cells, dy: Cells, dx: Cells, cols: usize) {
    let cols = cols.max(1);
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact(cols)) {
        zip(Centered(total(&Mul, y, dy)), y, dy, dx);
    }
}

/// dy − exp(y)·sum
struct Uncentered(f32);

impl Zip for Uncentered {
    #[inline(always)]
    fn apply<L: Lane>(&self, y: L, dy: L) -> L {
        dy - exp_down(y) * L::splat(self.0)
    }
}

/// dx = dy − exp(y)·Σ dy, row by row
pub fn log_softmax_backward(y: Cells, dy: Cells, dx: Cells, cols: usize) {
    let cols = cols.max(1);
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact(cols)) {
        zip(Uncentered(line_sum(dy)), y, dy, dx);
    }
}

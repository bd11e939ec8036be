//! The kinds of recurrent layers: the products of a step, and the formulas of its gates.

use super::{
    at, carried, counts, each, factor, rows_of, start, transposed_factor, Backward, Forward, Kind, Next, Pass, Scan,
};
use crate::gemm::{Repeated, Room};
use crate::lane::Lane;
use crate::math::{sigmoid, tanh};
use crate::sweep::Cells;

/// Cells of a part of a row.
fn part(x: Cells, units: usize, index: usize) -> Cells {
    &x[index * units..][..units]
}

/// dy·f′ of tanh, from its output.
#[inline(always)]
fn tanh_gradient<L: Lane>(y: L, dy: L) -> L {
    dy * (L::splat(1.0) - y * y)
}

/// dy·f′ of the sigmoid, from its output.
#[inline(always)]
fn sigmoid_gradient<L: Lane>(y: L, dy: L) -> L {
    dy * y * (L::splat(1.0) - y)
}

/// Calls f with each row whose step counts.
#[inline(always)]
fn counted(mask: Option<Cells>, scan: &Scan, t: usize, f: impl Fn(usize)) {
    for row in 0..scan.rows {
        if counts(mask, scan, row, t) {
            f(row);
        }
    }
}

/// h′ = tanh(z + h·U)
pub struct Simple;

struct SimpleForward<'a> {
    z: Cells<'a>,
    next: Cells<'a>,
}
impl Pass for SimpleForward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let h = tanh(L::get(&self.z[i..]));
        h.set(&self.z[i..]);
        h.set(&self.next[i..]);
    }
}

struct SimpleBackward<'a> {
    z: Cells<'a>,
    dz: Cells<'a>,
    carry: Cells<'a>,
}
impl Pass for SimpleBackward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        tanh_gradient(L::get(&self.z[i..]), L::get(&self.carry[i..])).set(&self.dz[i..]);
        L::splat(0.0).set(&self.carry[i..]);
    }
}

impl Kind for Simple {
    const GATES: usize = 1;
    const STATE: usize = 1;
    const SAVED: usize = 1;
    const EXTRA: usize = 0;
    type Factors<'a> = Repeated<'a>;

    fn factors<'a>(f: &Forward<'a>) -> Repeated<'a> {
        factor(f, 1, 0, 1, &mut Room::new(f.scratch, f.scan.units, f.scan.units))
    }

    fn forward(f: &Forward, u: &Repeated, t: usize, next: &Next) {
        let Scan { rows, units, .. } = f.scan;
        u.add(rows, rows_of(f.saved, &f.scan, 1, t, 0), rows_of(f.z, &f.scan, 1, t, 0));
        counted(f.mask, &f.scan, t, |row| {
            let z = at(f.z, &f.scan, 1, row, t);
            each(units, SimpleForward { z, next: &next.row(row)[..units] });
        });
    }

    fn transposed<'a>(b: &Backward<'a>) -> Repeated<'a> {
        transposed_factor(b, 1, 0, 1, &mut Room::new(b.scratch, b.scan.units, b.scan.units))
    }

    fn backward(b: &Backward, u: &Repeated, t: usize) {
        let Scan { rows, units, .. } = b.scan;
        counted(b.mask, &b.scan, t, |row| {
            let (z, dz) = (at(b.z, &b.scan, 1, row, t), at(b.dz, &b.scan, 1, row, t));
            each(units, SimpleBackward { z, dz, carry: part(b.carry, units, row) });
        });
        u.add(rows, rows_of(b.dz, &b.scan, 1, t, 0), carried(b, 1));
    }
}

/// The products of a GRU: with the columns of both gates, and with those of the candidate.
pub struct Gates<'a> {
    gates: Repeated<'a>,
    candidate: Repeated<'a>,
}

fn gru_factors<'a>(f: &Forward<'a>) -> Gates<'a> {
    let mut room = Room::new(f.scratch, f.scan.units, 3 * f.scan.units);
    Gates { gates: factor(f, 3, 0, 2, &mut room), candidate: factor(f, 3, 2, 1, &mut room) }
}

fn gru_transposed<'a>(b: &Backward<'a>) -> Gates<'a> {
    // Uᵀ has 3 · units rows of units columns: both factors round their columns up
    let mut room = Room::new(b.scratch, 3 * b.scan.units, b.scan.units);
    Gates { gates: transposed_factor(b, 3, 0, 2, &mut room), candidate: transposed_factor(b, 3, 2, 1, &mut room) }
}

/// r, z = σ(gates), n = tanh(z_n + r ⊙ q), q = h·U_n + b, h′ = n + z ⊙ (h − n): the reset after the product.
pub struct GruAfter;

struct GruAfterForward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    next: Cells<'a>,
    units: usize,
}
impl Pass for GruAfterForward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &GruAfterForward { z, saved, next, units } = self;
        let r = sigmoid(L::get(&z[i..]));
        r.set(&z[i..]);
        let n = tanh(r.mul_add(L::get(&saved[units + i..]), L::get(&z[2 * units + i..])));
        n.set(&z[2 * units + i..]);
        let update = sigmoid(L::get(&z[units + i..]));
        update.set(&z[units + i..]);
        update.mul_add(L::get(&saved[i..]) - n, n).set(&next[i..]);
    }
}

struct GruAfterBackward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    dz: Cells<'a>,
    dq: Cells<'a>,
    carry: Cells<'a>,
    units: usize,
}
impl Pass for GruAfterBackward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &GruAfterBackward { z, saved, dz, dq, carry, units } = self;
        let [r, update, n] = [0, 1, 2].map(|g| L::get(&z[g * units + i..]));
        let (h, q, dh) = (L::get(&saved[i..]), L::get(&saved[units + i..]), L::get(&carry[i..]));
        let dn = tanh_gradient(n, dh * (L::splat(1.0) - update));
        sigmoid_gradient(r, dn * q).set(&dz[i..]);
        sigmoid_gradient(update, dh * (h - n)).set(&dz[units + i..]);
        dn.set(&dz[2 * units + i..]);
        (dn * r).set(&dq[i..]);
        (dh * update).set(&carry[i..]);
    }
}

impl Kind for GruAfter {
    const GATES: usize = 3;
    const STATE: usize = 1;
    const SAVED: usize = 2;
    const EXTRA: usize = 1;
    type Factors<'a> = Gates<'a>;

    fn factors<'a>(f: &Forward<'a>) -> Gates<'a> {
        gru_factors(f)
    }

    fn forward(f: &Forward, u: &Gates, t: usize, next: &Next) {
        let Scan { rows, units, .. } = f.scan;
        let h = rows_of(f.saved, &f.scan, 2, t, 0);
        u.gates.add(rows, h, rows_of(f.z, &f.scan, 3, t, 0));
        u.candidate.multiply(rows, start(f.b), h, rows_of(f.saved, &f.scan, 2, t, 1));
        counted(f.mask, &f.scan, t, |row| {
            let (z, saved) = (at(f.z, &f.scan, 3, row, t), at(f.saved, &f.scan, 2, row, t));
            each(units, GruAfterForward { z, saved, next: &next.row(row)[..units], units });
        });
    }

    fn transposed<'a>(b: &Backward<'a>) -> Gates<'a> {
        gru_transposed(b)
    }

    fn backward(b: &Backward, u: &Gates, t: usize) {
        let Scan { rows, units, .. } = b.scan;
        counted(b.mask, &b.scan, t, |row| {
            let (z, saved) = (at(b.z, &b.scan, 3, row, t), at(b.saved, &b.scan, 2, row, t));
            let (dz, dq) = (at(b.dz, &b.scan, 3, row, t), at(b.dq, &b.scan, 1, row, t));
            each(units, GruAfterBackward { z, saved, dz, dq, carry: part(b.carry, units, row), units });
        });
        u.gates.add(rows, rows_of(b.dz, &b.scan, 3, t, 0), carried(b, 1));
        u.candidate.add(rows, rows_of(b.dq, &b.scan, 1, t, 0), carried(b, 1));
    }
}

/// r, z = σ(gates), n = tanh(z_n + q·U_n), q = r ⊙ h, h′ = n + z ⊙ (h − n): the reset before the product.
pub struct GruBefore;

struct ResetForward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    units: usize,
}
impl Pass for ResetForward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &ResetForward { z, saved, units } = self;
        let (r, update) = (sigmoid(L::get(&z[i..])), sigmoid(L::get(&z[units + i..])));
        r.set(&z[i..]);
        update.set(&z[units + i..]);
        (r * L::get(&saved[i..])).set(&saved[units + i..]);
    }
}

struct CandidateForward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    next: Cells<'a>,
    units: usize,
}
impl Pass for CandidateForward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &CandidateForward { z, saved, next, units } = self;
        let n = tanh(L::get(&z[2 * units + i..]));
        n.set(&z[2 * units + i..]);
        L::get(&z[units + i..]).mul_add(L::get(&saved[i..]) - n, n).set(&next[i..]);
    }
}

struct CandidateBackward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    dz: Cells<'a>,
    carry: Cells<'a>,
    units: usize,
}
impl Pass for CandidateBackward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &CandidateBackward { z, saved, dz, carry, units } = self;
        let (update, n) = (L::get(&z[units + i..]), L::get(&z[2 * units + i..]));
        let (h, dh) = (L::get(&saved[i..]), L::get(&carry[i..]));
        sigmoid_gradient(update, dh * (h - n)).set(&dz[units + i..]);
        tanh_gradient(n, dh * (L::splat(1.0) - update)).set(&dz[2 * units + i..]);
        (dh * update).set(&carry[i..]);
    }
}

/// `dq` has the gradient of r ⊙ h.
struct ResetBackward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    dz: Cells<'a>,
    dq: Cells<'a>,
    carry: Cells<'a>,
}
impl Pass for ResetBackward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &ResetBackward { z, saved, dz, dq, carry } = self;
        let (r, dq) = (L::get(&z[i..]), L::get(&dq[i..]));
        sigmoid_gradient(r, dq * L::get(&saved[i..])).set(&dz[i..]);
        dq.mul_add(r, L::get(&carry[i..])).set(&carry[i..]);
    }
}

impl Kind for GruBefore {
    const GATES: usize = 3;
    const STATE: usize = 1;
    const SAVED: usize = 2;
    const EXTRA: usize = 1;
    type Factors<'a> = Gates<'a>;

    fn factors<'a>(f: &Forward<'a>) -> Gates<'a> {
        gru_factors(f)
    }

    fn forward(f: &Forward, u: &Gates, t: usize, next: &Next) {
        let Scan { rows, units, .. } = f.scan;
        u.gates.add(rows, rows_of(f.saved, &f.scan, 2, t, 0), rows_of(f.z, &f.scan, 3, t, 0));
        for row in 0..rows {
            let (z, saved) = (at(f.z, &f.scan, 3, row, t), at(f.saved, &f.scan, 2, row, t));
            each(units, ResetForward { z, saved, units });
        }
        u.candidate.add(rows, rows_of(f.saved, &f.scan, 2, t, 1), rows_of(f.z, &f.scan, 3, t, 2));
        counted(f.mask, &f.scan, t, |row| {
            let (z, saved) = (at(f.z, &f.scan, 3, row, t), at(f.saved, &f.scan, 2, row, t));
            each(units, CandidateForward { z, saved, next: &next.row(row)[..units], units });
        });
    }

    fn transposed<'a>(b: &Backward<'a>) -> Gates<'a> {
        gru_transposed(b)
    }

    fn backward(b: &Backward, u: &Gates, t: usize) {
        let Scan { rows, units, .. } = b.scan;
        counted(b.mask, &b.scan, t, |row| {
            let (z, saved) = (at(b.z, &b.scan, 3, row, t), at(b.saved, &b.scan, 2, row, t));
            let dz = at(b.dz, &b.scan, 3, row, t);
            each(units, CandidateBackward { z, saved, dz, carry: part(b.carry, units, row), units });
        });
        let dq = rows_of(b.dq, &b.scan, 1, t, 0);
        u.candidate.multiply(rows, start(None), rows_of(b.dz, &b.scan, 3, t, 2), dq);
        counted(b.mask, &b.scan, t, |row| {
            let (z, saved) = (at(b.z, &b.scan, 3, row, t), at(b.saved, &b.scan, 2, row, t));
            let (dz, dq) = (at(b.dz, &b.scan, 3, row, t), at(b.dq, &b.scan, 1, row, t));
            each(units, ResetBackward { z, saved, dz, dq, carry: part(b.carry, units, row) });
        });
        u.gates.add(rows, rows_of(b.dz, &b.scan, 3, t, 0), carried(b, 1));
    }
}

/// i, f, o = σ(gates), g = tanh(gate), c′ = f ⊙ c + i ⊙ g, h′ = o ⊙ tanh(c′). Gates are in the order i, f, g, o.
pub struct Lstm;

struct LstmForward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    next: Cells<'a>,
    units: usize,
}
impl Pass for LstmForward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &LstmForward { z, saved, next, units } = self;
        let input = sigmoid(L::get(&z[i..]));
        input.set(&z[i..]);
        let g = tanh(L::get(&z[2 * units + i..]));
        g.set(&z[2 * units + i..]);
        let forget = sigmoid(L::get(&z[units + i..]));
        forget.set(&z[units + i..]);
        let c = forget.mul_add(L::get(&saved[units + i..]), input * g);
        c.set(&next[units + i..]);
        let squashed = tanh(c);
        squashed.set(&saved[2 * units + i..]);
        let output = sigmoid(L::get(&z[3 * units + i..]));
        output.set(&z[3 * units + i..]);
        (output * squashed).set(&next[i..]);
    }
}

struct LstmBackward<'a> {
    z: Cells<'a>,
    saved: Cells<'a>,
    dz: Cells<'a>,
    carry: Cells<'a>,
    units: usize,
}
impl Pass for LstmBackward<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        let &LstmBackward { z, saved, dz, carry, units } = self;
        let [input, forget, g, output] = [0, 1, 2, 3].map(|gate| L::get(&z[gate * units + i..]));
        let (c, squashed) = (L::get(&saved[units + i..]), L::get(&saved[2 * units + i..]));
        let dh = L::get(&carry[i..]);
        let dc = L::get(&carry[units + i..]) + tanh_gradient(squashed, dh * output);
        sigmoid_gradient(input, dc * g).set(&dz[i..]);
        sigmoid_gradient(forget, dc * c).set(&dz[units + i..]);
        tanh_gradient(g, dc * input).set(&dz[2 * units + i..]);
        sigmoid_gradient(output, dh * squashed).set(&dz[3 * units + i..]);
        L::splat(0.0).set(&carry[i..]);
        (dc * forget).set(&carry[units + i..]);
    }
}

impl Kind for Lstm {
    const GATES: usize = 4;
    const STATE: usize = 2;
    const SAVED: usize = 3;
    const EXTRA: usize = 0;
    type Factors<'a> = Repeated<'a>;

    fn factors<'a>(f: &Forward<'a>) -> Repeated<'a> {
        factor(f, 4, 0, 4, &mut Room::new(f.scratch, f.scan.units, 4 * f.scan.units))
    }

    fn forward(f: &Forward, u: &Repeated, t: usize, next: &Next) {
        let Scan { rows, units, .. } = f.scan;
        u.add(rows, rows_of(f.saved, &f.scan, 3, t, 0), rows_of(f.z, &f.scan, 4, t, 0));
        counted(f.mask, &f.scan, t, |row| {
            let (z, saved) = (at(f.z, &f.scan, 4, row, t), at(f.saved, &f.scan, 3, row, t));
            each(units, LstmForward { z, saved, next: &next.row(row)[..2 * units], units });
        });
    }

    fn transposed<'a>(b: &Backward<'a>) -> Repeated<'a> {
        transposed_factor(b, 4, 0, 4, &mut Room::new(b.scratch, 4 * b.scan.units, b.scan.units))
    }

    fn backward(b: &Backward, u: &Repeated, t: usize) {
        let Scan { rows, units, .. } = b.scan;
        counted(b.mask, &b.scan, t, |row| {
            let (z, saved) = (at(b.z, &b.scan, 4, row, t), at(b.saved, &b.scan, 3, row, t));
            let dz = at(b.dz, &b.scan, 4, row, t);
            each(units, LstmBackward { z, saved, dz, carry: &b.carry[row * 2 * units..][..2 * units], units });
        });
        u.add(rows, rows_of(b.dz, &b.scan, 4, t, 0), carried(b, 2));
    }
}

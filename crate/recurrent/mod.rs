//! Recurrent layers: all steps of a batch of sequences in one call.
//!
//! The product of the inputs with their weights is a dense layer over all steps, done before. What is left for each step is one product of the
//! states with U and a pass over the gates. U is packed once for all steps ([`Repeated`]), and the product starts at the gates' inputs, so
//! that it writes in place. The gates overwrite their inputs; the gradient reads them there.
//!
//! Arrays are by sequence, then by step, so the rows of one step are strided, and nothing is transposed. Sequences do not depend on one another:
//! threads take some of them each, by addresses alone.

mod cells;

use crate::gemm::{Repeated, Room, Rows, Start};
use crate::lane::{F32x8, Lane};
use crate::sweep::Cells;
use cells::{GruAfter, GruBefore, Lstm, Simple};

/// Sizes and direction of a call.
#[derive(Clone, Copy)]
pub struct Scan {
    /// Number of sequences.
    pub rows: usize,
    /// Steps of each.
    pub steps: usize,
    /// Numbers in the output of a step.
    pub units: usize,
    /// Begins at the last step and goes back.
    pub reverse: bool,
}

impl Scan {
    /// The index of the `i`th step that is taken.
    fn step(&self, i: usize) -> usize {
        if self.reverse {
            self.steps - 1 - i
        } else {
            i
        }
    }
}

/// Arrays of the forward pass; sizes as in ts/backend/recurrent-kernels.ts.
pub struct Forward<'a> {
    /// Sizes and direction.
    pub scan: Scan,
    /// Inputs of the gates, and then the gates.
    pub z: Cells<'a>,
    /// The recurrent weights.
    pub u: Cells<'a>,
    /// The bias of a GRU's q.
    pub b: Option<Cells<'a>>,
    /// The first state.
    pub initial: Option<Cells<'a>>,
    /// The state before each step, and more.
    pub saved: Cells<'a>,
    /// The outputs.
    pub y: Option<Cells<'a>>,
    /// The last state.
    pub last: Cells<'a>,
    /// 0 for steps to skip.
    pub mask: Option<Cells<'a>>,
    /// Room for panels.
    pub scratch: Cells<'a>,
}

/// Arrays of the gradient.
pub struct Backward<'a> {
    /// Sizes and direction.
    pub scan: Scan,
    /// The gates.
    pub z: Cells<'a>,
    /// The recurrent weights.
    pub u: Cells<'a>,
    /// As the forward pass left it.
    pub saved: Cells<'a>,
    /// Gradient of the outputs.
    pub dy: Option<Cells<'a>>,
    /// Gradient of the last state.
    pub dlast: Option<Cells<'a>>,
    /// 0 for steps to skip.
    pub mask: Option<Cells<'a>>,
    /// Gradient of the gates' inputs.
    pub dz: Cells<'a>,
    /// Gradient of q.
    pub dq: Cells<'a>,
    /// Gradient of the state; at last of the first one.
    pub carry: Cells<'a>,
    /// Room for panels.
    pub scratch: Cells<'a>,
}

/// A kind of recurrent layer. Sizes are in units: a step of a row has GATES · units gates.
trait Kind {
    const GATES: usize;
    /// Parts of the state: h, and c of an LSTM.
    const STATE: usize;
    /// Parts that are saved at each step: the state before it, and what else the gradient needs.
    const SAVED: usize;
    /// Parts of dq.
    const EXTRA: usize;
    /// The products with U, and the passes over gates, of one step.
    type Factors<'a>;
    fn factors<'a>(f: &Forward<'a>) -> Self::Factors<'a>;
    fn forward(f: &Forward, factors: &Self::Factors<'_>, t: usize, next: &Next);
    fn transposed<'a>(b: &Backward<'a>) -> Self::Factors<'a>;
    fn backward(b: &Backward, factors: &Self::Factors<'_>, t: usize);
}

/// The place of the states after a step: what the next step has saved, or, after the last step, `last`.
struct Next<'a> {
    cells: Cells<'a>,
    stride: usize,
}

impl<'a> Next<'a> {
    fn row(&self, row: usize) -> Cells<'a> {
        &self.cells[row * self.stride..]
    }
}

/// The rows of step t in an array [rows, steps, parts · units], from a part on.
fn rows_of<'a>(x: Cells<'a>, scan: &Scan, parts: usize, t: usize, from: usize) -> Rows<'a> {
    let width = parts * scan.units;
    Rows { cells: x.get(t * width + from * scan.units..).unwrap_or(&[]), stride: scan.steps * width }
}

/// The floats of one row and step in such an array.
fn at<'a>(x: Cells<'a>, scan: &Scan, parts: usize, row: usize, t: usize) -> Cells<'a> {
    let width = parts * scan.units;
    &x[(row * scan.steps + t) * width..][..width]
}

/// True if a step of a row counts.
fn counts(mask: Option<Cells>, scan: &Scan, row: usize, t: usize) -> bool {
    mask.is_none_or(|mask| mask[row * scan.steps + t].get() != 0.0)
}

/// A pass over units, several at a time.
trait Pass {
    fn at<L: Lane>(&self, i: usize);
}

/// Runs a pass over all units; every unit gets the same bits, whatever its place.
#[inline(always)]
fn each(units: usize, pass: impl Pass) {
    let whole = units - units % F32x8::WIDTH;
    for i in (0..whole).step_by(F32x8::WIDTH) {
        pass.at::<F32x8>(i);
    }
    for i in whole..units {
        pass.at::<f32>(i);
    }
}

fn copy(from: Cells, to: Cells) {
    from.iter().zip(to).for_each(|(from, to)| to.set(from.get()));
}

fn zero(x: Cells) {
    x.iter().for_each(|x| x.set(0.0));
}

fn forward_of<K: Kind>(f: &Forward) {
    let Scan { rows, steps, units, .. } = f.scan;
    if rows == 0 || steps == 0 {
        return;
    }
    let state = K::STATE * units;
    let first = f.scan.step(0);
    for row in 0..rows {
        let saved = &at(f.saved, &f.scan, K::SAVED, row, first)[..state];
        match f.initial {
            Some(initial) => copy(&initial[row * state..][..state], saved),
            None => zero(saved),
        }
    }
    let factors = K::factors(f);
    for i in 0..steps {
        let t = f.scan.step(i);
        let next = if i + 1 < steps {
            let Rows { cells, stride } = rows_of(f.saved, &f.scan, K::SAVED, f.scan.step(i + 1), 0);
            Next { cells, stride }
        } else {
            Next { cells: f.last, stride: state }
        };
        K::forward(f, &factors, t, &next);
        for row in 0..rows {
            let skips = !counts(f.mask, &f.scan, row, t);
            let to = &next.row(row)[..state];
            if skips {
                copy(&at(f.saved, &f.scan, K::SAVED, row, t)[..state], to);
            }
            if let Some(y) = f.y {
                let y = at(y, &f.scan, 1, row, t);
                if skips {
                    zero(y);
                } else {
                    copy(&to[..units], y);
                }
            }
        }
    }
}

fn backward_of<K: Kind>(b: &Backward) {
    let Scan { rows, steps, units, .. } = b.scan;
    match b.dlast {
        Some(dlast) => copy(dlast, b.carry),
        None => zero(b.carry),
    }
    if rows == 0 || steps == 0 {
        return;
    }
    let factors = K::transposed(b);
    for i in (0..steps).rev() {
        let t = b.scan.step(i);
        for row in 0..rows {
            if !counts(b.mask, &b.scan, row, t) {
                zero(at(b.dz, &b.scan, K::GATES, row, t));
                zero(at(b.dq, &b.scan, K::EXTRA, row, t));
            } else if let Some(dy) = b.dy {
                add(at(dy, &b.scan, 1, row, t), &b.carry[row * K::STATE * units..][..units]);
            }
        }
        K::backward(b, &factors, t);
    }
}

struct Sum<'a>(Cells<'a>, Cells<'a>);
impl Pass for Sum<'_> {
    #[inline(always)]
    fn at<L: Lane>(&self, i: usize) {
        (L::get(&self.0[i..]) + L::get(&self.1[i..])).set(&self.1[i..]);
    }
}

/// to += from
fn add(from: Cells, to: Cells) {
    each(from.len(), Sum(from, to));
}

/// Parts of a kind by its number (CELLS in ts/backend/recurrent-kernels.ts): gates, state, saved, dq. Each kind has a digit of each number, from the
/// right: a table would be data in the core of the module, which every program has.
pub fn parts(kind: usize) -> [usize; 4] {
    [0x4331, 0x2111, 0x3221, 0x0110].map(|digits| digits >> (4 * kind) & 0xf)
}

/// All steps of the layer of that number.
pub fn forward(kind: usize, f: &Forward) {
    match kind {
        0 => forward_of::<Simple>(f),
        1 => forward_of::<GruAfter>(f),
        2 => forward_of::<GruBefore>(f),
        _ => forward_of::<Lstm>(f),
    }
}

/// The gradient of all steps.
pub fn backward(kind: usize, b: &Backward) {
    match kind {
        0 => backward_of::<Simple>(b),
        1 => backward_of::<GruAfter>(b),
        2 => backward_of::<GruBefore>(b),
        _ => backward_of::<Lstm>(b),
    }
}

/// A factor of all gates' products, or of some: `columns` of the GATES · units columns of u, from a part on.
fn factor<'a>(f: &Forward<'a>, gates: usize, from: usize, columns: usize, room: &mut Room<'a>) -> Repeated<'a> {
    let Scan { rows, units, .. } = f.scan;
    let b = Rows { cells: f.u.get(from * units..).unwrap_or(&[]), stride: gates * units };
    Repeated::new(b, false, [rows, units, columns * units], room)
}

/// The transpose of such columns.
fn transposed_factor<'a>(
    b: &Backward<'a>,
    gates: usize,
    from: usize,
    columns: usize,
    room: &mut Room<'a>,
) -> Repeated<'a> {
    let Scan { rows, units, .. } = b.scan;
    let u = Rows { cells: b.u.get(from * units..).unwrap_or(&[]), stride: gates * units };
    Repeated::new(u, true, [rows, columns * units, units], room)
}

/// The states' gradients, as rows of a product.
fn carried<'a>(b: &Backward<'a>, state: usize) -> Rows<'a> {
    Rows { cells: b.carry, stride: state * b.scan.units }
}

/// The start of a product at a bias, or at zero.
fn start(b: Option<Cells>) -> Start {
    b.map_or_else(Start::zero, Start::bias)
}

//! Programs: a recorded training step as a list of kernel calls, run many times in one call from JS.
//!
//! A program is words in the linear memory. Each call is its form, the place of its kernel in the function table, and the
//! arguments; which forms there are, [`Form`] says. JS puts exports of this module into the table (ts/train/fast/program.ts),
//! so that no kernel has a number of its own here. What differs from step to step (rows of data, the block of
//! hyper-parameters) are arguments that move: a list of (word, increment) pairs is applied after each step.

use super::{integers, Ptr};
use core::cell::Cell;
use core::mem::transmute;
use wasm_bindgen::prelude::wasm_bindgen;

type Words<'a> = &'a [Cell<i32>];
type W = usize;

/// Word 0 of a call: the number of its whole-number arguments, or one of these.
struct Form;
impl Form {
    /// No kernel: copies the loss at address 1 to address 2, and ends the run where it is not finite.
    const LOSS: i32 = 0;
    /// Seven whole numbers and two floats: the losses.
    const FLOATS: i32 = 1;
}

/// Exponent bits of a float: all set in what is not finite.
const EXPONENT: i32 = 0x7f80_0000;

/// Runs the program of `words` words up to `steps` times; returns how many steps it finished. `moves` has two words to a move.
#[wasm_bindgen(js_name = runProgram)]
pub fn run_program(program: Ptr, words: usize, moves: Ptr, moved: usize, steps: usize) -> usize {
    let (program, moves) = (integers(program, words), integers(moves, 2 * moved));
    for step in 0..steps {
        let mut rest = program;
        while !rest.is_empty() {
            match call(rest) {
                Some(length) => rest = &rest[length..],
                None => return step,
            }
        }
        for pair in moves.chunks_exact(2) {
            let word = &program[pair[0].get() as usize];
            word.set(word.get().wrapping_add(pair[1].get()));
        }
    }
    steps
}

/// One call; the number of words that it took, or nothing where the loss is not finite.
#[inline(always)]
fn call(words: Words) -> Option<usize> {
    let (form, kernel) = (words[0].get(), words[1].get() as usize);
    let a = |i: usize| words[2 + i].get() as usize;
    let float = |i: usize| f32::from_bits(words[2 + i].get() as u32);
    macro_rules! kernel {
        ($kind:ty; $($argument:expr),*) => {{
            // SAFETY: JS put a kernel of this form into the table; an engine traps where the types differ.
            let kernel = unsafe { transmute::<usize, $kind>(kernel) };
            kernel($($argument),*);
        }};
    }
    let arguments = match form {
        Form::LOSS => {
            let loss = integers(kernel, 1)[0].get();
            integers(a(0), 1)[0].set(loss);
            if loss & EXPONENT == EXPONENT {
                return None;
            }
            1
        }
        Form::FLOATS => {
            kernel!(extern "C" fn(W, W, W, W, W, W, W, f32, f32); a(0), a(1), a(2), a(3), a(4), a(5), a(6), float(7), float(8));
            9
        }
        3 => {
            kernel!(extern "C" fn(W, W, W); a(0), a(1), a(2));
            3
        }
        4 => {
            kernel!(extern "C" fn(W, W, W, W); a(0), a(1), a(2), a(3));
            4
        }
        5 => {
            kernel!(extern "C" fn(W, W, W, W, W); a(0), a(1), a(2), a(3), a(4));
            5
        }
        6 => {
            kernel!(extern "C" fn(W, W, W, W, W, W); a(0), a(1), a(2), a(3), a(4), a(5));
            6
        }
        9 => {
            kernel!(extern "C" fn(W, W, W, W, W, W, W, W, W); a(0), a(1), a(2), a(3), a(4), a(5), a(6), a(7), a(8));
            9
        }
        10 => {
            kernel!(extern "C" fn(W, W, W, W, W, W, W, W, W, W); a(0), a(1), a(2), a(3), a(4), a(5), a(6), a(7), a(8), a(9));
            10
        }
        14 => {
            kernel!(extern "C" fn(W, W, W, W, W, W, W, W, W, W, W, W, W, W);
                a(0), a(1), a(2), a(3), a(4), a(5), a(6), a(7), a(8), a(9), a(10), a(11), a(12), a(13));
            14
        }
        // ts/train/fast/program.ts writes no other form: a trap here is better than a call with arguments that are not there
        _ => unreachable!(),
    };
    Some(2 + arguments)
}

//! Programs: a recorded training step as a list of kernel calls, run many times in one call from JS.
//!
//! A program is words in the linear memory. Each call is its signature, the place of its kernel in the function table, and the arguments. JS puts
//! exports of this module into the table (ts/train/fast/program.ts), so kernels have no fixed numbers here. The signature encodes the number and
//! types of the arguments. A new kernel needs no change here, unless its floats follow a number of integer arguments that no other kernel has (see
//! `call`). Arguments that change from step to step (rows of data, hyper-parameters, counters of dropout) are *moves*: a list of (word, increment)
//! pairs that is applied after each step.

use super::{integers, Ptr};
use core::cell::Cell;
use core::mem::transmute;
use wasm_bindgen::prelude::wasm_bindgen;

type Words<'a> = &'a [Cell<i32>];

/// Word 0 of a call: the number of its integer arguments, and in the higher bytes the kinds of the arguments after them.
struct Signature;
impl Signature {
    /// A finite test instead of a kernel: copies the float at the address in word 1, such as the loss, to the address in word 2, and ends the run if
    /// it is not finite.
    const FINITE_TEST: i32 = 0;
    /// Bits of the number of whole-number arguments.
    const WHOLE: i32 = 0xff;
    const WHOLE_ALONE: i32 = 0;
    const ONE_FLOAT: i32 = 1;
    const TWO_FLOATS: i32 = 2;
    const ONE_DOUBLE: i32 = 0x100;
    const TWO_DOUBLES: i32 = 0x200;
}

/// Exponent bits of a float: all are set in infinities and NaN.
const EXPONENT: i32 = 0x7f80_0000;

/// Runs the program of `words` words up to `steps` times; returns the number of finished steps. `moves` has two words per move.
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

macro_rules! whole {
    ($i:literal) => {
        usize
    };
}

/// Calls a kernel whose whole-number arguments are the given words of `$words`, followed by the given floats.
macro_rules! run_kernel {
    ($kernel:expr, $words:expr, [$($float:expr => $kind:ty),*], $($i:literal)*) => {{
        // SAFETY: JS put a kernel of this signature into the table; an engine traps if the types differ.
        let kernel = unsafe { transmute::<usize, extern "C" fn($(whole!($i),)* $($kind),*)>($kernel) };
        kernel($($words[$i].get() as usize,)* $($float),*);
    }};
}

/// Calls a kernel whose integer arguments are `$words`, with one arm for each possible number of arguments.
macro_rules! by_count {
    ($kernel:expr, $words:expr, $floats:tt; $($n:literal: $($i:literal)*;)*) => {
        match $words.len() {
            $($n => run_kernel!($kernel, $words, $floats, $($i)*),)*
            // a trap here is better than a call with arguments that are not there
            _ => unreachable!(),
        }
    };
}

/// Runs one call. Returns the number of its words, or nothing if a finite test fails.
#[inline(always)]
fn call(words: Words) -> Option<usize> {
    let (signature, kernel) = (words[0].get(), words[1].get() as usize);
    if signature == Signature::FINITE_TEST {
        let float = integers(kernel, 1)[0].get();
        integers(words[2].get() as usize, 1)[0].set(float);
        return if float & EXPONENT == EXPONENT { None } else { Some(3) };
    }
    let count = (signature & Signature::WHOLE) as usize;
    let (whole, behind) = words[2..].split_at(count);
    let float = |i: usize| f32::from_bits(behind[i].get() as u32);
    let double =
        |i: usize| f64::from_bits(behind[2 * i].get() as u32 as u64 | (behind[2 * i + 1].get() as u32 as u64) << 32);
    // an arm is code in every program, so calls with floats have arms only for the numbers of arguments that occur
    let floats = match signature >> 8 {
        Signature::WHOLE_ALONE => {
            by_count!(kernel, whole, [];
                2: 0 1;
                3: 0 1 2;
                4: 0 1 2 3;
                5: 0 1 2 3 4;
                6: 0 1 2 3 4 5;
                7: 0 1 2 3 4 5 6;
                8: 0 1 2 3 4 5 6 7;
                9: 0 1 2 3 4 5 6 7 8;
                10: 0 1 2 3 4 5 6 7 8 9;
                11: 0 1 2 3 4 5 6 7 8 9 10;
                12: 0 1 2 3 4 5 6 7 8 9 10 11;
                13: 0 1 2 3 4 5 6 7 8 9 10 11 12;
                14: 0 1 2 3 4 5 6 7 8 9 10 11 12 13;);
            0
        }
        Signature::ONE_FLOAT => {
            let a = float(0);
            by_count!(kernel, whole, [a => f32]; 2: 0 1; 3: 0 1 2;);
            1
        }
        Signature::TWO_FLOATS => {
            let (a, b) = (float(0), float(1));
            by_count!(kernel, whole, [a => f32, b => f32]; 3: 0 1 2; 7: 0 1 2 3 4 5 6;);
            2
        }
        Signature::ONE_DOUBLE => {
            let a = double(0);
            by_count!(kernel, whole, [a => f64]; 9: 0 1 2 3 4 5 6 7 8;);
            2
        }
        Signature::TWO_DOUBLES => {
            let (a, b) = (double(0), double(1));
            by_count!(kernel, whole, [a => f64, b => f64]; 6: 0 1 2 3 4 5;);
            4
        }
        _ => unreachable!(),
    };
    Some(2 + count + floats)
}

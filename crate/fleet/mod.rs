//! Fleets: eight nets of one shape, computed side by side.
//!
//! Arrays of a fleet are interleaved: they are those of one net with eight floats, one of each net, in the place of every float. So what is
//! computed element by element needs no kernel of its own: it runs over eight times as many elements. What adds up has a kernel here, products
//! ([`dense`]) and losses ([`loss`]), and so has what draws random numbers ([`dropout`]). Updates are those of crate/optim, eight nets at
//! once, each with hyper-parameters of its own (`eight_nets`). Parameters and states are interleaved for as long as a round of steps
//! lasts: [`interleave`] brings them there from the arrays of each net, and back.
//!
//! ts/train/fleet/README.md has the other side: who calls these kernels, and when.
//!
//! Each sum is taken in the order in which the kernel of a single net takes it, so that a net gets the bits that it would get
//! alone. test/crate/fleet.rs compares.

pub mod dense;
pub mod dropout;
pub mod interleave;
mod job;
pub mod loss;
mod panels;
mod product;

use core::cell::Cell;

/// Nets side by side.
pub const NETS: usize = 8;

/// One float of each net.
pub type Net8 = [Cell<f32>; NETS];

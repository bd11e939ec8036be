//! Fleets: eight nets of one shape, computed side by side.
//!
//! Arrays of a fleet are those of one net with eight floats, one of each net, in the place of every float. So what is computed
//! element by element needs no kernel of its own: it runs over eight times as many elements. Only what adds up has a kernel here:
//! products ([`dense`]) and losses ([`loss`]), or draws random numbers ([`dropout`]). Updates run net by net, each with numbers of its own, on the arrays of that net:
//! [`exchange`] brings gradients there and parameters back.
//!
//! Each sum is taken in the order in which the kernel of a single net takes it, so that a net gets the bits that it would get
//! alone. test/crate/fleet.rs compares.

pub mod dense;
pub mod dropout;
pub mod exchange;
pub mod loss;
mod panels;
mod product;

use core::cell::Cell;

/// Nets side by side.
pub const NETS: usize = 8;

/// One float of each net.
pub type Net8 = [Cell<f32>; NETS];

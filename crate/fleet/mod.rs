//! Fleets: eight nets of one shape, computed side by side.
//!
//! Arrays of a fleet are interleaved: they have the layout of one net, with eight floats, one of each net, in the place of every float. Element-wise
//! kernels need no version for fleets: they run over eight times as many elements. Kernels that add up have versions here, products ([`dense`]) and
//! losses ([`loss`]), and so have kernels that draw random numbers ([`dropout`]). Updates come from crate/optim, eight nets at once, each with its
//! own hyper-parameters (`eight_nets`). Parameters and states are interleaved during a round of steps: [`interleave`] copies them from the arrays of
//! each net, and back.
//!
//! ts/train/fleet/README.md describes the callers of these kernels.
//!
//! Each sum is added in the same order as in the kernel of a single net, so that a net gets the same bits as alone. test/crate/fleet.rs compares
//! them.

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

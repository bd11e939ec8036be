//! The hot loops of gradus, compiled to SIMD WebAssembly.
//!
//! The crate is a table of kernels and nothing else: no state (except the choice of a tile), no allocation, no strings. The TypeScript side owns one
//! linear memory, lays tensors out in it, and passes addresses and sizes as plain numbers; `abi` turns them into slices and calls the formulas below.
//! ts/backend/kernels.ts states each kernel in symbols, ts/backend/js is the readable twin.
//!
//! Formulas are written once over `lane::Lane`, one float or several side by side, and run by the drivers in `sweep`: body and tail come from the
//! same lines and give the same bits. Matrix products have their own driver in `gemm`, and matrix products of eight nets at once in `fleet`. A family
//! of kernels is a file, or a folder with a summary in `mod.rs`; its exports are in the file of `abi` with the same name.
//!
//! Machine instructions are named in `lane`, and in `bare` for a trap; memory is reached by address (`unsafe`) in `lane`, `gemm`, `conv`, `fleet` and `abi`.
//! test/build/imports.test.ts lists the files.

#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod abi;
pub mod activation;
pub mod attention;
#[cfg(target_arch = "wasm32")]
mod bare;
pub mod batch_norm;
pub mod broadcast;
pub mod conv;
pub mod dense;
pub mod double;
pub mod elementwise;
pub mod fleet;
pub mod gemm;
pub mod head;
pub mod lane;
pub mod loss;
pub mod math;
pub mod optim;
pub mod precise;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod softmax;
pub mod sweep;

//! The crate's kernels off wasm, where `F32x4` is four scalars: through the exports of crate/abi as JS calls them, against
//! formulas in double precision.

// the files of crate/optim/rules, which optim.rs compiles once more, name it
use gradus::lane;

mod activation;
mod conv;
mod dense;
mod double;
mod elementwise;
mod fleet;
mod formulas;
mod gemm;
mod head;
mod lanes;
mod loss;
mod math;
mod optim;
mod random;
mod reduce;
mod softmax;
mod tools;

//! The crate's kernels off wasm, where `F32x4` is four scalars: through the exports of crate/abi as JS calls them, against
//! formulas in double precision.

// rule files of crate/optim, which kernels/optim.rs compiles once more, name it
use gradus::lane;

mod gemm;

#[path = "kernels/activation.rs"]
mod activation;
#[path = "kernels/dense.rs"]
mod dense;
#[path = "kernels/double.rs"]
mod double;
#[path = "kernels/elementwise.rs"]
mod elementwise;
#[path = "kernels/lanes.rs"]
mod lanes;
#[path = "kernels/loss.rs"]
mod loss;
#[path = "kernels/math.rs"]
mod math;
#[path = "kernels/optim.rs"]
mod optim;
#[path = "kernels/random.rs"]
mod random;
#[path = "kernels/reduce.rs"]
mod reduce;
#[path = "kernels/softmax.rs"]
mod softmax;
#[path = "kernels/tools.rs"]
mod tools;

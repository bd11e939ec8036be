//! Double precision for the solvers: the products and factors of least squares, and small dense nets with their Jacobians.
//!
//! Two doubles fit a register where four floats do, so these are not the kernels of training but those that second-order
//! methods cannot do without: normal equations square the condition number. ts/backend/double.ts states each in symbols.
//! Matrices over rows of data are unit-major: all rows of one unit (or all residuals of one parameter) lie side by side.

pub mod activation;
pub mod cholesky;
pub mod net;
pub mod products;

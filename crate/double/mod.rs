//! Double precision for the solvers: the products and factors of least squares, and small dense nets with their Jacobians.
//!
//! A register holds two doubles or four floats, so doubles are not used for training, but for second-order methods, which need them: normal equations
//! square the condition number. ts/backend/double.ts states each in symbols. Matrices over rows of data are unit-major: all rows of one unit (or all
//! residuals of one parameter) lie side by side.

pub mod activation;
pub mod cholesky;
pub mod net;
pub mod products;

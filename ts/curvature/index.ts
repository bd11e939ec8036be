/**
 * Beyond the gradient: products with Jacobians and Hessians, the matrices themselves, and what they say about a point.
 *
 * Precision: everything here is exact to rounding, on every backend. In float32 that is good for directions, products
 * and large eigenvalues (relative error about 1e-6 of the largest); small eigenvalues beside large ones, condition
 * numbers above 10⁵, tests for zero and third and higher derivatives want float64: `createBackend({ backend: 'js',
 * dtype: 'float64' })`, which points given as plain numbers get from inspectPoint, largestEigenvalues and conditionNumber.
 */
export { type CustomVjp, customGradient } from './custom.js'
export { grad, type TensorsFunction, type ValueAndGradient, valueAndGrad, valueAndGradOf } from './gradient.js'
export { type InspectOptions, inspectPoint, type PointInspection, type PointKind } from './inspect.js'
export type { LanczosOptions, Spectrum } from './lanczos.js'
export { hessian, type JacobianOptions, jacobian } from './matrices.js'
export type { HessianPoint } from './point.js'
export { type CurvatureFunction, type CurvaturePoint, withGaussNewton, withHessian } from './point.js'
export { gnvp, gnvpOf, hvp, hvpOf, jvp, type OutputLoss, vjp } from './products.js'
export { type ConditionOptions, conditionNumber, largestEigenvalues } from './spectrum.js'
export type { ParameterSource } from './trace.js'

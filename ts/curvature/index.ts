/**
 * `gradus/curvature`: gradients as functions, Jacobians, Hessians and their products, and the kind of a stationary point. @module gradus/curvature
 */

export { type CustomVjp, customGradient } from './custom.js'
export { grad, type TensorsFunction, type ValueAndGradient, valueAndGrad, valueAndGradOf } from './gradient.js'
export { type InspectOptions, inspectPoint, type PointInspection, type PointKind } from './inspect.js'
export type { LanczosOptions, Spectrum } from './lanczos.js'
export { hessian, type JacobianOptions, jacobian } from './matrices.js'
export { type CurvatureFunction, type CurvaturePoint, type HessianPoint, withGaussNewton, withHessian } from './point.js'
export { gnvp, gnvpOf, hvp, hvpOf, jvp, type OutputLoss, vjp } from './products.js'
export { type ConditionOptions, conditionNumber, largestEigenvalues } from './spectrum.js'
export type { ParameterSource } from './transformation.js'

/**
 * gradus: train small and medium neural networks fast on the CPU. The public surface, and nothing else.
 * @module gradus
 */
export { isRecording, noGrad } from './autograd.js'
export type { DType, FloatArray } from './backend/heap.js'
export { type Backend, type BackendOptions, createBackend, defaultBackend, load } from './backend/index.js'
export type { Activation as ActivationName, Kernels } from './backend/kernels.js'
export { supportedVariants, type Variant } from './backend/wasm/load.js'
export { NonFiniteError, OutOfMemoryError, ShapeError, StaleTensorError } from './common/errors.js'
export type { Shape } from './common/shape.js'
export * from './curvature/index.js'
export * from './io/index.js'
export * from './loss/index.js'
export * from './metrics/index.js'
export * from './nn/index.js'
/** What fills weights at the start: uniform, normal, constant, orthogonal. */
export * as initializers from './nn/initializer.js'
export { type GradientsOptions, gradients } from './ops/gradients.js'
export * from './ops/index.js'
export * from './optim/index.js'
export { Parameter } from './parameter.js'
export { Generator } from './random.js'
/** Learning rates (or other options) as functions of the step. */
export * as schedules from './schedule/index.js'
export { type Driven, ReduceOnPlateau, type ReduceOnPlateauOptions, type Schedule, Scheduler } from './schedule/index.js'
export * from './solve/index.js'
export {
  type BackwardOptions,
  full,
  type NestedNumbers,
  ones,
  Tensor,
  type TensorDType,
  type TensorFunction,
  type TensorLike,
  type TensorOptions,
  tensor,
  zeros,
} from './tensor.js'
export * from './train/index.js'

/** gradus: train small and medium neural networks fast on the CPU. The public surface, and nothing else. */
export {
  grad, gradients, type GradientsOptions, isRecording, jacobian, noGrad, type TensorFunction, valueAndGrad,
} from './autograd.js'
export { type Backend, type BackendOptions, createBackend, defaultBackend, load } from './backend/index.js'
export type { DType, FloatArray } from './backend/heap.js'
export type { Activation as ActivationName, Kernels } from './backend/kernels.js'
export { supportedVariants, type Variant } from './backend/wasm.js'
export { EngineError, NonFiniteError, OutOfMemoryError, ShapeError, StaleTensorError } from './errors.js'
export * from './loss/index.js'
export * from './nn/index.js'
export * from './ops/index.js'
export * from './optim/index.js'
export { Parameter } from './parameter.js'
export { Generator } from './random.js'
export type { Shape } from './shape.js'
export { full, type NestedNumbers, ones, Tensor, tensor, type TensorLike, type TensorOptions, zeros } from './tensor.js'
export * from './train/index.js'

/**
 * `gradus/export`: models to and from ONNX, PyTorch, Keras and safetensors, and as a plain function.
 * @module gradus/export
 */

// Files

export type { StoredArray } from '../io/dtypes.js'
export {
  type DecodeOptions,
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  type Storable,
  type StoredTensor,
} from '../io/safetensors.js'

// Other frameworks

export {
  type ForeignModel,
  type ForeignTensor,
  type ForeignTensors,
  type FromPyTorchOptions,
  fromKeras,
  fromPyTorch,
  toKeras,
  toPyTorch,
} from './frameworks.js'
export { type FromOnnxOptions, fromOnnx } from './from-onnx.js'
export { type FunctionOptions, toFunction } from './function.js'
export { type OnnxOptions, toOnnx } from './onnx.js'

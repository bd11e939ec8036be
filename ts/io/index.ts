/** Files: weights and states as bytes. */
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsFile,
  type Storable,
  type StoredArray,
  type StoredTensor,
} from './safetensors.js'
export { decodeState, encodeState, type Stateful } from './state.js'

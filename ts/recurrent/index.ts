/**
 * Recurrent layers for sequences: {@link GRU}, {@link LSTM} and {@link SimpleRNN}.
 *
 * @module gradus/recurrent
 */
export type { CellName } from '../backend/recurrent-kernels.js'

export type { StepsToTake } from '../ops/steps.js'

import './files.js' // registers the layers with model files

export { GRU } from './gru.js'
export type { RecurrentLayer, RecurrentSettings, RunOptions } from './layer.js'
export { LSTM } from './lstm.js'
export {
  type GruCall,
  type GruWeights,
  gru,
  lstm,
  type RecurrentCall,
  type RecurrentResult,
  type RecurrentWeights,
  simpleRNN,
} from './operations.js'
export type { GRUOptions, RecurrentOptions } from './options.js'
export { SimpleRNN } from './simple-rnn.js'
export { kerasWeights, loadKerasWeights, loadTorchWeights, type TorchPlace, torchWeights } from './weights.js'

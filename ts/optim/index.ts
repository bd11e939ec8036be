/** Optimizers, and what belongs to them. */
import { Adam, AdamW } from './adam.js'
import type { OptimizerClass } from './optimizer.js'
import { RMSProp } from './rmsprop.js'
import { Momentum, Nesterov, SGD } from './sgd.js'

export { Adam, type AdamOptions, AdamW, type AdamWOptions, type EpsilonPlacement } from './adam.js'
export type { ArrayParameter } from './arrays.js'
export { ParameterGroup, type Run, type Scalars } from './group.js'
export type { Allowed, Range } from './options.js'
export {
  type DecayOptions,
  type GroupInput,
  type GroupOptions,
  Optimizer,
  type OptimizerClass,
  type OptimizerInput,
  type SharedOptions,
  type UpdateOptions,
} from './optimizer.js'
export { RMSProp, type RMSPropOptions } from './rmsprop.js'
export { Momentum, type MomentumOptions, Nesterov, type NesterovOptions, SGD, type SGDOptions } from './sgd.js'
export type { OptimizerState, ParameterState } from './state.js'
export {
  adaptiveClip,
  addNoise,
  centralize,
  clipByNorm,
  clipByRms,
  clipByValue,
  clipGlobalNorm,
  type Gradients,
  type GradientTransform,
  type TransformOptions,
} from './transform.js'

/** Every optimizer by name: what tests, benchmarks, the command line and the docs go through. */
export const OPTIMIZERS = {
  SGD,
  Momentum,
  Nesterov,
  RMSProp,
  Adam,
  AdamW,
} satisfies Record<string, OptimizerClass>

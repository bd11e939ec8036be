/** Optimizers, and what belongs to them. */
import { AdaBelief } from './adabelief.js'
import { Adadelta } from './adadelta.js'
import { Adagrad } from './adagrad.js'
import { Adamax } from './adamax.js'
import { Adan } from './adan.js'
import { AdEMAMix } from './ademamix.js'
import { ADOPT } from './adopt.js'
import { ASGD } from './asgd.js'
import { NAdam } from './nadam.js'
import { RAdam } from './radam.js'
import { Rprop } from './rprop.js'
import { ScheduleFreeAdamW, ScheduleFreeSGD } from './schedule-free.js'
import { Lion, SignSGD, Signum } from './sign.js'
import { Yogi } from './yogi.js'
import { Adafactor } from './adafactor.js'
import { Adam, AdamW } from './adam.js'
import { DoG } from './dog.js'
import { LAMB, LARS } from './layerwise.js'
import { Muon } from './muon.js'
import { Prodigy } from './prodigy.js'
import { Shampoo } from './shampoo.js'
import type { OptimizerClass } from './optimizer.js'
import { RMSProp } from './rmsprop.js'
import { Momentum, Nesterov, SGD } from './sgd.js'

export { AdaBelief, type AdaBeliefOptions } from './adabelief.js'
export { Adadelta, type AdadeltaOptions } from './adadelta.js'
export { Adagrad, type AdagradOptions } from './adagrad.js'
export { Adamax, type AdamaxOptions } from './adamax.js'
export { Adan, type AdanOptions } from './adan.js'
export { AdEMAMix, type AdEMAMixOptions } from './ademamix.js'
export { ADOPT, type ADOPTOptions } from './adopt.js'
export { ASGD, type ASGDOptions } from './asgd.js'
export { NAdam, type NAdamOptions } from './nadam.js'
export { RAdam, type RAdamOptions } from './radam.js'
export { Rprop, type RpropOptions } from './rprop.js'
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions, ScheduleFreeSGD, type ScheduleFreeSGDOptions } from './schedule-free.js'
export { Lion, type LionOptions, SignSGD, Signum, type SignumOptions } from './sign.js'
export { Yogi, type YogiOptions } from './yogi.js'
export { AveragingOptimizer, withWeights } from './averaging.js'
export { Adafactor, type AdafactorOptions } from './adafactor.js'
export { DoG, type DoGOptions } from './dog.js'
export { LAMB, type LAMBOptions, LARS, type LARSOptions } from './layerwise.js'
export { Muon, type MuonOptions } from './muon.js'
export { Prodigy, type ProdigyOptions } from './prodigy.js'
export { Shampoo, type ShampooOptions } from './shampoo.js'
export { WeightAverage, type WeightAverageOptions } from './weight-average.js'
export { GradientAccumulation, Lookahead, type LookaheadOptions, type OptimizerLike, OptimizerWrapper, SAM } from './wrapper.js'
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
  Adagrad,
  Adadelta,
  Adamax,
  NAdam,
  RAdam,
  ASGD,
  Rprop,
  Lion,
  SignSGD,
  Signum,
  AdaBelief,
  Yogi,
  Adan,
  ADOPT,
  AdEMAMix,
  ScheduleFreeSGD,
  ScheduleFreeAdamW,
  Prodigy,
  DoG,
  LARS,
  LAMB,
  Adafactor,
  Muon,
  Shampoo,
} satisfies Record<string, OptimizerClass>

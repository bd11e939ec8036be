/**
 * `gradus/optim`: every optimizer, and the pieces for one of your own.
 * @module gradus/optim
 */

// Optimizers

export { AdaBelief, type AdaBeliefOptions } from './adabelief.js'
export { Adadelta, type AdadeltaOptions } from './adadelta.js'
export { Adafactor, type AdafactorOptions } from './adafactor.js'
export { Adagrad, type AdagradOptions } from './adagrad.js'
export { Adam, type AdamOptions, type EpsilonPlacement } from './adam.js'
export { Adamax, type AdamaxOptions } from './adamax.js'
export { AdamW, type AdamWOptions } from './adamw.js'
export { Adan, type AdanOptions } from './adan.js'
export { AdEMAMix, type AdEMAMixOptions } from './ademamix.js'
export { ADOPT, type ADOPTOptions } from './adopt.js'
export { ASGD, type ASGDOptions } from './asgd.js'
export { DoG, type DoGOptions } from './dog.js'
export { LAMB, type LAMBOptions } from './lamb.js'
export { LARS, type LARSOptions } from './lars.js'
export { Lion, type LionOptions } from './lion.js'
export { Momentum, type MomentumOptions } from './momentum.js'
export { Muon, type MuonOptions } from './muon.js'
export { muonGroups } from './muon-groups.js'
export { NAdam, type NAdamOptions } from './nadam.js'
export { Nesterov, type NesterovOptions } from './nesterov.js'
export { Prodigy, type ProdigyOptions } from './prodigy.js'
export { RAdam, type RAdamOptions } from './radam.js'
export { RMSProp, type RMSPropOptions } from './rmsprop.js'
export { Rprop, type RpropOptions } from './rprop.js'
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from './schedule-free-adamw.js'
export { ScheduleFreeSGD, type ScheduleFreeSGDOptions } from './schedule-free-sgd.js'
export { SGD, type SGDOptions } from './sgd.js'
export { Shampoo, type ShampooOptions } from './shampoo.js'
export { SignSGD } from './sign-sgd.js'
export { Signum, type SignumOptions } from './signum.js'
export { SOAP, type SOAPOptions } from './soap.js'
export { SparseAdam, type SparseAdamOptions } from './sparse-adam.js'
export { Yogi, type YogiOptions } from './yogi.js'

// Shared base

export type { ArrayParameter } from './base/arrays.js'
export { AveragingOptimizer, withWeights } from './base/averaging.js'
export type { Gradients, GradientTransform } from './base/gradients.js'
export { ParameterGroup } from './base/group.js'
export type { DecayOptions, GroupInput, GroupOptions, OptimizerInput, SharedOptions, UpdateOptions } from './base/input.js'
export { type ElementRule, Optimizer, type OptimizerClass } from './base/optimizer.js'
export type { Allowed, Range } from './base/options.js'
export type { ParameterSpan, Scalars } from './base/span.js'
export type { OptimizerState, ParameterState, WrapperState } from './base/state.js'
export type { TransformOptions } from './base/transform.js'
export { OPTIMIZERS } from './optimizers.js'

// Wrappers around optimizers

export { centralize } from './transforms/centralize.js'
export { adaptiveClip, clipByNorm, clipByRms, clipByValue, clipGlobalNorm } from './transforms/clipping.js'
export { addNoise } from './transforms/noise.js'
export { GradientAccumulation } from './wrappers/accumulation.js'
export { Cautious } from './wrappers/cautious.js'
export { Lookahead, type LookaheadOptions } from './wrappers/lookahead.js'
export { SAM } from './wrappers/sam.js'
export { WeightAverage, type WeightAverageOptions } from './wrappers/weight-average.js'
export { type OptimizerLike, OptimizerWrapper } from './wrappers/wrapper.js'

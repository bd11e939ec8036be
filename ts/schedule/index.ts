/** Learning-rate schedules and the objects that apply them. */
export {
  type CosineRestartsOptions,
  type CoslogOptions,
  type CyclicOptions,
  cosineRestarts,
  coslog,
  cyclic,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
} from './cycle.js'
export {
  type CosineOptions,
  cosine,
  type ExponentialOptions,
  exponential,
  type FlatCosineOptions,
  flatCosine,
  inverseSqrt,
  inverseTime,
  linear,
  multiStep,
  type PolynomialOptions,
  polynomial,
  stepDecay,
  type WarmupStableDecayOptions,
  warmupStableDecay,
} from './decay.js'
export { type Driven, ReduceOnPlateau, type ReduceOnPlateauOptions } from './plateau.js'
export {
  constant,
  interpolate,
  piecewise,
  product,
  type Schedule,
  type Shape,
  sequence,
  type WarmupOptions,
  warmup,
} from './schedule.js'
export { Scheduler, type SchedulerOptions, type SchedulerState } from './scheduler.js'

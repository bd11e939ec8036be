/**
 * gradus/tune: hyper-parameter tuning.
 * @module gradus/tune
 */

export type { ReportTextOptions } from '../report/text.js'
export { createStudy, deleteStudy, type OpenOptions, openStudy } from './create-study.js'
export { type ImportanceOptions, importance } from './importance.js'
export type { OptimizeOptions } from './optimize.js'
export type { ModuleObjective } from './parallel/module-objective.js'
export { type AshaOptions, asha, type HyperbandOptions, hyperband } from './pruners/halving.js'
export { type PatienceOptions, patience } from './pruners/patience.js'
export { median, type PercentileOptions, percentile } from './pruners/percentile.js'
export type { Pruner, PrunerContext, ReportedTrial } from './pruners/pruner.js'
export type { WorkerModule } from './queue/modules.js'
export { type QueueStatus, queueStatus, type StudyStatus } from './queue/status.js'
export { type QueueWorkerHandle, runWorker, type WorkerOptions, type WorkerTrial } from './queue/worker.js'
export { advice } from './report/advice.js'
export { reportHtml } from './report/html.js'
export { reportText } from './report/text.js'
export { type CmaEsOptions, cmaEs } from './samplers/cma-es.js'
export { type Nsga2Options, nsga2 } from './samplers/nsga2.js'
export {
  type GridOptions,
  grid,
  type LatinHypercubeOptions,
  latinHypercube,
  random,
  type SobolOptions,
  sobol,
} from './samplers/random.js'
export type { Sampler, SamplerContext } from './samplers/sampler.js'
export { type TpeOptions, tpe } from './samplers/tpe.js'
export {
  type Categorical,
  type Choice,
  type Conditional,
  categorical,
  type FloatOptions,
  type FloatRange,
  float,
  type IntOptions,
  type IntRange,
  int,
  type ParameterRange,
  type Params,
  type Space,
  type SpaceParameter,
  when,
} from './space.js'
export type { Entry, JournalStore, Transacted, TrialState } from './storage/journal.js'
export { type Direction, Study, type StudyOptions } from './study.js'
export { netSettings, TABLE_SPACE, type TableObjectiveOptions, tableObjective } from './table-objective.js'
export { type Objective, type Outcome, type Trial, TrialPruned, type TrialRecord } from './trial.js'
export { type TunedModel, type TuneModelOptions, type TuneModelProgress, tuneModel } from './tune-model.js'

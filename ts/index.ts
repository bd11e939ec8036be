/**
 * gradus: train small and medium neural networks fast on the CPU.
 * @module gradus
 */

// Everything public, by name, one line a file; nothing else. docs/api.md has the signatures: run `make api` after a change.
// Further entries of the package: gradus/data (readers and data sets), gradus/table (a table in one call), gradus/tune, and gradus/js
// Tensors and gradients

export { isRecording, noGrad } from './autograd.js'
export { EngineCrashedError, NonFiniteError, OutOfMemoryError, ShapeError, StaleTensorError } from './common/errors.js'
export type { Shape } from './common/shape.js'
export { type GradientsOptions, gradients } from './ops/gradients.js'
export { Parameter } from './parameter.js'
export { Generator } from './random.js'
export { arange, type BackwardOptions, eye, full, type NestedNumbers, type NestedOf, ones, Tensor, type TensorDType, type TensorFunction, type TensorLike, type TensorOptions, tensor, zeros } from './tensor.js'

// Operations

export { activate, elu, gelu, leakyRelu, mish, relu, selu, sigmoid, silu, softplus, tanh } from './ops/activation.js'
export { cumsum } from './ops/cumsum.js'
export { dense } from './ops/dense.js'
export { dropout } from './ops/dropout.js'
export { abs, add, broadcastTo, clip, cos, div, equal, erf, exp, greater, greaterEqual, less, lessEqual, log, maximum, minimum, mul, neg, pow, reciprocal, sign, sin, sqrt, square, sub, where } from './ops/elementwise.js'
export { gather, oneHot } from './ops/gather.js'
export { type MatmulOptions, matmul } from './ops/matmul.js'
export { norm, prod, std } from './ops/norms.js'
export { type Axes, argmax, argmin, logSumExp, max, mean, min, sum, variance } from './ops/reduce.js'
export { ceil, floor, round } from './ops/rounding.js'
export { concat, expandDims, reshape, slice, split, squeeze, stack, transpose } from './ops/shape.js'
export { logSoftmax, softmax } from './ops/softmax.js'
export { argsort, type SortOptions, sort, topK } from './ops/sort.js'
export { tile } from './ops/tile.js'

// Layers and models

export { Activation } from './nn/activation.js'
export { BatchNorm, type BatchNormOptions } from './nn/batch-norm.js'
export type { BufferTensor } from './nn/buffer.js'
export { Dense, type DenseOptions } from './nn/dense.js'
export { Dropout } from './nn/dropout.js'
export { type ColumnToEmbed, EmbedColumns, type EmbedColumnsOptions } from './nn/embed-columns.js'
export { Embedding, type EmbeddingOptions } from './nn/embedding.js'
export { EnsembleDense, type EnsembleDenseOptions } from './nn/ensemble-dense.js'
export { type EnsembleAverage, EnsembleMean, type EnsembleMeanOptions } from './nn/ensemble-mean.js'
export { Flatten } from './nn/flatten.js'
export type { Initializer, InitializerName } from './nn/initializer.js'
/** Initial values of weights: uniform, normal, constant, orthogonal. */
export * as initializers from './nn/initializer.js'
export { Lambda } from './nn/lambda.js'
export { LayerNorm, type LayerNormOptions } from './nn/layer-norm.js'
export type { KeepsShape, LastAxis, LayerShapes } from './nn/layer-shapes.js'
export { type BuildContext, Module, type ModuleOptions, type PredictOptions } from './nn/module.js'
export { PeriodicEmbedding, type PeriodicEmbeddingOptions } from './nn/periodic-embedding.js'
export {
  type BinnedColumn,
  PiecewiseLinearEmbedding,
  type PiecewiseLinearEmbeddingOptions,
  quantileEdges,
} from './nn/piecewise-linear-embedding.js'
export type { SavedValues } from './nn/saved-values.js'
export { Scale, type ScaleOptions } from './nn/scale.js'
export { Sequential } from './nn/sequential.js'
export { summary } from './nn/summary.js'

// Losses

export { binaryCrossEntropy, type CrossEntropyOptions, crossEntropy } from './loss/classification.js'
export { cosineDistance, type FocalOptions, focal, klDivergence, poisson, quantile } from './loss/distributions.js'
export { ensembleLoss } from './loss/ensemble.js'
export type { Loss, LossOptions } from './loss/loss.js'
export { contrastive, hinge, type MarginOptions, triplet } from './loss/margins.js'
export { type HuberOptions, huber, mae, mse } from './loss/regression.js'
export { type WeightedCrossEntropy, weightedCrossEntropy } from './loss/weighted.js'

// Optimizers

export { Adam, type AdamOptions, type EpsilonPlacement } from './optim/adam.js'
export { AdamW, type AdamWOptions } from './optim/adamw.js'
export { Lion, type LionOptions } from './optim/lion.js'
export { Momentum, type MomentumOptions } from './optim/momentum.js'
export { Muon, type MuonOptions } from './optim/muon.js'
export { muonGroups } from './optim/muon-groups.js'
export { NAdam, type NAdamOptions } from './optim/nadam.js'
export { Nesterov, type NesterovOptions } from './optim/nesterov.js'
export { RMSProp, type RMSPropOptions } from './optim/rmsprop.js'
export { SGD, type SGDOptions } from './optim/sgd.js'

// Shared base of optimizers

export type { Gradients, GradientTransform } from './optim/base/gradients.js'
export type { DecayOptions, GroupInput, GroupOptions, OptimizerInput, SharedOptions, UpdateOptions } from './optim/base/input.js'
export { type ElementRule, Optimizer, type OptimizerClass } from './optim/base/optimizer.js'
export type { OptimizerState, ParameterState, WrapperState } from './optim/base/state.js'

// Wrappers around optimizers

export { clipByNorm, clipGlobalNorm } from './optim/transforms/clipping.js'
export { GradientAccumulation } from './optim/wrappers/accumulation.js'
export { Lookahead, type LookaheadOptions } from './optim/wrappers/lookahead.js'
export { SAM } from './optim/wrappers/sam.js'
export { WeightAverage, type WeightAverageOptions } from './optim/wrappers/weight-average.js'

// Schedules

/** Learning rates (or other options) as functions of the step. */
export * as schedules from './schedule/index.js'
export { type Driven, ReduceOnPlateau, type ReduceOnPlateauOptions } from './schedule/plateau.js'
export type { Schedule } from './schedule/schedule.js'
export { Scheduler } from './schedule/scheduler.js'

// Training

export type { BestValueState } from './train/best-value.js'
export type { Callback, Progress, Resume, Training, TrainingControl } from './train/callbacks.js'
export { EarlyStopping, type EarlyStoppingOptions, type EarlyStoppingState } from './train/early-stopping.js'
export { type EvaluateOptions, evaluateModel } from './train/evaluate.js'
export { type FindLearningRateOptions, findLearningRate, type LearningRateCurve, type LearningRateSuggestions } from './train/find-learning-rate.js'
export { fit } from './train/fit.js'
export { fitMany } from './train/fleet/fit-many.js'
export type { NetHistory } from './train/fleet/many-trainings.js'
export type { Each, FitManyOptions, FitManyProgress } from './train/fleet/options.js'
export type { EpochRecord, Execution, History } from './train/history.js'
export type { Metric, MetricName, MetricsOption, MetricValues } from './train/metrics.js'
export type { FitOptions, StepOptions } from './train/options.js'
export { type Step, trainSteps } from './train/steps.js'
export { TargetLoss, type TargetLossOptions } from './train/target-loss.js'
export { type TrainOnBatchOptions, trainOnBatch } from './train/train-on-batch.js'
export type { TrainingData } from './train/training-data.js'
export type { WholeStepOptimizer } from './train/whole-step-optimizer.js'

// Choosing models

export type { FoldOptions, FoldRows } from './rows/folds.js'
export type { BuiltModel } from './select/built.js'
export { type CompareLearningRatesOptions, compareLearningRates, type LearningRateComparison, type RateToBuild } from './select/compare-learning-rates.js'
export { type CrossValidateOptions, type CrossValidation, crossValidate, type FoldResult, type FoldScore, type FoldToBuild } from './select/cross-validate.js'
export { Ensemble, type EnsembleOptions, type SelectOptions } from './select/ensemble.js'
export { type AutoHistory, type FitAutoOptions, fitAuto, type RateTrial } from './select/fit-auto.js'

// Metrics

export { useAllMetrics } from './train/all-metrics.js'

// Files

export { Checkpoint, type CheckpointOptions, type CheckpointPeriod, resumeFrom } from './files/checkpoint.js'
export { type ClassInFiles, registerClass } from './files/classes.js'
export { type DecodeModelOptions, decodeModel, decodeModelFile, type EncodeModelOptions, encodeModel, type ModelFile } from './files/model-file.js'
export { loadModel, loadModelFile, saveModel } from './files/save.js'
export { loadState, type SaveOptions, saveState } from './files/state-file.js'
export type { ModelSource } from './files/storage.js'
export type { StatefulPart } from './files/training-file.js'
export { decodeState, encodeState, type Stateful } from './io/state.js'

// Backends

export type { DType, FloatArray } from './backend/heap.js'
export { type Backend, type BackendOptions, createBackend, defaultBackend, load, reset } from './backend/index.js'
export type { Activation as ActivationName, Kernels } from './backend/kernels.js'
export type { Variant } from './backend/wasm/variants.js'

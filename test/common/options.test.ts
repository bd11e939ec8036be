/**
 * Every set of options has one schema, and every function with a schema reports wrong options: the caller, the option, the allowed values. The cases
 * are made from the schemas, so a new option needs no line here; a new schema needs a row in CALLS.
 */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import * as attention from '../../ts/attention/index.js'
import { type Allowed, type AnySchema, checkOptions, isAllowed, type Kind, describe as wantsOf } from '../../ts/common/options.js'
import * as conv from '../../ts/conv/index.js'
import { conditionNumber, inspectPoint, jacobian, largestEigenvalues } from '../../ts/curvature/index.js'
import * as data from '../../ts/data/index.js'
import { trace } from '../../ts/debug/index.js'
import { decodeSafetensors, fromOnnx, fromPyTorch, toFunction, toOnnx, toPyTorch } from '../../ts/export/index.js'
import * as heads from '../../ts/head/index.js'
import { imageTensors, trainImages } from '../../ts/images/index.js'
import * as gradus from '../../ts/index.js'
import * as metrics from '../../ts/metrics/index.js'
import { view } from '../../ts/notebook/index.js'
import * as optim from '../../ts/optim/index.js'
import { lineChart, plotHistory, textChart } from '../../ts/plot/index.js'
import * as recurrent from '../../ts/recurrent/index.js'
import { forecast } from '../../ts/series/index.js'
import { fitCurve, levenbergMarquardt, minimize, strongWolfe } from '../../ts/solve/index.js'
import { fitStream, OnlineLearner } from '../../ts/stream/index.js'
import { explainTable, inspectTable, prepareTable, tableNet, tableToFunction, trainTable } from '../../ts/table/index.js'
import * as text from '../../ts/text/index.js'
import * as tune from '../../ts/tune/index.js'
import { plotXray, XRay } from '../../ts/xray/index.js'
import { fixture as xrayed } from '../xray/fixture.js'

const TINY = { vocabulary: 2, context: 2, width: 2, heads: 1, blocks: 1 }
const { Adam, Dense, mse, Sequential, SGD, schedules } = gradus
beforeAll(() => gradus.load({ backend: 'js' }))

// biome-ignore lint/suspicious/noExplicitAny: wrong options are the point
type Given = any
const net = () => new Sequential([new Dense(2, 1)])
const rows = {
  inputs: [
    [1, 2],
    [3, 4],
    [5, 6],
    [7, 8],
  ],
  targets: [[1], [2], [3], [4]],
}
const trained = () => {
  const model = net()
  return { model, options: { ...rows, loss: mse, optimizer: new Adam(model.parameters()) } }
}
const build = () => ({ model: net(), optimizer: new SGD(net().parameters()) })
const p = () => gradus.tensor([[1], [2]])
const study = () => tune.createStudy({ space: { x: tune.float(0, 1) } })
const animals = [
  [[0], [1], [2]],
  ['cat', 'dog', 'dog'],
] as const
const hessian = (f: typeof largestEigenvalues | typeof conditionNumber | typeof inspectPoint) => (o: Given) =>
  f((x) => gradus.sum(gradus.square(x)), [1, 2], o)

const TABLE_ROWS = Array.from({ length: 8 }, (_, i) => ({ x: (i * 5) % 8, y: i }))
const PREPARED = { train: { inputs: new Float32Array(8), targets: new Float32Array(8), count: 8 }, width: 1, classes: 0, embedded: [] }
const PICTURES = { images: [], labels: [] }
const SEQUENCES = [[[1], [2]]]
const tableModel = () => trainTable(TABLE_ROWS, { target: 'y', hidden: [] })

/** How to call the function of each schema with options; options that the call needs are added to those that are tried. */
const CALLS: Record<string, [who: string, call: (options: Given) => unknown, needed?: object]> = {
  ADAPTIVE_CLIP: ['adaptiveClip', (o) => optim.adaptiveClip(1, o)],
  ADD_NOISE: ['addNoise', optim.addNoise],
  ARRAYS: ['fromArrays', (o) => data.fromArrays([[1]], [1], o)],
  ASHA: ['asha', tune.asha],
  AVERAGE: ['f1Score', (o) => metrics.f1Score([1, 0], [1, 0], o)],
  BACKWARD: ['backward', (o) => p().backward(undefined, o)],
  BATCH_NORM: ['BatchNorm', (o) => new gradus.BatchNorm(2, o)],
  BLOBS: ['blobs', data.blobs],
  BUCKETS: ['bucketBatches', (o) => text.bucketBatches([[1]], [0], o), { pad: 0 }],
  CENTRALIZE: ['centralize', optim.centralize],
  CHART: ['lineChart', (o) => lineChart([], o)],
  CHECKPOINT: ['Checkpoint', (o) => new gradus.Checkpoint('x.safetensors', o)],
  CIRCLES: ['circles', data.circles],
  CLASS: ['confusionMatrix', (o) => metrics.confusionMatrix([1, 0], [1, 0], o)],
  CLIP_GLOBAL_NORM: ['clipGlobalNorm', (o) => optim.clipGlobalNorm(1, o)],
  CMA_ES: ['cmaEs', tune.cmaEs],
  COLUMN: ["fromTable: columns of 'x'", (o) => data.fromTable(TABLE_ROWS, { target: 'y', columns: { x: o } })],
  COMMON: ['mse', (o) => mse(p(), p(), o)],
  COMPARE_LEARNING_RATES: ['compareLearningRates', (o) => gradus.compareLearningRates(build, o), { ...rows, loss: mse }],
  CONDITION_NUMBER: ['conditionNumber', hessian(conditionNumber)],
  CONV: ['conv2d', (o) => conv.conv2d(gradus.zeros([1, 3, 3, 1]), gradus.zeros([2, 2, 1, 1]), o)],
  CONV_LAYER: ['Conv2d', (o) => new conv.Conv2d(1, 1, 2, o)],
  CONV_TRANSPOSE: ['convTranspose2d', (o) => conv.convTranspose2d(gradus.zeros([1, 3, 3, 1]), gradus.zeros([2, 2, 1, 1]), o)],
  CONV_TRANSPOSE_LAYER: ['ConvTranspose2d', (o) => new conv.ConvTranspose2d(1, 1, 2, o)],
  COSINE: ['cosine', (o) => schedules.cosine(1, o), { steps: 1 }],
  COSLOG: ['coslog', (o) => schedules.coslog(1, o), { steps: 1 }],
  FLAT_COSINE: ['flatCosine', (o) => schedules.flatCosine(1, o), { steps: 1 }],
  COSINE_RESTARTS: ['cosineRestarts', (o) => schedules.cosineRestarts(1, o), { steps: 1 }],
  CREATE_STUDY: ['createStudy', tune.createStudy, { space: { x: tune.float(0, 1) } }],
  CROSS_VALIDATE: ['crossValidate', (o) => gradus.crossValidate(build, o), { ...rows, loss: mse }],
  CSV: ['parseCsv', (o) => data.parseCsv('a\n1', o)],
  CYCLIC: ['cyclic', (o) => schedules.cyclic(0, 1, o)],
  DATA: ['fit: validation', (o) => gradus.fit(net(), { ...trained().options, validation: o }), rows],
  DECISION: ['trainTable', (o) => trainTable(TABLE_ROWS, o), { target: 'y' }],
  RESPONSE: ['trainTable', (o) => trainTable(TABLE_ROWS, o), { target: 'y' }],
  DECODE: ['decodeSafetensors', (o) => decodeSafetensors(new Uint8Array(8), o)],
  DECODE_MODEL: ['decodeModel', (o) => gradus.decodeModel(new Uint8Array(8), o)],
  DENSE: ['Dense', (o) => new Dense(2, 2, o)],
  DUPLICATES: ['findDuplicates', (o) => heads.findDuplicates([[1], [2]], o)],
  EARLY_STOPPING: ['EarlyStopping', (o) => new gradus.EarlyStopping(o)],
  EMBEDDING: ['Embedding', (o) => new gradus.Embedding(2, 2, o)],
  ENCODER: ['encoderFromState', (o) => data.encoderFromState(data.fromTable(TABLE_ROWS, { target: 'y' }).state(), o)],
  ENCODE_TEXT: ['encode', async (o) => (await text.trainTokenizer('a')).encode('a', o)],
  DECODE_TOKENS: ['decode', async (o) => (await text.trainTokenizer('a')).decode([1], o)],
  ENCODE_MODEL: ['encodeModel', (o) => gradus.encodeModel(net(), {}, o)],
  ENSEMBLE: ['Ensemble', (o) => new gradus.Ensemble([net()], o)],
  EVALUATE: ['evaluateModel', (o) => gradus.evaluateModel(net(), o), { ...rows, loss: mse }],
  EXPONENTIAL: ['exponential', (o) => schedules.exponential(1, o), { factor: 0.5 }],
  EXPLAIN_TABLE: ['explainTable', async (o) => explainTable((await tableModel()).model, TABLE_ROWS, o)],
  FIND_LEARNING_RATE: ['findLearningRate', (o) => gradus.findLearningRate(net(), o), trained().options],
  FIND_MISLABELLED: ['findMislabelled', (o) => heads.findMislabelled(...animals, o)],
  FIT: ['fit', (o) => gradus.fit(net(), o), trained().options],
  FIT_AUTO: ['fitAuto', (o) => gradus.fitAuto(net(), o), trained().options],
  FIT_CURVE: ['fitCurve', (o) => fitCurve((x, [a]) => a * x, [1], [1], o), { initial: [1] }],
  FIT_MANY: ['fitMany', (o) => gradus.fitMany([net()], o), { ...rows, loss: mse, optimizers: [new SGD(net().parameters())] }],
  FIT_STREAM: ['fitStream', (o) => fitStream(net(), o), { data: [rows], loss: mse, optimizer: new SGD(net().parameters()) }],
  FLOAT: ['float', (o) => tune.float(0, 1, o)],
  FOCAL: ['focal', gradus.focal],
  FOLDS: ['kFold', (o) => data.kFold(data.iris(), o)],
  FORECAST: ['forecast', (o) => forecast(TABLE_ROWS, o), { time: 'y', value: 'x' }],
  ENSEMBLE_DENSE: ['EnsembleDense', (o) => new gradus.EnsembleDense(2, 2, 2, o)],
  ENSEMBLE_MEAN: ['EnsembleMean', (o) => new gradus.EnsembleMean(o)],
  FROM_ONNX: ['fromOnnx', (o) => fromOnnx(new Uint8Array(8), o)],
  FROM_PYTORCH: ['fromPyTorch', (o) => fromPyTorch(net(), toPyTorch(net()).tensors, o)],
  GRADIENTS: ['gradients', (o) => gradus.gradients(p(), [], o)],
  GRADIENT_ACCUMULATION: ['GradientAccumulation', (o) => new gradus.GradientAccumulation(new SGD(net().parameters()), o), { every: 2 }],
  GRID: ['grid', tune.grid],
  GRU_CALL: ['gru', (o) => recurrent.gru(SEQUENCES, { weight: gradus.zeros([1, 3]), recurrentWeight: gradus.zeros([1, 3]) }, o)],
  GRU_OPTIONS: ['GRU', (o) => new recurrent.GRU(1, 1, o)],
  HEAD_TO_FUNCTION: ['headToFunction', async (o) => heads.headToFunction(await heads.trainHead(...animals), o)],
  HUBER: ['huber', (o) => gradus.huber(p(), p(), o)],
  HYPERBAND: ['hyperband', tune.hyperband, { maxResource: 9 }],
  IMPORTANCE: ['importance', async (o) => tune.importance(await study(), o)],
  IMAGE_TENSORS: ['imageTensors', (o) => imageTensors(PICTURES, o)],
  INSPECT_POINT: ['inspectPoint', hessian(inspectPoint)],
  INSPECT_TABLE: ['inspectTable', (o) => inspectTable(TABLE_ROWS, o), { target: 'y' }],
  INT: ['int', (o) => tune.int(0, 9, o)],
  INVERSE_SQRT: ['inverseSqrt', (o) => schedules.inverseSqrt(1, o), { warmupSteps: 1 }],
  INVERSE_TIME: ['inverseTime', (o) => schedules.inverseTime(1, o), { rate: 1 }],
  JACOBIAN: ['jacobian', (o) => jacobian((x) => x, o)],
  // ---- gradus/attention ----
  ATTENTION_OPTIONS: ['scaledDotProductAttention', (o) => attention.scaledDotProductAttention([[0]], [[0]], [[0]], o)],
  ATTENTION_RUN: ['MultiHeadAttention(1, 1)', (o) => new attention.MultiHeadAttention(1, 1).run(SEQUENCES, o)],
  GENERATE: ['generate', (o) => attention.generate(new attention.GPT(TINY), [0], o), { tokens: 1 }],
  GPT_OPTIONS: ['GPT', (o) => new attention.GPT(o), TINY],
  LEARNED_POSITIONS: ['LearnedPositions', (o) => new attention.LearnedPositions(1, 1, o)],
  MASKED_SOFTMAX: ['maskedSoftmax', (o) => attention.maskedSoftmax([[0]], o)],
  MULTI_HEAD_ATTENTION: ['MultiHeadAttention', (o) => new attention.MultiHeadAttention(2, 1, o)],
  RMS_NORM: ['RMSNorm', (o) => new attention.RMSNorm(1, o)],
  ROTARY: ['rotaryEmbedding', (o) => attention.rotaryEmbedding([[0, 0]], 2, o)],
  TORCH_NAMES: ['torchWeights', (o) => attention.torchWeights(new attention.MultiHeadAttention(1, 1), o)],
  TEXT_CHART: ['textChart', (o) => textChart([], o)],
  TRANSFORMER_BLOCK: ['TransformerBlock', (o) => new attention.TransformerBlock(2, 1, o)],
  K_FOLD: ['kFold', (o) => data.kFold(data.iris(), o)],
  LANCZOS: ['largestEigenvalues', hessian(largestEigenvalues)],
  LATIN_HYPERCUBE: ['latinHypercube', tune.latinHypercube, { points: 4 }],
  LAYER_NORM: ['LayerNorm', (o) => new gradus.LayerNorm(2, o)],
  LEAST_SQUARES: ['levenbergMarquardt', (o) => levenbergMarquardt((x) => [x[0]], [1], o)],
  LOAD: ['load', (o) => gradus.createBackend(o)],
  LOAD_MNIST: ['loadMnist', data.loadMnist],
  ACTIVATION_MAP: [
    'classActivationMap',
    (o) =>
      conv.classActivationMap(
        new gradus.Sequential([new conv.Conv2d(1, 2, 2), new conv.GlobalAvgPool()]),
        gradus.zeros([1, 3, 3, 1]),
        0,
        o,
      ),
  ],
  AUGMENT: ['trainImages: augment', (o) => trainImages(PICTURES, { augment: o })],
  LOOKAHEAD: ['Lookahead', (o) => new gradus.Lookahead(new SGD(net().parameters()), o)],
  MARGIN: ['hinge', (o) => gradus.hinge(p(), [[1], [1]], o)],
  MATMUL: ['matmul', (o) => gradus.matmul([[1]], [[1]], o)],
  METRIC: ['meanSquaredError', (o) => metrics.meanSquaredError([1], [1], o)],
  MINIMIZE: ['minimize', (o) => minimize(([x]) => x * x, [1], o)],
  MODULE: ['Sequential', (o) => new Sequential([new Dense(1, 1)], o)],
  MOONS: ['moons', data.moons],
  MULTI_STEP: ['multiStep', (o) => schedules.multiStep(1, o), { milestones: [1] }],
  NET: ['tableNet', (o) => tableNet(PREPARED, o)],
  NORM: ['norm', (o) => gradus.norm([1], undefined, o)],
  NSGA2: ['nsga2', tune.nsga2],
  ONE_CYCLE: ['oneCycle', (o) => schedules.oneCycle(1, o), { steps: 9 }],
  ONE_CYCLE_MOMENTUM: ['oneCycleMomentum', schedules.oneCycleMomentum, { steps: 9 }],
  ONLINE: ['OnlineLearner', (o) => new OnlineLearner(net(), o), { loss: mse, optimizer: new SGD(net().parameters()) }],
  OPEN_STUDY: ['openStudy', tune.openStudy, { storage: 'nowhere.log' }],
  OPTIMIZE: ['optimize', async (o) => (await study()).optimize(() => 1, o), { trials: 1 }],
  PARAMETER: ['Parameter', (o) => new gradus.Parameter([1], o)],
  PATIENCE: ['patience', (o) => tune.patience(1, o)],
  PERIODIC_EMBEDDING: ['PeriodicEmbedding', (o) => new gradus.PeriodicEmbedding(2, o)],
  PIECEWISE_LINEAR_EMBEDDING: [
    'PiecewiseLinearEmbedding',
    (o) => new gradus.PiecewiseLinearEmbedding(2, [{ feature: 0, edges: [0, 1] }], o),
  ],
  SCALE: ['Scale', (o) => new gradus.Scale(2, o)],
  PERCENTILE: ['median', tune.median],
  PERIOD: ['Checkpoint: every', (o) => new gradus.Checkpoint('x.safetensors', { every: o })],
  PLOT_HISTORY: ['plotHistory', (o) => plotHistory({ epochs: [] }, o)],
  NEXT_TOKENS: ['nextTokenRows', (o) => text.nextTokenRows([1, 2, 3], o), { context: 1 }],
  PAD_TOKENS: ['padTokens', (o) => text.padTokens([[1]], o), { pad: 0 }],
  PLOT_XRAY: ['plotXray', (o) => plotXray(xrayed(), o)],
  POLYNOMIAL: ['polynomial', (o) => schedules.polynomial(1, o), { steps: 1 }],
  ONNX_FEATURES: ['fromOnnxFeatures', (o) => conv.fromOnnxFeatures(new Uint8Array(0), o)],
  GROUP_NORM: ['GroupNorm', (o) => new conv.GroupNorm(1, 2, o)],
  PAD: ['pad', (o) => conv.pad(gradus.zeros([1, 3, 3, 1]), 1, o)],
  RESIDUAL: ['Residual', (o) => new conv.Residual([], o)],
  SEPARABLE_CONV: ['SeparableConv2d', (o) => new conv.SeparableConv2d(1, 1, 2, o)],
  SQUEEZE_EXCITE: ['SqueezeExcite', (o) => new conv.SqueezeExcite(4, o)],
  UNFOLD: ['unfold', (o) => conv.unfold(gradus.zeros([1, 3, 3, 1]), 2, o)],
  UPSAMPLE: ['upsample', (o) => conv.upsample(gradus.zeros([1, 3, 3, 1]), 2, o)],
  POOL: ['maxPool', (o) => conv.maxPool(gradus.zeros([1, 3, 3, 1]), 2, o)],
  POOL_LAYER: ['MaxPool', (o) => new conv.MaxPool(2, o)],
  PREDICT: ['predict', (o) => net().predict([[1, 2]], o)],
  PREPARE_TABLE: ['prepareTable', (o) => prepareTable(TABLE_ROWS, o), { target: 'y' }],
  PROBABILITY: ['logLoss', (o) => metrics.logLoss([0], [1], o)],
  QUANTILE_ERROR: ['quantileError', (o) => metrics.quantileError([1], [1], o)],
  RANKING: ['rocAuc', (o) => metrics.rocAuc([0, 1], [0, 1], o)],
  READ: ['readTable', (o) => data.readTable(new Blob(['x\n1']), o)],
  RECURRENT: ['LSTM', (o) => new recurrent.LSTM(1, 1, o)],
  RECURRENT_CALL: [
    'simpleRNN',
    (o) => recurrent.simpleRNN(SEQUENCES, { weight: gradus.ones([1, 1]), recurrentWeight: gradus.ones([1, 1]) }, o),
  ],
  REDUCE_ON_PLATEAU: ['ReduceOnPlateau', (o) => new gradus.ReduceOnPlateau(new SGD(net().parameters()), o)],
  RUN: ['GRU(1, 1)', (o) => new recurrent.GRU(1, 1).run(SEQUENCES, o)],
  RUN_WORKER: ['runWorker', (o) => tune.runWorker('redis://127.0.0.1:1', o)],
  SAM_OPTIONS: ['SAM', (o) => new gradus.SAM(new SGD(net().parameters()), o)],
  SAVE: ['saveState', (o) => gradus.saveState({}, 'x.safetensors', o)],
  SAVE_HEAD: ['bytes', async (o) => (await heads.trainHead(...animals)).bytes(o)],
  SAVE_MODEL: ['saveModel', (o) => gradus.saveModel(net(), 'x.safetensors', {}, o)],
  SCALER: ['fitScaler', (o) => data.fitScaler([1, 2], 1, o)],
  SCHEDULER: ['Scheduler', (o) => new gradus.Scheduler(new SGD(net().parameters()), () => 1, o)],
  SELECT: ['Ensemble.select', (o) => gradus.Ensemble.select([net()], rows, o), { loss: mse }],
  SHARED: ['Adam', (o) => new Adam(net().parameters(), o)],
  SHUFFLE: ['shuffleStream', (o) => data.shuffleStream([[{ x: 1 }]], o).next()],
  SMOOTHED: ['binaryCrossEntropy', (o) => gradus.binaryCrossEntropy(p(), [[0], [1]], o)],
  SOBOL: ['sobol', tune.sobol],
  SORT: ['sort', (o) => gradus.sort([1], -1, o)],
  SPIRALS: ['spirals', data.spirals],
  SPLIT: ['trainTestSplit', (o) => data.trainTestSplit(data.iris(), o)],
  SPLIT_ROWS: ['trainTestSplit', (o) => data.trainTestSplit([{ x: 1 }, { x: 2 }, { x: 3 }], o)],
  STANDARDIZE: ['standardize', (o) => data.standardize(data.trainTestSplit(data.iris()), o)],
  STEP: ['Adam.step()', (o) => new Adam(net().parameters()).step(o)],
  STEPS: ['trainSteps', (o) => gradus.trainSteps(net(), o).next(), trained().options],
  STEP_MASK: ['stepMask', (o) => text.stepMask([[1]], o), { pad: 0, vocabulary: 2 }],
  STEPS_TO_TAKE: ['LSTM(1, 1)', (o) => new recurrent.LSTM(1, 1).run(SEQUENCES, o)],
  STEP_DECAY: ['stepDecay', (o) => schedules.stepDecay(1, o), { every: 1 }],
  STRONG_WOLFE: ['strongWolfe', (o) => strongWolfe((t) => ({ t, value: t, slope: 1 }), { t: 0, value: 0, slope: -1 }, 1, o)],
  TABLE: ['fromTable', (o) => data.fromTable(TABLE_ROWS, o), { target: 'y' }],
  TABLE_FUNCTION: ['tableToFunction', async (o) => tableToFunction((await tableModel()).model, o)],
  TABLE_NET: ['tableNet', (o) => tableNet(PREPARED, o)],
  TABLE_OBJECTIVE: ['tableObjective', tune.tableObjective, { file: 'docs/guide/penguins.csv', target: 'species' }],
  TABLE_PREDICT: ['predict', async (o) => (await tableModel()).model.predict([{ x: 1 }], o)],
  TARGET_LOSS: ['TargetLoss', (o) => new gradus.TargetLoss(o), { target: 1 }],
  TENSOR: ['tensor', (o) => gradus.tensor([1], o)],
  TOP_K: ['topKAccuracy', (o) => metrics.topKAccuracy([[1, 0]], [0], o)],
  TORCH_PLACE: ['torchWeights', (o) => recurrent.torchWeights(new recurrent.LSTM(1, 1), o)],
  TO_FUNCTION: ['toFunction', (o) => toFunction(net(), o)],
  TO_ONNX: ['toOnnx', (o) => toOnnx(net(), o)],
  TPE: ['tpe', tune.tpe],
  TRACE: ['trace', (o) => trace(() => 1, o)],
  TRAIN_IMAGES: ['trainImages', (o) => trainImages(PICTURES, o)],
  TRAIN_MULTI_LABEL: [
    'trainHead',
    (o) =>
      heads.trainHead(
        [
          [0, 1],
          [1, 0],
        ],
        [['a'], []],
        o,
      ),
  ],
  TRAIN_HEAD: ['trainHead', (o) => heads.trainHead(...animals, o)],
  TRAIN_ON_BATCH: ['trainOnBatch', (o) => gradus.trainOnBatch(net(), o), trained().options],
  TRAIN_TABLE: ['trainTable', (o) => trainTable(TABLE_ROWS, o), { target: 'y' }],
  TRANSFORM: ['Adam', (o) => new Adam(net().parameters(), o)],
  TUNE_MODEL: ['tuneModel', tune.tuneModel, { space: { x: tune.float(0, 1) }, build, data: rows, loss: mse }],
  VARIANCE: ['variance', (o) => gradus.variance([1], undefined, o)],
  WARMUP: ['warmup', (o) => schedules.warmup(() => 1, o), { steps: 1 }],
  WARMUP_STABLE_DECAY: ['warmupStableDecay', (o) => schedules.warmupStableDecay(1, o), { warmupSteps: 1, stableSteps: 1, decaySteps: 1 }],
  WEIGHT_AVERAGE: ['WeightAverage', (o) => new gradus.WeightAverage(new Adam(net().parameters()), o)],
  XOR: ['xor', data.xor],
  VIEW: ['view', (o) => view([[1]], o)],
  TRAIN_TOKENIZER: ['trainTokenizer', (o) => text.trainTokenizer(['a b'], o)],
  READ_TEXT: ['readText', (o) => text.readText(new Uint8Array(1), o)],
  READ_TOKENIZER: ['readTokenizer', (o) => text.readTokenizer({ vocabulary: '{"a":0}', merges: '' }, o)],
  XRAY: ['XRay', (o) => new XRay(o)],
}

/** A schema in a file of ts/, and the interface that it must satisfy. */
interface Declared {
  file: string
  name: string
  type: string
  source: ts.SourceFile
}

const declared: Declared[] = readdirSync('ts', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && readFileSync(`ts/${file}`, 'utf8').includes('satisfies Schema<'))
  .flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(`ts/${file}`, 'utf8'), ts.ScriptTarget.Latest, true)
    return source.statements.filter(ts.isVariableStatement).flatMap((statement) => {
      const [{ name, initializer }] = statement.declarationList.declarations
      const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      if (!isExported || !initializer || !ts.isSatisfiesExpression(initializer)) return []
      const type = /^Schema<(.*)>$/s.exec(initializer.type.getText())?.[1]
      return type === undefined ? [] : [{ file, name: name.getText(), type, source }]
    })
  })

const schemas = new Map<string, AnySchema>()
for (const { file, name } of declared) {
  const module = new URL(`../../ts/${file}`, import.meta.url).href
  schemas.set(name, (await import(/* @vite-ignore */ module))[name])
}

const isKind = (allowed: Allowed): allowed is Kind => 'fits' in allowed
const names = [...schemas.keys()].sort()

/** Values of every kind, of which an option refuses some. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, Number.NaN, -1, 0, 0.5, 1e300, 'no such choice', '', true, {}, [], [1], () => 1, Symbol.iterator, 10n),
  fc.double(),
  fc.integer(),
  fc.string(),
)

test('every schema has a call here', () => {
  expect(names.filter((name) => CALLS[name] === undefined)).toEqual([])
  expect(Object.keys(CALLS).filter((name) => !schemas.has(name))).toEqual([])
  expect(names.length).toBeGreaterThan(100)
})

describe.each(names)('%s', (name) => {
  const schema = schemas.get(name) as AnySchema
  const [who, call, needed = {}] = CALLS[name] ?? ['', () => undefined]
  const attempt = async (options: object) => call({ ...needed, ...options })

  test('its defaults are allowed', () => {
    for (const [option, { is, default: usual }] of Object.entries(schema))
      if (usual !== undefined) expect(isAllowed(usual, is), `${option}: ${String(usual)} is not ${wantsOf(is)}`).toBe(true)
  })

  test('a wrong value names who, the option and what it wants', async () => {
    for (const [option, { is }] of Object.entries(schema)) {
      if (isKind(is) && is.wants === 'a value') continue
      // an array as the target of trainTable has several targets: test/table/targets.test.ts
      await fc.assert(
        fc.asyncProperty(
          odd.filter((value) => !isAllowed(value, is) && !(option === 'target' && who === 'trainTable' && Array.isArray(value))),
          async (value) => {
            const said = `${who}: ${option} wants ${wantsOf(is)}, got `
            await expect(attempt({ [option]: value })).rejects.toThrow(said)
          },
        ),
        { numRuns: 5 },
      )
    }
  })

  test('a misspelt name is refused, with the name that was meant', async () => {
    const [option] = Object.keys(schema).sort((a, b) => b.length - a.length)
    await expect(attempt({ [`${option}x`]: 1 })).rejects.toThrow(
      `${who}: there is no option '${option}x'${option.length > 2 ? '; did you mean' : ''}`,
    )
  })
})

test('a schema has the interface it is held to: no more, no fewer, by the compiler', () => {
  interface Two {
    a: number
    b?: string
  }
  // @ts-expect-error a name is missing
  const fewer = { a: { is: {} } } satisfies import('../../ts/common/options.js').Schema<Two>
  // @ts-expect-error a name too many
  const more = { a: { is: {} }, b: { is: {} }, c: { is: {} } } satisfies import('../../ts/common/options.js').Schema<Two>
  expect(() => checkOptions('two', { d: 1 }, { ...fewer, ...more })).toThrow("two: there is no option 'd'")
})

test('a name of another library, or one level too high, is an error that says the name here', () => {
  const known = { every: { is: {}, holds: { steps: 1 } }, gradientTolerance: { is: {}, aka: ['tolerance'] } }
  expect(() => checkOptions('f', { steps: 5 }, known)).toThrow("f: there is no option 'steps'; did you mean every: { steps }?")
  expect(() => checkOptions('f', { tolerance: 1 }, known)).toThrow("'tolerance'; did you mean gradientTolerance?")
  expect(checkOptions('f', { every: 1, carried: 2 }, known, ['carried'])).toEqual({ every: 1, carried: 2 })
})

test('the default of a docstring is that of the schema', () => {
  let compared = 0
  const wrong = declared.flatMap(({ name, type, source }) =>
    source.statements
      .filter((node): node is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(node) && type.startsWith(node.name.text))
      .flatMap(({ members }) => members)
      .flatMap((member) => {
        const option = member.name?.getText() ?? ''
        const usual = schemas.get(name)?.[option]?.default
        const doc = ts
          .getJSDocCommentsAndTags(member)
          .map((node) => node.getText())
          .join(' ')
        const [, said] = /Default:? `?'?"?((?:true|false|[\d.][\w.,/-]*|\w+(?=['`"])))(?![\w/]| MiB)/.exec(doc) ?? []
        if (usual === undefined || typeof usual === 'object' || typeof usual === 'function' || said === undefined) return []
        compared++
        const [above, below = 1] = said.replaceAll(/,|\.$/g, '').split('/').map(Number)
        const number = above / below
        const same = said === String(usual) || (typeof usual === 'number' && (number === usual || !Number.isFinite(number)))
        return same ? [] : [`${name}.${option}: the docstring says ${said}, the schema ${String(usual)}`]
      }),
  )
  expect(wrong).toEqual([])
  expect(compared).toBeGreaterThan(80)
})

/** The search for a model of a table: a straight line if no hidden layer is wanted, else nets, with which a fitted line is compared. */
import { pickOptions } from '../common/options.js'
import type { Table } from '../data/index.js'
import type { ClassTerms } from './decision.js'
import { type FeatureState, featuresOf, inputsOf, plainFeatures, plainOf, scaled, scalesOf, widthOf } from './features.js'
import { type Folds, foldsInTime, foldsOf } from './folds.js'
import { lineModel, linesOfFolds } from './line-model.js'
import { NET } from './nets.js'
import type { ProgressWatch } from './progress.js'
import { lossOn, type TableSamples } from './samples.js'
import { type LineFeatures, type SearchResult, search } from './search.js'
import { fitLine, type LineLimits, type LineSamples, lineAnswers } from './straight-line.js'
import type { TimeBudget } from './time-budget.js'
import type { ReadTrainOptions } from './train-options.js'

/** The training data as numbers, the scaling that made them, and their folds. */
export interface Lesson {
  features: FeatureState
  samples: TableSamples
  /** Mean and deviation that targets were scaled by. */
  scale: { mean: number; deviation: number }
  /** The features of a straight line, and its samples. */
  plain: FeatureState
  ofLine: LineSamples
  folds: Folds
  /** True if rows are in time. */
  isInTime: boolean
}

/** @param times of the rows, if they are in time */
export function lessonOf(learnt: Table, times: Float64Array | undefined, { weights, lossOf, stopOf }: ClassTerms, seed: number): Lesson {
  const features = featuresOf(learnt)
  const plain = plainFeatures(features)
  const { targets, scale } = scaled(learnt.targets)
  const { classes, count } = learnt
  const shared = { targets, classes, embedded: features.embedded ?? [] }
  const numbers = scalesOf(learnt.report.columns)
  return {
    ...{ features, plain, scale, isInTime: times !== undefined },
    samples: { ...shared, inputs: inputsOf(features, learnt.inputs), width: widthOf(features), count, weights, lossOf, stopOf },
    ofLine: { ...shared, inputs: inputsOf(plain, learnt.inputs), features: plain.features, numbers, rowWeights: weights },
    folds: (times && foldsInTime(times, targets)) ?? foldsOf(targets, classes, seed),
  }
}

/** The model that was found, and the predictions of a straight line for comparison; null if the model is that line, or none could be fitted. */
export interface Found {
  found: SearchResult
  /** @param encoded rows as the encoder gives them */
  lineBeside: ((encoded: Float32Array) => Float64Array) | null
}

/** @throws NonFiniteError if all nets diverged, the signal's reason if it ends training before there is a net */
export async function findModel(lesson: Lesson, options: ReadTrainOptions, budget: TimeBudget, watch: ProgressWatch): Promise<Found> {
  const { samples, plain, ofLine, folds, scale } = lesson
  const { time, signal, seed, onProgress } = options
  watch.tell({ phase: 'training', step: 'a straight line' })
  const isLine = options.hidden?.length === 0
  const limits = { time, signal, all: isLine }
  const rows = Int32Array.from(samples.targets, (_, row) => row)
  const line = await fitLine(ofLine, rows, limits)
  if (isLine) {
    const lossOf = (predictions: Float64Array, rows: Int32Array) => lossOn(samples, rows)(predictions)
    return { found: await lineModel(line, ofLine, folds, plain, lossOf, limits), lineBeside: null }
  }
  const found = await search(samples, folds, await besideLine(lesson, limits), {
    ...{ ...budget, seed, signal, net: pickOptions(options, NET) },
    onProgress: onProgress && (({ secondsLeft, ...nets }) => watch.tell({ phase: 'training', step: 'nets', ...nets }, secondsLeft)),
  })
  return { found, lineBeside: line && ((encoded) => inUnits(lineAnswers(line, inputsOf(plain, encoded)), scale)) }
}

/** Features of nets and, if numbers are predicted and rows are in time, of lines in addition to them. */
async function besideLine({ features, ofLine, folds, isInTime }: Lesson, limits: LineLimits): Promise<LineFeatures> {
  const lines = isInTime && ofLine.classes === 0 ? await linesOfFolds(ofLine, folds, limits) : null
  return { features, lines, withLine: features.squeezes === false ? features : { ...features, plain: plainOf(features) } }
}

/** Numbers as the table has them; probabilities are as they are, since classes have mean 0 and deviation 1. */
function inUnits(answers: Float64Array, { mean, deviation }: { mean: number; deviation: number }): Float64Array {
  return answers.map((y) => mean + deviation * y)
}

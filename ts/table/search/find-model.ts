/** The search for a model of a table: a straight line if no hidden layer is wanted, else nets, with which a fitted line is compared. */
import { clock } from '../../common/clock.js'
import { rangeError } from '../../common/errors.js'
import { pickOptions } from '../../common/options.js'
import type { Table, TableEncoder } from '../../data/index.js'
import type { LossOf } from '../../select/choose-greedily.js'
import { absoluteErrorOf, squaredErrorOf } from '../measure/losses.js'
import type { ProgressWatch } from '../progress.js'
import { type FeatureState, featuresOf, inputsOf, plainFeatures, plainOf, scaled, scalesOf, widthOf } from '../rows/features.js'
import { type Folds, foldsInTime, foldsOf } from '../rows/folds.js'
import { lossOn, type TableSamples } from '../rows/samples.js'
import type { ClassTerms } from '../target/decision.js'
import { type Distribution, eligible, numberOf, type Response, responseOf, type Scale } from '../target/response.js'
import type { ReadTrainOptions } from '../train-options.js'
import type { LineFeatures, SearchResult } from './ensemble.js'
import { lineModel, linesOfFolds } from './line-model.js'
import { NET } from './nets.js'
import { search } from './search.js'
import { fitLine, type LineLimits, type LineSamples, lineAnswers } from './straight-line.js'
import type { TimeBudget } from './time-budget.js'

/** The training data as numbers, the scaling that made them, and their folds. */
export interface Lesson {
  features: FeatureState
  samples: TableSamples
  /** Of a numeric target. */
  distribution: Distribution
  /** The way from outputs of nets to numbers of the target. */
  scale: Scale
  /** The features of a straight line, its samples, and mean and deviation that its targets were scaled by. */
  plain: FeatureState
  ofLine: LineSamples
  scaleOfLine: { mean: number; deviation: number }
  folds: Folds
  /** True if rows are in time. */
  isInTime: boolean
}

/** The rows as numbers, and their times if they are in time. */
interface Learnt {
  learnt: Table
  times: Float64Array | undefined
  /** The group of each row, if rows are in groups. */
  groupOf: readonly string[] | undefined
  encoder: TableEncoder
}

/** The training data as numbers. For `distribution: 'auto'` a net of each distribution is trained on one fold, to choose by the other rows. */
export async function lessonFor(data: Learnt, terms: ClassTerms, options: ReadTrainOptions, budget: TimeBudget): Promise<Lesson> {
  const { target, distribution: given = terms.metric === 'mae' ? 'laplace' : 'normal' } = options
  if (data.learnt.classes > 0) {
    const wrong = options.distribution !== undefined ? 'distribution' : options.intervals === 'row' ? 'intervals' : undefined
    if (wrong !== undefined)
      throw rangeError(`trainTable: ${wrong} is for numbers, and column '${target}' has ${data.learnt.classes} classes; leave it out`)
  }
  const lesson = lessonOf(data, terms, options)
  if (data.learnt.classes > 0 || options.hidden?.length === 0) return lesson
  const withOne = (one: Distribution) => withDistribution(lesson, one, data, target)
  if (given !== 'auto') return withOne(given)
  const tried = eligible(data.learnt.targets as Float32Array, centerOf(data.encoder))
  const lessons = (terms.metric === 'mae' ? [...tried, 'laplace' as const] : tried).map(withOne)
  const { end } = budget
  const losses: number[] = []
  for (const { samples, folds, features } of lessons) {
    options.signal?.throwIfAborted()
    const one = { folds: folds.folds.slice(-1), from: 0 }
    const share = end === undefined ? undefined : clock.now() + SHARE_OF_TRIAL * (end - clock.now())
    const rest = { reserve: () => 0, seed: options.seed, signal: options.signal, onProgress: undefined }
    const found = search(
      samples,
      one,
      { features, lines: null, withLine: features },
      { ...rest, end: share, net: pickOptions(options, NET) },
    )
    const none = () => Number.POSITIVE_INFINITY
    losses.push(await found.then(({ candidates }) => candidates[0].loss, none))
  }
  return lessons[losses.indexOf(Math.min(...losses))]
}

/** Share of the time that a trial of a distribution takes. */
const SHARE_OF_TRIAL = 0.07

const centerOf = (encoder: TableEncoder) => encoder.state().target.center ?? 0

/** The training data of classes, or of numbers with a normal distribution. */
function lessonOf({ learnt, times, groupOf }: Learnt, { weights, lossOf, stopOf }: ClassTerms, { seed }: ReadTrainOptions): Lesson {
  const features = featuresOf(learnt)
  const plain = plainFeatures(features)
  const { targets, scale } = scaled(learnt.targets)
  const { classes, count } = learnt
  const shared = { classes, embedded: features.embedded ?? [], targets }
  const numbers = scalesOf(learnt.report.columns)
  return {
    ...{ features, plain, distribution: 'normal', scale, scaleOfLine: scale, isInTime: times !== undefined },
    samples: { ...shared, lossOf, stopOf, inputs: inputsOf(features, learnt.inputs), width: widthOf(features), count, weights },
    ofLine: { ...shared, inputs: inputsOf(plain, learnt.inputs), features: plain.features, numbers, rowWeights: weights },
    folds: (times && foldsInTime(times, targets)) ?? foldsOf(targets, classes, seed, groupOf),
  }
}

/** The same lesson for another distribution of the numbers. */
function withDistribution(lesson: Lesson, distribution: Distribution, { learnt, encoder }: Learnt, target: string): Lesson {
  if (distribution === 'normal') return lesson
  const center = centerOf(encoder)
  const response = responseOf(distribution, learnt.targets as Float32Array, center, target)
  const { scale, targets, loss } = response
  const judged = inDeviations(response, lesson.scaleOfLine, lesson.samples, center)
  return { ...lesson, distribution, scale, samples: { ...lesson.samples, ...judged, targets, loss } }
}

type LossOfTargets = (targets: Int32Array | Float32Array) => LossOf

/**
 * The losses that choose nets, of numbers with mean 0 and deviation 1 whatever nets learn, so that those of all distributions compare. Default: the
 * squared error, of a Laplace distribution the absolute one.
 */
function inDeviations(
  { distribution, scale }: Response,
  { mean, deviation }: { mean: number; deviation: number },
  { lossOf, stopOf }: Pick<TableSamples, 'lossOf' | 'stopOf'>,
  center: number,
): { lossOf: LossOfTargets; stopOf: LossOfTargets | undefined } {
  const usual: LossOfTargets = (targets) => (distribution === 'laplace' ? absoluteErrorOf : squaredErrorOf)(targets as Float32Array)
  if (scale.link === undefined) return { lossOf: lossOf ?? usual, stopOf }
  const standard = (number: number) => (number - center - mean) / deviation
  // nets learn the logarithm, or the number in units of the mean
  const numberOfTarget = (t: number) => (distribution === 'logNormal' ? numberOf(scale, t) : t * Math.exp(scale.mean))
  const through =
    (loss: LossOfTargets): LossOfTargets =>
    (targets) => {
      const own = loss(Float32Array.from(targets, (t) => standard(numberOfTarget(t))))
      return (predictions) => own(Float64Array.from(predictions, (output) => standard(numberOf(scale, output))))
    }
  return { lossOf: through(lossOf ?? usual), stopOf: stopOf && through(stopOf) }
}

/** The model that was found, and the predictions of a straight line for comparison; null if the model is that line, or none could be fitted. */
export interface Found {
  found: SearchResult
  /** @param encoded rows as the encoder gives them */
  lineBeside: ((encoded: Float32Array) => Float64Array) | null
}

/** @throws NonFiniteError if all nets diverged, the signal's reason if it ends training before there is a net */
export async function findModel(lesson: Lesson, options: ReadTrainOptions, budget: TimeBudget, watch: ProgressWatch): Promise<Found> {
  const { samples, plain, ofLine, folds, scaleOfLine } = lesson
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
  return { found, lineBeside: line && ((encoded) => inUnits(lineAnswers(line, inputsOf(plain, encoded)), scaleOfLine)) }
}

/** Features of nets and, if numbers are predicted and rows are in time, of lines in addition to them. */
async function besideLine({ features, ofLine, folds, isInTime, distribution }: Lesson, limits: LineLimits): Promise<LineFeatures> {
  const lines = isInTime && ofLine.classes === 0 && distribution === 'normal' ? await linesOfFolds(ofLine, folds, limits) : null
  return { features, lines, withLine: features.squeezes === false ? features : { ...features, plain: plainOf(features) } }
}

/** Numbers as the table has them; probabilities are as they are, since classes have mean 0 and deviation 1. */
function inUnits(answers: Float64Array, { mean, deviation }: { mean: number; deviation: number }): Float64Array {
  return answers.map((y) => mean + deviation * y)
}

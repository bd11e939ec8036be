/** The training of a head, in one call. */
import { rangeError } from '../common/errors.js'
import { anything, flag, positive, readOptions, type Schema, seed, share } from '../common/options.js'
import { ONE_CLASS } from './answers.js'
import { checkRows } from './check-rows.js'
import { type HiddenReport, hiddenLayer } from './choose-hidden.js'
import { type Chosen, choosePenalty, confusionOf, countClasses } from './choose-penalty.js'
import { Examples } from './examples.js'
import { Head } from './head.js'
import type { HeadReport } from './head-state.js'
import { layersOf } from './layers.js'
import type { MultiLabelHead } from './multi-label.js'
import { spreadOf } from './p-values.js'
import type { Priors } from './priors.js'
import { type TrainMultiLabelOptions, trainMultiLabel } from './train-multi-label.js'
import { haveSets, type Label, type ReadLabels, type Rows, readLabels, readVectors, type Vectors } from './vectors.js'

/** Options of {@link trainHead}. */
export interface TrainHeadOptions<L extends Label = Label> {
  /**
   * The penalty of the squared weights, λ in Σ −log p(class) + ½·λ·Σ w²: 1/C of scikit-learn's `LogisticRegression`. Default: the one with the least
   * log loss in a stratified cross-validation, of steps by √10.
   */
  l2?: number
  /**
   * The neurons of a hidden layer in front of the weights, `[64]`, or `[]` for none. Default: 64 if there are at least 300 rows and 30 for each class, and
   * if in the cross-validation a net with them has a log loss that is lower by 3 %, and lower in a paired test over the folds; none where `l2` is given.
   */
  hidden?: readonly number[]
  /**
   * Divides logits by the temperature with the least held-out log loss, so that predicted probabilities match observed frequencies. Without a
   * cross-validation it is 1. Default true.
   */
  calibrate?: boolean
  /** Shares of classes in the place where the head is used. Default `examples`: as in the examples. */
  priors?: Priors<L>
  /** A prediction with a p-value below this is `isNone`; about this share of vectors of known classes is, too. 0: none is. Default 0.05. */
  noneBelow?: number
  /**
   * The search for the weights ends where no component of the gradient of the mean loss is larger, for vectors that are centered and scaled to columns of
   * deviation 1/2. Default 1e-4, as in scikit-learn: probabilities are right to about three digits. Below 1e-8 single precision ends it.
   */
  gradientTolerance?: number
  /** Decides the folds, and the rows of the cross-validation where there are many. Default 0. */
  seed?: number
}

export const TRAIN_HEAD = {
  l2: { is: positive, aka: ['penalty', 'weightDecay', 'alpha'] },
  hidden: { is: hiddenLayer, aka: ['hiddenLayers', 'units'] },
  calibrate: { is: flag, default: true },
  priors: { is: anything, default: 'examples' },
  noneBelow: { is: share, default: 0.05, aka: ['threshold'] },
  gradientTolerance: { is: positive, default: 1e-4, aka: ['tol'] },
  seed: { is: seed, default: 0 },
} satisfies Schema<TrainHeadOptions>

/**
 * Trains a head: classes on top of vectors from a frozen model, such as embeddings of texts or pictures. It is the logistic regression of scikit-learn's
 * `LogisticRegressionCV`: multinomial, all folds solved together by L-BFGS, the penalty by held-out log loss. Where the same folds say that a hidden layer
 * is clearly better, it stands behind one (`hidden`), which takes several times as long.
 *
 * Three examples of a class are enough to begin with. The vectors may have any scale; what matters is that all come from the same model.
 *
 * @param vectors one a row: arrays, typed arrays, or a tensor [rows, width] of gradus or transformers.js
 * @param labels a text, number or boolean for each row
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * const { label, probability } = head.predict([0, 3])
 * label // 'cat'
 * @throws TypeError, RangeError naming the row of a vector of another length, of a number that is not finite or of a label that is none; RangeError
 *   if all vectors are alike, or all labels
 */
export function trainHead<const L extends Label>(vectors: Vectors, labels: readonly L[], options?: TrainHeadOptions<L>): Promise<Head<L>>
/**
 * Where a row may have several classes, or none, its label is an array. Each class then has a logistic regression of its own, over the same vectors:
 * `OneVsRestClassifier` of scikit-learn.
 *
 * @param labels an array of texts, numbers or booleans for each row
 * @throws as above; RangeError if no row has a label
 */
export function trainHead<const L extends Label>(
  vectors: Vectors,
  labels: readonly (readonly L[])[],
  options?: TrainMultiLabelOptions,
): Promise<MultiLabelHead<L>>
export async function trainHead<L extends Label>(
  vectors: Vectors,
  labels: readonly L[] | readonly (readonly L[])[],
  options: TrainHeadOptions<L> | TrainMultiLabelOptions = {},
): Promise<Head<L> | MultiLabelHead<L>> {
  if (haveSets(labels)) return trainMultiLabel(vectors, labels, options as TrainMultiLabelOptions)
  return trainOneClass(vectors, labels, options as TrainHeadOptions<L>)
}

async function trainOneClass<L extends Label>(vectors: Vectors, labels: readonly L[], options: TrainHeadOptions<L>): Promise<Head<L>> {
  const { l2: given, hidden: wanted, calibrate, priors, noneBelow, gradientTolerance, seed } = readOptions('trainHead', options, TRAIN_HEAD)
  const { rows, read } = await readExamples('trainHead', vectors, labels)
  const { classOf } = read
  const classes = read.labels.length
  const line =
    given !== undefined && !calibrate ? null : choosePenalty('trainHead', rows, classOf, classes, { seed, only: given, calibrate })
  const { chosen, tried, ...layers } = await layersOf(rows, classOf, line, {
    ...{ l2: given, wanted, calibrate, classes, answers: ONE_CLASS, gradientTolerance, seed },
  })
  return new Head<L>({
    ...{ labels: read.labels, width: rows.width, ...layers, priors: priors as Priors<L>, noneBelow, gradientTolerance },
    temperature: chosen?.temperature ?? 1,
    counts: countClasses(classOf, classes),
    spread: spreadOf(rows, classOf, classes),
    report: chosen && reportOf(chosen, read.labels, tried),
    examples: new Examples(rows, classOf),
  })
}

/** Classes up to which the report has a table of classes, which grows with their square. */
const MOST_CLASSES = 50

function reportOf(chosen: Chosen, labels: readonly Label[], hidden: HiddenReport | null): HeadReport {
  const { rows, folds, best, tried } = chosen
  const told = labels.length <= MOST_CLASSES
  return {
    rows,
    folds,
    ...best,
    tried,
    hidden,
    classes: told ? labels.map(String) : [],
    confusion: told ? confusionOf(chosen, labels.length) : [],
  }
}

/** @internal vectors and labels that something can be learned from, once there is room for them in the engine. @throws TypeError, RangeError */
export async function readExamples<L extends Label>(
  who: string,
  vectors: Vectors,
  labels: readonly L[],
): Promise<{ rows: Rows; read: ReadLabels<L> }> {
  const rows = readVectors(who, vectors)
  const read = readLabels(who, labels, rows.count)
  if (rows.count === 0 || rows.width === 0) throw rangeError(`${who}: vectors wants examples of two classes, got none`)
  if (read.labels.length < 2)
    throw rangeError(`${who}: labels wants at least two classes, and all rows are ${String(read.labels[0])}; add rows of another class`)
  await checkRows(who, rows)
  return { rows, read }
}

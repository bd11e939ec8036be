/** The training of a head, in one call. */
import { rangeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { ONE_CLASS } from './answers.js'
import type { HiddenReport } from './choose-hidden.js'
import { type Chosen, confusionOf, countClasses } from './choose-penalty.js'
import { Examples } from './examples.js'
import { Head } from './head.js'
import type { HeadReport } from './head-state.js'
import { layersOf } from './layers.js'
import type { MultiLabelHead } from './multi-label.js'
import { spreadOf } from './p-values.js'
import type { Priors } from './priors.js'
import { trainMultiLabel } from './train-multi-label.js'
import { TRAIN_HEAD, type TrainHeadOptions, type TrainMultiLabelOptions } from './train-options.js'
import { checkRows, haveSets, type Label, type ReadLabels, type Rows, readLabels, readVectors, type Vectors } from './vectors.js'

/**
 * Trains a head: classes on top of vectors from a frozen model, such as embeddings of texts or pictures. It is the logistic regression of scikit-learn's
 * `LogisticRegressionCV`: multinomial, all folds solved together by L-BFGS, the penalty by held-out log loss. Where the same folds say that a hidden layer
 * is clearly better, it stands behind one (`hidden`), which takes several times as long.
 *
 * Three examples of a class are enough to begin with. The vectors may have any scale; what matters is that all come from the same model. A
 * column that varies thousands of times as much as the usual one hides the others, and a warning names it.
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
  const { priors, noneBelow, ...own } = readOptions('trainHead', options, TRAIN_HEAD)
  const { rows, read } = readExamples('trainHead', vectors, labels)
  const { classOf } = read
  const classes = read.labels.length
  const scored = own.l2 === undefined || own.calibrate
  const { chosen, tried, ...layers } = await layersOf(rows, classOf, { ...own, classes, answers: ONE_CLASS, scored })
  return new Head<L>({
    ...{ labels: read.labels, width: rows.width, ...layers, priors: priors as Priors<L>, noneBelow },
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

/** @internal vectors and labels that something can be learned from. @throws TypeError, RangeError */
export function readExamples<L extends Label>(who: string, vectors: Vectors, labels: readonly L[]): { rows: Rows; read: ReadLabels<L> } {
  const rows = readVectors(who, vectors)
  const read = readLabels(who, labels, rows.count)
  if (rows.count === 0 || rows.width === 0) throw rangeError(`${who}: vectors wants examples of two classes, got none`)
  if (read.labels.length < 2)
    throw rangeError(`${who}: labels wants at least two classes, and all rows are ${String(read.labels[0])}; add rows of another class`)
  checkRows(who, rows)
  return { rows, read }
}

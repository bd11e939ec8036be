/** A head: classes on top of vectors from a frozen model. It predicts, learns example by example, and forgets. */

import { checkCount } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { largestOf, ONE_CLASS } from './answers.js'
import { AnyHead } from './any-head.js'
import { countClasses } from './choose-penalty.js'
import type { Examples } from './examples.js'
import { readForgotten } from './forgotten.js'
import { type HeadReport, type HeadState, stored } from './head-state.js'
import { type Line, onlyClasses, withClasses } from './lines.js'
import { pValueOf, spreadOf } from './p-values.js'
import { logShifts, type Priors } from './priors.js'
import { answerEach, areSeveral, type Label, readLabels, readRows, readVector, type Vector, type Vectors } from './vectors.js'

/** Prediction of a head for one vector. */
export interface HeadPrediction<L extends Label = Label> {
  /** The likeliest class. */
  label: L
  /** Its probability. */
  probability: number
  /** Probabilities of all classes, by their labels as text. */
  probabilities: Record<`${L}`, number>
  /**
   * Conformal p-value: the share of examples that are at least as far from the mean of their class as this vector is from the mean of the likeliest
   * one. 0 for a vector of zeros where no example is one.
   */
  pValue: number
  /** True if the p-value is below `noneBelow`: the vector is probably of no class that the head knows. */
  isNone: boolean
}

/** An example that explains a prediction. */
export interface NearExample<L extends Label = Label> {
  /** Its index among the examples, in the order in which they were added. */
  index: number
  label: L
  /** Cosine of the angle between the two vectors, from −1 to 1. */
  similarity: number
}

/**
 * Classes on top of vectors, from {@link trainHead} or {@link loadHead}: logistic regression with calibrated probabilities, perhaps behind a hidden layer.
 * Predicting takes no engine.
 *
 * The rule of {@link add} and {@link forget}: afterwards the weights minimize the penalized loss of all present examples, with the penalty `l2` of the
 * training, to within `gradientTolerance`. So examples that come one by one make the head that they would make together. Means and p-values are those
 * of the present examples; the hidden layer, `l2`, `temperature` and `report` stay until {@link trainHead} is called again.
 *
 * @example
 * const head = await trainHead<string>([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * head.predict([0, 3]).label // 'cat'
 * head.add([-2, -2], 'fish')
 * head.labels // ['cat', 'dog', 'fish']
 */
export class Head<L extends Label = Label> extends AnyHead<L, HeadState<L>> {
  /** The number of examples that it learned from. */
  get count(): number {
    return this.state.counts.reduce((a, b) => a + b, 0)
  }

  /** Scores on held-out rows of the training; null if there was no cross-validation. */
  get report(): HeadReport | null {
    return this.state.report
  }

  /** The labels of the examples, in the order of their numbers. @throws Error for a head that was saved without examples */
  get exampleLabels(): readonly L[] {
    const { labels } = this.state
    return Array.from(this.examplesFor('exampleLabels').classOf, (c) => labels[c])
  }

  /**
   * The class of a vector, or of each of several.
   *
   * @throws TypeError, RangeError naming the row of a vector that has another length, or a number that is not finite
   */
  predict(vector: Vector): HeadPrediction<L>
  predict(vectors: Vectors): HeadPrediction<L>[]
  predict(given: Vector | Vectors): HeadPrediction<L> | HeadPrediction<L>[] {
    return answerEach('predict', given, this.scratch, (x) => this.#predicted(x))
  }

  #predicted(x: Float32Array): HeadPrediction<L> {
    const { labels, spread, noneBelow } = this.state
    const z = this.logits.of(x)
    const best = largestOf(z)
    const most = z[best]
    let sum = 0
    for (let c = 0; c < z.length; c++) sum += z[c] = Math.exp(z[c] - most)
    const probabilities: Record<string, number> = {}
    for (let c = 0; c < z.length; c++) probabilities[labels[c] as string] = z[c] / sum
    const pValue = pValueOf(spread, x, best)
    return { label: labels[best], probability: 1 / sum, probabilities, pValue, isNone: pValue < noneBelow }
  }

  /**
   * The examples most like a vector, the nearest first: they explain a prediction.
   *
   * @param count of examples. Default 3
   * @example
   * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
   * head.nearest([0, 3], 1)[0] // { index: 0, label: 'cat', similarity: 1 }
   * @throws TypeError, RangeError as {@link predict} does; Error for a head that was saved without examples
   */
  nearest(vector: Vector, count = 3): NearExample<L>[] {
    const { labels } = this.state
    const examples = this.examplesFor('nearest')
    checkCount('nearest: count', count)
    readVector('nearest', vector, this.scratch)
    return examples
      .nearest(this.scratch, count)
      .map(({ index, similarity }) => ({ index, label: labels[examples.classOf[index]], similarity }))
  }

  /**
   * Learns one more example, or several. A new label makes a class.
   *
   * @throws TypeError, RangeError naming the row that does not fit; then the head is as it was. Error for a head that was saved without examples
   */
  add(vector: Vector, label: L): void
  add(vectors: Vectors, labels: readonly L[]): void
  add(given: Vector | Vectors, label: L | readonly L[]): void {
    const { labels, line } = this.state
    const examples = this.examplesFor('add')
    const rows = readRows('add', given, this.scratch)
    const read = readLabels('add', (areSeveral(given) ? label : [label]) as readonly L[], rows.count, labels)
    if (rows.count === 0) return
    this.solver.append(examples, rows, read.classOf, () => this.#learn(examples, read.labels, withClasses(line, read.labels.length)))
  }

  /**
   * Forgets a class with all its examples, `{ label: 'fish' }`, or one example, `{ index: 17 }`; numbers of later examples are then lower by one. A
   * class without examples is forgotten.
   *
   * @throws TypeError, RangeError for a label or index that the head does not have, or if fewer than two classes would be left; Error for a head that
   *   was saved without examples
   */
  forget(what: { label: L } | { index: number }): void {
    const { labels, line } = this.state
    const examples = this.examplesFor('forget')
    const { classOf } = examples
    const { dropped, index } = readForgotten(what, labels, classOf.length)
    const keeps = (row: number) => row !== index && classOf[row] !== dropped
    const left = new Set(classOf.filter((_, row) => keeps(row)))
    if (left.size < 2)
      throw rangeError(`forget: a head wants at least two classes, and ${left.size} would be left; add another class first`)
    const kept = labels.map((_, c) => c).filter((c) => left.has(c))
    const after = examples.filter(keeps, (c) => kept.indexOf(c))
    const names = kept.map((c) => labels[c])
    this.solver.filter(examples, keeps, () => this.#learn(after, names, onlyClasses(line, kept)))
  }

  /**
   * Sets the shares of classes in the place where the head is used. Probabilities follow by Bayes' rule; weights stay.
   *
   * @throws TypeError, RangeError for a label that the head does not have, or shares that do not fit
   */
  setPriors(priors: Priors<L>): void {
    this.take({ ...this.state, priors }, 'setPriors')
  }

  /** @internal */
  protected override stored(withExamples: boolean): object {
    return stored(this.state, withExamples)
  }

  /** @internal */
  protected override shifts(state: HeadState<L>, who: string): Float64Array {
    return logShifts(who, state.priors, state)
  }

  /** Solves again, starting from a given line, and takes the result. */
  #learn(examples: Examples, labels: readonly L[], start: Line): void {
    const { l2, gradientTolerance } = this.state
    const classes = labels.length
    const line = this.solver.solve({ examples, classes, answers: ONE_CLASS, start, l2, gradientTolerance })
    const counts = countClasses(examples.classOf, classes)
    const spread = spreadOf(examples.rows, examples.classOf, classes)
    this.take({ ...this.state, labels, line, counts, spread, examples })
  }
}

/** Heads whose rows have sets of classes: a logistic regression a class, over the same vectors. */
import { checkCount } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { setsOf } from './answers.js'
import { AnyHead } from './any-head.js'
import type { Examples } from './examples.js'
import { readForgotten } from './forgotten.js'
import { type Line, onlyClasses, withClasses } from './lines.js'
import { type MultiLabelReport, type MultiLabelState, storedSets } from './multi-label-state.js'
import { answerEach, areSeveral, type Label, readRows, readSets, readVector, type Vector, type Vectors } from './vectors.js'

/** Prediction of a {@link MultiLabelHead} for one vector. */
export interface MultiLabelPrediction<L extends Label = Label> {
  /** The classes whose probability is at least their threshold, the likeliest first. */
  labels: L[]
  /** Probabilities of all classes, by their labels as text. They do not add up to 1. */
  probabilities: Record<`${L}`, number>
}

/** An example that explains a prediction of a {@link MultiLabelHead}. */
export interface NearLabelled<L extends Label = Label> {
  /** Its index among the examples, in the order in which they were added. */
  index: number
  labels: L[]
  /** Cosine of the angle between the two vectors, from −1 to 1. */
  similarity: number
}

/**
 * Classes on top of vectors, of which a vector has any number, from {@link trainHead} with arrays as labels, or {@link loadMultiLabelHead}. Each class has
 * a logistic regression with calibrated probabilities and a threshold. Predicting takes no engine.
 *
 * The rule of {@link add} and {@link forget} is that of `Head`: afterwards the weights minimize the penalized loss of all present examples.
 *
 * @example
 * const head = await trainHead<string>([[0, 1], [0, 2], [1, 0], [2, 2]], [['news'], ['news'], ['fun'], ['news', 'fun']], { l2: 0.01 })
 * head.predict([3, 3]).labels.length // 2
 * head.add([-3, -3], ['spam'])
 * head.labels // ['fun', 'news', 'spam']
 */
export class MultiLabelHead<L extends Label = Label> extends AnyHead<L, MultiLabelState<L>> {
  /** The number of examples that it learned from. */
  get count(): number {
    return this.state.count
  }

  /** The least probability with which a class is named, by its label as text. */
  get thresholds(): Record<`${L}`, number> {
    const { labels, thresholds } = this.state
    return Object.fromEntries(labels.map((label, c) => [label, thresholds[c]])) as Record<`${L}`, number>
  }

  /** Scores on held-out rows of the training; null if there was no cross-validation. */
  get report(): MultiLabelReport | null {
    return this.state.report
  }

  /** The labels of the examples, in the order of their numbers. @throws Error for a head that was saved without examples */
  get exampleLabels(): readonly L[][] {
    const { labels, sets } = this.state
    return Array.from(this.examplesFor('exampleLabels').classOf, (set) => sets.labelsOf(set, labels))
  }

  /**
   * The classes of a vector, or of each of several.
   *
   * @throws TypeError, RangeError naming the row of a vector that has another length, or a number that is not finite
   */
  predict(vector: Vector): MultiLabelPrediction<L>
  predict(vectors: Vectors): MultiLabelPrediction<L>[]
  predict(given: Vector | Vectors): MultiLabelPrediction<L> | MultiLabelPrediction<L>[] {
    return answerEach('predict', given, this.scratch, (x) => this.#predicted(x))
  }

  #predicted(x: Float32Array): MultiLabelPrediction<L> {
    const { labels, thresholds } = this.state
    const p = this.logits.of(x).map((z) => 1 / (1 + Math.exp(-z)))
    const probabilities: Record<string, number> = {}
    for (const [c, label] of labels.entries()) probabilities[String(label)] = p[c]
    const named = Array.from(labels.keys())
      .filter((c) => p[c] >= thresholds[c])
      .sort((a, b) => p[b] - p[a])
    return { labels: named.map((c) => labels[c]), probabilities }
  }

  /**
   * The examples most like a vector, the nearest first: they explain a prediction.
   *
   * @param count of examples. Default 3
   * @example
   * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 2]], [['news'], ['news'], ['fun'], ['news', 'fun']])
   * head.nearest([3, 3], 1)[0] // { index: 3, labels: ['fun', 'news'], similarity: 1 }
   * @throws TypeError, RangeError as {@link predict} does; Error for a head that was saved without examples
   */
  nearest(vector: Vector, count = 3): NearLabelled<L>[] {
    const { labels, sets } = this.state
    const examples = this.examplesFor('nearest')
    checkCount('nearest: count', count)
    readVector('nearest', vector, this.scratch)
    return examples
      .nearest(this.scratch, count)
      .map(({ index, similarity }) => ({ index, labels: sets.labelsOf(examples.classOf[index], labels), similarity }))
  }

  /**
   * Learns one more example with its labels, or several. New labels make classes.
   *
   * @throws TypeError, RangeError naming the row that does not fit; then the head is as it was. Error for a head that was saved without examples
   */
  add(vector: Vector, labels: readonly L[]): void
  add(vectors: Vectors, labels: readonly (readonly L[])[]): void
  add(given: Vector | Vectors, labels: readonly L[] | readonly (readonly L[])[]): void {
    const { line, thresholds, usualThreshold } = this.state
    const examples = this.examplesFor('add')
    const rows = readRows('add', given, this.scratch)
    const read = readSets('add', (areSeveral(given) ? labels : [labels]) as readonly (readonly L[])[], rows.count, this.state.labels)
    if (rows.count === 0) return
    const after = read.labels.length
    const sets = this.state.sets.widened(after)
    const setOf = sets.add(read.classesOf)
    this.solver.append(examples, rows, setOf, () =>
      this.#learn(examples, withClasses(line, after), {
        ...{ labels: read.labels, sets },
        thresholds: Float64Array.from({ length: after }, (_, c) => thresholds[c] ?? usualThreshold),
      }),
    )
  }

  /**
   * Forgets a class, `{ label: 'fun' }`, whose examples stay without it, or one example, `{ index: 17 }`; numbers of later examples are then lower by
   * one. A class without examples is forgotten.
   *
   * @throws TypeError, RangeError for a label or index that the head does not have, or if no class would be left; Error for a head that was saved without
   *   examples
   */
  forget(what: { label: L } | { index: number }): void {
    const { labels, line, sets, thresholds } = this.state
    const examples = this.examplesFor('forget')
    const { dropped, index } = readForgotten(what, labels, examples.classOf.length)
    const keeps = (row: number) => row !== index
    const left = sets.counts(examples.classOf.filter((_, row) => keeps(row)))
    const kept = labels.map((_, c) => c).filter((c) => c !== dropped && left[c] > 0)
    if (kept.length === 0) throw rangeError('forget: a head wants at least one class, and none would be left; add another class first')
    const { sets: after, setFor } = sets.only(kept)
    const remaining = examples.filter(keeps, setFor)
    this.solver.filter(examples, keeps, () =>
      this.#learn(remaining, onlyClasses(line, kept), {
        labels: kept.map((c) => labels[c]),
        sets: after,
        thresholds: Float64Array.from(kept, (c) => thresholds[c]),
      }),
    )
  }

  /** @internal */
  protected override stored(withExamples: boolean): object {
    return storedSets(this.state, withExamples)
  }

  /** @internal */
  protected override shifts({ labels }: MultiLabelState<L>): Float64Array {
    return new Float64Array(labels.length)
  }

  /** Solves again, starting from a given line, and takes the result. */
  #learn(examples: Examples, start: Line, change: Pick<MultiLabelState<L>, 'labels' | 'sets' | 'thresholds'>): void {
    const { l2, gradientTolerance } = this.state
    const answers = setsOf(change.sets.all)
    const line = this.solver.solve({ examples, classes: change.labels.length, answers, start, l2, gradientTolerance })
    this.take({ ...this.state, ...change, line, examples, count: examples.classOf.length })
  }
}

import { checkFormat } from '../common/saved.js'
import { halvesOf } from '../io/dtypes.js'
import type { AnyState } from './any-head.js'
import type { HiddenReport } from './choose-hidden.js'
import { areNumbers, areScores, damaged, examplesOf, savedClasses, savedLines, storedLines } from './head-state.js'
import { Sets } from './sets.js'
import type { Label } from './vectors.js'

/** Scores of a head with sets of classes on held-out rows. */
export interface MultiLabelReport {
  /** Rows and folds of the cross-validation. */
  rows: number
  folds: number
  /** Mean over rows and classes of −log of the probability that the row has the class, or has it not. */
  logLoss: number
  /** Share of rows and classes that are right at a threshold of 0.5. */
  accuracy: number
  /** For each class of the training its rows, and at its threshold precision, recall and F1. */
  classes: readonly { label: string; rows: number; threshold: number; precision: number; recall: number; f1: number }[]
  /** The same for each penalty that was tried, from small to large. */
  tried: readonly { l2: number; logLoss: number; accuracy: number }[]
  /** The small net that was tried beside the line, whether or not it was kept; null if none was. */
  hidden: HiddenReport | null
}

/** State of a head. */
export interface MultiLabelState<L extends Label> extends AnyState<L> {
  thresholds: Float64Array
  /** Threshold of later classes. */
  usualThreshold: number
  /** Number of examples. */
  count: number
  report: MultiLabelReport | null
  /** Sets of classes, whose numbers are the answers of the examples. */
  sets: Sets
}

const FORMAT = 'gradus-multi-label-head/1'
const WHO = 'loadMultiLabelHead'

/** @returns what `encodeState` takes: weights in 16 bits, all else as it is */
export function storedSets<L extends Label>(head: MultiLabelState<L>, withExamples: boolean): object {
  const { line, hidden, examples, sets, ...state } = head
  return {
    head: {
      format: FORMAT,
      ...state,
      ...storedLines(head),
      ...(withExamples &&
        examples && {
          sets: Uint8Array.from(sets.all.flatMap((set) => Array.from(set))),
          examples: { vectors: halvesOf(examples.rows.vectors), classOf: examples.classOf.slice() },
        }),
    },
  }
}

/** @param file result of `loadState` @throws RangeError, TypeError for a file that is damaged or holds no such head */
export function readSetsState<L extends Label>(file: unknown): MultiLabelState<L> {
  const { head } = Object(file) as { head?: unknown }
  const saved = Object(head) as Record<string, unknown>
  checkFormat('loadMultiLabelHead', 'head with arrays as labels', file, 'head', FORMAT)
  const { labels, width, l2, temperature, thresholds, usualThreshold, gradientTolerance, count, report } =
    saved as unknown as MultiLabelState<L>
  const { examples } = saved
  const classes = savedClasses(saved)
  const isShare = (x: unknown) => typeof x === 'number' && x > 0 && x < 1
  const isGood =
    classes >= 1 &&
    areNumbers(thresholds, classes, Float64Array) &&
    thresholds.every(isShare) &&
    isShare(usualThreshold) &&
    Number.isInteger(count) &&
    count > 0 &&
    (report === null || isReport(report))
  if (!isGood) throw damaged(WHO, 'its parts do not fit')
  const flat = saved.sets
  const hasExamples = examples !== undefined && examples !== null
  if (hasExamples && !(areNumbers(flat, undefined, Uint8Array) && flat.length % classes === 0 && flat.every((x) => x <= 1)))
    throw damaged(WHO, 'sets of labels')
  const all = hasExamples
    ? Array.from({ length: (flat as Uint8Array).length / classes }, (_, i) => (flat as Uint8Array).slice(i * classes, (i + 1) * classes))
    : []
  return {
    ...{ labels, width, l2, temperature, thresholds, usualThreshold, gradientTolerance, count, report },
    ...savedLines(WHO, saved, width, classes),
    sets: new Sets(classes, all),
    examples: hasExamples ? examplesOf(WHO, examples, width, all.length) : null,
  }
}

function isReport(report: unknown): boolean {
  const { tried, hidden, classes, ...numbers } = Object(report) as Record<string, unknown>
  const isClass = (own: unknown) => {
    const { label, ...scores } = Object(own) as Record<string, unknown>
    return typeof label === 'string' && areScores(scores)
  }
  return (
    areScores(numbers) &&
    (hidden === null || areScores(hidden)) &&
    Array.isArray(tried) &&
    tried.every(areScores) &&
    Array.isArray(classes) &&
    classes.every(isClass)
  )
}

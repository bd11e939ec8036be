/** Everything that a head is, as plain data, and its form in a file. */
import { rangeError } from '../common/errors.js'
import { checkFormat } from '../common/saved.js'
import { halfToFloat, halvesOf } from '../io/dtypes.js'
import type { AnyState } from './any-head.js'
import type { HiddenReport } from './choose-hidden.js'
import { Examples } from './examples.js'
import type { Line } from './lines.js'
import type { Spread } from './p-values.js'
import type { Priors } from './priors.js'
import { rounded } from './rounded.js'
import { isLabel, type Label, type Rows } from './vectors.js'

/** Scores of a head on held-out rows. */
export interface HeadReport {
  /** Rows and folds of the cross-validation. */
  rows: number
  folds: number
  /** Mean −log of the probability of the true class. */
  logLoss: number
  accuracy: number
  /** The classes of the training, as text; later ones are in no figure here. Empty if there are more than 50. */
  classes: readonly string[]
  /** Held-out rows by true class (rows) and predicted class (columns). Empty if there are more than 50. */
  confusion: readonly (readonly number[])[]
  /** The same for each penalty that was tried, from small to large. */
  tried: readonly { l2: number; logLoss: number; accuracy: number }[]
  /** The small net that was tried beside the line, whether or not it was kept; null if none was. */
  hidden: HiddenReport | null
}

/** State of a head. */
export interface HeadState<L extends Label> extends AnyState<L> {
  priors: Priors<L>
  noneBelow: number
  /** Number of examples of each class. */
  counts: Int32Array
  spread: Spread
  report: HeadReport | null
}

const FORMAT = 'gradus-head/1'
const WHO = 'loadHead'

/** @returns what `encodeState` takes: weights and means in 16 bits, all else as it is */
export function stored<L extends Label>(head: HeadState<L>, withExamples: boolean): object {
  const { line, hidden, spread, examples, ...state } = head
  return {
    head: {
      format: FORMAT,
      ...state,
      ...storedLines(head),
      means: halvesOf(spread.means),
      spreads: Float32Array.from(spread.spreads),
      distances: Float32Array.from(spread.distances),
      hasZeros: spread.hasZeros,
      ...(withExamples && examples && { examples: { vectors: halvesOf(examples.rows.vectors), classOf: examples.classOf.slice() } }),
    },
  }
}

/** Both layers of a head, in 16 bits a weight. */
export function storedLines(state: AnyState<Label>): object {
  const { line, hidden } = rounded(state)
  const own = ({ weights, bias }: Line) => ({ weights: halvesOf(weights), bias: Float32Array.from(bias) })
  return { ...own(line), ...(hidden && { hidden: own(hidden) }) }
}

/** @param file result of `loadState` @throws RangeError, TypeError for a file that is damaged or holds no head */
export function readState<L extends Label>(file: unknown): HeadState<L> {
  const { head } = Object(file) as { head?: unknown }
  const saved = Object(head) as Record<string, unknown>
  checkFormat(WHO, 'head with one label for each row', file, 'head', FORMAT)
  const { labels, width, l2, temperature, noneBelow, gradientTolerance, counts, priors, report = null } = saved as unknown as HeadState<L>
  const { spreads, distances, hasZeros, examples } = saved
  const classes = savedClasses(saved)
  const isGood =
    classes >= 2 &&
    noneBelow >= 0 &&
    noneBelow <= 1 &&
    areNumbers(counts, classes, Int32Array) &&
    counts.every((count) => count > 0) &&
    areNumbers(spreads, classes, Float32Array) &&
    spreads.every((spread) => spread > 0) &&
    areNumbers(distances, undefined, Float32Array) &&
    typeof hasZeros === 'boolean' &&
    (report === null || isReport(report))
  if (!isGood) throw damaged(WHO, 'its parts do not fit')
  return {
    ...{ labels, width, l2, temperature, noneBelow, gradientTolerance, counts, priors, report },
    ...savedLines(WHO, saved, width, classes),
    spread: {
      means: numbersOf(WHO, 'means', saved.means, width * classes),
      spreads: Float64Array.from(spreads),
      distances: Float64Array.from(distances).sort(),
      hasZeros,
    },
    examples: examples === undefined || examples === null ? null : examplesOf(WHO, examples, width, classes),
  }
}

/** The number of classes of a saved head of either kind; 0 if the parts that both have do not fit. */
export function savedClasses(saved: Record<string, unknown>): number {
  const { labels, width, l2, temperature, gradientTolerance, bias } = saved
  const fit =
    Array.isArray(labels) &&
    labels.every(isLabel) &&
    new Set(labels.map(String)).size === labels.length &&
    Number.isInteger(width) &&
    [width, l2, temperature, gradientTolerance].every((x) => Number.isFinite(x) && (x as number) > 0) &&
    areNumbers(bias, labels.length, Float32Array)
  return fit ? labels.length : 0
}

/** The layers of a saved head. @param classes from {@link savedClasses} */
export function savedLines(
  who: string,
  saved: Record<string, unknown>,
  width: number,
  classes: number,
): Pick<AnyState<Label>, 'line' | 'hidden'> {
  const hidden = saved.hidden ? savedLine(who, Object(saved.hidden), width) : null
  const line = savedLine(who, saved, hidden?.bias.length ?? width)
  if (line.bias.length !== classes) throw damaged(who, 'its parts do not fit')
  return { line, hidden }
}

function savedLine(who: string, { weights, bias }: Record<string, unknown>, width: number): Line {
  if (!areNumbers(bias, undefined, Float32Array) || bias.length === 0) throw damaged(who, 'bias')
  return { weights: Float64Array.from(numbersOf(who, 'weights', weights, width * bias.length)), bias: Float64Array.from(bias) }
}

/** True if scores are finite numbers. */
export function areScores(scores: unknown): boolean {
  return typeof scores === 'object' && scores !== null && Object.values(scores).every((x) => Number.isFinite(x))
}

function isReport({ tried, hidden, classes, confusion, ...numbers }: HeadReport): boolean {
  const isCounts = (row: readonly number[]) =>
    Array.isArray(row) && row.length === classes.length && row.every((count) => Number.isInteger(count) && count >= 0)
  return (
    areScores(numbers) &&
    Array.isArray(tried) &&
    tried.every(areScores) &&
    (hidden === null || areScores(hidden)) &&
    Array.isArray(classes) &&
    classes.every((name) => typeof name === 'string') &&
    Array.isArray(confusion) &&
    confusion.length === classes.length &&
    confusion.every(isCounts)
  )
}

export function examplesOf(who: string, saved: unknown, width: number, classes: number): Examples {
  const { vectors, classOf } = Object(saved) as { vectors: unknown; classOf: unknown }
  if (!areNumbers(classOf, undefined, Int32Array) || !classOf.every((c) => c >= 0 && c < classes)) throw damaged(who, 'classes of examples')
  const rows: Rows = { vectors: numbersOf(who, 'examples', vectors, width * classOf.length), count: classOf.length, width }
  return new Examples(rows, classOf as Int32Array)
}

export function areNumbers<A extends Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array>(
  given: unknown,
  length: number | undefined,
  Type: abstract new (...args: never[]) => A,
): given is A {
  return given instanceof Type && (length === undefined || given.length === length) && given.every(Number.isFinite)
}

export function numbersOf(who: string, what: string, given: unknown, length: number): Float32Array {
  const { factor, halves } = Object(given) as ReturnType<typeof halvesOf>
  if (!areNumbers(halves, length, Uint16Array) || !(Number.isFinite(factor) && factor > 0)) throw damaged(who, what)
  const out = new Float32Array(length)
  for (let i = 0; i < length; i++) out[i] = halfToFloat(halves[i]) * factor
  if (!out.every(Number.isFinite)) throw damaged(who, what)
  return out
}

export function damaged(who: string, what: string): RangeError {
  return rangeError(`${who}: the file is damaged: ${what}; save the head again`)
}

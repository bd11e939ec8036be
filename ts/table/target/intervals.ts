/**
 * Prediction intervals whose width follows the row: conformalized quantile regression (Romano, Patterson & Candès 2019) of the errors of a model.
 *
 * Small nets learn quantiles of the model's out-of-fold errors from its inputs, by the pinball loss (Koenker & Bassett 1978). On rows that they have
 * not seen, in folds again, their intervals contain too few or too many errors; so all intervals are widened by the same correction, as split
 * conformal prediction determines it. The nets are kept only if the interval score (Gneiting & Raftery 2007, equation 43) is better than that of
 * intervals of one width. Errors of a model with a logarithm are shares of its prediction.
 */
import { joined } from '../../common/joined.js'
import { quantileOf } from '../../common/quantile.js'
import { Ensemble, type Module, maximum, mul, sub, type Tensor, tensor } from '../../index.js'
import { cutFolds } from '../../rows/folds.js'
import { takeRows } from '../../rows/take.js'
import { type Fold, Rounds, type RoundsOptions } from '../../search/rounds.js'
import type { Folds } from '../rows/folds.js'
import type { TableSamples } from '../rows/samples.js'
import { makeNet, makeOptimizer, scheduleOf, usualPlan, usualRound } from '../search/nets.js'
import { lossOfElements } from './composed-loss.js'
import { blocksOf, errorQuantile, largestQuantiles } from './conformal.js'

/** Levels of the learned quantiles, symmetric around the median. */
export const LEVELS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const
/** Number of learned quantiles: outputs of a net. */
export const QUANTILES = LEVELS.length
/** Equal parts between the coverages for which a model keeps corrections. */
const COVERAGES = 100
/** Least number of errors from which nets can learn. */
const FEWEST = 100
const FOLDS = 5
/** Hidden neurons of a net, and its epochs as a share of those of a net of the table. */
const HIDDEN = [32]
const EPOCHS = 0.5
/** The coverage whose interval score decides, and the largest score that is worth the nets, as a fraction of that of one width. */
const JUDGED = 0.9
const WORTH = 0.98

/** Mean pinball loss of all levels. @param prediction [rows, levels], for a target [rows, 1] */
const pinball = /* @__PURE__ */ lossOfElements('pinball', (prediction, target) => {
  const distance = sub(target, prediction)
  const { backend } = prediction
  const [above, below] = [LEVELS.map((level) => level), LEVELS.map((level) => level - 1)].map((factors) => tensor([factors], { backend }))
  return maximum(mul(distance, above), mul(distance, below)) as Tensor
})

/** Errors of a model on rows that it has not seen. */
export interface HeldOutErrors {
  /** Inputs of the model for these rows, row-major. */
  inputs: Float32Array
  /** Errors in {@link units}, true less predicted. */
  errors: Float64Array
  /** The unit of each error: the deviation of the target, or the prediction. */
  units: Float64Array
  /** How the rows were cut: the rows of the folds lie one after the other. */
  folds: Folds
}

/** Result of {@link fitIntervals}. */
export interface RowIntervals {
  /** Gives the quantiles of a row's error. */
  net: Ensemble
  /** For coverages evenly spaced from 0 to 1, what both ends of an interval are moved by. */
  corrections: number[]
}

/** Nets for intervals, and their interval score as a fraction of that of intervals of one width; no nets if they are not worth it. */
export interface FittedIntervals {
  intervals: RowIntervals | undefined
  /** NaN if nothing was trained. */
  score: number
}

/** @param samples width and embedded columns of the model's inputs */
export async function fitIntervals(
  { inputs, errors, units, folds: { folds, from } }: HeldOutErrors,
  { width, embedded }: Pick<TableSamples, 'width' | 'embedded'>,
  options: RoundsOptions,
): Promise<FittedIntervals> {
  const count = errors.length
  if (count < FEWEST) return { intervals: undefined, score: Number.NaN }
  // a single split has errors of one part of the rows, which is cut again
  const parts = folds.length > 1 ? neighbors(folds.map(({ validation }) => validation.length)) : cutAgain(count, options.seed, from > 0)
  const own = parts.map((validation): Fold => ({ train: without(count, validation), validation }))
  const targets = Float32Array.from(errors)
  const samples = (rows: Int32Array) => ({
    inputs: tensor(takeRows(inputs, rows, width), [rows.length, width]),
    targets: tensor(takeRows(targets, rows), [rows.length, 1]),
  })
  const all = samples(Int32Array.from(errors, (_, row) => row))
  const rounds = new Rounds(
    {
      folds: own,
      views: [{ training: own.map(() => all), validation: own.map(({ validation }) => samples(validation)) }],
      build: (plan: ReturnType<typeof usualPlan>, seed, steps) => {
        const model = makeNet(plan, width, LEVELS.length, seed, embedded)
        return { model, optimizer: makeOptimizer(model, plan), schedule: scheduleOf(plan, steps) }
      },
      loss: pinball,
      predict: (net: Module, rows: Tensor) => ascending((net.predict(rows) as Tensor).data()),
      lossOn: () => () => 0,
      from: 0,
    },
    options,
  )
  const { batchSize, epochs } = usualRound(count)
  await rounds.train({
    ...{ recipes: [{ ...usualPlan(count), hidden: HIDDEN }], number: 0 },
    ...{ batchSize: 2 * batchSize, epochs: Math.max(3, Math.round(EPOCHS * epochs)) },
  })
  const [found] = rounds.candidates
  if (found === undefined) return { intervals: undefined, score: Number.NaN }
  const order = joined(Int32Array, parts)
  const quantiles = found.predictions
  const inOrder = Float64Array.from(order, (row) => errors[row])
  const missing = (coverage: number) =>
    inOrder.map((error, i) =>
      Math.max(quantileAt(quantiles, i, (1 - coverage) / 2) - error, error - quantileAt(quantiles, i, (1 + coverage) / 2)),
    )
  // Folds of rows in time are judged one by one, and the largest correction is taken, as for intervals of one width.
  const blocks = from === 0 || folds.length === 1 ? undefined : parts.map(({ length }) => length)
  const corrections = Array.from({ length: COVERAGES + 1 }, (_, i) => {
    const scores = missing(i / COVERAGES)
    return Math.max(...blocksOf(scores, blocks).map((block) => errorQuantile(block.sort(), i / COVERAGES)))
  })
  const absolute = inOrder.map((error, i) => Math.abs(error * units[order[i]]))
  const half = quantileOf(largestQuantiles(blocksOf(absolute, blocks)), JUDGED)
  const intervals = { net: new Ensemble(found.nets), corrections }
  const unitOf = (i: number) => units[order[i]]
  const byRow = meanScore(inOrder, unitOf, (i) => boundsOf(quantiles, i, corrections, JUDGED))
  const byOne = meanScore(inOrder, unitOf, (i) => [-half / unitOf(i), half / unitOf(i)])
  return { intervals: byRow < WORTH * byOne ? intervals : undefined, score: byRow / byOne }
}

/** @internal Lower and upper end of the interval of a row's error. @param quantiles of {@link ascending} */
export function boundsOf(
  quantiles: ArrayLike<number>,
  row: number,
  corrections: readonly number[],
  coverage: number,
): [low: number, high: number] {
  const correction = quantileOf(corrections, coverage)
  const [low, high] = [
    quantileAt(quantiles, row, (1 - coverage) / 2) - correction,
    quantileAt(quantiles, row, (1 + coverage) / 2) + correction,
  ]
  // a negative correction may turn a narrow interval around
  return low <= high ? [low, high] : [(low + high) / 2, (low + high) / 2]
}

/** @internal the quantiles of each row in ascending order (rearrangement: Chernozhukov, Fernández-Val & Galichon 2010), row-major */
export function ascending(outputs: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(outputs)
  for (let from = 0; from < all.length; from += LEVELS.length) all.subarray(from, from + LEVELS.length).sort()
  return all
}

/** The quantile of a row at any level, between those that were learned; beyond these the outermost one. */
function quantileAt(quantiles: ArrayLike<number>, row: number, level: number): number {
  const from = row * LEVELS.length
  const next = LEVELS.findIndex((one) => one >= level)
  if (next <= 0) return quantiles[from + (next === 0 ? 0 : LEVELS.length - 1)]
  const share = (level - LEVELS[next - 1]) / (LEVELS[next] - LEVELS[next - 1])
  return quantiles[from + next - 1] + share * (quantiles[from + next] - quantiles[from + next - 1])
}

/** Mean interval score at {@link JUDGED}: the width, and a penalty for each error outside, in proportion to its distance. */
function meanScore(errors: Float64Array, unitOf: (i: number) => number, boundsOf: (i: number) => readonly [number, number]): number {
  let sum = 0
  for (const [i, error] of errors.entries()) {
    const [low, high] = boundsOf(i)
    sum += unitOf(i) * (high - low + (2 / (1 - JUDGED)) * (Math.max(0, low - error) + Math.max(0, error - high)))
  }
  return sum / errors.length
}

/** Consecutive numbers in parts of these lengths. */
function neighbors(lengths: readonly number[]): Int32Array[] {
  let next = 0
  return lengths.map((length) => Int32Array.from({ length }, () => next++))
}

/** Parts of rows: blocks of rows in time, else at random. */
function cutAgain(count: number, seed: number, inTime: boolean): Int32Array[] {
  const edge = (i: number) => Math.round((i * count) / FOLDS)
  if (inTime) return neighbors(Array.from({ length: FOLDS }, (_, i) => edge(i + 1) - edge(i)))
  return cutFolds('trainTable', count, { folds: FOLDS, repeats: 1, shuffle: true, seed }, null).map(({ test }) => test)
}

function without(count: number, rows: Int32Array): Int32Array {
  const isOut = new Uint8Array(count)
  for (const row of rows) isOut[row] = 1
  return Int32Array.from({ length: count }, (_, row) => row).filter((row) => isOut[row] === 0)
}

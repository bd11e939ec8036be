/**
 * Functional ANOVA by a forest of regression trees (Hutter, Hoos & Leyton-Brown 2014): the share of the variance over the whole space
 * that each parameter explains.
 */
import { Generator } from '../index.js'
import type { Observation } from './observations.js'
import type { Axis } from './space.js'

const TREES = 48
/** Number of first trials, which are spread over the whole space. */
const EARLY = 16
const MIN_TO_SPLIT = 6
const MIN_IN_LEAF = 3
/** Largest number of trials; more are thinned out, as the time grows with the square of their number. */
const MOST = 400

interface Leaf {
  readonly low: Float64Array
  readonly high: Float64Array
  readonly value: number
}

/**
 * @internal For each axis the share of the variance that it explains alone; the shares add up to 1. Losses worse than nine tenths of the first trials
 * are capped there, so that one failed trial does not outweigh all others. Pruned trials have the last loss that they reported.
 */
export function varianceShares(axes: readonly Axis[], ranked: readonly Observation[]): number[] {
  const trials = ranked.length <= MOST ? ranked : Array.from({ length: MOST }, (_, i) => ranked[Math.floor((i * ranked.length) / MOST)])
  const points = trials.map(({ point }) => point.map((x, i) => (Number.isNaN(x) ? 0.5 : axes[i].share(x))))
  const values = clippedLosses(trials)
  const sums = axes.map(() => 0)
  const random = new Generator(0)
  for (let tree = 0; tree < TREES; tree++) {
    const drawn = random.uniforms(trials.length)
    const rows = Array.from(drawn, (u) => Math.floor(u * trials.length))
    const leaves: Leaf[] = []
    grow(points, values, rows, new Float64Array(axes.length), new Float64Array(axes.length).fill(1), leaves)
    explained(leaves, axes.length).forEach((share, i) => {
      sums[i] += share
    })
  }
  const total = sums.reduce((a, b) => a + b, 0)
  return sums.map((sum) => (total > 0 ? sum / total : 0))
}

function clippedLosses(trials: readonly Observation[]): number[] {
  const losses = trials.map(({ state, losses: own, stepLoss }) => (state === 'complete' ? own[0] : stepLoss))
  // the first trials cover the space, later ones concentrate on good regions
  const numbers = trials.map(({ number }) => number).sort((a, b) => a - b)
  const early = numbers[Math.min(numbers.length - 1, Math.max(EARLY, Math.floor(numbers.length / 10)))]
  const finite = losses.filter((loss, i) => Number.isFinite(loss) && trials[i].number <= early).sort((a, b) => a - b)
  const most = finite[Math.floor(0.9 * finite.length)] ?? 0
  return losses.map((loss) => (loss < most ? loss : most))
}

function grow(
  points: readonly Float64Array[],
  values: readonly number[],
  rows: number[],
  low: Float64Array,
  high: Float64Array,
  leaves: Leaf[],
): void {
  const split = rows.length >= MIN_TO_SPLIT ? bestSplit(points, values, rows) : undefined
  if (split === undefined) {
    leaves.push({ low, high, value: rows.reduce((sum, row) => sum + values[row], 0) / rows.length })
    return
  }
  const { axis, at } = split
  const [middleHigh, middleLow] = [Float64Array.from(high), Float64Array.from(low)]
  middleHigh[axis] = middleLow[axis] = at
  grow(
    points,
    values,
    rows.filter((row) => points[row][axis] <= at),
    low,
    middleHigh,
    leaves,
  )
  grow(
    points,
    values,
    rows.filter((row) => points[row][axis] > at),
    middleLow,
    high,
    leaves,
  )
}

/** The split that leaves the least sum of squares; none if no split lowers it. */
function bestSplit(
  points: readonly Float64Array[],
  values: readonly number[],
  rows: readonly number[],
): { axis: number; at: number } | undefined {
  const total = rows.reduce((sum, row) => sum + values[row], 0)
  let most = (total * total) / rows.length + 1e-12
  let best: { axis: number; at: number } | undefined
  for (let axis = 0; axis < points[0].length; axis++) {
    const order = [...rows].sort((a, b) => points[a][axis] - points[b][axis])
    let left = 0
    for (let k = 1; k < order.length; k++) {
      left += values[order[k - 1]]
      const [before, after] = [points[order[k - 1]][axis], points[order[k]][axis]]
      if (before === after || k < MIN_IN_LEAF || order.length - k < MIN_IN_LEAF) continue
      // the sum of squares within both parts falls as this grows
      const gain = (left * left) / k + (total - left) ** 2 / (order.length - k)
      if (gain > most) {
        most = gain
        best = { axis, at: (before + after) / 2 }
      }
    }
  }
  return best
}

/** For each axis the variance of the mean over all others, as a share of the variance of the tree. */
function explained(leaves: readonly Leaf[], axes: number): number[] {
  const volumes = leaves.map(({ low, high }) => low.reduce((product, from, i) => product * (high[i] - from), 1))
  const mean = leaves.reduce((sum, { value }, k) => sum + value * volumes[k], 0)
  const variance = leaves.reduce((sum, { value }, k) => sum + volumes[k] * (value - mean) ** 2, 0)
  return Array.from({ length: axes }, (_, i) => {
    if (variance === 0) return 0
    const cuts = [...new Set(leaves.flatMap(({ low, high }) => [low[i], high[i]]))].sort((a, b) => a - b)
    let sum = 0
    for (let c = 1; c < cuts.length; c++) {
      const middle = (cuts[c - 1] + cuts[c]) / 2
      let marginal = 0
      leaves.forEach(({ low, high, value }, k) => {
        if (middle > low[i] && middle < high[i]) marginal += (value * volumes[k]) / (high[i] - low[i])
      })
      sum += (cuts[c] - cuts[c - 1]) * (marginal - mean) ** 2
    }
    return sum / variance
  })
}

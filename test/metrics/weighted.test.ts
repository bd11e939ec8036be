/** Metrics of probabilities, of rankings and relative errors, with weights of rows, against scikit-learn; accepted and refused arguments. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { softmax, type TensorLike, tensor } from '../../ts/index.js'
import {
  accuracy,
  averagePrecision,
  balancedAccuracy,
  brierScore,
  f1Score,
  logLoss,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  precision,
  quantileError,
  r2Score,
  recall,
  rocAuc,
} from '../../ts/metrics/index.js'

type Numbers = Record<string, number>
interface Case {
  kind: 'classes' | 'logits' | 'labels' | 'numbers'
  name: string
  scores: number[] & number[][]
  target: number[]
  balanced: number
  weighted: Numbers & { quantile: Numbers }
  logLoss: number
  brier: number
  figuresWeighted: Numbers
  ranked: Numbers | null
  rankedByRows: Numbers | null
  rankedWeighted: Numbers | null
  last: Numbers | null
  mse: number
  mape: number
  quantile: Numbers
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/metrics.json', 'utf8'))
const of = (...kinds: Case['kind'][]) => cases.filter(({ kind }) => kinds.includes(kind))
const weightsOf = ({ target }: Case) => target.map((_, i) => ((i * 7) % 5) / 2)
const scoresOf = ({ kind, scores }: Case): TensorLike => (kind === 'labels' ? Int32Array.from(scores) : tensor(scores))
const near = (value: number, wanted: number, what = '') =>
  expect(Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)), what).toBeLessThan(1e-9)

describe('against scikit-learn', () => {
  test.each(of('classes', 'logits', 'labels'))('decisions: $name', (one) => {
    const [scores, weights] = [scoresOf(one), weightsOf(one)]
    near(balancedAccuracy(scores, one.target), one.balanced)
    near(accuracy(scores, one.target, { weights }), one.weighted.accuracy)
    for (const [name, metric] of Object.entries({ f1: f1Score, precision, recall }))
      near(metric(scores, one.target, { average: 'macro', weights }), one.weighted[name], name)
  })

  test.each(of('classes', 'logits'))('probabilities and ranks: $name', (one) => {
    const [scores, weights, { target }] = [scoresOf(one), weightsOf(one), one]
    near(logLoss(scores, target), one.logLoss)
    near(logLoss(scores, target, { weights }), one.figuresWeighted.logLoss)
    near(brierScore(scores, target), one.brier)
    near(brierScore(scores, target, { weights }), one.figuresWeighted.brier)
    for (const [name, metric] of Object.entries({ auc: rocAuc, ap: averagePrecision })) {
      const compare = (value: number, wanted: Numbers | null) =>
        wanted === null ? expect(value).toBeNaN() : near(value, wanted[name], name)
      compare(metric(scores, target), one.ranked)
      if (one.ranked !== null) compare(metric(scores, target, { average: 'weighted' }), one.rankedByRows)
      compare(metric(scores, target, { weights }), one.rankedWeighted)
      if (one.last !== null) near(metric(scores, target, { of: one.kind === 'logits' ? 1 : one.scores[0].length - 1 }), one.last[name])
    }
    if (one.kind === 'classes') {
      const p = softmax(tensor(one.scores))
      expect(logLoss(p, target, { from: 'probabilities' })).toBeCloseTo(one.logLoss, 6)
    }
  })

  test.each(of('numbers'))('numbers: $name', (one) => {
    const [p, t, weights] = [tensor(one.scores), tensor(one.target), weightsOf(one)]
    near(meanSquaredError(p, t), one.mse)
    near(meanSquaredError(p, t, { weights }), one.weighted.mse)
    near(meanAbsoluteError(p, t, { weights }), one.weighted.mae)
    near(meanAbsolutePercentageError(p, t), one.mape)
    near(meanAbsolutePercentageError(p, t, { weights }), one.weighted.mape)
    near(r2Score(p, t, { weights }), one.weighted.r2)
    for (const [q, wanted] of Object.entries(one.quantile)) {
      near(quantileError(p, t, { quantile: Number(q) }), wanted)
      near(quantileError(p, t, { quantile: Number(q), weights }), one.weighted.quantile[q])
    }
  })
})

describe('what metrics take', () => {
  test('arrays of whole numbers are classes, arrays of other numbers scores', () => {
    expect(accuracy([0, 1, 2, 1], [0, 1, 2, 2])).toBe(0.75)
    expect(accuracy([0, 1], [0, 1])).toBe(1)
    expect(balancedAccuracy([0, 2, 2], [0, 1, 2])).toBeCloseTo(2 / 3, 12)
    expect(accuracy([-1, 0.5], [0, 1])).toBe(1)
    expect(() => accuracy([0.5, 1], [0, 2])).toThrow('targets of one output are from 0 to 1, got 2')
  })

  test('refuse what they cannot use', () => {
    expect(() => logLoss([0.5, 2], [0, 1], { from: 'probabilities' })).toThrow(
      'wants probabilities from 0 to 1 that add up to 1, got 2 at row 1',
    )
    expect(() => rocAuc([1, 2], [0, 1], { of: 2 })).toThrow('of wants a class from 0 to 1, got 2')
    expect(() => quantileError([1], [1], { quantile: 1 })).toThrow('quantile wants a number above 0 and below 1, got 1')
    expect(() => accuracy([1, 1], [1, 1], { weights: [1] })).toThrow('accuracy: wants one weight for each of 2 rows, got shape [1]')
    expect(() => f1Score([1, 1], [1, 1], { weights: [0, 0] })).toThrow('f1Score: weights want finite numbers from 0, not all of them 0')
  })
})

test('accuracy takes the first of the largest scores, and no row with a NaN', () => {
  const values = [0, 1, 2, -1, Number.NaN, Infinity, -Infinity]
  let state = 1
  const next = (n: number) => (state = (state * 48_271) % 2_147_483_647) % n
  for (let round = 0; round < 500; round++) {
    const [rows, cols] = [1 + next(5), 2 + next(4)]
    const scores = Float32Array.from({ length: rows * cols }, () => values[next(values.length)])
    const labels = Int32Array.from({ length: rows }, () => next(cols))
    const isRight = (label: number, r: number) => {
      const row = Array.from(scores.subarray(r * cols, (r + 1) * cols))
      return !row.some(Number.isNaN) && row.indexOf(Math.max(...row)) === label
    }
    const wanted = Array.from(labels).filter(isRight).length / rows
    const prediction = tensor(scores, [rows, cols])
    expect(accuracy(prediction, labels)).toBe(wanted)
    expect(accuracy(prediction, labels, { weights: new Float32Array(rows).fill(1) })).toBe(wanted)
  }
})

/** Metrics of probabilities, of ranks and in proportion, and weights of rows, against scikit-learn; metrics by name in fit and evaluateModel. */
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { blobs } from '../../ts/data/index.js'
import * as g from '../../ts/index.js'
import {
  Adam,
  accuracy,
  averagePrecision,
  balancedAccuracy,
  brierScore,
  crossEntropy,
  Dense,
  EarlyStopping,
  evaluateModel,
  f1Score,
  fit,
  logLoss,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  mse,
  precision,
  quantileError,
  r2Score,
  recall,
  rocAuc,
  Sequential,
  softmax,
  type TensorLike,
  tensor,
  useAllMetrics,
} from '../../ts/index.js'
import { METRICS } from '../../ts/train/metrics.js'

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

describe('metrics by name', () => {
  const data = blobs({ count: 90, classes: 3, seed: 4 })
  const model = () => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 3)], { seed: 1 })

  test('all of them, and functions beside them, in fit and evaluateModel', async () => {
    useAllMetrics()
    const net = model()
    const optimizer = new Adam(net.parameters(), { learningRate: 0.05 })
    const metrics = ['accuracy', 'auc', 'f1', 'f1Weighted', 'logLoss', 'balancedAccuracy', f1Score] as const
    const { epochs } = await fit(net, { ...data, loss: crossEntropy, optimizer, epochs: 3, validation: data, metrics })
    const scores = evaluateModel(net, { ...data, loss: crossEntropy, metrics })
    for (const name of ['accuracy', 'auc', 'f1', 'f1Weighted', 'logLoss', 'balancedAccuracy', 'f1Score'] as const)
      expect(epochs[2].validation?.[name], name).toBeCloseTo(scores[name], 6)
    expect(scores.logLoss).toBeCloseTo(scores.loss, 5)
    expect(scores.f1).toBe(scores.f1Score)
    const named = evaluateModel(net, { ...data, loss: crossEntropy, metrics: { good: 'auc', own: (p) => p.size } })
    expect(named).toEqual({ loss: scores.loss, good: scores.auc, own: 270 })
  })

  test('of numbers', () => {
    useAllMetrics()
    const net = new Sequential([new Dense(1, 1)], { seed: 2 })
    const [inputs, targets] = [
      [[1], [2], [3]],
      [2, 3, 5],
    ]
    const scores = evaluateModel(net, { inputs, targets, loss: mse, metrics: ['mse', 'mae', 'rmse', 'r2', 'mape', 'quantileError'] })
    expect(scores.mse).toBeCloseTo(scores.loss, 5)
    expect(scores.rmse ** 2).toBeCloseTo(scores.mse, 5)
    expect(scores.quantileError).toBeCloseTo(scores.mae / 2, 6)
    expect(scores.r2).toBeLessThan(1)
  })

  test('a name that there is not is told, and how to have more', () => {
    for (const name of Object.keys(METRICS)) if (!['accuracy', 'mae', 'mse'].includes(name)) delete METRICS[name]
    const net = model()
    expect(() => evaluateModel(net, { ...data, loss: crossEntropy, metrics: ['f1'] })).toThrow(
      "metrics: 'f1' is none of accuracy, mae, mse; call useAllMetrics() once for f1, auc, r2 and others, or give a function: { name: function }",
    )
    useAllMetrics()
    expect(() => evaluateModel(net, { ...data, loss: crossEntropy, metrics: { loss: accuracy } })).toThrow(
      "'loss' is the name of the loss itself",
    )
    expect(() => evaluateModel(net, { ...data, loss: crossEntropy, metrics: [() => 1] })).toThrow('metrics: a function is none of')
  })

  test('EarlyStopping knows which of them are better high', () => {
    for (const monitor of ['auc', 'f1Macro', 'r2', 'precision', 'recall', 'balancedAccuracy'])
      expect(() => new EarlyStopping({ monitor })).not.toThrow()
    for (const monitor of ['mape', 'brier', 'logLoss', 'mse', 'rmse', 'mae']) expect(() => new EarlyStopping({ monitor })).not.toThrow()
  })

  test('the compiler names the nearest name where one is misspelt', () => {
    const file = `${process.cwd()}/test/metrics/misspelt.ts`
    const call = (metrics: string) => `evaluateModel(model, { inputs: [[1]], targets: [1], loss: mse, metrics: ${metrics} })`
    const text = `import { evaluateModel, type Module, mse } from '../../ts/index.js'
declare const model: Module
export const good = ${call("['accuracy', 'f1']")}
export const bad = ${call("['acuracy']")}`
    const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile('tsconfig.json', ts.sys.readFile).config, ts.sys, '.')
    const host = ts.createCompilerHost(options)
    const { getSourceFile, fileExists } = host
    host.getSourceFile = (name, ...rest) =>
      name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest)
    host.fileExists = (name) => name === file || fileExists(name)
    const program = ts.createProgram([file], options, host)
    const found = program.getSemanticDiagnostics(program.getSourceFile(file))
    expect(found).toHaveLength(1)
    expect(ts.flattenDiagnosticMessageText(found[0].messageText, '\n')).toContain(`Did you mean '"accuracy"'?`)
  }, 60_000)
})

test('metrics are exported by their names', () => {
  for (const name of ['averagePrecision', 'balancedAccuracy', 'brierScore', 'logLoss', 'meanSquaredError']) expect(g).toHaveProperty(name)
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

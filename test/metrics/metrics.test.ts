/** Metrics against scikit-learn's numbers, for every form of predictions and targets; and refused arguments. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { blobs } from '../../ts/data/index.js'
import {
  Adam,
  argmax,
  crossEntropy,
  Dense,
  evaluateModel,
  fit,
  mse,
  oneHot,
  Sequential,
  ShapeError,
  sigmoid,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import {
  accuracy,
  confusionMatrix,
  f1Score,
  meanAbsoluteError,
  precision,
  r2Score,
  recall,
  rocAuc,
  rootMeanSquaredError,
  topKAccuracy,
} from '../../ts/metrics/index.js'
import { newEngines } from '../tools/small-nets.js'

type Averages = Record<'macro' | 'micro' | 'weighted' | 'binary', number>
interface Case {
  kind: 'classes' | 'logits' | 'labels' | 'numbers'
  name: string
  scores: number[] & number[][]
  target: number[] & number[][]
  matrix: number[][]
  precision: Averages
  recall: Averages
  f1: Averages
  auc?: number | null
  top?: Record<string, number>
  r2: number
  mae: number
  rmse: number
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/metrics.json', 'utf8'))
const of = (kind: Case['kind']) => cases.filter((one) => one.kind === kind)
const FUNCTIONS = { precision, recall, f1: f1Score }

function checkDecisions(
  { matrix, ...one }: Case,
  scores: Parameters<typeof f1Score>[0],
  target: Parameters<typeof f1Score>[1],
  options = {},
): void {
  expect(confusionMatrix(scores, target, options)).toEqual(matrix)
  for (const [name, metric] of Object.entries(FUNCTIONS)) {
    const wanted = one[name as keyof typeof FUNCTIONS]
    for (const [average, value] of Object.entries(wanted))
      expect(metric(scores, target, { ...options, average: average as 'macro' }), `${name} ${average}`).toBeCloseTo(value, 12)
    expect(metric(scores, target, options), `${name} by default`).toBe(
      metric(scores, target, { ...options, average: matrix.length === 2 ? 'binary' : 'macro' }),
    )
  }
}

describe('against scikit-learn', () => {
  test.each(of('classes'))('$name', (one) => {
    const scores = tensor(one.scores)
    const n = one.matrix.length
    for (const target of [one.target, Int32Array.from(one.target), Uint8Array.from(one.target), tensor(one.target), oneHot(one.target, n)])
      checkDecisions(one, scores, target)
    if (one.name !== 'a class that does not occur') checkDecisions(one, argmax(scores), one.target)
    expect(f1Score(scores, one.target, { average: 'micro' })).toBeCloseTo(accuracy(scores, tensor(one.target)), 12)
    for (const target of [one.target, oneHot(one.target, n)]) {
      if (one.auc === null) expect(rocAuc(scores, target)).toBeNaN()
      else expect(rocAuc(scores, target)).toBeCloseTo(one.auc as number, 12)
      for (const [k, value] of Object.entries(one.top ?? {})) expect(topKAccuracy(scores, target, { k: Number(k) })).toBeCloseTo(value, 12)
    }
    expect(topKAccuracy(scores, one.target, { k: 1 })).toBe(accuracy(scores, one.target))
    expect(topKAccuracy(scores, one.target, { k: n })).toBe(1)
  })

  test.each(of('logits'))('$name', (one) => {
    const flat = Float32Array.from(one.scores)
    for (const scores of [one.scores, flat, tensor(flat, [flat.length, 1])]) {
      checkDecisions(one, scores, one.target)
      checkDecisions(one, scores, tensor(one.target, [flat.length, 1]))
      expect(rocAuc(scores, one.target)).toBeCloseTo(one.auc as number, 12)
    }
    const two = tensor(
      one.scores.flatMap((z) => [-z / 2, z / 2]),
      [flat.length, 2],
    )
    expect(rocAuc(two, one.target)).toBeCloseTo(one.auc as number, 12)
    checkDecisions(one, sigmoid(tensor(flat)), one.target, { threshold: 0.5 })
  })

  test.each(of('labels'))('$name', (one) => {
    checkDecisions(one, Int32Array.from(one.scores), one.target)
    checkDecisions(one, Uint8Array.from(one.scores), Int32Array.from(one.target))
  })

  test.each(of('numbers'))('$name', (one) => {
    const [p, t] = [tensor(one.scores), tensor(one.target)]
    expect(r2Score(p, t)).toBeCloseTo(one.r2, 10)
    expect(r2Score(one.scores, one.target)).toBeCloseTo(one.r2, 10)
    // equal targets whose sum divided by their count is, by rounding, another number
    const equal = Array.from({ length: 7 }, () => 0.1)
    expect(
      r2Score(
        Float64Array.from(equal, (t) => t + 1),
        Float64Array.from(equal),
      ),
    ).toBe(0)
    expect(meanAbsoluteError(p, t)).toBeCloseTo(one.mae, 12)
    expect(rootMeanSquaredError(p, t)).toBeCloseTo(one.rmse, 12)
  })

  test('there are cases of every kind', () => {
    for (const kind of ['classes', 'logits', 'labels', 'numbers'] as const) expect(of(kind).length, kind).toBeGreaterThanOrEqual(2)
  })
})

const backends = newEngines()

describe.each(backends)('in evaluateModel and fit on $variant', (backend) => {
  const data = blobs({ count: 203, classes: 3, spread: 3, seed: 4 })
  const make = (outputs = 3) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 1, backend })
  const metrics = {
    f1: f1Score,
    weighted: (p: Tensor, t: Tensor) => f1Score(p, t, { average: 'weighted' }),
    auc: rocAuc,
    rows: (p: Tensor, t: Tensor) => (p.shape[0] === t.shape[0] ? p.shape[0] : -1),
  }

  test('they see all rows, whatever the size of a batch', () => {
    const model = make()
    const logits = model.predict(tensor(data.inputs, data.shape, { backend }))
    for (const batchSize of [1, 10, 64, 1024]) {
      const found = evaluateModel(model, { ...data, loss: crossEntropy, metrics, batchSize })
      expect(found).toMatchObject({ rows: 203, f1: f1Score(logits, data.targets), auc: rocAuc(logits, data.targets) })
      expect(found.weighted).toBe(f1Score(logits, data.targets, { average: 'weighted' }))
    }
  })

  test('the root of the mean of squares is that of all rows, not a mean of roots', () => {
    const targets = Float32Array.from(data.targets, (t) => t * t)
    const model = make(1)
    const predicted = model.predict(tensor(data.inputs, data.shape, { backend })).data()
    const wanted = Math.sqrt([...predicted].reduce((sum, p, i) => sum + (p - targets[i]) ** 2, 0) / 203)
    for (const batchSize of [1, 50, 1024]) {
      const names = ['rootMeanSquaredError', 'meanAbsoluteError'] as const
      const found = evaluateModel(model, { inputs: data.inputs, shape: data.shape, targets, loss: mse, metrics: names, batchSize })
      expect(found.rootMeanSquaredError).toBeCloseTo(wanted, 5)
      expect(found.meanAbsoluteError).toBeLessThan(found.rootMeanSquaredError)
      const own = { r2: r2Score, shape: (p: Tensor, t: Tensor) => Number(p.shape.join() === '203,1' && t.shape.join() === '203,1') }
      expect(evaluateModel(model, { inputs: data.inputs, shape: data.shape, targets, loss: mse, metrics: own, batchSize }).shape).toBe(1)
    }
  })

  test('in training they are of the epoch so far, in validation of all of it', async () => {
    const model = make()
    const optimizer = new Adam(model.parameters(), { learningRate: 0.03 })
    const seen: number[] = []
    const history = await fit(model, {
      ...data,
      loss: crossEntropy,
      optimizer,
      epochs: 3,
      batchSize: 50,
      validation: data,
      metrics,
      callbacks: [{ onBatchEnd: (progress) => void seen.push(progress.metrics.rows) }],
    })
    expect(seen).toEqual([50, 100, 150, 200, 203, 50, 100, 150, 200, 203, 50, 100, 150, 200, 203])
    const last = history.epochs[2]
    expect(last.metrics.rows).toBe(203)
    expect(last.validation).toMatchObject({
      rows: 203,
      f1: f1Score(model.predict(tensor(data.inputs, data.shape, { backend })), data.targets),
    })
    expect(last.metrics.f1).toBeGreaterThan(history.epochs[0].metrics.f1)
  })
})

describe('edges', () => {
  test('ties: the area counts them half, the k best take the first', () => {
    expect(rocAuc([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5)
    expect(rocAuc([-0, 0], [0, 1])).toBe(0.5)
    expect(topKAccuracy([[1, 1, 1]], [1], { k: 1 })).toBe(0)
    expect(topKAccuracy([[1, 1, 1]], [1], { k: 2 })).toBe(1)
  })

  test('infinite scores are scores, NaN is none', () => {
    expect(rocAuc([-Infinity, 0, Infinity], [0, 0, 1])).toBe(1)
    expect(rocAuc([Number.NaN, 0], [0, 1])).toBeNaN()
    expect(topKAccuracy([[Number.NaN, 1]], [0], { k: 2 })).toBe(0)
    expect(() =>
      f1Score(
        [
          [Number.NaN, 1],
          [1, 0],
        ],
        [0, 1],
      ),
    ).toThrow('f1Score: the scores of row 0 are not numbers')
    const rows = [
      [3, Number.NaN],
      [1, 2],
    ]
    expect(() => confusionMatrix(rows, [0, 1])).toThrow('confusionMatrix: the scores of row 0 are not numbers')
    expect(() => recall([1, Number.NaN], [1, 0])).toThrow('recall: the scores of row 1 are not numbers')
    expect(accuracy(tensor(rows), tensor([0, 1]))).toBe(0.5)
  })

  test('targets of another size than the predictions are refused, not taken for NaN or for 0', () => {
    const wide = tensor([
      [1, 2],
      [3, 4],
    ])
    for (const metric of [meanAbsoluteError, rootMeanSquaredError, accuracy]) {
      expect(() => metric(wide, tensor([1, 2, 3]))).toThrow(`${metric.name}: prediction has shape [2, 2], target [3]`)
    }
    expect(() => meanAbsoluteError(wide, tensor([1, 2]))).toThrow(ShapeError)
    expect(() => rootMeanSquaredError(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(ShapeError)
    expect(meanAbsoluteError(tensor([[1], [2]]), tensor([1, 4]))).toBe(1)
  })

  test('one class alone has no area', () => {
    expect(rocAuc([1, 2], [1, 1])).toBeNaN()
    expect(rocAuc([1, 2], [0, 0])).toBeNaN()
  })

  test('what does not fit is refused, by name', () => {
    const all = { precision, recall, f1Score, confusionMatrix, rocAuc, topKAccuracy }
    for (const [name, metric] of Object.entries(all)) {
      expect(
        () =>
          metric(
            [
              [1, 2],
              [3, 4],
            ],
            [0],
          ),
        name,
      ).toThrow(ShapeError)
      expect(
        () =>
          metric(
            [
              [1, 2],
              [3, 4],
            ],
            [0],
          ),
        name,
      ).toThrow(`${name}: 2 predictions want a class each, or probabilities`)
      expect(
        () =>
          metric(
            [
              [1, 2],
              [3, 4],
            ],
            [0, 2],
          ),
        name,
      ).toThrow(`${name}: wants classes from 0 to 1 as targets, got 2 at row 1`)
      expect(
        () =>
          metric(
            [
              [1, 2],
              [3, 4],
            ],
            [0, 0.5],
          ),
        name,
      ).toThrow('got 0.5 at row 1')
      expect(
        () =>
          metric(
            [
              [1, 2, 3],
              [3, 4, 5],
            ],
            [0, -1],
          ),
        name,
      ).toThrow('from 0 to 2 as targets, got -1 at row 1')
      expect(() => metric(3, 3), name).toThrow(`${name}: wants scores of shape [rows, classes]`)
      expect(() => metric([], []), name).toThrow('there are no predictions')
    }
  })

  test('options are checked', () => {
    expect(() => f1Score([1], [1], { averag: 'macro' } as never)).toThrow("f1Score: there is no option 'averag'; did you mean average?")
    expect(() => f1Score([0.5, 2, 1], [0, 2, 1])).toThrow('got 2 at row 1; classes as predictions are whole numbers (an Int32Array)')
    expect(() => f1Score(Int32Array.of(0, -1), [0, 1])).toThrow('wants classes from 0, got -1 at row 1')
    expect(() => f1Score(Int32Array.of(0, 2), [0, 1], { average: 'binary' })).toThrow(
      "average 'binary' is for two classes, and there are 3",
    )
    expect(() => recall([1], [1], { average: 'mean' as never })).toThrow(
      "average wants 'binary', 'macro', 'micro' or 'weighted', got 'mean'",
    )
    for (const k of [0, 1.5, Number.NaN]) expect(() => topKAccuracy([[1, 2]], [0], { k })).toThrow('k wants a whole number ≥ 1')
    expect(() => r2Score([1, 2], [1, 2, 3])).toThrow('r2Score: wants predictions and targets of one shape, got [2] and [3]')
    expect(() => r2Score([], [])).toThrow(ShapeError)
  })
})

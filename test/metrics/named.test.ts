/** Metrics by name: in fit and evaluateModel, in EarlyStopping, among the exports, and for the compiler. */
import { afterEach, describe, expect, test } from 'vitest'
import { blobs } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, EarlyStopping, evaluateModel, fit, mse, Sequential, useAllMetrics } from '../../ts/index.js'
import * as g from '../../ts/metrics/index.js'
import { accuracy, f1Score } from '../../ts/metrics/index.js'
import { METRICS } from '../../ts/train/metrics.js'

// the metrics that have names are of the process
const named = { ...METRICS }
afterEach(() => {
  for (const name of Object.keys(METRICS)) delete METRICS[name]
  Object.assign(METRICS, named)
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
})

test('metrics are exported by their names', () => {
  for (const name of ['averagePrecision', 'balancedAccuracy', 'brierScore', 'logLoss', 'meanSquaredError']) expect(g).toHaveProperty(name)
})

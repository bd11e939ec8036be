/** Metrics give the same figures for probabilities and logits, and refuse values that are neither. */
import { describe, expect, test } from 'vitest'
import { Generator, softmax, tensor } from '../../ts/index.js'
import { averagePrecision, brierScore, f1Score, logLoss, precision, recall, rocAuc } from '../../ts/metrics/index.js'

const random = new Generator(4)
const logits = (rows: number, classes: number) => tensor(random.normals(rows * classes), [rows, classes])
const METRICS = { rocAuc, averagePrecision, logLoss, brierScore }

describe.each(Object.entries(METRICS))('%s', (name, metric) => {
  test.each([2, 3, 5])('of %i classes: probabilities give what their logits give', (classes) => {
    const z = logits(40, classes)
    const target = Int32Array.from({ length: 40 }, (_, i) => i % classes)
    const p = softmax(z)
    const wanted = metric(z, target)
    expect(metric(p, target, { from: 'probabilities' })).toBeCloseTo(wanted, 6)
    expect(metric(z, target, { from: 'logits' })).toBe(wanted)
    // a second softmax would silently give another number
    if (classes > 2 || !['rocAuc', 'averagePrecision'].includes(name))
      expect(() => metric(p, target)).toThrow(
        new RegExp(`^${name}: wants logits, got rows that add up to 1, such as .*; of probabilities say from: 'probabilities'`),
      )
  })

  test('what are no probabilities, and other words, are refused', () => {
    expect(() => metric([[2, 1, 0], [0, 1, 0]], [0, 1], { from: 'probabilities' })).toThrow(/probabilities from 0 to 1 that add up to 1, got 2, 1, 0 at row 0/) // biome-ignore format: short
    expect(() => metric([1.5, 0.5], [0, 1], { from: 'probabilities' })).toThrow(/probabilities from 0 to 1/)
    expect(() => metric([0.5, 0.5], [0, 1], { from: 'scores' as never })).toThrow(
      `${name}: from wants 'logits' or 'probabilities', got 'scores'`,
    )
  })
})

test('rocAuc of probabilities as scikit-learn 1.9: roc_auc_score(y, p, multi_class="ovr")', () => {
  const p = [
    [0.8, 0.1, 0.1],
    [0.3, 0.4, 0.3],
    [0.1, 0.5, 0.4],
  ]
  expect(rocAuc(p, [0, 1, 2], { from: 'probabilities' })).toBeCloseTo((1 + 0.5 + 1) / 3, 12)
})

test('macro averages count a class whose rows all have weight 0 as 0, as scikit-learn does; weighted ones leave it out', () => {
  // f1_score([0, 0, 1, 2], [0, 1, 1, 2], average=…, sample_weight=[1, 1, 1, 0], zero_division=0)
  const [p, t, weights] = [Int32Array.of(0, 1, 1, 2), [0, 0, 1, 2], [1, 1, 1, 0]]
  for (const metric of [f1Score, precision, recall]) {
    const [macro, weighted] = (['macro', 'weighted'] as const).map((average) => metric(p, t, { average, weights }))
    const two = metric(p.subarray(0, 3), t.slice(0, 3), { average: 'macro' })
    expect(macro).toBeCloseTo((two * 2) / 3, 12)
    expect(weighted).toBeCloseTo(metric(p.subarray(0, 3), t.slice(0, 3), { average: 'weighted' }), 12)
  }
})

/** A weight for each row from factors of classes: their mean is 1, balanced classes weigh the same. */
import { describe, expect, test } from 'vitest'
import { classWeights } from '../../ts/data/index.js'

describe('classWeights', () => {
  const targets = [0, 2, 2, 0, 2, 2, 5, 2]

  test('balanced: every class that is there weighs the same', () => {
    for (const given of [targets, Int32Array.from(targets)]) {
      const weights = classWeights(given, 'balanced')
      const sums = [0, 2, 5].map((c) => targets.reduce((sum, target, row) => sum + (target === c ? weights[row] : 0), 0))
      for (const sum of sums) expect(sum).toBeCloseTo(8 / 3, 12)
    }
  })

  test('factors keep their ratios, and the mean is 1', () => {
    const factors = [3, Number.NaN, 1, Number.NaN, Number.NaN, 0]
    const weights = classWeights(targets, factors)
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(8, 12)
    targets.forEach((target, row) => expect(weights[row]).toBeCloseTo((factors[target] * 8) / 11, 12))
    expect(classWeights([], 'balanced')).toHaveLength(0)
    expect(classWeights([], [1])).toHaveLength(0)
  })

  test.each<[unknown, unknown, string]>([
    [[0, -1], 'balanced', 'classWeights: wants classes from 0 as targets, got -1 at row 1'],
    [[0.5, 1], 'balanced', 'classWeights: wants classes from 0 as targets, got 0.5 at row 0'],
    [[0, 1], 'equal', "classWeights: wants a factor for each class in an array, or 'balanced', got 'equal'"],
    [[0, 1], undefined, "classWeights: wants a factor for each class in an array, or 'balanced', got undefined"],
    [[0, 1], 2, "classWeights: wants a factor for each class in an array, or 'balanced', got 2"],
    [[0, 1], [1], 'classWeights: wants a finite factor from 0 for class 1, got undefined'],
    [[0, 1], [-1, 1], 'classWeights: wants a finite factor from 0 for class 0, got -1'],
    [[0, 1], [1, Infinity], 'classWeights: wants a finite factor from 0 for class 1, got Infinity'],
    [[0, 1], [0, 0], 'classWeights: the factors of all classes there are are 0, so that no row counts'],
  ])('%o with factors %o is refused', (given, factors, message) => {
    expect(() => classWeights(given as number[], factors as number[])).toThrow(message)
  })
})

/** Pruners on reports with known decisions. */
import { describe, expect, test } from 'vitest'
import { asha, hyperband, median, type Pruner, patience, percentile } from '../../../ts/tune/index.js'

const trial = (number: number, losses: number[], isComplete = true) => ({
  number,
  isComplete,
  losses: new Map(losses.map((loss, step) => [step, loss])),
})
const decide = (pruner: Pruner, own: number[], others: number[][], number = 99) => {
  const subject = trial(number, own, false)
  return pruner.shouldPrune({ trial: subject, step: own.length - 1, trials: [...others.map((losses, i) => trial(i, losses)), subject] })
}

describe('median and percentile', () => {
  const others = [1, 2, 3, 4, 5].map((x) => [x + 1, x])

  test('prune what is worse than the middle at the same step', () => {
    expect(decide(median(), [9, 3.1], others)).toBe(true)
    expect(decide(median(), [9, 2.9], others)).toBe(false)
    expect(decide(median(), [2.9, 9], others), 'its best counts').toBe(false)
    expect(decide(percentile(25), [9, 2.1], others)).toBe(true)
    expect(decide(percentile(25), [9, 1.9], others)).toBe(false)
    expect(decide(median(), [Number.NaN, Number.NaN], others)).toBe(true)
  })

  test('wait for a start, a warm-up and their interval', () => {
    expect(decide(median({ startupTrials: 6 }), [9, 9], others)).toBe(false)
    expect(decide(median({ warmupSteps: 2 }), [9, 9], others)).toBe(false)
    expect(decide(median({ intervalSteps: 2 }), [9, 9], others)).toBe(false)
    expect(decide(median({ minTrials: 6 }), [9, 9], others)).toBe(false)
  })
})

describe('ASHA', () => {
  const others = [1, 2, 3, 4, 5, 6, 7].map((x) => [x, x])

  test('lets one of so many go on from a rung', () => {
    const pruner = asha({ minResource: 1, reductionFactor: 4 })
    expect(decide(pruner, [9, 1.5], others)).toBe(false)
    expect(decide(pruner, [9, 2.5], others)).toBe(true)
    expect(decide(pruner, [9], others), 'between rungs nobody is cut').toBe(false)
    expect(decide(pruner, [9, 1.5, 9], others), 'at the next rung only the first is there').toBe(false)
    expect(decide(pruner, [9, Number.NaN], others)).toBe(true)
    expect(decide(asha({ startupTrials: 8 }), [9, 9], others)).toBe(false)
  })
})

describe('Hyperband', () => {
  test('has brackets that prune early and one that does not prune', () => {
    const pruner = hyperband({ minResource: 1, maxResource: 9, reductionFactor: 3 })
    const others = Array.from({ length: 90 }, () => Array.from({ length: 10 }, () => 1))
    const bad = (number: number, steps: number) =>
      decide(
        pruner,
        Array.from({ length: steps }, () => 5),
        others,
        number,
      )
    const at = (steps: number) => Array.from({ length: 90 }, (_, i) => bad(i + 900, steps)).filter(Boolean).length / 90
    expect(at(1)).toBe(0)
    // 9, 5 and 3 of 17 trials begin to be pruned at steps 1, 3 and 9
    expect(at(2)).toBeGreaterThan(0.4)
    expect(at(2)).toBeLessThan(0.65)
  })
})

describe('patience', () => {
  test('prunes what has not become better', () => {
    expect(decide(patience(2), [5, 4, 4, 4], [])).toBe(true)
    expect(decide(patience(2), [5, 4, 4, 3.9], [])).toBe(false)
    expect(decide(patience(2, { minDelta: 0.5 }), [5, 4, 4, 3.9], [])).toBe(true)
    expect(decide(patience(4), [5, 5, 5, 5], [])).toBe(false)
  })

  test('then asks another', () => {
    const others = [1, 2, 3, 4, 5].map((x) => [x, x, x, x])
    expect(decide(patience(2, { wrappedPruner: median() }), [2, 2, 2, 2], others)).toBe(false)
    expect(decide(patience(2, { wrappedPruner: median() }), [4, 4, 4, 4], others)).toBe(true)
  })
})

test.each([
  [() => percentile(120), 'percentile: percent wants a number from 0 to 100, got 120'],
  [() => asha({ reductionFactor: 1 }), 'asha: reductionFactor wants a whole number ≥ 2, got 1'],
  [() => hyperband({ minResource: 9, maxResource: 3 }), 'hyperband: maxResource wants a whole number ≥ 9, got 3'],
  [() => patience(0), 'patience: reports wants a whole number ≥ 1, got 0'],
  [() => median({ n_startup_trials: 1 } as object), "median: there is no option 'n_startup_trials'"],
])('%#', (make, message) => {
  expect(make).toThrow(message)
})

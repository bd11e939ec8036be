/** Estimates come from steps that were measured, never from the first ones. */
import { afterEach, expect, test, vi } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { Pace } from '../../ts/search/pace.js'

afterEach(() => void vi.restoreAllMocks())

/** The paces after steps at times in seconds. */
function paces(...marks: [seconds: number, steps: number][]): number[] {
  const pace = new Pace()
  return marks.map(([seconds, steps]) => {
    vi.spyOn(clock, 'now').mockReturnValue(1000 * seconds)
    return pace.secondsPerStep(steps)
  })
}

test('a first batch that took 30 s says nothing, and there is no pace before a second of steps', () => {
  expect(paces([30, 1], [30.5, 51], [31, 101], [32, 201])).toEqual([Number.NaN, Number.NaN, 0.01, 0.01])
})

test('the pace is that of the latest ten seconds, as load changes', () => {
  const slow = Array.from({ length: 20 }, (_, i): [number, number] => [i, i])
  const fast = Array.from({ length: 12 }, (_, i): [number, number] => [20 + i, 19 + 100 * (i + 1)])
  const found = paces(...slow, ...fast)
  expect(found[19]).toBeCloseTo(1, 6)
  expect(found.at(-1)).toBeCloseTo(0.01, 3)
})

test('a busy machine of some seconds changes the estimate of a long training by little', () => {
  const steady = Array.from({ length: 400 }, (_, i): [number, number] => [i, 100 * i])
  const [last, busy] = paces(...steady, [410, 39_901]).slice(-2)
  expect(last).toBeCloseTo(0.01, 6)
  expect(busy).toBeLessThan(0.012)
})

test('steps that stand still have no pace', () => {
  expect(paces([0, 5], [3, 5])).toEqual([Number.NaN, Number.NaN])
})

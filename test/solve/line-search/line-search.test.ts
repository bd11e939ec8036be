/** Line searches: the conditions that they promise, and their result if no step satisfies these. */
import { describe, expect, test } from 'vitest'
import { armijo, strongWolfe } from '../../../ts/solve/index.js'

describe('line searches', () => {
  const phi = (t: number) => ({ t, value: Math.cos(t) + 0.1 * t, slope: -Math.sin(t) + 0.1 })

  test('strong Wolfe conditions hold', () => {
    const start = { t: 0, value: phi(1).value, slope: phi(1).slope }
    const at = (t: number) => ({ ...phi(1 + t), t })
    for (const first of [1e-6, 0.1, 1, 30, 1e4]) {
      const { point, satisfied } = strongWolfe(at, start, first, { c2: 0.1 })
      expect(satisfied).toBe(true)
      expect(point.value).toBeLessThanOrEqual(start.value + 1e-4 * point.t * start.slope)
      expect(Math.abs(point.slope)).toBeLessThanOrEqual(-0.1 * start.slope)
    }
  })

  test('armijo shortens, and answers with the start where nothing helps', () => {
    const at = (t: number) => ({ t, value: (t - 1) ** 2, slope: 2 * (t - 1) })
    expect(armijo(at, at(0), 1000).satisfied).toBe(true)
    const up = (t: number) => ({ t, value: t === 0 ? 0 : Number.NaN, slope: -1 })
    expect(armijo(up, up(0), 1)).toMatchObject({ satisfied: false, point: { t: 0 } })
  })

  test('NaN everywhere ends at the start', () => {
    const nan = (t: number) => ({ t, value: t === 0 ? 0 : Number.NaN, slope: t === 0 ? -1 : Number.NaN })
    expect(strongWolfe(nan, nan(0), 1)).toMatchObject({ satisfied: false, point: { t: 0 } })
  })
})

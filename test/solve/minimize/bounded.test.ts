/** minimize within bounds: the solutions of SciPy's L-BFGS-B, and no call outside of the box. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { square, sub, sum, tensor } from '../../../ts/index.js'
import { asObjective, type Evaluation, minimize, testFunctions } from '../../../ts/solve/index.js'
import { MGH, sumOfSquares } from '../../tools/solve-problems.js'

interface Case {
  problem: string
  start: number[]
  lower: (number | null)[]
  upper: (number | null)[]
  x: number[]
  value: number
  iterations: number
  evaluations: number
  A?: number[][]
  b?: number[]
}

const { cases } = JSON.parse(readFileSync(new URL('../../oracles/bounds.json', import.meta.url), 'utf8')) as { cases: Case[] }

function chain(x: Float64Array): Evaluation {
  const gradient = new Float64Array(x.length)
  gradient[0] = 2 * (x[0] - 1)
  let value = (x[0] - 1) ** 2
  for (let i = 1; i < x.length; i++) {
    const r = x[i] - x[i - 1] ** 2
    value += 4 * r * r
    gradient[i] += 8 * r
    gradient[i - 1] -= 16 * r * x[i - 1]
  }
  return { value, gradient }
}

function quadratic(A: number[][], b: number[]) {
  return (x: Float64Array): Evaluation => {
    const Ax = A.map((row) => row.reduce((total, a, j) => total + a * x[j], 0))
    return { value: Ax.reduce((total, a, i) => total + x[i] * (a / 2 - b[i]), 0), gradient: Ax.map((a, i) => a - b[i]) }
  }
}

function functionOf({ problem, A, b }: Case): (x: Float64Array) => Evaluation {
  if (problem === 'chain') return chain
  if (problem === 'quadratic') return quadratic(A!, b!)
  const named = testFunctions.find(({ name }) => name === problem)
  return named ? asObjective(named) : sumOfSquares(MGH[problem])
}

const boundsOf = (bounds: Case['lower'], none: number) => bounds.map((bound) => bound ?? none)

/** |P(x − g) − x|∞ */
function steepness(x: ArrayLike<number>, g: ArrayLike<number>, lower: number[], upper: number[]): number {
  return Math.max(...lower.map((low, i) => Math.abs(Math.min(Math.max(x[i] - g[i], low), upper[i]) - x[i])))
}

describe.each(cases.map((each, i) => [`${each.problem} (${i})`, each] as const))('%s', (_name, oracle) => {
  const f = functionOf(oracle)
  const [lower, upper] = [boundsOf(oracle.lower, Number.NEGATIVE_INFINITY), boundsOf(oracle.upper, Number.POSITIVE_INFINITY)]
  const inside = (x: Float64Array) => {
    for (const [i, xi] of x.entries()) if (!(xi >= lower[i] && xi <= upper[i])) throw new Error(`called at x[${i}] = ${xi}`)
  }

  test("ends where SciPy's L-BFGS-B does, in steps as many", () => {
    const result = minimize(
      (x) => {
        inside(x)
        return f(x)
      },
      oracle.start,
      { lower, upper, gradientTolerance: 1e-7 },
    )
    expect(result.converged, result.message).toBe(true)
    expect(result.value).toBe(f(result.x).value)
    expect(result.value - oracle.value).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(oracle.value)))
    if (result.reason === 'gradient') expect(steepness(result.x, result.gradient, lower, upper)).toBeLessThanOrEqual(1e-7)
    const [mine, scipy] = [held(result.x), held(oracle.x)]
    if (Math.abs(result.value - oracle.value) <= 1e-9 * Math.max(1, Math.abs(oracle.value))) expect(mine).toEqual(scipy)
    // on Wood's function the unbounded method needs as many; SciPy passes its saddle by luck
    expect(result.evaluations).toBeLessThanOrEqual((oracle.problem === '14 Wood' ? 4 : 1.5) * oracle.evaluations + 10)
  })

  test('values alone are enough, and are asked for inside of the box only', () => {
    const result = minimize(
      (x) => {
        inside(x)
        return f(x).value
      },
      oracle.start,
      { lower, upper },
    )
    expect(result.converged || result.reason === 'line-search', result.message).toBe(true)
    expect(result.value - oracle.value).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(oracle.value)))
  })

  /** The parameters that are at a bound. */
  function held(x: ArrayLike<number>): string {
    return lower.map((low, i) => (x[i] <= low + 1e-9 ? '-' : x[i] >= upper[i] - 1e-9 ? '+' : '.')).join('')
  }
})

describe('bounds', () => {
  const bowl = ([x, y]: Float64Array) => (x - 3) ** 2 + (y + 1) ** 2

  test('one for all, one side, a parameter that is fixed, a function of tensors', () => {
    expect([...minimize(bowl, [0, 0], { lower: 0 }).x].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([3, 0])
    expect([...minimize(bowl, [1, 2], { lower: [1, -5], upper: [1, 5] }).x].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([1, -1])
    expect([...minimize((x) => sum(square(sub(x, 3))), tensor([0, 1]), { upper: [2, 5] }).x]).toEqual([2, 3])
  })

  test('a minimum in a corner where the gradient points outwards is one, at once', () => {
    const result = minimize(bowl, [2, 0], { upper: [2, 0], lower: [0, 0] })
    expect(result).toMatchObject({ iterations: 0, reason: 'gradient', converged: true })
    expect(result.message).toMatch(/^the largest component of the projected gradient, 0\.0e\+0,/)
  })

  test('a function that ends at its bounds: x·ln x + y·ln y, from inside', () => {
    const f = (x: Float64Array) => x.reduce((total, v) => total + (v === 0 ? 0 : v * Math.log(v)), 0)
    const result = minimize(f, [2, 0.5], { lower: 0, upper: 5 })
    for (const v of result.x) expect(v).toBeCloseTo(Math.exp(-1), 5)
  })

  test('a ramp without an end falls without bound; with one it ends there', () => {
    expect(minimize(([x]) => ({ value: -x, gradient: [-1] }), [0], { lower: 0 })).toMatchObject({ converged: false, reason: 'not-finite' })
    expect([...minimize(([x]) => -x, [0], { upper: 1e6 }).x]).toEqual([1e6])
  })

  test('onIteration sees each step, and ends the search', () => {
    const seen: number[] = []
    const onIteration = ({ iteration }: { iteration: number }) => seen.push(iteration) < 3
    expect(minimize(asObjective(testFunctions[0]), [-1.2, 1], { upper: [0.5, 9], onIteration })).toMatchObject({
      reason: 'callback',
    })
    expect(seen).toEqual([1, 2, 3])
  })

  test('what does not fit is named', () => {
    expect(() => minimize(bowl, [0, 0], { lower: 0, method: 'bfgs' })).toThrow(/lower and upper are for the method 'lbfgs', got 'bfgs'/)
    expect(() => minimize(bowl, [0, 0], { lower: 1 })).toThrow(/minimize: parameter 0 starts at 0, outside of its bounds \[1, Infinity\]/)
    expect(() => minimize(bowl, [0, 0], { lower: 1, upper: -1 })).toThrow(/leave nothing/)
    expect(() => minimize(bowl, [0, 0], { lower: [0] })).toThrow(/lower wants a number or 2 of them, got 1/)
    expect(() => minimize(bowl, [0, 0], { upper: 'much' as never })).toThrow(/upper wants a number or 2 of them/)
  })
})

/** The functions that people plot: their values and gradients, their minima, and the points in which each method ends. */
import { describe, expect, test } from 'vitest'
import {
  asObjective,
  type MinimizeMethod,
  minimize,
  monkeySaddle,
  saddle,
  type TestFunction,
  testFunctions,
} from '../../../ts/solve/index.js'
import { type ProblemOracle, solveOracles } from '../../tools/solve-problems.js'

const METHODS: MinimizeMethod[] = ['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg', 'gradient-descent']

describe('functions that people plot', () => {
  for (const f of testFunctions) {
    const oracle: ProblemOracle = solveOracles.plot[f.name]
    test(`${f.name}: value and gradient`, () => {
      expect(oracle.start).toEqual([...f.start])
      for (const at of [oracle.probe, { x: oracle.start, value: oracle.value, gradient: oracle.gradient }]) {
        expect(Math.abs(f.value(at.x) - at.value)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(at.value)))
        const gradient = f.gradient(at.x)
        for (let i = 0; i < 2; i++)
          expect(Math.abs(gradient[i] - at.gradient[i])).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(at.gradient[i])))
      }
      for (const m of f.minima) expect(Math.hypot(...f.gradient(m))).toBeLessThan(1e-12 * 1e2)
      if (f.minima.length > 0) expect(Math.abs(f.value(f.minima[0]) - f.lowest)).toBeLessThan(1e-13)
    })
    if (f.minima.length === 0) continue
    for (const method of METHODS) {
      test(`${f.name}: ${method}`, () => {
        const result = minimize(asObjective(f), f.start, { method, maxIterations: 20000, gradientTolerance: 1e-7 })
        expect(result.converged || (f.name === 'Ackley' && result.value < 1e-6), result.message).toBe(true)
        expect(isKnownMinimum(f, result.x) || scipyEndsThere(oracle, result.x)).toBe(true)
      })
    }
  }

  test('a saddle without bound ends in an honest way, far down', () => {
    for (const f of [saddle, monkeySaddle]) {
      for (const method of METHODS) {
        const result = minimize(asObjective(f), f.start, { method, maxIterations: 200 })
        expect(result.converged).toBe(false)
        expect(result.value).toBeLessThan(-1e3)
        expect(Number.isFinite(result.value)).toBe(true)
      }
    }
  })

  test('at the saddle point itself and far out on the plateau the gradient is zero', () => {
    expect(minimize(asObjective(saddle), [0, 0])).toMatchObject({ reason: 'gradient', iterations: 0 })
    expect(minimize(asObjective(testFunctions[10]), [30, 30])).toMatchObject({ reason: 'gradient', value: 1 })
  })
})

function isKnownMinimum(f: TestFunction, x: Float64Array): boolean {
  return (
    f.minima.some((m) => Math.hypot(x[0] - m[0], x[1] - m[1]) < 1e-4) || (f.name === 'Rastrigin' && Math.hypot(...f.gradient(x)) < 1e-4)
  )
}

function scipyEndsThere(oracle: ProblemOracle, x: Float64Array): boolean {
  return Object.values(oracle.methods).some((m) => m.x !== undefined && Math.hypot(x[0] - m.x[0], x[1] - m.x[1]) < 1e-4)
}

/** Least squares and curve fitting compared with SciPy: steps, bounds, functions that throw, singular problems. */
import { describe, expect, test } from 'vitest'
import { createBackend, Generator, mul, square, sub, tensor } from '../../../ts/index.js'
import { r2Score } from '../../../ts/metrics/index.js'
import { fitCurve, gaussNewton, levenbergMarquardt } from '../../../ts/solve/index.js'
import { oracleCases } from '../../tools/optim-problems.js'
import { MGH, solveOracles } from '../../tools/solve-problems.js'

const residuals = (name: string) => (x: Float64Array) => MGH[name](x).map(([r]) => r)

describe('bad input', () => {
  test('a Jacobian of the wrong sign ends in line-search, at the start; one that is right does not', () => {
    const r = ([x, y]: Float64Array) => [x - 1, y + x * x]
    const wrong = levenbergMarquardt(r, [5, 3], { jacobian: ([x]) => [-1, 0, -2 * x, -1] })
    expect(wrong).toMatchObject({ reason: 'line-search', converged: false })
    expect([...wrong.x]).toEqual([5, 3])
    // A minimum with a value above zero, to the end of precision: rejected steps there are not a failure.
    const nothing = { gradientTolerance: 0, valueTolerance: 0 }
    expect(levenbergMarquardt(([x]) => [x - 1, x + 1, Math.sin(x)], [0.7], nothing)).toMatchObject({ reason: 'step', converged: true })
  })

  test('residuals that are not finite at the start are shown, and no gradient is made up', () => {
    const { residuals, gradient, reason } = levenbergMarquardt(([x]) => [x, Number.NaN], [5])
    expect(reason).toBe('not-finite')
    expect([...residuals]).toEqual([5, Number.NaN])
    expect([...gradient]).toEqual([Number.NaN])
  })

  test('singular JᵀJ: parameters that cannot be told apart, or do nothing', () => {
    const twin = ([a, b, c]: Float64Array) => [a + b - 2, 2 * (a + b) - 4 + 0 * c, (a + b) ** 2 - 4]
    for (const solve of [levenbergMarquardt, gaussNewton]) {
      for (const scaling of ['none', 'marquardt'] as const) {
        const { x, value, converged } = solve(twin, [5, -1, 7], { scaling })
        expect(value).toBeLessThan(1e-18)
        expect(x[0] + x[1]).toBeCloseTo(2, 8)
        expect(x[2]).toBeCloseTo(7, 6)
        expect(converged).toBe(true)
      }
    }
    expect(levenbergMarquardt(() => [3, 4], [1, 2])).toMatchObject({ reason: 'gradient', value: 12.5 })
    const fit = fitCurve((x: number, [a, b]) => (a + b) * x, [1, 2, 3], [2, 4, 6.1], { initial: [1, 0] })
    expect([...fit.errors]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(fit.parameters[0] + fit.parameters[1]).toBeCloseTo(2.0214, 3)
  })
})

describe('least squares', () => {
  test('the trials of Nielsen step by step', () => {
    const trajectory = oracleCases.get('lm_nielsen')!.results.rosen
    for (const [k, { p }] of Object.entries(trajectory.steps)) {
      const result = levenbergMarquardt(([x, y]) => [1 - x, 10 * (y - x * x)], [-1.5, 2], {
        jacobian: ([x]) => [-1, 0, -20 * x, 10],
        maxIterations: Number(k),
        ...{ gradientTolerance: 0, stepTolerance: 0, valueTolerance: 0 },
      })
      for (let i = 0; i < 2; i++)
        expect(Math.abs(result.x[i] - p[i])).toBeLessThanOrEqual((trajectory.tol64[k] ?? 0) * Math.max(1, Math.abs(p[i])))
    }
  })

  test('functions of tensors', () => {
    const backend = createBackend({ backend: 'js', dtype: 'float64' })
    const result = levenbergMarquardt((x) => mul(sub(x, [1, 2]), square(x)), tensor([3, 3], { backend }))
    expect([...result.x].map((v) => +v.toFixed(6))).toEqual([1, 2])
  })

  test('gaussNewton on a nearly linear problem takes a handful of steps', () => {
    const { x, iterations } = gaussNewton(residuals('15 Kowalik-Osborne'), solveOracles.mgh['15 Kowalik-Osborne'].start)
    const best = solveOracles.mgh['15 Kowalik-Osborne'].least_squares.x
    for (let i = 0; i < 4; i++) expect(x[i]).toBeCloseTo(best[i], 5)
    expect(iterations).toBeLessThan(40)
  })

  const CURVES: Record<string, (t: number, p: Float64Array) => number> = {
    decay: (t, [a, b, c]) => a * Math.exp(-b * t) + c,
    gauss: (t, [a, m, s]) => a * Math.exp(-0.5 * ((t - m) / s) ** 2),
    logistic: (t, [a, b, c]) => a / (1 + Math.exp(-b * (t - c))),
  }
  for (const [name, oracle] of Object.entries(solveOracles.curves)) {
    test(`fitCurve ${name}: parameters, errors and covariance are SciPy's`, () => {
      const plain = fitCurve(CURVES[name], oracle.x, oracle.y, { initial: oracle.start })
      const weighted = fitCurve(CURVES[name], oracle.x, oracle.y, { initial: oracle.start, sigma: oracle.sigma, absoluteSigma: true })
      for (const [fit, scipy] of [
        [plain, oracle],
        [weighted, oracle.weighted],
      ] as const) {
        for (let i = 0; i < 3; i++) {
          expect(Math.abs(fit.parameters[i] - scipy.parameters[i])).toBeLessThan(1e-7 * Math.max(1, Math.abs(scipy.parameters[i])))
          for (let j = 0; j < 3; j++) {
            const scale = Math.sqrt(scipy.covariance[i][i] * scipy.covariance[j][j])
            expect(Math.abs(fit.covariance[i][j] - scipy.covariance[i][j])).toBeLessThan(1e-5 * scale)
          }
          expect(fit.errors[i]).toBeCloseTo(Math.sqrt(scipy.covariance[i][i]), 7)
        }
        expect(fit.rSquared).toBeGreaterThan(0.95)
        expect(fit.rms).toBeCloseTo(0.1, 1)
      }
    })
  }

  test('the unit of the residuals does not matter', () => {
    for (const unit of [1e-100, 1e-20, 1e-9, 1e9, 1e60]) {
      const { x, converged } = levenbergMarquardt(([u, v]) => [unit * (1 - u), 10 * unit * (v - u * u)], [-1.2, 1])
      expect(converged).toBe(true)
      expect([...x].map((value) => +value.toFixed(7))).toEqual([1, 1])
    }
  })

  test.each([
    ['exact', (_: number, [a]: ArrayLike<number> & Iterable<number>) => a, 1],
    ['not', (x: number, [a]: ArrayLike<number> & Iterable<number>) => a * x, 0],
  ])('where all y are equal and the model is %s, rSquared is as r2Score has it', (_, model, expected) => {
    for (const value of [0.1, 3]) {
      const [x, y] = [
        [1, 2, 4],
        [value, value, value],
      ]
      const { rSquared, parameters } = fitCurve(model, x, y, { initial: [value] })
      const guesses = x.map((at) => model(at, parameters))
      expect(rSquared).toBe(expected)
      if (value === 3) expect(r2Score(guesses, y)).toBe(expected)
    }
  })

  test('fitCurve: units of parameters, x and y', () => {
    const t = Array.from({ length: 50 }, (_, i) => i)
    const noise = [...new Generator(1).uniforms(50)].map((u) => u - 0.5)
    const fitIn = (x: number, y: number) =>
      fitCurve(
        (at: number, [a, tau]) => a * Math.exp(-at / tau),
        t.map((v) => v * x),
        t.map((v, i) => y * (5 * Math.exp(-v / 7) + 0.05 * noise[i])),
        { initial: [1 * y, 10 * x] },
      )
    const plain = fitIn(1, 1)
    expect(plain.rSquared).toBeGreaterThan(0.99)
    for (const [x, y] of [
      [1e-9, 1e12],
      [1e-9, 1e-9],
      [1e6, 1e-12],
    ]) {
      const { parameters, errors, converged, iterations } = fitIn(x, y)
      expect(converged).toBe(true)
      for (const [i, unit] of [y, x].entries()) {
        expect(parameters[i] / unit / plain.parameters[i]).toBeCloseTo(1, 6)
        expect(errors[i] / unit / plain.errors[i]).toBeCloseTo(1, 3)
      }
      expect(Math.abs(iterations - plain.iterations)).toBeLessThan(15)
    }
  })

  test('several variables, a Jacobian by hand', () => {
    const rows = [
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 1],
      [1, 3],
    ]
    const fit = fitCurve(
      (row: number[], [a, b]) => a * row[0] + b * row[1],
      rows,
      rows.map(([u, v]) => 2 * u - 3 * v),
      {
        initial: [0, 0],
        jacobian: (row) => row,
      },
    )
    expect([...fit.parameters].map((v) => +v.toFixed(9))).toEqual([2, -3])
    expect(fit.evaluations).toBeLessThan(30)
  })
})

describe('a function that throws on the way', () => {
  const residuals = ([a, b]: Float64Array) => [a - 1 + 0.1 * a * a, b - 2 + b * b, a * b]
  const slopes = ([a, b]: Float64Array) => [
    [1 + 0.2 * a, 0],
    [0, 1 + 2 * b],
    [b, a],
  ]
  const stopping = <A extends unknown[], T>(f: (...args: A) => T, calls: number) => {
    let count = 0
    return (...args: A) => {
      if (++count > calls) throw new Error('stop')
      return f(...args)
    }
  }

  test.each([
    ['levenbergMarquardt', levenbergMarquardt],
    ['gaussNewton', gaussNewton],
  ] as const)('%s answers with what belongs to the best point, or with NaN', (_name, solve) => {
    const known = new Set<boolean>()
    for (let calls = 3; calls < 40; calls++) {
      for (const jacobian of [undefined, slopes]) {
        const result = solve(stopping(residuals, calls), [5, 5], { jacobian })
        const r = residuals(result.x)
        const j = slopes(result.x)
        const column = (k: number) => r.reduce((sum, ri, i) => sum + ri * j[i][k], 0)
        expect([...result.residuals]).toEqual(r)
        expect(result.value).toBeCloseTo(0.5 * r.reduce((sum, ri) => sum + ri * ri, 0), 12)
        const isKnown = !Number.isNaN(result.gradient[0])
        known.add(isKnown)
        for (const k of [0, 1]) {
          if (isKnown) expect(Math.abs(result.gradient[k] - column(k))).toBeLessThan(1e-5 * (1 + Math.abs(column(k))))
          else expect(result.gradient[k]).toBeNaN()
          const square = j.reduce((sum, row) => sum + row[k] ** 2, 0)
          if (isKnown) expect(result.normalMatrix[3 * k] / square).toBeCloseTo(1, 5)
          else expect(result.normalMatrix[3 * k]).toBeNaN()
        }
      }
    }
    expect([...known].sort()).toEqual([false, true])
  })

  test('out of trials, or with a Jacobian that throws: an answer, not an error of the inside', () => {
    for (let calls = 1; calls < 8; calls++) {
      const result = levenbergMarquardt(residuals, [5, 5], { jacobian: stopping(slopes, calls), maxIterations: calls })
      expect(result).toMatchObject({ converged: false, reason: 'error' })
      expect([...result.residuals]).toEqual(residuals(result.x))
      expect(result.gradient).toEqual(Float64Array.of(Number.NaN, Number.NaN))
    }
  })

  test('fitCurve knows no errors then', () => {
    const model = (x: number, [a, b]: Float64Array) => a * Math.exp(-b * x)
    let unknown = 0
    for (let calls = 20; calls < 120; calls++) {
      const { reason, errors } = fitCurve(stopping(model, calls), [0, 1, 2, 3, 4], [2, 1.2, 0.75, 0.44, 0.3], { initial: [10, 3] })
      if (reason !== 'error') continue
      for (const error of errors) expect(error).not.toBe(0)
      if (Number.isNaN(errors[0])) unknown++
    }
    expect(unknown).toBeGreaterThan(0)
  })

  test('not finite at the start: no gradient', () => {
    const result = levenbergMarquardt(([a]) => [Math.log(a)], [-1])
    expect(result).toMatchObject({ reason: 'not-finite', converged: false })
    expect([...result.gradient, ...result.normalMatrix, ...result.residuals]).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })
})

describe('bounds', () => {
  /** Checks the conditions of a minimum within a box: x is inside, and the gradient has no free component. */
  function expectMinimum(x: ArrayLike<number>, gradient: ArrayLike<number>, lower: number[], upper: number[], tolerance: number) {
    for (let i = 0; i < lower.length; i++) {
      expect(x[i]).toBeGreaterThanOrEqual(lower[i])
      expect(x[i]).toBeLessThanOrEqual(upper[i])
      if (x[i] > lower[i]) expect(gradient[i]).toBeLessThanOrEqual(tolerance)
      if (x[i] < upper[i]) expect(gradient[i]).toBeGreaterThanOrEqual(-tolerance)
    }
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('linear least squares in a box, seed %i: the conditions of a minimum', (seed) => {
    const generator = new Generator(seed)
    const [m, n] = [14, 1 + seed]
    const a = Array.from({ length: m }, () => [...generator.uniforms(n)].map((u) => u - 0.5))
    const b = [...generator.uniforms(m)].map((u) => 3 * u - 1)
    const lower = [...generator.uniforms(n)].map((u) => -u)
    const upper = [...generator.uniforms(n)]
    for (const scaling of ['none', 'marquardt'] as const) {
      for (const jacobian of [undefined, () => a]) {
        const visited: number[][] = []
        const residuals = (x: Float64Array) => {
          visited.push([...x])
          return a.map((row, i) => row.reduce((sum, v, j) => sum + v * x[j], -b[i]))
        }
        const start = lower.map((l, i) => 0.3 * l + 0.7 * upper[i])
        const result = levenbergMarquardt(residuals, start, { lower, upper, scaling, jacobian })
        expect(result.converged, result.message).toBe(true)
        // At a bound a difference has one side only, and half of the digits.
        expectMinimum(result.x, result.gradient, lower, upper, jacobian ? 1e-7 : 1e-6)
        // The function is never asked about a point outside.
        for (const x of visited) expect(x.every((v, i) => v >= lower[i] && v <= upper[i])).toBe(true)
      }
    }
  })

  test('Rosenbrock with the minimum outside, at every side', () => {
    const rosenbrock = ([x, y]: Float64Array) => [1 - x, 10 * (y - x * x)]
    // On x = 0.5 the best y is 0.25; on y = 2 the best x solves a cubic; in the corner both bounds hold.
    expect([...levenbergMarquardt(rosenbrock, [-1.2, 1], { upper: [0.5, 5] }).x].map((v) => +v.toFixed(7))).toEqual([0.5, 0.25])
    const { x, gradient } = levenbergMarquardt(rosenbrock, [-1.2, 3], { lower: [Number.NEGATIVE_INFINITY, 2] })
    expect(x[1]).toBe(2)
    expect(Math.abs(gradient[0])).toBeLessThan(1e-8)
    expect(gradient[1]).toBeGreaterThan(0)
    expect([...levenbergMarquardt(rosenbrock, [-1.2, 0], { lower: -2, upper: [0.1, 0.005] }).x]).toEqual([0.1, 0.005])
    // Bounds that do not bind change nothing.
    const free = levenbergMarquardt(rosenbrock, [-1.2, 1])
    expect(levenbergMarquardt(rosenbrock, [-1.2, 1], { lower: -100, upper: 100 }).iterations).toBe(free.iterations)
  })

  test('fitCurve: a model that is undefined outside, a fixed parameter', () => {
    const t = Array.from({ length: 30 }, (_, i) => i / 10)
    const model = (v: number, [a, b, c]: number[] | Float64Array) => a * Math.log(b + v) + c * Math.sqrt(b)
    const y = t.map((v) => model(v, [2, 0.01, 3]))
    // the data are exact, so that their scatter is nothing but rounding
    const absoluteSigma = true
    const fit = fitCurve(model, t, y, { initial: [1, 2, 3], lower: [-10, 1e-3, 3], upper: [10, 5, 3], absoluteSigma })
    expect(fit.parameters[0]).toBeCloseTo(2, 6)
    expect(fit.parameters[1]).toBeCloseTo(0.01, 6)
    expect(fit.parameters[2]).toBe(3)
    expect(fit.errors[2]).toBe(0)
    // A fixed parameter is as if it were not there.
    const two = fitCurve((v: number, p) => model(v, [p[0], p[1], 3]), t, y, {
      initial: [1, 2],
      lower: [-10, 1e-3],
      upper: [10, 5],
      absoluteSigma,
    })
    for (let i = 0; i < 2; i++) expect(fit.covariance[i][i] / two.covariance[i][i]).toBeCloseTo(1, 3)
    const all = fitCurve(model, t, y, { initial: [1, 2, 3], lower: [1, 2, 3], upper: [1, 2, 3] })
    expect([...all.parameters]).toEqual([1, 2, 3])
    expect(all.converged).toBe(true)
  })

  test('bounds that make no sense are named', () => {
    const r = (x: Float64Array) => [x[0], x[1]]
    expect(() => levenbergMarquardt(r, [1, 2], { lower: [0] })).toThrow(/lower wants a number or 2 of them, got 1/)
    expect(() => levenbergMarquardt(r, [1, 2], { upper: 'x' as never })).toThrow(/upper wants a number or 2 of them/)
    expect(() => levenbergMarquardt(r, [1, 2], { lower: 3, upper: 2 })).toThrow(/bounds \[3, 2\] of parameter 0 leave nothing/)
    expect(() => levenbergMarquardt(r, [1, 2], { upper: [5, Number.NaN] })).toThrow(/of parameter 1 leave nothing/)
    expect(() => levenbergMarquardt(r, [1, 2], { lower: 1.5 })).toThrow(/parameter 0 starts at 1, outside of its bounds \[1.5, Infinity\]/)
    expect(() => gaussNewton(r, [1, 2], { lower: 0 })).toThrow(/knows no bounds/)
  })
})

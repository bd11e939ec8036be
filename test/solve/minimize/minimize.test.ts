/** minimize, least squares and curve fitting beside SciPy; and what happens with bad input. */
import { describe, expect, test } from 'vitest'
import {
  add,
  armijo,
  asObjective,
  automatic,
  beale,
  createBackend,
  crossEntropy,
  fitCurve,
  Generator,
  gaussNewton,
  levenbergMarquardt,
  type MinimizeMethod,
  matmul,
  minimize,
  monkeySaddle,
  mul,
  r2Score,
  rosenbrock,
  saddle,
  sin,
  square,
  strongWolfe,
  sub,
  sum,
  type Tensor,
  type TestFunction,
  tensor,
  testFunctions,
  zeros,
} from '../../../ts/index.js'
import { oracleCases } from '../../tools/optim-problems.js'
import { MGH, type ProblemOracle, solveOracles, sumOfSquares } from '../../tools/solve-problems.js'

const METHODS: MinimizeMethod[] = ['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg', 'gradient-descent']

/** Values at other stationary points that are as good an end as SciPy's. */
const OTHER_ENDS: Record<string, number[]> = { '2 Freudenstein-Roth': [0], '18 Biggs EXP6': [0.005655649925, 0] }
/** Where a method crawls, SciPy's too: only a decrease is asked for. */
const CRAWLS: Record<string, MinimizeMethod[]> = {
  '3 Powell badly scaled': ['cg', 'newton-cg', 'trust-ncg'],
  '10 Meyer': ['cg', 'newton-cg', 'trust-ncg'],
  '12 Box 3D': ['cg'],
  '17 Osborne 1': ['cg', 'trust-ncg'],
  '23 Penalty I': ['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg'],
}

function reaches(value: number, name: string, best: number): boolean {
  const near = (target: number) => value <= target + 1e-7 * Math.max(1, Math.abs(target)) + 1e-4 * Math.abs(target)
  return near(best) || (OTHER_ENDS[name] ?? []).some((end) => Math.abs(value - end) < 1e-6)
}

describe('Moré-Garbow-Hillstrom', () => {
  for (const [name, oracle] of Object.entries(solveOracles.mgh)) {
    const f = sumOfSquares(MGH[name])
    test(`${name}: the problem is SciPy's`, () => {
      const { value, gradient } = f(oracle.start)
      expect(Math.abs(value - oracle.value)).toBeLessThanOrEqual(1e-12 * Math.max(1, oracle.value))
      for (const [i, g] of oracle.gradient.entries())
        expect(Math.abs(gradient[i] - g)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(g)))
    })
    for (const method of METHODS.slice(0, 5)) {
      test(`${name}: ${method}`, () => {
        const result = minimize(f, oracle.start, { method, maxIterations: 5000 })
        expect(f(result.x).value).toBe(result.value)
        if (CRAWLS[name]?.includes(method)) expect(result.value).toBeLessThan(0.1 * oracle.value)
        else expect(reaches(result.value, name, oracle.least_squares.value), `${result.value}`).toBe(true)
        const scipy = oracle.methods[method]
        if (scipy.value !== undefined && reaches(scipy.value, name, result.value)) {
          expect(result.iterations).toBeLessThanOrEqual(
            2 * scipy.iterations! + 25 + (CRAWLS[name] ? 4000 : 0) + (method === 'cg' ? 2 * scipy.iterations! : 0),
          )
        }
      })
    }
    for (const scaling of ['none', 'marquardt'] as const) {
      test(`${name}: levenbergMarquardt, scaling ${scaling}`, () => {
        const result = levenbergMarquardt(residuals(name), oracle.start, { jacobian: (x) => MGH[name](x).map(([, row]) => row), scaling })
        expect(reaches(2 * result.value, name, oracle.least_squares.value), `${2 * result.value}`).toBe(true)
        expect(result.converged).toBe(true)
      })
    }
  }

  test('L-BFGS needs no more iterations than SciPy by 1.3 over all problems that both solve', () => {
    let [ours, theirs] = [0, 0]
    for (const [name, oracle] of Object.entries(solveOracles.mgh)) {
      const result = minimize(sumOfSquares(MGH[name]), oracle.start, { maxIterations: 5000 })
      const scipy = oracle.methods.lbfgs
      if (Math.abs(result.value - scipy.value!) > 1e-6 * Math.max(1, result.value)) continue
      ours += result.iterations
      theirs += scipy.iterations!
    }
    expect(ours).toBeLessThanOrEqual(1.3 * theirs)
  })
})

const residuals = (name: string) => (x: Float64Array) => MGH[name](x).map(([r]) => r)

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
        const result = minimize(asObjective(f), f.start, { method, maxIterations: 20000, tolerance: 1e-7 })
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

describe('minimize', () => {
  test('without a gradient it takes differences', () => {
    for (const method of METHODS.slice(0, 5)) {
      const { x, evaluations } = minimize((v) => rosenbrock.value(v), [-1.2, 1], { method, tolerance: 1e-6, maxIterations: 5000 })
      expect(Math.hypot(x[0] - 1, x[1] - 1)).toBeLessThan(1e-4)
      expect(evaluations).toBeGreaterThan(50)
    }
  })

  test('gradient and hessianProduct may be separate functions', () => {
    const hessianProduct = ([x, y]: Float64Array, [a, b]: Float64Array) => [
      (2 + 1200 * x * x - 400 * y) * a - 400 * x * b,
      -400 * x * a + 200 * b,
    ]
    for (const method of ['newton-cg', 'trust-ncg'] as const) {
      const result = minimize(rosenbrock.value, [-1.2, 1], { method, gradient: rosenbrock.gradient, hessianProduct, tolerance: 1e-9 })
      expect(Math.hypot(result.x[0] - 1, result.x[1] - 1)).toBeLessThan(1e-8)
    }
  })

  test('functions of tensors are differentiated in double precision, with exact Hessian products', () => {
    const f = (x: ReturnType<typeof tensor>) => sum(square(sub(x, [1, 2, 3])))
    for (const method of METHODS)
      expect([...minimize(f, tensor([0, 0, 0]), { method, tolerance: 1e-12 }).x].map((v) => +v.toFixed(9))).toEqual([1, 2, 3])
    const { evaluate, hessianProduct } = automatic((x) => sum(mul(x, sin(x))), [2])
    const x = Float64Array.of(0.3, -1.2)
    const { value, gradient } = evaluate(x)
    expect(value).toBeCloseTo(0.3 * Math.sin(0.3) + 1.2 * Math.sin(1.2), 14)
    expect(gradient[1]).toBeCloseTo(Math.sin(-1.2) - 1.2 * Math.cos(-1.2), 14)
    expect(hessianProduct(x, Float64Array.of(0, 1))[1]).toBeCloseTo(2 * Math.cos(-1.2) + 1.2 * Math.sin(-1.2), 14)
  })

  test('softmax regression by automatic differentiation: within 1.3 times the iterations of SciPy', () => {
    const { X, scale, y, inputs, classes, decay, value, iterations } = solveOracles.softmax
    const backend = createBackend({ backend: 'js', dtype: 'float64' })
    // The bias is a column of ones, which does not decay.
    const rows = y.map((_, r) => [...X.slice(r * inputs, (r + 1) * inputs).map((v) => v / scale), 1])
    const x = tensor(rows, { backend })
    const mask = tensor(
      Array.from({ length: inputs + 1 }, (_, i) => [i < inputs ? 1 : 0]),
      { backend },
    )
    const target = tensor(Int32Array.from(y), { backend })
    const loss = (w: Tensor) => add(crossEntropy(matmul(x, w), target), mul(decay / 2, sum(square(mul(mask, w)))))
    const result = minimize(loss, zeros([inputs + 1, classes], { backend }))
    expect(result.reason).toBe('gradient')
    expect(Math.abs(result.value - value)).toBeLessThan(1e-6)
    expect(result.iterations).toBeLessThanOrEqual(1.3 * iterations)
  })

  test('every formula of cg, and the strict one is followed to the end', () => {
    for (const conjugate of ['PR+', 'FR', 'HS', 'HZ'] as const) {
      const { x, converged } = minimize(asObjective(beale), beale.start, { method: 'cg', conjugate, tolerance: 1e-8 })
      expect(converged).toBe(true)
      expect(Math.hypot(x[0] - 3, x[1] - 0.5)).toBeLessThan(1e-6)
    }
  })

  test('limits, callback and counts', () => {
    const f = asObjective(rosenbrock)
    expect(minimize(f, [-1.2, 1], { maxIterations: 5 })).toMatchObject({ reason: 'iterations', iterations: 5, converged: false })
    expect(minimize(f, [-1.2, 1], { maxEvaluations: 7 }).reason).toBe('iterations')
    const seen: number[] = []
    const result = minimize(f, [-1.2, 1], { callback: ({ iteration, value }) => seen.push(value) > 0 && iteration < 4 })
    expect(result).toMatchObject({ reason: 'callback', iterations: 4 })
    expect(seen).toHaveLength(4)
    expect(result.value).toBe(Math.min(...seen))
    let calls = 0
    const count = (x: Float64Array) => {
      calls++
      return f(x)
    }
    const counted = minimize(count, [-1.2, 1])
    expect(counted.evaluations).toBe(calls)
  })

  test('the start is left alone', () => {
    const start = Float64Array.of(-1.2, 1)
    minimize(asObjective(rosenbrock), start)
    expect([...start]).toEqual([-1.2, 1])
  })
})

describe('bad input', () => {
  const f = asObjective(rosenbrock)

  test('wrong options say what is right', () => {
    // @ts-expect-error no such method
    expect(() => minimize(f, [0, 0], { method: 'simplex' })).toThrow(/method wants 'lbfgs'.*got 'simplex'/)
    // @ts-expect-error no such option
    expect(() => minimize(f, [0, 0], { tolerence: 1 })).toThrow(/did you mean tolerance/)
    expect(() => minimize(f, [])).toThrow(/the start has no numbers/)
    expect(() => minimize(f, [0, 0], { historySize: 0 })).toThrow(/historySize wants/)
    expect(() => minimize(() => ({ value: 1, gradient: [1] }), [0, 0])).toThrow(/gradient wants 2 numbers, got 1/)
    expect(() => minimize((() => 'x') as never, [0, 0])).toThrow(/wants to return a number/)
    expect(() => levenbergMarquardt(() => [], [1])).toThrow(/at least one residual/)
    expect(() => levenbergMarquardt((x) => [x[0]], [1], { jacobian: () => [1, 2] })).toThrow(/Jacobian wants 1·1 numbers, got 2/)
    expect(() => fitCurve((x: number) => x, [1, 2], [1], { initial: [1] })).toThrow(/2 values of x and 1 of y/)
    expect(() => fitCurve((x: number) => x, [1], [1], { initial: [1, 2] })).toThrow(/cannot tell 2 parameters/)
    expect(() => fitCurve((x: number) => x, [1, 2], [1, 2], { initial: [1], sigma: 0 })).toThrow(/sigma wants/)
  })

  test('what is no function, no start, no answer is named', () => {
    const any = (value: unknown) => value as never
    const f = ([x]: Float64Array) => x * x
    expect(() => minimize(any(3), [1])).toThrow(/wants a function, got 3/)
    expect(() => minimize(f, any(3))).toThrow(/start wants an array of numbers, got 3/)
    expect(() => minimize(f, any([[1, 2]]))).toThrow(/start wants numbers, element 0 is an array/)
    expect(() => minimize(f, any(['a']))).toThrow(/element 0 is 'a'/)
    expect(() => minimize(f, [1], any(null))).toThrow(/options wants an object, got null/)
    expect(() =>
      minimize(
        any(async () => 1),
        [1],
      ),
    ).toThrow(/must not be async/)
    expect(() =>
      minimize(
        any(() => ({ gradient: [1] })),
        [1],
      ),
    ).toThrow(/got an object with gradient/)
    expect(() =>
      minimize(
        any(() => tensor([1])),
        [1],
      ),
    ).toThrow(/give the start as a tensor/)
    expect(() => levenbergMarquardt(any(undefined), [1])).toThrow(/residuals want a function/)
    expect(() => levenbergMarquardt(any(f), [1])).toThrow(/residuals as an array of numbers, got 1/)
    expect(() =>
      levenbergMarquardt(
        any(() => tensor([1])),
        [1],
      ),
    ).toThrow(/give the start as a tensor/)
    const line = (x: number, [a]: Float64Array) => a * x
    expect(() => fitCurve(line, [1, 2], [1, 2], any(undefined))).toThrow(/options wants an object/)
    expect(() => fitCurve(line, [1, 2], [1, Number.NaN], { initial: [1] })).toThrow(/y\[1\] is NaN/)
    expect(() => fitCurve(line, [1, Infinity], [1, 2], { initial: [1] })).toThrow(/x\[1\] is Infinity/)
    expect(() => fitCurve(line, [1, 2], any(['1', '2']), { initial: [1] })).toThrow(/y wants numbers, element 0 is '1'/)
    expect(() =>
      fitCurve(
        any(() => undefined),
        [1, 2],
        [1, 2],
        { initial: [1] },
      ),
    ).toThrow(/model wants to return a number, got undefined/)
  })

  test('a Jacobian of the wrong sign ends in line-search, at the start; one that is right does not', () => {
    const r = ([x, y]: Float64Array) => [x - 1, y + x * x]
    const wrong = levenbergMarquardt(r, [5, 3], { jacobian: ([x]) => [-1, 0, -2 * x, -1] })
    expect(wrong).toMatchObject({ reason: 'line-search', converged: false })
    expect([...wrong.x]).toEqual([5, 3])
    // A minimum that is not zero, to the end of precision: refused steps there are no reason for alarm.
    const nothing = { tolerance: 0, valueTolerance: 0 }
    expect(levenbergMarquardt(([x]) => [x - 1, x + 1, Math.sin(x)], [0.7], nothing)).toMatchObject({ reason: 'step', converged: true })
  })

  test('residuals that are not finite at the start are shown, and no gradient is made up', () => {
    const { residuals, gradient, reason } = levenbergMarquardt(([x]) => [x, Number.NaN], [5])
    expect(reason).toBe('not-finite')
    expect([...residuals]).toEqual([5, Number.NaN])
    expect([...gradient]).toEqual([Number.NaN])
  })

  test('what the function throws at the start is thrown', () => {
    const broken = () => {
      throw new Error('no data')
    }
    expect(() => minimize(broken, [0, 0])).toThrow('no data')
    expect(() => levenbergMarquardt(broken, [0, 0])).toThrow('no data')
  })

  test('a function that throws later: reason error, the best point', () => {
    for (const method of METHODS) {
      let calls = 0
      let best = Number.POSITIVE_INFINITY
      const failure = new Error('connection lost')
      const result = minimize(
        (x) => {
          if (++calls > 12) throw failure
          const at = f(x)
          best = Math.min(best, at.value)
          return at
        },
        [-1.2, 1],
        { method, hessianProduct: (_x, v) => v },
      )
      expect(result).toMatchObject({ reason: 'error', converged: false, error: failure, value: best })
      expect(result.message).toMatch(/connection lost/)
      expect(rosenbrock.value(result.x)).toBe(best)
    }
    let calls = 0
    const lm = levenbergMarquardt(
      ([x, y]) => {
        if (++calls > 15) throw new Error('late')
        return [1 - x, 10 * (y - x * x)]
      },
      [-1.2, 1],
    )
    expect(lm).toMatchObject({ reason: 'error', converged: false })
    expect(lm.value).toBeLessThan(12.1)
  })

  test('NaN and infinity in a line search are points too far out', () => {
    // log-barrier: not a number beyond 1 and below 0
    const barrier = (x: Float64Array) => ({ value: -Math.log(x[0]) - 5 * Math.log(1 - x[0]), gradient: [-1 / x[0] + 5 / (1 - x[0])] })
    for (const method of METHODS) {
      const result = minimize(barrier, [1e-3], { method, tolerance: 1e-7 })
      expect(result.x[0]).toBeCloseTo(1 / 6, 6)
      expect(result.converged).toBe(true)
    }
    const cliff = (x: Float64Array) =>
      x[0] > 2 ? { value: Number.NaN, gradient: [Number.NaN] } : { value: (x[0] - 1.9) ** 2, gradient: [2 * (x[0] - 1.9)] }
    for (const method of METHODS) expect(minimize(cliff, [-50], { method }).x[0]).toBeCloseTo(1.9, 4)
    const lm = levenbergMarquardt(([x]) => [Math.log(x), Math.sqrt(3 - x) - 1.2], [2.9])
    expect(lm.converged).toBe(true)
    expect(Number.isFinite(lm.value)).toBe(true)
  })

  test('not finite at the start', () => {
    for (const method of METHODS) {
      expect(minimize(() => ({ value: Number.NaN, gradient: [0] }), [1], { method })).toMatchObject({
        reason: 'not-finite',
        iterations: 0,
        converged: false,
      })
      expect(minimize(() => ({ value: 1, gradient: [Number.NaN] }), [1], { method }).reason).toBe('not-finite')
    }
    expect(levenbergMarquardt(() => [Number.NaN], [1]).reason).toBe('not-finite')
    expect(levenbergMarquardt(() => [1], [1], { jacobian: () => [Number.NaN] }).reason).toBe('not-finite')
  })

  test('a wrong gradient ends in line-search, at the best point', () => {
    for (const method of METHODS) {
      const result = minimize((x) => ({ value: x[0] ** 2 + x[1] ** 2, gradient: [-2 * x[0], -2 * x[1]] }), [1, 1], {
        method,
        hessianProduct: (_x, v) => v,
      })
      expect(result).toMatchObject({ reason: 'line-search', converged: false, value: 2 })
      expect([...result.x]).toEqual([1, 1])
    }
  })

  test('a Hessian product that makes directions ascend or NaN falls back on −g', () => {
    for (const wrong of [() => [Number.NaN, Number.NaN], (_x: Float64Array, v: Float64Array) => v.map((a) => -a), () => [0, 0]]) {
      const result = minimize(asObjective(beale), [1, 0.2], { method: 'newton-cg', hessianProduct: wrong, maxIterations: 5000 })
      expect(result.value).toBeLessThan(1e-8)
    }
  })

  test('a function that falls without bound', () => {
    const result = minimize((x) => ({ value: -Math.exp(x[0]), gradient: [-Math.exp(x[0])] }), [1])
    expect(result.converged).toBe(false)
    expect(result.reason).toBe('not-finite')
  })

  test('a ramp has no minimum where its steps are lost in the rounding of its values', () => {
    const ramps = [
      (x: Float64Array) => -x[0],
      (x: Float64Array) => ({ value: -1e3 * x[0], gradient: [-1e3] }),
      (x: Float64Array) => ({ value: x[0] ** 2 - 1e10 * x[0] ** 2 + 5, gradient: [-2 * (1e10 - 1) * x[0]] }),
    ]
    for (const method of METHODS) {
      for (const ramp of ramps) expect(minimize(ramp, [1], { method })).toMatchObject({ converged: false })
    }
    for (const ramp of ramps) expect(minimize(ramp, [1], { lower: 0 })).toMatchObject({ reason: 'not-finite', converged: false })
    const steep = minimize((x) => ({ value: 1e22 * ((x[0] - 1) ** 2 - 1), gradient: [2e22 * (x[0] - 1)] }), [0])
    expect(steep).toMatchObject({ converged: true, x: Float64Array.of(1) })
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
        ...{ tolerance: 0, stepTolerance: 0, valueTolerance: 0 },
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
  /** Inside, and no free component of the gradient is left: what a minimum within a box is. */
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
    // What is fixed is as if it were not there.
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

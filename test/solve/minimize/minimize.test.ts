/** minimize compared with SciPy, and with bad input, which the functions of least squares get, too. */
import { describe, expect, test } from 'vitest'
import { add, createBackend, crossEntropy, matmul, mul, sin, square, sub, sum, type Tensor, tensor, zeros } from '../../../ts/index.js'
import {
  asObjective,
  automatic,
  beale,
  fitCurve,
  levenbergMarquardt,
  type MinimizeMethod,
  minimize,
  rosenbrock,
} from '../../../ts/solve/index.js'
import { MGH, solveOracles, sumOfSquares } from '../../tools/solve-problems.js'

const METHODS: MinimizeMethod[] = ['lbfgs', 'bfgs', 'cg', 'newton-cg', 'trust-ncg', 'gradient-descent']

/** Values at other stationary points that are as good an end as SciPy's. */
const OTHER_ENDS: Record<string, number[]> = { '2 Freudenstein-Roth': [0], '18 Biggs EXP6': [0.005655649925, 0] }
/** Problems on which a method is very slow, also SciPy's: the test requires only a decrease. */
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

describe('minimize', () => {
  test('without a gradient it takes differences', () => {
    for (const method of METHODS.slice(0, 5)) {
      const { x, evaluations } = minimize((v) => rosenbrock.value(v), [-1.2, 1], { method, gradientTolerance: 1e-6, maxIterations: 5000 })
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
      const result = minimize(rosenbrock.value, [-1.2, 1], {
        method,
        gradient: rosenbrock.gradient,
        hessianProduct,
        gradientTolerance: 1e-9,
      })
      expect(Math.hypot(result.x[0] - 1, result.x[1] - 1)).toBeLessThan(1e-8)
    }
  })

  test('functions of tensors are differentiated in double precision, with exact Hessian products', () => {
    const f = (x: ReturnType<typeof tensor>) => sum(square(sub(x, [1, 2, 3])))
    for (const method of METHODS)
      expect([...minimize(f, tensor([0, 0, 0]), { method, gradientTolerance: 1e-12 }).x].map((v) => +v.toFixed(9))).toEqual([1, 2, 3])
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
      const { x, converged } = minimize(asObjective(beale), beale.start, { method: 'cg', conjugate, gradientTolerance: 1e-8 })
      expect(converged).toBe(true)
      expect(Math.hypot(x[0] - 3, x[1] - 0.5)).toBeLessThan(1e-6)
    }
  })

  test('limits, callback and counts', () => {
    const f = asObjective(rosenbrock)
    expect(minimize(f, [-1.2, 1], { maxIterations: 5 })).toMatchObject({ reason: 'iterations', iterations: 5, converged: false })
    expect(minimize(f, [-1.2, 1], { maxEvaluations: 7 }).reason).toBe('iterations')
    const seen: number[] = []
    const result = minimize(f, [-1.2, 1], { onIteration: ({ iteration, value }) => seen.push(value) > 0 && iteration < 4 })
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
    expect(() => minimize(f, [0, 0], { gradientTolerence: 1 })).toThrow(/did you mean gradientTolerance/)
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
    expect(() => minimize(f, [1], any(null))).toThrow(/minimize: wants options as an object, .*got null/)
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
    expect(() => fitCurve(line, [1, 2], [1, 2], any(undefined))).toThrow(/fitCurve: wants options as an object/)
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
      const result = minimize(barrier, [1e-3], { method, gradientTolerance: 1e-7 })
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
})

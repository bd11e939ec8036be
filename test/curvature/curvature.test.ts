/** Higher derivatives: nested transformations, their effects on memory and recording, and the kinds of classic points. */
import { describe, expect, test } from 'vitest'
import { symmetricEigen } from '../../ts/common/symmetric-eigen.js'
import {
  conditionNumber,
  customGradient,
  gnvp,
  gnvpOf,
  grad,
  hessian,
  hvp,
  hvpOf,
  inspectPoint,
  jacobian,
  jvp,
  largestEigenvalues,
  valueAndGrad,
  valueAndGradOf,
  vjp,
  withGaussNewton,
  withHessian,
} from '../../ts/curvature/index.js'
import { lanczos } from '../../ts/curvature/lanczos.js'
import {
  abs,
  add,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  dropout,
  exp,
  Generator,
  gradients,
  log,
  mean,
  mse,
  mul,
  NonFiniteError,
  neg,
  noGrad,
  Parameter,
  relu,
  Sequential,
  SGD,
  ShapeError,
  sigmoid,
  sin,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  tanh,
  tensor,
} from '../../ts/index.js'
import { cases } from '../tools/nightly.js'
import { newBackends } from '../tools/small-nets.js'

const double = createBackend({ backend: 'js', dtype: 'float64' })
const backends = [double, ...newBackends()]
const data = (values: Parameters<typeof tensor>[0], backend = double) => tensor(values, { backend })
/** Number of products after which the memory must have the same size as after ten. */
const PRODUCTS = cases(10_000)
const cube = (x: TensorLike) => mul(x, square(x))
const at = (x: Tensor, i: number) => sum(slice(x, i, i + 1))

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(wanted[i]))
    if (!(Math.abs(got[i] - wanted[i]) <= allowed)) throw new Error(`element ${i} is ${got[i]}, wants ${wanted[i]} ± ${allowed}`)
  }
}

/** A net with several kinds of activations, and a batch for it. */
function problem(backend = double) {
  const layers = [new Dense(3, 5, { activation: 'tanh' }), new Dense(5, 4, { activation: 'gelu' }), new Dense(4, 2)]
  const model = new Sequential(layers, { seed: 3, backend })
  const x = tensor(
    Float64Array.from(new Generator(4).uniforms(18), (u) => u - 0.5),
    [6, 3],
    { backend },
  )
  const labels = Int32Array.of(0, 1, 1, 0, 1, 0)
  const size = model.parameters().reduce((n, p) => n + p.size, 0)
  const output = () => model.forward(x)
  const loss = (y: Tensor) => crossEntropy(y, labels)
  return { model, x, labels, size, output, loss, run: () => loss(output()) }
}

const flat = (parts: readonly Tensor[]) => parts.flatMap((p) => Array.from(p.data()))
const vectorsFor = (model: Sequential) =>
  model.parameters().map((p, i) =>
    tensor(
      Float64Array.from(new Generator(i).uniforms(p.size), (u) => u - 0.5),
      p.shape,
      { backend: p.backend },
    ),
  )

describe('examples of the documentation', () => {
  test('functions of tensors', () => {
    const { value, gradient, gradients: all } = valueAndGrad((x) => sum(square(x)))([1, 2])
    expect([value, gradient.toArray(), all.length]).toEqual([5, [2, 4], 1])
    expect(valueAndGrad((a, b) => sum(mul(a, b)))([1, 2], [3, 4]).gradients.map((g) => g.toArray())).toEqual([
      [3, 4],
      [1, 2],
    ])
    expect(grad((x) => grad((x) => cube(x))(x))(2).item()).toBe(12)
    expect(
      vjp((x) => square(x))([1, 2, 3])
        .pullback([1, 0, 1])
        .toArray(),
    ).toEqual([2, 0, 6])
    expect(jvp((x) => square(x))([1, 2, 3], [1, 0, 1]).tangent.toArray()).toEqual([2, 0, 6])
    expect(hvp((x) => sum(cube(x)))([1, 2], [1, 1]).toArray()).toEqual([6, 12])
    expect(hessian((x) => sum(cube(x)))([1, 2]).toArray()).toEqual([
      [6, 0],
      [0, 12],
    ])
    expect(jacobian((x) => mul(x, x))([1, 2, 3]).toArray()).toEqual([
      [2, 0, 0],
      [0, 4, 0],
      [0, 0, 6],
    ])
    expect(
      gnvp(
        (x) => square(x),
        (y) => sum(square(y)),
      )([1, 2], [1, 1]).toArray(),
    ).toEqual([8, 32])
  })

  test('models and points', () => {
    const model = new Sequential([new Dense(2, 1)], { seed: 1 })
    const run = () => mse(model.forward([[1, 2]]), [[3]])
    expect(valueAndGradOf(run, model).gradients.map((g) => g.shape)).toEqual([[2, 1], [1]])
    expect(hvpOf(run, model, [[[1], [0]], [0]]).map((t) => t.toArray())).toEqual([[[2], [4]], [2]])
    expect(
      gnvpOf(
        () => model.forward([[1, 2]]),
        (y) => mse(y, [[3]]),
        model,
        [[[1], [0]], [0]],
      ).map((t) => t.toArray()),
    ).toEqual([[[2], [4]], [2]])
    const w = new Parameter([1, 2])
    expect(
      Array.from(
        withHessian(
          () => sum(cube(w)),
          [w],
          (point) => point.product([1, 1]),
        ),
      ),
    ).toEqual([6, 12])
    expect(
      Array.from(
        withGaussNewton(
          () => square(w),
          (y) => sum(square(y)),
          [w],
          (point) => point.product([1, 1]),
        ),
      ),
    ).toEqual([8, 32])
    expect(conditionNumber((x) => sum(mul([1, 100], square(x))), [0, 0])).toBe(100)
    const { largest, smallest } = largestEigenvalues((x) => sum(mul([1, 5, -3], square(x))), [0, 0, 0])
    expectClose([largest[0], smallest[0]], [10, -6], 1e-12)
    const round = customGradient(
      (x) => tensor(x.data().map(Math.round), x.shape),
      (g) => g,
    )
    expect(grad((x) => sum(mul(round(x), 3)))([1.2, 2.7]).toArray()).toEqual([3, 3])
    expect(inspectPoint((x) => sum(mul([1, -1], square(x))), [0, 0]).explanation).toBe(
      'A saddle: the gradient vanishes, the function curves up in 1 direction (λ to 2) and down in 1 (λ to -2).',
    )
  })
})

describe('a net against central differences of gradients, float64', () => {
  const { model, size, output, loss, run } = problem()
  const parameters = model.parameters()
  const vectors = vectorsFor(model)
  const v = flat(vectors)
  const start = model.state()
  /** d/dt of fn at parameters + t·v */
  const slope = (fn: () => number[], h = 1e-5): number[] => {
    const moved = (t: number) => {
      parameters.forEach((p, i) => p.assign(start[p.name].map((value, j) => value + t * vectors[i].data()[j])))
      const result = fn()
      model.loadState(start)
      return result
    }
    const [a, b] = [moved(h), moved(-h)]
    return a.map((value, i) => (value - b[i]) / (2 * h))
  }

  test('hvpOf, withHessian', () => {
    const wanted = slope(() => flat(valueAndGradOf(run, model).gradients))
    expectClose(flat(hvpOf(run, model, vectors)), wanted, 1e-8)
    withHessian(run, parameters, (point) => {
      expect(point.size).toBe(size)
      expectClose(point.product(v), wanted, 1e-8)
      expectClose(point.gradient, flat(valueAndGradOf(run, model).gradients), 1e-15)
      expect(point.value).toBeCloseTo(run().item(), 14)
      expectClose(point.derivatives(v, 2), [...slope(() => [run().item()]), wanted.reduce((n, h, i) => n + h * v[i], 0)], 1e-8)
    })
  })

  test('the third derivative is the difference of the second', () => {
    const wanted = slope(() => [withHessian(run, model, (point) => point.derivatives(v, 2)[1])], 1e-4)
    expectClose([withHessian(run, model, (point) => point.derivatives(v, 3)[2])], wanted, 1e-6)
  })

  test('gnvpOf, withGaussNewton: Jᵀ·H·J·v from the full matrices', () => {
    const p = output().keep()
    const jv = slope(() => Array.from(output().data()))
    const H = hessian((y) => loss(y))(p)
    const curved = Array.from({ length: p.size }, (_, i) => jv.reduce((n, value, j) => n + H.data()[i * p.size + j] * value, 0))
    const wanted = flat(gradients(output(), parameters, { seed: tensor(curved, p.shape, { backend: double }) }))
    expectClose(flat(gnvpOf(output, loss, model, vectors)), wanted, 1e-7)
    withGaussNewton(output, loss, model, (point) => {
      expectClose(point.product(v), wanted, 1e-7)
      expectClose(point.gradient, flat(valueAndGradOf(run, model).gradients), 1e-13)
      expect(point.value).toBeCloseTo(run().item(), 14)
    })
  })

  test('the Hessian is symmetric, and Lanczos finds both ends of its spectrum', () => {
    withHessian(run, model, ({ product }) => {
      const unit = (i: number) => Float64Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))
      const H = Float64Array.from(Array.from({ length: size }, (_, i) => Array.from(product(unit(i)))).flat())
      for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) expect(Math.abs(H[i * size + j] - H[j * size + i])).toBeLessThan(1e-14)
      const { values } = symmetricEigen(H, size)
      const { largest, smallest, converged } = largestEigenvalues(run, model, { k: 4 })
      expect(converged).toBe(true)
      expectClose(largest, values.slice(-4).reverse(), 1e-9)
      expectClose(smallest, values.slice(0, 4), 1e-9)
    })
  })

  test('dropout: one mask for a whole product', () => {
    const f = (x: Tensor) => sum(square(cube(dropout(x, 0.4, new Generator(3)))))
    const x = data(Float64Array.from(new Generator(5).uniforms(20)))
    const [up, down] = [1e-5, -1e-5].map((h) => grad(f)(add(x, h)).data())
    expectClose(
      hvp(f)(x, x.data().fill(1)).data(),
      up.map((value, i) => (value - down[i]) / 2e-5),
      1e-7,
    )
    const net = new Sequential([new Dense(3, 8), new Dropout(0.5), new Dense(8, 1)], { seed: 2, backend: double })
    net.train()
    withHessian(
      () => mean(square(net.forward([[1, 2, 3]]))),
      net,
      ({ product, size: n }) => {
        const once = Array.from(product(new Float64Array(n).fill(1)))
        expect(Array.from(product(new Float64Array(n).fill(1)))).toEqual(once)
      },
    )
  })
})

describe.each(backends)('nesting, $variant $dtype', (backend) => {
  const leaf = (values: Parameters<typeof tensor>[0]) => data(values, backend)
  const digits = backend.dtype === 'float64' ? 10 : 2

  test('derivatives of exp(2x)·sin(x) to order 5', () => {
    const [r, phi] = [Math.sqrt(5), Math.atan2(1, 2)]
    let f = (x: Tensor): Tensor => sum(mul(exp(mul(2, x)), sin(x)))
    for (let order = 1; order <= 5; order++) {
      expect(grad(f)(leaf([0.3])).item()).toBeCloseTo(r ** order * Math.exp(0.6) * Math.sin(0.3 + order * phi), digits)
      const inner = f
      f = (x) => sum(grad(inner)(x))
    }
  })

  test('the derivative by an argument only, also if the function uses the same tensor from outside', () => {
    expect(grad((x) => mul(x, grad((y) => mul(x, y))(x)))(leaf(3)).item()).toBe(6)
    expect(grad((x) => sum(grad((y) => mul(x, square(y)))(leaf(3))))(leaf(5)).item()).toBe(6)
  })

  test('every transformation inside every other one', () => {
    const x = leaf([0.5, -1])
    const inside: ((x: Tensor) => Tensor)[] = [
      (x) => grad((z) => sum(cube(z)))(x),
      (x) => vjp((z) => mul(z, cube(z)))(x).pullback(mul(x, 0.5)),
      (x) => jvp((z) => sin(z))(x, x).tangent,
      (x) => hvp((z) => sum(square(cube(z))))(x, x),
      (x) =>
        gnvp(
          (z) => cube(z),
          (y) => sum(cube(y)),
        )(x, x),
      (x) => hessian((z) => sum(exp(z)))(x),
      (x) => jacobian((z) => softmax(mul(z, z)))(x),
      (x) => jacobian((z) => softmax(mul(z, z)), { mode: 'forward' })(x),
      (x) => valueAndGrad((a, b) => sum(mul(square(a), cube(b))))(x, sin(x)).gradients[1],
    ]
    const h = backend.dtype === 'float64' ? 1e-6 : 1e-2
    inside.forEach((f) => {
      const J = jacobian(f)(x).data()
      const differences = [0, 1].map((j) => {
        const moved = (t: number) => f(add(x, leaf([0, 1].map((i) => (i === j ? t : 0))))).data()
        const [a, b] = [moved(h), moved(-h)]
        return a.map((value, i) => (value - b[i]) / (2 * h))
      })
      const wanted = Array.from({ length: J.length }, (_, i) => differences[i % 2][i >> 1])
      expectClose(J, wanted, backend.dtype === 'float64' ? 1e-7 : 0.03)
      expectClose(jacobian(f, { mode: 'forward' })(x).data(), J, backend.dtype === 'float64' ? 1e-14 : 1e-4)
    })
  })

  test('a gradient penalty on a model: the loss contains its own gradient', () => {
    const w = new Parameter([1, 2], { backend })
    const penalty = () => sum(square(valueAndGradOf(() => sum(cube(w)), [w]).gradients[0])) // Σ 9w⁴
    expect(valueAndGradOf(penalty, [w]).gradients[0].toArray()).toEqual([36, 288])
  })

  test('recording is on inside, whatever it is outside, and off again after', () => {
    noGrad(() => {
      expect(hvp((x) => sum(cube(x)))(leaf([1, 2]), [1, 1]).toArray()).toEqual([6, 12])
      expect(square(new Parameter([1], { backend })).requiresGrad).toBe(false)
    })
  })

  test('zeros where nothing depends on x, or only linearly', () => {
    const [x, v] = [leaf([1, 2]), leaf([1, 1])]
    const constant = () => sum(leaf([3]))
    expect(grad(constant)(x).toArray()).toEqual([0, 0])
    expect(hvp(constant)(x, v).toArray()).toEqual([0, 0])
    expect(hvp((x) => sum(x))(x, v).toArray()).toEqual([0, 0])
    expect(hvp((x) => at(x, 0))(x, v).toArray()).toEqual([0, 0])
    expect(hessian((x) => sum(relu(x)))(x).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(jvp(constant)(x, v).tangent.toArray()).toBe(0)
    expect(vjp(constant)(x).pullback(1).toArray()).toEqual([0, 0])
    expect(gnvp(constant, (y) => square(y))(x, v).toArray()).toEqual([0, 0])
    expect(
      gnvp(
        (x) => x,
        () => constant(),
      )(x, v).toArray(),
    ).toEqual([0, 0])
    expect(jvp((x) => x)(x, v).tangent.toArray()).toEqual([1, 1])
    expect(jacobian((x) => x)(x).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
    const [w, unused] = [new Parameter([1, 2], { backend }), new Parameter([7], { backend })]
    expect(hvpOf(() => sum(cube(w)), [w, unused], [[1, 1], [1]]).map((t) => t.toArray())).toEqual([[6, 12], [0]])
    expect(hvpOf(() => sum(leaf([3])), [w, unused], [[1, 1], [1]]).map((t) => t.toArray())).toEqual([[0, 0], [0]])
  })

  test('jacobian chooses forward for tall functions and reverse for wide ones; f runs once', () => {
    let runs = 0
    const tall = jacobian((x) => {
      runs++
      return mul(x, leaf(new Float64Array(50).fill(2)))
    })(leaf([1]))
    expect([runs, tall.shape, tall.data()[49]]).toEqual([1, [50, 1], 2])
    expect(jacobian((x) => sum(square(x), 0, true))(leaf([1, 2, 3])).toArray()).toEqual([[2, 4, 6]])
    expect(jacobian((x) => square(x))(leaf([])).shape).toEqual([0, 0])
    expect(() => jacobian((x) => x, { mode: 'both' as never })).toThrow(/'forward', 'reverse' or 'auto', got 'both'/)
  })
})

describe('customGradient', () => {
  const logOnePlusExp = customGradient(
    (x) => log(add(1, exp(x))),
    (g, [x]) => mul(g, sigmoid(x)),
  )

  test('its own vjp, differentiable again, in every mode', () => {
    const x = data([-1, 0.5, 3])
    const s = x.data().map((value) => 1 / (1 + Math.exp(-value)))
    expectClose(grad((x) => sum(logOnePlusExp(x)))(x).data(), s, 1e-15)
    expectClose(
      hvp((x) => sum(logOnePlusExp(x)))(x, [1, 1, 1]).data(),
      s.map((p) => p * (1 - p)),
      1e-15,
    )
    expectClose(jvp((x) => logOnePlusExp(x))(x, [1, 1, 1]).tangent.data(), s, 1e-15)
    const third = grad((x) => sum(grad((x) => sum(grad((x) => sum(logOnePlusExp(x)))(x)))(x)))(x)
    expectClose(
      third.data(),
      s.map((p) => p * (1 - p) * (1 - 2 * p)),
      1e-15,
    )
  })

  test('several inputs, null, the output; plain results outside of recording', () => {
    const product = customGradient(
      (a, b) => mul(a, b),
      (g, _inputs, y) => [mul(g, y), null],
    )
    const { gradients: found } = valueAndGrad((a, b) => sum(product(a, b)))(data([2, 3]), data([5, 7]))
    expect(found.map((g) => g.toArray())).toEqual([
      [10, 21],
      [0, 0],
    ])
    expect(product([2], [3]).toArray()).toEqual([6])
    const model = new Sequential([new Dense(2, 2)], { seed: 1, backend: double })
    const clipped = customGradient(
      (x) => x,
      (g) => mul(g, 0.5),
    )
    const gradientOf = (f: (y: Tensor) => Tensor) => flat(valueAndGradOf(() => sum(square(f(model.forward([[1, 2]])))), model).gradients)
    expectClose(
      gradientOf((y) => clipped(y)),
      gradientOf((y) => y).map((value) => value / 2),
      1e-15,
    )
  })

  test('wrong answers are named', () => {
    const use = (answer: unknown) => () =>
      grad((x) =>
        sum(
          customGradient(
            (x) => square(x),
            () => answer as Tensor,
          )(x),
        ),
      )(data([1, 2]))
    expect(use(data([1]))).toThrow('customGradient: gradient 0 has shape [1], its input [2]')
    expect(use([])).toThrow('customGradient: wants 1 gradients, one for each input, got 0')
    expect(use(undefined)).toThrow(ShapeError)
    expect(use([3])).toThrow('gradient 0 wants a tensor or null, got 3')
    expect(() =>
      customGradient(
        () => 3 as never,
        (g) => g,
      )([1]),
    ).toThrow(TypeError)
  })
})

describe('classic points', () => {
  const X = (x: Tensor) => at(x, 0)
  const Y = (x: Tensor) => at(x, 1)
  const fourth = (x: TensorLike) => square(square(x))
  const points: [string, (x: Tensor) => Tensor, number[], string, number][] = [
    ['bowl x² + 3y²', (x) => sum(mul([1, 3], square(x))), [0, 0], 'minimum', 2],
    ['hill −x² − 3y²', (x) => sum(mul([-1, -3], square(x))), [0, 0], 'maximum', 2],
    ['saddle x² − y²', (x) => sub(square(X(x)), square(Y(x))), [0, 0], 'saddle', 2],
    ['saddle xy', (x) => mul(X(x), Y(x)), [0, 0], 'saddle', 2],
    ['monkey saddle x³ − 3xy²', (x) => sub(cube(X(x)), mul(mul(3, X(x)), square(Y(x)))), [0, 0], 'saddle', 3],
    ['monkey saddle, beside it', (x) => sub(cube(X(x)), mul(mul(3, X(x)), square(Y(x)))), [0.5, 0.5], 'slope', 1],
    ['x³ of one variable', (x) => sum(cube(x)), [0], 'saddle', 3],
    ['x² + y³', (x) => add(square(X(x)), cube(Y(x))), [0, 0], 'saddle', 3],
    ['x² − y⁴', (x) => sub(square(X(x)), fourth(Y(x))), [0, 0], 'saddle', 4],
    ['x⁴ − y⁴', (x) => sub(fourth(X(x)), fourth(Y(x))), [0, 0], 'saddle', 4],
    ['x⁴', (x) => sum(fourth(x)), [0], 'minimum', 4],
    ['−x⁴', (x) => neg(sum(fourth(x))), [0], 'maximum', 4],
    ['x⁴ + y⁴', (x) => sum(fourth(x)), [0, 0], 'degenerate', 4],
    ['(y − x²)(y − 2x²), Peano', (x) => mul(sub(Y(x), square(X(x))), sub(Y(x), mul(2, square(X(x))))), [0, 0], 'degenerate', 4],
    ['ridge −x²', (x) => neg(square(X(x))), [0, 5], 'degenerate', 2],
    ['valley x²', (x) => square(X(x)), [0, 5], 'degenerate', 2],
    ['plateau', (x) => sum(mul(x, 0)), [1, 2], 'plateau', 4],
    ['a constant', () => tensor(7, { backend: tensorBackend }), [1, 2], 'plateau', 4],
    ['far out on exp(−x² − y²)', (x) => exp(neg(sum(square(x)))), [10, 2], 'plateau', 4],
    ['dead relus', (x) => sum(relu(x)), [-1, -2], 'plateau', 4],
    ['|x|', (x) => sum(abs(x)), [0], 'minimum', 1],
    ['−|x| − |y|', (x) => neg(sum(abs(x))), [0, 0], 'maximum', 1],
    ['|x| + y²', (x) => add(abs(X(x)), square(Y(x))), [0, 0], 'minimum', 1],
    ['|x| − |y|', (x) => sub(abs(X(x)), abs(Y(x))), [0, 0], 'saddle', 1],
    ['|x| − y²', (x) => sub(abs(X(x)), square(Y(x))), [0, 0], 'saddle', 1],
    ['|x|, flat along y', (x) => abs(X(x)), [0, 5], 'degenerate', 1],
    ['relu at its corner', (x) => sum(relu(x)), [0], 'degenerate', 1],
    ['x⁶, too flat for the fourth derivative', (x) => sum(square(cube(x))), [0], 'plateau', 4],
    ['a slope', (x) => sum(square(x)), [1, 0], 'slope', 1],
    ['Himmelblau, minimum (3, 2)', himmelblau, [3, 2], 'minimum', 2],
    ['Himmelblau, maximum', himmelblau, [-0.2708445906694, -0.9230385564665], 'maximum', 2],
    ['Himmelblau, saddle', himmelblau, [0.0866775045, 2.8842547009], 'saddle', 2],
    ['Rosenbrock', (x) => add(square(sub(1, X(x))), mul(100, square(sub(Y(x), square(X(x)))))), [1, 1], 'minimum', 2],
  ]
  const tensorBackend = double

  function himmelblau(x: Tensor): Tensor {
    return add(square(sub(add(square(X(x)), Y(x)), 11)), square(sub(add(X(x), square(Y(x))), 7)))
  }

  test.each(points)('%s', (_name, f, where, kind, order) => {
    const found = inspectPoint(f, tensor(where, { backend: double }))
    expect([found.kind, found.order]).toEqual([kind, order])
    expect(found.explanation).toMatch(/^(A|Degenerate).*\.$/)
    expect([found.exact, found.eigenvalues.length, found.rising + found.falling + found.flat]).toEqual([true, where.length, where.length])
    const beyond = inspectPoint(f, tensor(where, { backend: double }), { exactLimit: 0 })
    if (order === 2 || kind === 'slope') expect(beyond.kind).toBe(kind)
    expect(beyond.exact).toBe(false)
    expect(beyond.eigenvalues.length).toBe(Math.min(6, where.length))
    expect(beyond.explanation.includes('as far as')).toBe(kind !== 'slope' && beyond.kind !== 'saddle')
  })

  test.each(backends.slice(1))('the same in float32, $variant', (backend) => {
    const sure = points.filter(([name]) => !/constant|Himmelblau|far out/.test(name))
    for (const [name, f, where, kind] of sure) expect([name, inspectPoint(f, tensor(where, { backend })).kind]).toEqual([name, kind])
  })

  test.each(backends)('a kink over parameters, which are put back, $variant $dtype', (backend) => {
    const w = new Parameter([1, -2], { backend })
    const found = inspectPoint(() => sum(abs(sub(w, [1, -2]))), [w])
    expect([found.kind, found.order]).toEqual(['minimum', 1])
    expect(found.explanation).toMatch(/^A kinked minimum: .* rises to both sides in all directions tried \(10\)\.$/)
    expect([...w.data()]).toEqual([1, -2])
    expect(
      withHessian(
        () => sum(square(w)),
        [w],
        (at) => [at.valueAlong([1, 1], 0.5), at.value],
      ),
    ).toEqual([4.5, 5])
  })

  test('tolerances', () => {
    const f = (x: Tensor) => sum(mul(1e-5, square(x)))
    expect(inspectPoint(f, [0, 0]).kind).toBe('minimum')
    expect(inspectPoint(f, [0, 0], { curvatureTolerance: 1e-3 }).kind).toBe('plateau')
    expect(inspectPoint(f, [1, 0]).kind).toBe('slope')
    expect(inspectPoint(f, [1, 0], { gradientTolerance: 1e-3 }).kind).toBe('minimum')
    expect(() => inspectPoint(f, [0, 0], { gradientTolerance: -1 })).toThrow(RangeError)
  })

  test('a model: all weights zero on XOR is a saddle that only the fourth derivative shows', () => {
    const model = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1, backend: double })
    const [x, y] = [
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      [[-1], [1], [1], [-1]],
    ]
    for (const p of model.parameters()) p.assign(new Float64Array(p.size))
    const found = inspectPoint(() => mse(model.forward(x), y), model)
    expect([found.kind, found.order, found.gradientNorm, found.falling]).toEqual(['saddle', 4, 0, 0])
  })

  test('outside of the domain', () => {
    expect(() => inspectPoint((x) => sum(log(x)), [-1])).toThrow(NonFiniteError)
    expect(() => inspectPoint((x) => sum(x), [])).toThrow(RangeError)
  })
})

describe('spectra', () => {
  test('Lanczos on 2,000 numbers: the ends of a known diagonal, same seed same bits', () => {
    const n = 2000
    const diagonal = Float64Array.from({ length: n }, (_, i) => (i === 7 ? 50 : i === 9 ? 40 : i === 11 ? -30 : Math.sin(i)))
    const run = (seed: number) => lanczos((v) => v.map((x, i) => x * diagonal[i]), n, { k: 1, iterations: 100, seed, tolerance: 1e-10 })
    const found = run(1)
    expect([found.converged, found.iterations < 60]).toEqual([true, true])
    expectClose([found.largest[0], found.smallest[0]], [50, -30], 1e-10)
    expect(run(1)).toEqual(found)
    expectClose(run(2).largest, [50], 1e-10)
    expect(found.largestErrors[0]).toBeLessThan(1e-8)
  })

  test('repeated eigenvalues, all of them within n iterations; not converged is said', () => {
    const all = largestEigenvalues((x) => sum(mul([1, 1, 1, 2, 2], square(x))), [0, 0, 0, 0, 0], { k: 5 })
    expectClose(all.largest, [4, 4, 2, 2, 2], 1e-13)
    const early = largestEigenvalues(
      (x) =>
        sum(
          mul(
            Array.from({ length: 100 }, (_, i) => i),
            square(x),
          ),
        ),
      new Float64Array(100),
      { iterations: 5 },
    )
    expect([early.converged, early.iterations]).toEqual([false, 5])
    expect(early.largest[0]).toBeLessThan(198)
  })

  test('conditionNumber', () => {
    expect(conditionNumber((x) => square(at(x, 0)), [0, 0])).toBe(Number.POSITIVE_INFINITY)
    const f = (x: Tensor) =>
      sum(
        mul(
          Array.from({ length: 400 }, (_, i) => 1 + i),
          square(x),
        ),
      )
    expect(conditionNumber(f, new Float64Array(400))).toBeGreaterThan(399) // by Lanczos, a lower bound
    expect(conditionNumber(f, new Float64Array(400), { iterations: 400, tolerance: 0 })).toBeCloseTo(400, 8)
    expect(conditionNumber(f, new Float64Array(400), { exactLimit: 400 })).toBeCloseTo(400, 8)
    const both = (x: Tensor) => sum(mul([1, -2, 4], square(x)))
    expect(conditionNumber(both, [0, 0, 0])).toBeCloseTo(4, 12)
    expect(() => conditionNumber(both, [0, 0, 0], { exactLimit: 2 })).toThrow(/curves both ways.*exactLimit/)
  })

  test('bad options', () => {
    const f = (x: Tensor) => sum(square(x))
    expect(() => largestEigenvalues(f, [1], { k: 0 })).toThrow('k wants a whole number ≥ 1, got 0')
    expect(() => largestEigenvalues(f, [1], { iterations: 0 })).toThrow(RangeError)
    expect(() => largestEigenvalues(f, [1], { k: 5, iterations: 4 })).toThrow(RangeError)
    expect(() => largestEigenvalues(f, [1], { tolerance: Number.NaN })).toThrow(RangeError)
    expect(() => largestEigenvalues((x) => sum(log(x)), [-1, -2])).not.toThrow() // log″ is finite there
    expect(() => largestEigenvalues((x) => sum(mul(x, Number.NaN)), [1])).not.toThrow()
    expect(() => largestEigenvalues((x) => sum(mul(cube(x), Number.NaN)), [1])).toThrow(NonFiniteError)
  })
})

describe.each(backends)('bad input and memory, $variant $dtype', (backend) => {
  const leaf = (values: Parameters<typeof tensor>[0]) => data(values, backend)
  const good = () => expect(hvp((x) => sum(cube(x)))(leaf([1, 2]), [1, 1]).toArray()).toEqual([6, 12])
  const footprint = () => [backend.heap.totalBytes, backend.heap.usedBytes]

  test('shapes and kinds', () => {
    const f = (x: Tensor) => sum(square(x))
    expect(() => hvp(f)(leaf([1, 2]), [1])).toThrow('hvp: v has shape [1], wants [2]')
    expect(() => jvp(f)(leaf([1, 2]), [[1, 2]])).toThrow('jvp: v has shape [1, 2], wants [2]')
    expect(() => vjp(f)(leaf([1, 2])).pullback([1, 2])).toThrow('vjp: the seed has shape [2], wants []')
    expect(() => gnvp(f, f)(leaf([1, 2]), [1])).toThrow(ShapeError)
    expect(() => hvp((x) => x)(leaf([1, 2]), [1, 1])).toThrow('hvp: the function wants to return a single number, got shape [2]')
    expect(() => hessian((x) => x)(leaf([1, 2]))).toThrow(ShapeError)
    expect(() => grad((x) => x)(leaf([1, 2]))).toThrow(ShapeError)
    expect(() => grad((() => 3) as never)(leaf([1, 2]))).toThrow('wants to return a tensor, got 3')
    expect(() => jacobian((async () => leaf([1])) as never)(leaf([1, 2]))).toThrow(/Promise.*asynchronous/)
    expect(() => hessian(f)(Int32Array.of(1, 2))).toThrow(/whole numbers \(Int32Array\)/)
    expect(() => hvp(f)(leaf([1, 2]), Int32Array.of(1, 2))).toThrow(TypeError)
    const w = new Parameter([1, 2], { backend })
    expect(() => hvpOf(() => f(w), [], [])).toThrow('hvpOf: there are no parameters')
    expect(() => hvpOf(() => f(w), [w], [])).toThrow('hvpOf: wants 1 vectors, one for each parameter, got 0')
    expect(() => hvpOf(() => f(w), [w], [[1]])).toThrow(ShapeError)
    expect(() => hvpOf(() => f(w), 'w' as never, [[1]])).toThrow(/wants a model or an array of parameters, got 'w'/)
    expect(() => hvpOf(() => f(w), [leaf([1])], [[1]])).toThrow(/does not require a gradient/)
    expect(() =>
      withHessian(
        () => f(w),
        [w],
        ({ product }) => product([1]),
      ),
    ).toThrow('wants a vector of 2 numbers, got 1')
    expect(() =>
      withHessian(
        () => f(w),
        [w],
        async () => 1,
      ),
    ).toThrow(/asynchronous/)
    expect(() =>
      withHessian(
        () => f(w),
        [w],
        (point) => point,
      ).product([1, 1]),
    ).toThrow(/the point was left/)
    expect(() => hvp(f)(leaf([1, 2]), tensor([1, 1], { backend: createBackend({ backend: 'js' }) }))).toThrow(/do not mix/)
    good()
  })

  test('a function that throws leaves the engine as it was', () => {
    const model = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1, backend })
    const before = model.state()
    const fail = (x?: Tensor): Tensor => {
      model.forward([[1, 2]])
      if (x) mul(x, x)
      throw new Error('mine')
    }
    good()
    const memory = footprint()
    for (let i = 0; i < cases(3000); i++) {
      expect(() => hvp(fail)(leaf([1, 2]), [1, 1])).toThrow('mine')
      expect(() => grad((x) => sum(grad(fail)(x)))(leaf([1, 2]))).toThrow('mine')
      expect(() => valueAndGradOf(fail, model)).toThrow('mine')
      expect(() =>
        withHessian(
          () => sum(square(model.forward([[1, 2]]))),
          model,
          () => fail(),
        ),
      ).toThrow('mine')
      expect(() =>
        jacobian(
          customGradient(
            (x) => x,
            () => fail(),
          ),
        )(leaf([1, 2])),
      ).toThrow('mine')
    }
    good()
    expect(footprint()).toEqual(memory)
    expect([model.state(), model.parameters().every((p) => p.grad === null)]).toEqual([before, true])
    expect(noGrad(() => square(model.parameters()[0]).requiresGrad)).toBe(false)
    expect(square(model.parameters()[0]).requiresGrad).toBe(true)
  })

  test('a backward pass that throws leaves gradients that were there', () => {
    const w = new Parameter([1, 2], { backend })
    const x = tensor([3, 4], { backend, requiresGrad: true })
    sum(mul(w, square(x))).backward()
    const fail = customGradient(
      (z) => z,
      () => {
        throw new Error('mine')
      },
    )
    const nothing = customGradient(
      (z) => z,
      () => [null],
    )
    for (const loss of [() => sum(add(cube(w), fail(cube(w)))), () => add(sum(fail(x)), sum(nothing(w)))]) {
      expect(() => valueAndGradOf(loss, [w, x])).toThrow('mine')
      expect(() => hvpOf(loss, [w, x], [w, x])).toThrow('mine')
    }
    expect([w.grad?.toArray(), x.grad?.toArray()]).toEqual([
      [9, 16],
      [6, 16],
    ])
  })

  test('inside of a training step: the step goes on as it was', () => {
    const model = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1, backend })
    const twin = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1, backend })
    const [a, b] = [model, twin].map((m) => new SGD(m.parameters(), { learningRate: 0.1 }))
    const [x, y] = [
      leaf([
        [1, 2],
        [3, 1],
      ]),
      leaf([[1], [2]]),
    ]
    const look = () => {
      const run = () => mse(model.forward(x), y)
      hvpOf(
        run,
        model,
        model.parameters().map((p) => p.keep()),
      )
      largestEigenvalues(run, model, { iterations: 3 })
      hessian((z) => sum(cube(z)))(leaf([1, 2]))
    }
    for (let i = 0; i < 20; i++) {
      const hidden = model.layers[0].forward(x)
      look()
      const loss = mse(model.layers[1].forward(hidden), y)
      look()
      loss.backward()
      look()
      a.step()
      mse(twin.forward(x), y).backward()
      b.step()
    }
    expect(Object.values(model.state())).toEqual(Object.values(twin.state()))
  })

  test('a function that differentiates on another backend', () => {
    const other = createBackend({ backend: 'js' })
    const memory: number[] = []
    for (let i = 0; i < 2000; i++) {
      const f = (x: Tensor) => mul(sum(cube(x)), grad((z) => sum(square(z)))(tensor([3], { backend: other })).item())
      expect(hvp(f)(leaf([1, 2]), [1, 1]).toArray()).toEqual([36, 72])
      memory.push(other.heap.totalBytes + backend.heap.totalBytes)
    }
    expect(memory[1999]).toBe(memory[5])
  })

  test('results last, gradients of parameters are left alone', () => {
    const { model, run } = problem(backend)
    run().backward()
    const before = model.parameters().map((p) => p.grad?.toArray())
    const [hv] = hvpOf(run, model, vectorsFor(model))
    const copy = hv.toArray()
    for (let i = 0; i < 50; i++) hvpOf(run, model, vectorsFor(model))
    expect(hv.toArray()).toEqual(copy)
    expect(model.parameters().map((p) => p.grad?.toArray())).toEqual(before)
  })

  test(`${PRODUCTS} products are flat`, () => {
    const model = new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 1, backend })
    const [x, y] = [
      leaf([
        [1, 2],
        [3, 1],
      ]),
      leaf([[1], [2]]),
    ]
    const run = () => mse(model.forward(x), y)
    const vectors = vectorsFor(model)
    const once = () => {
      hvpOf(run, model, vectors)
      hvp((z) => sum(cube(z)))(x, x)
      jvp((z) => tanh(z))(x, x)
      gnvpOf(
        () => model.forward(x),
        (p) => mse(p, y),
        model,
        vectors,
      )
    }
    for (let i = 0; i < 10; i++) once()
    const before = footprint()
    for (let i = 0; i < PRODUCTS; i++) once()
    expect(footprint()).toEqual(before)
    withHessian(run, model, ({ product, size }) => {
      const v = new Float64Array(size).fill(1)
      product(v)
      const recorded = footprint()
      for (let i = 0; i < PRODUCTS; i++) product(v)
      expect(footprint()).toEqual(recorded)
    })
  })
})

/** Every operation of table.ts: both forms of its gradient against central differences in doubles, first and second order, and WASM against JS. */
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import {
  activate,
  add,
  cos,
  createBackend,
  crossEntropy,
  div,
  exp,
  Generator,
  gradients,
  huber,
  matmul,
  mean,
  mul,
  sin,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  variance,
} from '../../ts/index.js'
import { numbers } from '../tools/backends.js'
import { newBackends } from '../tools/small-nets.js'
import { drawShapes, OPERATIONS, type Operation } from './table.js'

interface Case {
  name: string
  shapes: number[][]
  /** Range from which values are drawn. */
  range?: readonly [number, number]
  build: (...inputs: Tensor[]) => Tensor
}

const labels = Int32Array.of(2, 0, 3)
const ofTable = ({ name, shapes, call, range }: Operation): Case[] =>
  shapes.map((pattern) => {
    const random = numbers(shapes.indexOf(pattern) + 5)
    return { name: `${name}, ${pattern}`, shapes: drawShapes(pattern, (n) => random.int(n)), range, build: call }
  })
/** Every operation on each of its lists of shapes, and graphs of several operations. */
const cases: Case[] = [
  ...OPERATIONS.flatMap(ofTable),
  { name: 'sum over 0', shapes: [[3, 4]], build: (x) => sum(x, 0) },
  { name: 'variance, unbiased', shapes: [[3, 4]], build: (x) => variance(x, 0, { correction: 1 }) },
  { name: 'huber, weights', shapes: [[3, 4]], build: (p) => huber(p, full34(p, 0.3), { delta: 0.5, weights: [1, 0.5, 2] }) },
  { name: 'crossEntropy, weights', shapes: [[3, 4]], build: (p) => crossEntropy(p, labels, { weights: [1, 0.5, 2] }) },
  {
    name: 'crossEntropy, smoothed, summed',
    shapes: [[3, 4]],
    build: (p) => crossEntropy(p, labels, { labelSmoothing: 0.2, reduction: 'sum' }),
  },
  { name: 'a value used three times', shapes: [[3]], build: (x) => add(mul(x, x), mul(sin(x), x)) },
  {
    name: 'a diamond',
    shapes: [[3]],
    build: (x) => {
      const y = exp(x)
      return mul(add(y, 1), sub(y, x))
    },
  },
]

function full34(p: Tensor, value: number): Tensor {
  return tensor(
    Array.from({ length: 3 }, (_, r) => Array.from({ length: 4 }, (_, c) => value + 0.1 * r - 0.05 * c)),
    { backend: p.backend },
  )
}

function inputsOf({ shapes, range = [-1.5, 1.5] }: Case, backend: Backend): Tensor[] {
  const generator = new Generator(7)
  return shapes.map((shape) => {
    const n = shape.reduce((a, b) => a * b, 1)
    // Rounded to float32, so that both precisions start from the same numbers.
    const values = Float32Array.from(generator.uniforms(n), (u) => range[0] + (range[1] - range[0]) * u)
    return tensor(Float64Array.from(values), shape, { requiresGrad: true, backend })
  })
}

/** A number from any output: weights that differ by element, so that no error cancels. */
function weightedSum(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => Math.cos(1 + i))
  return sum(mul(y, tensor(weights, y.shape, { backend: y.backend })))
}

/** Central differences of f at the inputs, for each of them. */
function differences(f: (inputs: Tensor[]) => number, inputs: Tensor[], backend: Backend, h = 1e-6): Float64Array[] {
  return inputs.map((input, which) => {
    const at = Float64Array.from(input.data())
    return at.map((center, i) => {
      const value = (x: number): number => {
        const moved = at.slice()
        moved[i] = x
        return f(inputs.map((t, j) => (j === which ? tensor(moved, t.shape, { requiresGrad: true, backend }) : t)))
      }
      return (value(center + h) - value(center - h)) / (2 * h)
    })
  })
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  for (let i = 0; i < wanted.length; i++) {
    const allowed = tolerance * Math.max(1, Math.abs(wanted[i]))
    if (!(Math.abs(got[i] - wanted[i]) <= allowed)) {
      throw new Error(
        `${what}: element ${i} is ${got[i]}, wants ${wanted[i]} ± ${allowed}\ngot    [${Array.from(got)}]\nwanted [${Array.from(wanted)}]`,
      )
    }
  }
}

const double = createBackend({ backend: 'js', dtype: 'float64' })

describe('gradients by central differences, float64', () => {
  test.each(cases)('$name', (c) => {
    const inputs = inputsOf(c, double)
    const wanted = differences((xs) => weightedSum(c.build(...xs)).item(), inputs, double)
    weightedSum(c.build(...inputs)).backward()
    inputs.forEach((x, i) => expectClose(x.grad?.data() ?? [], wanted[i], 2e-8, `${c.name}, input ${i}`))
    const captured = gradients(weightedSum(c.build(...inputs)), inputs)
    inputs.forEach((x, i) => expectClose(captured[i].data(), x.grad?.data() ?? [], 1e-14, `${c.name}, gradients() of input ${i}`))
  })
})

describe('the gradient written in operations equals the fused one, and can be differentiated again', () => {
  // A single number from all gradients; its gradient is compared with its differences, for the second order.
  const outer = (c: Case, inputs: Tensor[]): Tensor =>
    gradients(weightedSum(c.build(...inputs)), inputs, { createGraph: true })
      .map((g) => weightedSum(square(g)))
      .reduce((a, b) => add(a, b))

  test.each(cases)('$name', (c) => {
    const inputs = inputsOf(c, double)
    const fused = gradients(weightedSum(c.build(...inputs)), inputs)
    const graph = gradients(weightedSum(c.build(...inputs)), inputs, { createGraph: true })
    graph.forEach((g, i) => expectClose(g.data(), fused[i].data(), 1e-13, `${c.name}, input ${i}`))
    const total = outer(c, inputs)
    const second = gradients(total, inputs)
    const wanted = differences((xs) => outer(c, xs).item(), inputs, double)
    second.forEach((g, i) => expectClose(g.data(), wanted[i], 5e-7, `${c.name}, second order, input ${i}`))
  })
})

const float32 = newBackends()

describe.each(float32)('float32 $variant against JS in double precision', (backend) => {
  test.each(cases)('$name', (c) => {
    const [exact, fast] = [inputsOf(c, double), inputsOf(c, backend)]
    const wanted = weightedSum(c.build(...exact))
    const got = weightedSum(c.build(...fast))
    expectClose([got.item()], [wanted.item()], 1e-5, `${c.name}, value`)
    wanted.backward()
    got.backward()
    exact.forEach((x, i) => expectClose(fast[i].grad?.data() ?? [], x.grad?.data() ?? [], 1e-5, `${c.name}, input ${i}`))
  })
})

test('random compositions of all smooth operations agree with differences', () => {
  const steps: ((x: Tensor) => Tensor)[] = [
    (x) => sin(x),
    (x) => activate(x, 'tanh'),
    (x) => activate(x, 'gelu'),
    (x) => mul(x, sin(x)),
    (x) => softmax(x),
    (x) => exp(mul(x, 0.3)),
    (x) => matmul(x, transpose(x)),
    (x) => sub(x, mean(x, 0)),
    (x) => div(x, add(1.5, cos(x))),
    (x) => activate(x, 'softplus'),
  ]
  const generator = new Generator(11)
  for (let round = 0; round < 20; round++) {
    const chain = Array.from({ length: 4 }, () => steps[Math.floor(generator.next() * steps.length)])
    const c: Case = { name: `composition ${round}`, shapes: [[3, 3]], build: (x) => chain.reduce((y, f) => f(y), x) }
    const [x] = inputsOf(c, double)
    const wanted = differences(([at]) => weightedSum(c.build(at)).item(), [x], double)
    weightedSum(c.build(x)).backward()
    expectClose(x.grad?.data() ?? [], wanted[0], 1e-7, c.name)
  }
  expect(steps.length).toBe(10)
})

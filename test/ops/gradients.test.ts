/** Every operation's gradient against central differences in double precision, first and second order, and WASM against JS. */
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { ACTIVATIONS } from '../../ts/backend/kernels.js'
import {
  abs,
  activate,
  add,
  binaryCrossEntropy,
  broadcastTo,
  clip,
  concat,
  cos,
  createBackend,
  crossEntropy,
  dense,
  div,
  dropout,
  erf,
  exp,
  Generator,
  gather,
  gradients,
  huber,
  log,
  logSoftmax,
  logSumExp,
  mae,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  mse,
  mul,
  neg,
  pow,
  reciprocal,
  reshape,
  sin,
  slice,
  softmax,
  sqrt,
  square,
  stack,
  sub,
  sum,
  supportedVariants,
  type Tensor,
  tensor,
  transpose,
  variance,
  where,
} from '../../ts/index.js'

type Build = (...inputs: Tensor[]) => Tensor

interface Case {
  name: string
  shapes: number[][]
  /** Values are drawn from here. */
  range?: [number, number]
  build: Build
}

const positive: [number, number] = [0.3, 2]
const unary = (name: string, build: Build, range?: [number, number]): Case => ({ name, shapes: [[3, 4]], range, build })
const binaryShapes: [string, number[], number[]][] = [
  ['same shape', [3, 4], [3, 4]],
  ['row', [3, 4], [4]],
  ['column', [3, 4], [3, 1]],
  ['scalar', [], [3, 4]],
  ['outer', [3, 1], [1, 4]],
  ['rank 4', [2, 1, 3, 1], [4, 1, 5]],
]
const binary = (name: string, build: Build, range?: [number, number]): Case[] =>
  binaryShapes.map(([how, a, b]) => ({ name: `${name}, ${how}`, shapes: [a, b], range, build }))

const labels = Int32Array.of(2, 0, 3)
const cases: Case[] = [
  ...binary('add', add),
  ...binary('sub', sub),
  ...binary('mul', mul),
  ...binary('div', div, positive),
  ...binary('pow', pow, positive),
  ...binary('maximum', maximum),
  ...binary('minimum', minimum),
  unary('neg', neg),
  unary('abs', abs),
  unary('exp', exp),
  unary('log', log, positive),
  unary('sqrt', sqrt, positive),
  unary('square', square),
  unary('reciprocal', reciprocal, positive),
  unary('sin', sin),
  unary('cos', cos),
  unary('erf', erf),
  unary('clip', (x) => clip(x, -0.5, 0.7)),
  ...ACTIVATIONS.map((a) => unary(`activation ${a}`, (x) => activate(x, a))),
  unary('sum of all', (x) => sum(x)),
  unary('sum over 0', (x) => sum(x, 0)),
  unary('sum over -1, kept', (x) => sum(x, -1, true)),
  { name: 'sum over 0 and 2 of 4', shapes: [[2, 3, 4, 2]], build: (x) => sum(x, [0, 2]) },
  unary('mean', (x) => mean(x, 1)),
  unary('variance', (x) => variance(x, 0, { correction: 1 })),
  unary('max', (x) => max(x, 1)),
  unary('min of all', (x) => min(x)),
  unary('logSumExp', (x) => logSumExp(x, 1)),
  unary('softmax', softmax),
  unary('logSoftmax', logSoftmax),
  unary('reshape', (x) => square(reshape(x, [2, -1]))),
  unary('transpose', (x) => square(transpose(x))),
  { name: 'transpose of 3', shapes: [[2, 3, 4]], build: (x) => square(transpose(x, [1, 2, 0])) },
  unary('slice', (x) => square(slice(x, 1, 3, 1))),
  unary('broadcastTo', (x) => square(broadcastTo(x, [2, 3, 4]))),
  {
    name: 'concat',
    shapes: [
      [2, 3],
      [2, 1],
    ],
    build: (a, b) => square(concat([a, b], 1)),
  },
  { name: 'stack', shapes: [[3], [3]], build: (a, b) => square(stack([a, b])) },
  {
    name: 'where',
    shapes: [[3, 2], [2]],
    build: (a, b) =>
      square(
        where(
          [
            [1, 0],
            [0, 1],
            [1, 1],
          ],
          a,
          b,
        ),
      ),
  },
  {
    name: 'matmul',
    shapes: [
      [3, 4],
      [4, 2],
    ],
    build: (a, b) => matmul(a, b),
  },
  {
    name: 'matmul aᵀ·b',
    shapes: [
      [4, 3],
      [4, 2],
    ],
    build: (a, b) => matmul(a, b, { transposeA: true }),
  },
  {
    name: 'matmul a·bᵀ',
    shapes: [
      [3, 4],
      [2, 4],
    ],
    build: (a, b) => matmul(a, b, { transposeB: true }),
  },
  {
    name: 'matmul aᵀ·bᵀ',
    shapes: [
      [4, 3],
      [2, 4],
    ],
    build: (a, b) => matmul(a, b, { transposeA: true, transposeB: true }),
  },
  ...ACTIVATIONS.map((a) => ({
    name: `dense ${a}`,
    shapes: [[3, 4], [4, 2], [2]],
    build: (x: Tensor, w: Tensor, b: Tensor) => dense(x, w, b, a),
  })),
  {
    name: 'dense without bias on rank 3',
    shapes: [
      [2, 3, 4],
      [4, 2],
    ],
    build: (x, w) => dense(x, w, null, 'tanh'),
  },
  { name: 'gather with repeats', shapes: [[4, 3]], build: (t) => square(gather(t, Int32Array.of(1, 3, 1))) },
  { name: 'dropout', shapes: [[5, 7]], build: (x) => square(dropout(x, 0.4, new Generator(3))) },
  { name: 'mse', shapes: [[3, 4]], build: (p) => mse(p, full34(p, 0.3)) },
  { name: 'mae', shapes: [[3, 4]], build: (p) => mae(p, full34(p, 0.3)) },
  { name: 'huber', shapes: [[3, 4]], build: (p) => huber(p, full34(p, 0.3), { delta: 0.5, weights: [1, 0.5, 2] }) },
  { name: 'binaryCrossEntropy', shapes: [[3, 4]], build: (p) => binaryCrossEntropy(p, full34(p, 0.3), { labelSmoothing: 0.1 }) },
  { name: 'crossEntropy of indices', shapes: [[3, 4]], build: (p) => crossEntropy(p, labels, { weights: [1, 0.5, 2] }) },
  {
    name: 'crossEntropy, smoothed, summed',
    shapes: [[3, 4]],
    build: (p) => crossEntropy(p, labels, { labelSmoothing: 0.2, reduction: 'sum' }),
  },
  { name: 'crossEntropy of probabilities', shapes: [[3, 4]], build: (p) => crossEntropy(p, full34(p, 0.2), { labelSmoothing: 0.1 }) },
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
  // One number out of all gradients, whose own gradient is then compared with differences of it.
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

const float32 = [createBackend({ backend: 'js' }), ...supportedVariants().map((variant) => createBackend({ variant }))]

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
  const steps: Build[] = [
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

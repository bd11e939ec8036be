/** Derivatives of second to fourth order against JAX (test/oracles/curvature.py), on compositions of all operations. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { valuesFrom } from '../../ts/build/public-index.js'
import { gnvp, grad, hessian, hvp, jacobian, jvp, largestEigenvalues, vjp, withHessian } from '../../ts/curvature/index.js'
import * as g from '../../ts/index.js'
import { type ActivationName, add, type Backend, cos, div, mul, sin, square, sub, sum, type Tensor, tensor } from '../../ts/index.js'
import { newBackends } from '../tools/small-nets.js'

interface Chain {
  stages: string[]
  x: number[]
  v: number[]
  y: number[]
  jvp: number[]
  vjp: number[]
  value: number
  gradient: number[]
  hvp: number[]
  gnvp: number[]
  along?: number[]
  third?: number[]
  jacobian?: number[]
  hessian?: number[]
}
interface Net {
  activation: ActivationName
  loss: string
  theta: number[]
  v: number[]
  value: number
  gradient: number[]
  hvp: number[]
  gnvp: number[]
  eigenvalues: number[]
}
interface Oracle {
  constant: number[]
  chains: Chain[]
  nets: Net[]
}

const oracle = JSON.parse(readFileSync(new URL('../oracles/curvature.json', import.meta.url), 'utf8')) as Oracle
const double = g.createBackend({ backend: 'js', dtype: 'float64' })
const single = newBackends()

const C = (x: Tensor) => tensor(oracle.constant, [3, 4], { backend: x.backend })
const MASK = [
  [1, 0, 1, 0],
  [0, 1, 1, 0],
  [1, 1, 0, 0],
]
const activations: ActivationName[] = ['linear', 'relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'mish', 'selu']
const scaled = (x: Tensor) => mul(x, 0.2)

/** The same formulas as STAGES in curvature.py, [3, 4] to [3, 4], where a stage is more than the operation of its name. */
const formulas: Record<string, (x: Tensor) => Tensor> = {
  norm: (x) => div(x, add(0.5, g.norm(x, 1, { keepDims: true }))),
  std: (x) => div(x, add(0.5, g.std(x, 0, { keepDims: true }))),
  prod: (x) => mul(mul(0.5, x), g.prod(x, 1, true)),
  tile: (x) => mul(g.tile(g.slice(x, 0, 1), [3, 1]), x),
  sort: (x) => mul(g.sort(x, 0), x),
  argsort: (x) =>
    mul(
      g.gather(
        x as Tensor<[number, number]>,
        g
          .argsort(g.slice(x, 1, 2, 1), 0)
          .data()
          .slice() as never,
      ),
      x,
    ),
  topK: (x) => mul(g.topK(x, 1).values, x),
  floor: (x) => mul(square(x), g.floor(x)),
  ceil: (x) => mul(square(x), g.ceil(x)),
  round: (x) => mul(square(x), g.round(mul(2, x))),
  add: (x) => add(x, C(x)),
  clip: (x) => mul(g.clip(x, -0.7, 0.9), x),
  div: (x) => div(x, add(1.5, cos(x))),
  divRow: (x) => div(x, add(1.5, cos(g.slice(x, 0, 1)))),
  exp: (x) => g.exp(mul(0.3, x)),
  log: (x) => g.log(add(1.5, square(x))),
  maximum: (x) => mul(g.maximum(x, C(x)), x),
  minimum: (x) => mul(g.minimum(x, C(x)), x),
  mul: (x) => mul(x, sin(x)),
  pow: (x) => g.pow(add(1.2, square(x)), 1.5),
  powTensor: (x) => g.pow(add(1.2, square(x)), mul(0.5, x)),
  reciprocal: (x) => g.reciprocal(add(2, cos(x))),
  sign: (x) => mul(g.sign(x), square(x)),
  sqrt: (x) => g.sqrt(add(1, square(x))),
  sub: (x) => sub(x, g.mean(x, 0)),
  greater: (x) => mul(x, g.greater(x, C(x))),
  greaterEqual: (x) => mul(square(x), g.greaterEqual(x, C(x))),
  equal: (x) => mul(x, add(1, g.equal(x, x))),
  where: (x) => g.where(tensor(MASK, { backend: x.backend }), x, sin(x)),
  broadcastTo: (x) => mul(g.broadcastTo(g.mean(square(x), 0), [3, 4]), x),
  gather: (x) => mul(g.gather(x, Int32Array.of(2, 0, 2)), x),
  gatherAlong: (x) => mul(g.gather(x, 1, tensor(Int32Array.of(3, 0, 3, 1, 1, 1, 1, 2, 0, 2, 0, 0), [3, 4], { backend: x.backend })), x),
  argmax: (x) => mul(g.slice(g.gather(x, g.argmax(x, 0)), 0, 3), x),
  matmul: (x) => scaled(g.matmul(x, g.matmul(g.transpose(x), x))),
  matmulTA: (x) => add(scaled(g.matmul(x, g.matmul(x, x, { transposeA: true }))), x),
  matmulTB: (x) => scaled(g.matmul(g.matmul(x, x, { transposeB: true }), x)),
  matmulTT: (x) => scaled(g.transpose(g.matmul(x, g.matmul(x, x, { transposeB: true }), { transposeA: true, transposeB: true }))),
  max: (x) => mul(x, g.max(x, 1, true)),
  min: (x) => mul(x, g.min(x, 0, true)),
  mean: (x) => mul(x, g.mean(x, 1, true)),
  sum: (x) => mul(0.2, mul(x, sum(x, 0, true))),
  variance: (x) => div(x, g.sqrt(add(0.5, g.variance(x, 1, { correction: 1, keepDims: true })))),
  logSumExp: (x) => mul(x, g.logSumExp(x, 1, true)),
  concat: (x) => mul(g.concat([g.slice(x, 2, 4, 1), g.slice(x, 0, 2, 1)], 1), x),
  reshape: (x) => mul(0.3, g.reshape(g.matmul(g.reshape(x, [4, 3]), g.slice(x, 0, 3, 1)), [3, 4])),
  slice: (x) => mul(x, g.slice(x, 1, 2, 1)),
  stack: (x) => mul(g.stack([2, 0, 1].map((i) => g.reshape(g.slice(x, i, i + 1), [4]))), x),
  less: (x) => mul(x, g.less(x, C(x))),
  lessEqual: (x) => mul(square(x), g.lessEqual(x, C(x))),
  argmin: (x) => mul(g.slice(g.gather(x, g.argmin(x, 0)), 0, 3), x),
  split: (x) => mul(g.concat(g.split(x, [1, 2, 1], 1).reverse(), 1), x),
  squeeze: (x) => g.squeeze(g.reshape(square(x), [1, 3, 1, 4])),
  expandDims: (x) => mul(0.3, sum(mul(g.expandDims(x, 1), g.expandDims(x, 0)), 0)),
  transpose: (x) => g.transpose(mul(g.transpose(x), g.reshape(x, [4, 3]))),
  ...Object.fromEntries(activations.map((name) => [`activate.${name}`, (x: Tensor) => g.activate(x, name)])),
}

const stageOf = (name: string) => formulas[name] ?? (g as unknown as Record<string, (x: Tensor) => Tensor>)[name]

/** A single number from any output, by a function with curvature. */
function outer(y: Tensor): Tensor {
  const weights = Float64Array.from({ length: y.size }, (_, i) => Math.cos(1 + i))
  return add(sum(mul(y, tensor(weights, y.shape, { backend: y.backend }))), g.logSumExp(y))
}

const reshaped = (values: number[], backend: Backend) => tensor(values, [3, 4], { backend })

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  const scale = Math.max(1, ...Array.from(wanted, Math.abs))
  expect(got.length, what).toBe(wanted.length)
  for (let i = 0; i < wanted.length; i++) {
    if (!(Math.abs(got[i] - wanted[i]) <= tolerance * scale)) {
      throw new Error(`${what}: element ${i} is ${got[i]}, wants ${wanted[i]} ± ${tolerance * scale}`)
    }
  }
}

function checkChain(c: Chain, backend: Backend, tolerance: number): void {
  const y = (x: Tensor) => c.stages.reduce((at, name) => stageOf(name)(at), x)
  const f = (x: Tensor) => outer(y(x))
  const [x, v] = [reshaped(c.x, backend), reshaped(c.v, backend)]
  const close = (got: Tensor, wanted: number[], what: string) => expectClose(got.data(), wanted, tolerance, what)
  const pushed = jvp(y)(x, v)
  close(pushed.value, c.y, 'y')
  close(pushed.tangent, c.jvp, 'jvp')
  close(vjp(y)(x).pullback(v), c.vjp, 'vjp')
  close(grad(f)(x), c.gradient, 'gradient')
  close(hvp(f)(x, v), c.hvp, 'hvp')
  close(gnvp(y, outer)(x, v), c.gnvp, 'gnvp')
  // Hessian-vector products by composition: forward over reverse mode, and reverse over forward.
  close(jvp(grad(f))(x, v).tangent, c.hvp, 'jvp of grad')
  close(grad((x) => jvp(f)(x, v).tangent)(x), c.hvp, 'grad of jvp')
  if (c.third) close(grad((x) => sum(mul(v, hvp(f)(x, v))))(x), c.third, 'third order')
  if (c.hessian) close(hessian(f)(x), c.hessian, 'hessian')
  if (c.jacobian) {
    for (const mode of ['reverse', 'forward'] as const) close(jacobian(y, { mode })(x), c.jacobian, `jacobian ${mode}`)
  }
  if (c.along) {
    const leaf = tensor(c.x, [3, 4], { backend, requiresGrad: true })
    const found = withHessian(
      () => f(leaf),
      [leaf],
      (at) => at.derivatives(c.v, 4),
    )
    found.forEach((d, i) => expectClose([d], [c.along?.[i] ?? Number.NaN], tolerance * 10 ** i, `derivative ${i + 1} along v`))
  }
}

test('every operation is a stage', () => {
  const known = [...new Set(oracle.chains.flatMap((c) => c.stages))]
  // Tested elsewhere: activate by its names, dense by the nets below, dropout in curvature.test.ts. The other two have no derivative.
  const elsewhere = [...activations, 'activate', 'dense', 'dropout', 'gradients', 'oneHot']
  const missing = valuesFrom('ts/ops').filter((name) => !known.includes(name) && !elsewhere.includes(name))
  const remedy = "add it to STAGES in test/oracles/curvature.py and run `curvature.py --only '^<stage>$'`: CONTRIBUTING.md, 'An operation'"
  expect(missing, remedy).toEqual([])
  expect(
    Object.keys(formulas).filter((name) => !known.includes(name)),
    'formulas of stages that curvature.json does not have; run curvature.py --only',
  ).toEqual([])
  expect(
    known.filter((name) => typeof stageOf(name) !== 'function'),
    'stages that are neither an operation nor in formulas above',
  ).toEqual([])
})

describe('chains, float64 against JAX', () => {
  test.each(oracle.chains.map((c) => ({ ...c, name: c.stages.join(' → ') })))('$name', (c) => checkChain(c, double, 1e-11))
})

describe.each(single)('chains, float32 $variant against JAX', (backend) => {
  const exact = new Set(['third', 'along', 'hessian', 'jacobian'])
  const loose = (c: Chain) => Object.fromEntries(Object.entries(c).filter(([key]) => !exact.has(key))) as unknown as Chain
  test.each(oracle.chains.map((c) => ({ ...c, name: c.stages.join(' → ') })))('$name', (c) => checkChain(loose(c), backend, 1e-4))
})

const T2 = [
  [0.25, 0.75],
  [0.625, 0.375],
  [0.125, 0.5],
]
const LABELS = Int32Array.of(1, 0, 1)
const WEIGHTS = [1, 0.5, 2]
const losses: Record<string, (p: Tensor) => Tensor> = {
  mse: (p) => g.mse(p, T2),
  'mse, weights': (p) => g.mse(p, T2, { weights: WEIGHTS }),
  mae: (p) => g.mae(p, T2),
  huber: (p) => g.huber(p, T2, { delta: 0.5 }),
  binaryCrossEntropy: (p) => g.binaryCrossEntropy(p, T2, { labelSmoothing: 0.1 }),
  crossEntropy: (p) => g.crossEntropy(p, LABELS),
  'crossEntropy, weights, smoothed, summed': (p) => g.crossEntropy(p, LABELS, { weights: WEIGHTS, labelSmoothing: 0.2, reduction: 'sum' }),
  'crossEntropy of probabilities': (p) => g.crossEntropy(p, T2, { labelSmoothing: 0.1 }),
}

/** Two dense layers; input, weights and biases are cut out of one vector. */
function output(theta: Tensor, activation: ActivationName): Tensor {
  const part = (from: number, shape: number[]) => g.reshape(g.slice(theta, from, from + shape.reduce((a, b) => a * b, 1)), shape)
  const hidden = g.dense(part(0, [3, 4]), part(12, [4, 3]), part(24, [3]), activation)
  return g.dense(hidden, part(27, [3, 2]), part(33, [2]))
}

describe.each([{ backend: double, tolerance: 1e-11 }, ...single.map((backend) => ({ backend, tolerance: 1e-4 }))])(
  'nets, $backend.variant $backend.dtype',
  ({ backend, tolerance }) => {
    test.each(oracle.nets)('dense $activation, $loss', (c) => {
      const [theta, v] = [tensor(c.theta, { backend }), tensor(c.v, { backend })]
      const loss = losses[c.loss]
      const f = (t: Tensor) => loss(output(t, c.activation))
      expectClose(grad(f)(theta).data(), c.gradient, tolerance, 'gradient')
      expectClose(hvp(f)(theta, v).data(), c.hvp, tolerance, 'hvp')
      expectClose(gnvp((t) => output(t, c.activation), loss)(theta, v).data(), c.gnvp, tolerance, 'gnvp')
      const { largest, smallest } = largestEigenvalues(f, theta, { k: 3 })
      expectClose(largest, c.eigenvalues.slice(-3).reverse(), tolerance * 10, 'largest eigenvalues')
      expectClose(smallest, c.eigenvalues.slice(0, 3), tolerance * 10, 'smallest eigenvalues')
    })
  },
)

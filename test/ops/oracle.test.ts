/** Values and gradients of single operations against PyTorch (test/oracles/ops.py), in double precision and in float32. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import * as gradus from '../../ts/index.js'
import { createBackend, type Tensor, type TensorLike, tensor } from '../../ts/index.js'
import { newBackends } from '../tools/small-nets.js'

interface Array_ {
  shape: number[]
  data: number[]
  dtype?: 'int' | 'bool'
}
interface Case {
  id: string
  op: string
  inputs: Array_[]
  options: Options
  output: Array_
  upstream: Array_
  grads: (number[] | null)[]
  note?: string
}
interface Options {
  axis?: number | number[] | null
  keepDims?: boolean
  correction?: number
  lo?: number
  hi?: number
  exponent?: number
  shape?: number[]
  perm?: number[]
  start?: number[]
  end?: number[]
  step?: number[]
  delta?: number
  labelSmoothing?: number
  transposeA?: boolean
  transposeB?: boolean
  reduction?: 'mean' | 'sum'
  form?: string
  alpha?: number
  order?: string
  descending?: boolean
  k?: number
}

const { cases } = JSON.parse(readFileSync(new URL('../oracles/ops.json', import.meta.url), 'utf8')) as { cases: Case[] }

type Run = (inputs: Tensor[], o: Options) => Tensor
const g = gradus
const reductions: Record<string, Run> = Object.fromEntries(
  (['sum', 'mean', 'max', 'min', 'logSumExp'] as const).map((name) => [
    name,
    ([x]: Tensor[], o: Options) => g[name](x, o.axis ?? undefined, o.keepDims),
  ]),
)
/** Cases that are not called as `op(...inputs, ...options)`. */
const called: Record<string, Run> = {
  ...reductions,
  pow: ([a, b], o) => g.pow(a, b ?? (o.exponent as number)),
  var: ([x], o) => g.variance(x, o.axis ?? undefined, { correction: o.correction, keepDims: o.keepDims }),
  std: ([x], o) => g.std(x, o.axis ?? undefined, { correction: o.correction, keepDims: o.keepDims }),
  norm: ([x], o) => g.norm(x, o.axis ?? undefined, { order: o.order === 'inf' ? Infinity : Number(o.order), keepDims: o.keepDims }),
  sort: ([x], o) => g.sort(x, o.axis as number, { descending: o.descending }),
  topK: ([x], o) => g.topK(x, o.k as number, o.axis as number).values as unknown as Tensor,
  clip: ([x], o) => g.clip(x, o.lo as number, o.hi as number),
  where: ([c, a, b]) => g.where(c, a, b),
  softmax: ([x]) => g.softmax(x),
  logSoftmax: ([x]) => g.logSoftmax(x),
  matmul: ([a, b], o) => g.matmul(a, b, o),
  concat: (xs, o) => g.concat(xs, o.axis as number),
  slice: ([x], o) => (o.start as number[]).reduce((y, from, axis) => g.slice(y, from, (o.end as number[])[axis], axis), x),
  transpose: ([x], o) => g.transpose(x, o.perm),
  reshape: ([x], o) => g.reshape(x, o.shape as number[]),
  broadcastTo: ([x], o) => g.broadcastTo(x, o.shape as number[]),
  gatherRows: ([t, i]) => g.gather(t, i),
  takeAlongAxis: ([x, i], o) => g.gather(x, o.axis as number, i),
  mse: ([p, t, weights], o) => g.mse(p, t.detach(), { ...o, weights: weights?.detach() }),
  mae: ([p, t, weights], o) => g.mae(p, t.detach(), { ...o, weights: weights?.detach() }),
  huber: ([p, t, weights], o) => g.huber(p, t.detach(), { ...o, weights: weights?.detach() }),
  bceWithLogits: ([p, t, weights], o) => g.binaryCrossEntropy(p, t.detach(), { ...o, weights: weights?.detach() }),
  hinge: ([p, t, weights], o) => g.hinge(p, t.detach(), { ...o, weights: weights?.detach() }),
  klDivergence: ([p, t, weights], o) => g.klDivergence(p, t.detach(), { ...o, weights: weights?.detach() }),
  poisson: ([p, t, weights], o) => g.poisson(p, t.detach(), { ...o, weights: weights?.detach() }),
  cosineDistance: ([p, t, weights], o) => g.cosineDistance(p, t.detach(), { ...o, weights: weights?.detach() }),
  quantile: ([p, t, weights], o) => g.quantile((o as unknown as { q: number }).q)(p, t.detach(), { weights: weights?.detach() }),
  focal: ([p, t, weights], o) => g.focal(o as gradus.FocalOptions)(p, t.detach(), { weights: weights?.detach() }),
  contrastive: ([a, b, y], o) => g.contrastive(a, b, y, o),
  triplet: ([a, p, n], o) => g.triplet(a, p, n, o),
  crossEntropy: ([p, t, weights], o) => g.crossEntropy(p, t.detach() as TensorLike, { ...o, weights: weights?.detach() }),
}

/** The function that runs a case: by default the operation of its name, called with the inputs and then the options in their order. */
function runOf(op: string): Run | undefined {
  const plain = (g as unknown as Record<string, unknown>)[op] as ((...args: unknown[]) => Tensor) | undefined
  return called[op] ?? (plain && ((inputs, o) => plain(...inputs, ...Object.values(o))))
}

/** The reason why a case is left out, such as an operation that gradus lacks or another convention; undefined for a case to test. */
function leftOut({ op, options, inputs, note }: Case): string | undefined {
  if (runOf(op) === undefined) return 'no such operation here'
  if (op === 'stack' && options.axis !== 0) return 'along a first axis only'
  if (op === 'slice' && options.step?.some((s) => s !== 1)) return 'no steps in slice'
  if ((op === 'softmax' || op === 'logSoftmax') && options.axis !== -1 && options.axis !== inputs[0].shape.length - 1)
    return 'last axis only'
  if (op === 'matmul' && inputs.some((x) => x.shape.length < 2)) return 'no vectors'
  if (/one winner|first|index/.test(note ?? '') && (op === 'max' || op === 'min')) return 'ties share the gradient here, as torch.amax'
  if (options.form === 'tanh') return 'gelu by erf only'
  if (options.alpha !== undefined && options.alpha !== 1) return 'elu with alpha 1 only'
  return undefined
}

const tested = cases.filter((c) => leftOut(c) === undefined)

function tensorsOf(c: Case, backend: Backend): Tensor[] {
  return c.inputs.map((x, i) =>
    x.dtype === 'int'
      ? tensor(Int32Array.from(x.data), x.shape, { backend })
      : tensor(Float64Array.from(x.data), x.shape, { backend, requiresGrad: c.grads[i] !== null }),
  )
}

function expectClose(got: ArrayLike<number>, wanted: number[], tolerance: number): void {
  expect(got.length).toBe(wanted.length)
  wanted.forEach((w, i) => {
    if (Number.isFinite(w))
      expect(Math.abs(got[i] - w), `element ${i}: ${got[i]} against ${w}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(w)))
    else expect(got[i]).toBe(w)
  })
}

const LOSSES = new Set([
  ...['mse', 'mae', 'huber', 'bceWithLogits', 'crossEntropy'],
  ...['hinge', 'klDivergence', 'poisson', 'quantile', 'focal', 'cosineDistance'],
])
const backends = [
  { name: 'float64', backend: createBackend({ backend: 'js', dtype: 'float64' }), tolerance: 1e-12 },
  ...newBackends().map((backend) => ({
    name: `float32 ${backend.variant}`,
    backend,
    tolerance: 3e-6,
  })),
]

describe.each(backends)('$name', ({ backend, tolerance }) => {
  test.each(tested)('$id', (c) => {
    const inputs = tensorsOf(c, backend)
    const y = (runOf(c.op) as Run)(inputs, c.options)
    expect(y.shape).toEqual(c.output.shape)
    expectClose(y.data(), c.output.data, tolerance)
    y.backward(tensor(Float64Array.from(c.upstream.data), c.upstream.shape, { backend }))
    inputs.forEach((x, i) => {
      const wanted = c.grads[i]
      if (wanted !== null && !(LOSSES.has(c.op) && i > 0)) expectClose(x.grad?.data() ?? [], wanted, tolerance)
    })
  })
})

test('most cases are tested', () => {
  expect(tested.length).toBeGreaterThan(110)
})

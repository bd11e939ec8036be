/** NaN, infinities, both zeros and denormal numbers through every operation and its gradient, against PyTorch (test/oracles/special.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ACTIVATIONS, UNARY_KERNELS } from '../../ts/backend/kernels.js'
import { supportedVariants } from '../../ts/debug/index.js'
import * as gradus from '../../ts/index.js'
import { type Backend, createBackend, gradients, square, sum, type Tensor, tensor } from '../../ts/index.js'
import { batchNorm } from '../../ts/ops/batch-norm.js'
import { normalize } from '../../ts/ops/normalize.js'
import { OPERATIONS } from './table.js'

type Text = number | 'NaN' | 'Infinity' | '-Infinity' | '-0'
interface Case {
  op: string
  dtype: 'float32' | 'float64'
  options: Record<string, number>
  shapes: number[][]
  ints: boolean[]
  inputs: Text[][]
  output: Text[]
  grads: (Text[] | null)[]
}

const { cases } = JSON.parse(readFileSync(new URL('../oracles/special.json', import.meta.url), 'utf8')) as { cases: Case[] }
const g = gradus as unknown as Record<string, (...args: unknown[]) => Tensor>
const row = (p: Tensor, ...values: number[]) => tensor([values], { backend: p.backend })
const like = (p: Tensor, value: number) => tensor(new Float64Array(p.size).fill(value), p.shape, { backend: p.backend })

/** Operations that are not called as `op(...inputs)`. */
const CALLED: Record<string, (inputs: Tensor[], options: Case['options']) => Tensor> = {
  clip: ([x], { low, high }) => g.clip(x, low, high),
  where: ([a, b]) =>
    g.where(
      tensor(
        Float64Array.from(a.data(), (_, i) => 1 - (i % 2)),
        { backend: a.backend },
      ),
      a,
      b,
    ),
  ...Object.fromEntries(['sum', 'mean', 'max', 'min', 'logSumExp', 'variance'].map((op) => [op, ([x]: Tensor[]) => g[op](x, 1)])),
  ...Object.fromEntries(['norm', 'std', 'prod', 'sort'].map((op) => [op, ([x]: Tensor[]) => g[op](x, 1)])),
  topK: ([x]) => gradus.topK(x, 2, 1).values as unknown as Tensor,
  tile: ([x]) => gradus.tile(x, 2),
  softmax: ([x]) => square(gradus.softmax(x)) as Tensor,
  logSoftmax: ([x]) => square(gradus.logSoftmax(x)) as Tensor,
  reshape: ([x]) => g.reshape(x, [4, 4]),
  transpose: ([x]) => g.transpose(g.reshape(x, [2, 8])),
  slice: ([x]) => g.slice(x, 3, 11),
  broadcastTo: ([x]) => g.broadcastTo(x, [2, 16]),
  split: ([x]) => g.concat(gradus.split(x, [5, 11]).reverse()),
  squeeze: ([x]) => gradus.squeeze(g.reshape(x, [1, 16, 1])),
  expandDims: ([x]) => gradus.expandDims(x, 1),
  concat: (inputs) => g.concat(inputs),
  stack: (inputs) => g.stack(inputs),
  ...Object.fromEntries(
    ['mse', 'mae', 'huber', 'binaryCrossEntropy'].map((op) => [
      op,
      ([p]: Tensor[], { target = 0.25 }: Case['options']) => g[op](p, like(p, target)),
    ]),
  ),
  ...Object.fromEntries(['hinge', 'poisson'].map((op) => [op, ([p]: Tensor[], { target }: Case['options']) => g[op](p, like(p, target))])),
  quantile: ([p], { target }) => gradus.quantile(0.8)(p, like(p, target)),
  focal: ([p], { target }) => gradus.focal()(p, like(p, target)),
  klDivergence: ([p]) => g.klDivergence(p, row(p, 0.5, 0.25, 0.25, 0)),
  cosineDistance: ([p]) => g.cosineDistance(p, row(p, 1, 2, -1, 0.5)),
  contrastive: ([p], { target }) => g.contrastive(p, row(p, 1, 2, -1, 0.5), [target], { margin: 9 }),
  triplet: ([p]) => g.triplet(p, row(p, 1, 2, -1, 0.5), row(p, 3, 2, 0, 1)),
}

/** Known differences, which are intended or where neither result is useful, by the beginning of the text from {@link differences}. */
const KNOWN: readonly (readonly [RegExp, string])[] = [
  [/^(abs|mae): gradient 0 at NaN: NaN, PyTorch has 0/, 'a gradient of 0 would hide where NaN came from'],
  [/^leakyRelu: gradient 0 at NaN: NaN, PyTorch has 0\.0/, 'a slope would hide where NaN came from'],
  [/^s?elu: gradient 0 at NaN: NaN, PyTorch has 1/, 'PyTorch has NaN in double precision'],
  [/^mish: gradient 0 at Infinity: 1(\.0{10}\d+)?, PyTorch has NaN/, 'the limit of the slope'],
  [/^gelu: value at Infinity: Infinity, PyTorch has NaN/, 'the limit is ∞, which PyTorch has in double precision too'],
  [/^binaryCrossEntropy: value at -Infinity: (0|Infinity), PyTorch has NaN/, 'the limits are 0 for a target of 0 and ∞ for others'],
  [
    /^binaryCrossEntropy: value at Infinity: NaN, PyTorch has Infinity/,
    'a target between 0 and 1: no finite loss either way, and fit stops',
  ],
  [
    /^std: (value at 8: Infinity|gradient 0 at [^:]*: 0), PyTorch has/,
    'squares of 1e30 and 1e-40 are beyond single precision; PyTorch adds them in double',
  ],
  [/^topK: gradient 0 at [^:]*: [01], PyTorch has [01]$/, 'of values that are equal the first ones, as in JAX; PyTorch takes any'],
  [/^logSumExp: gradient 0 at 1(\.0000000150474662)?e\+30: 0\.(5|25), PyTorch has 1$/, 'the gradient is the softmax, which adds up to 1'],
  [
    /^hinge: gradient 0 at (NaN: -?1|-?1: -?0\.5), PyTorch has -?0$/,
    'NaN is no number inside the margin; at the kink half the slope, as maximum has it',
  ],
  [/^focal: value at -Infinity: Infinity, PyTorch has NaN/, 'the limit is ∞ for a target of 1, as that of binaryCrossEntropy'],
  [/^focal: gradient 0 at (-?Infinity|3\.4\d*e\+38): -?1, PyTorch has NaN/, 'the limit of the slope, as that of binaryCrossEntropy'],
  [
    /^cosineDistance: gradient 0 at -?(0|\d(\.\d+)?e-4[01]): -?[248]0000000, PyTorch has -?[248]00000/,
    'beside a row of no length: ε is 1e-8 as in cosine_similarity, the loss of PyTorch has the root of 1e-12',
  ],
  [/^triplet: value at 0: 1, PyTorch has 0$/, 'of two distances of 1e30 that differ by less than rounding'],
  [/^variance: gradient 0 at [123]: NaN, PyTorch has -?Infinity/, 'beside an infinite element; the variance is NaN'],
]

function run(
  { op, options, shapes, ints, inputs }: Case,
  backend: Backend,
): { output: ArrayLike<number>; grads: (ArrayLike<number> | null)[] } {
  const given = inputs.map((data, i) => {
    const numbers = Float64Array.from(data, Number)
    return ints[i] ? tensor(Int32Array.from(numbers), shapes[i], { backend }) : tensor(numbers, shapes[i], { backend, requiresGrad: true })
  })
  const output = CALLED[op]?.(given, options) ?? (options.axis === undefined ? g[op](...given) : g[op](...given, options.axis))
  const leaves = given.filter((_, i) => !ints[i])
  const found = gradients(sum(output), leaves)
  const grads = given.map((_, i) => (ints[i] ? null : found[leaves.indexOf(given[i])].data()))
  return { output: output.data(), grads }
}

/** True if numbers are equal to rounding. Results below the normal numbers may be any number that small; zeros of both signs are equal. */
function isClose(got: number, wanted: number, dtype: Case['dtype']): boolean {
  if (Object.is(got, wanted)) return true
  // differences of numbers around 1 have rounding errors of about 1e-8
  const [relative, tiny] = dtype === 'float32' ? [2e-5, 3e-8] : [1e-12, 1e-16]
  if (Math.abs(wanted) > 0 && Math.abs(wanted) < tiny) return Math.abs(got) < 2 * tiny
  return Math.abs(got - wanted) <= relative * Math.abs(wanted) + tiny
}

function differences(c: Case, backend: Backend): string[] {
  const { output, grads } = run(c, backend)
  const at = (i: number, k: number, list: ArrayLike<unknown>) =>
    list.length === c.inputs[k].length ? `${c.inputs.map((data) => (data.length === list.length ? data[i] : '…'))}` : `${i}`
  const compare = (what: string, k: number, got: ArrayLike<number>, wanted: readonly Text[]) =>
    wanted.flatMap((text, i) =>
      isClose(got[i], Number(text), c.dtype) ? [] : [`${c.op}: ${what} at ${at(i, k, wanted)}: ${got[i]}, PyTorch has ${text}`],
    )
  return [
    ...compare('value', 0, output, c.output),
    ...grads.flatMap((grad, k) => (grad === null ? [] : compare(`gradient ${k}`, k, grad, c.grads[k] as Text[]))),
  ]
}

const backends = [
  createBackend({ backend: 'js', dtype: 'float64' }),
  createBackend({ backend: 'js' }),
  ...supportedVariants().map((variant) => createBackend({ variant })),
]

test('fault 28: every operation with a row in the table has special numbers by PyTorch', () => {
  const tried = new Set(cases.map(({ op }) => op))
  // linear returns its input; dropout is random; normalize and batchNorm are tested below
  const missing = OPERATIONS.map(({ name }) => name.split(' ')[0]).filter(
    (op) => !tried.has(op) && !['linear', 'dropout', 'normalize', 'batchNorm'].includes(op),
  )
  expect(missing, `wants a case: run python special.py --only '^<name>$' in test/oracles (CONTRIBUTING.md, "An operation")`).toEqual([])
})

describe.each(backends)('fault 28: special numbers and their gradients as PyTorch has them, $variant $dtype', (backend) => {
  const own = cases.filter(({ dtype }) => dtype === backend.dtype)
  test.each([...new Set(own.map(({ op }) => op))])('%s', (name) => {
    const found = own.filter(({ op }) => op === name).flatMap((c) => differences(c, backend))
    expect(found.filter((difference) => !KNOWN.some(([pattern]) => pattern.test(difference)))).toEqual([])
  })
})

/** Functions whose slope at NaN is a number: it is the same everywhere, or PyTorch's. */
const SLOPES_AT_NAN: Readonly<Record<string, number>> = { neg: -1, linear: 1, relu: 1 }

describe.each(backends)('the slope of a function of one number at NaN is NaN, $variant $dtype', (backend) => {
  const slopesAtNaN = (f: (x: Tensor) => Tensor, shape: number[]) => {
    const x = tensor(new Float64Array(shape[0]).fill(Number.NaN), shape, { backend, requiresGrad: true })
    return [...gradients(sum(f(x)), [x])[0].data()]
  }
  // lengths that use loops of eight and four lanes, and their remainders
  const lengths = [1, 4, 8, 13]

  test.each(UNARY_KERNELS.filter((name) => name !== 'sign'))('%s', (name) => {
    for (const n of lengths) expect(slopesAtNaN(g[name], [n])).toEqual(new Array(n).fill(SLOPES_AT_NAN[name] ?? Number.NaN))
  })

  test.each(ACTIVATIONS)('%s, alone and in a dense layer', (name) => {
    for (const n of lengths) {
      const wanted = new Array(n).fill(SLOPES_AT_NAN[name] ?? Number.NaN)
      expect(slopesAtNaN((x) => gradus.activate(x, name), [n])).toEqual(wanted)
      expect(slopesAtNaN((x) => gradus.dense(x, tensor([[1]], { backend }), null, name), [n, 1])).toEqual(wanted)
    }
  })
})

describe.each(backends)('fault 28: normalize, $variant $dtype', (backend) => {
  test.each(['row', 'column'] as const)('NaN and infinities reach exactly their own %s', (together) => {
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      const values = Float64Array.from({ length: 15 }, (_, i) => Math.sin(i))
      values[7] = odd // row 1 of 3, column 2 of 5
      const x = tensor(values, [3, 5], { backend, requiresGrad: true })
      const [weight, bias] = [1, 0].map((value) => gradus.full([5], value, { backend }))
      const columns = { weight, bias, epsilon: 1e-5, relu: false, fixed: null }
      const y = together === 'row' ? normalize(x, 1e-5) : batchNorm(x, columns)
      const [g] = gradients(sum(square(y)), [x])
      const isInGroup = (i: number) => (together === 'row' ? Math.floor(i / 5) === 1 : i % 5 === 2)
      for (const found of [y.data(), g.data()])
        found.forEach((value: number, i: number) => expect(Number.isNaN(value), `element ${i}`).toBe(isInGroup(i)))
    }
  })

  test('a row whose variance is beyond the largest number is NaN, not zeros', () => {
    const size = backend.dtype === 'float64' ? 1e200 : 1e30
    const y = normalize(
      tensor(
        [
          [size, -size, size, 0],
          [1, 2, 3, 4],
        ],
        { backend },
      ),
      1e-5,
    )
    expect([...y.data()].map(Number.isNaN)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => i < 4))
  })

  test('equal, denormal and opposite numbers are finite, with finite gradients', () => {
    for (const row of [
      [3, 3, 3],
      [0, -0, 0],
      [1e-40, -1e-40, 3e-40],
      [1e16, 1e16, 1e16],
    ]) {
      const x = tensor(Float64Array.from(row), [1, 3], { backend, requiresGrad: true })
      const y = normalize(x, 1e-5)
      const [g] = gradients(sum(square(y)), [x])
      for (const value of [...y.data(), ...g.data()]) expect(Math.abs(value)).toBeLessThan(1e-6)
    }
  })
})

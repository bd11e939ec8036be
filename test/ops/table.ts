/**
 * The one table of operations. A row says how an operation is called on random shapes, what it must refuse, and, for element-wise operations, the
 * result for each number; table.test.ts checks gradients of first and second order, single against double precision, special numbers, errors and
 * failing allocations for every row. A new operation is a row here.
 */
import { ACTIVATIONS, BINARY_KERNELS, UNARY_KERNELS } from '../../ts/backend/kernels.js'
import * as gradus from '../../ts/index.js'
import {
  activate,
  add,
  binaryCrossEntropy,
  broadcastTo,
  clip,
  concat,
  contrastive,
  cosineDistance,
  crossEntropy,
  cumsum,
  dense,
  dropout,
  expandDims,
  focal,
  Generator,
  gather,
  hinge,
  huber,
  klDivergence,
  logSoftmax,
  logSumExp,
  mae,
  matmul,
  max,
  mean,
  min,
  mse,
  mul,
  norm,
  poisson,
  prod,
  quantile,
  reshape,
  sign,
  slice,
  softmax,
  sort,
  split,
  square,
  squeeze,
  stack,
  std,
  sum,
  type Tensor,
  tensor,
  tile,
  topK,
  transpose,
  triplet,
  variance,
  where,
} from '../../ts/index.js'
import { batchNorm } from '../../ts/ops/batch-norm.js'
import { normalize } from '../../ts/ops/normalize.js'
import * as naive from '../tools/naive.js'

/** Options of a batch normalization; with a large epsilon, as the second derivative is huge if a column's elements are nearly equal. */
const PLAIN_NORM = { epsilon: 0.3, relu: false, fixed: null }

/** Inputs in their order. */
type Call = (...inputs: Tensor[]) => Tensor

export interface Operation {
  name: string
  /**
   * Shapes of the inputs, one string per list: a letter is a dimension (equal letters have equal lengths), a digit is a dimension of this length, `-`
   * is a shape without dimensions. Each list is tested.
   */
  shapes: readonly string[]
  call: Call
  /** Range from which inputs are drawn. Default −1.5 to 1.5. */
  range?: readonly [number, number]
  /** For an element-wise operation: its result for numbers, including NaN, infinities, −0 and denormal numbers. */
  reference?: (...x: number[]) => number
  /** Calls that must fail, with a pattern for the message. */
  refuses?: readonly (readonly [(...inputs: Tensor[]) => unknown, RegExp])[]
}

const byName = gradus as unknown as Record<string, Call>

const POSITIVE = [0.3, 2] as const
const RANGES: Record<string, Operation['range']> = { log: POSITIVE, sqrt: POSITIVE, reciprocal: POSITIVE, div: POSITIVE, pow: POSITIVE }
const COMPARISONS = ['greater', 'greaterEqual', 'equal']
/** Equal, a row, a column, a number, an outer combination and different ranks. */
const BROADCASTS = ['ab ab', 'ab b', 'ab a1', '- ab', 'a1 1b', 'a1c1 b1d']
const ANY = ['a', 'ab', 'abc', '-']

const unary = (name: string, call: (x: Tensor) => Tensor, reference: (x: number) => number, range?: Operation['range']): Operation => ({
  name,
  shapes: ANY,
  call,
  reference,
  range,
})
const binary = (
  name: string,
  call: (a: Tensor, b: Tensor) => Tensor,
  reference: (a: number, b: number) => number,
  range?: Operation['range'],
): Operation => ({
  name,
  shapes: BROADCASTS,
  call,
  reference,
  range,
  refuses: [
    [
      ({ backend }) => call(tensor(new Float64Array(6), [2, 3], { backend }), tensor(new Float64Array(4), [2, 2], { backend })),
      /do not broadcast/,
    ],
  ],
})
/** Losses compare with targets that need no gradient. */
const targetsLike = (p: Tensor, low: number, high: number) =>
  tensor(
    Float64Array.from({ length: p.size }, (_, i) => low + ((high - low) * ((i * 7) % 11)) / 10),
    p.shape,
    { backend: p.backend },
  )
const labelsOf = (p: Tensor) =>
  tensor(
    Int32Array.from({ length: p.shape[0] }, (_, i) => (i * 5) % p.shape[1]),
    { backend: p.backend },
  )

const weightsOf = (p: Tensor) => Array.from({ length: p.shape[0] }, (_, row) => 0.25 + (row % 3))

export const OPERATIONS: readonly Operation[] = [
  // element-wise operations: all kernels of one and two arrays in test/tools/naive.ts, except those without a gradient
  ...UNARY_KERNELS.filter((name) => name !== 'sign').map((name) => unary(name, byName[name], naive.unary[name], RANGES[name])),
  ...BINARY_KERNELS.filter((name) => !COMPARISONS.includes(name)).map((name) =>
    binary(name, byName[name], naive.binary[name], RANGES[name]),
  ),
  {
    ...unary(
      'clip',
      (x) => clip(x, -0.5, 0.7),
      (x) => Math.min(Math.max(x, -0.5), 0.7),
    ),
    refuses: [[(x) => clip(x, 1, 0), /clip: wants low ≤ high, got 1 and 0/]],
  },
  ...ACTIVATIONS.map((name): Operation => ({ name, shapes: ANY, call: (x) => activate(x, name) })),
  { name: 'sum', shapes: ANY, call: (x) => sum(x), refuses: [[(x) => sum(reshape(x, [x.size]), 1), /sum: .*axis/]] },
  { name: 'sum over the last axis', shapes: ['ab', 'abc'], call: (x) => sum(x, -1, true) },
  { name: 'sum over two axes', shapes: ['abcd'], call: (x) => sum(x, [0, 2]) },
  {
    name: 'cumsum',
    shapes: ['ab', 'abc', 'a'],
    call: (x) => square(cumsum(x, 0)),
    refuses: [[(x) => cumsum(sum(x)), /cumsum: wants an axis to add along/]],
  },
  { name: 'mean', shapes: ['ab', 'abc'], call: (x) => mean(x, 1) },
  { name: 'variance', shapes: ['ab', 'abc'], call: (x) => variance(x, 0) },
  { name: 'std', shapes: ['ab', 'abc'], call: (x) => std(x, 0) },
  {
    name: 'norm',
    shapes: ['ab', 'abc'],
    call: (x) => norm(x, 1),
    refuses: [[(x) => norm(x, 0, { order: 0.5 }), /norm: order wants a number ≥ 1/]],
  },
  { name: 'norm of order 3', shapes: ['ab', 'abc'], call: (x) => norm(x, -1, { order: 3, keepDims: true }), range: POSITIVE },
  { name: 'prod', shapes: ['ab', 'abc', 'a'], call: (x) => prod(x, 0) },
  { name: 'prod over all', shapes: ['ab'], call: (x) => prod(x), range: POSITIVE },
  {
    name: 'sort',
    shapes: ['ab', 'abc'],
    call: (x) => mul(sort(x, 0), x),
    refuses: [[(x) => sort(sum(x)), /sort: wants an axis to sort along/]],
  },
  {
    name: 'topK',
    shapes: ['ab', 'abc'],
    call: (x) => square(topK(x, 1, 1).values as unknown as Tensor),
    refuses: [[(x) => topK(x, 99), /topK: wants k of at most \d+, the length of axis/]],
  },
  {
    name: 'tile',
    shapes: ['ab', 'abc'],
    call: (x) => square(tile(x, [2, 3])),
    refuses: [[(x) => tile(x, [0]), /tile: copies wants a whole number ≥ 1, got 0/]],
  },
  { name: 'max', shapes: ['ab', 'abc'], call: (x) => max(x, 1) },
  { name: 'min', shapes: ANY, call: (x) => min(x) },
  { name: 'logSumExp', shapes: ['ab', 'abc'], call: (x) => logSumExp(x, 1) },
  { name: 'softmax', shapes: ['a', 'ab', 'abc'], call: softmax, refuses: [[(x) => softmax(sum(x)), /softmax: wants at least one axis/]] },
  { name: 'logSoftmax', shapes: ['a', 'ab', 'abc'], call: logSoftmax },
  {
    name: 'reshape',
    shapes: ['ab', 'abc'],
    call: (x) => square(reshape(x, [x.shape[1], -1])),
    refuses: [[(x) => reshape(x, [x.size + 1]), /reshape: .* does not fill/]],
  },
  {
    name: 'split',
    shapes: ['ab', 'abc'],
    call: (x) => {
      const [first, rest] = split(x, [1, x.shape[0] - 1])
      return mul(first, add(sum(square(rest)), first))
    },
    refuses: [
      [(x) => split(x, x.shape[0] + 1), /split: wants a number of parts that divides axis 0/],
      [(x) => split(x, [x.shape[0], 1]), /split: wants lengths that add up to/],
    ],
  },
  {
    name: 'squeeze',
    shapes: ['a1', 'ab1', '1a1b'],
    call: (x) => square(squeeze(x)),
    refuses: [[(x) => squeeze(stack([x, x]), 0), /squeeze: wants an axis of length 1, got axis 0/]],
  },
  { name: 'squeeze of one axis', shapes: ['a1', '1ab'], call: (x) => square(squeeze(x, x.shape[0] === 1 ? 0 : -1)) },
  {
    name: 'expandDims',
    shapes: ['a', 'ab'],
    call: (x) => square(expandDims(x, -1)),
    refuses: [[(x) => expandDims(x, x.rank + 1), /expandDims: /]],
  },
  { name: 'transpose', shapes: ['ab', 'abc', 'abcd'], call: (x) => square(transpose(x)) },
  { name: 'transpose of three axes', shapes: ['abc'], call: (x) => square(transpose(x, [1, 2, 0])) },
  { name: 'transpose of heads', shapes: ['abcd'], call: (x) => square(transpose(x, [0, 2, 1, 3])) },
  {
    name: 'slice',
    shapes: ['ab', 'abc'],
    call: (x) => square(slice(x, x.shape[1] >> 1, undefined, 1)),
    refuses: [[(x) => slice(x, 0, 99), /slice: 0\.\.99 is not within axis 0/]],
  },
  {
    name: 'broadcastTo',
    shapes: ['a1', '1', 'b'],
    call: (x) => square(broadcastTo(x, [3, x.shape[0], x.shape[1] ?? x.shape[0]].slice(0, 2 + x.rank - 1))),
  },
  { name: 'concat', shapes: ['ab ac', 'ab ab'], call: (a, b) => square(concat([a, b], 1)) },
  { name: 'stack', shapes: ['ab ab', 'a a'], call: (a, b) => square(stack([a, b])) },
  { name: 'where', shapes: ['ab ab', 'ab b', 'ab a1'], call: (a, b) => square(where(mask(a), a, b)) },
  {
    name: 'matmul',
    shapes: ['mk kn'],
    call: (a, b) => matmul(a, b),
    refuses: [[(a) => matmul(a, reshape(a, [a.size]) as Tensor), /matmul: wants two matrices/]],
  },
  { name: 'matmul of stacks', shapes: ['abmk abkn', 'amk kn', 'mk akn', '1amk b1kn'], call: (a, b) => matmul(a, b) },
  { name: 'matmul of stacks, aᵀ·b', shapes: ['akm akn', 'akm kn'], call: (a, b) => matmul(a, b, { transposeA: true }) },
  { name: 'matmul of stacks, a·bᵀ', shapes: ['amk ank', 'amk nk'], call: (a, b) => matmul(a, b, { transposeB: true }) },
  { name: 'matmul of stacks, aᵀ·bᵀ', shapes: ['akm ank'], call: (a, b) => matmul(a, b, { transposeA: true, transposeB: true }) },
  { name: 'matmul aᵀ·b', shapes: ['km kn'], call: (a, b) => matmul(a, b, { transposeA: true }) },
  { name: 'matmul a·bᵀ', shapes: ['mk nk'], call: (a, b) => matmul(a, b, { transposeB: true }) },
  { name: 'matmul aᵀ·bᵀ', shapes: ['km nk'], call: (a, b) => matmul(a, b, { transposeA: true, transposeB: true }) },
  ...ACTIVATIONS.map(
    (name): Operation => ({
      name: `dense ${name}`,
      shapes: ['mk kn n', 'amk kn n'],
      call: (x, w, b) => dense(x, w, b, name),
      refuses: [[(x, w, b) => dense(concat([x, x], x.rank - 1), w, b, name), /dense: wants inputs of shape \[\.\.\., \d\], got/]],
    }),
  ),
  { name: 'dense without bias', shapes: ['mk kn', 'amk kn'], call: (x, w) => dense(x, w, null, 'tanh') },
  {
    name: 'gather',
    shapes: ['ab'],
    call: (t) =>
      square(
        gather(
          t,
          Int32Array.from({ length: 5 }, (_, i) => (i * 3) % t.shape[0]),
        ),
      ),
    refuses: [[(t) => gather(t, [t.shape[0]]), /gather: wants whole numbers from 0 to/]],
  },
  {
    name: 'gather along an axis',
    shapes: ['ab', 'abc', 'a1'],
    // indices that repeat, and more of them than the length of the axis
    call: (x) => square(gather(x, 1, placesIn(x, [x.shape[0], x.shape[1] + 2, ...x.shape.slice(2)], x.shape[1]))),
    refuses: [
      [
        (x) =>
          gather(
            x,
            1,
            placesIn(x, [1, 1], 9)
              .data()
              .map(() => 9) as never,
          ),
        /gather: index: wants whole numbers from 0 to/,
      ],
      [(x) => gather(x, 2, [[0]]), /gather: .*axis/],
      [(x) => gather(x, 0, [0]), /gather: index wants 2 axes .*, got \[1\]; expandDims adds an axis/],
      [(x) => gather(x, 0, placesIn(x, [1, x.shape[1] + 1], 1)), /gather: index wants 2 axes that are no longer than those of/],
      [(x) => gather(sum(x), 0, 0), /gather: wants an axis to gather along/],
    ],
  },
  {
    name: 'gather along the first axis, fewer of the others',
    shapes: ['ab', 'abc'],
    call: (x) => square(gather(x, -x.rank, placesIn(x, [3, 1, ...x.shape.slice(2)], x.shape[0]))),
  },
  // of LayerNorm; with a large epsilon, as the second derivative is huge if a row's elements are nearly equal
  { name: 'normalize rows', shapes: ['ab', 'abc', 'a'], call: (x) => square(normalize(x, 0.3)) },
  { name: 'batchNorm', shapes: ['ab b b', 'abc c c'], call: (x, weight, bias) => square(batchNorm(x, { ...PLAIN_NORM, weight, bias })) },
  {
    name: 'batchNorm by fixed moments',
    shapes: ['ab b b', 'abc c c'],
    call: (x, weight, bias) => {
      const moments = (value: number) => gradus.full(weight.shape, value, { backend: x.backend })
      return square(batchNorm(x, { ...PLAIN_NORM, weight, bias, fixed: { mean: moments(0.2), variance: moments(0.7) } }))
    },
  },
  { name: 'dropout', shapes: ['ab', 'abc'], call: (x) => square(dropout(x, 0.4, new Generator(3))) },
  { name: 'mse', shapes: ['ab', 'a'], call: (p) => mse(p, targetsLike(p, -1, 1)) },
  { name: 'mse with weights', shapes: ['ab', 'a'], call: (p) => mse(p, targetsLike(p, -1, 1), { weights: weightsOf(p) }) },
  { name: 'mae', shapes: ['ab', 'a'], call: (p) => mae(p, targetsLike(p, -1, 1)) },
  { name: 'huber', shapes: ['ab', 'a'], call: (p) => huber(p, targetsLike(p, -1, 1), { delta: 0.5 }) },
  { name: 'binaryCrossEntropy', shapes: ['ab', 'a'], call: (p) => binaryCrossEntropy(p, targetsLike(p, 0, 1), { labelSmoothing: 0.1 }) },
  { name: 'crossEntropy of labels', shapes: ['a5', 'a3'], call: (p) => crossEntropy(p, labelsOf(p), { labelSmoothing: 0.2 }) },
  { name: 'crossEntropy with weights', shapes: ['a5', 'a3'], call: (p) => crossEntropy(p, labelsOf(p), { weights: weightsOf(p) }) },
  { name: 'hinge', shapes: ['ab', 'a'], call: (p) => hinge(p, sign(targetsLike(p, -1, 1)), { margin: 0.7 }) },
  { name: 'hinge of labels', shapes: ['a5', 'a3'], call: (p) => hinge(p, labelsOf(p), { margin: 0.7 }) },
  { name: 'klDivergence', shapes: ['a5', 'a3'], call: (p) => klDivergence(p, targetsLike(p, 0, 0.3)) },
  {
    name: 'poisson with weights',
    shapes: ['ab', 'a'],
    call: (p) => poisson(p, targetsLike(p, 0, 3), { weights: weightsOf(p), reduction: 'sum' }),
  },
  { name: 'poisson', shapes: ['ab', 'a'], call: (p) => poisson(p, targetsLike(p, 0, 3)) },
  { name: 'quantile', shapes: ['ab', 'a'], call: (p) => quantile(0.8)(p, targetsLike(p, -1, 1)) },
  { name: 'focal', shapes: ['ab', 'a'], call: (p) => focal({ gamma: 1.5, alpha: 0.3 })(p, targetsLike(p, 0, 1)) },
  { name: 'focal of labels', shapes: ['a5', 'a3'], call: (p) => focal()(p, labelsOf(p)) },
  { name: 'cosineDistance', shapes: ['a5', 'a3'], call: (p) => cosineDistance(p, targetsLike(p, 0.5, 1)) },
  {
    name: 'contrastive',
    shapes: ['a5', 'a3'],
    call: (p) => contrastive(p, targetsLike(p, 2, 3), mask(p).read().slice(0, p.shape[0]), { margin: 9 }),
  },
  { name: 'triplet', shapes: ['a5', 'a3'], call: (p) => triplet(p, targetsLike(p, 2, 3), targetsLike(p, -3, -2)) },
  { name: 'crossEntropy of probabilities', shapes: ['a5', 'a3'], call: (p) => crossEntropy(p, targetsLike(p, 0, 0.3)) },
]

/** Whole numbers below `limit`, some of them several times. */
function placesIn({ backend }: Tensor, shape: number[], limit: number): Tensor {
  const size = shape.reduce((product, n) => product * n, 1)
  return tensor(
    Int32Array.from({ length: size }, (_, i) => (i * 5) % limit),
    shape,
    { backend },
  )
}

function mask(x: Tensor): Tensor {
  return tensor(
    Float64Array.from({ length: x.size }, (_, i) => ((i * 5) % 3 === 0 ? 1 : 0)),
    x.shape,
    { backend: x.backend },
  )
}

/** Shapes for letters: lengths from 1 to `longest`, drawn by `int`. */
export function drawShapes(pattern: string, int: (n: number) => number, longest = 4): number[][] {
  const lengths = new Map<string, number>()
  return pattern.split(' ').map((shape) =>
    [...shape].flatMap((letter) => {
      if (letter === '-') return []
      if (/\d/.test(letter)) return [Number(letter)]
      if (!lengths.has(letter)) lengths.set(letter, 1 + int(longest))
      return [lengths.get(letter) as number]
    }),
  )
}

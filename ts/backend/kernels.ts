/**
 * The one contract of the library: every hot loop, numbers in.
 *
 * Two things implement it: the exports of the WebAssembly module (crate/abi) and the pure-JS twin (ts/backend/js/). Both work in place on one linear
 * memory, the {@link Heap}. A pointer is a byte offset into it; floats are 4 bytes wide (8 in the JS backend's double-precision mode), indices are
 * 32-bit integers. A pointer of 0 means "absent" if a doc line says that an argument is optional. Kernels allocate nothing: `scratch` is {@link
 * SCRATCH_BYTES} of memory that a kernel may overwrite. Outputs never overlap inputs unless a line says "in place".
 *
 * Matrices are row-major and dense. `accumulate` is 0 (overwrite) or 1 (add to the present values), unless a line says otherwise. Zero-sized
 * dimensions are legal everywhere. NaN propagates through every kernel, including relu, maximum and clip.
 *
 * Kernels of attention are in attention-kernels.ts, of batch normalization in batch-norm-kernels.ts, of convolution in conv-kernels.ts, of recurrent
 * layers in recurrent-kernels.ts, kernels for eight nets at once in fleet.ts, kernels of solvers, in double precision, in double-kernels.ts.
 */

import { type AttentionKernels, attentionArguments } from './attention-kernels.js'
import { type BatchNormKernels, batchNormArguments } from './batch-norm-kernels.js'
import { type ConvKernels, convArguments } from './conv-kernels.js'
import { type HeadKernels, headArguments } from './head-kernels.js'
import { type MemoryRange, optional, type Ptr, type RangeMaker, type Ranges } from './memory-ranges.js'
import { type RecurrentKernels, recurrentArguments } from './recurrent-kernels.js'

export { type MemoryRange, type Ptr, RangeMaker, SCRATCH_BYTES } from './memory-ranges.js'

/** Any kernel: for code that passes arguments on without knowing their meaning. */
export type Kernel = (...args: number[]) => unknown

/**
 * A kernel in JavaScript around a kernel of WebAssembly, because threads share its calls (threads/split.ts) or its tiles are timed (wasm/tiles.ts).
 * It says which kernel is inside, and which calls may go straight to that kernel.
 */
export interface WrappedKernel {
  /** The kernel of WebAssembly inside it, on one thread. */
  readonly single: Kernel
  /** True if a call with these arguments may use `single`, because it is too little work for several threads. */
  isSmall(...args: number[]): boolean
}

/** Tiles of large matrix products by rows and columns, in the order of TILES in crate/gemm/tile.rs. */
export const TILES = ['5x8', '6x8', '4x16', '6x16'] as const
/** The name of a tile. */
export type TileName = (typeof TILES)[number]

/** The activations in the order of their kernel numbers; crate/activation.rs lists the same order. */
export const ACTIVATIONS = ['linear', 'relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'mish', 'selu'] as const
/** Name of an activation function. */
export type Activation = (typeof ACTIVATIONS)[number]

/** Activations whose derivative needs their input; all others get by with their output. */
export const SAVES_INPUT: ReadonlySet<Activation> = new Set<Activation>(['gelu', 'silu', 'elu', 'mish', 'selu'])

/** Bits of `accumulate` in {@link Kernels.denseBackward}. */
export const ACCUMULATE_W = 1
export const ACCUMULATE_B = 2
export const ACCUMULATE_X = 4

/** y[r,c] = f(a[r·ars + c·acs], b[r·brs + c·bcs]); strides are in elements, so 0 broadcasts. The output may be one of the inputs if strides are equal. */
export type Binary = (
  a: Ptr,
  b: Ptr,
  y: Ptr,
  rows: number,
  cols: number,
  aRowStride: number,
  aColStride: number,
  bRowStride: number,
  bColStride: number,
) => void

/** y[i] = f(x[i]) for i < n; in place allowed. */
export type Unary = (x: Ptr, y: Ptr, n: number) => void

/** The kernels of one array: a name here is a kernel of the contract. */
export const UNARY_KERNELS = [
  'neg',
  'abs',
  'sign', // −1, 0 or 1; 0 for ±0, NaN for NaN
  'exp',
  'log',
  'sqrt',
  'square',
  'reciprocal',
  'sin',
  'cos',
  'erf',
] as const

/** The kernels of two arrays; a name here is a kernel of the contract, too. */
export const BINARY_KERNELS = [
  'add',
  'sub',
  'mul',
  'div',
  'pow', // a raised to b, as IEEE 754: 1 to any power is 1
  'maximum', // NaN if either is NaN
  'minimum',
  'greater', // 1 where a > b, else 0
  'greaterEqual', // 1 where a ≥ b, else 0
  'equal', // 1 where a = b, else 0
] as const

/** y[o,i] = reduce over l of x[o,l,i]. */
export type Reduce = (x: Ptr, y: Ptr, outer: number, length: number, inner: number) => void

/**
 * Value and gradient of a loss in one pass over prediction p[rows,cols] and target t: out[0] = scale · Σ_r weight[r] · Σ_c ℓ(p, t) and, if `gradient`
 * is not 0, gradient[r,c] = scale · weight[r] · ∂ℓ/∂p. `weights` is one float a row, or 0 for all ones. `option` is the loss's own parameter (see
 * each line).
 */
export type Loss = (
  prediction: Ptr,
  target: Ptr,
  weights: Ptr,
  gradient: Ptr,
  out: Ptr,
  rows: number,
  cols: number,
  scale: number,
  option: number,
) => void

/** Every hot loop; the head of this file has the common rules. */
export interface Kernels
  extends Record<(typeof UNARY_KERNELS)[number], Unary>, // crate/elementwise.rs
    Record<(typeof BINARY_KERNELS)[number], Binary>,
    AttentionKernels,
    BatchNormKernels,
    ConvKernels,
    HeadKernels,
    RecurrentKernels {
  // ---- matrix products (crate/gemm/): sums run over k in ascending order, whatever the tile ----
  /** c[m,n] = a[m,k] · b[k,n] (+ c) */
  matmul(a: Ptr, b: Ptr, c: Ptr, m: number, n: number, k: number, accumulate: number, scratch: Ptr): void
  /** c[m,n] = a[m,k] · b[n,k]ᵀ (+ c) */
  matmulNT(a: Ptr, b: Ptr, c: Ptr, m: number, n: number, k: number, accumulate: number, scratch: Ptr): void
  /** c[m,n] = a[k,m]ᵀ · b[k,n] (+ c) */
  matmulTN(a: Ptr, b: Ptr, c: Ptr, m: number, n: number, k: number, accumulate: number, scratch: Ptr): void

  // ---- dense layer (crate/dense.rs) ----
  /**
   * y[m,n] = f(z), z[m,n] = b[n] + x[m,k] · w[k,n]. `b` optional. `z` is written only for activations in `SAVES_INPUT`; pass 0 if the derivative will
   * not be needed.
   */
  denseForward(x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, m: number, k: number, n: number, activation: number, scratch: Ptr): void
  /**
   * dz[m,n] = dy ⊙ f′(saved);  dw[k,n] = xᵀ · dz;  db[n] = Σ_m dz;  dx[m,k] = dz · wᵀ.
   * `saved` is y, or z for activations that `SAVES_INPUT`. `dz` is room for m·n floats (may equal dy; unused and
   * may be 0 for 'linear'). `dw`, `db`, `dx` are optional each. `accumulate` is a set of ACCUMULATE_ bits.
   */
  denseBackward(
    x: Ptr,
    w: Ptr,
    saved: Ptr,
    dy: Ptr,
    dz: Ptr,
    dw: Ptr,
    db: Ptr,
    dx: Ptr,
    m: number,
    k: number,
    n: number,
    activation: number,
    accumulate: number,
    scratch: Ptr,
  ): void

  // ---- activations (crate/activation.rs): leakyRelu slope 0.01, elu alpha 1, gelu by erf ----
  /** y[i] = f(x[i]); in place allowed */
  activationForward(x: Ptr, y: Ptr, n: number, activation: number): void
  /** dx[i] = dy[i] · f′(saved[i]), `saved` as in denseBackward; dx may equal dy */
  activationBackward(saved: Ptr, dy: Ptr, dx: Ptr, n: number, activation: number): void

  // ---- element-wise (crate/elementwise.rs) ----
  /** y[i] = value */
  fill(y: Ptr, n: number, value: number): void
  /** y[i] = x[i]; in place allowed */
  copy(x: Ptr, y: Ptr, n: number): void
  /** y[i] += scale · x[i] */
  addScaled(x: Ptr, y: Ptr, n: number, scale: number): void
  /** y[i] = min(max(x[i], low), high); in place allowed */
  clip(x: Ptr, y: Ptr, n: number, low: number, high: number): void
  /** y[o,c,r,:] = x[o,r,c,:], with rows of `inner` floats */
  transpose(x: Ptr, y: Ptr, outer: number, rows: number, cols: number, inner: number): void
  /** y[r,:] = table[index[r],:]; indices are int32 and already checked */
  gatherRows(table: Ptr, index: Ptr, y: Ptr, rows: number, cols: number): void
  /** table[index[r],:] += dy[r,:], rows in ascending order */
  scatterAddRows(dy: Ptr, index: Ptr, table: Ptr, rows: number, cols: number): void
  /** y[r] = x[r·stride] as int32: a column of whole numbers, already checked, as indices */
  toIndices(x: Ptr, y: Ptr, rows: number, stride: number): void

  // ---- reductions (crate/reduce.rs) ----
  reduceSum: Reduce
  reduceMax: Reduce
  reduceMin: Reduce
  /** the first index of the largest value, as int32; a NaN counts as largest */
  argmax: Reduce
  /** y[o,l,i] = Σ of x[o,k,i] over k ≤ l; `backwards` is 1 for the sum over k ≥ l. Running sums are doubles; in place allowed */
  cumsum(x: Ptr, y: Ptr, outer: number, length: number, inner: number, backwards: number): void
  /** Σ x[i]², summed in double precision */
  sumSquares(x: Ptr, n: number): number
  /** Σ |x[i]|, summed in double precision */
  sumAbs(x: Ptr, n: number): number
  /** max |x[i]|, NaN if any is NaN, 0 for n = 0 */
  maxAbs(x: Ptr, n: number): number

  // ---- softmax over the last axis (crate/softmax.rs) ----
  softmax(x: Ptr, y: Ptr, rows: number, cols: number): void
  logSoftmax(x: Ptr, y: Ptr, rows: number, cols: number): void
  /** dx = y ⊙ (dy − Σ_c dy ⊙ y), y the softmax */
  softmaxBackward(y: Ptr, dy: Ptr, dx: Ptr, rows: number, cols: number): void
  /** dx = dy − exp(y) · Σ_c dy, y the log-softmax */
  logSoftmaxBackward(y: Ptr, dy: Ptr, dx: Ptr, rows: number, cols: number): void

  // ---- losses (crate/loss.rs) ----
  /** ℓ = (p − t)² */
  squaredError: Loss
  /** ℓ = |p − t|, derivative 0 at 0 */
  absoluteError: Loss
  /** ℓ = ½d² where |d| ≤ δ, else δ(|d| − ½δ), d = p − t; option = δ */
  huber: Loss
  /** ℓ = softplus(p) − p·t′ on logits p, t′ = t(1 − s) + s/2; option = label smoothing s */
  binaryCrossEntropy: Loss
  /** ℓ = −Σ_c t′_c log softmax(p)_c, target = int32 class a row, t′ = (1 − s)·onehot + s/cols; option = s */
  crossEntropyIndices: Loss
  /** ℓ = −Σ_c t′_c log softmax(p)_c, target = probabilities [rows,cols], t′ = (1 − s)·t + s/cols; option = s */
  crossEntropyProbabilities: Loss

  // ---- random numbers (crate/random.rs) ----
  // Philox-4x32-10, key (seedLow, seedHigh), counter words (i >>> 2, counter, stream, 0), output word i & 3.
  // The same bits on every backend: integer arithmetic, then + − × ÷ √ in doubles only.
  /** y[i] = low + (high − low) · u, u = (word >>> 8) · 2⁻²⁴ in [0, 1) */
  randomUniform(y: Ptr, n: number, seedLow: number, seedHigh: number, stream: number, counter: number, low: number, high: number): void
  /** y[i] = mean + std · Φ⁻¹((word + ½) · 2⁻³²) */
  randomNormal(y: Ptr, n: number, seedLow: number, seedHigh: number, stream: number, counter: number, mean: number, std: number): void
  /**
   * y[i] = u ≥ rate ? x[i]·s : 0, s = 1 / (1 − rate) as an element, u as in randomUniform; the same call on dy is its own backward; in place allowed.
   * `mask` optional: an int32 for sixteen elements, whose bit i & 15 is 1 where u ≥ rate. It is written, or if `isKnown` is 1 read instead of drawing u.
   */
  dropout(
    x: Ptr,
    y: Ptr,
    n: number,
    seedLow: number,
    seedHigh: number,
    stream: number,
    counter: number,
    mask: Ptr,
    isKnown: number,
    rate: number,
  ): void
  /**
   * order = the int32 numbers 0..n-1, shuffled: for i from n − 1 down to 1, the numbers at i and at ⌊u·(i + 1)⌋ are swapped (Fisher-Yates). u has 53
   * bits, from words 2i and 2i + 1: ((first >>> 5) · 2²⁶ + (second >>> 6)) · 2⁻⁵³
   */
  permutation(order: Ptr, n: number, seedLow: number, seedHigh: number, stream: number, counter: number): void
}

/** The kernels that every backend has from the start. Others come by families: ts/backend/families.ts. */
export type BasicKernels = Pick<Kernels, 'add' | 'mul' | 'fill' | 'copy' | 'addScaled' | 'clip' | 'sumSquares' | 'sumAbs' | 'maxAbs'>

/**
 * The shape of every element-wise optimizer kernel, one export of the WASM module each (crate/optim/):
 * parameters p[n], gradients g[n], state slot j at s + j·stride elements, hyper-parameters h.
 * Before the rule runs, the shared driver forms g ← h[0]·g + h[1]·p (gradient scale, coupled decay) and then
 * p ← p − h[2]·p (decoupled decay, learningRate·weightDecay); the rule's own numbers start at h[3].
 * The JS backend runs the same rule as the `update` method of the optimizer's class (ts/optim/).
 */
export type Update = (p: Ptr, g: Ptr, s: Ptr, stride: number, n: number, h: Ptr) => void

/**
 * Updates that need sums over the whole array first, so that threads cannot divide them. The last two only leave two sums behind the
 * hyper-parameters, as doubles at h + {@link SUMS_OFFSET} bytes.
 */
export const WHOLE_UPDATES: readonly string[] = ['lamb', 'lars', 'dogSums', 'prodigyMoments']

const TWO = ['f32', 'f32'] as const
const [ONE_DOUBLE, TWO_DOUBLES] = [['f64'] as const, ['f64', 'f64'] as const]

/**
 * Kernels that take floats: at most two, of one type, after all whole numbers. Programs (crate/abi/program.rs) call kernels by the
 * types of their arguments; a kernel that is not listed takes whole numbers alone.
 */
export const FLOAT_ARGUMENTS: Readonly<Record<string, readonly ('f32' | 'f64')[]>> = {
  fill: ['f32'],
  addScaled: ['f32'],
  clip: TWO,
  squaredError: TWO,
  absoluteError: TWO,
  huber: TWO,
  binaryCrossEntropy: TWO,
  crossEntropyIndices: TWO,
  crossEntropyProbabilities: TWO,
  fleetSquaredError: TWO,
  fleetAbsoluteError: TWO,
  fleetHuber: TWO,
  fleetBinaryCrossEntropy: TWO,
  fleetCrossEntropyIndices: TWO,
  fleetCrossEntropyProbabilities: TWO,
  dropout: ONE_DOUBLE,
  randomUniform: TWO_DOUBLES,
  randomNormal: TWO_DOUBLES,
}

/**
 * Kernels that draw random numbers, with the index of the argument that is the generator's counter; seed and stream come before it. Recorded steps
 * advance the counter from step to step.
 */
export const COUNTER_ARGUMENTS: Readonly<Record<string, number>> = { randomUniform: 5, randomNormal: 5, dropout: 6, permutation: 5 }

/** The largest number of hyper-parameters of an {@link Update}, the shared ones included: MAX_HYPER in crate/abi/mod.rs. */
export const MAX_HYPER = 16

/** Bytes from the hyper-parameters to the two sums behind them. */
export const SUMS_OFFSET = 4 * MAX_HYPER

/** Hyper-parameters that the driver of every {@link Update} uses itself, before the rule's own. */
export const SHARED_HYPER = 3

const product: Ranges = (d, a, b, c, m, n, k, _accumulate, scratch) => [
  ...[d.input('a', a, m * k), d.input('b', b, k * n)],
  ...[d.output('c', c, m * n), d.scratch(scratch)],
]
/** y[i] from x[i], in place or not. */
const elementwise: Ranges = (d, x, y, n) => [d.input('x', x, n), d.output('y', y, n, 'x')]
const binary: Ranges = (d, a, b, y, rows, cols, ar, ac, br, bc) => {
  const agrees = (row: number, column: number) => (rows < 2 || row === cols) && (cols < 2 || column === 1)
  const mayEqual = [...(agrees(ar, ac) ? ['a'] : []), ...(agrees(br, bc) ? ['b'] : [])]
  return [d.side('a', a, rows, cols, ar, ac), d.side('b', b, rows, cols, br, bc), d.output('y', y, rows * cols, ...mayEqual)]
}
const reduce: Ranges = (d, x, y, outer, length, inner) => [d.input('x', x, outer * length * inner), d.output('y', y, outer * inner)]
const sum: Ranges = (d, x, n) => [d.input('x', x, n)]
const softmax: Ranges = (d, x, y, rows, cols) => [d.input('x', x, rows * cols), d.output('y', y, rows * cols)]
const softmaxBackward: Ranges = (d, y, dy, dx, rows, cols) => [
  ...[d.input('y', y, rows * cols), d.input('dy', dy, rows * cols)],
  d.output('dx', dx, rows * cols),
]
const lossOf =
  (target: (d: RangeMaker, at: Ptr, rows: number, cols: number) => MemoryRange): Ranges =>
  (d, p, t, weights, gradient, out, rows, cols) => [
    ...[d.input('prediction', p, rows * cols), target(d, t, rows, cols), optional(d.input('weights', weights, rows))],
    ...[optional(d.output('gradient', gradient, rows * cols)), d.output('out', out, 1)],
  ]
const loss = /* @__PURE__ */ lossOf((d, at, rows, cols) => d.input('target', at, rows * cols))
/** An array that is written and not read. */
const written: Ranges = (d, y, n) => [d.output('y', y, n)]
/** Number of rows of a table that is looked up: up to the largest index. */
const tableRows = (d: RangeMaker, index: Ptr, rows: number) => d.heap.intView(index, rows).reduce((most, i) => Math.max(most, i + 1), 0)

/** The memory that each kernel reads and writes, from the arguments of a call; `checkKernels` compares calls with it. */
export const kernelArguments = (): Record<keyof Kernels, Ranges> => ({
  ...sameForEach(UNARY_KERNELS, elementwise),
  ...sameForEach(BINARY_KERNELS, binary),
  ...batchNormArguments(),
  ...convArguments((activation) => SAVES_INPUT.has(ACTIVATIONS[activation])),
  ...attentionArguments(),
  ...headArguments(),
  ...recurrentArguments(),
  matmul: product,
  matmulNT: product,
  matmulTN: product,
  denseForward: (d, x, w, b, z, y, m, k, n, activation, scratch) => [
    ...[d.input('x', x, m * k), d.input('w', w, k * n), optional(d.input('b', b, n))],
    ...(SAVES_INPUT.has(ACTIVATIONS[activation]) ? [optional(d.output('z', z, m * n))] : []),
    ...[d.output('y', y, m * n), d.scratch(scratch)],
  ],
  denseBackward: (d, x, w, saved, dy, dz, dw, db, dx, m, k, n, activation, _accumulate, scratch) => [
    ...[d.input('x', x, dw === 0 ? 0 : m * k), d.input('w', w, dx === 0 ? 0 : k * n), d.input('dy', dy, m * n)],
    ...(activation === 0 ? [] : [d.input('saved', saved, m * n), d.output('dz', dz, m * n, 'dy')]),
    ...[optional(d.output('dw', dw, k * n)), optional(d.output('db', db, n)), optional(d.output('dx', dx, m * k)), d.scratch(scratch)],
  ],
  activationForward: elementwise,
  activationBackward: (d, saved, dy, dx, n) => [d.input('saved', saved, n), d.input('dy', dy, n), d.output('dx', dx, n, 'dy')],
  fill: written,
  copy: elementwise,
  addScaled: (d, x, y, n) => [d.input('x', x, n), d.output('y', y, n)],
  clip: elementwise,
  transpose: (d, x, y, outer, rows, cols, inner) => [
    ...[d.input('x', x, outer * rows * cols * inner), d.output('y', y, outer * rows * cols * inner)],
  ],
  gatherRows: (d, table, index, y, rows, cols) => [
    ...[d.integers('index', index, rows), d.input('table', table, tableRows(d, index, rows) * cols)],
    d.output('y', y, rows * cols),
  ],
  scatterAddRows: (d, dy, index, table, rows, cols) => [
    ...[d.integers('index', index, rows), d.input('dy', dy, rows * cols)],
    d.output('table', table, tableRows(d, index, rows) * cols),
  ],
  toIndices: (d, x, y, rows, stride) => [
    d.input('x', x, rows === 0 ? 0 : (rows - 1) * stride + 1),
    { ...d.output('y', y, rows), bytes: 4 },
  ],
  reduceSum: reduce,
  reduceMax: reduce,
  reduceMin: reduce,
  argmax: (d, x, y, outer, length, inner) => {
    const [input, output] = reduce(d, x, y, outer, length, inner)
    return [input, { ...output, bytes: 4 }]
  },
  cumsum: (d, x, y, outer, length, inner) => elementwise(d, x, y, outer * length * inner),
  sumSquares: sum,
  sumAbs: sum,
  maxAbs: sum,
  softmax,
  logSoftmax: softmax,
  softmaxBackward,
  logSoftmaxBackward: softmaxBackward,
  squaredError: loss,
  absoluteError: loss,
  huber: loss,
  binaryCrossEntropy: loss,
  crossEntropyIndices: lossOf((d, at, rows) => d.integers('target', at, rows)),
  crossEntropyProbabilities: loss,
  randomUniform: written,
  randomNormal: written,
  dropout: (d, x, y, n, _low, _high, _stream, _counter, mask, isKnown) => [
    ...elementwise(d, x, y, n),
    optional({ ...d.integers('mask', mask, Math.ceil(n / 16)), isOutput: isKnown === 0 }),
  ],
  permutation: (d, order, n) => [{ ...d.output('order', order, n), bytes: 4 }],
})

/** A table with the same value for each name. */
export function sameForEach<Name extends string, T>(names: readonly Name[], value: T): Record<Name, T> {
  return Object.fromEntries(names.map((name) => [name, value])) as Record<Name, T>
}

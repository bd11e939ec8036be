/**
 * The JavaScript backend with every kernel call checked against the contract: each argument is an address inside one block of memory that is
 * allocated, aligned, with as many elements behind it as the sizes say, and no output lies over an input or another output unless the
 * contract says "in place". WebAssembly and typed arrays alone do not tell: they read and write what is next to it.
 */
import { rangeError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import type { Heap } from '../heap.js'
import type { Backend } from '../index.js'
import { ACTIVATIONS, type Kernels, type Ptr, SAVES_INPUT, SCRATCH_BYTES } from '../kernels.js'
import { createJsKernels } from './all.js'

/** What a kernel reads or writes through one of its arguments. */
interface Span {
  argument: string
  at: Ptr
  elements: number
  /** Bytes of one element. */
  bytes: number
  isOutput: boolean
  /** The inputs that may lie at the same address. */
  mayEqual: readonly string[]
}

/** The spans of a kernel, out of the arguments of a call. */
type Spans = (describe: Describe, ...args: number[]) => Span[]

/** Makes spans of the floats of a heap, and of whole numbers. */
class Describe {
  constructor(readonly heap: Heap) {}

  input(argument: string, at: Ptr, elements: number): Span {
    return { argument, at, elements, bytes: this.heap.elementSize, isOutput: false, mayEqual: [] }
  }

  output(argument: string, at: Ptr, elements: number, ...mayEqual: string[]): Span {
    return { argument, at, elements, bytes: this.heap.elementSize, isOutput: true, mayEqual }
  }

  integers(argument: string, at: Ptr, elements: number): Span {
    return { ...this.input(argument, at, elements), bytes: 4 }
  }

  /** One side of a broadcast. */
  side(argument: string, at: Ptr, rows: number, cols: number, row: number, column: number): Span {
    return this.input(argument, at, rows * cols === 0 ? 0 : (rows - 1) * row + (cols - 1) * column + 1)
  }

  scratch(at: Ptr): Span {
    return { ...this.output('scratch', at, SCRATCH_BYTES), bytes: 1 }
  }
}

/** An argument that is absent where its address is 0. */
const optional = (span: Span): Span => (span.at === 0 ? { ...span, elements: 0 } : span)

const product: Spans = (d, a, b, c, m, n, k, _accumulate, scratch) => [
  ...[d.input('a', a, m * k), d.input('b', b, k * n)],
  ...[d.output('c', c, m * n), d.scratch(scratch)],
]
const unary: Spans = (d, x, y, n) => [d.input('x', x, n), d.output('y', y, n, 'x')]
const binary: Spans = (d, a, b, y, rows, cols, ar, ac, br, bc) => {
  const agrees = (row: number, column: number) => (rows < 2 || row === cols) && (cols < 2 || column === 1)
  const mayEqual = [...(agrees(ar, ac) ? ['a'] : []), ...(agrees(br, bc) ? ['b'] : [])]
  return [d.side('a', a, rows, cols, ar, ac), d.side('b', b, rows, cols, br, bc), d.output('y', y, rows * cols, ...mayEqual)]
}
const reduce: Spans = (d, x, y, outer, length, inner) => [d.input('x', x, outer * length * inner), d.output('y', y, outer * inner)]
const sum: Spans = (d, x, n) => [d.input('x', x, n)]
const softmax: Spans = (d, x, y, rows, cols) => [d.input('x', x, rows * cols), d.output('y', y, rows * cols)]
const softmaxBackward: Spans = (d, y, dy, dx, rows, cols) => [
  ...[d.input('y', y, rows * cols), d.input('dy', dy, rows * cols)],
  d.output('dx', dx, rows * cols),
]
const lossOf =
  (target: (d: Describe, at: Ptr, rows: number, cols: number) => Span): Spans =>
  (d, p, t, weights, gradient, out, rows, cols) => [
    ...[d.input('prediction', p, rows * cols), target(d, t, rows, cols), optional(d.input('weights', weights, rows))],
    ...[optional(d.output('gradient', gradient, rows * cols)), d.output('out', out, 1)],
  ]
const loss = lossOf((d, at, rows, cols) => d.input('target', at, rows * cols))
const random: Spans = (d, y, n) => [d.output('y', y, n)]
/** Rows of a table up to the last that is named. */
const tableRows = (d: Describe, index: Ptr, rows: number) => d.heap.intView(index, rows).reduce((most, i) => Math.max(most, i + 1), 0)

const SPANS: Record<keyof Kernels, Spans> = {
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
  activationForward: unary,
  activationBackward: (d, saved, dy, dx, n) => [d.input('saved', saved, n), d.input('dy', dy, n), d.output('dx', dx, n, 'dy')],
  fill: random,
  copy: unary,
  addScaled: (d, x, y, n) => [d.input('x', x, n), d.output('y', y, n)],
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  pow: binary,
  maximum: binary,
  minimum: binary,
  greater: binary,
  greaterEqual: binary,
  equal: binary,
  neg: unary,
  abs: unary,
  sign: unary,
  exp: unary,
  log: unary,
  sqrt: unary,
  square: unary,
  reciprocal: unary,
  sin: unary,
  cos: unary,
  erf: unary,
  clip: unary,
  transpose: (d, x, y, rows, cols) => [d.input('x', x, rows * cols), d.output('y', y, rows * cols)],
  gatherRows: (d, table, index, y, rows, cols) => [
    ...[d.integers('index', index, rows), d.input('table', table, tableRows(d, index, rows) * cols)],
    d.output('y', y, rows * cols),
  ],
  scatterAddRows: (d, dy, index, table, rows, cols) => [
    ...[d.integers('index', index, rows), d.input('dy', dy, rows * cols)],
    d.output('table', table, tableRows(d, index, rows) * cols),
  ],
  reduceSum: reduce,
  reduceMax: reduce,
  reduceMin: reduce,
  argmax: (d, x, y, outer, length, inner) => {
    const [input, output] = reduce(d, x, y, outer, length, inner)
    return [input, { ...output, bytes: 4 }]
  },
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
  randomUniform: random,
  randomNormal: random,
  dropout: unary,
  permutation: (d, order, n) => [{ ...d.output('order', order, n), bytes: 4 }],
}

/** A range of memory that is allocated, and what allocated it. */
class Blocks {
  /** What the step arena handed out, by where it begins. */
  private readonly pieces = new Map<Ptr, number>()

  constructor(private readonly backend: Backend) {
    const { arena } = backend
    const allocate = arena.allocate.bind(arena)
    arena.allocate = (bytes) => {
      const at = allocate(bytes)
      // what lay here belonged to a step that is over
      for (const [piece, size] of this.pieces) if (piece < at + bytes && piece + size > at) this.pieces.delete(piece)
      this.pieces.set(at, bytes)
      return at
    }
  }

  /** The piece of the arena, or else the block of the heap, that an address is in. */
  at(ptr: Ptr): { from: Ptr; bytes: number } | undefined {
    for (const [from, bytes] of this.pieces) if (from <= ptr && ptr < from + bytes) return { from, bytes }
    return this.backend.heap.blockAt(ptr)
  }
}

/**
 * Checks every kernel call of a backend in JavaScript from now on, and returns the backend: addresses inside an allocated block, aligned, and
 * outputs apart from inputs, as `backend/kernels.ts` says. For whoever writes kernels, operations with a derivative of their own, or
 * anything that hands out addresses; a training takes several times as long. Programs that do not import this do not carry it.
 *
 * @example
 * const backend = checkKernels(createBackend({ backend: 'js' }))
 * const { kernels, heap } = backend
 * const x = heap.allocate(10 * heap.elementSize)
 * kernels.fill(x, 10, 1)
 * let message = ''
 * try {
 *   kernels.fill(x, 20, 1)
 * } catch (error) {
 *   message = (error as Error).message
 * }
 * message.startsWith('fill: y wants 20 elements') // true
 * @throws TypeError for a backend in WebAssembly; the kernels throw RangeError
 */
export function checkKernels(backend: Backend): Backend {
  if (backend?.name !== 'js')
    throw typeError(
      `checkKernels: backend wants one in JavaScript, createBackend({ backend: 'js' }), got ${show(backend?.variant ?? backend)}`,
    )
  const describe = new Describe(backend.heap)
  const blocks = new Blocks(backend)
  const kernels = Object.entries(createJsKernels(backend.heap)).map(([name, kernel]) => {
    const spansOf = SPANS[name as keyof Kernels]
    const checked = (...args: number[]) => {
      const spans = spansOf(describe, ...args)
      for (const span of spans) checkSpan(name, span, blocks)
      checkOverlap(name, spans)
      return kernel(...args)
    }
    // as many arguments as the kernel, which is what recorded steps go by
    return [name, Object.defineProperty(checked, 'length', { value: kernel.length })]
  })
  Object.assign(backend.kernels, Object.fromEntries(kernels))
  return backend
}

function checkSpan(kernel: string, { argument, at, elements, bytes }: Span, blocks: Blocks): void {
  if (elements === 0) return
  const who = `${kernel}: ${argument}`
  if (!Number.isInteger(at) || at % bytes !== 0) throw rangeError(`${who} wants an address that is a multiple of ${bytes}, got ${at}`)
  const block = blocks.at(at)
  if (block === undefined) throw rangeError(`${who} wants an address inside an allocated block, got ${at}, which is in none`)
  const room = block.from + block.bytes - at
  if (elements * bytes > room)
    throw rangeError(
      `${who} wants ${elements} elements of ${bytes} bytes at ${at}, got room for ${Math.floor(room / bytes)}: ` +
        `the block from ${block.from} has ${block.bytes} bytes`,
    )
}

function checkOverlap(kernel: string, spans: readonly Span[]): void {
  for (const output of spans.filter((span) => span.isOutput && span.elements > 0))
    for (const other of spans) {
      if (other === output || other.elements === 0) continue
      const [end, otherEnd] = [output, other].map(({ at, elements, bytes }) => at + elements * bytes)
      if (output.at >= otherEnd || other.at >= end) continue
      if (output.at === other.at && output.mayEqual.includes(other.argument)) continue
      throw rangeError(
        `${kernel}: ${output.argument} wants memory of its own, got ${output.at} to ${end}, which overlaps ${other.argument} at ` +
          `${other.at} to ${otherEnd}`,
      )
    }
}

/**
 * Every kernel of the contract in WebAssembly compared with its counterpart in JavaScript, at a typical size and at awkward ones: reductions along
 * the last axis, short rows, odd columns. Rounds of both take turns; the figures are the fastest round of each and the median of the ratio of
 * rounds that follow one another, which another program on the machine hardly moves.
 *
 *     node --import tsx bench/every-kernel.ts [NAMES]      # a table: kernel, case, microseconds of both, WebAssembly to JavaScript
 *     node --import tsx bench/every-kernel.ts --check      # fails where WebAssembly is slower, and names the kernel
 */

import { fileURLToPath } from 'node:url'
import { drawShapes, OPERATIONS, type Operation } from '../test/ops/table.js'
import { ATTENTION, type AttentionSizes } from '../ts/backend/attention-kernels.js'
import { GEOMETRY, type Geometry } from '../ts/backend/conv-kernels.js'
import * as families from '../ts/backend/families.js'
import { withAllKernels } from '../ts/backend/js/all.js'
import {
  ACTIVATIONS,
  BINARY_KERNELS,
  type Kernel,
  type Kernels,
  kernelArguments,
  type Ptr,
  RangeMaker,
  UNARY_KERNELS,
} from '../ts/backend/kernels.js'
import { kindOf } from '../ts/backend/recurrent-kernels.js'
import { type Backend, createBackend, gradients, square, sum, tensor } from '../ts/index.js'

/** Floats of an element-wise case: in the second cache, as the arrays of a small net are. */
const N = 1 << 14
const ROWS = N / 64

/** Addresses of the arrays of a case: three with floats between 0 and 1, one with whole numbers below 10, and room for results. */
export interface Room {
  x: Ptr
  y: Ptr
  z: Ptr
  classes: Ptr
  out: Ptr
  scratch: Ptr
  /** The numbers of WINDOW. */
  geometry: Ptr
  /** The numbers of HEADS. */
  sizes: Ptr
}

/** A backend and its arrays. */
export interface Contestant {
  backend: Backend
  room: Room
}

/** A call by the title of its case. */
type Cases = Record<string, (kernels: Kernels, room: Room) => unknown>

const unary = (name: keyof Kernels): Cases => ({
  [`${N}`]: (k, { x, out }) => (k[name] as Kernels['exp'])(x, out, N),
})
const binary = (name: keyof Kernels): Cases => ({
  'same shape': (k, { x, y, out }) => (k[name] as Kernels['add'])(x, y, out, 1, N, N, 1, N, 1),
  'a row': (k, { x, y, out }) => (k[name] as Kernels['add'])(x, y, out, ROWS, 64, 64, 1, 0, 1),
  'a column': (k, { x, y, out }) => (k[name] as Kernels['add'])(x, y, out, ROWS, 64, 64, 1, 1, 0),
})
const reduce = (name: keyof Kernels): Cases => ({
  all: (k, { x, out }) => (k[name] as Kernels['reduceSum'])(x, out, 1, N, 1),
  'last axis': (k, { x, out }) => (k[name] as Kernels['reduceSum'])(x, out, ROWS, 64, 1),
  'last axis of 10': (k, { x, out }) => (k[name] as Kernels['reduceSum'])(x, out, 1638, 10, 1),
  'first axis': (k, { x, out }) => (k[name] as Kernels['reduceSum'])(x, out, 1, ROWS, 64),
  'middle axis': (k, { x, out }) => (k[name] as Kernels['reduceSum'])(x, out, 16, 32, 32),
})
const loss = (name: keyof Kernels, target: 'y' | 'classes' = 'y'): Cases => ({
  '64 columns': (k, room) => (k[name] as Kernels['huber'])(room.x, room[target], 0, room.out, room.z, ROWS, 64, 1, 0.1),
  '10 columns': (k, room) => (k[name] as Kernels['huber'])(room.x, room[target], 0, room.out, room.z, 1638, 10, 1, 0.1),
})
const product = (name: 'matmul' | 'matmulNT' | 'matmulTN'): Cases => ({
  '64·64·64': (k, { x, y, out, scratch }) => k[name](x, y, out, 64, 64, 64, 0, scratch),
  '1·64·128': (k, { x, y, out, scratch }) => k[name](x, y, out, 1, 64, 128, 0, scratch),
  '64·1·128': (k, { x, y, out, scratch }) => k[name](x, y, out, 64, 1, 128, 0, scratch),
  '64·10·128': (k, { x, y, out, scratch }) => k[name](x, y, out, 64, 10, 128, 0, scratch),
  '65·65·65': (k, { x, y, out, scratch }) => k[name](x, y, out, 65, 65, 65, 0, scratch),
})
const activation = (call: (k: Kernels, room: Room, number: number) => void): Cases =>
  Object.fromEntries(ACTIVATIONS.map((name, number) => [name, (k, room) => call(k, room, number)]))

/** The cases of kernels that are called in the same way, made from their names. */
function eachOf<Name extends keyof Kernels>(names: readonly Name[], casesOf: (name: Name) => Cases): Record<Name, Cases> {
  return Object.fromEntries(names.map((name) => [name, casesOf(name)])) as Record<Name, Cases>
}

/** Lengths of the axes, for operations whose inputs have one, two, three or four different axes. */
const LENGTHS = [[N], [ROWS, 64], [1638, 10], [16, 32, 32]]

/** Cases of a kernel without a row below: the calls of the operation in test/ops/table.ts with whose name the kernel's name begins. */
function casesOf(kernel: keyof Kernels): Cases {
  const cases: Cases = {}
  for (const operation of OPERATIONS.filter(({ name }) => kernel.startsWith(name.split(' ')[0]))) {
    for (const pattern of operation.shapes) {
      for (const lengths of LENGTHS.filter(({ length }) => length === new Set(pattern.match(/[a-z]/g)).size)) {
        const next = lengths.values()
        const shapes = drawShapes(pattern, () => (next.next().value as number) - 1)
        const call = callOf(kernel, operation, shapes)
        if (call !== null) cases[`${operation.name}, ${shapes.map((shape) => shape.join(' × ')).join(' and ')}`] = call
      }
    }
  }
  return cases
}

/** The first call of a kernel by an operation and its gradient, with the arrays of a room in the place of its own; null if there is none. */
function callOf(kernel: keyof Kernels, { call }: Operation, shapes: readonly number[][]): Cases[string] | null {
  // in double precision, so that integers and floats differ in size
  const backend = createBackend({ backend: 'js', dtype: 'float64' })
  const kernels = withAllKernels(backend) as unknown as Record<string, Kernel>
  const own = kernels[kernel]
  let found: Parameters<Kernel> | null = null
  kernels[kernel] = (...args) => {
    found ??= args
    return own(...args)
  }
  const inputs = shapes.map((shape) =>
    tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(0.5), shape, { backend, requiresGrad: true }),
  )
  gradients(sum(square(call(...inputs))), inputs)
  if (found === null) return null
  const args: number[] = found
  const [floats, results] = (
    [
      ['x', 'y', 'z'],
      ['out', 'z'],
    ] as (keyof Room)[][]
  ).map((names) => names.values())
  const arrays = kernelArguments()
    [kernel](new RangeMaker(backend.heap), ...args)
    .map(({ argument, at, bytes, isOutput }) => {
      const name: keyof Room | undefined =
        argument === 'scratch' ? argument : bytes === 4 && !isOutput ? 'classes' : (isOutput ? results : floats).next().value
      if (name === undefined) throw new Error(`${kernel}: has more arrays than a room, and wants a row in CASES of bench/every-kernel.ts`)
      return { name, argument: args.indexOf(at) }
    })
  return (k, room) => {
    const own = [...args]
    for (const { name, argument } of arrays) own[argument] = room[name]
    return (k[kernel] as Kernel)(...own)
  }
}

/** Windows of 3 × 3 over images of 16 × 16 with eight channels. */
const WINDOW: Geometry = {
  ...{ height: 16, width: 16, channels: 8, outHeight: 16, outWidth: 16, filters: 8, kernelHeight: 3, kernelWidth: 3 },
  ...{ strideY: 1, strideX: 1, top: 1, left: 1, dilationY: 1, dilationX: 1, groups: 1 },
}
const pooling = (call: Cases[string]): Cases => ({ '4 · 16 × 16 × 8, 3 × 3': call })
/** A GRU of 8 units over 12 steps of 16 sequences. */
const [SEQUENCES, STEPS, UNITS] = [16, 12, 8] as const
const ALL = SEQUENCES * STEPS * UNITS
const GRU = kindOf('gruAfter', false)
/** The address of a float of an array. */
const at = (array: Ptr, floats: number): Ptr => array + 4 * floats
/** Two heads of 8 over 16 steps: queries, keys and values of a step are 48 floats. */
const HEADS: AttentionSizes = {
  ...{ heads: 2, queries: 16, keys: 16, width: 8, valueWidth: 8, queryStride: 48, keyStride: 48, valueStride: 48, causal: 1 },
}
const PAIRS = 8
const attendFirst = (k: Kernels, { x, z, sizes, scratch }: Room) =>
  k.attentionForward(x, at(x, 16), at(x, 32), 0, z, at(z, 2048), 0, PAIRS, sizes, scratch)
const attention: Partial<Record<keyof Kernels, Cases>> = {
  attentionForward: { '4 · 16 steps, 2 heads of 8': attendFirst },
  attentionBackward: {
    '4 · 16 steps, 2 heads of 8': (k, room) => {
      const { x, y, z, out, sizes, scratch } = room
      attendFirst(k, room)
      k.attentionBackward(
        ...([x, at(x, 16), at(x, 32), 0, z, at(z, 2048), y, out, at(out, 16), at(out, 32), 0, PAIRS, sizes, scratch] as const),
      )
    },
  },
  attentionRotate: { '64 · 3 · 16': (k, { x, y, out }) => k.attentionRotate(x, y, out, 64, 16, 48, 4, 8, 0) },
}
const recurrent: Partial<Record<keyof Kernels, Cases>> = {
  recurrentForward: {
    'GRU of 8, 12 steps of 16': (k, { x, z, out, scratch }) =>
      k.recurrentForward(z, x, at(x, 192), 0, out, at(out, 2 * ALL), at(out, 3 * ALL), 0, SEQUENCES, STEPS, UNITS, GRU, scratch),
  },
  recurrentBackward: {
    'GRU of 8, 12 steps of 16': (k, { x, y, z, out, scratch }) =>
      k.recurrentBackward(x, y, at(y, 192), at(y, 192 + 2 * ALL), 0, 0, out, at(out, 3 * ALL), z, SEQUENCES, STEPS, UNITS, GRU, scratch),
  },
  recurrentWeights: {
    '192 rows of 24': (k, { x, y, out, scratch }) => k.recurrentWeights(x, y, out, 16, 24, 24, 8, 16, 192, 0, scratch),
  },
}

const batchNorm: Partial<Record<keyof Kernels, Cases>> = {
  batchNormMoments: { '200 rows of 64': (k, { x, out }) => k.batchNormMoments(x, out, at(out, 64), 200, 64) },
  batchNormForward: {
    '200 rows of 64, relu': (k, { x, y, out }) => k.batchNormForward(x, y, at(y, 64), at(y, 128), at(y, 192), out, 200, 64, 1, at(y, 256)),
  },
  batchNormBackward: {
    '200 rows of 64, relu': (k, { x, y, z, out }) =>
      k.batchNormBackward(x, y, at(y, 64), at(y, 128), at(y, 192), z, at(out, 12_800), at(out, 12_864), out, 200, 64, 1, 0, at(y, 256)),
  },
}

/** Rows and columns of heads, and numbers of lines. */
const heads: Partial<Record<keyof Kernels, Cases>> = {
  headLogits: {
    '32 · 384, 10 lines': (k, { x, y, out }) => k.headLogits(x, y, out, 32, 384, 10),
    '256 · 64, 3 lines': (k, { x, y, out }) => k.headLogits(x, y, out, 256, 64, 3),
  },
  headGradient: {
    '32 · 384, 10 classes': (k, { x, y, classes, out, scratch }) => k.headGradient(x, y, classes, scratch, out, 32, 384, 10, 0),
    '256 · 64, 3 classes': (k, { x, y, classes, out, scratch }) => k.headGradient(x, y, classes, scratch, out, 256, 64, 3, 0),
    'sets, 256 · 64, 3 classes': (k, { x, y, out, scratch }) => k.headGradient(x, y, at(y, 1024), scratch, out, 256, 64, 3, 1),
  },
}

/** Cases of kernels that no operation of test/ops/table.ts is named after, or that are called in ways that no operation does. */
const BY_HAND: Partial<Record<keyof Kernels, Cases>> = {
  ...eachOf(UNARY_KERNELS, unary),
  ...eachOf(BINARY_KERNELS, binary),
  matmul: product('matmul'),
  matmulNT: product('matmulNT'),
  matmulTN: product('matmulTN'),
  denseForward: { '64·64·64 relu': (k, { x, y, z, out, scratch }) => k.denseForward(x, y, z, 0, out, 64, 64, 64, 1, scratch) },
  denseBackward: {
    '64·32·32 relu': (k, { x, y, z, out, scratch }) =>
      k.denseBackward(x, y, z, z, out, out + 8192, out + 16384, out + 24576, 64, 32, 32, 1, 0, scratch),
  },
  activationForward: activation((k, { x, out }, number) => k.activationForward(x, out, N, number)),
  activationBackward: activation((k, { x, y, out }, number) => k.activationBackward(x, y, out, N, number)),
  fill: { [`${N}`]: (k, { out }) => k.fill(out, N, 0.5) },
  copy: { [`${N}`]: (k, { x, out }) => k.copy(x, out, N) },
  addScaled: { [`${N}`]: (k, { x, out }) => k.addScaled(x, out, N, 1e-9) },
  clip: { [`${N}`]: (k, { x, out }) => k.clip(x, out, N, 0.2, 0.8) },
  transpose: {
    '128 × 128': (k, { x, out }) => k.transpose(x, out, 1, 128, 128, 1),
    '127 × 129': (k, { x, out }) => k.transpose(x, out, 1, 127, 129, 1),
    '16 × 64 × 4 × 16': (k, { x, out }) => k.transpose(x, out, 4, 64, 4, 16),
    '1638 × 10': (k, { x, out }) => k.transpose(x, out, 1, 1638, 10, 1),
  },
  gatherRows: {
    'rows of 64': (k, { x, classes, out }) => k.gatherRows(x, classes, out, ROWS, 64),
    'rows of 10': (k, { x, classes, out }) => k.gatherRows(x, classes, out, 1638, 10),
  },
  scatterAddRows: {
    'rows of 64': (k, { x, classes, out }) => k.scatterAddRows(x, classes, out, ROWS, 64),
    'rows of 10': (k, { x, classes, out }) => k.scatterAddRows(x, classes, out, 1638, 10),
  },
  toIndices: {
    '1638 rows of 10': (k, { x, out }) => k.toIndices(x, out, 1638, 10),
  },
  ...attention,
  ...batchNorm,
  ...heads,
  ...recurrent,
  reduceSum: reduce('reduceSum'),
  reduceMax: reduce('reduceMax'),
  reduceMin: reduce('reduceMin'),
  argmax: reduce('argmax'),
  sumSquares: { [`${N}`]: (k, { x }) => k.sumSquares(x, N) },
  sumAbs: { [`${N}`]: (k, { x }) => k.sumAbs(x, N) },
  maxAbs: { [`${N}`]: (k, { x }) => k.maxAbs(x, N) },
  squaredError: loss('squaredError'),
  absoluteError: loss('absoluteError'),
  huber: loss('huber'),
  binaryCrossEntropy: loss('binaryCrossEntropy'),
  crossEntropyIndices: loss('crossEntropyIndices', 'classes'),
  crossEntropyProbabilities: loss('crossEntropyProbabilities'),
  randomUniform: { [`${N}`]: (k, { out }) => k.randomUniform(out, N, 1, 2, 3, 4, 0, 1) },
  randomNormal: { [`${N}`]: (k, { out }) => k.randomNormal(out, N, 1, 2, 3, 4, 0, 1) },
  dropout: { [`${N}`]: (k, { x, out }) => k.dropout(x, out, N, 1, 2, 3, 4, 0, 0, 0.5) },
  permutation: { [`${N}`]: (k, { out }) => k.permutation(out, N, 1, 2, 3, 4) },
  convForward: {
    '4 · 16 × 16 × 8, relu': (k, { x, y, z, out, scratch, geometry }) => k.convForward(x, y, z, 0, out, 4, geometry, 1, scratch),
  },
  convBackward: {
    '4 · 16 × 16 × 8': (k, { x, y, z, out, scratch, geometry }) =>
      k.convBackward(x, y, 0, z, 0, out, out + 4096, out + 8192, 4, geometry, 0, 0, scratch),
  },
  maxPool: pooling((k, { x, out, z, geometry }) => k.maxPool(x, out, z, 4, geometry)),
  maxPoolBackward: pooling((k, { x, y, z, out, geometry }) => {
    k.maxPool(x, out, z, 4, geometry)
    k.maxPoolBackward(z, y, out, 4, geometry)
  }),
  maxPoolPick: pooling((k, { x, y, z, out, geometry }) => {
    k.maxPool(x, out, z, 4, geometry)
    k.maxPoolPick(y, z, out, 4, geometry)
  }),
  averagePool: pooling((k, { x, out, geometry }) => k.averagePool(x, out, 4, geometry)),
  averagePoolBackward: pooling((k, { y, out, geometry }) => k.averagePoolBackward(y, out, 4, geometry)),
  upsample: {
    '16 · 8 × 64, smooth': (k, { x, out }) => k.upsample(x, out, 16, 8, 64, 2, 1),
    '128 · 64 × 1': (k, { x, out }) => k.upsample(x, out, 128, 64, 1, 2, 0),
  },
  upsampleBackward: {
    '16 · 8 × 64, smooth': (k, { x, out }) => k.upsampleBackward(x, out, 16, 8, 64, 2, 1),
    '128 · 64 × 1': (k, { x, out }) => k.upsampleBackward(x, out, 128, 64, 1, 2, 0),
  },
}

/** The cases of every kernel; test/backend/every-kernel.test.ts runs them on both backends. */
export const CASES = eachOf(Object.keys(kernelArguments()) as (keyof Kernels)[], (name) => BY_HAND[name] ?? casesOf(name))

/** Floats of each array. */
const ROOM = 2 * N

function roomOf({ heap }: Backend): Room {
  const floats = () => heap.allocate(ROOM * heap.elementSize)
  const geometry = heap.allocate(GEOMETRY.length * 4)
  heap.intView(geometry, GEOMETRY.length).set(GEOMETRY.map((name) => WINDOW[name]))
  const sizes = heap.allocate(ATTENTION.length * 4)
  heap.intView(sizes, ATTENTION.length).set(ATTENTION.map((name) => HEADS[name]))
  return { x: floats(), y: floats(), z: floats(), out: floats(), classes: heap.allocate(ROOM * 4), scratch: heap.scratch, geometry, sizes }
}

/** Both backends, with their kernels of every family and room for the arrays of the cases. */
export function contestants(): Contestant[] {
  return [createBackend(), createBackend({ backend: 'js' })].map((backend) => {
    for (const family of Object.values(families)) family(backend)
    const contestant = { backend, room: roomOf(backend) }
    fill(contestant)
    return contestant
  })
}

const FIRST = [0, 1, 2, 3].map((shift) => Float32Array.from({ length: ROOM }, (_, i) => (((i + shift) * 7919) % 1000) / 1000 + 0.001))
const CLASSES = Int32Array.from({ length: ROOM }, (_, i) => (i * 7) % 10)

/** Writes the initial data of every case: the same on each backend. */
export function fill({ backend: { heap }, room }: Contestant): void {
  for (const [i, at] of [room.x, room.y, room.z, room.out].entries()) heap.view(at, ROOM).set(FIRST[i])
  heap.intView(room.classes, ROOM).set(CLASSES)
}

/** The results of a case: the floats of its two results; for argmax integers instead of the first. */
export function results({ backend: { heap }, room }: Contestant, kernel: string): [ArrayLike<number>, ArrayLike<number>] {
  return [kernel === 'argmax' ? heap.intView(room.out, ROOM) : heap.view(room.out, ROOM), heap.view(room.z, ROOM)]
}

/** Largest time of a kernel in WebAssembly as a multiple of JavaScript's: the part above 1 is for noise. */
const ALLOWED = 1.1
const ROUNDS = 40
const ROUND_MS = 0.5

/** Result of {@link compare}: the fastest round of each in microseconds per call, and the median ratio of first to second, round by round. */
export interface Times {
  best: [number, number]
  ratio: number
}

/** The times of two calls, by rounds that take turns. */
export function compare(first: () => unknown, second: () => unknown, rounds = ROUNDS): Times {
  const round = (call: () => unknown, count: number) => {
    const started = performance.now()
    for (let i = 0; i < count; i++) call()
    return (1000 * (performance.now() - started)) / count
  }
  const countOf = (call: () => unknown) => {
    let count = 1
    while (round(call, count) * count < 1000 * ROUND_MS && count < 1e6) count *= 2
    return count
  }
  const counts = [countOf(first), countOf(second)]
  const pairs = Array.from({ length: rounds }, () => [round(first, counts[0]), round(second, counts[1])] as const)
  const ratios = pairs.map(([a, b]) => a / b).sort((a, b) => a - b)
  return { best: [Math.min(...pairs.map(([a]) => a)), Math.min(...pairs.map(([, b]) => b))], ratio: ratios[rounds >> 1] }
}

function measure(names: readonly string[], check: boolean): void {
  const [wasm, js] = contestants()
  const titles = [wasm.backend.variant.padStart(10), 'js'.padStart(10), 'ratio'.padStart(8)]
  console.log(`${'microseconds a call'.padEnd(44)}${titles.join('')}   Node ${process.versions.node}`)
  const slower: string[] = []
  for (const [kernel, cases] of Object.entries(CASES)) {
    if (names.length > 0 && !names.includes(kernel)) continue
    for (const [title, call] of Object.entries(cases)) {
      const calls = [wasm, js].map(
        ({ backend, room }) =>
          () =>
            call(withAllKernels(backend), room),
      )
      let found = compare(calls[0], calls[1])
      // measured again, for longer, since other programs may have used the core
      if (found.ratio > ALLOWED) found = compare(calls[0], calls[1], 3 * ROUNDS)
      const { best, ratio } = found
      const figures = [...best.map((us) => us.toFixed(2).padStart(10)), ratio.toFixed(2).padStart(8)]
      console.log(`${`${kernel}, ${title}`.padEnd(44)}${figures.join('')}${ratio > 1 ? '   slower' : ''}`)
      if (ratio > ALLOWED) slower.push(`${kernel}, ${title}: wants at most ${ALLOWED} × the time of JavaScript, got ${ratio.toFixed(2)} ×`)
    }
  }
  if (check && slower.length > 0) {
    console.error(`\nWebAssembly is slower than JavaScript:\n${slower.join('\n')}`)
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2).filter((name) => !name.startsWith('--'))
  measure(names, process.argv.includes('--check'))
}

/**
 * Every kernel of the contract in WebAssembly beside its twin in JavaScript, at a typical size and at awkward ones: reductions along the
 * last axis, short rows, odd columns. Rounds of both take turns; the figure is the fastest round of each.
 *
 *     node --import tsx bench/every-kernel.ts [NAMES]      # a table: kernel, case, microseconds of both
 *     node --import tsx bench/every-kernel.ts --check      # fails where WebAssembly is slower, and names the kernel
 */
import { fileURLToPath } from 'node:url'
import {
  withActivations,
  withChoices,
  withCrossEntropy,
  withDense,
  withDropout,
  withElementLosses,
  withNormals,
  withOperations,
  withOthers,
  withProducts,
  withRandom,
  withSoftmax,
} from '../ts/backend/families.js'
import { ACTIVATIONS, type Kernels, type Ptr } from '../ts/backend/kernels.js'
import { type Backend, createBackend } from '../ts/index.js'

/** Floats of an element-wise case: in the second cache, as the arrays of a small net are. */
const N = 1 << 14
const ROWS = N / 64
const FAMILIES = [
  ...[withOperations, withProducts, withDense, withActivations, withSoftmax, withCrossEntropy],
  ...[withElementLosses, withRandom, withDropout, withNormals, withChoices, withOthers],
]

/** Where a case finds its arrays: three of floats between 0 and 1, whole numbers below 10, and room for results. */
interface Room {
  x: Ptr
  y: Ptr
  z: Ptr
  classes: Ptr
  out: Ptr
  scratch: Ptr
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
const rows = (name: keyof Kernels): Cases => ({
  'rows of 64': (k, { x, out }) => (k[name] as Kernels['softmax'])(x, out, ROWS, 64),
  'rows of 10': (k, { x, out }) => (k[name] as Kernels['softmax'])(x, out, 1638, 10),
})
const rowsBackward = (name: keyof Kernels): Cases => ({
  'rows of 64': (k, { x, y, out }) => (k[name] as Kernels['softmaxBackward'])(x, y, out, ROWS, 64),
  'rows of 10': (k, { x, y, out }) => (k[name] as Kernels['softmaxBackward'])(x, y, out, 1638, 10),
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

/** At least one case for every kernel; test/backend/every-kernel.test.ts compares with the contract. */
export const CASES: Record<keyof Kernels, Cases> = {
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
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  pow: binary('pow'),
  maximum: binary('maximum'),
  minimum: binary('minimum'),
  greater: binary('greater'),
  greaterEqual: binary('greaterEqual'),
  equal: binary('equal'),
  neg: unary('neg'),
  abs: unary('abs'),
  sign: unary('sign'),
  exp: unary('exp'),
  log: unary('log'),
  sqrt: unary('sqrt'),
  square: unary('square'),
  reciprocal: unary('reciprocal'),
  sin: unary('sin'),
  cos: unary('cos'),
  erf: unary('erf'),
  clip: { [`${N}`]: (k, { x, out }) => k.clip(x, out, N, 0.2, 0.8) },
  transpose: {
    '128 × 128': (k, { x, out }) => k.transpose(x, out, 128, 128),
    '127 × 129': (k, { x, out }) => k.transpose(x, out, 127, 129),
    '1638 × 10': (k, { x, out }) => k.transpose(x, out, 1638, 10),
  },
  gatherRows: {
    'rows of 64': (k, { x, classes, out }) => k.gatherRows(x, classes, out, ROWS, 64),
    'rows of 10': (k, { x, classes, out }) => k.gatherRows(x, classes, out, 1638, 10),
  },
  scatterAddRows: {
    'rows of 64': (k, { x, classes, out }) => k.scatterAddRows(x, classes, out, ROWS, 64),
    'rows of 10': (k, { x, classes, out }) => k.scatterAddRows(x, classes, out, 1638, 10),
  },
  reduceSum: reduce('reduceSum'),
  reduceMax: reduce('reduceMax'),
  reduceMin: reduce('reduceMin'),
  argmax: reduce('argmax'),
  sumSquares: { [`${N}`]: (k, { x }) => k.sumSquares(x, N) },
  sumAbs: { [`${N}`]: (k, { x }) => k.sumAbs(x, N) },
  maxAbs: { [`${N}`]: (k, { x }) => k.maxAbs(x, N) },
  softmax: rows('softmax'),
  logSoftmax: rows('logSoftmax'),
  softmaxBackward: rowsBackward('softmaxBackward'),
  logSoftmaxBackward: rowsBackward('logSoftmaxBackward'),
  squaredError: loss('squaredError'),
  absoluteError: loss('absoluteError'),
  huber: loss('huber'),
  binaryCrossEntropy: loss('binaryCrossEntropy'),
  crossEntropyIndices: loss('crossEntropyIndices', 'classes'),
  crossEntropyProbabilities: loss('crossEntropyProbabilities'),
  randomUniform: { [`${N}`]: (k, { out }) => k.randomUniform(out, N, 1, 2, 3, 4, 0, 1) },
  randomNormal: { [`${N}`]: (k, { out }) => k.randomNormal(out, N, 1, 2, 3, 4, 0, 1) },
  dropout: { [`${N}`]: (k, { x, out }) => k.dropout(x, out, N, 1, 2, 3, 4, 0.5) },
}

/** The arrays of all cases, the same on each backend. */
function roomOf({ heap }: Backend): Room {
  const floats = (shift: number) => {
    const at = heap.allocate(8 * N * heap.elementSize)
    heap.view(at, 8 * N).forEach((_, i, view) => (view[i] = (((i + shift) * 7919) % 1000) / 1000 + 0.001))
    return at
  }
  const classes = heap.allocate(4 * N, 'any')
  heap.intView(classes, N).forEach((_, i, view) => (view[i] = (i * 7) % 10))
  return { x: floats(0), y: floats(1), z: floats(2), out: floats(3), classes, scratch: heap.scratch }
}

/**
 * Kernels that may take so many times what JavaScript takes: theirs reduce the angle in double precision with the same bits on every engine,
 * where JavaScript calls the engine's own.
 */
const ALLOWED: Partial<Record<string, number>> = { sin: 1.5, cos: 1.5 }
const ROUNDS = 40
const ROUND_MS = 0.5

/** Microseconds of one call on each backend, by rounds that take turns. */
export function times(calls: readonly (() => unknown)[], rounds = ROUNDS): number[] {
  const round = (call: () => unknown, count: number) => {
    const started = performance.now()
    for (let i = 0; i < count; i++) call()
    return performance.now() - started
  }
  const counts = calls.map((call) => {
    let count = 1
    for (let ms = round(call, 1); ms < ROUND_MS && count < 1e6; ms = round(call, count)) count *= 2
    return count
  })
  const best = calls.map(() => Number.POSITIVE_INFINITY)
  for (let i = 0; i < rounds; i++)
    for (const [place, call] of calls.entries()) best[place] = Math.min(best[place], (1000 * round(call, counts[place])) / counts[place])
  return best
}

function measure(names: readonly string[], check: boolean): void {
  const backends = [createBackend(), createBackend({ backend: 'js' })]
  const rooms = backends.map(roomOf)
  for (const backend of backends) for (const family of FAMILIES) family(backend)
  console.log(`${'microseconds a call'.padEnd(44)}${backends[0].variant.padStart(10)}${'js'.padStart(10)}   Node ${process.versions.node}`)
  const slower: string[] = []
  for (const [kernel, cases] of Object.entries(CASES)) {
    if (names.length > 0 && !names.includes(kernel)) continue
    for (const [title, call] of Object.entries(cases)) {
      const calls = backends.map(
        ({ kernels }, i) =>
          () =>
            call(kernels, rooms[i]),
      )
      const allowed = ALLOWED[kernel] ?? 1
      let [wasm, js] = times(calls)
      // a second try where other programs may have had the core
      if (wasm > allowed * js) [wasm, js] = times(calls, 3 * ROUNDS)
      const line = `${`${kernel}, ${title}`.padEnd(44)}${wasm.toFixed(2).padStart(10)}${js.toFixed(2).padStart(10)}`
      console.log(`${line}${wasm > js ? '   slower' : ''}`)
      if (wasm > allowed * js)
        slower.push(`${kernel}, ${title}: wants at most ${allowed} × the ${js.toFixed(2)} µs of JavaScript, got ${wasm.toFixed(2)} µs`)
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

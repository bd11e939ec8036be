/**
 * A kernel table whose large calls are shared by a pool of threads. The bits do not depend on the number of threads: a product sums over k in
 * ascending order, however its rows and columns are cut; the other kernels here compute element by element or row by row; and a sum over a whole
 * array stays on one thread. Small calls go to the kernels directly.
 */
import { ACTIVATIONS, type Activation, type Kernel, type Kernels, type Ptr, type Update, type WrappedKernel } from '../kernels.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { isSmall, type Pool } from './pool.js'

/** Rough speed of one thread of a present-day machine: multiply-adds per nanosecond, and nanoseconds per element. */
export const PRODUCT = 20
const UPDATE = 0.4
const RECTIFIER = 0.5
export const FUNCTION = 1

/** Floats per cache line: shares end at the ends of lines. */
const LINE = 16
const LINEAR = 0

/** Kernels whose time is limited by arithmetic and not by memory, with the number of address arguments before their sizes. */
const FUNCTIONS = { exp: 2, log: 2, sin: 2, cos: 2, erf: 2, softmax: 2, logSoftmax: 2, softmaxBackward: 3, logSoftmaxBackward: 3 }
const CHEAP: readonly Activation[] = ['linear', 'relu', 'leakyRelu']

/** A module whose kernels the pool shares: its exports, the pool, and scratch memory for each worker. */
export interface ThreadedModule {
  exports: WasmExports
  pool: Pool
  /** The scratch memory of each worker, for packed panels. */
  scratches: readonly Ptr[]
}

/**
 * Marks a kernel that threads share with two more fields: `single`, the same kernel on one thread, and `isSmall`, which calls are small enough
 * for it. Programs (train/fast/program.ts) call kernels from within the module, which can only call `single`, so they take small calls alone.
 */
export function shared<F extends (...numbers: never[]) => unknown>(kernel: F, single: F, time: (...args: Parameters<F>) => number): F {
  const isOfOne = (...args: number[]) => isSmall(time(...(args as unknown as Parameters<F>)))
  return Object.assign(kernel, { single: single as unknown as Kernel, isSmall: isOfOne } satisfies WrappedKernel)
}

type Numeric = (...numbers: never[]) => unknown

/**
 * A kernel whose large calls are divided into shares. `time` gives the nanoseconds of a call, `most` the largest number of its shares, and `share` the
 * arguments of one of them. `number` is the kernel that takes the shares, if it is another one.
 */
export function divided<F extends Numeric>(
  pool: Shareable['pool'],
  single: F,
  { number = pool.numberOf(single), time, most, share }: Division<Parameters<F>>,
): F {
  const kernel = (...call: Parameters<F>) => {
    const nanoseconds = time(...call)
    const shares = Math.min(most(...call), pool.sharesFor(nanoseconds))
    if (shares < 2) single(...call)
    else pool.runShared(number, nanoseconds, shares, (index, all) => share(call, index, all))
  }
  return shared(kernel as unknown as F, single, time)
}

interface Division<Call extends unknown[]> {
  number?: number
  time(...call: Call): number
  most(...call: Call): number
  share(call: Call, index: number, shares: number): number[]
}

export function shareKernels(threaded: ThreadedModule): Kernels {
  return { ...shareOthers(threaded), ...products(threaded), ...dense(threaded) }
}

/** Registers the kernels of an instance with the pool; element-wise and row-wise kernels are shared. */
export function shareOthers({ exports, pool }: Pick<ThreadedModule, 'exports' | 'pool'>): WasmExports {
  const table = { ...exports }
  for (const [name, addresses] of Object.entries(FUNCTIONS)) {
    const single = exports[name] as Kernel | undefined
    if (single === undefined) continue
    const number = pool.numberOf(single)
    table[name] = (...args: number[]) => {
      const [n, cols = 0] = [args[addresses], args[addresses + 1]]
      const time = n * (cols || 1) * FUNCTION
      const shares = Math.min(cols > 0 ? n : Infinity, pool.sharesFor(time))
      if (shares < 2) {
        single(...args)
        return
      }
      const share = (bytes: number, count: number) => [...args.slice(0, addresses).map((at) => at + bytes), count, cols]
      pool.runShared(number, time, shares, cut(n, share, cols))
    }
  }
  return table
}

/** An optimizer's update kernel, divided among the threads. */
export function shareUpdate(pool: Pool, update: Update): Update {
  const number = pool.numberOf(update)
  const kernel: Update = (p, g, s, stride, n, h) => {
    const shares = pool.sharesFor(n * UPDATE)
    if (shares < 2) update(p, g, s, stride, n, h)
    else
      pool.runShared(
        number,
        n * UPDATE,
        shares,
        cut(n, (at, count) => [p + at, g + at, s + at, stride, count, h]),
      )
  }
  return shared(kernel, update, (_p, _g, _s, _stride, n) => n * UPDATE)
}

/** The calling thread uses the scratch memory that it was given, and each worker has its own. */
export function scratchOf({ scratches }: Pick<ThreadedModule, 'scratches'>, index: number, own: Ptr): Ptr {
  return index === 0 ? own : scratches[index - 1]
}

/** Numbers up to `total`, divided: the first and the count of a share. */
export function shareOf(total: number, index: number, shares: number): [from: number, count: number] {
  const begin = (i: number) => Math.floor((total * i) / shares)
  return [begin(index), begin(index + 1) - begin(index)]
}

/**
 * Divides n elements, or rows of `cols` columns, into shares. `argumentsOf` makes the arguments of a share from the number of bytes before it and its
 * number of elements.
 */
function cut(n: number, argumentsOf: (bytes: number, count: number) => number[], cols = 0): (index: number, shares: number) => number[] {
  const unit = cols > 0 ? 1 : LINE
  const begin = (index: number, shares: number) => Math.min(n, Math.floor((Math.ceil(n / unit) * index) / shares) * unit)
  return (index, shares) => argumentsOf(4 * (cols || 1) * begin(index, shares), begin(index + 1, shares) - begin(index, shares))
}

function products(threaded: ThreadedModule): Pick<Kernels, 'matmul' | 'matmulNT' | 'matmulTN'> {
  const { exports, pool } = threaded
  const number = pool.numberOf(exports.matmulShare)
  const share =
    (single: Kernels['matmul'], layout: number): Kernels['matmul'] =>
    (a, b, c, m, n, k, accumulate, scratch) => {
      const time = (m * n * k) / PRODUCT
      const most = pool.sharesFor(time)
      if (most < 2) return single(a, b, c, m, n, k, accumulate, scratch)
      pool.runShared(number, time, most, (index, shares) => {
        return [layout, a, b, c, m, n, k, accumulate, scratchOf(threaded, index, scratch), index, shares]
      })
    }
  return { matmul: share(exports.matmul, 0), matmulNT: share(exports.matmulNT, 1), matmulTN: share(exports.matmulTN, 2) }
}

function dense(threaded: ThreadedModule): Pick<Kernels, 'denseForward' | 'denseBackward' | 'activationForward' | 'activationBackward'> {
  const { exports, pool } = threaded
  const [forward, gradients] = [pool.numberOf(exports.denseForwardShare), pool.numberOf(exports.denseGradientsShare)]
  const { activationForward, activationBackward } = activations(threaded)
  const denseForward: Kernels['denseForward'] = (x, w, b, z, y, m, k, n, activation, scratch) => {
    const time = (m * n * k) / PRODUCT
    const most = pool.sharesFor(time)
    if (most < 2) return exports.denseForward(x, w, b, z, y, m, k, n, activation, scratch)
    pool.runShared(forward, time, most, (index, shares) => {
      return [x, w, b, z, y, m, k, n, activation, scratchOf(threaded, index, scratch), index, shares]
    })
  }
  const denseBackward: Kernels['denseBackward'] = (x, w, saved, dy, dz, dw, db, dx, m, k, n, activation, accumulate, scratch) => {
    const time = (m * n * k * (dx === 0 ? 1 : 2)) / PRODUCT
    const most = pool.sharesFor(time)
    if (most < 2) return exports.denseBackward(x, w, saved, dy, dz, dw, db, dx, m, k, n, activation, accumulate, scratch)
    // Every share of dw and dx needs all of dz.
    if (activation !== LINEAR) activationBackward(saved, dy, dz, m * n, activation)
    const from = activation === LINEAR ? dy : dz
    pool.runShared(gradients, time, most, (index, shares) => {
      return [x, w, from, dw, db, dx, m, k, n, accumulate, scratchOf(threaded, index, scratch), index, shares]
    })
  }
  return {
    activationForward,
    activationBackward,
    denseForward: shared(denseForward, exports.denseForward, (_x, _w, _b, _z, _y, m, k, n) => (m * n * k) / PRODUCT),
    denseBackward: shared(denseBackward, exports.denseBackward, (...args) => {
      const [dx, m, k, n] = args.slice(7)
      return (m * n * k * (dx === 0 ? 1 : 2)) / PRODUCT
    }),
  }
}

function activations({ exports, pool }: ThreadedModule): Pick<Kernels, 'activationForward' | 'activationBackward'> {
  const [forward, backward] = [pool.numberOf(exports.activationForward), pool.numberOf(exports.activationBackward)]
  const cost = ACTIVATIONS.map((name) => (CHEAP.includes(name) ? RECTIFIER : FUNCTION))
  const activationForward: Kernels['activationForward'] = (x, y, n, activation) => {
    const shares = pool.sharesFor(n * cost[activation])
    if (shares < 2) exports.activationForward(x, y, n, activation)
    else
      pool.runShared(
        forward,
        n * cost[activation],
        shares,
        cut(n, (at, count) => [x + at, y + at, count, activation]),
      )
  }
  const activationBackward: Kernels['activationBackward'] = (saved, dy, dx, n, activation) => {
    const shares = pool.sharesFor(n * cost[activation])
    if (shares < 2) exports.activationBackward(saved, dy, dx, n, activation)
    else
      pool.runShared(
        backward,
        n * cost[activation],
        shares,
        cut(n, (at, count) => [saved + at, dy + at, dx + at, count, activation]),
      )
  }
  return {
    activationForward: shared(activationForward, exports.activationForward, (_x, _y, n, activation) => n * cost[activation]),
    activationBackward: shared(activationBackward, exports.activationBackward, (_s, _dy, _dx, n, activation) => n * cost[activation]),
  }
}

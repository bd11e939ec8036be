/** Profiling: the kernels that a function calls, with sizes, counts and times. */

import { type Backend, defaultBackend } from './backend/index.js'
import { type BasicKernels, BINARY_KERNELS, type Kernel, type Kernels, sameForEach, UNARY_KERNELS } from './backend/kernels.js'
import { clock } from './common/clock.js'
import { plainError, typeError } from './common/errors.js'
import { anything, checkOptions, type Schema } from './common/options.js'
import { show } from './common/show.js'
import { Optimizer } from './optim/base/optimizer.js'

/** Calls of one kernel on the same sizes. */
export interface TracedKernel {
  /** Its name in the contract of kernels, such as `denseForward`; for the updates of an optimizer, its name, such as `Adam`. */
  kernel: string
  /**
   * Sizes under their names in the contract, such as [32, 784, 128] for m, k, n of a dense layer; for an optimizer the number of updated values;
   * empty for kernels without sizes.
   */
  sizes: readonly number[]
  calls: number
  /** Milliseconds of all calls together. */
  ms: number
}

/** Options of {@link trace}. */
export interface TraceOptions {
  /** The backend whose kernels are watched. Default: the one chosen by load(). */
  backend?: Backend
}

/** The result of {@link trace}. Its text (`String(seen)`) is a table. */
export class Trace<T> {
  constructor(
    /** The function's result. */
    readonly result: T,
    /** Kernels by the time that they took, the longest first. */
    readonly kernels: readonly TracedKernel[],
    /** Milliseconds from the call of the function to its end, including time outside of kernels. */
    readonly ms: number,
  ) {}

  /** A line for each kernel and its sizes: calls, milliseconds, share of the total; then the time outside of kernels. */
  toString(): string {
    const inKernels = this.kernels.reduce((sum, { ms }) => sum + ms, 0)
    const share = (ms: number) => `${((100 * ms) / Math.max(this.ms, 1e-9)).toFixed(1)} %`
    const line = (name: string, sizes: string, calls: string, ms: number) => [name, sizes, calls, ms.toFixed(3), share(ms)]
    const rows = [
      ['kernel', 'sizes', 'calls', 'ms', 'share'],
      ...this.kernels.map(({ kernel, sizes, calls, ms }) => line(kernel, sizes.join(' × '), String(calls), ms)),
      line('no kernel', '', '', Math.max(0, this.ms - inKernels)),
      line('total', '', String(this.kernels.reduce((sum, { calls }) => sum + calls, 0)), this.ms),
    ]
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
    const pad = (text: string, column: number) => (column < 2 ? text.padEnd(widths[column]) : text.padStart(widths[column]))
    return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
  }
}

/** Counts one call. */
export const TRACE = { backend: { is: anything } } satisfies Schema<TraceOptions>

type Count = (kernel: string, sizes: readonly number[], ms: number) => void

/** The traces that are running, one at a time for each backend. */
const running = new Map<Backend, Count>()
/** The original `step()` of optimizers, without tracing. */
let step: Optimizer['step']

/**
 * Runs a function, which may be asynchronous, and lists the kernels that it called, with sizes, counts and times. Each call costs some tenths of a
 * microsecond while it runs; otherwise tracing costs nothing.
 *
 * Within it, `fit` makes the calls of a step one by one, instead of running many steps in one call of WebAssembly: the kernels are the same. Programs
 * that a training recorded before the trace began are not seen. With threads, times are measured on the waiting thread.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)])
 * const seen = trace(() => model.predict([[5.1, 3.5, 1.4, 0.2]]))
 * seen.result.shape       // [1, 3]
 * seen.kernels.length     // 2
 * console.log(`${seen}`)
 * // kernel        sizes       calls     ms   share
 * // denseForward  1 × 4 × 16      1  0.003   4.1 %
 * // …
 * const training = await trace(() => fit(model, { inputs, targets, loss: crossEntropy, optimizer: new Adam(model.parameters()) }))
 * @throws TypeError for anything but a function, Error inside another trace of the same backend; errors of the function
 */
export function trace<T>(fn: () => Promise<T>, options?: TraceOptions): Promise<Trace<T>>
export function trace<T>(fn: () => T, options?: TraceOptions): Trace<T>
export function trace<T>(fn: () => T | Promise<T>, options: TraceOptions = {}): Trace<T> | Promise<Trace<T>> {
  if (typeof fn !== 'function') throw typeError(`trace: wants a function to run, got ${show(fn)}`)
  checkOptions('trace', options, TRACE)
  const { backend = defaultBackend() } = options
  if (running.has(backend)) throw plainError('trace: this backend is being traced already; wait for the other trace to end')
  const counts = new Map<string, TracedKernel>()
  const open = backend as { kernels: BasicKernels }
  const before = open.kernels
  const count: Count = (kernel, sizes, ms) => {
    const key = `${kernel} ${sizes.join()}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { kernel, sizes, calls: 1, ms })
    else {
      known.calls++
      known.ms += ms
    }
  }
  if (running.size === 0) step = Optimizer.prototype.step
  running.set(backend, count)
  open.kernels = watched(before, count)
  Optimizer.prototype.step = tracedStep
  const stop = () => {
    open.kernels = before
    running.delete(backend)
    if (running.size === 0) Optimizer.prototype.step = step
  }
  const start = clock.now()
  const finish = (result: T) => {
    const all = [...counts.values()].sort((a, b) => b.ms - a.ms)
    return new Trace(result, all, clock.now() - start)
  }
  let isPending = false
  try {
    const result = fn()
    if (!(result instanceof Promise)) return finish(result)
    isPending = true
    return result.then(finish).finally(stop)
  } finally {
    if (!isPending) stop()
  }
}

/** Milliseconds in kernels since the first trace, to separate an optimizer's own time from the time of its kernels. */
let inKernels = 0

/** `step()` of an optimizer, counted as one call. Its update kernels are not counted, since an optimizer holds them from its construction on. */
function tracedStep(this: Optimizer, ...args: Parameters<typeof step>): ReturnType<typeof step> {
  const { groups } = this
  const count = running.get(groups[0]?.parameters[0]?.backend)
  if (count === undefined) return step.apply(this, args)
  const [start, before] = [clock.now(), inKernels]
  try {
    return step.apply(this, args)
  } finally {
    const size = groups.reduce((sum, { parameters }) => parameters.reduce((total, p) => total + p.size, sum), 0)
    count(this.name, [size], clock.now() - start - (inKernels - before))
  }
}

/** The kernels of a backend, with each call counted. */
function watched(kernels: BasicKernels, count: Count): BasicKernels {
  const wrappers = new Map<string, Kernel>()
  const wrap = (name: string, kernel: Kernel): Kernel => {
    return (...args) => {
      const start = clock.now()
      try {
        return kernel(...args)
      } finally {
        const ms = clock.now() - start
        inKernels += ms
        const [from, to] = SIZES[name as keyof Kernels] ?? NO_SIZES
        count(name, args.slice(from, to), ms)
      }
    }
  }
  // The exports of a module are frozen, so the proxy stands before an empty object.
  return new Proxy({} as BasicKernels, {
    get(_, name: string) {
      const kernel: unknown = kernels[name as keyof BasicKernels]
      // Without this, fit makes the calls one by one (train/fast/program.ts): a program would call the untraced functions inside WebAssembly.
      if (name === 'runProgram') return undefined
      if (typeof kernel !== 'function') return kernel
      let wrapper = wrappers.get(name)
      if (wrapper === undefined) wrappers.set(name, (wrapper = wrap(name, kernel as Kernel)))
      return wrapper
    },
    set(_, name: string, kernel) {
      wrappers.delete(name)
      return Reflect.set(kernels, name, kernel)
    },
  })
}

type Range = readonly [from: number, to: number]

const NO_SIZES: Range = [0, 0]
const LOSS: Range = [5, 7]
const UNARY: Range = [2, 3]
const BINARY: Range = [3, 5]
const REDUCE: Range = [2, 5]

/** The arguments of a kernel that are sizes, from the contract (backend/kernels.ts). Kernels that are missing here are shown without sizes. */
const SIZES: Partial<Record<keyof Kernels, Range>> = {
  ...sameForEach(UNARY_KERNELS, UNARY),
  ...sameForEach(BINARY_KERNELS, BINARY),
  matmul: [3, 6],
  matmulNT: [3, 6],
  matmulTN: [3, 6],
  denseForward: [5, 8],
  denseBackward: [8, 11],
  activationForward: [2, 3],
  activationBackward: [3, 4],
  fill: [1, 2],
  copy: [2, 3],
  addScaled: [2, 3],
  clip: [2, 3],
  transpose: [2, 6],
  gatherRows: [3, 5],
  scatterAddRows: [3, 5],
  toIndices: [2, 4],
  attentionForward: [6, 8],
  attentionBackward: [10, 12],
  attentionRotate: [3, 8],
  batchNormMoments: [3, 5],
  batchNormForward: [6, 8],
  batchNormBackward: [9, 11],
  headLogits: [3, 6],
  headGradient: [5, 9],
  recurrentForward: [8, 11],
  recurrentBackward: [9, 12],
  recurrentWeights: [6, 9],
  reduceSum: REDUCE,
  reduceMax: REDUCE,
  reduceMin: REDUCE,
  argmax: REDUCE,
  cumsum: REDUCE,
  sumSquares: [1, 2],
  sumAbs: [1, 2],
  maxAbs: [1, 2],
  softmax: [2, 4],
  logSoftmax: [2, 4],
  softmaxBackward: [3, 5],
  logSoftmaxBackward: [3, 5],
  squaredError: LOSS,
  absoluteError: LOSS,
  huber: LOSS,
  binaryCrossEntropy: LOSS,
  crossEntropyIndices: LOSS,
  crossEntropyProbabilities: LOSS,
  randomUniform: [1, 2],
  randomNormal: [1, 2],
  dropout: [2, 3],
  permutation: [1, 2],
}

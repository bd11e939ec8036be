/**
 * Threads that run kernels on one memory. The calling thread (main) gives each worker its share, computes one itself, then takes back the shares that
 * no worker has begun, and waits for the others. So it never waits for a thread that the machine has not started yet.
 */
import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import type { Kernel } from '../kernels.js'
import { STACK_BETWEEN } from '../wasm/load.js'
import { fillTable } from '../wasm/table.js'
import { Gain } from './gain.js'
import {
  ASLEEP,
  AWAITED,
  BLOCK,
  type Further,
  GONE,
  IDLE,
  KERNEL,
  LISTEN,
  MAX_ARGUMENTS,
  OPEN,
  STOP,
  type Start,
  TAKEN,
} from './protocol.js'
import { spawn } from './spawn.js'
import type { Thread } from './start.js'

/** Number of checks for the end of a share before main sleeps (if it may sleep): about 200 µs, since waking up takes 50. */
const SPINS_BEFORE_SLEEP = 80_000
/**
 * Smallest amount of work per thread, in nanoseconds. Handing a share over takes half a microsecond; the larger cost is that the other core has to
 * fetch data that this core has just written.
 */
const GRAIN = 16_000

/** True if a kernel of this many nanoseconds stays on one thread for any number of threads. */
export function isSmall(nanoseconds: number): boolean {
  return nanoseconds < 2 * GRAIN
}

/** Upper limit of the number of kernels in the core and all parts. A kind of calls has a number made of kernel and size. */
const MAX_KERNELS = 4096

/** A worker counts as dead if its share takes longer than LIFETIME milliseconds and longer than LIFETIMES times main's share. */
const LIFETIME = 10_000
const LIFETIMES = 100

/** Stops the workers of a pool that was collected. */
const pools = new FinalizationRegistry<Int32Array>((words) => {
  for (let at = 0; at < words.length; at += BLOCK / 4) {
    Atomics.store(words, at, STOP)
    Atomics.notify(words, at)
  }
})

export class Pool {
  /** The blocks of the workers that run. It is empty until all have started. */
  private workers: number[] = []
  /** Resolves once the workers have started, rejects if they cannot. */
  readonly ready: Promise<void>
  private readonly words: Int32Array
  private readonly numbers: Float64Array
  private readonly mayWait: boolean
  private readonly threads: Thread[] = []
  private modules = 0
  /** True while workers may still be adding kernels. */
  private adding = false
  private readonly gain = new Gain()

  /**
   * @param kernels the exports of main's instance, in the same order as in every instance; more may follow ({@link add})
   * @param stacks start of each worker's stack
   */
  constructor(
    private readonly kernels: Kernel[],
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    stacks: readonly number[],
    private readonly table: WebAssembly.Table,
  ) {
    const control = new SharedArrayBuffer(stacks.length * BLOCK)
    this.words = new Int32Array(control)
    this.numbers = new Float64Array(control)
    this.mayWait = mayWait(this.words)
    pools.register(this, this.words)
    const first = this.fillTable(kernels)
    const start = (stack: number, index: number): Start => ({ module, memory, control, index, stack, between: STACK_BETWEEN, first })
    this.ready = Promise.all(stacks.map((stack, index) => spawn(start(stack, index), this.threads))).then(() => {
      this.workers = stacks.map((_, index) => index)
    })
  }

  /** The number of a kernel for {@link run}. */
  numberOf(kernel: unknown): number {
    return this.kernels.indexOf(kernel as Kernel)
  }

  /** Adds the kernels of a further module, which each worker instantiates for itself. Until all workers have done so, main works alone. */
  add(kernels: readonly Kernel[], module: WebAssembly.Module): void {
    this.kernels.push(...kernels)
    const first = this.fillTable(kernels)
    this.adding = true
    this.modules++
    this.threads.forEach((thread, worker) => {
      const at = (worker * BLOCK) / 4
      Atomics.store(this.words, at, LISTEN + this.modules)
      Atomics.notify(this.words, at)
      thread.postMessage({ module, first } satisfies Further)
    })
  }

  /** Number of usable threads, main included: 1 until the workers have started, and fewer after some have died. */
  get size(): number {
    return this.workers.length + 1
  }

  /** Number of threads that may share a kernel of this many nanoseconds. */
  sharesFor(nanoseconds: number): number {
    if (isSmall(nanoseconds) || this.size === 1 || this.isAdding()) return 1
    return Math.min(this.size, Math.floor(nanoseconds / GRAIN))
  }

  /**
   * Runs a kernel (its index in `kernels`) in `shares` shares, or in one if that is as fast; share i of n has the arguments argumentsOf(i, n). Calls
   * of one kernel with the same estimated `nanoseconds` do the same work.
   * @throws errors of a share; Error if a worker has died in the middle of its share
   */
  runShared(kernel: number, nanoseconds: number, shares: number, argumentsOf: (share: number, shares: number) => readonly number[]): void {
    const kind = kernel + MAX_KERNELS * Math.round(nanoseconds)
    const isShared = this.gain.wants(kind)
    const start = clock.now()
    if (isShared) this.run(kernel, shares, (share) => argumentsOf(share, shares))
    else this.kernels[kernel](...argumentsOf(0, 1))
    const took = clock.now() - start
    if (isShared) this.gain.noteShared(kind, took)
    else this.gain.noteAlone(kind, took)
  }

  /** Runs a kernel in `shares` shares. */
  run(kernel: number, shares: number, argumentsOf: (share: number) => readonly number[]): void {
    const { workers } = this
    const start = clock.now()
    const givenAway = Math.min(shares - 1, workers.length)
    for (let i = 0; i < givenAway; i++) this.open(workers[i], kernel, argumentsOf(i + 1))
    try {
      this.kernels[kernel](...argumentsOf(0))
      for (let share = givenAway + 1; share < shares; share++) this.kernels[kernel](...argumentsOf(share))
    } finally {
      const until = clock.now() + Math.max(LIFETIME, LIFETIMES * (clock.now() - start))
      this.finishAll(workers, givenAway, until)
    }
  }

  /** Puts kernels into main's table, as each worker will into its own; returns the index of the first. */
  private fillTable(kernels: readonly Kernel[]): number {
    const first = this.table.length
    fillTable(this.table, kernels, first)
    return first
  }

  private isAdding(): boolean {
    if (!this.adding) return false
    this.adding = this.workers.some((worker) => Atomics.load(this.words, (worker * BLOCK) / 4) >= LISTEN)
    return this.adding
  }

  private open(worker: number, kernel: number, numbers: readonly number[]): void {
    const [at, first] = [(worker * BLOCK) / 4, (worker * BLOCK) / 8 + KERNEL]
    this.numbers[first] = kernel
    for (let i = 0; i < numbers.length; i++) this.numbers[first + 1 + i] = numbers[i]
    Atomics.store(this.words, at, OPEN)
    if (Atomics.load(this.words, at + ASLEEP) === 1) Atomics.notify(this.words, at)
  }

  /** Waits for all shares, even if one fails. @throws the error of the first that failed */
  private finishAll(workers: readonly number[], shares: number, until: number): void {
    let failed: { error: unknown } | undefined
    for (let i = 0; i < shares; i++) {
      try {
        this.finish(workers[i], until)
      } catch (error) {
        failed ??= { error }
      }
    }
    if (failed !== undefined) throw failed.error
  }

  private finish(worker: number, until: number): void {
    const { words } = this
    const at = (worker * BLOCK) / 4
    for (let turn = 0; ; turn++) {
      const state = Atomics.load(words, at)
      if (state === IDLE) return
      if (state === OPEN && Atomics.compareExchange(words, at, OPEN, TAKEN) === OPEN) return this.takeBack(worker)
      if (turn <= SPINS_BEFORE_SLEEP) continue
      if (this.mayWait) this.sleep(at)
      if (clock.now() > until) this.giveUp(worker)
    }
  }

  private takeBack(worker: number): void {
    const first = (worker * BLOCK) / 8 + KERNEL
    const { numbers } = this
    try {
      this.kernels[numbers[first]](...numbers.subarray(first + 1, first + 1 + MAX_ARGUMENTS))
    } finally {
      Atomics.store(this.words, (worker * BLOCK) / 4, IDLE)
      if (Atomics.load(this.words, (worker * BLOCK) / 4 + GONE) === 1) this.dismiss(worker)
    }
  }

  private dismiss(worker: number): void {
    this.workers = this.workers.filter((other) => other !== worker)
  }

  /** A share that was begun cannot be started again, as it may have overwritten its own inputs. */
  private giveUp(worker: number): never {
    this.dismiss(worker)
    throw plainError(
      'a thread has not finished its share of a kernel in 10 s: it has probably died, and what the kernel wrote is not complete; ' +
        'load a saved state, or begin anew, with the threads that are left',
    )
  }

  /** Gives up the processor for a moment, so that a worker without one may run. */
  private sleep(at: number): void {
    const { words } = this
    Atomics.store(words, at + AWAITED, 1)
    Atomics.wait(words, at, TAKEN, 1)
    Atomics.store(words, at + AWAITED, 0)
  }
}

/** True if this thread may sleep; the main thread of a page may not. */
function mayWait(words: Int32Array): boolean {
  try {
    return Atomics.wait(words, 0, IDLE, 0) === 'timed-out'
  } catch {
    return false
  }
}

/**
 * The program of a worker thread. It waits for work in the words of its block (protocol.ts): first by polling, which responds within a microsecond,
 * then asleep.
 *
 * A worker is started from a string (spawn.ts), so that it needs no file of its own with any bundler. The string is this file with its imports,
 * bundled by ts/build/worker.mjs. No other file may import it, because it starts to listen as soon as it runs.
 */
import type { Kernel } from '../kernels.js'
import { fillTable } from '../wasm/table.js'
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

/** Milliseconds without work after which a worker goes to sleep. */
const IDLE_BEFORE_SLEEP_MS = 0.2
/** Number of checks of the state between two readings of the clock. */
const LOOKS = 256

/** The port for messages of the main thread: Node's `parentPort`, or the global scope of a worker in a page. */
interface Port {
  postMessage(value: unknown): void
  close(): void
  on?(event: 'message', listener: (data: unknown) => void): void
}

class KernelWorker {
  private readonly memory: WebAssembly.Memory
  private readonly stack: number
  private readonly words: Int32Array
  private readonly numbers: Float64Array
  /** Start of its block, in 32-bit words and in doubles. */
  private readonly at: number
  private readonly first: number
  private readonly kernels: Kernel[] = []
  /** The table of the first module. */
  private table: WebAssembly.Table | undefined
  private readonly arguments: number[] = Array(MAX_ARGUMENTS).fill(0)
  /** Modules that came after the first one. */
  private modules = 0

  constructor({ module, memory, control, index, stack, between, first }: Start) {
    this.memory = memory
    this.stack = stack - between
    this.words = new Int32Array(control)
    this.numbers = new Float64Array(control)
    this.at = (index * BLOCK) / 4
    this.first = (index * BLOCK) / 8 + KERNEL
    this.instantiate({ module, first }, stack)
  }

  /** Adds the kernels of a further module. True once no other module is on its way. */
  add(further: Further): boolean {
    this.instantiate(further, this.stack)
    const listening = LISTEN + ++this.modules
    return Atomics.compareExchange(this.words, this.at, listening, IDLE) === listening
  }

  /** Runs the kernels that are put into the block. Returns true if modules have to be received first, false when the worker must end. */
  work(): boolean {
    const { words, at } = this
    let idleSince = 0
    for (let looks = 1; ; looks++) {
      const state = Atomics.load(words, at)
      if (state >= LISTEN) return true
      if (state === STOP) return false
      if (state === OPEN && Atomics.compareExchange(words, at, OPEN, TAKEN) === OPEN) {
        if (!this.run()) return false
        looks = idleSince = 0
      }
      pause()
      if (looks % LOOKS !== 0) continue
      const now = performance.now()
      if (idleSince === 0) idleSince = now
      if (now - idleSince < IDLE_BEFORE_SLEEP_MS) continue
      this.sleep()
      idleSince = 0
    }
  }

  /** Runs the kernel in the block. False if it threw: the main thread then repeats it, and throws its error. */
  private run(): boolean {
    const { words, numbers, at, first, kernels } = this
    for (let i = 0; i < MAX_ARGUMENTS; i++) this.arguments[i] = numbers[first + 1 + i]
    try {
      kernels[numbers[first]](...this.arguments)
    } catch {
      Atomics.store(words, at + GONE, 1)
      Atomics.store(words, at, OPEN)
      return false
    }
    Atomics.store(words, at, IDLE)
    if (Atomics.load(words, at + AWAITED) === 1) Atomics.notify(words, at)
    return true
  }

  private sleep(): void {
    const { words, at } = this
    Atomics.store(words, at + ASLEEP, 1)
    Atomics.wait(words, at, IDLE)
    Atomics.store(words, at + ASLEEP, 0)
  }

  private instantiate({ module, first }: Further, stack: number): void {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.memory } })
    ;(exports.__stack_pointer as WebAssembly.Global).value = stack
    const kernels = Object.values(exports) as Kernel[]
    this.kernels.push(...kernels)
    this.table ??= exports.table as WebAssembly.Table
    fillTable(this.table, kernels, first)
  }
}

const host = globalThis as {
  process?: { getBuiltinModule?(name: string): { parentPort: Port | null } }
}
const port = host.process?.getBuiltinModule?.('node:worker_threads').parentPort ?? (globalThis as unknown as Port)
const pause: () => void = (Atomics as { pause?(): void }).pause ?? (() => {})
let worker: KernelWorker | undefined

/** The first message is the start message; later ones are further modules. */
function receive(message: unknown): void {
  let isComplete = true
  if (worker === undefined) {
    worker = new KernelWorker(message as Start)
    port.postMessage('ready')
  } else isComplete = worker.add(message as Further)
  if (isComplete && !worker.work()) port.close()
}

if (port.on) port.on('message', receive)
else globalThis.onmessage = ({ data }) => receive(data)

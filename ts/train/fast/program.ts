/**
 * Programs: the kernel calls of a step, which WebAssembly runs without JavaScript, many steps in one call (crate/abi/program.rs). One step of a
 * program may consist of several batches and one update (step-program.ts).
 *
 * A call names its kernel by its index in the module's function table (backend/wasm/table.ts). Arguments may move: grow by a fixed amount from one
 * step to the next, as the address of the next batch does.
 */
import { type BasicKernels, FLOAT_ARGUMENTS, type Kernel, type Ptr, type WrappedKernel } from '../../backend/kernels.js'
import { tableIndexOf } from '../../backend/wasm/table.js'
import type { PlainCall } from '../../optim/base/step-scheme.js'
import type { Generator } from '../../random.js'

/** A kernel as it was called. */
export interface KernelCall extends PlainCall {
  /** For an argument that counts the draws of a generator: which argument, the generator, and the number of earlier draws in the step. */
  counter: Counter | null
}

/** An argument that is the counter of a random generator. */
export interface Counter {
  /** Its index among the arguments. */
  argument: number
  generator: Generator
  /** Draws of the same step that came before. */
  offset: number
  /** Draws of the whole step. */
  perStep: number
}

/** Word 0 of an instruction that is not a kernel call: it copies a float, such as the loss, and ends the run if it is not finite. */
const FINITE_TEST = 0

/** The exports of the WebAssembly module that run programs. */
interface Runner {
  table: WebAssembly.Table
  runProgram(program: Ptr, words: number, moves: Ptr, moved: number, steps: number): number
}

/** The kernel that a program may call in the place of this one, on one thread; null for a call that threads would share. */
export function onOneThread(kernel: unknown, args: readonly number[]): Kernel | null {
  const { single, isSmall } = kernel as Partial<WrappedKernel>
  if (single === undefined || isSmall === undefined) return kernel as Kernel
  return isSmall(...args) ? single : null
}

/** The kernel on one thread, however large the call is. */
export function unshared(kernel: unknown): unknown {
  return (kernel as Partial<WrappedKernel>).single ?? kernel
}

/** An update of an optimizer: the kernel and its arguments except the last, the address of its hyper-parameters. */
export interface UpdateCall {
  kernel: unknown
  args: readonly number[]
}

/** Words of an update (`Update` in kernels.ts has six arguments), with its move. */
const UPDATE_WORDS = 2 + 6 + 2

/** A program: written call by call, then placed in memory, and run with updates that may change from run to run. */
export class Program {
  readonly words: number[] = []
  /** Pairs of a word and its increment. */
  private readonly moves: number[] = []
  private readonly counters: { word: number; counter: Counter }[] = []
  private readonly runner: Runner
  address: Ptr = 0
  private fixed: readonly [words: number, moves: number] = [0, 0]
  /** True if the memory holds the words as written: a run leaves moved arguments behind. */
  private isWritten = false

  private constructor(runner: Runner) {
    this.runner = runner
  }

  /** An empty program; null if the kernels are not WebAssembly's own. */
  static of(kernels: BasicKernels): Program | null {
    const runner = kernels as unknown as Runner
    return typeof runner.runProgram === 'function' ? new Program(runner) : null
  }

  /** Keeps a float of each step, such as its loss, at `to`, which grows by `increment` bytes per step; the run ends if the float is not finite. */
  addFiniteTest(from: Ptr, to: Ptr, increment: number): void {
    this.words.push(FINITE_TEST, from, to)
    this.move(-1, increment)
  }

  /** Adds a call of any kernel. Returns false, and adds nothing, if programs cannot call it: a kernel in JavaScript, or a call that threads share. */
  add({ name, kernel, args, counter = null }: PlainCall & Partial<KernelCall>): boolean {
    const own = onOneThread(kernel, args)
    if (own === null) return false
    const start = this.words.length + 2
    try {
      this.write(name, own, args)
    } catch (error) {
      if (error instanceof TypeError) return false
      throw error
    }
    if (counter === null) return true
    const word = start + counter.argument
    this.counters.push({ word, counter })
    this.moves.push(word, counter.perStep)
    return true
  }

  /** Adds a call whose arguments grow from one step to the next: index and increment of each. */
  addMoving(
    name: string,
    kernel: unknown,
    args: readonly number[],
    moves: readonly (readonly [argument: number, increment: number])[] = [],
  ): void {
    const start = this.words.length + 2
    this.write(name, kernel, args)
    for (const [argument, increment] of moves) this.moves.push(start + argument, increment)
  }

  /** Allocates memory for the words, and for `updates` updates and calls after them. */
  place(allocate: (bytes: number) => Ptr, updates: number): void {
    this.fixed = [this.words.length, this.moves.length]
    this.address = allocate(4 * (this.words.length + this.moves.length + UPDATE_WORDS * updates))
  }

  /**
   * Sets the updates at the end of each step, all small enough for one thread. The hyper-parameters of update i are at `rows` + i·bytes; the
   * hyper-parameters of the next step follow. The calls of `after` follow the updates.
   */
  setUpdates(updates: readonly UpdateCall[], rows: Ptr, bytes: number, after: readonly PlainCall[] = []): void {
    ;[this.words.length, this.moves.length] = this.fixed
    for (const [i, { kernel, args }] of updates.entries()) {
      this.write('update', onOneThread(kernel, args), [...args, rows + i * bytes])
      this.move(-1, updates.length * bytes)
    }
    for (const call of after) this.add(call)
    this.isWritten = false
  }

  /** Runs up to `steps` steps; returns the number of finished steps. */
  run(ints: Int32Array, steps: number): number {
    const moved = this.begin(ints, steps)
    const { words, address } = this
    return this.runner.runProgram(address, words.length, address + 4 * words.length, moved, steps)
  }

  /** Writes the words for the first of `steps` steps to memory; returns the number of moving arguments. */
  begin(ints: Int32Array, steps: number): number {
    const { words, moves, address, counters } = this
    const moved = steps > 1 ? moves.length : 0
    if (!this.isWritten) {
      ints.set(words, address / 4)
      ints.set(moves, address / 4 + words.length)
    }
    for (let i = 0; i < counters.length; i++) {
      const { word, counter } = counters[i]
      ints[address / 4 + word] = counter.generator.counter + counter.offset
    }
    // without moving arguments the words stay as written
    this.isWritten = moved === 0
    return moved / 2
  }

  private write(name: string, kernel: unknown, args: readonly number[]): void {
    const types = FLOAT_ARGUMENTS[name] ?? NO_FLOATS
    const integers = args.length - types.length
    const index = tableIndexOf(this.runner.table, kernel)
    const [of, shift] = types[0] === 'f64' ? [doubleWords, 16] : [floatWords, 8]
    this.words.push(integers | (types.length << shift), index, ...args.slice(0, integers), ...args.slice(integers).flatMap(of))
  }

  private move(word: number, increment: number): void {
    this.moves.push(this.words.length + word, increment)
  }
}

const NO_FLOATS: readonly string[] = []
const doubles = new Float64Array(1)
const floats = new Float32Array(doubles.buffer)
const bits = new Int32Array(doubles.buffer)

function floatWords(value: number): number[] {
  floats[0] = value
  return [bits[0]]
}

function doubleWords(value: number): number[] {
  doubles[0] = value
  return [bits[0], bits[1]]
}

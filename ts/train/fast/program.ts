/**
 * Programs: a list of kernel calls that WebAssembly runs by itself, many times in one call (crate/abi/program.rs).
 *
 * A call names its kernel by its place in the module's function table, where exports are put on first use. Arguments may
 * move: grow by a fixed amount from one run to the next, as the address of the next batch does.
 */
import type { Kernels, Ptr } from '../../backend/kernels.js'

/** A kernel as it was called. */
export interface KernelCall {
  name: string
  kernel: Kernel
  args: readonly number[]
}

/** How the arguments of a kernel are written: as many whole numbers, or {@link FLOATS}. */
export const FORMS: Readonly<Record<string, number>> = {
  copy: 3,
  activationForward: 4,
  activationBackward: 5,
  add: 9,
  denseForward: 10,
  denseBackward: 14,
  ...Object.fromEntries(
    ['squaredError', 'absoluteError', 'huber', 'binaryCrossEntropy', 'crossEntropyIndices', 'crossEntropyProbabilities'].map((name) => [
      name,
      1,
    ]),
  ),
}
/** Takes the loss from one address to another, and ends the run where it is not finite. */
const LOSS = 0
/** Seven whole numbers, then two floats. */
export const FLOATS = 1
/** Every update of an optimizer (`Update` in kernels.ts). */
export const UPDATE = 6

/** What a WebAssembly module has for programs. */
interface Runner {
  table: WebAssembly.Table
  runProgram(program: Ptr, words: number, moves: Ptr, moved: number, steps: number): number
}

const placed = new WeakMap<WebAssembly.Table, Map<unknown, number>>()

/** The place of an export in the function table. @throws TypeError for a function that is no export of WebAssembly */
function placeOf(table: WebAssembly.Table, kernel: unknown): number {
  let places = placed.get(table)
  if (!places) placed.set(table, (places = new Map()))
  let place = places.get(kernel)
  if (place === undefined) {
    place = table.grow(1)
    table.set(place, kernel)
    places.set(kernel, place)
  }
  return place
}

type Kernel = (...args: number[]) => unknown

/** What threads add to a kernel that they share (threads/split.ts): the kernel on one thread, and which calls stay there. */
interface Shared {
  whole: Kernel
  isSmall(...args: readonly number[]): boolean
}

/** The kernel that a program may call in the place of this one; null for a call that threads would share. */
export function onOneThread(kernel: unknown, args: readonly number[]): Kernel | null {
  const { whole, isSmall } = kernel as Partial<Shared>
  if (whole === undefined || isSmall === undefined) return kernel as Kernel
  return isSmall(...args) ? whole : null
}

/** An update of an optimizer: the kernel and its arguments but the last, which is where its hyper-parameters are. */
export interface UpdateCall {
  kernel: unknown
  args: readonly number[]
}

/** Words of an update, with its move. */
const UPDATE_WORDS = 2 + UPDATE + 2

/** A program: written call by call, then placed in memory, and run with updates that may change from run to run. */
export class Program {
  private readonly words: number[] = []
  /** Pairs of a word and what it grows by. */
  private readonly moves: number[] = []
  private readonly runner: Runner
  private address: Ptr = 0
  private fixed: readonly [words: number, moves: number] = [0, 0]

  private constructor(runner: Runner) {
    this.runner = runner
  }

  /** An empty program; null where the kernels are not WebAssembly's own. */
  static of(kernels: Kernels): Program | null {
    const runner = kernels as unknown as Runner
    return typeof runner.runProgram === 'function' ? new Program(runner) : null
  }

  /** A copy of rows that lie behind each other, one batch further at each step. */
  addCopy(kernel: unknown, from: Ptr, to: Ptr, floats: number): void {
    this.write(FORMS.copy, kernel, [from, to, floats])
    this.move(-3, 4 * floats)
  }

  /** Keeps the loss of each step in a row of floats at `to`, and ends the run where it is not finite. */
  addLoss(from: Ptr, to: Ptr): void {
    this.words.push(LOSS, from, to)
    this.move(-1, 4)
  }

  /** Any kernel; false, and nothing written, if programs cannot call it. */
  add({ name, kernel, args }: KernelCall): boolean {
    const form = FORMS[name]
    const own = onOneThread(kernel, args)
    if (form === undefined || own === null) return false
    try {
      this.write(form, own, form === FLOATS ? [...args.slice(0, 7), ...args.slice(7).map(floatBits)] : args)
      return true
    } catch (error) {
      if (error instanceof TypeError) return false
      throw error
    }
  }

  /** Finds room for what was written, and for so many updates. */
  place(allocate: (bytes: number) => Ptr, updates: number): void {
    this.fixed = [this.words.length, this.moves.length]
    this.address = allocate(4 * (this.words.length + this.moves.length + UPDATE_WORDS * updates))
  }

  /**
   * What each step ends with, small enough for one thread; the hyper-parameters of update i are at `rows` + i·bytes, those of the
   * next step behind the last.
   */
  setUpdates(updates: readonly UpdateCall[], rows: Ptr, bytes: number): void {
    ;[this.words.length, this.moves.length] = this.fixed
    updates.forEach(({ kernel, args }, i) => {
      this.write(UPDATE, onOneThread(kernel, args), [...args, rows + i * bytes])
      this.move(-1, updates.length * bytes)
    })
  }

  /** Runs up to `steps` steps; returns how many it finished. */
  run(ints: Int32Array, steps: number): number {
    const { words, moves, address } = this
    ints.set(words, address / 4)
    ints.set(moves, address / 4 + words.length)
    return this.runner.runProgram(address, words.length, address + 4 * words.length, moves.length / 2, steps)
  }

  private write(form: number, kernel: unknown, args: readonly number[]): void {
    this.words.push(form, placeOf(this.runner.table, kernel), ...args)
  }

  private move(word: number, increment: number): void {
    this.moves.push(this.words.length + word, increment)
  }
}

const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

function floatBits(value: number): number {
  float[0] = value
  return bits[0]
}

/** The memory that kernels read and write, as ranges: for checks of calls. */

/** A byte offset into the linear memory of a backend. */
export type Ptr = number

/** Room for packed panels that the heap reserves once and passes to every matrix kernel. */
export const SCRATCH_BYTES = 1 << 20

/** The memory that a kernel reads or writes through one of its arguments. */
export interface MemoryRange {
  argument: string
  at: Ptr
  elements: number
  /** Bytes of one element. */
  bytes: number
  isOutput: boolean
  /** The inputs that may lie at the same address. */
  mayEqual: readonly string[]
}

/** Computes the memory ranges of a kernel from the arguments of a call. */
export type Ranges = (maker: RangeMaker, ...args: number[]) => MemoryRange[]

/** Describes the memory of kernel arguments as ranges of floats or whole numbers in a heap. */
export class RangeMaker {
  constructor(readonly heap: { readonly elementSize: number; intView(at: Ptr, length: number): Int32Array }) {}

  input(argument: string, at: Ptr, elements: number): MemoryRange {
    return { argument, at, elements, bytes: this.heap.elementSize, isOutput: false, mayEqual: [] }
  }

  output(argument: string, at: Ptr, elements: number, ...mayEqual: string[]): MemoryRange {
    return { argument, at, elements, bytes: this.heap.elementSize, isOutput: true, mayEqual }
  }

  integers(argument: string, at: Ptr, elements: number): MemoryRange {
    return { ...this.input(argument, at, elements), bytes: 4 }
  }

  /** One side of a broadcast. */
  side(argument: string, at: Ptr, rows: number, cols: number, row: number, column: number): MemoryRange {
    return this.input(argument, at, rows * cols === 0 ? 0 : (rows - 1) * row + (cols - 1) * column + 1)
  }

  scratch(at: Ptr): MemoryRange {
    return { ...this.output('scratch', at, SCRATCH_BYTES), bytes: 1 }
  }
}

/** An argument that is absent if its address is 0. */
export const optional = (span: MemoryRange): MemoryRange => (span.at === 0 ? { ...span, elements: 0 } : span)

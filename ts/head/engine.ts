/**
 * The engine of heads: two kernels on a memory of their own. They are 8 kB of WebAssembly, which are there within a millisecond, where the engine of nets
 * takes tens of them, and they have the same bits everywhere: the variant `simd`.
 */
import { BUNDLE, type HeadKernels, placeOf } from '../backend/head-kernels.js'
import { ArrayBufferSource, Heap, WasmMemorySource } from '../backend/heap.js'
import type { Ptr } from '../backend/kernels.js'
import { HEAD, withHead } from '../backend/rooms/head.js'
import { withMemoryImported } from '../backend/wasm/imported-memory.js'
import { bytesOf } from '../backend/wasm/module-text.js'
import type { WasmExports } from '../backend/wasm/types.js'
import { variantOf } from '../backend/wasm/variants.js'
import type { Rows } from './vectors.js'

interface Engine {
  readonly heap: Heap
  readonly kernels: HeadKernels
}

/** Bytes of the stack, below everything else. Kernels use less than 1 kB. */
const STACK = 1 << 15

let engine: Engine | undefined

/** The engine that all heads share. In a runtime that does not compile bytes it is the loops in JavaScript. */
export function engineOfHeads(): Engine {
  engine ??= compiled() ?? looped()
  return engine
}

/** For tests: begins anew with the loops in JavaScript, or with WebAssembly. */
export function chooseEngine(kind: 'js' | 'wasm'): void {
  engine = kind === 'js' ? looped() : compiled()
}

function compiled(): Engine | undefined {
  try {
    const module = new WebAssembly.Module(withMemoryImported(variantOf(bytesOf(HEAD.text), 'simd'), false))
    const memory = new WebAssembly.Memory({ initial: 1 })
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as WasmExports
    kernels.__stack_pointer.value = STACK
    return { heap: new Heap(new WasmMemorySource(memory), STACK), kernels }
  } catch {
    // no WebAssembly, none with SIMD, or a page or server that forbids to compile
    return undefined
  }
}

function looped(): Engine {
  const heap = new Heap(new ArrayBufferSource(), 0)
  return { heap, kernels: withHead.loops(heap) }
}

/** Memory of one owner, which is free again after `free()`, or when the owner is collected. */
export class Memory {
  readonly engine = engineOfHeads()
  readonly #pieces = new Set<Ptr>()
  #bytes = 0

  constructor() {
    unused.register(this, { heap: this.engine.heap, pieces: this.#pieces })
  }

  /** Zeros. */
  allocate(bytes: number): Ptr {
    const { heap } = this.engine
    const at = heap.allocate(bytes, 'fresh')
    this.#pieces.add(at)
    this.#bytes += bytes
    return at
  }

  /** Shows the collector how large it is, for an owner that may live on. */
  weigh(): void {
    this.engine.heap.weigh(this, this.#bytes)
  }

  /** Frees some pieces. Default: all of them. */
  free(pieces: Iterable<Ptr> = this.#pieces): void {
    for (const at of pieces) if (this.#pieces.delete(at)) this.engine.heap.free(at)
  }
}

interface Pieces {
  heap: Heap
  pieces: Set<Ptr>
}

const unused = /* @__PURE__ */ new FinalizationRegistry<Pieces>(release)

function release({ heap, pieces }: Pieces): void {
  for (const at of pieces) heap.free(at)
  pieces.clear()
}

/** The next multiple of the number that rows and columns come in. */
export const whole = (n: number) => Math.ceil(n / BUNDLE) * BUNDLE

/** Rows of a block at most. */
export const BLOCK = 512

/**
 * x·W + b of rows.
 *
 * @param weights of each output [outputs, width]
 * @param take gets the outputs of each row, by the number of the row
 */
export function eachOutput(
  rows: Rows,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  take: (z: Float32Array, row: number) => void,
): void {
  const { vectors, count, width } = rows
  const outputs = bias.length
  const columns = whole(width + 1)
  const memory = new Memory()
  const { heap, kernels } = memory.engine
  const capacity = whole(Math.min(BLOCK, count))
  const [x, w, z] = [capacity * columns, outputs * columns, capacity * outputs].map((floats) => memory.allocate(4 * floats))
  for (let c = 0; c < outputs; c++) {
    const at = w / 4 + c * columns
    for (let j = 0; j < width; j++) heap.floats[at + j] = weights[c * width + j]
    heap.floats[at + width] = bias[c]
  }
  const own = new Float32Array(outputs)
  for (let from = 0; from < count; from += capacity) {
    const here = Math.min(capacity, count - from)
    for (let i = 0; i < here; i++) {
      const at = x / 4 + i * columns
      heap.floats.set(vectors.subarray((from + i) * width, (from + i + 1) * width), at)
      heap.floats[at + width] = 1
    }
    kernels.headLogits(x, w, z, whole(here), columns, outputs)
    for (let i = 0; i < here; i++) {
      for (let c = 0; c < outputs; c++) own[c] = heap.floats[z / 4 + placeOf(i, c, outputs)]
      take(own, from + i)
    }
  }
  memory.free()
}

/**
 * Every backend that this runtime can load, and the room in which the kernel tests run them: buffers at any alignment
 * with canary words around each, so that overruns, lost inputs and unwritten outputs show.
 */

import type { DType, Heap } from '../../ts/backend/heap.js'
import { createBackend } from '../../ts/backend/index.js'
import { checkKernels } from '../../ts/backend/js/checked.js'
import type { Kernels, Ptr } from '../../ts/backend/kernels.js'
import { supportedVariants } from '../../ts/backend/wasm/load.js'
import { LOSSES, OPERATIONS, OTHERS, UPDATES } from '../../ts/backend/wasm/parts.js'
import type { Variant } from '../../ts/backend/wasm/variants.js'

export interface TestBackend {
  readonly label: string
  readonly kernels: Kernels
  readonly heap: Heap
  readonly float64: boolean
  /** Unit roundoff u: an operation's relative error at best. */
  readonly unit: number
}

/** All backends: js float32, js float64, both with every call checked, and the WebAssembly variants that validate. */
export const backends: readonly TestBackend[] = [jsBackend('float32'), jsBackend('float64'), ...supportedVariants().map(wasmBackend)]

/** Sizes that use every vector loop and its remainder. */
export const SIZES: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 33, 65, 100]
export const INF = Number.POSITIVE_INFINITY
/** Below the smallest normal float32 a computed function may round to 0. */
export const SMALLEST = 2 ** -126

function jsBackend(dtype: DType): TestBackend {
  const { kernels, heap } = checkKernels(createBackend({ backend: 'js', dtype }))
  const float64 = dtype === 'float64'
  return { label: `js ${dtype}`, kernels, heap, float64, unit: float64 ? 2 ** -53 : 2 ** -24 }
}

function wasmBackend(variant: Variant): TestBackend {
  const backend = createBackend({ backend: 'wasm', variant })
  const { heap } = backend
  const kernels: Kernels = Object.assign({}, ...[LOSSES, OPERATIONS, OTHERS, UPDATES].map((part) => backend.part(part)), backend.kernels)
  return { label: `wasm ${variant}`, kernels, heap, float64: false, unit: 2 ** -24 }
}

/** A NaN whose bits nothing computes: reading past an end poisons the result, writing past it changes the word. */
const CANARY = 0x7fc5a5a5
const CANARY_WORDS = 16
const ROOM_BYTES = 3 << 20

interface Buffer {
  ptr: Ptr
  words: number
  /** Words that must not change. */
  before?: Int32Array
}

/** Bump-allocated buffers in one block of a backend's heap; {@link Room.reset} starts over. */
export class Room {
  private readonly base: Ptr
  private next: Ptr
  private buffers: Buffer[] = []
  readonly backend: TestBackend

  constructor(backend: TestBackend) {
    this.backend = backend
    this.base = backend.heap.allocate(ROOM_BYTES)
    this.next = this.base
  }

  /** A read-only buffer of floats, `offset` elements off a 64-byte boundary. */
  input(values: ArrayLike<number>, offset = 0): Ptr {
    const ptr = this.place(values, offset)
    this.protect()
    return ptr
  }

  /** A read-only buffer of 32-bit integers. */
  indices(values: ArrayLike<number>): Ptr {
    const { ptr } = this.take(values.length * 4, 0)
    this.backend.heap.intView(ptr, values.length).set(values)
    this.protect()
    return ptr
  }

  /** A buffer that the kernel may write; NaN to begin with. */
  output(length: number, offset = 0): Ptr {
    return this.place(new Float64Array(length).fill(Number.NaN), offset)
  }

  /** A buffer that the kernel may write, with contents. */
  inout(values: ArrayLike<number>, offset = 0): Ptr {
    return this.place(values, offset)
  }

  /** Room for `length` 32-bit results, −1 to begin with. */
  intOutput(length: number): Ptr {
    const { ptr } = this.take(length * 4, 0)
    this.backend.heap.intView(ptr, length).fill(-1)
    return ptr
  }

  read(ptr: Ptr, length: number): number[] {
    return Array.from(this.backend.heap.view(ptr, length))
  }

  readInts(ptr: Ptr, length: number): number[] {
    return Array.from(this.backend.heap.intView(ptr, length))
  }

  /** Throws if a canary or a protected word changed. */
  check(what: string): void {
    this.checkNull(what)
    for (const { ptr, words, before } of this.buffers) {
      const around = this.backend.heap.intView(ptr - CANARY_WORDS * 4, words + 2 * CANARY_WORDS)
      for (let i = 0; i < CANARY_WORDS; i++) {
        if (around[i] !== CANARY) throw new Error(`${what}: wrote ${CANARY_WORDS - i} words before a buffer of ${words}`)
        if (around[CANARY_WORDS + words + i] !== CANARY) throw new Error(`${what}: wrote word ${words + i} of a buffer of ${words}`)
      }
      for (let i = 0; before && i < words; i++) {
        if (around[CANARY_WORDS + i] !== before[i]) throw new Error(`${what}: changed word ${i} of an input`)
      }
    }
  }

  /** Throws if a kernel of the JS backend wrote through an absent pointer: its heap begins at 64 and the rest is never used. */
  private checkNull(what: string): void {
    const { label, heap } = this.backend
    if (label.startsWith('js') && heap.ints.subarray(0, 16).some((word) => word !== 0)) throw new Error(`${what}: wrote to pointer 0`)
  }

  reset(): void {
    this.next = this.base
    this.buffers = []
  }

  private place(values: ArrayLike<number>, offset: number): Ptr {
    const { heap } = this.backend
    const { ptr } = this.take(values.length * heap.elementSize, offset * heap.elementSize)
    heap.view(ptr, values.length).set(values)
    return ptr
  }

  private take(bytes: number, offset: number): Buffer {
    const ptr = Math.ceil((this.next + CANARY_WORDS * 4) / 64) * 64 + offset
    const words = bytes / 4
    this.next = ptr + bytes + CANARY_WORDS * 4
    if (this.next > this.base + ROOM_BYTES) throw new Error('test room is full')
    this.backend.heap.intView(ptr - CANARY_WORDS * 4, words + 2 * CANARY_WORDS).fill(CANARY)
    const buffer: Buffer = { ptr, words }
    this.buffers.push(buffer)
    return buffer
  }

  private protect(): void {
    const last = this.buffers[this.buffers.length - 1]
    last.before = this.backend.heap.intView(last.ptr, last.words).slice()
  }
}

/** Runs one case in a clean room and checks the canaries after it. */
export function inRoom(room: Room, what: string, run: (kernels: Kernels) => void): void {
  room.reset()
  run(room.backend.kernels)
  room.check(what)
}

/**
 * Throws unless |actual − expected| ≤ tolerance for every element. NaN matches NaN; beyond the largest float of the
 * backend only the infinity of that sign matches.
 */
export function assertClose(
  backend: TestBackend,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: (i: number) => number,
  what: string,
): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} values, expected ${expected.length}`)
  for (let i = 0; i < expected.length; i++) {
    const wanted = backend.float64 ? expected[i] : overflow(expected[i])
    const got = actual[i]
    if (Object.is(got, wanted) || got === wanted) continue
    if (Number.isFinite(got) && Number.isFinite(expected[i]) && Math.abs(got - expected[i]) <= tolerance(i)) continue
    const allowed = tolerance(i)
    throw new Error(`${backend.label} ${what}: [${i}] is ${got}, expected ${expected[i]}, off by ${got - expected[i]}, allowed ${allowed}`)
  }
}

/** Throws unless every element is the correctly rounded value; the sign of zero counts when `signed`. */
export function assertExact(
  backend: TestBackend,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  signed = false,
): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} values, expected ${expected.length}`)
  for (let i = 0; i < expected.length; i++) {
    const wanted = backend.float64 ? expected[i] : Math.fround(expected[i])
    if (Object.is(actual[i], wanted) || (!signed && actual[i] === wanted)) continue
    throw new Error(`${backend.label} ${what}: [${i}] is ${actual[i]}, expected ${wanted}`)
  }
}

/** Values too large for a float32 become infinite, all others stay. */
function overflow(x: number): number {
  return Number.isFinite(Math.fround(x)) ? x : Math.fround(x)
}

/** Reproducible numbers for tests, from a generator that the library does not use (mulberry32). */
export function numbers(seed: number): {
  unit(): number
  normal(): number
  list(n: number, scale?: number): number[]
  int(n: number): number
} {
  let state = seed >>> 0
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit())
  const list = (n: number, scale = 1) => Array.from({ length: n }, () => Math.fround(scale * normal()))
  return { unit, normal, list, int: (n) => Math.floor(unit() * n) }
}

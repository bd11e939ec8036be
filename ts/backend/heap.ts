/**
 * The linear memory of a backend and the only maker of typed-array views into it.
 *
 * Permanent blocks (parameters, gradients, optimizer state) come from {@link Heap.allocate} and go back with
 * {@link Heap.free}; the step arena (arena.ts) takes its chunks from the same place. Memory only grows, and growing
 * detaches every earlier view, so views are made here on demand and never stored across an allocation.
 */
import { OutOfMemoryError, plainError } from '../common/errors.js'
import { FreeBlocks } from './free-blocks.js'
import { type Ptr, SCRATCH_BYTES } from './kernels.js'
import type { WasmExports } from './wasm/types.js'

/** Precision of a backend's floats. */
export type DType = 'float32' | 'float64'
/** Floats in the precision of a backend. */
export type FloatArray = Float32Array | Float64Array

/** Source of the memory: a WebAssembly.Memory, or a growable ArrayBuffer of the JS backend. */
export interface MemorySource {
  readonly buffer: ArrayBuffer
  /** Makes at least `bytes` available; throws when that is not possible. Existing contents stay. */
  grow(bytes: number): void
}

/**
 * Contents of a new block. `zeros`: zeros. `fresh`: zeros too, for a caller that writes before it reads: unused memory is zero anyway, and stays
 * untouched until it is written. (A page that is read first costs the machine twice, once for the zeros and once for the replacement.) `any`: the old
 * content of the memory.
 */
export type Contents = 'zeros' | 'fresh' | 'any'

/** Blocks start on 64-byte boundaries: a cache line, and any vector width. */
const ALIGN = 64
const roundUp = (bytes: number) => Math.ceil(bytes / ALIGN) * ALIGN

/** From this limit on, a heap has room enough until a collector runs that begins after 64 MiB, even a slow one. */
const COLLECTED_IN_TIME = 256 << 20

const ballast = new WeakMap<object, ArrayBuffer>()

export class Heap {
  /** Every float of the memory; valid until the next allocation. Index with `ptr / elementSize`. */
  floats!: FloatArray
  /** Every 32-bit integer of the memory; valid until the next allocation. Index with `ptr / 4`. */
  ints!: Int32Array
  /** Every double of the memory, for any precision of its floats; valid until the next allocation. Index with `ptr / 8`. */
  doubles!: Float64Array
  /** Grows by one each time the memory does: views made under another version are stale. */
  version = 0
  /** Bytes per float: 4, or 8 in double precision. */
  readonly elementSize: number
  /** Room for packed panels, passed to every matrix kernel. */
  readonly scratch: Ptr
  /** Bytes that are allocated at present. */
  usedBytes = 0

  private readonly sizes = new Map<Ptr, number>()
  private readonly unused = new FreeBlocks()
  private failure: (() => Error) | null = null
  /** Memory from this address on was never handed out. It is zero, and the operating system maps each page when it is first used. */
  private end: Ptr

  constructor(
    private readonly source: MemorySource,
    base: Ptr,
    readonly dtype: DType = 'float32',
    /** Largest number of bytes that the memory may take. */
    readonly limit: number = 0xffff0000,
  ) {
    this.elementSize = dtype === 'float64' ? 8 : 4
    this.end = roundUp(Math.max(base, ALIGN))
    this.refresh()
    this.scratch = this.allocate(SCRATCH_BYTES, 'any')
  }

  /** Current bytes of the whole memory; it never shrinks. */
  get totalBytes(): number {
    return this.source.buffer.byteLength
  }

  /** A block of `bytes` bytes. @throws OutOfMemoryError when the limit or the machine does not allow it */
  allocate(bytes: number, contents: Contents = 'zeros'): Ptr {
    this.check()
    const size = roundUp(Math.max(bytes, 1))
    const { end } = this
    const ptr = this.unused.take(size) ?? this.takeEnd(size)
    this.sizes.set(ptr, size)
    this.usedBytes += size
    const used = contents === 'zeros' ? size : Math.min(size, end - ptr)
    if (used > 0 && contents !== 'any') new Uint8Array(this.source.buffer, ptr, used).fill(0)
    return ptr
  }

  /** Frees a block of {@link allocate}. */
  free(ptr: Ptr): void {
    const bytes = this.sizes.get(ptr)
    if (bytes === undefined) throw plainError(`heap: ${ptr} is not an allocated block`)
    this.sizes.delete(ptr)
    this.usedBytes -= bytes
    this.unused.add(ptr, bytes)
  }

  /** The allocated block that contains an address. Searches all blocks: only for checks. */
  blockAt(ptr: Ptr): { from: Ptr; bytes: number } | undefined {
    for (const [from, bytes] of this.sizes) if (from <= ptr && ptr < from + bytes) return { from, bytes }
    return undefined
  }

  /** From now on nothing is allocated: the error is thrown instead. */
  stop(fail: () => Error): void {
    this.failure = fail
  }

  /** @throws the error of {@link stop} */
  check(): void {
    if (this.failure !== null) throw this.failure()
  }

  /** A fresh view of n floats at ptr. */
  view(ptr: Ptr, n: number): FloatArray {
    return this.floats.subarray(ptr / this.elementSize, ptr / this.elementSize + n)
  }

  /** A fresh view of n 32-bit integers at ptr. */
  intView(ptr: Ptr, n: number): Int32Array {
    return this.ints.subarray(ptr / 4, ptr / 4 + n)
  }

  /**
   * Makes these bytes of the heap visible to the engine's garbage collector, by a buffer attached to their owner, so that it collects in time. Engines
   * begin after some 64 MiB of new buffers, so for a heap with a small limit the buffer is larger than the block. The buffer is never written to: it
   * costs address space, but hardly memory.
   */
  weigh(owner: object, bytes: number): void {
    try {
      ballast.set(owner, new ArrayBuffer(bytes * Math.max(1, COLLECTED_IN_TIME / this.limit)))
    } catch {
      // The buffer is a hint to the collector alone, so a failure to allocate it is ignored.
    }
  }

  private takeEnd(size: number): Ptr {
    const open = this.unused.endingAt(this.end)
    const ptr = open ?? this.end
    this.reserve(ptr + size, size)
    if (open !== undefined) this.unused.takeEndingAt(this.end)
    this.end = ptr + size
    return ptr
  }

  private reserve(needed: number, requested: number): void {
    if (needed <= this.totalBytes) return
    if (needed > this.limit) throw new OutOfMemoryError(requested, this.usedBytes, this.limit)
    const comfortable = Math.min(this.limit, Math.max(needed, this.totalBytes * 2))
    try {
      this.source.grow(comfortable)
    } catch {
      try {
        this.source.grow(needed)
      } catch (cause) {
        throw new OutOfMemoryError(requested, this.usedBytes, this.limit, cause)
      }
    }
    this.version++
    this.refresh()
  }

  private refresh(): void {
    const buffer = this.source.buffer
    const whole = buffer.byteLength - (buffer.byteLength % 8)
    this.doubles = new Float64Array(buffer, 0, whole / 8)
    this.floats = this.dtype === 'float64' ? this.doubles : new Float32Array(buffer, 0, whole / 4)
    this.ints = new Int32Array(buffer, 0, whole / 4)
  }
}

/** The memory of the JS backend: an ArrayBuffer that is replaced by a larger copy when it grows. */
export class ArrayBufferSource implements MemorySource {
  buffer = new ArrayBuffer(4 << 20)

  grow(bytes: number): void {
    const larger = new ArrayBuffer(Math.ceil(bytes / 65536) * 65536)
    new Uint8Array(larger).set(new Uint8Array(this.buffer))
    this.buffer = larger
  }
}

/** Bytes of memory to begin with: enough for half a million parameters with their optimizer. Unused memory costs only address space. */
export const FIRST_BYTES = 16 << 20

/**
 * The memory of a WASM backend. V8 counts every buffer that growth replaces as garbage of full size, and collects early because of
 * it. So the memory grows once, before anybody has looked at its buffer.
 */
export class WasmMemorySource implements MemorySource {
  constructor(
    private readonly memory: WasmExports['memory'],
    limit = FIRST_BYTES,
  ) {
    const missing = Math.floor(Math.min(limit, FIRST_BYTES) / 65536) - memory.grow(0)
    try {
      if (missing > 0) memory.grow(missing)
    } catch {
      // An allocation beyond the memory of the machine throws without a check here.
    }
  }

  get buffer(): ArrayBuffer {
    return this.memory.buffer
  }

  grow(bytes: number): void {
    this.memory.grow(Math.ceil((bytes - this.buffer.byteLength) / 65536))
  }
}

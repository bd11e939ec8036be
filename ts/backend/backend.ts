/** The type of a backend: the view that tensors, models and optimizers have of the engine that runs their kernels. */
import type { StepArena } from './arena.js'
import type { DType, Heap } from './heap.js'
import type { BasicKernels, TileName, Update } from './kernels.js'
import type { WasmExports, WasmPart } from './wasm/types.js'
import type { Variant } from './wasm/variants.js'

/** @internal Threads that run calls of one kernel at the same time: `Pool` in threads/pool.ts. */
export interface ThreadPool {
  /** Number of threads that share work of this many nanoseconds. */
  sharesFor(nanoseconds: number): number
  numberOf(kernel: unknown): number
  run(kernel: number, shares: number, argumentsOf: (share: number) => readonly number[]): void
}

/** An engine with its own memory. Tensors and parameters belong to one backend and do not mix. */
export interface Backend {
  readonly name: 'wasm' | 'js'
  readonly variant: Variant | 'js'
  readonly dtype: DType
  /** The kernels that every program needs. The families of families.ts add the others, and have types that say so. */
  readonly kernels: BasicKernels
  readonly heap: Heap
  readonly arena: StepArena
  /** True if `widen` of `BackendOptions` took effect. */
  readonly widened: boolean
  /**
   * The tile of large products; null in JavaScript. Until large products have been timed it is the likeliest: `5x8`, or `6x8` with fused
   * multiply-adds.
   */
  readonly tile: TileName | null
  /** Running threads: 1 until the requested threads have started. */
  readonly threads: number
  /** Resolves when the threads have started, or when it is clear that they cannot; then there is one. {@link load} waits for it. */
  readonly ready: Promise<void>
  /** The fused update kernel of that name, in the core or that part, if this backend has one; else the optimizer runs its own rule. */
  update(name: string, part?: Readonly<{ text: string }>): Update | undefined
  /** @internal the threads, if there are several */
  readonly pool?: ThreadPool | undefined
  /** @internal the kernels of a part of the crate, which is loaded at the first request; undefined if this backend does not have them */
  part(part: WasmPart): WasmExports | undefined
  /** @internal the exports whose function has this number in its module, as the stack of a trap shows it */
  exportsNumbered(number: string): string[]
}

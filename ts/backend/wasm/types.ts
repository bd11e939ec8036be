/** Types of WebAssembly: the text of a module, the contents of an entry of the package, and the exports of an instance. */
import type { Kernels, Ptr } from '../kernels.js'
import type { Variant } from './variants.js'

/**
 * A module as text (module-text.ts), from which both variants can be made. The text is empty if the runtime compiled a module with all kernels, or
 * there is no WebAssembly.
 */
export interface WasmPart {
  text: string
  /** Shares the kernels of the part among threads; by default those that threads/split.ts knows by their names. */
  share?(threaded: Shareable): WasmExports
}

/** A part on the calling thread, and the threads that may take shares of its calls: `ThreadedModule` of threads/split.ts. */
export interface Shareable {
  exports: WasmExports
  pool: {
    numberOf(kernel: unknown): number
    sharesFor(nanoseconds: number): number
    runShared(kernel: number, nanoseconds: number, shares: number, argumentsOf: (share: number, shares: number) => readonly number[]): void
  }
  /** The scratch memory of each worker. */
  scratches: readonly Ptr[]
}

/** The WebAssembly of an entry: a text; or the compiled module of `simd` alone, if the runtime has compiled it; or nothing. */
export interface WasmCode extends WasmPart {
  simd?: WebAssembly.Module
  /** Reads the module with all kernels from a file, if the entry has files; undefined if it is missing. */
  read?(variant: Variant): Uint8Array<ArrayBuffer> | undefined
}

/** The exports of an instance: the kernel table, the optimizer updates by name, and the start of free memory. */
export interface WasmExports extends Kernels {
  /** The properties of these WebAssembly objects are spelled out, since a user's compiler knows no WebAssembly without the DOM's types. */
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  __stack_pointer: { value: number }
  heapBase(): Ptr
  [update: string]: unknown
}

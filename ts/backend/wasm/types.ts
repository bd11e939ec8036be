/** Types of WebAssembly: the text of a module, what an entry of the package carries, and what an instance exports. */
import type { Kernels, Ptr } from '../kernels.js'
import type { Variant } from './variants.js'

/**
 * A module, both variants in one, as text (module-text.ts). The text is empty where the runtime compiled a module with all kernels, or there is no
 * WebAssembly.
 */
export interface WasmPart {
  text: string
}

/** What an entry carries from the start: as text, or `simd` alone, compiled already where the runtime did that; or nothing. */
export interface WasmCode extends WasmPart {
  simd?: WebAssembly.Module
  /** The module with all kernels from a file, where the entry has files; undefined if it is not there. */
  read?(variant: Variant): Uint8Array<ArrayBuffer> | undefined
}

/** The exports of an instance: the kernel table, the optimizer updates by name, and where free memory begins. */
export interface WasmExports extends Kernels {
  /** The properties of these WebAssembly objects are spelt out, since a user's compiler knows no WebAssembly without the DOM's types. */
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  __stack_pointer: { value: number }
  heapBase(): Ptr
  [update: string]: unknown
}

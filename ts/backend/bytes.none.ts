/** Stands in for bytes.ts in the entry `gradus/js`, which carries no WebAssembly. */
import type { WasmCode } from './wasm.js'

export const wasmCode: WasmCode = {}

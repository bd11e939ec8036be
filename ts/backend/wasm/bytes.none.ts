/** Stands in for bytes.ts in the entry `gradus/js`, which carries no WebAssembly, and where the runtime compiles it (workerd.ts, edge.ts). */
import type { WasmCode } from './load.js'

export const wasmCode: WasmCode = {}

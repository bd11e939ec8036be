/** Stands in for parts.ts: in `gradus/js`, and where the runtime has compiled one module with all kernels. */
import type { WasmPart } from './load.js'

export const DOUBLES: WasmPart = {}
export const DESCENT: WasmPart = {}
export const UPDATES: WasmPart = {}
export const LOSSES: WasmPart = {}
export const OPERATIONS: WasmPart = {}
export const OTHERS: WasmPart = {}

/**
 * Stands in for bytes.ts where the runtime compiles WebAssembly when it is deployed and forbids it later (Cloudflare's workerd).
 * `relaxed` is left out: a static import is compiled even if it is never run, and not every such runtime knows it.
 */
import simd from './wasm/simd.wasm'
import type { WasmCode } from './wasm.js'

export const wasmCode: WasmCode = { simd }

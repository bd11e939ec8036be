/** As bytes.workerd.ts, in the spelling that Next and Vercel want in their edge runtime. */
import simd from './wasm/simd.wasm?module'
import type { WasmCode } from './wasm.js'

export const wasmCode: WasmCode = { simd }

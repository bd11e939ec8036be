/** As workerd.ts, in the spelling that Next and Vercel want in their edge runtime. */
import { wasmCode } from '../backend/wasm/bytes.js'
import simd from './wasm/simd.wasm?module'

wasmCode.simd = simd

export * from '../index.js'

/** The same as workerd.ts, in the spelling that Next and Vercel want in their edge runtime. */

import simd from '../../../wasm/simd.wasm?module'
import { wasmCode } from '../backend/wasm/bytes.js'

wasmCode.simd = simd

export * from '../index.js'

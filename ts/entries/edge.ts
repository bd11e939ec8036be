/** The same as workerd.ts, with the import that Next and Vercel require in their edge runtime. */

import simd from '../../../wasm/simd.wasm?module'
import { wasmCode } from '../backend/wasm/bytes.js'

wasmCode.simd = simd

export * from '../index.js'

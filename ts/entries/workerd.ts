/**
 * The entry for a runtime that compiles WebAssembly when a program is deployed and forbids it later (Cloudflare's workerd): the engine
 * without text, and an import of a module. `relaxed` is left out: a static import is compiled even if it is never run, and not every such
 * runtime knows it. Package.json says that this file has an effect, or bundlers would leave it out as they do node.ts.
 */

import simd from '../../../wasm/simd.wasm'
import { wasmCode } from '../backend/wasm/bytes.js'

wasmCode.simd = simd

export * from '../index.js'

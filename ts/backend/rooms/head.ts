/** Heads: the kernels of `gradus/head`, which runs them on a memory of their own, without the engine. */
import { family } from '../family.js'
import { headKernels } from '../js/head.js'
import text from '../wasm/generated/head.js'
import type { WasmPart } from '../wasm/types.js'

/** Their part of WebAssembly. */
export const HEAD: WasmPart = { text }

export const withHead = /* @__PURE__ */ family('headLogits', headKernels, HEAD)

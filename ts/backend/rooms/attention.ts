/** Attention: the kernels of `gradus/attention`, in a file that other programs do not load. */
import { sharedFamily } from '../family.js'
import { attentionKernels } from '../js/attention.js'
import { shareKernels } from '../threads/attention.js'
import text from '../wasm/generated/attention.js'
import type { WasmPart } from '../wasm/types.js'

/** Their part of WebAssembly. */
export const ATTENTION: WasmPart = { text, share: shareKernels }

export const withAttention = /* @__PURE__ */ sharedFamily('attentionForward', attentionKernels, ATTENTION)

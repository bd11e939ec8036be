/** Convolution and pooling: the kernels of `gradus/conv`, in a file that other programs do not load. */
import { sharedFamily } from '../family.js'
import { convKernels } from '../js/conv.js'
import { shareKernels } from '../threads/conv.js'
import text from '../wasm/generated/conv.js'
import type { WasmPart } from '../wasm/types.js'

/** Their part of WebAssembly. */
export const CONV: WasmPart = { text, share: shareKernels }

export const withConv = /* @__PURE__ */ sharedFamily('convForward', convKernels, CONV)

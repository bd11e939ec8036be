/** Recurrent layers: the kernels of `gradus/recurrent`, in a file that other programs do not load. */
import { sharedFamily } from '../family.js'
import { recurrentKernels } from '../js/recurrent.js'
import { shareKernels } from '../threads/recurrent.js'
import text from '../wasm/generated/recurrent.js'
import type { WasmPart } from '../wasm/types.js'

/** Their part of WebAssembly. */
export const RECURRENT: WasmPart = { text, share: shareKernels }

export const withRecurrent = /* @__PURE__ */ sharedFamily('recurrentForward', recurrentKernels, RECURRENT)

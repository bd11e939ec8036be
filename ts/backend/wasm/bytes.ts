/**
 * The core of the compiled crate, as text, which loads in every runtime that allows compiling bytes; parts (parts.ts) add more. The text is empty
 * (no-text.ts) if there is nothing to compile: in `gradus/js`, and in runtimes that compile modules themselves.
 */
import text from './generated/core.js'
import type { WasmCode } from './types.js'

export const wasmCode: WasmCode = { text }

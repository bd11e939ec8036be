/**
 * The core of the compiled crate, as text, which loads everywhere that allows compiling bytes; more comes in parts (parts.ts). The text is
 * empty (no-text.ts) where there is nothing to compile: in `gradus/js`, and in runtimes that compile modules themselves.
 */
import text from './generated/core.js'
import type { WasmCode } from './types.js'

export const wasmCode: WasmCode = { text }

/**
 * The compiled crate, or its core where it comes in parts (parts.ts). Here as text, which loads everywhere that allows compiling
 * bytes; tsup.config.ts puts another file in this one's place for other entries: bytes.none.ts (`gradus/js`), bytes.workerd.ts and
 * bytes.edge.ts (runtimes that forbid it).
 */
import packed from './generated/core.js'
import type { WasmCode } from './wasm.js'

export const wasmCode: WasmCode = { packed }

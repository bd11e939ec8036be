/**
 * The core of the compiled crate; more comes in parts (parts.ts). Here as text, which loads everywhere that allows compiling bytes;
 * tsup.config.ts puts bytes.none.ts in this one's place for `gradus/js` and for runtimes that forbid it. It also moves texts behind
 * the code, so they are asked for when they are used.
 */
import packed from './generated/core.js'
import type { WasmCode } from './load.js'

export const wasmCode: WasmCode = { packed: () => packed }

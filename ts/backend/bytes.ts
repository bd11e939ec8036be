/** The WebAssembly modules as base64, made by crate/build.sh. The entry `gradus/js` is built with bytes.none.ts in this file's place. */
import relaxed from './generated/relaxed.js'
import simd from './generated/simd.js'

export const wasmBytes: { simd: string; relaxed: string } | null = { simd, relaxed }

/** Stands in for bytes.ts in the entry `gradus/js`, which carries no WebAssembly. */
export const wasmBytes: { simd: string; relaxed: string } | null = null

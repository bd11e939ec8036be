/** The text of a module; see index.mjs. */
export function encode(module: Uint8Array, before?: Uint8Array): string

export function encode(bytes: Uint8Array): string
export function difference(base: Uint8Array, target: Uint8Array): Uint8Array

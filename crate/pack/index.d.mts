/** 'SIZE,SIZE:BASE64', for ts/backend/decode.ts. */
export function encode(modules: readonly Uint8Array[]): string

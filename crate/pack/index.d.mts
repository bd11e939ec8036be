/** 'SIZE,SIZE:BASE64', for ts/backend/decode.ts, which then needs the same `before`. */
export function encode(modules: readonly Uint8Array[], before?: Uint8Array): string

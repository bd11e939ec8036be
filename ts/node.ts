/**
 * The entry for Node and Bun: all of `gradus`, with modules read from files beside it, which saves the milliseconds of unpacking. It
 * needs no other module: `import 'node:fs'` alone takes Node two milliseconds. A bundler leaves this out, as it has no exports of its
 * own (`sideEffects: false`), or does not copy what is read here; then the text is unpacked, as in a browser.
 */
import { wasmCode } from './backend/bytes.js'

interface Host {
  /** Since Node 20.16. */
  getBuiltinModule?(name: 'fs'): typeof import('node:fs')
}

wasmCode.read = (variant) => {
  try {
    const fs = (process as Host).getBuiltinModule?.('fs')
    return fs?.readFileSync(`${import.meta.dirname}/wasm/${variant}.wasm`) as Uint8Array<ArrayBuffer> | undefined
  } catch {
    return undefined
  }
}

export * from './index.js'

/**
 * The entry for Node and Bun: all of `gradus`, with modules read from files beside it, which saves the milliseconds of unpacking, and
 * tensors whose values `console.log` shows. It needs no other module: `import 'node:fs'` alone takes Node two milliseconds. A bundler
 * leaves this out, as it has no exports of its own (`sideEffects: false`), or does not copy what is read here; then the text is
 * unpacked, as in a browser.
 */
import { wasmCode } from './backend/bytes.js'
import { StaleTensorError } from './errors.js'
import { formatShape } from './shape.js'
import { type NestedNumbers, Tensor } from './tensor.js'

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

/** How many entries of an axis are printed. */
const PRINTED = 8

/** Numbers to six digits, of long axes the first. */
function textOf(values: NestedNumbers): string {
  if (typeof values === 'number') return String(+values.toPrecision(6))
  return `[${values.slice(0, PRINTED).map(textOf).join(', ')}${values.length > PRINTED ? ', …' : ''}]`
}

function printed(this: Tensor): string {
  let values = 'of a step that is over'
  try {
    values = textOf(this.toArray())
  } catch (error) {
    if (!(error instanceof StaleTensorError)) throw error
  }
  return `Tensor(${this.dtype} ${formatShape(this.shape)} ${values})`
}

Object.defineProperty(Tensor.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: printed })

export * from './index.js'

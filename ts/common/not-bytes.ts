import { typeError } from './errors.js'
import { show } from './show.js'

/** @internal an error for anything but the bytes of a file; where it is a path, the error says how to read it */
export function notBytes(who: string, got: unknown): TypeError {
  const remedy = typeof got === 'string' ? '; fs.readFileSync(path) gives those of a file' : ''
  return typeError(`${who}: wants the bytes of a file, an ArrayBuffer or a Uint8Array, got ${show(got)}${remedy}`)
}

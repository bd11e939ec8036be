/** Shared code for formats of arrays in bytes: IDX and NumPy's. */
import { rangeError } from '../common/errors.js'
import { notBytes } from '../common/not-bytes.js'

/** @internal a view of all bytes. @throws TypeError for anything but bytes */
export function viewOf(bytes: Uint8Array | ArrayBuffer, name: string): DataView {
  if (typeof bytes?.byteLength !== 'number') throw notBytes(name, bytes)
  return bytes instanceof Uint8Array ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new DataView(bytes)
}

/** @internal @param promised the contents according to the header @throws RangeError for a file with more or fewer bytes than that */
export function checkLength(name: string, { byteLength }: DataView, wanted: number, promised: string): void {
  if (wanted === byteLength) return
  const problem = wanted > byteLength ? 'is truncated' : 'has bytes left over'
  throw rangeError(`${name} ${problem}: the header promises ${promised}, ${wanted} bytes, but there are ${byteLength}`)
}

/** Model files as strangers could write them. */

import { encodeSafetensors } from '../../ts/export/index.js'
import { crc32Of } from '../../ts/io/crc32.js'

/** A file with these arrays, or zeros of these shapes, and any skeleton, whose checksums are right. */
export function withHeader(
  shapes: Record<string, number[] | Float32Array | Int32Array>,
  skeleton: unknown,
  key = 'gradus-model/1',
): Uint8Array {
  const text = typeof skeleton === 'string' ? skeleton : JSON.stringify(skeleton)
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    if (!Array.isArray(shape)) return [name, { shape: [shape.length], data: shape }] as const
    const size = shape.reduce((product, n) => product * n, 1)
    return [name, { shape, data: new Float32Array(size) }] as const
  })
  const checksums = {
    text: crc32Of(new TextEncoder().encode(text)),
    tensors: Object.fromEntries(tensors.map(([name, { data }]) => [name, crc32Of(data)])),
  }
  return encodeSafetensors(Object.fromEntries(tensors), { [key]: text, 'gradus-crc32': JSON.stringify(checksums) })
}

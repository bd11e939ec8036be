/** Files as an attacker would make them, for tests of parsers. */

/** A safetensors file with this header, right or wrong, and a number of zero bytes. */
export function safetensorsFile(header: unknown, bytes: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const file = new Uint8Array(8 + text.length + bytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  return file
}

/** An IDX file from a type code, sizes and the raw bytes of its elements. */
export function idxFile(code: number, shape: readonly number[], elements: readonly number[] = []): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + elements.length)
  const view = new DataView(file.buffer)
  view.setUint32(0, (code << 8) | shape.length)
  for (const [i, d] of shape.entries()) view.setUint32(4 + 4 * i, d)
  file.set(elements, 4 + 4 * shape.length)
  return file
}

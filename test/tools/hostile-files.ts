/** Files as an attacker would make them, for tests of what reads files. */

/** A safetensors file of this header, right or wrong, and so many zero bytes. */
export function safetensorsFile(header: unknown, bytes: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const file = new Uint8Array(8 + text.length + bytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  return file
}

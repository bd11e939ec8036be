/** The way back from crate/pack. Half a million bits are work for WebAssembly: the text begins with a small module for that. */

interface Unpacker {
  memory: WebAssembly.Memory
  unpack(from: number, bytes: number, to: number, before: number, size: number): void
}

const PAGE = 65_536

/**
 * The modules of a text of crate/build.sh, `UNPACKER:SIZE,SIZE:PACKED`, which was written behind the bytes `before`; parts of one buffer.
 * None on an engine without SIMD, which can run none of them.
 * @throws WebAssembly.CompileError where compiling is forbidden
 */
export function decode(text: string, before = new Uint8Array()): Uint8Array<ArrayBuffer>[] {
  const [unpacker, head, base64] = text.split(':')
  const code = fromBase64(unpacker)
  if (!WebAssembly.validate(code)) return []
  const { memory, unpack } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as unknown as Unpacker
  const packed = fromBase64(base64)
  const sizes = head.split(',').map(Number)
  const size = sizes.reduce((sum, one) => sum + one, 0)
  const from = PAGE * memory.grow(Math.ceil((packed.length + before.length + size) / PAGE))
  const to = from + packed.length
  new Uint8Array(memory.buffer).set(packed, from)
  new Uint8Array(memory.buffer).set(before, to)
  unpack(from, packed.length, to, before.length, size)
  const out = new Uint8Array(memory.buffer.slice(to + before.length, to + before.length + size) as ArrayBuffer)
  let end = 0
  return sizes.map((one) => out.subarray(end, (end += one)))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> } }
  if (Buffer) return Buffer.from(text, 'base64')
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

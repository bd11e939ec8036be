/** The way back from ts/build/pack. Half a million bits are work for WebAssembly: the text begins with a small module for that. */

interface Unpacker {
  memory: WebAssembly.Memory
  unpack(from: number, bytes: number, to: number, before: number, size: number): void
}

const PAGE = 65_536

/**
 * The module of a text of ts/build/wasm.sh, `UNPACKER:SIZE:PACKED`, which was written behind the bytes `before`.
 * @throws WebAssembly.CompileError where compiling is forbidden
 */
export function decode(text: string, before: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const [unpacker, head, base64] = text.split(':')
  const { memory, unpack } = new WebAssembly.Instance(new WebAssembly.Module(fromHex(unpacker))).exports as unknown as Unpacker
  const [size, packed] = [Number(head), fromBase64(base64)]
  const from = PAGE * memory.grow(Math.ceil((packed.length + before.length + size) / PAGE))
  const to = from + packed.length
  new Uint8Array(memory.buffer).set(packed, from)
  new Uint8Array(memory.buffer).set(before, to)
  unpack(from, packed.length, to, before.length, size)
  const end = to + before.length + size
  return new Uint8Array(memory.buffer.slice(end - size, end) as ArrayBuffer)
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> } }
  if (Buffer) return Buffer.from(text, 'base64')
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

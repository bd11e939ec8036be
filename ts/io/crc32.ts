/** Checksums of saved data: CRC-32 as in zip and PNG; `zlib.crc32` of Python and Node computes it, too. */

/** Effect of each byte value on the remainder. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/** @internal the checksum of bytes, as eight hexadecimal digits */
export function crc32(bytes: Uint8Array): string {
  let remainder = 0xffffffff
  for (let i = 0; i < bytes.length; i++) remainder = TABLE[(remainder ^ bytes[i]) & 0xff] ^ (remainder >>> 8)
  return (~remainder >>> 0).toString(16).padStart(8, '0')
}

/** @internal the checksum of the bytes of any typed array */
export function crc32Of({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return crc32(new Uint8Array(buffer, byteOffset, byteLength))
}

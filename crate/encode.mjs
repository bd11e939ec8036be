/**
 * Bytes as printable ASCII for a string literal, in a way that gzip can see through: a frequent byte is one character, a rare one an
 * escape and a character. Two thirds of base64's size after gzip. ts/backend/decode.ts is the way back, and says how it is laid out.
 */

/** Printable, and nothing that ends or changes a literal in any quotes, or a script in a page. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"\'`\\$<'.includes(c))
const ESCAPES = 2
const DIRECT = ALPHABET.length - ESCAPES

export function encode(bytes) {
  const count = new Uint32Array(256)
  for (const byte of bytes) count[byte]++
  const ranked = Array.from(count.keys()).sort((a, b) => count[b] - count[a] || a - b)
  const codes = []
  ranked.forEach((byte, rank) => {
    const rest = rank - DIRECT
    codes[byte] = rest < 0 ? ALPHABET[ESCAPES + rank] : ALPHABET[Math.floor(rest / ALPHABET.length)] + ALPHABET[rest % ALPHABET.length]
  })
  const table = ranked.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return table + Array.from(bytes, (byte) => codes[byte]).join('')
}

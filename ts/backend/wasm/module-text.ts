/**
 * A module as text and back, byte by byte, so that servers can compress the text: gzip and brotli compress it as well as the module itself. A byte is
 * one character, or two for about a third of the values. The characters are safe in any literal and page.
 */

/** Number of digits: the characters from `#` to `~`, with a space and `!` in the places of `<` and the backslash. */
const DIGITS = 92
const FIRST = 35
const [LESS, SPACE] = [60, 32]
const [BACKSLASH, EXCLAMATION] = [92, 33]
/** The first two digits announce a byte of two digits. */
const MARKS = 2
const SINGLE = DIGITS - MARKS
/** Added to each byte (modulo 256), so that the most common ones in modules, such as the prefix of SIMD instructions, have one digit. */
const SHIFT = 8

/** The bytes of a text by {@link textOf}. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text)
  let count = 0
  for (let i = 0; i < bytes.length; i++) {
    const digit = digitOf(bytes[i])
    const value = digit < MARKS ? SINGLE + digit * DIGITS + digitOf(bytes[++i]) : digit - MARKS
    bytes[count++] = value - SHIFT
  }
  return bytes.slice(0, count)
}

function digitOf(code: number): number {
  return (code === SPACE ? LESS : code === EXCLAMATION ? BACKSLASH : code) - FIRST
}

/** The text of a module; the build writes it. */
export function textOf(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => {
    const value = (byte + SHIFT) & 255
    if (value < SINGLE) return [value + MARKS]
    const rest = value - SINGLE
    return [Math.floor(rest / DIGITS), rest % DIGITS]
  })
  return digits.map((pair) => String.fromCharCode(...pair.map(characterOf))).join('')
}

function characterOf(digit: number): number {
  const code = digit + FIRST
  return code === LESS ? SPACE : code === BACKSLASH ? EXCLAMATION : code
}

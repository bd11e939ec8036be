/** The way back from crate/encode.mjs, which says why. */

/** Digits: 0 and 1 announce a second one; d ≥ 2 alone stands for the byte of rank d − 2. */
const ALPHABET = ' !#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~'
const ESCAPES = 2
/** 256 bytes in hexadecimal, by rank. */
const HEADER = 512

export function decode(text: string): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(128)
  for (let d = 0; d < ALPHABET.length; d++) digits[ALPHABET.charCodeAt(d)] = d
  const ranked = Uint8Array.from({ length: HEADER / 2 }, (_, rank) => Number.parseInt(text.slice(2 * rank, 2 * rank + 2), 16))
  const bytes = new Uint8Array(text.length - HEADER)
  let n = 0
  for (let i = HEADER; i < text.length; i++) {
    const digit = digits[text.charCodeAt(i)]
    const rank = digit >= ESCAPES ? digit - ESCAPES : (digit + 1) * ALPHABET.length - ESCAPES + digits[text.charCodeAt(++i)]
    bytes[n++] = ranked[rank]
  }
  return bytes.slice(0, n)
}

/** The module that a `difference` to base describes. */
export function applyDifference(base: Uint8Array, commands: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = commands[at++]
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const out = new Uint8Array(number())
  for (let n = 0, next = 0; ; ) {
    const fresh = number()
    out.set(commands.subarray(at, at + fresh), n)
    at += fresh
    n += fresh
    if (n === out.length) return out
    const length = number()
    const jump = number()
    const from = next + fresh + (jump & 1 ? -(jump + 1) / 2 : jump / 2)
    out.set(base.subarray(from, from + length), n)
    n += length
    next = from + length
  }
}

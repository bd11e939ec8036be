/**
 * The way back from crate/encode.mjs: 256 bytes in hexadecimal, the most frequent first, then a character for each byte. Characters
 * are digits of ALPHABET; digit d ≥ 2 stands for the byte of rank d − 2, digits 0 and 1 with the digit behind them for the rest.
 */
const ALPHABET = ' !#%&()*+,-./0123456789:;=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~'
const ESCAPES = 2
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

/**
 * The modules as string literals, as small as gzip will have them. ts/backend/decode.ts is the way back.
 *
 * encode: bytes as printable ASCII, in a way that gzip can see through: a frequent byte is one character, a rare one an escape and
 * a character. Two thirds of base64's size after gzip.
 *
 * difference: one module as changes to another. `relaxed` is `simd` with other instructions here and there: a tenth of its size.
 */

/** Printable, and nothing that ends or changes a literal in any quotes, or a script in a page. */
const ALPHABET = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((c) => !'"\'`\\$<'.includes(c))
const ESCAPES = 2
const DIRECT = ALPHABET.length - ESCAPES

/** 256 bytes in hexadecimal, the most frequent first, then every byte by its rank. */
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

/** A match that was not expected pays for itself from here. */
const LEAST_JUMP = 12
/** One that goes on where the last left off costs two numbers. */
const LEAST_NEXT = 4
/** Places in the base that are tried for one place in the target. */
const MOST_TRIES = 64

/**
 * Commands that make target from base, as variable-length numbers: first the size of target, then in turn how many new bytes, those
 * bytes, how many bytes to copy, and from where: how far behind the place where copying would go on by itself.
 */
export function difference(base, target) {
  const places = new Map()
  const key = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + LEAST_JUMP))
  for (let at = 0; at + LEAST_JUMP <= base.length; at++) {
    const known = places.get(key(base, at))
    if (!known) places.set(key(base, at), [at])
    else if (known.length < MOST_TRIES) known.push(at)
  }
  const matchLength = (from, at) => {
    let n = 0
    while (from + n < base.length && at + n < target.length && base[from + n] === target[at + n]) n++
    return n
  }
  const out = []
  const number = (value) => {
    let rest = value
    for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128)
    out.push(rest)
  }
  number(target.length)
  let start = 0 // of the new bytes
  let next = 0 // where copying goes on, if the new bytes replace as many
  for (let at = 0; at < target.length; ) {
    const expected = next + at - start
    let from = expected
    let length = matchLength(expected, at)
    if (length < LEAST_NEXT) {
      for (const place of places.get(key(target, at)) ?? []) {
        const found = matchLength(place, at)
        if (found > length) [from, length] = [place, found]
      }
      if (length < LEAST_JUMP) {
        at++
        continue
      }
    }
    number(at - start)
    out.push(...target.subarray(start, at))
    number(length)
    number(zigzag(from - expected))
    at += length
    start = at
    next = from + length
  }
  number(target.length - start)
  out.push(...target.subarray(start))
  return Uint8Array.from(out)
}

const zigzag = (value) => (value < 0 ? -2 * value - 1 : 2 * value)

/** Mutations of byte strings, as AFL and libFuzzer make them. */

/** Whole numbers from 0 to n − 1, the same for the same seed (mulberry32). */
export type Random = (n: number) => number

export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

const LONGEST = 4096
const BYTES = [0, 1, 8, 9, 10, 13, 32, 34, 44, 45, 46, 47, 58, 91, 92, 93, 123, 125, 127, 128, 255]

/** One to eight changes to a copy of an input. */
export function mutated(corpus: readonly Uint8Array[], tokens: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = corpus[random(corpus.length)].slice()
  for (let k = 1 << random(4); k > 0; k--) bytes = changed(bytes, corpus, tokens, random)
  return bytes.length > LONGEST ? bytes.slice(0, LONGEST) : bytes
}

function changed(bytes: Uint8Array, corpus: readonly Uint8Array[], tokens: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random(bytes.length + 1)
  const length = random(Math.min(64, bytes.length - at) + 1)
  switch (random(9)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << random(8)
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = BYTES[random(BYTES.length)]
      return bytes
    case 2:
      if (at < bytes.length) bytes[at] += random(33) - 16
      return bytes
    case 3:
      return spliced(bytes, at, at + length, new Uint8Array(0))
    case 4:
      return spliced(bytes, at, at, repeated(bytes.slice(at, at + length), 1 + random(8)))
    case 5:
      return spliced(bytes, at, at, tokens[random(tokens.length)])
    case 6:
      return spliced(bytes, at, at + length, tokens[random(tokens.length)])
    case 7: {
      const other = corpus[random(corpus.length)]
      const from = random(other.length + 1)
      return spliced(bytes, at, bytes.length, other.subarray(from))
    }
    default:
      return withInteger(bytes, at, random)
  }
}

function spliced(bytes: Uint8Array, from: number, to: number, between: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - (to - from) + between.length)
  out.set(bytes.subarray(0, from))
  out.set(between, from)
  out.set(bytes.subarray(to), from + between.length)
  return out
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const out = new Uint8Array(bytes.length * times)
  for (let i = 0; i < times; i++) out.set(bytes, i * bytes.length)
  return out
}

/** A number at the edge of what lengths may be, of either byte order. */
function withInteger(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  if (at + 4 > bytes.length) return bytes
  const values = [0, 1, bytes.length - 8, bytes.length, 0x7fffffff, 0x80000000, 0xffffffff, random(2 ** 16)]
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, values[random(values.length)], random(2) === 0)
  return bytes
}

/** The way back from crate/pack, which says why and what the model is. */

const AGAIN = 8
const WHICH = 16
const NEW_LENGTH = 48
const OLD_LENGTH = 560
const SLOT = 1072
const LOW = 1328
const FOOTER = 1344
const BYTE = 4416
const UNLIKE = BYTE + 8 * 256
const MIDDLE = UNLIKE + 2 * 256
const SIZE = MIDDLE + 32

/** Gives the next bit by the probability of that index, which it then changes. */
type BitReader = (index: number) => number

/** All state in variables of one closure: this runs half a million times, most of them before it is compiled. */
function readBits(bytes: Uint8Array): BitReader {
  const fast = new Uint16Array(SIZE).fill(32768)
  const slow = new Uint16Array(SIZE).fill(32768)
  let range = 0x7fffffff
  let code = 0
  let at = 0
  for (; at < 4; at++) code = (code << 8) | bytes[at]
  return (index) => {
    const f = fast[index]
    const s = slow[index]
    const bound = (range >>> 12) * ((f + s) >>> 5)
    let bit = 0
    if (code < bound) {
      range = bound
      fast[index] = f + ((65535 - f) >> 4)
      slow[index] = s + ((65535 - s) >> 7)
      bit = 1
    } else {
      code -= bound
      range -= bound
      fast[index] = f - (f >> 4)
      slow[index] = s - (s >> 7)
    }
    while (range < 0x800000) {
      range <<= 8
      code = (code << 8) | bytes[at++] // beyond the end: 0
    }
    return bit
  }
}

/** Highest bit first. */
function readTree(read: BitReader, index: number, bits: number): number {
  let node = 1
  for (let i = 0; i < bits; i++) node = 2 * node + read(index + node)
  return node - (1 << bits)
}

/** Lowest bit first. */
function readLow(read: BitReader, index: number, bits: number): number {
  let value = 0
  for (let i = 0, node = 1; i < bits; i++) {
    const bit = read(index + node)
    node = 2 * node + bit
    value |= bit << i
  }
  return value
}

function readLength(read: BitReader, index: number): number {
  if (read(index) === 0) return readTree(read, index + 2, 3)
  return read(index + 1) === 0 ? 8 + readTree(read, index + 10, 3) : 16 + readTree(read, index + 18, 8)
}

function readDistance(read: BitReader, context: number): number {
  const slot = readTree(read, SLOT + 64 * context, 6) + 1
  if (slot === 1) return 1
  const rest = (slot >> 1) - 1
  const high = (2 | (slot & 1)) << rest
  if (rest < 6) return high | readLow(read, FOOTER + 64 * (slot - 1), rest)
  let middle = 0
  for (let i = rest - 1; i >= 4; i--) middle |= read(MIDDLE + i) << i
  return high | middle | readLow(read, LOW, 4)
}

/** `expected` is −1, or the byte that the last match would have gone on with. */
function readByte(read: BitReader, before: number, expected: number): number {
  const context = BYTE + (before >> 5) * 256
  let node = 1
  for (let i = 7; expected >= 0 && i >= 0; i--) {
    const likely = (expected >> i) & 1
    const bit = read(UNLIKE + 256 * likely + node)
    if (bit !== likely) expected = -1
    node = 2 * node + bit
  }
  while (node < 256) node = 2 * node + read(context + node)
  return node & 255
}

/** The modules of a text of crate/pack, which was written behind the bytes `before`. They are parts of one buffer. */
export function decode(text: string, before = new Uint8Array()): Uint8Array<ArrayBuffer>[] {
  const [head, base64] = text.split(':')
  const sizes = head.split(',').map(Number)
  let end = before.length
  const out = new Uint8Array(sizes.reduce((sum, size) => sum + size, end))
  out.set(before)
  const read = readBits(fromBase64(base64))
  const back = [0, 0, 0, 0]
  for (let n = end, kinds = 0; n < out.length; ) {
    const match = read(kinds)
    if (match === 0) {
      out[n] = readByte(read, n > 0 ? out[n - 1] : 0, (kinds & 1) === 1 ? out[n - back[0]] : -1)
      n++
    } else {
      const length = readMatch(read, kinds, back)
      const from = n - back[0]
      for (let i = 0; i < length; i++) out[n++] = out[from + i]
    }
    kinds = ((kinds << 1) | match) & 7
  }
  return sizes.map((size) => out.subarray(end, (end += size)))
}

function fromBase64(text: string): Uint8Array {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

/** The length of a match; puts how far back it goes to the front of the last four. */
function readMatch(read: BitReader, kinds: number, back: number[]): number {
  if (read(AGAIN + kinds) === 1) {
    let which = 0
    while (which < 3 && read(WHICH + 8 * which + kinds) === 1) which++
    toFront(back, back[which], which)
    return readLength(read, OLD_LENGTH) + 1
  }
  const length = readLength(read, NEW_LENGTH) + 2
  toFront(back, readDistance(read, Math.min(length - 2, 3)), 3)
  return length
}

function toFront(back: number[], distance: number, place: number): void {
  for (let i = place; i > 0; i--) back[i] = back[i - 1]
  back[0] = distance
}

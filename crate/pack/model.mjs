/**
 * How bytes become bits, each with a probability of its own: the model of LZMA (I. Pavlov), with two rates of learning a bit.
 * A step is a byte by itself, or a match: a stretch that was there before, some way back. crate/unpack.rs has the same model
 * the other way round; change neither alone.
 */

/** Where each kind of bit keeps its probabilities. */
const MATCH = 0 // by the kinds of the last three steps
const AGAIN = 8 // whether a match goes back as far as one of the last four
const WHICH = 16
const NEW_LENGTH = 48
const OLD_LENGTH = 560
const SLOT = 1072
const LOW = 1328
const FOOTER = 1344
const BYTE = 4416 // by the upper bits of the byte before
const UNLIKE = BYTE + 8 * 256 // by the byte that stands where the last match would go on
const MIDDLE = UNLIKE + 2 * 256
const SIZE = MIDDLE + 32

/** Longest match of one step. */
export const LONGEST = 271
const FAST = 4
const SLOW = 7

export class Model {
  fast = new Uint16Array(SIZE).fill(32768)
  slow = new Uint16Array(SIZE).fill(32768)

  /** Of a one, in 4096ths; never 0 or all. */
  probability(index) {
    return (this.fast[index] + this.slow[index]) >>> 5
  }

  learn(index, bit) {
    const { fast, slow } = this
    if (bit) {
      fast[index] += (65535 - fast[index]) >> FAST
      slow[index] += (65535 - slow[index]) >> SLOW
    } else {
      fast[index] -= fast[index] >> FAST
      slow[index] -= slow[index] >> SLOW
    }
  }
}

/** What the bits of a step depend on besides the bytes before. */
export const START = { kinds: 0, back: [0, 0, 0, 0] }

/**
 * The bits of a step at a place of data, in order, to `put(index, bit)`. Gives the state after it.
 * A step is null, or { length, back }.
 */
export function walk(put, state, data, at, step) {
  const { kinds, back } = state
  put(MATCH + kinds, step ? 1 : 0)
  if (!step) {
    writeByte(put, data, at, kinds & 1 ? back[0] : 0)
    return { kinds: (kinds << 1) & 7, back }
  }
  const old = back.indexOf(step.back)
  put(AGAIN + kinds, old >= 0 ? 1 : 0)
  if (old >= 0) {
    for (let i = 0; i < 3 && i <= old; i++) put(WHICH + 8 * i + kinds, old > i ? 1 : 0)
    writeLength(put, OLD_LENGTH, step.length - 1)
  } else {
    writeLength(put, NEW_LENGTH, step.length - 2)
    writeDistance(put, Math.min(step.length - 2, 3), step.back)
  }
  return { kinds: ((kinds << 1) | 1) & 7, back: [step.back, ...back.filter((_, i) => i !== (old >= 0 ? old : 3))] }
}

/** Highest bit first, by the bits before it. */
function writeTree(put, index, bits, value) {
  for (let i = bits - 1, node = 1; i >= 0; i--) {
    const bit = (value >> i) & 1
    put(index + node, bit)
    node = 2 * node + bit
  }
}

/** Right after a match a byte is likely to differ from the one that would have gone on with it: up to the first bit that does. */
function writeByte(put, data, at, back) {
  const context = BYTE + ((at > 0 ? data[at - 1] : 0) >> 5) * 256
  const expected = data[at - back]
  let alike = back > 0
  for (let i = 7, node = 1; i >= 0; i--) {
    const bit = (data[at] >> i) & 1
    const likely = (expected >> i) & 1
    put(alike ? UNLIKE + 256 * likely + node : context + node, bit)
    if (bit !== likely) alike = false
    node = 2 * node + bit
  }
}

function writeLength(put, index, value) {
  put(index, value < 8 ? 0 : 1)
  if (value < 8) return writeTree(put, index + 2, 3, value)
  put(index + 1, value < 16 ? 0 : 1)
  if (value < 16) writeTree(put, index + 10, 3, value - 8)
  else writeTree(put, index + 18, 8, value - 16)
}

/** The two highest bits and their place; of the others the lowest four depend on each other, or all where they are few. */
function writeDistance(put, context, back) {
  const high = 31 - Math.clz32(back)
  const slot = high < 1 ? 0 : 2 * high + ((back >> (high - 1)) & 1) - 1
  writeTree(put, SLOT + 64 * context, 6, slot)
  const rest = high - 1
  if (rest <= 0) return
  if (rest < 6) return writeLow(put, FOOTER + 64 * slot, rest, back)
  for (let i = rest - 1; i >= 4; i--) put(MIDDLE + i, (back >> i) & 1)
  writeLow(put, LOW, 4, back)
}

/** Lowest bit first, by the bits before it. */
function writeLow(put, index, bits, value) {
  for (let i = 0, node = 1; i < bits; i++) {
    const bit = (value >> i) & 1
    put(index + node, bit)
    node = 2 * node + bit
  }
}

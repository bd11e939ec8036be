/**
 * How bytes become bits, each with a probability of its own: the model of LZMA (I. Pavlov), with two rates of learning a bit, and with
 * what WebAssembly has where (place.mjs) for the byte before. A step is a byte by itself, or a match: a stretch that was there before, some
 * way back. crate/unpack.rs has the same model the other way round; change neither alone.
 */
import { CONTEXTS } from './place.mjs'

/** Kinds of the steps before: bytes, after what; from here on what came last was a match, and was new, old, or one byte. */
const KINDS = 12
const MATCHED = 7

/** Where each kind of bit keeps its probabilities. */
const MATCH = 0
const AGAIN = MATCH + KINDS // whether a match goes back as far as one of the last four
const WHICH = AGAIN + KINDS
const MORE = WHICH + 3 * KINDS // whether it has more than one byte
const NEW_LENGTH = MORE + KINDS
const OLD_LENGTH = NEW_LENGTH + 274
const SLOT = OLD_LENGTH + 274
const LOW = SLOT + 256
const FOOTER = LOW + 16
const MIDDLE = FOOTER + 14 * 32
const BYTE = MIDDLE + 32 // by its place
const UNLIKE = BYTE + CONTEXTS * 256 // by its place, and by the byte that stands where the last match would go on
const SIZE = UNLIKE + CONTEXTS * 512

/** Longest match of one step. */
export const LONGEST = 273

/** The n-th bit of a kind moves its probabilities by the (n + 3)-th part of the way, and no less than these. */
const FIRST = 3
const FAST = 16
const SLOW = 160
/** Such parts in 16384ths. */
const RATE = Uint16Array.from({ length: SLOW + 1 }, (_, n) => 16384 / n)

export class Model {
  fast = new Uint16Array(SIZE).fill(32768)
  slow = new Uint16Array(SIZE).fill(32768)
  parts = new Uint8Array(SIZE).fill(FIRST)

  /** Of a one, in 4096ths; never 0 or all. */
  probability(index) {
    return (this.fast[index] + this.slow[index]) >>> 5
  }

  learn(index, bit) {
    const { fast, slow, parts } = this
    const [quick, steady] = [RATE[Math.min(parts[index], FAST)], RATE[parts[index]]]
    if (bit) {
      fast[index] += ((65535 - fast[index]) * quick) >> 14
      slow[index] += ((65535 - slow[index]) * steady) >> 14
    } else {
      fast[index] -= (fast[index] * quick) >> 14
      slow[index] -= (slow[index] * steady) >> 14
    }
    if (parts[index] < SLOW) parts[index]++
  }
}

/** What the bits of a step depend on besides the bytes before. */
export const START = { kind: 0, back: [0, 0, 0, 0] }

/**
 * The bits of a step at a place of data, in order, to `put(index, bit)`. Gives the state after it.
 * A step is null, or { length, back }; a match of one byte goes back as far as the last.
 */
export function walk(put, state, { data, contexts }, at, step) {
  const { kind, back } = state
  put(MATCH + kind, step ? 1 : 0)
  if (!step) {
    writeByte(put, contexts[at], data[at], kind >= MATCHED ? data[at - back[0]] : undefined)
    return { kind: afterByte(kind), back }
  }
  const old = back.indexOf(step.back)
  const far = kind >= MATCHED ? 3 : 0
  put(AGAIN + kind, old >= 0 ? 1 : 0)
  if (old < 0) {
    writeLength(put, NEW_LENGTH, step.length - 2)
    writeDistance(put, Math.min(step.length - 2, 3), step.back)
    return { kind: far ? 10 : 7, back: [step.back, ...back.slice(0, 3)] }
  }
  for (let i = 0; i < 3 && i <= old; i++) put(WHICH + KINDS * i + kind, old > i ? 1 : 0)
  if (old === 0) put(MORE + kind, step.length > 1 ? 1 : 0)
  if (step.length === 1) return { kind: far ? 11 : 9, back }
  writeLength(put, OLD_LENGTH, step.length - 2)
  return { kind: far ? 11 : 8, back: [step.back, ...back.filter((_, i) => i !== old)] }
}

function afterByte(kind) {
  if (kind < 4) return 0
  return kind < 10 ? kind - 3 : kind - 6
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
function writeByte(put, context, byte, expected) {
  let alike = expected !== undefined
  for (let i = 7, node = 1; i >= 0; i--) {
    const bit = (byte >> i) & 1
    const likely = (expected >> i) & 1
    put(node + (alike ? UNLIKE + 512 * context + 256 * likely : BYTE + 256 * context), bit)
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
  if (rest < 6) return writeLow(put, FOOTER + 32 * slot, rest, back)
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

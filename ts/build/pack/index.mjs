/**
 * A module as a string literal, a quarter smaller than gzip makes it. crate/unpack.rs is the way back.
 *
 * It is compressed by matches and a range coder, and put into base64, of which gzip takes back what it adds.
 */
import { findMatches } from './matches.mjs'
import { LONGEST, Model, START, walk } from './model.mjs'
import { cheapest } from './path.mjs'
import { contextsOf } from './place.mjs'

/** Each takes the probabilities that the one before ended with. */
const PASSES = 6

/** 'SIZE:BASE64'; `before` are bytes that whoever decodes it has already, to copy from. */
export function encode(module, before = Buffer.alloc(0)) {
  const data = Buffer.concat([before, module])
  const source = { data, contexts: contextsOf(data) }
  const matches = findMatches(data, LONGEST)
  let model = new Model()
  let best
  for (let pass = 0; pass < PASSES; pass++) {
    const path = cheapest(source, before.length, matches, model)
    model = new Model()
    const bytes = write(source, path, model)
    if (!best || bytes.length < best.length) best = bytes
  }
  return `${module.length}:${Buffer.from(best).toString('base64')}`
}

function write(source, path, model) {
  const coder = new RangeCoder()
  const put = (index, bit) => {
    coder.put(model.probability(index), bit)
    model.learn(index, bit)
  }
  let state = START
  for (const [at, step] of path) state = walk(put, state, source, at, step)
  return coder.finish()
}

const LEAST_RANGE = 2 ** 23
const BYTE = 2 ** 24

/** A number between 0 and 1, digit by digit: each bit leaves a part of the interval as large as it is likely (G. N. N. Martin 1979). */
class RangeCoder {
  low = 0
  range = BYTE
  bytes = []
  /** The last byte, which a carry may still change, and how many of 255 follow it. */
  held = 0
  full = 0
  first = true

  put(probability, bit) {
    const bound = (this.range >>> 12) * probability
    if (bit) this.range = bound
    else {
      this.low += bound
      this.range -= bound
    }
    while (this.range < LEAST_RANGE) {
      this.range *= 256
      this.shift()
    }
  }

  shift() {
    const carry = this.low >= 2 ** 32 ? 1 : 0
    const byte = Math.floor(this.low / BYTE) & 255
    if (byte < 255 || carry) {
      if (!this.first) this.bytes.push((this.held + carry) & 255)
      for (; this.full > 0; this.full--) this.bytes.push((255 + carry) & 255)
      this.held = byte
      this.first = false
    } else this.full++
    this.low = (this.low % BYTE) * 256
  }

  /** The first is 0, as the range begins with all other digits. The reader takes what is missing at the end for zeros. */
  finish() {
    for (let i = 0; i < 5; i++) this.shift()
    while (this.bytes.at(-1) === 0) this.bytes.pop()
    return Uint8Array.from(this.bytes.slice(1))
  }
}

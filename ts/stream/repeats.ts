/** Finds parts of a stream that came before: a source that was opened again, or a message that was delivered twice. */
import { crc32Of } from '../io/crc32.js'
import { between, type Numbers, type Segment } from './numbers.js'

/** Rows of a part that are compared: this many at its start, and as many at its end. */
const SEEN = 32
/** A part is compared if so many of these rows differ from one another: few kinds of rows repeat by chance. */
const MIN_KINDS = 16
/** Parts that are remembered. */
const MOST = 100_000

/** @internal The parts of one pass. */
export class Repeats {
  private readonly known = new Map<string, number>()

  clear(): void {
    this.known.clear()
  }

  /** The row at which the same rows came before, if they did. */
  find({ numbers, row }: Segment): number | undefined {
    const { count } = numbers
    if (count < MIN_KINDS) return undefined
    const shown = Math.min(count, 2 * SEEN)
    const prints = Array.from({ length: shown }, (_, i) => {
      const at = i < SEEN ? i : count - shown + i
      return printOf(between(numbers, at, at + 1))
    })
    if (new Set(prints).size < MIN_KINDS) return undefined
    const key = crc32Of(new TextEncoder().encode(prints.join()))
    const before = this.known.get(key)
    if (before === undefined && this.known.size < MOST) this.known.set(key, row)
    return before
  }
}

function printOf({ inputs, targets }: Numbers): string {
  return `${crc32Of(inputs)}${crc32Of(targets)}`
}

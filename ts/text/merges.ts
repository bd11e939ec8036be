/** Byte-pair encoding: words as lists of tokens, in which the pair that was merged first in training is merged first. */

/** @internal A pair of tokens as one number: vocabularies have fewer than 2²⁶ tokens. */
export const pairOf = (left: number, right: number): number => left * 2 ** 26 + right
/** @internal The tokens of a pair. */
export const tokensOf = (pair: number): [left: number, right: number] => [Math.floor(pair / 2 ** 26), pair % 2 ** 26]

/** A merge: its place among all merges, and the token of the merged pair. */
export interface Merge {
  rank: number
  token: number
}

/**
 * @internal Merges pairs of a word, the one of the lowest rank and there the leftmost first, until none is left. A word of n characters takes n log n
 * steps: pairs wait in a heap.
 */
export function mergeAll(word: readonly number[], merges: ReadonlyMap<number, Merge>): number[] {
  const tokens = [...word]
  const { length } = tokens
  // neighbors of each place that is left
  const next = Int32Array.from(tokens, (_, i) => (i + 1 < length ? i + 1 : -1))
  const before = Int32Array.from(tokens, (_, i) => i - 1)
  const heap = new Heap<Waiting>((a, b) => a.rank - b.rank || a.at - b.at)
  const offer = (at: number) => {
    if (at < 0 || next[at] < 0) return
    const pair = pairOf(tokens[at], tokens[next[at]])
    const merge = merges.get(pair)
    if (merge !== undefined) heap.push({ ...merge, at, pair })
  }
  for (let at = 0; at < length; at++) offer(at)
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const { at, pair, token } = top
    // a pair that was merged with its neighbors meanwhile
    if (tokens[at] < 0 || next[at] < 0 || pairOf(tokens[at], tokens[next[at]]) !== pair) continue
    const gone = next[at]
    tokens[at] = token
    tokens[gone] = -1
    next[at] = next[gone]
    if (next[at] >= 0) before[next[at]] = at
    offer(before[at])
    offer(at)
  }
  return tokens.filter((token) => token >= 0)
}

interface Waiting extends Merge {
  at: number
  pair: number
}

/** @internal A binary heap: the least item is on top. */
export class Heap<T> {
  private readonly items: T[] = []

  constructor(private readonly compare: (a: T, b: T) => number) {}

  push(item: T): void {
    const { items, compare } = this
    let at = items.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (compare(items[parent], item) <= 0) break
      items[at] = items[parent]
      at = parent
    }
    items[at] = item
  }

  pop(): T | undefined {
    const { items, compare } = this
    const [top] = items
    const last = items.pop()
    if (items.length === 0 || last === undefined) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && compare(items[child + 1], items[child]) < 0) child++
      if (compare(last, items[child]) <= 0) break
      items[at] = items[child]
      at = child
    }
    items[at] = last
    return top
  }
}

/**
 * Training of byte-pair encoding (Sennrich, Haddow & Birch 2016): the most frequent pair of neighbors in all words becomes a token, again and again.
 * Words that have a pair are remembered with it, so that a merge visits these alone.
 */
import { Pacer } from '../common/pacer.js'
import { Heap, pairOf, tokensOf } from './merges.js'

/** A pair that waits to be merged, and the words in which it was found. */
interface Candidate {
  pair: number
  count: number
  words: Set<number>
}

/**
 * @internal Adds merged tokens to a vocabulary until it is full. Of pairs that are equally frequent, the one of earlier tokens comes first.
 *
 * @param counts how often each word occurs
 * @param vocabulary tokens; each character of a word is one. New ones are added
 * @returns the merged pairs, in their order
 */
export async function trainMerges(
  counts: ReadonlyMap<string, number>,
  vocabulary: string[],
  { size, minCount, special }: { size: number; minCount: number; special: readonly string[] },
): Promise<[string, string][]> {
  const ids = new Map(vocabulary.map((token, id) => [token, id]))
  const words = Array.from(counts.keys(), (word) => Array.from(word, (character) => ids.get(character) as number))
  const times = [...counts.values()]
  const totals = new Map<number, number>()
  const queue = new Heap<Candidate>((a, b) => b.count - a.count || a.pair - b.pair)
  const found = new Map<number, Set<number>>()
  const count = (pair: number, word: number, by: number) => {
    totals.set(pair, (totals.get(pair) ?? 0) + by * times[word])
    if (by < 0) return
    const places = found.get(pair)
    if (places === undefined) found.set(pair, new Set([word]))
    else places.add(word)
  }
  const offerFound = () => {
    for (const [pair, places] of found) {
      const total = totals.get(pair) as number
      if (total > 0) queue.push({ pair, count: total, words: places })
    }
    found.clear()
  }
  words.forEach((word, i) => {
    for (let at = 1; at < word.length; at++) count(pairOf(word[at - 1], word[at]), i, 1)
  })
  offerFound()
  const merges = new Map<number, [string, string]>()
  const pacer = new Pacer()
  while (vocabulary.length < size) {
    if (pacer.isDue) await pacer.pause()
    const top = queue.pop()
    if (top === undefined) break
    const total = totals.get(top.pair) as number
    if (total !== top.count) {
      // other merges took some of its places
      queue.push({ ...top, count: total })
      continue
    }
    if (total < minCount) break
    const [left, right] = tokensOf(top.pair)
    const token = vocabulary[left] + vocabulary[right]
    // text may read like the name of a special token, and is none
    if (special.includes(token)) continue
    let id = ids.get(token)
    if (id === undefined) {
      id = vocabulary.push(token) - 1
      ids.set(token, id)
    }
    // a pair that is merged once more counts from then on
    merges.delete(top.pair)
    merges.set(top.pair, [vocabulary[left], vocabulary[right]])
    for (const word of top.words) mergePair(words[word], left, right, id, (pair, by) => count(pair, word, by))
    offerFound()
  }
  return [...merges.values()]
}

/** Replaces a pair in a word, and reports the pairs that go and come. */
function mergePair(word: number[], left: number, right: number, token: number, changed: (pair: number, by: number) => void): void {
  let kept = 0
  for (let at = 0; at < word.length; at++) {
    if (word[at] !== left || word[at + 1] !== right) {
      word[kept++] = word[at]
      continue
    }
    if (kept > 0) {
      changed(pairOf(word[kept - 1], left), -1)
      changed(pairOf(word[kept - 1], token), 1)
    }
    at++
    if (at + 1 < word.length) {
      changed(pairOf(right, word[at + 1]), -1)
      changed(pairOf(token, word[at + 1]), 1)
    }
    word[kept++] = token
  }
  word.length = kept
}

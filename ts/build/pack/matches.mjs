/** What can be copied from further up: at each place the nearest stretch of each length. */

/** Places that are tried for one place. */
const MOST_TRIES = 512

/** For each place a list of { length, back }, both rising. */
export function findMatches(data, longest) {
  const found = []
  const pairs = new Map()
  const triples = new Map()
  const before = new Int32Array(data.length).fill(-1)
  for (let at = 0; at < data.length; at++) {
    const list = []
    const pair = data[at] | (data[at + 1] << 8)
    if (pairs.has(pair) && at + 1 < data.length) list.push({ length: 2, back: at - pairs.get(pair) })
    pairs.set(pair, at)
    if (at + 2 < data.length) {
      const triple = pair | (data[at + 2] << 16)
      before[at] = triples.get(triple) ?? -1
      triples.set(triple, at)
      followChain(data, at, before, longest, list)
    }
    found.push(list)
  }
  return found
}

function followChain(data, at, before, longest, list) {
  let best = 2
  for (let from = before[at], tries = MOST_TRIES; from >= 0 && tries > 0 && best < longest; from = before[from], tries--) {
    if (data[from + best] !== data[at + best]) continue
    const length = alike(data, from, at, longest)
    if (length > best) list.push({ length, back: at - from })
    best = Math.max(best, length)
  }
}

/** How many bytes from two places on are the same. */
export function alike(data, from, at, longest) {
  const most = Math.min(longest, data.length - at)
  let n = 0
  while (n < most && data[from + n] === data[at + n]) n++
  return n
}

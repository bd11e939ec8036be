/** The name that is meant by a misspelled one. */
/** Longer texts are not misspelled names, and comparing two texts takes as long as the product of their lengths. */
const LONGEST_NAME = 64

/** No more than this many names are compared, for the same reason. */
const MAX_NAMES = 1000

/** @internal the name among `known` that is one or two typing errors away, if there is one; none for a text that is too long for a name */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined
  let best: string | undefined
  let most = Math.max(2, name.length / 3)
  for (const candidate of known.slice(0, MAX_NAMES)) {
    // the distance is at least the difference of the lengths
    if (Math.abs(candidate.length - name.length) > most) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    // in a short name, two changed letters make another name
    if (distance <= Math.min(most, name.length / 2, candidate.length / 2)) [best, most] = [candidate, distance - 1]
  }
  return best
}

/** Letters to insert, leave out or change (Levenshtein 1966). Takes time in proportion to `a.length * b.length`. */
function editDistance(a: string, b: string): number {
  let row = [...b, ''].map((_, j) => j)
  for (const letter of a) {
    const next = [row[0] + 1]
    for (let j = 0; j < b.length; j++) next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + Number(letter !== b[j])))
    row = next
  }
  return row[b.length]
}

/** Hashes of some training rows, so that an evaluation can notice training rows among its rows. */

/** Largest number of kept rows, and the least number if there are enough rows. */
const MOST = 64
const FEWEST = 8

/** A number of 32 bits for each encoded row with its target: FNV-1a of the bits. */
export function hashesOf(inputs: Float32Array, features: number, targets: Int32Array | Float32Array): Uint32Array {
  const bits = new Uint32Array(inputs.buffer, inputs.byteOffset, inputs.length)
  const own = new Uint32Array(targets.buffer, targets.byteOffset, targets.length)
  return Uint32Array.from(own, (target, row) => {
    let hash = Math.imul(0x811c9dc5 ^ target, 0x01000193)
    for (let i = row * features; i < (row + 1) * features; i++) {
      hash = Math.imul(hash ^ bits[i], 0x01000193)
      // the high bits of a float say the most, and products carry upwards alone
      hash ^= hash >>> 15
    }
    return hash >>> 0
  })
}

/**
 * Hashes of some training rows, evenly spread, chosen so that no other row of the table is equal: a table of few different rows has the same rows
 * again in any other sample. Empty if there are too few.
 */
export function fingerprintOf(learnt: Uint32Array, others: Uint32Array): number[] {
  const counts = new Map<number, number>()
  for (const hashes of [learnt, others]) for (const hash of hashes) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  const single = learnt.filter((hash) => counts.get(hash) === 1)
  if (single.length < FEWEST) return []
  const count = Math.min(MOST, single.length)
  return Array.from({ length: count }, (_, i) => single[Math.floor((i * single.length) / count)])
}

/** Share of the rows of a fingerprint that are among these rows; undefined if there is no fingerprint */
export function shareIn(fingerprint: readonly number[], hashes: Uint32Array): number | undefined {
  if (fingerprint.length === 0) return undefined
  const there = new Set(hashes)
  return fingerprint.filter((hash) => there.has(hash)).length / fingerprint.length
}

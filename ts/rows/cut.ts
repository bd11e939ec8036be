/** Division of rows into parts, by their indices: at random, by class, by group, by time. This code does not know what rows are. */
import { dealGroups, rowsByValue } from './groups.js'

/** Criteria of a cut; `times` takes precedence, then `groups`. */
export interface CutBy {
  /** Class of each row: every class has the same proportion in all parts. */
  classOf?: ArrayLike<unknown> | null
  /** Group of each row: the rows of a group stay in one part. */
  groups?: ArrayLike<unknown> | null
  /** Time of each row: the latest rows become the last part, and rows of the same time stay together. */
  times?: ArrayLike<number> | null
}

/**
 * Cuts rows into parts: the first has the remaining rows, each other part has its fraction of all rows: `cutParts(Int32Array.of(0, 1, 2, 3), [0.25])`
 * is `[Int32Array.of(1, 2, 3), Int32Array.of(0)]`.
 *
 * @param order the rows, at random or as they come; each part keeps it
 */
export function cutParts(order: Int32Array, fractions: readonly number[], { classOf = null, groups, times }: CutBy = {}): Int32Array[] {
  const partOf = new Uint8Array(order.length)
  // cut from the last part to the first, so that a part does not depend on the parts before it
  const lastFirst = fractions.map((fraction, i) => [i + 1, fraction] as const).reverse()
  const rest = lastFirst.reduce((left, [, fraction]) => left - fraction, 1)
  if (times) order = putByTime(order, times, partOf, lastFirst)
  else if (groups) putGroups(order, groups, partOf, [rest, ...fractions], classOf ?? new Uint8Array(order.length))
  else {
    let [rows, left] = [order, 1]
    for (const [part, fraction] of lastFirst) {
      const by = classOf === null ? [rows] : rowsByValue(rows, classOf)
      const sizes = by.map(({ length }) => length)
      const counts = largestRemainder(sizes, fraction / left)
      for (const [i, own] of by.entries()) for (const row of own.subarray(0, counts[i])) partOf[row] = part
      rows = rows.filter((row) => partOf[row] !== part)
      left -= fraction
    }
  }
  return [0, ...fractions].map((_, part) => order.filter((row) => partOf[row] === part))
}

/**
 * Cuts rows into two parts, the second with `held` rows. These are evenly spaced in the order of the classes, so that each part has its share of each
 * class.
 *
 * @param order the rows, at random; it is sorted by class
 */
export function cutEvenly(order: Int32Array, held: number, classOf: ArrayLike<number> | null): [rest: Int32Array, held: Int32Array] {
  if (classOf) order.sort((a, b) => classOf[a] - classOf[b])
  const count = order.length
  const isHeld = (_: number, i: number) => Math.floor(((i + 1) * held) / count) > Math.floor((i * held) / count)
  return [order.filter((row, i) => !isHeld(row, i)), order.filter(isHeld)]
}

/**
 * A fraction of each count, by the largest remainder, so that the sum keeps the fraction even for small counts. Among equal remainders the first ones
 * get one more. A count is used up only if there is no other: the only row of a class stays in the first part, which is learnt from.
 */
function largestRemainder(counts: readonly number[], fraction: number): number[] {
  const exact = counts.map((count) => count * fraction)
  const shares = exact.map(Math.floor)
  const total = Math.round(counts.reduce((sum, count) => sum + count, 0) * fraction)
  const order = counts.map((_, i) => i).sort((a, b) => exact[b] - shares[b] - (exact[a] - shares[a]))
  for (let left = total - shares.reduce((sum, share) => sum + share, 0); left > 0; ) {
    const withRoom = order.filter((i) => shares[i] + 1 < counts[i])
    const next = withRoom.length > 0 ? withRoom : order.filter((i) => shares[i] < counts[i])
    for (const i of next.slice(0, left)) shares[i]++
    left -= Math.min(left, next.length)
  }
  return shares
}

type Fractions = readonly (readonly [part: number, fraction: number])[]

/** @returns the rows in the order of their times */
function putByTime(rows: Int32Array, times: ArrayLike<number>, partOf: Uint8Array, lastFirst: Fractions): Int32Array {
  const order = rows.slice().sort((a, b) => times[a] - times[b])
  const inOrder = Float64Array.from(order, (row) => times[row])
  let [fractions, end] = [0, order.length]
  for (const [part, fraction] of lastFirst) {
    fractions += fraction
    const first = firstOfTime(inOrder, order.length - Math.round(order.length * fractions))
    for (const row of order.subarray(first, end)) partOf[row] = part
    end = first
  }
  return order
}

/** The first row of the time that a row has; rows are in the order of their times. */
export function firstOfTime(times: ArrayLike<number>, row: number): number {
  let first = row
  while (first > 0 && first < times.length && times[first] === times[first - 1]) first--
  return first
}

/** Assigns each group, the largest first, to the part that lacks most of its rows. The lack is measured for each class as a fraction of the class. */
function putGroups(
  order: Int32Array,
  groups: ArrayLike<unknown>,
  partOf: Uint8Array,
  fractions: readonly number[],
  classOf: ArrayLike<unknown>,
): void {
  const totals = new Map(rowsByValue(order, classOf).map((rows) => [classOf[rows[0]], rows.length]))
  const lacking = fractions.map((fraction) => new Map([...totals].map(([c, total]) => [c, total * fraction])))
  const lackOf = (part: number, row: number) => lacking[part].get(classOf[row]) as number
  const largestFirst = rowsByValue(order, groups).sort((a, b) => b.length - a.length)
  dealGroups(largestFirst, fractions.length, {
    cost: (rows, part) => -rows.reduce((sum, row) => sum + lackOf(part, row) / (totals.get(classOf[row]) as number), 0),
    put(rows, part) {
      for (const row of rows) {
        partOf[row] = part
        lacking[part].set(classOf[row], lackOf(part, row) - 1)
      }
    },
  })
}

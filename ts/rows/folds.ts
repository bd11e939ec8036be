/** The training rows and held-out rows of the parts of a cross-validation. */

import { rangeError, typeError } from '../common/errors.js'
import { anything, count, flag, type Read, type Schema, seed } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { show } from '../common/show.js'
import { warnOnce } from '../common/warn.js'
import { dealGroups, rowsByValue } from './groups.js'

/** Options of the division of rows into folds. */
export interface FoldOptions {
  /** Number of folds, from 2 to the number of rows, or of groups. Default 5. */
  folds?: number
  /** Number of times that all rows are divided, each time differently. Default 1. */
  repeats?: number
  /**
   * Shuffles the rows before the cut. Without it, parts are consecutive rows, and groups are dealt out by size, the largest first, which makes the
   * most even parts. Default true.
   */
  shuffle?: boolean
  /** The same seed gives the same parts. Default 0. */
  seed?: number
  /**
   * The group of each row, such as a patient or a day: a text or a number. Rows of one group are never in different folds, so that no test row is
   * nearly equal to a training row.
   */
  groups?: ArrayLike<string | number>
}

export const FOLDS = {
  folds: { is: { min: 2, whole: true }, default: 5, aka: ['cv', 'n_splits', 'splits', 'k'] },
  repeats: { is: count, default: 1, aka: ['n_repeats'] },
  shuffle: { is: flag, default: true },
  seed: { is: seed, default: 0 },
  groups: { is: anything },
} satisfies Schema<FoldOptions>

/** @internal checked options, with defaults */
export type FoldsToCut = Read<FoldOptions, typeof FOLDS>

/** The rows of one part. */
export interface FoldRows {
  /** Number of the part among all parts, from 0. */
  index: number
  /** Index of the division of all rows, from 0. */
  repeat: number
  /** Index of the held-out fold in that division, from 0. */
  fold: number
  /** Rows to train on, in a random order unless `shuffle` is false. */
  train: Int32Array
  /** Rows that are held out. */
  test: Int32Array
}

/**
 * All folds, division after division.
 *
 * @param classOf the class of each row, for stratified folds
 * @throws RangeError, TypeError
 */
export function cutFolds(who: string, count: number, options: FoldsToCut, classOf: ArrayLike<number> | null): FoldRows[] {
  const { folds, repeats, shuffle, seed, groups } = options
  if (repeats > 1 && !shuffle) throw rangeError(`${who}: repeats ${repeats} wants shuffle, or each would cut the rows in the same way`)
  if (groups !== undefined) checkGroups(who, groups, count)
  const [most, what] = groups === undefined ? [count, 'rows'] : [new Set(Array.from(groups)).size, 'groups']
  if (folds > most) throw rangeError(`${who}: folds wants a whole number from 2 to the ${most} ${what}, got ${show(folds)}`)
  const random = new RandomStream(seed)
  const deal = () => {
    const order = shuffle ? random.permutation(count) : Int32Array.from({ length: count }, (_, i) => i)
    const foldOf =
      groups === undefined
        ? dealRows(order, folds, classOf)
        : dealWholeGroups(order, folds, classOf ?? new Int32Array(count), groups, !shuffle)
    return { order, foldOf }
  }
  const cuts: Int32Array[] = []
  return Array.from({ length: repeats }, (_, repeat) => {
    let cut = deal()
    if (repeats > 1) {
      let parts = numbered(cut.foldOf)
      for (let draws = 1; cuts.some((before) => before.every((part, row) => part === parts[row])); draws++) {
        if (draws === MAX_DRAWS)
          throw rangeError(
            `${who}: repeats ${repeats} wants as many ways to cut ${most} ${what} into ${folds} folds, got ${repeat} that differ; give fewer repeats`,
          )
        cut = deal()
        parts = numbered(cut.foldOf)
      }
      cuts.push(parts)
    }
    const { order, foldOf } = cut
    return Array.from({ length: folds }, (_, fold) => ({
      index: repeat * folds + fold,
      repeat,
      fold,
      train: order.filter((row) => foldOf[row] !== fold),
      test: order.filter((row) => foldOf[row] === fold),
    }))
  }).flat()
}

/** Largest number of random cuts that are tried to find one that differs from those of earlier repeats. */
const MAX_DRAWS = 100

/** The part of each row, with parts numbered in the order of their first rows: cuts into the same parts give equal lists. */
function numbered(foldOf: Int32Array): Int32Array {
  const numbers = new Map<number, number>()
  return foldOf.map((fold) => {
    if (!numbers.has(fold)) numbers.set(fold, numbers.size)
    return numbers.get(fold) as number
  })
}

/**
 * Checks that each fold can have rows of each class: warns if one class has fewer rows than there are folds, and throws if all classes have, as
 * scikit-learn does. It checks nothing if each row is a fold.
 *
 * @throws RangeError
 */
export function checkClasses(who: string, { folds }: { folds: number }, classOf: ArrayLike<number> | null): void {
  if (classOf === null || folds === classOf.length) return
  const rowsOf = new Map<number, number>()
  for (let row = 0; row < classOf.length; row++) rowsOf.set(classOf[row], (rowsOf.get(classOf[row]) ?? 0) + 1)
  const [least, fewest] = [...rowsOf].reduce((a, b) => (b[1] < a[1] ? b : a))
  const most = [...rowsOf.values()].reduce((a, b) => Math.max(a, b))
  if (folds > most)
    throw rangeError(
      `${who}: folds wants at most as many as the largest class has rows, ${most}, so that it can be in each, got ${folds}; take fewer, or stratify: false`,
    )
  if (folds > fewest)
    warnOnce(`${who}: class ${least} has ${fewest} ${fewest === 1 ? 'row' : 'rows'}, so that some of the ${folds} folds have none of it`)
}

function checkGroups(who: string, groups: ArrayLike<string | number>, count: number): void {
  if (typeof groups !== 'object' || groups?.length !== count)
    throw rangeError(
      `${who}: groups wants one text or number for each of ${count} rows, got ${show(groups)}${groups?.length === undefined ? '' : ` of ${groups.length}`}`,
    )
  for (let i = 0; i < count; i++) {
    const group: unknown = groups[i]
    if (typeof group !== 'string' && !Number.isFinite(group))
      throw typeError(`${who}: groups wants a text or a finite number for each row, got ${show(group)} at row ${i}`)
  }
}

/** The part of each row, from rows in random order. Sizes, and with classes the rows of each class, differ by one at most. */
export function dealRows(order: Int32Array, folds: number, classOf: ArrayLike<number> | null): Int32Array {
  const foldOf = new Int32Array(order.length)
  // Class by class, dealt out like cards: the next class begins where the last one ended, so that sizes stay even.
  if (classOf) {
    let i = 0
    for (const rows of rowsByValue(order, classOf).sort((a, b) => classOf[a[0]] - classOf[b[0]]))
      for (const row of rows) foldOf[row] = i++ % folds
  } else order.forEach((row, i) => (foldOf[row] = Math.floor((i * folds) / order.length)))
  return foldOf
}

/**
 * The part of each row, with groups kept together. Each group goes to the part with the least share of its classes so far, and among equal parts to
 * the one with the fewest rows. Without classes, the largest and the smallest part therefore differ by no more rows than the largest group has.
 * Groups come in the order of their first rows, so that in a random order large groups tend to come early and small ones even the parts out; or the
 * largest first, as in scikit-learn's GroupKFold without shuffling.
 *
 * Each class is measured by shares of its rows. If a part has share s of a class and the group has share g, the group adds (s + g)² − s² = 2sg + g²
 * to the sum of squared shares, which is least if each class is spread evenly; g² is the same for all parts.
 */
function dealWholeGroups(
  order: Int32Array,
  folds: number,
  classOf: ArrayLike<number>,
  groups: ArrayLike<string | number>,
  largestFirst: boolean,
): Int32Array {
  const totals = new Map(rowsByValue(order, classOf).map((rows) => [classOf[rows[0]], rows.length]))
  const dealt = rowsByValue(order, groups).map((rows) => {
    const shares = new Map<number, number>()
    for (const row of rows) shares.set(classOf[row], (shares.get(classOf[row]) ?? 0) + 1 / (totals.get(classOf[row]) as number))
    return { rows, shares, weight: [...shares.values()].reduce((sum, g) => sum + g * g, 0) }
  })
  if (largestFirst) dealt.sort((a, b) => b.weight - a.weight)
  const parts = Array.from({ length: folds }, () => ({ rows: 0, shares: new Map<number, number>() }))
  const foldOf = new Int32Array(order.length)
  dealGroups(dealt, folds, {
    cost: ({ shares }, fold) => [...shares].reduce((sum, [c, g]) => sum + g * (parts[fold].shares.get(c) ?? 0), 0),
    tie: (fold) => parts[fold].rows,
    put({ rows, shares }, fold) {
      for (const row of rows) foldOf[row] = fold
      parts[fold].rows += rows.length
      for (const [c, g] of shares) parts[fold].shares.set(c, (parts[fold].shares.get(c) ?? 0) + g)
    },
  })
  return foldOf
}

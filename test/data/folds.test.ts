/** How rows are cut into folds: whatever the rows, the properties that scikit-learn's StratifiedKFold, GroupKFold and StratifiedGroupKFold promise. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutFolds, type FoldRows } from '../../ts/data/folds.js'
import { fromArrays, iris, kFold } from '../../ts/data/index.js'

const counted = (rows: ArrayLike<number>, of: (row: number) => number, n: number) => {
  const counts = new Array(n).fill(0)
  for (const row of Array.from(rows)) counts[of(row)]++
  return counts
}
const spread = (list: number[]) => Math.max(...list) - Math.min(...list)

/** Each row held out once in each repeat, and trained on in all other parts. */
function checkPartition(parts: FoldRows[], count: number, folds: number, repeats: number): void {
  expect(parts.map(({ index, repeat, fold }) => [index, repeat, fold])).toEqual(
    Array.from({ length: folds * repeats }, (_, i) => [i, Math.floor(i / folds), i % folds]),
  )
  const all = Array.from({ length: count }, (_, i) => i)
  const sorted = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b)
  for (let repeat = 0; repeat < repeats; repeat++)
    expect(sorted(parts.filter((part) => part.repeat === repeat).flatMap(({ test }) => [...test]))).toEqual(all)
  for (const { train, test } of parts) {
    expect(sorted([...train, ...test])).toEqual(all)
    expect(test.length).toBeGreaterThan(0)
  }
}

const cuts = fc
  .record({
    count: fc.integer({ min: 2, max: 120 }),
    folds: fc.integer({ min: 2, max: 8 }),
    repeats: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    classes: fc.integer({ min: 1, max: 5 }),
    groups: fc.integer({ min: 2, max: 40 }),
    skew: fc.integer({ min: 1, max: 4 }),
  })
  .map((c) => ({ ...c, folds: Math.min(c.folds, c.count) }))

/** Some numbers below n, small ones more often the larger `skew` is. */
const skewed = (count: number, n: number, skew: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(n * (((i * 7919 + seed * 104729) % 1009) / 1009) ** skew))

describe('any rows', () => {
  test('parts differ by one row, and with classes by one row of each class', () => {
    fc.assert(
      fc.property(cuts, ({ count, folds, repeats, seed, classes, skew }) => {
        const classOf = skewed(count, classes, skew, seed)
        for (const given of [null, classOf]) {
          const parts = cutFolds('test', count, { folds, repeats, seed }, given)
          checkPartition(parts, count, folds, repeats)
          for (let repeat = 0; repeat < repeats; repeat++) {
            const own = parts.filter((part) => part.repeat === repeat)
            expect(spread(own.map(({ test }) => test.length))).toBeLessThanOrEqual(1)
            if (given === null) continue
            for (let c = 0; c < classes; c++)
              expect(spread(own.map(({ test }) => counted(test, (row) => classOf[row], classes)[c]))).toBeLessThanOrEqual(1)
          }
        }
      }),
      { numRuns: 200, seed: 1 },
    )
  })

  test('groups are never split; parts differ by no more rows than the largest group has', () => {
    fc.assert(
      fc.property(cuts, ({ count, folds, repeats, seed, classes, groups, skew }) => {
        const groupOf = skewed(count, groups, skew, seed)
        const distinct = new Set(groupOf).size
        fc.pre(distinct >= folds)
        const classOf = skewed(count, classes, 1, seed + 1)
        for (const given of [null, classOf]) {
          const parts = cutFolds('test', count, { folds, repeats, seed, groups: groupOf.map((g) => `patient ${g}`) }, given)
          checkPartition(parts, count, folds, repeats)
          for (const { train, test } of parts) {
            const held = new Set(Array.from(test, (row) => groupOf[row]))
            expect([...train].some((row) => held.has(groupOf[row]))).toBe(false)
          }
          if (given !== null) continue
          const largest = Math.max(...counted([...groupOf.keys()], (row) => groupOf[row], groups))
          for (let repeat = 0; repeat < repeats; repeat++)
            expect(spread(parts.filter((part) => part.repeat === repeat).map(({ test }) => test.length))).toBeLessThanOrEqual(largest)
        }
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})

test('groups with classes keep classes in proportion', () => {
  // 40 groups of 5 rows of one class each: a quarter of the groups are of class 1
  const groups = Array.from({ length: 200 }, (_, row) => Math.floor(row / 5))
  const classOf = groups.map((group) => Number(group % 4 === 0))
  for (let seed = 0; seed < 20; seed++) {
    const parts = cutFolds('test', 200, { folds: 5, seed, groups }, classOf)
    expect(parts.map(({ test }) => counted(test, (row) => classOf[row], 2))).toEqual(new Array(5).fill([30, 10]))
  }
})

test('a seed decides; each repeat is another cut, and the first is that of one without repeats', () => {
  const cut = (seed: number, repeats: number) => cutFolds('test', 40, { folds: 4, seed, repeats }, null).map(({ test }) => [...test])
  expect(cut(1, 3)).toEqual(cut(1, 3))
  expect(cut(1, 3)).not.toEqual(cut(2, 3))
  expect(cut(1, 3).slice(0, 4)).toEqual(cut(1, 1))
  expect(cut(1, 3).slice(4, 8)).not.toEqual(cut(1, 1))
})

test('kFold cuts data sets so', () => {
  const groups = Array.from({ length: 150 }, (_, row) => row % 25)
  const splits = kFold(iris(), { folds: 5, repeats: 2, groups, seed: 3 })
  expect(splits).toHaveLength(10)
  for (const { train, test } of splits) expect([train.count, test.count]).toEqual([120, 30])
  const table = fromArrays(
    groups.map((g) => [g]),
    Float32Array.from(groups),
  )
  for (const { train, test } of kFold(table, { groups })) {
    const held = new Set(test.inputs)
    expect(train.inputs.some((group) => held.has(group))).toBe(false)
  }
})

test.each([
  [{ folds: 6, groups: [0, 0, 1, 1, 2, 2] }, 'kFold: folds wants a whole number from 2 to the 3 groups, got 6'],
  [{ folds: 2, groups: [0, 1] }, 'kFold: groups wants one text or number for each of 6 rows, got an array of 2'],
  [{ folds: 2, groups: [0, 0, 1, null, 2, 2] }, 'kFold: groups wants a text or a finite number for each row, got null at row 3'],
  [{ folds: 2, repeats: 0 }, 'kFold: repeats wants a whole number ≥ 1, got 0'],
  [{ folds: 2, repeats: 2, shuffle: false }, 'kFold: repeats 2 wants shuffle, or each would cut the rows in the same way'],
  [{ folds: 2, shuffle: 1 }, 'kFold: shuffle wants true or false, got 1'],
  [{ n_repeats: 2 }, "kFold: there is no option 'n_repeats'; did you mean repeats?"],
])('%j is refused', (options, message) => {
  const data = fromArrays([[0], [1], [2], [3], [4], [5]], Float32Array.of(0, 1, 2, 3, 4, 5))
  expect(() => kFold(data, options as never)).toThrow(message)
})

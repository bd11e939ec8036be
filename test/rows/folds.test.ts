/** Cuts of random rows into folds have the properties that scikit-learn's StratifiedKFold, GroupKFold and StratifiedGroupKFold promise. */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { readOptions } from '../../ts/common/options.js'
import { fromArrays, iris, kFold, selectRows } from '../../ts/data/index.js'
import { crossEntropy, Dense, fitMany, Sequential, SGD } from '../../ts/index.js'
import { cutFolds as cut, FOLDS, type FoldOptions, type FoldRows } from '../../ts/rows/folds.js'

function cutFolds(who: string, count: number, options: FoldOptions, classOf: ArrayLike<number> | null) {
  return cut(who, count, readOptions(who, options, FOLDS), classOf)
}

const counted = (rows: ArrayLike<number>, of: (row: number) => number, n: number) => {
  const counts = new Array(n).fill(0)
  for (const row of Array.from(rows)) counts[of(row)]++
  return counts
}
const spread = (list: number[]) => Math.max(...list) - Math.min(...list)

/** Checks that each row is held out once in each repeat, and is a training row in all other parts. */
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

/** The parts of each repeat as text, which is the same for the same parts in another order. */
const cutsOf = (parts: readonly FoldRows[], repeats: number) =>
  Array.from({ length: repeats }, (_, repeat) =>
    parts
      .filter((part) => part.repeat === repeat)
      .map(({ test }) => [...test].sort((a, b) => a - b).join())
      .sort()
      .join('|'),
  )

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
        // a few rows can be cut in only a few ways
        fc.pre(repeats === 1 || folds < count)
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

  test('fault 43: groups are never split; parts differ by no more rows than the largest group has', () => {
    fc.assert(
      fc.property(cuts, ({ count, folds, repeats, seed, classes, groups, skew }) => {
        const groupOf = skewed(count, groups, skew, seed)
        const distinct = new Set(groupOf).size
        fc.pre(repeats === 1 ? distinct >= folds : distinct > folds + 1)
        const classOf = skewed(count, classes, 1, seed + 1)
        for (const given of [null, classOf]) {
          const parts = cutFolds('test', count, { folds, repeats, seed, groups: groupOf.map((g) => `patient ${g}`) }, given)
          checkPartition(parts, count, folds, repeats)
          for (const { train, test } of parts) {
            const held = new Set(Array.from(test, (row) => groupOf[row]))
            expect([...train].some((row) => held.has(groupOf[row]))).toBe(false)
          }
          // each repeat is another cut, and not the same parts in another order
          expect(new Set(cutsOf(parts, repeats)).size).toBe(repeats)
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

describe('groups of many sizes', () => {
  const sizes = [1, 3, 5, 7, 9, 11, 13, 11]
  const groups = sizes.flatMap((size, group) => new Array(size).fill(group))
  const groupsOf = (rows: ArrayLike<number>) => [...new Set(Array.from(rows, (row) => groups[row]))].sort((a, b) => a - b)

  test('are dealt at random, as by GroupKFold(shuffle=True) of scikit-learn: seeds and repeats differ, any two groups meet and part', () => {
    const [met, apart, all] = [new Set<string>(), new Set<string>(), new Set<string>()]
    const seeds = Array.from({ length: 60 }, (_, seed) => seed)
    for (const seed of seeds) {
      const parts = cutFolds('test', 60, { folds: 3, seed, groups }, null).map(({ test }) => groupsOf(test))
      all.add(parts.join('|'))
      for (const [a] of sizes.entries())
        for (let b = 0; b < a; b++) (parts.some((part) => part.includes(a) && part.includes(b)) ? met : apart).add(`${a} ${b}`)
    }
    expect(all.size).toBeGreaterThan(50)
    expect([met.size, apart.size]).toEqual([28, 28])
    for (const seed of seeds) expect(new Set(cutsOf(cutFolds('test', 60, { folds: 3, repeats: 10, seed, groups }, null), 10)).size).toBe(10)
  })

  test('are dealt by size without shuffle, as by GroupKFold', () => {
    // the first three groups have 13, 11 and 11 rows; 9 goes to 11, 7 to 11, 5 to 13, 3 to 18, and 1 to 18
    expect(cutFolds('test', 60, { folds: 3, shuffle: false, groups }, null).map(({ test }) => test.length)).toEqual([21, 20, 19])
  })

  test('repeats that could not differ are refused', () => {
    expect(() => cutFolds('kFold', 60, { folds: 8, repeats: 2, groups }, null)).toThrow(
      'kFold: repeats 2 wants as many ways to cut 8 groups into 8 folds, got 1 that differ; give fewer repeats',
    )
    expect(() => cutFolds('kFold', 6, { folds: 6, repeats: 2 }, null)).toThrow('as many ways to cut 6 rows into 6 folds, got 1')
    // three ways to put two of three rows together
    expect(new Set(cutsOf(cutFolds('kFold', 3, { folds: 2, repeats: 3 }, null), 3)).size).toBe(3)
    expect(() => cutFolds('kFold', 3, { folds: 2, repeats: 4 }, null)).toThrow('got 3 that differ')
  })
})

test('more folds than a class has rows: a warning for some of the classes, an error for all, as in StratifiedKFold', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const data = fromArrays(
    Array.from({ length: 12 }, (_, i) => [i]),
    Int32Array.from({ length: 12 }, (_, i) => Number(i < 4)),
  )
  expect(() => kFold(data, { folds: 9 })).toThrow(
    'kFold: folds wants at most as many as the largest class has rows, 8, so that it can be in each, got 9; take fewer, or stratify: false',
  )
  expect(warn).not.toHaveBeenCalled()
  expect(kFold(data, { folds: 5 })).toHaveLength(5)
  expect(warn).toHaveBeenCalledWith('gradus: kFold: class 1 has 4 rows, so that some of the 5 folds have none of it')
  expect(kFold(data, { folds: 9, stratify: false })).toHaveLength(9)
  expect(kFold(data, { folds: 12 })).toHaveLength(12) // each row a fold
  expect(kFold(data, { folds: 4 })).toHaveLength(4)
  expect(warn).toHaveBeenCalledTimes(1)
  vi.restoreAllMocks()
})

test('kFold says which rows it took, for the option rows of fitMany', async () => {
  const splits = kFold(iris(), { folds: 3, seed: 2 })
  for (const { train, test, rows } of splits) {
    expect(selectRows(iris(), rows.train)).toEqual(train)
    expect(selectRows(iris(), rows.test)).toEqual(test)
  }
  const nets = () => splits.map(() => new Sequential([new Dense(4, 3)], { seed: 1 }))
  const train = async (given: object) => {
    const models = nets()
    const optimizers = models.map((model) => new SGD(model.parameters(), { learningRate: 0.01 }))
    await fitMany(models, { ...given, loss: crossEntropy, optimizers })
    return models.map((model) => model.state())
  }
  expect(await train({ ...iris(), rows: splits.map(({ rows }) => rows.train) })).toEqual(
    await train({ data: splits.map(({ train }) => train) }),
  )
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

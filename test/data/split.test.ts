/** Cutting data sets and rows in two and three: by class, by group, by time; kFold, take and selectRows. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blobs,
  type Dataset,
  fitScaler,
  fromArrays,
  fromTable,
  iris,
  kFold,
  selectRows,
  standardize,
  take,
  trainTestSplit,
  xor,
} from '../../ts/data/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('trainTestSplit', () => {
  const data = blobs({ count: 101, classes: 3, seed: 2 })
  const rowsOf = ({ inputs, targets }: Dataset) => Array.from(targets, (t, i) => `${inputs[2 * i]},${inputs[2 * i + 1]},${t}`)

  test.each([true, false])('puts every row on one side, stratify %s', (stratify) => {
    const { train, test: held } = trainTestSplit(data, { testFraction: 0.3, seed: 4, stratify })
    expect(held.count).toBe(30)
    expect([...rowsOf(train), ...rowsOf(held)].sort()).toEqual(rowsOf(data).sort())
  })

  test('is the same for the same seed, another for another', () => {
    expect(trainTestSplit(data, { seed: 1 })).toEqual(trainTestSplit(data, { seed: 1 }))
    expect(trainTestSplit(data, { seed: 1 }).test).not.toEqual(trainTestSplit(data, { seed: 2 }).test)
  })

  test('keeps proportions of classes', () => {
    const { test: held } = trainTestSplit(iris(), { testFraction: 0.2 })
    expect([0, 1, 2].map((c) => held.targets.filter((t) => t === c).length)).toEqual([10, 10, 10])
  })

  test.each([
    ['20 classes of 2, a fifth', 20, 2, 0.2, 8],
    ['10 classes of 4, a tenth', 10, 4, 0.1, 4],
    ['30 classes of 3, a fifth', 30, 3, 0.2, 18],
    ['3 classes of 1, a third', 3, 1, 1 / 3, 1],
    ['classes of 1, 2 and 97', 0, 0, 0.2, 20],
  ])('keeps the fraction of all rows: %s', (_, classes, each, testFraction, wanted) => {
    const targets = classes ? Array.from({ length: classes * each }, (_, i) => Math.floor(i / each)) : [0, 1, 1, ...new Array(97).fill(2)]
    const table = fromArrays(
      targets.map((_, i) => [i]),
      Int32Array.from(targets),
    )
    const taken = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { train, test: held } = trainTestSplit(table, { testFraction, seed })
      expect([train.count, held.count]).toEqual([targets.length - wanted, wanted])
      for (let c = 0; c < table.classes; c++) {
        const exact = targets.filter((t) => t === c).length * testFraction
        const count = held.targets.filter((t) => t === c).length
        expect(Math.abs(count - exact)).toBeLessThan(1)
        if (count > 0) taken.add(c)
      }
    }
    // chance decides between classes of equal size, not their number
    if (classes) expect(taken.size).toBe(classes)
  })

  test('refuses fractions that leave nothing', () => {
    for (const testFraction of [0, 1, -0.1, Number.NaN]) expect(() => trainTestSplit(data, { testFraction })).toThrow(/above 0 and below 1/)
    expect(() => trainTestSplit(xor(), { testFraction: 0.01 })).toThrow(/leaves one side empty/)
  })
})

describe('kFold', () => {
  const data = blobs({ count: 103, classes: 3, seed: 2 })
  const numbered = (count: number, classes = 0): Dataset<Float32Array | Int32Array> => ({
    inputs: Float32Array.from({ length: count }, (_, i) => i),
    targets: classes === 0 ? new Float32Array(count) : Int32Array.from({ length: count }, (_, i) => i % classes),
    ...{ count, features: 1, classes, shape: [count, 1] },
  })

  test.each([
    [2, true],
    [5, true],
    [5, false],
    [103, true],
    [7, false],
  ])('%d folds, stratify %s: each row is tested once, and trained on in all others', (folds, stratify) => {
    const rows = numbered(103, 3)
    const splits = kFold(rows, { folds, stratify, seed: 3 })
    expect(splits).toHaveLength(folds)
    const tested = splits.flatMap(({ test }) => [...test.inputs])
    expect(tested.sort((a, b) => a - b)).toEqual([...rows.inputs])
    for (const { train, test } of splits) {
      expect([...train.inputs, ...test.inputs].sort((a, b) => a - b)).toEqual([...rows.inputs])
      for (const part of [train, test]) expect([...part.targets]).toEqual(Array.from(part.inputs, (i) => i % 3))
    }
    const sizes = splits.map(({ test }) => test.count)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })

  test('every class in proportion, to one row', () => {
    const uneven = selectRows(
      data,
      [...data.targets.keys()].filter((i) => data.targets[i] !== 2 || i < 40),
    )
    for (const folds of [2, 3, 5, 10]) {
      const counts = kFold(uneven, { folds, seed: 1 }).map(({ test }) => [0, 1, 2].map((c) => test.targets.filter((t) => t === c).length))
      for (const c of [0, 1, 2]) {
        const ofClass = counts.map((count) => count[c])
        expect(Math.max(...ofClass) - Math.min(...ofClass), `${folds} folds, class ${c}`).toBeLessThanOrEqual(1)
      }
    }
    const plain = kFold(numbered(30, 3), { folds: 3, stratify: false, shuffle: false })
    expect(plain.map(({ test }) => [...test.inputs])).toEqual([0, 1, 2].map((k) => Array.from({ length: 10 }, (_, i) => 10 * k + i)))
  })

  test('a seed decides the order', () => {
    const first = (seed: number) => [...kFold(data, { seed })[0].test.inputs]
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
    expect(kFold(numbered(10))[0].test.inputs).not.toEqual(kFold(numbered(10), { shuffle: false })[0].test.inputs)
  })

  test('refuses what cannot be cut', () => {
    for (const folds of [1, 0, 2.5, Number.NaN])
      expect(() => kFold(data, { folds })).toThrow(`folds wants a whole number ≥ 2, got ${folds}`)
    expect(() => kFold(data, { folds: 104 })).toThrow('from 2 to the 103 rows, got 104')
    expect(() => kFold(numbered(10), { stratify: true })).toThrow('kFold: stratify wants classes')
    expect(() => kFold(data, { k: 3 } as object)).toThrow("kFold: there is no option 'k'")
    expect(() => trainTestSplit(data, { testSize: 0.3 } as object)).toThrow("trainTestSplit: there is no option 'testSize'")
    const bare = [{ x: 1, y: 2 }]
    expect(() => fromTable(bare, { target: 'y', ignore: ['x'] } as never)).toThrow("fromTable: there is no option 'ignore'")
  })
})

describe('selectRows', () => {
  test('copies rows in order', () => {
    const picked = selectRows(iris(), [149, 0, 0])
    expect(picked.shape).toEqual([3, 4])
    expect([...picked.targets]).toEqual([2, 0, 0])
  })

  test('refuses what is no row', () => {
    for (const row of [-1, 150, 0.5, Number.NaN]) {
      expect(() => selectRows(iris(), [0, row])).toThrow(`index 1 is ${row}`)
      expect(() => selectRows(iris(), [row, 0])).toThrow(`index 0 is ${row}`)
    }
  })

  test('a function sees the inputs, the target and the index of each row', () => {
    const data = iris()
    const seen: unknown[] = []
    const picked = selectRows(data, (inputs, target, row) => {
      seen.push([[...inputs], target, row])
      return row % 50 === 49
    })
    expect(seen).toEqual(Array.from(data.targets, (target, row) => [[...data.inputs.subarray(4 * row, 4 * row + 4)], target, row]))
    expect([...picked.targets]).toEqual([0, 1, 2])
  })
})

test.each<[string, (data: Any) => unknown]>([
  ['trainTestSplit', trainTestSplit],
  ['kFold', kFold],
  ['selectRows', (data) => selectRows(data, [0])],
  ['take', (data) => take(data, 1)],
  ['standardize', (train) => standardize({ train, test: iris() })],
])('%s of what is no data set says what makes one', (name, call) => {
  const wants = `${name}: wants a data set, as fromTable and fromArrays make them, got`
  expect(() => call([[1], [2]])).toThrow(new TypeError(`${wants} an array of 2`))
  expect(() => call({ inputs: [[1]], targets: [2] })).toThrow(new TypeError(`${wants} an object with inputs, targets`))
  for (const part of ['inputs', 'targets', 'count', 'features']) expect(() => call({ ...iris(), [part]: 'none' }), part).toThrow(wants)
})

test('selectRows wants indices', () => {
  expect(() => selectRows(iris(), 3 as Any)).toThrow(new TypeError('selectRows: wants indices of rows in an array, got 3'))
})

test('a data set for its inputs', () => {
  expect(() => (fitScaler as (data: unknown) => unknown)(iris())).toThrow('fitScaler(data.inputs, data.features)')
})

const rowsOf = ({ inputs, count, features }: Dataset) =>
  Array.from({ length: count }, (_, i) => inputs.slice(i * features, (i + 1) * features).join())
const countsOf = ({ targets, classes }: Dataset) => Array.from({ length: classes }, (_, c) => targets.filter((t) => t === c).length)

describe('three sets', () => {
  test('every row is in one of them, every class in proportion, and the test set is that of two sets', () => {
    const data = blobs({ count: 200, classes: 4, seed: 1 })
    const { train, validation, test: held } = trainTestSplit(data, { testFraction: 0.2, validationFraction: 0.1, seed: 3 })
    expect([train, validation, held].map(countsOf)).toEqual([new Array(4).fill(35), new Array(4).fill(5), new Array(4).fill(10)])
    expect([train, validation, held].flatMap(rowsOf).sort()).toEqual(rowsOf(data).sort())
    expect(held).toEqual(trainTestSplit(data, { testFraction: 0.2, seed: 3 }).test)
  })

  test('fractions that leave nothing are refused', () => {
    expect(() => trainTestSplit(iris(), { testFraction: 0.5, validationFraction: 0.5 })).toThrow('leave nothing to train on')
    expect(() => trainTestSplit(iris(), { validationFraction: 0 })).toThrow('validationFraction wants a number above 0 and below 1, got 0')
    expect(() => trainTestSplit(iris(), { validationFraction: 0.001 })).toThrow('leaves one side empty')
  })
})

describe('groups stay together', () => {
  test('whatever their sizes, and sides come near to their fractions', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 19 }), { minLength: 60, maxLength: 120 }), fc.nat(50), (groups, seed) => {
        fc.pre(new Set(groups).size >= 10)
        const data = fromArrays(
          groups.map((g, i) => [g, i]),
          groups.map((_, i) => i),
        )
        const { train, validation, test: held } = trainTestSplit(data, { groups, validationFraction: 0.2, testFraction: 0.2, seed })
        const groupsOf = (part: typeof data) => new Set(Array.from({ length: part.count }, (_, i) => part.inputs[2 * i]))
        const sets = [train, validation, held].map(groupsOf)
        expect(sets.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(groups).size)
        const largest = Math.max(...[...new Set(groups)].map((g) => groups.filter((other) => other === g).length))
        expect(Math.abs(held.count - 0.2 * groups.length)).toBeLessThanOrEqual(largest)
      }),
      { numRuns: 50, seed: 1 },
    )
  })

  test('with classes in proportion as far as groups allow', () => {
    const data = blobs({ count: 300, classes: 3, seed: 2 })
    const groups = Array.from({ length: 300 }, (_, i) => `g${Math.floor(i / 10)}`)
    const { test: held } = trainTestSplit(data, { groups, testFraction: 0.2 })
    for (const count of countsOf(held)) expect(Math.abs(count - 20)).toBeLessThanOrEqual(4)
  })
})

describe('by time', () => {
  const days = Array.from({ length: 20 }, (_, i) => ({
    day: new Date(864e5 * ((i * 7) % 20)),
    text: `2024-01-${String(1 + ((i * 7) % 20)).padStart(2, '0')}`,
    n: (i * 7) % 20,
  }))

  test('the last rows are the test set, those before them the validation set', () => {
    for (const time of ['day', 'text', 'n'] as const) {
      const { train, validation, test: held } = trainTestSplit(days, { splitBy: time, validationFraction: 0.2, testFraction: 0.1 })
      expect(held.map(({ n }) => n)).toEqual([18, 19])
      expect(validation.map(({ n }) => n)).toEqual([14, 15, 16, 17])
      expect(train).toHaveLength(14)
    }
  })

  test('rows of one time are on one side', () => {
    const rows = Array.from({ length: 10 }, (_, i) => ({ t: Math.floor(i / 4), i }))
    const { test: held } = trainTestSplit(rows, { splitBy: 't', testFraction: 0.3 })
    expect(held.map(({ t }) => t)).toEqual([1, 1, 1, 1, 2, 2])
    expect(() =>
      trainTestSplit(
        rows.map(({ i }) => ({ i, t: 1 })),
        { splitBy: 't' },
      ),
    ).toThrow('leaves one side empty')
    expect(() => trainTestSplit([{ t: 'soon' }, { t: 'late' }], { splitBy: 't' })).toThrow(
      "splitBy of row 0 wants a number or a date (2024-12-31), got 'soon'",
    )
  })
})

describe('rows of a table', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ kind: i % 4 === 0 ? 'rare' : 'usual', i }))

  test('are cut with a column in proportion, as objects that they were', () => {
    const { train, validation, test: held } = trainTestSplit(rows, { stratify: 'kind', validationFraction: 0.2, testFraction: 0.2 })
    for (const [part, size] of [
      [train, 24],
      [validation, 8],
      [held, 8],
    ] as const) {
      expect(part).toHaveLength(size)
      expect(part.filter(({ kind }) => kind === 'rare')).toHaveLength(size / 4)
    }
    expect(new Set([...train, ...validation, ...held]).size).toBe(40)
    expect(rows).toContain(held[0])
  })

  test('say which column is not there', () => {
    expect(() => trainTestSplit(rows, { stratify: 'sort' as never })).toThrow("trainTestSplit: no row has a column 'sort'")
    expect(() => trainTestSplit(rows, { groups: rows as never })).toThrow('groups wants the name of a column, got an array of 40')
    expect(() => trainTestSplit(iris(), { groups: [1] })).toThrow('groups wants a value for each of 150 rows, got an array of 1')
  })
})

test('take and selectRows by a function', () => {
  expect(rowsOf(take(iris(), 3))).toEqual(rowsOf(iris()).slice(0, 3))
  expect(rowsOf(take(iris(), 148, 500))).toEqual(rowsOf(iris()).slice(148))
  expect(take(iris(), 200, 300).count).toBe(0)
  expect(() => take(iris(), 1.5)).toThrow('take: to wants a whole number from 0, got 1.5')
  expect(rowsOf(selectRows(iris(), (_, target, row) => target === 1 && row % 2 === 0))).toEqual(
    rowsOf(iris()).filter((_, i) => i >= 50 && i < 100 && i % 2 === 0),
  )
})

/** Cutting data sets: trainTestSplit, kFold, selectRows. */
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
    for (const folds of [1, 0, 2.5, 104, Number.NaN]) expect(() => kFold(data, { folds })).toThrow(`from 2 to the 103 rows, got ${folds}`)
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
    for (const row of [-1, 150, 0.5, Number.NaN]) expect(() => selectRows(iris(), [0, row])).toThrow(`index 1 is ${row}`)
  })
})

test.each<[string, (data: Any) => unknown]>([
  ['trainTestSplit', trainTestSplit],
  ['kFold', kFold],
  ['selectRows', (data) => selectRows(data, [0])],
  ['standardize', (train) => standardize({ train, test: iris() })],
])('%s of what is no data set says what makes one', (name, call) => {
  const wants = `${name}: wants a data set, as fromTable and fromArrays make them, got`
  expect(() => call([[1], [2]])).toThrow(new TypeError(`${wants} an array of 2`))
  expect(() => call({ inputs: [[1]], targets: [2] })).toThrow(new TypeError(`${wants} an object with inputs, targets`))
})

test('selectRows wants indices', () => {
  expect(() => selectRows(iris(), 3 as Any)).toThrow(new TypeError('selectRows: wants indices of rows in an array, got 3'))
})

test('a data set for its inputs', () => {
  expect(() => (fitScaler as (data: unknown) => unknown)(iris())).toThrow('fitScaler(data.inputs, data.features)')
})

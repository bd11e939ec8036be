/** Two and three sets of data sets and of rows: by class, by group, by time; scaled together; parts of data sets. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  blobs,
  type Dataset,
  fitScaler,
  fromArrays,
  iris,
  scalerFromState,
  selectRows,
  standardize,
  take,
  trainTestSplit,
} from '../../ts/data/index.js'

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

  test('are scaled by the training data alone, by any method', () => {
    const split = trainTestSplit(iris(), { validationFraction: 0.2 })
    for (const method of ['standard', 'minMax', 'robust'] as const) {
      const { train, validation, test: held, scaler } = standardize(split, { method })
      expect(validation.inputs).toEqual(scaler.apply(split.validation.inputs))
      expect(held).toEqual(scaler.apply(split.test))
      expect(fitScaler(split.train.inputs, 4, { method }).apply(split.train.inputs)).toEqual(train.inputs)
      expect(scalerFromState(JSON.parse(JSON.stringify(scaler.state()))).apply(split.test.inputs)).toEqual(held.inputs)
    }
  })

  test('min–max is from 0 to 1, robust has median 0 and quartiles 1 apart, as scikit-learn has them', () => {
    // RobustScaler and MinMaxScaler of [1, 2, 3, 4, 100]
    const column = [1, 2, 3, 4, 100]
    expect([...fitScaler(column, 1, { method: 'minMax' }).apply(column)]).toEqual(column.map((x) => Math.fround((x - 1) / 99)))
    expect([...fitScaler(column, 1, { method: 'robust' }).apply(column)]).toEqual([-1, -0.5, 0, 0.5, 48.5])
    expect([...fitScaler([5, 5], 1, { method: 'minMax' }).apply([5])]).toEqual([0])
    expect(() => fitScaler([1, Number.NaN], 1, { method: 'robust' })).toThrow('column 0 has values that are not finite')
    expect(() => fitScaler([1], 1, { method: 'max' as never })).toThrow(
      "fitScaler: method wants 'standard', 'minMax' or 'robust', got 'max'",
    )
    expect(() => fitScaler([1, 2], 1).apply(iris())).toThrow('Scaler.apply: learnt from 1 features, got a data set of 4')
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
      const { train, validation, test: held } = trainTestSplit(days, { time, validationFraction: 0.2, testFraction: 0.1 })
      expect(held.map(({ n }) => n)).toEqual([18, 19])
      expect(validation.map(({ n }) => n)).toEqual([14, 15, 16, 17])
      expect(train).toHaveLength(14)
    }
  })

  test('rows of one time are on one side', () => {
    const rows = Array.from({ length: 10 }, (_, i) => ({ t: Math.floor(i / 4), i }))
    const { test: held } = trainTestSplit(rows, { time: 't', testFraction: 0.3 })
    expect(held.map(({ t }) => t)).toEqual([1, 1, 1, 1, 2, 2])
    expect(() =>
      trainTestSplit(
        rows.map(({ i }) => ({ i, t: 1 })),
        { time: 't' },
      ),
    ).toThrow('leaves one side empty')
    expect(() => trainTestSplit([{ t: 'soon' }, { t: 'late' }], { time: 't' })).toThrow(
      "time of row 0 wants a number or a date (2024-12-31), got 'soon'",
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

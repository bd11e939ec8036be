/** Gaps in tables: the values that fill them are learned from the table and kept in its encoder. */
import { describe, expect, test } from 'vitest'
import { show } from '../../../ts/common/show.js'
import { encoderFromState, fromTable, standardize, type TableState, trainTestSplit } from '../../../ts/data/index.js'
import { decodeState, encodeState } from '../../../ts/index.js'

const rows = [
  { age: 20, income: '100', town: 'A', y: 'no' },
  { age: null, income: '300', town: 'B', y: 'yes' },
  { age: 60, income: '', town: '', y: 'yes' },
  { age: 22, income: '200', town: 'A', y: 'no' },
]
const target = { target: 'y' } as const
const inputs = (missing: Parameters<typeof fromTable<(typeof rows)[number]>>[1]['missing']) => {
  const { inputs, features } = fromTable(rows, { ...target, missing })
  return Array.from({ length: inputs.length / features }, (_, i) => [...inputs.subarray(i * features, (i + 1) * features)])
}

test.each([
  [29, ['mild', 'none', 'severe']],
  [30, ['mild', 'severe']],
])('with %i numbers among 58 values of an input, where none is a gap, classes of the target are %j', (numbers, classes) => {
  const some = Array.from({ length: 60 }, (_, i) => ({
    x: i < 2 ? 'none' : i < 2 + numbers ? String(i) : 'much',
    effect: ['none', 'mild', 'severe'][i % 3],
  }))
  expect(fromTable(some, { target: 'effect', missing: 'auto' }).classNames).toEqual(classes)
})

test('rows that are left out are counted by column and value, the most frequent first', () => {
  const some = ['-', '7', 'none yet', '-', '8', '-', ' '].map((x, i) => ({ x, y: i === 4 ? 'none yet' : 'ab'[i % 2] }))
  const { leftOut } = fromTable(some, { target: 'y', missing: 'drop', missingValues: ['-', 'none yet'] }).report
  expect(leftOut).toEqual([
    { column: 'x', value: '-', rows: 3 },
    { column: 'x', value: 'none yet', rows: 1 },
    { column: 'y', value: 'none yet', rows: 1 },
    { column: 'x', value: '', rows: 1 },
  ])
})

describe('gaps in columns that a net learns from', () => {
  test('the mean, the median or a number stands for a missing number; a missing category is none of them', () => {
    expect(fromTable(rows, { ...target, missing: 'mean' }).featureNames).toEqual(['age', 'income', 'town=A', 'town=B'])
    expect(inputs('mean')).toEqual([
      [20, 100, 1, 0],
      [34, 300, 0, 1],
      [60, 200, 0, 0],
      [22, 200, 1, 0],
    ])
    expect(inputs('median').map(([age, income]) => [age, income])).toEqual([
      [20, 100],
      [22, 300],
      [60, 200],
      [22, 200],
    ])
    expect(inputs(-1).map(([age, income]) => [age, income])[1]).toEqual([-1, 300])
  })

  test('the median of an even number of values is between the two in the middle, and the rows stay in their order', () => {
    const table = fromTable(
      [
        { a: 9, y: 1 },
        { a: '', y: 2 },
        { a: 1, y: 3 },
      ],
      { ...target, missing: 'median' },
    )
    expect([...table.inputs]).toEqual([9, 5, 1])
    expect([...table.targets]).toEqual([1, 2, 3])
  })

  test('by column; what is not named is an error as before', () => {
    expect(inputs({ age: 'median', income: 0, town: 'drop' })).toEqual([
      [20, 100, 1, 0],
      [21, 300, 0, 1],
      [22, 200, 1, 0],
    ])
    expect(() => inputs({ age: 'mean' })).toThrow("fromTable: no value in column 'income' of row 2; give missing: 'drop'")
    expect(inputs({ age: 'drop', income: 'mean', town: 'mean' })[1]).toEqual([60, 150, 0])
  })

  test('later rows get what was learnt, also after JSON and in a file', () => {
    const table = fromTable(rows, { ...target, missing: 'mean' })
    const later = [
      { age: undefined, income: Number.NaN, town: null },
      { income: 7, town: 'B' },
    ]
    const wanted = [34, 200, 0, 0, 34, 7, 0, 1]
    expect([...table.encode(later)]).toEqual(wanted)
    const { saved } = decodeState(encodeState({ saved: table })) as { saved: TableState }
    for (const state of [JSON.parse(JSON.stringify(table.state())), saved])
      expect([...encoderFromState(state).encode(later)]).toEqual(wanted)
    const { train, scaler } = standardize(trainTestSplit(table, { testFraction: 0.5 }))
    expect([...train.encode(later)]).toEqual(wanted)
    expect(scaler.mean).toHaveLength(4)
  })

  test('a column without gaps is filled in later too; without the option a gap stays an error', () => {
    const whole = rows.filter((row) => row.town !== '').map(({ town, y }) => ({ town, size: town.length, y }))
    expect([...fromTable(whole, { ...target, missing: 'median' }).encode([{ size: null }])]).toEqual([0, 0, 1])
    expect(() => fromTable(whole, target).encode([{ town: 'A' }])).toThrow(
      "encode: no value in column 'size' of row 0; give fromTable what fills it in (missing: 'mean', 'median' or a number), or leave such rows out",
    )
  })

  test('a state of before has no fill, and one that was damaged is refused', () => {
    const { columns, ...state } = fromTable(rows, { ...target, missing: 'drop' }).state()
    expect(columns.every((column) => !('fill' in column))).toBe(true)
    expect(encoderFromState({ columns, ...state }).features).toBe(3)
    const damaged = { ...state, columns: [{ ...columns[0], fill: null }] } as unknown as TableState
    expect(() => encoderFromState(damaged)).toThrow('a column has a name, its categories or null, and a number or nothing as fill')
  })

  test('a column may be called as what every object has', () => {
    const odd = [
      { constructor: 1, a: 1, y: 2 },
      { constructor: null, a: 2, y: 3 },
    ]
    expect(() => fromTable<object>(odd, { target: 'y', missing: { a: 'mean' } } as never)).toThrow(
      "no value in column 'constructor' of row 1",
    )
  })

  test('says what does not fit', () => {
    const wrong = (missing: unknown) => () => inputs(missing as 'mean')
    const words = "wants 'fail', 'drop', 'mean', 'median', 'auto' or a number,"
    for (const value of ['average', null, true, Number.NaN, Infinity, 1e300])
      expect(wrong(value)).toThrow(`fromTable: missing ${words} or an object with one for each column, got ${show(value)}`)
    expect(wrong({ age: 'avg' })).toThrow(`fromTable: missing of 'age' ${words} got 'avg'`)
    expect(wrong({ aeg: 'mean' })).toThrow("missing has a column 'aeg' that is not used, only age, income, town, y are")
    expect(() => fromTable([{ a: '', y: 1 }], { ...target, missing: 'mean' })).toThrow("there is no value in column 'a'")
  })
})

describe('gaps in the target', () => {
  const gap = [...rows, { age: 1, income: 1, town: 'A', y: '' }]

  test('are never filled in, but may be dropped', () => {
    expect(() => fromTable(gap, { ...target, missing: 'mean' })).toThrow(
      "fromTable: no value in column 'y' of row 4, the target, which is not filled in: missing: { 'y': 'drop', … } by column leaves such rows out",
    )
    expect(() => fromTable(gap, { ...target, missing: { y: 'mean' } })).toThrow("missing of 'y' wants 'fail' or 'drop', got 'mean'")
    expect(fromTable(gap, { ...target, missing: { age: 0, income: 0, town: 0, y: 'drop' } }).count).toBe(4)
  })
})

describe('errors of tables', () => {
  test('count rows as they were given, also where some were dropped', () => {
    const odd = [{ a: '', y: 1 }, ...Array.from({ length: 20 }, (_, i) => ({ a: i === 10 ? 'x' : i, y: i }))]
    expect(() => fromTable(odd, { ...target, missing: 'drop' })).toThrow("has numbers in 19 rows, but 'x' in row 11")
  })

  test('one row in the place of a list is named', () => {
    const table = fromTable(rows, { ...target, missing: 'mean' })
    const one = rows[0] as never
    expect(() => table.encode(one)).toThrow(new TypeError('encode: wants rows in an array, got an object with age, income, town, y'))
    expect(() => table.encode(['a'] as never)).toThrow("encode: row 0 wants an object, { column: value, … }, got 'a'")
    expect(() => table.dataset(one)).toThrow('dataset: wants rows in an array')
  })

  test('rows that are no objects, or have no column of the table, are refused and not filled in', () => {
    const table = fromTable(rows, { ...target, missing: { age: 'mean', income: 'mean', town: 'auto', y: 'drop' } })
    for (const row of [[1, 5], Float32Array.of(1, 5)])
      expect(() => table.encode([rows[0], row] as never)).toThrow('encode: row 1 wants an object, { column: value, … }, got a')
    expect(() => table.encode([rows[0], {}])).toThrow('encode: row 1 wants the columns age, income, town, got none at all')
    expect(() => table.encode([rows[0], { foo: 1 }])).toThrow('got none of them, but foo')
    expect(() =>
      table.encode([
        { age: 1, income: 5, town: 'A' },
        { age: 1, incom: 5, town: 'A' },
      ]),
    ).toThrow("encode: row 1 has no column 'income'; did you mean it by 'incom'? (A gap is null in a row.)")
    expect(table.encode([{ age: 1 }, { age: null, income: null, town: null, other: 2 }])).toHaveLength(2 * table.features)
    // a known column that was left out does not count as misspelled
    const two = fromTable(
      [
        { x1: 1, x2: 7, z: 1, y: 0 },
        { x1: 2, x2: 7, z: 3, y: 1 },
      ],
      { target: 'y', exclude: ['x2'], missing: { x1: 'mean', z: 'mean' } },
    )
    for (const encoder of [two, encoderFromState(JSON.parse(JSON.stringify(two.state())))])
      expect([...encoder.encode([{ x2: 7, z: 2 }])]).toEqual([1.5, 2])
    expect(() => two.encode([{ x3: 7, z: 2 }])).toThrow("did you mean it by 'x3'?")
  })

  test('whole numbers of a database (bigint) are numbers', () => {
    expect([
      ...fromTable(
        [
          { a: 5n, y: 1n },
          { a: 7, y: 2 },
        ],
        target,
      ).inputs,
    ]).toEqual([5, 7])
  })
})

describe('rows of another file', () => {
  const table = fromTable(rows, { ...target, missing: 'mean' })

  test('become a data set with the classes, categories and fillings of the first', () => {
    const test = table.dataset([{ town: 'B', age: 1, income: '', y: 'yes' }])
    expect(test).toMatchObject({ count: 1, shape: [1, 4], features: 4, classes: 2, classNames: ['no', 'yes'] })
    expect([...test.inputs]).toEqual([1, 200, 0, 1])
    expect(test.targets).toEqual(Int32Array.of(1))
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(again.dataset(rows).inputs).toEqual(table.inputs)
    expect(again.dataset(rows).targets).toEqual(table.targets)
    expect(standardize({ train: table, test }).test.count).toBe(1)
  })

  test('without those that the table drops, also after JSON', () => {
    const other = [
      { town: '', age: 1, income: 2, y: 'no' },
      { town: 'A', age: 5, income: 2, y: 'no' },
      { town: 'A', age: 6, income: 2, y: '' },
    ]
    const dropping = fromTable(rows, { ...target, missing: 'drop' })
    for (const encoder of [dropping, encoderFromState(JSON.parse(JSON.stringify(dropping.state())))]) {
      expect(encoder.dataset(other)).toMatchObject({ count: 1, shape: [1, 3], targets: Int32Array.of(0) })
      expect([...encoder.dataset(other).inputs]).toEqual([5, 2, 1])
      expect(() => encoder.dataset(other.slice(0, 1))).toThrow('dataset: a value is missing in each of the 1 rows')
      expect(() => encoder.encode(other)).toThrow("encode: no value in column 'town' of row 0; give fromTable what fills it in")
      // indices in messages refer to the given rows
      expect(() => encoder.dataset([other[0], { ...other[1], age: 'old' }])).toThrow("dataset: column 'age' of row 1 wants a number")
    }
    const byColumn = fromTable(rows, { ...target, missing: { age: 'median', income: 'median', town: 'drop' } })
    expect(() => byColumn.dataset(other)).toThrow("dataset: no value in column 'y' of row 2, the target")
    expect(byColumn.dataset(other.slice(0, 2)).count).toBe(1)
  })

  test('with a misspelt column are refused rather than filled in', () => {
    const one = { age: 1, incme: 5, town: 'A', y: 'no' }
    expect(() => table.encode([one, one])).toThrow(
      new RangeError("encode: no row has a column 'income'; did you mean it by 'incme'? (A column of gaps alone is null in a row.)"),
    )
    expect(() => table.encode([{ Age: 1, income: 5, town: 'A' }])).toThrow("no row has a column 'age'; did you mean it by 'Age'?")
    expect(() => table.dataset([{ ...one, income: 1, Y: 'no', y: undefined }])).toThrow("no value in column 'y' of row 0, the target")
    expect(() => table.dataset([{ age: 1, income: 5, town: 'A', Y: 'no' }])).toThrow(
      "dataset: no row has a column 'y'; did you mean it by 'Y'?",
    )
    // a row without one column, and with columns that the encoder ignores
    expect([...table.encode([{ age: 1, town: 'A', id: 7, i: 3 }])]).toEqual([1, 200, 1, 0])
    expect(() => table.encode([{ income: 3 }, one])).toThrow("encode: row 1 has no column 'income'; did you mean it by 'incme'?")
    expect([...table.encode([{ ...one, income: null }])].slice(0, 2)).toEqual([1, 200])
    expect(table.encode([])).toHaveLength(0)
  })

  test('with a class that was not there, or no target, are refused', () => {
    const row = { town: 'B', age: 1, income: 2 }
    expect(() => table.dataset([{ ...row, y: 'perhaps' }])).toThrow("dataset: column 'y' of row 0 wants one of no, yes, got 'perhaps'")
    expect(() => table.dataset([{ ...row, y: 'no' }, row])).toThrow("dataset: no value in column 'y' of row 1, the target")
    const numbers = fromTable(rows, { target: 'income', missing: { age: 0, town: 0, income: 'drop' } })
    expect([...numbers.dataset([{ ...rows[0], income: 5 }]).targets]).toEqual([5])
    expect(() => numbers.dataset([{ ...rows[0], income: 'much' }])).toThrow("dataset: column 'income' of row 0 wants a number, got 'much'")
  })
})

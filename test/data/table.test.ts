/** Tables: columns as numbers, categories, dates and texts, encoders and their states, and what is said where a value does not fit. */
import { describe, expect, test } from 'vitest'
import { describeTable, encoderFromState, fitScaler, fromTable, type Row, trainTestSplit } from '../../ts/data/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('fromTable', () => {
  const rows: Row[] = [
    { island: 'Dream', mass: '3700', adult: true, species: 'Chinstrap' },
    { island: 'Biscoe', mass: 5100, adult: false, species: 'Gentoo' },
    { island: 'Dream', mass: 3500, adult: true, species: 'Adelie' },
  ]

  test('numbers are one feature, also as text; all else has one for each category, in alphabetical order', () => {
    const table = fromTable(rows, { target: 'species' })
    expect(table.featureNames).toEqual(['island=Biscoe', 'island=Dream', 'mass', 'adult=false', 'adult=true'])
    expect(table.shape).toEqual([3, 5])
    expect([...table.inputs]).toEqual([0, 1, 3700, 0, 1, 1, 0, 5100, 1, 0, 0, 1, 3500, 0, 1])
    expect(table.targets).toEqual(Int32Array.of(1, 2, 0))
    expect(table).toMatchObject({ count: 3, features: 5, classes: 3, classNames: ['Adelie', 'Chinstrap', 'Gentoo'] })
  })

  test('a target of numbers stays numbers, unless it is named as categories', () => {
    const numbers = fromTable(rows, { target: 'mass', inputs: ['island'] })
    expect(numbers.targets).toEqual(Float32Array.of(3700, 5100, 3500))
    expect(numbers).toMatchObject({ classes: 0, classNames: [], featureNames: ['island=Biscoe', 'island=Dream'] })
    const classes = fromTable(rows, { target: 'mass', inputs: ['island'], categories: ['mass'] })
    expect(classes.targets).toEqual(Int32Array.of(1, 2, 0))
    expect(classes.classNames).toEqual(['3500', '3700', '5100'])
  })

  test('encodes other rows in the same way, without their target', () => {
    const { encode } = fromTable(rows, { target: 'species' })
    expect([...encode([{ mass: 4000, adult: 'true', island: 'Biscoe' }])]).toEqual([1, 0, 4000, 0, 1])
    expect(encode([])).toHaveLength(0)
    expect(() => encode([rows[0], { mass: 'heavy', adult: true, island: 'Dream' }])).toThrow(
      "encode: column 'mass' of row 1 wants a number, got 'heavy'",
    )
    expect(() => encode([{ mass: Number.NaN, adult: true, island: 'Dream' }])).toThrow("encode: no value in column 'mass' of row 0")
  })

  test('an encoder comes back from JSON', () => {
    const table = fromTable(rows, { target: 'species', missingValues: [-999, 'NA'] })
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(again.encode(rows)).toEqual(table.inputs)
    for (const name of ['features', 'featureNames', 'classes', 'classNames'] as const) expect(again[name]).toEqual(table[name])
    expect(again.state()).toEqual(table.state())
    expect(() => again.encode([{ ...rows[0], mass: '-999' }])).toThrow("encode: no value in column 'mass' of row 0")
    const numbers = fromTable(rows, { target: 'mass' })
    expect(encoderFromState(numbers.state())).toMatchObject({ classes: 0, classNames: [] })
    expect(trainTestSplit(numbers, { testFraction: 0.4 }).train.state()).toEqual(numbers.state())
  })

  test('the state of an encoder is a copy, both ways', () => {
    const state = fromTable(rows, { target: 'species' }).state()
    const encoder = encoderFromState(state)
    ;(state.columns[0].categories as string[])[0] = 'Bermuda'
    expect(encoder.featureNames[0]).toBe('island=Biscoe')
    ;(encoder.state().columns[0].categories as string[])[0] = 'Bermuda'
    expect(encoder.state().columns[0].categories?.[0]).toBe('Biscoe')
  })

  test('refuses what is no state of a table, and damaged ones', () => {
    const table = fromTable(rows, { target: 'species' })
    const state = table.state()
    for (const given of [undefined, {}, table, fitScaler(Float32Array.of(1, 3), 1).state()])
      expect(() => encoderFromState(given as typeof state)).toThrow('this is no state of a table')
    for (const columns of [[], {}, null])
      expect(() => encoderFromState({ ...state, columns } as typeof state)).toThrow('columns and missing')
    for (const column of [null, { name: 'x' }, { name: 1, categories: null }, { name: 'x', categories: [1] }])
      expect(() => encoderFromState({ ...state, columns: [column] } as never)).toThrow('a column has a name')
    expect(() => encoderFromState({ ...state, target: undefined } as never)).toThrow('got undefined')
  })

  test.each([[undefined], [null], [Number.NaN], [''], ['  '], ['NA']])('%j is missing', (value) => {
    const gap = [...rows, { ...rows[0], mass: value }]
    const options = { target: 'species', missingValues: ['NA'] }
    expect(() => fromTable(gap, options)).toThrow("no value in column 'mass' of row 3; give missing: 'drop'")
    expect(fromTable(gap, { ...options, missing: 'drop' })).toMatchObject({ count: 3, features: 5 })
  })

  test('a gap in a column that is not used is none', () => {
    expect(fromTable([{ ...rows[0], mass: null }, rows[1]], { target: 'species', inputs: ['adult'] }).count).toBe(2)
  })

  test('says what does not fit', () => {
    expect(() => fromTable([], { target: 'species' })).toThrow('there are no rows')
    expect(() => fromTable(rows, { target: 'spezies' })).toThrow("no column 'spezies', only 'island', 'mass', 'adult', 'species'")
    expect(() => fromTable(rows, { target: 'species', inputs: ['weight'] })).toThrow("no column 'weight'")
    expect(() => fromTable(rows, { target: 'species', inputs: [] })).toThrow('no column to learn from')
    expect(() => fromTable([{ a: null, b: 1 }], { target: 'b', missing: 'drop' })).toThrow('missing in each of the 1 rows')
    expect(() => fromTable([{ a: [0], b: 1 }], { target: 'b' })).toThrow(TypeError)
    expect(() => fromTable(rows, { target: 'species', missing: 'mode' as 'mean' })).toThrow(
      "missing wants 'fail', 'drop', 'mean', 'median', 'auto' or a number, got 'mode'",
    )
  })
})

describe('fromTable and columns that are nearly numbers', () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({ a: i as number | string, b: `${i % 3}`, y: i }))
  const withA = (value: number | string, at = 5) => rows.map((row, i) => (i === at ? { ...row, a: value } : row))

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300])('%d is no number that a net learns from', (value) => {
    expect(() => fromTable(withA(value), { target: 'y' })).toThrow(
      `fromTable: column 'a' of row 5 wants a finite number (of 32 bits), got ${value}`,
    )
    expect(() => fromTable([...withA(value).slice(5)], { target: 'a' })).toThrow("column 'a' of row 0")
  })

  test('a stray text is an error that says what to do', () => {
    expect(() => fromTable(withA('n/a', 7), { target: 'y' })).toThrow(
      `fromTable: column 'a' has numbers in 11 rows, but 'n/a' in row 7; add that to missingValues, or 'a' to categories`,
    )
    expect(fromTable(withA('n/a'), { target: 'y', missingValues: ['n/a'], missing: 'drop' })).toMatchObject({ count: 11, features: 2 })
    expect(fromTable(withA('n/a'), { target: 'y', categories: ['a'] }).features).toBe(13)
    const mixed = withA('n/a').map((row, i) => (i % 3 === 0 ? { ...row, a: 'x' } : row))
    expect(fromTable(mixed, { target: 'y', inputs: ['a'] }).features).toBe(9)
  })

  test('a missing value may be a number, given as text or not', () => {
    for (const missing of ['-999', -999]) {
      const options = { target: 'y', missing: 'drop', missingValues: [missing] } as const
      for (const value of [-999, '-999']) expect(fromTable(withA(value), options)).toMatchObject({ count: 11, features: 2 })
    }
  })

  test('categories that are numbers are sorted as such', () => {
    const table = fromTable(rows, { target: 'y', inputs: ['b'], categories: ['y', 'b'] })
    expect(table.targets).toEqual(Int32Array.from({ length: 12 }, (_, i) => i))
    expect(table.classNames.slice(9)).toEqual(['9', '10', '11'])
  })

  test('the target is no input, and what an object inherits is no column', () => {
    expect(() => fromTable(rows, { target: 'y', inputs: ['a', 'y'] })).toThrow("inputs has the target 'y'")
    expect(() => fromTable(rows as object[], { target: 'toString' })).toThrow("there is no column 'toString'")
    const { encode } = fromTable([{ valueOf: 1, y: 1 }], { target: 'y' })
    expect(() => encode([{}])).toThrow("no value in column 'valueOf' of row 0")
  })
})

describe('what fromTable finds in columns and options', () => {
  test('finds commas in numbers, which would have been categories', () => {
    const rows = [
      { a: '1,5', y: 1 },
      { a: '-2,25', y: 2 },
      { a: '3', y: 3 },
    ]
    expect(() => fromTable(rows, { target: 'y' })).toThrow(
      "column 'a' has a comma in a number, '1,5' in row 0; write numbers with a point before the decimals and nothing between thousands, or add 'a' to categories",
    )
    expect(fromTable(rows, { target: 'y', categories: ['a'] }).features).toBe(3)
    for (const a of ['1,200', '-1,200,000', ' 1,200.50', '12,34,567', '1.200,50'])
      expect(() =>
        fromTable(
          [
            { a, y: 1 },
            { a: '900', y: 2 },
          ],
          { target: 'y' },
        ),
      ).toThrow(`has a comma in a number, '${a}' in row 0`)
    expect(
      fromTable(
        [
          { a: '1,5,2', y: 1 },
          { a: '2,5,7', y: 2 },
        ],
        { target: 'y' },
      ).features,
    ).toBe(2)
  })

  test('says which option is no array, and that a target is one column', () => {
    const rows = [{ a: 1, y: 2 }]
    expect(() => fromTable(rows, { target: 'y', inputs: 'a' as Any })).toThrow(new TypeError("fromTable: inputs wants an array, got 'a'"))
    expect(() => fromTable(rows, { target: 'y', categories: 'a' as Any })).toThrow("fromTable: categories wants an array, got 'a'")
    expect(() => fromTable(rows, { target: 'y', missingValues: 'NA' as Any })).toThrow("fromTable: missingValues wants an array, got 'NA'")
    expect(() => fromTable(rows, { target: ['y'] as Any })).toThrow('fromTable: target wants the name of one column, got an array of 1')
  })
})

test('a column that is called as a member of every object is a column', () => {
  const rows = [
    { constructor: 'Ferrari', grid: 1, y: 1 },
    { constructor: null, grid: null, y: 2 },
    { constructor: 'Lotus', grid: 4, y: 2 },
  ]
  expect(() => fromTable(rows as object[], { target: 'y', missing: { grid: 'mean' } })).toThrow("no value in column 'constructor' of row 1")
})

test('commas between thousands are no decimal commas', () => {
  const table = (p: string[]) => () =>
    fromTable(
      p.map((p, y) => ({ p, y })),
      { target: 'y' },
    )
  for (const numbers of [
    ['1,200', '3,400'],
    ['1,200,000', '2,300,000'],
    ['1,200.50', '2,300.75'],
  ])
    expect(table(numbers)).toThrow(`column 'p' has a comma in a number, '${numbers[0]}' in row 0`)
})

describe('texts that are hardly categories', () => {
  const rows = (text: (i: number) => unknown, count = 25) => Array.from({ length: count }, (_, i) => ({ text: text(i), x: i, y: i % 2 }))

  test('dates are days since 1970, unless they are named as categories', () => {
    for (const date of ['2024-01-0%', '2024-01-0% 12:00', '2024-01-0%T12:00:00Z']) {
      const dated = rows((i) => date.replace('%', String(1 + (i % 3))), 6)
      const table = fromTable(dated, { target: 'y' })
      const first = 19723 + (date.includes('12') ? 0.5 : 0)
      expect([0, 1, 2].map((i) => table.inputs[2 * i])).toEqual([first, first + 1, first + 2])
      expect(table.report.columns[0]).toMatchObject({ as: 'date', min: first, max: first + 2 })
      expect(fromTable(dated, { target: 'y', categories: ['text'] }).features).toBe(4)
      expect(fromTable(dated, { target: 'text', inputs: ['x'] }).classes).toBe(3)
      expect(() => table.encode([{ text: 'soon', x: 1 }])).toThrow("encode: column 'text' of row 0 wants a date (2024-12-31), got 'soon'")
    }
    const mixed = rows((i) => ['2024-01-01', 'never'][i % 2])
    expect(fromTable(mixed, { target: 'y' }).features).toBe(3)
    const objects = rows((i) => new Date(864e5 * (i % 2)))
    expect([...fromTable(objects, { target: 'y', inputs: ['text'] }).inputs.subarray(0, 3)]).toEqual([0, 1, 0])
    const wrong = rows(() => new Date(Number.NaN))
    expect(() => fromTable(wrong, { target: 'y' })).toThrow("column 'text' of row 0 wants a number, text, boolean or date, got a Date")
  })

  test('another text in each row is left out from twenty rows on, and told, unless it is asked for', () => {
    const named = rows((i) => `user ${i}`)
    const table = fromTable(named, { target: 'y' })
    expect(table.featureNames).toEqual(['x'])
    expect(table.report.columns[0]).toMatchObject({ as: 'left out', why: 'it is another text in each row, as names and notes are' })
    expect(describeTable(table.report)).toContain('text        left out  it is another text in each row')
    expect(fromTable(named, { target: 'y', categories: ['text'], inputs: ['text', 'x'] }).features).toBe(26)
    expect(fromTable(named, { target: 'y', columns: { text: 'category' } }).features).toBe(26)
    expect(fromTable(named, { target: 'y', inputs: ['text'] }).features).toBe(25)
    expect(fromTable(named.slice(6), { target: 'y' }).features).toBe(20)
    expect(fromTable([...named, named[3]], { target: 'y' }).features).toBe(26)
  })

  test('a column that is to be an input twice', () => {
    expect(() =>
      fromTable(
        rows(() => 'a'),
        { target: 'y', inputs: ['x', 'text', 'x'] },
      ),
    ).toThrow("fromTable: inputs has 'x' twice")
  })
})

/** Tables: columns as numbers, categories, dates and texts, encoders and their states, and errors about values that do not fit. */
import { describe, expect, test, vi } from 'vitest'
import { describeTable, encoderFromState, fitScaler, fromTable, type Row, trainTestSplit } from '../../../ts/data/index.js'

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

  test('classes of a single row are counted', () => {
    const notesOf = (kinds: string) =>
      fromTable(
        [...kinds].map((kind, x) => ({ x: x % 7, kind })),
        { target: 'kind' },
      )
        .report.columns.at(-1)
        ?.notes.join()
    expect(notesOf('aaaaaaaabbbbbbbbccdddef')).toContain('2 of the classes have a single row')
    expect(notesOf('aaaaaaaabbbbbbbbccdddee')).not.toContain('single row')
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

  test('a column of numbers or dates by choice has nothing else; only the usual rules take a text among numbers for a gap', () => {
    const some = [{ x: 1, at: '2024-01-05', y: 1 }, { x: 'old', at: '2024-01-06', y: 2 }, { x: 3, at: 'soon', y: 3 }] // biome-ignore format: one line
    const read = (name: 'x' | 'at', as: 'number' | 'date', missing: 'fail' | 'median' | 'auto') =>
      fromTable(some, { target: 'y', inputs: [name], columns: { [name]: as }, missing })
    for (const missing of ['fail', 'median'] as const)
      expect(() => read('x', 'number', missing)).toThrow("fromTable: column 'x' of row 1 wants a number, got 'old'")
    for (const missing of ['fail', 'median', 'auto'] as const)
      expect(() => read('at', 'date', missing)).toThrow("fromTable: column 'at' of row 2 wants a date, got 'soon'")
    expect(() =>
      fromTable(
        [
          { at: '2024-01-05', y: 1 },
          { at: 7, y: 2 },
        ],
        { target: 'y', columns: { at: 'date' } },
      ),
    ).toThrow('of row 1 wants a date, got 7')
    expect([...read('x', 'number', 'auto').inputs].filter(Number.isFinite)).toHaveLength(read('x', 'number', 'auto').inputs.length)
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
      "missing wants 'fail', 'drop', 'mean', 'median', 'auto' or a number, or an object with one for each column, got 'mode'",
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
    expect(() => fromTable(rows as object[], { target: 'Y' })).toThrow("there is no column 'Y', only 'a', 'b', 'y'; did you mean 'y'?")
    const { encode } = fromTable([{ valueOf: 1, y: 1 }], { target: 'y' })
    expect(() => encode([{}])).toThrow('encode: row 0 wants the columns valueOf, got none at all')
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
      "column 'a' has a comma in a number, '1,5' in row 0; read the file with decimal: ',' or thousands: ',', as they are meant, or with formatted: true, which also reads prices and dates, or add 'a' to categories",
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
    expect(() => fromTable(rows, { target: ['y'] as Any })).toThrow(
      'fromTable: target wants the name of the column to predict, got an array of 1',
    )
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
    expect(() => fromTable(wrong, { target: 'y' })).toThrow(
      "column 'text' of row 0 wants a number, text, boolean or date, got an invalid Date",
    )
  })

  test('a day that the calendar has not is text: leap years, and months of 30 days', () => {
    const ofDay = (day: string) =>
      fromTable(
        rows((i) => ['2024-01-01', day][i % 2], 4),
        { target: 'y' },
      ).report.columns[0].as
    for (const day of ['2024-02-29', '2000-02-29', '2023-02-28', '2024-04-30', '2024-12-31', '2024-02-29 23:59', '0004-02-29'])
      expect([day, ofDay(day)]).toEqual([day, 'date'])
    const wrong = [
      '2024-02-30',
      '2023-02-29',
      '1900-02-29',
      '2100-02-29',
      '2024-04-31',
      '2024-13-01',
      '2024-00-10',
      '2024-01-00',
      '2024-01-32',
    ]
    for (const day of [...wrong, '2023-02-29T10:00Z', '2024-01-01 25:00']) expect([day, ofDay(day)]).toEqual([day, 'category'])
    const table = fromTable(
      rows((i) => ['2024-01-01', '2024-02-01'][i % 2], 4),
      { target: 'y' },
    )
    expect(() => table.encode([{ text: '2024-02-30', x: 1 }])).toThrow("wants a date (2024-12-31), got '2024-02-30'")
  })

  test('texts that look like dates or amounts are told, as people expect them to be read', () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({
      ...{ day: `${1 + (i % 28)}.09.20${10 + i}`, price: `$1,${100 + i}.50`, share: `${i % 10} %`, kind: i % 2 ? 'a' : 'b', y: i },
    }))
    const { report } = fromTable(rows, { target: 'y', missing: 'auto' })
    expect(report.columns.map(({ name, as, notes }) => [name, as, ...notes])).toEqual([
      ['day', 'left out', "'1.09.2010' looks like a date, and formatted: true reads such columns"],
      ['price', 'left out', "'$1,100.50' looks like a number, and formatted: true reads such columns"],
      ['share', 'category', "'0 %' looks like a number, and formatted: true reads such columns"],
      ['kind', 'category'],
      ['y', 'number'],
    ])
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

describe('what fromTable decides, and why', () => {
  const many = (row: (i: number) => object, count = 60) => Array.from({ length: count }, (_, i) => row(i)) as Row[]
  const decided = (rows: Row[], options = {}) =>
    Object.fromEntries(fromTable(rows, { target: 'y', ...options }).report.columns.map(({ name, as }) => [name, as]))

  test.each<[string, (i: number) => unknown, number, string[]]>([
    ['0 and 1', (i) => i % 2, 60, ['0', '1']],
    ['0 and 1 as text, in two rows', (i) => `${i}`, 2, ['0', '1']],
    ['yes and no', (i) => ['yes', 'no'][i % 2], 60, ['no', 'yes']],
    ['true and false', (i) => i % 2 === 0, 60, ['false', 'true']],
    ['-1 and 1', (i) => (i % 2) * 2 - 1, 60, ['-1', '1']],
    ['digits', (i) => i % 10, 60, Array.from({ length: 10 }, (_, i) => `${i}`)],
    ['from 1 on', (i) => 1 + (i % 3), 60, ['1', '2', '3']],
    ['wines from 3 to 8, a number', (i) => 3 + (i % 6), 60, []],
    ['fractions, numbers', (i) => (i % 2) / 2, 60, []],
    ['few rows of many whole numbers, numbers', (i) => i, 40, []],
  ])('a target of %s', (_, y, count, classNames) => {
    const rows = many((i) => ({ x: i / 7, y: y(i) }), count)
    expect(fromTable(rows, { target: 'y' }).classNames).toEqual(classNames)
    if (typeof y(0) === 'number') expect(fromTable(rows, { target: 'y', columns: { y: 'number' } }).classes).toBe(0)
  })

  test('constants, ids and notes are left out, unless they are asked for', () => {
    const rows = many((i) => ({ id: i + 1, userId: 5 * i, year: 1960 + i, same: 'a', none: 7, x: i / 7, note: `n ${i}`, y: i % 2 }))
    expect(decided(rows)).toEqual({
      ...{ id: 'left out', userId: 'left out', year: 'number', same: 'left out', none: 'left out', x: 'number', note: 'left out' },
      y: 'category',
    })
    expect(fromTable(rows, { target: 'y' }).report.columns.map(({ why }) => why)).toContain(
      "it is 'a' in each row, from which nothing can be learnt",
    )
    expect(fromTable(rows, { target: 'y', columns: { id: 'number' } }).featureNames).toEqual(['id', 'year', 'x'])
    expect(fromTable(rows, { target: 'y', exclude: ['year', 'x'], inputs: ['id', 'same'] }).featureNames).toEqual(['id', 'same=a'])
    expect(fromTable(rows, { target: 'y', exclude: ['year'] }).featureNames).toEqual(['x'])
    expect(() => fromTable(rows, { target: 'y', exclude: ['year', 'x'] })).toThrow(
      "there is no column to learn from: 'id' is left out because it is another whole number in each row",
    )
    expect(() => fromTable(rows, { target: 'y', exclude: ['yera'] as never })).toThrow("there is no column 'yera', only 'id', 'userId'")
  })

  test.each<[string, (i: number) => unknown, string[]]>([
    ['0 and 1', (i) => `${i % 2}`, ['0', '1']],
    ['yes and no', (i) => ['yes', 'no'][i % 2], ['no', 'yes']],
    ['true and false', (i) => i % 3 === 0, ['false', 'true']],
    ['1 and 2', (i) => 1 + (i % 2), ['1', '2']],
  ])('a target of %s is of classes, which the report says; columns makes it a number', (_, y, classNames) => {
    const rows = many((i) => ({ a: i * 1.5, y: y(i) }), 24)
    const table = fromTable(rows, { target: 'y' })
    expect([table.classes, table.classNames]).toEqual([2, classNames])
    expect(table.report.columns[1]).toMatchObject({ role: 'target', as: 'category', different: 2 })
    if (typeof y(0) === 'boolean' || y(0) === 'yes') return
    expect(table.report.columns[1].why).toMatch(/two classes; columns: 'number' for it makes it a number to predict/)
    expect(fromTable(rows, { target: 'y', columns: { y: 'number' } }).classes).toBe(0)
  })

  test('names with blanks around them are shown in quotes', () => {
    expect(() => fromTable([{ ' a': 1, y: 2 }] as Row[], { target: 'a' })).toThrow("fromTable: there is no column 'a', only ' a', 'y'")
  })

  // each option with each encoding, given or decided: it has an effect, or an error says that it would have none
  test.each(['order', 'buckets', 'size'] as const)('%s has an effect or is refused', (option) => {
    const rows = many((i) => ({ n: 1 + (i % 3), s: ['S', 'M', 'L'][i % 3], t: `${'word '.repeat(9)}${i % 4} ${i % 5}`, y: i / 3 }), 40)
    const orders = { n: ['3', '2', '1'], s: ['S', 'M', 'L'], t: [...new Set(rows.map(({ t }) => t))] }
    let [used, refused] = [0, 0]
    for (const name of ['n', 's', 't'] as const)
      for (const as of [undefined, 'number', 'category', 'ordinal', 'hash', 'embedding', 'text'] as const) {
        if (as === 'number' && name !== 'n') continue
        const own = { [option]: { order: orders[name], buckets: 2, size: 7 }[option] }
        const encoded = (choice: object) => {
          const { inputs, embeddings } = fromTable(rows, { target: 'y', columns: { [name]: choice } as Any })
          return JSON.stringify([Array.from(inputs), embeddings])
        }
        try {
          expect(encoded({ ...(as && { as }), ...own }), `${name} as ${as}`).not.toBe(encoded(as ? { as } : { missing: 'fail' }))
          used++
        } catch (error) {
          if (!String(error).includes(`columns of '${name}': ${option} is for`)) throw error
          refused++
        }
      }
    expect(used).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })

  test('ordinal, hashed and embedded columns', () => {
    const rows = many((i) => ({ size: ['S', 'M', 'L'][i % 3], zip: `z${i % 7}`, town: `t${i % 5}`, y: i / 3 }), 15)
    const columns = { size: { as: 'ordinal', order: ['S', 'M', 'L'] }, zip: { as: 'hash', buckets: 4 }, town: 'embedding' } as const
    const table = fromTable(rows, { target: 'y', columns })
    expect(table.featureNames).toEqual(['size', 'zip#0', 'zip#1', 'zip#2', 'zip#3', 'town'])
    expect(table.embeddings).toEqual([{ name: 'town', feature: 5, count: 6, size: 4 }])
    expect(Array.from({ length: 3 }, (_, i) => table.inputs[6 * i])).toEqual([0, 1, 2])
    expect(Array.from({ length: 6 }, (_, i) => table.inputs[6 * i + 5])).toEqual([1, 2, 3, 4, 5, 1])
    for (let i = 0; i < 15; i++) expect(table.inputs.subarray(6 * i + 1, 6 * i + 5).reduce((a, b) => a + b)).toBe(1)
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(again.encode(rows)).toEqual(table.inputs)
    expect(again.embeddings).toEqual(table.embeddings)
    const scaled = fromTable(rows, { target: 'y', columns: { ...columns, size: { ...columns.size, scale: 'minMax' } } })
    expect(Array.from({ length: 3 }, (_, i) => scaled.inputs[6 * i])).toEqual([0, 0.5, 1])
    expect(() => fromTable(rows, { target: 'y', columns: { size: { as: 'ordinal', order: ['S', 'M'] } } })).toThrow(
      "order of column 'size' does not have 'L'",
    )
    expect(() => fromTable(rows, { target: 'y', columns: { size: 'onehot' as never } })).toThrow(
      "columns of 'size': as wants 'number', 'date', 'category'",
    )
    expect(() => fromTable(rows, { target: 'y', columns: { size: 'number' } })).toThrow("column 'size' of row 0 wants a number, got 'S'")
  })

  test('a gap in an ordinal column is the middle of its order, scaled as the others are', () => {
    const rows = many((i) => ({ size: i === 3 ? '' : ['S', 'M', 'L'][i % 3], y: i / 3 }), 9)
    const encoded = (more: object) =>
      fromTable(rows, { target: 'y', missing: 'median', columns: { size: { as: 'ordinal', order: ['S', 'M', 'L'], ...more } as Any } })
        .inputs
    expect([...encoded({})]).toEqual([0, 1, 2, 1, 1, 2, 0, 1, 2])
    expect([...encoded({ scale: 'minMax' })]).toEqual([0, 0.5, 1, 0.5, 0.5, 1, 0, 0.5, 1])
  })

  test('a report has the range of each column, the number of its categories and of its gaps', () => {
    const rows = many((i) => ({ n: i === 3 ? '' : i, k: i % 12 ? i / 2 : '', town: i % 8 ? `t${i % 4}` : '', y: 'ba'[i % 2] }), 24)
    const { report } = fromTable(rows, { target: 'y', missing: 'median' })
    expect(describeTable(report).split('\n')).toEqual([
      '24 rows; 6 features',
      'n           number    it has numbers, 0 to 23; 1 gap, filled in by 12',
      'k           number    it has numbers, 0.5 to 11.5; 2 gaps, filled in by 6',
      'town        category  it has texts, 4 of them; 3 gaps, filled in',
      'y (target)  category  it has text, whose values are the classes, 2 of them',
    ])
  })

  test('an unknown category is none of them, counted and told once; or an error', () => {
    const rows = many((i) => ({ town: `t${i % 3}`, n: i, y: i / 3 }), 9)
    const table = fromTable(rows, { target: 'y' })
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const other = [
      { town: 'new', n: 1 },
      { town: 'newer', n: 2 },
      { town: 't1', n: 3 },
      { town: 'new', n: 4 },
    ]
    expect([...table.encode(other)]).toEqual([0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 3, 0, 0, 0, 4])
    expect(table.unknown).toEqual({ town: { count: 3, values: ['new', 'newer'] } })
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining("encode: column 'town' has 'new', which was not in the table that was learnt from")],
    ])
    warn.mockRestore()
    const strict = fromTable(rows, { target: 'y', unknown: 'error' })
    expect(() => strict.encode(other)).toThrow(
      "encode: column 'town' of row 0 wants one of t0, t1, t2, got 'new'; unknown: 'ignore' would take it for none",
    )
  })

  test('true and false are the same categories in all spellings', () => {
    const spellings = ['true', 'True', 'TRUE', true, 'false', 'False', 'FALSE', false]
    for (const [yes, no] of [
      ['True', 'False'],
      ['TRUE', 'FALSE'],
      [true, false],
      ['true', 'false'],
    ] as const) {
      // biome-ignore format: pairs
      const table = fromTable([{ a: yes, y: 1.5 }, { a: no, y: 2 }], { target: 'y', unknown: 'error' }) // biome-ignore format: rows
      expect([...table.encode(spellings.map((a) => ({ a })))], `${yes}`).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0])
    }
    const both = fromTable([{ a: 'True', y: 1.5 }, { a: 'true', y: 2 }], { target: 'y' }) // biome-ignore format: rows
    expect([...both.encode([{ a: 'true' }, { a: 'True' }, { a: true }])]).toEqual([0, 1, 1, 0, 0, 1])
    const asClass = fromTable([{ x: 1, y: 'yes' }, { x: 2, y: 'True' }], { target: 'y' }) // biome-ignore format: rows
    expect([...asClass.dataset([{ x: 1, y: true }]).targets]).toEqual([0])
  })

  test('a third of the values may be one text among many numbers', () => {
    const table = (text: (i: number) => string, missing: 'auto' | 'median') =>
      fromTable(many((i) => ({ n: i % 4 === 0 ? text(i) : i, y: i % 2 })), { target: 'y', missing }) // biome-ignore format: rows
    expect(table(() => '#DIV/0!', 'auto').report.columns[0].as).toBe('number')
    expect(table((i) => (i < 10 ? 'low' : 'high'), 'auto').report.columns[0].as).not.toBe('number')
    expect(() => table(() => '-', 'median')).toThrow("but '-' in row 0; add that to missingValues, or 'n' to categories")
    // also among more numbers than are kept
    for (const count of [4000, 16_000]) {
      const rows = Array.from({ length: count }, (_, i) => ({ n: i % 4 === 0 ? '#DIV/0!' : i, y: i % 2 }))
      expect(fromTable(rows, { target: 'y', missing: 'auto' }).report.columns[0].as, `${count}`).toBe('number')
    }
  })

  test.each([
    [3, 'a', 'number'],
    [20, 'ab', 'number'],
    [20, 'abc', 'category'],
    [45, 'a'.repeat(15), 'number'],
    [45, 'a'.repeat(16), 'category'],
  ])('of %i values %s are among numbers: a %s', (count, others, as) => {
    const rows = Array.from({ length: count }, (_, i) => ({ n: others[i] ?? i / 4, y: i % 2 }))
    expect(fromTable(rows, { target: 'y', inputs: ['n'], missing: 'auto' }).report.columns[0].as).toBe(as)
  })

  test("missing: 'auto' takes what is usual", () => {
    const rows = many((i) => ({
      n: i % 9 === 0 ? 'NA' : i === 13 || i === 23 ? 'none yet' : i,
      town: i % 5 ? 'a' : '?',
      empty: null,
      y: i % 4 ? i % 2 : '',
    }))
    const table = fromTable(rows, { target: 'y', missing: 'auto' })
    expect([table.report.rows, table.report.dropped]).toEqual([45, 15])
    const [n, town, empty] = table.report.columns
    expect(n).toMatchObject({
      as: 'number',
      gaps: 5,
      notes: [expect.stringContaining("values are no numbers ('none yet' in row 13) and count as gaps")],
    })
    // a column with a single value and gaps may be informative through its gaps
    expect(town).toMatchObject({ as: 'category', categories: 1, gaps: 9 })
    expect(empty).toMatchObject({ as: 'left out', why: 'it is empty' })
    expect(table.inputs.every(Number.isFinite)).toBe(true)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect([...table.encode([{ n: 'soon' }])]).toEqual([...table.encode([{ n: null }])])
    warn.mockRestore()
  })

  test.each(['standard', 'minMax', 'robust'] as const)('%s makes a column of one number zeros, also of the number 0', (scale) => {
    const rows = many((i) => ({ nought: 0, seven: 7, x: i, y: i / 3 }), 5)
    const { inputs } = fromTable(rows, { target: 'y', inputs: ['nought', 'seven'], scale })
    expect([...inputs]).toEqual(new Array(10).fill(0))
  })

  test('numbers are scaled by the rows that they were learnt from', () => {
    const rows = many((i) => ({ x: i, y: i / 3 }), 5)
    const scaled = (scale: 'standard' | 'minMax' | 'robust') => [...fromTable(rows, { target: 'y', scale }).inputs]
    expect(scaled('minMax')).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(scaled('robust')).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(scaled('standard')).toEqual([-2, -1, 0, 1, 2].map((x) => Math.fround(x / Math.SQRT2)))
    const table = fromTable(rows, { target: 'y', scale: 'minMax' })
    expect([...encoderFromState(table.state()).encode([{ x: 8 }])]).toEqual([2])
  })
})

test('a target of one class is told in the report', () => {
  const rows = [1, 2, 3].map((x) => ({ x, y: 'a' }))
  expect(fromTable(rows, { target: 'y' }).report.columns[1].notes).toContain('it is the same in all rows: there is nothing to tell apart')
})

test('a column of one value never changes, unless some rows have none', () => {
  const rows = Array.from({ length: 9 }, (_, i) => ({ a: 'x', b: i % 3 ? 'urgent' : '', c: i > 0 ? 7 : null, y: i }))
  const notesOf = (missing: 'auto' | 'drop') =>
    fromTable(rows, { target: 'y', missing })
      .report.columns.slice(0, 3)
      .map(({ notes }) => notes[0])
  const same = 'it never changes'
  expect(notesOf('auto')).toEqual([same, "its only value is 'urgent', and 3 rows have none", 'its only value is 7, and 1 row has none'])
  expect(notesOf('drop')).toEqual([same, same, same])
})

test('values that differ in case or blanks alone are two, and the report says so', () => {
  const rows = Array.from({ length: 24 }, (_, i) => ({
    town: ['Rome', 'Oslo', 'Rome '][i % 3],
    kind: ['ab', 'c'][i % 2],
    y: ['yes', 'no', 'No'][i % 3],
  }))
  const { classNames, report } = fromTable(rows, { target: 'y' })
  expect(classNames).toEqual(['No', 'no', 'yes'])
  const said = Object.fromEntries(report.columns.map(({ name, notes }) => [name, notes.join()]))
  expect(said).toEqual({
    town: "'Rome' and 'Rome ' are two values, which differ in case or blanks alone",
    kind: '',
    y: "'no' and 'No' are two values, which differ in case or blanks alone",
  })
})

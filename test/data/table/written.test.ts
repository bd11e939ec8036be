/** Numbers and dates in human formats, which the option `formatted` reads, and errors and notes that name this option. */
import { describe, expect, test } from 'vitest'
import { inFlags } from '../../../ts/cli/table/files.js'
import { encoderFromState, encoderFromStream, fromTable, type Row } from '../../../ts/data/index.js'
import { amountOf, writtenDay } from '../../../ts/data/table/written.js'
import { inspectTable, trainTable } from '../../../ts/table/index.js'

const column = (...values: unknown[]): Row[] =>
  Array.from({ length: 24 }, (_, i) => ({ x: values[i % values.length], other: i % 5, y: i % 2 === 0 ? 'a' : 'b' }))
const read = (values: unknown[], options = {}) => {
  const table = fromTable(column(...values), { target: 'y', formatted: true, ...options })
  const at = table.featureNames.indexOf('x')
  return at < 0 ? null : Array.from({ length: values.length }, (_, i) => table.inputs[i * table.features + at])
}

describe('formatted: true reads a column that is written in one way', () => {
  test.each<[string, unknown[], number[]]>([
    ['money', ['$1,250.00', '$3', '-$4.5', '$-1', '$(300)', '($2,000)'], [1250, 3, -4.5, -1, -300, -2000]],
    ['money with points between thousands', ['1.250 €', '900 €', '12 €'], [1250, 900, 12]],
    ['money with decimal commas', ['1.250,50 €', '9,5 €'], [1250.5, 9.5]],
    ['money by its code', ['USD 5', 'USD 1,000'], [5, 1000]],
    ['percent', ['8.9%', '12 %', '-3%'], [8.9, 12, -3]],
    ['percent with decimal commas', ['8,9 %', '12 %'], [8.9, 12]],
    ['thousands without a unit', ['1,250', '900', '1,000,000'], [1250, 900, 1e6]],
    ['blanks and apostrophes between thousands', ["1'250 kg", '900 kg'], [1250, 900]],
    ['units', ['70 kg', '71.5 kg', '1,070 kg'], [70, 71.5, 1070]],
    ['squares', ['70 m²', '85 m²'], [70, 85]],
    ['negatives in parentheses', ['(300)', '250', '(1,000.5)'], [-300, 250, -1000.5]],
    ['a minus of typography', ['−5 °C', '7 °C'], [-5, 7]],
  ])('%s', (_, values, wanted) => {
    expect(read(values)).toEqual(wanted.map(Math.fround))
  })

  test.each<[string, unknown[], string]>([
    ['German dates', ['31.12.2024', '1.2.2025'], '2024-12-31'],
    ['German dates with two digits of the year', ['31.12.24', '1.2.99'], '2024-12-31'],
    ['American dates, where a value tells', ['12/31/2024', '1/2/2025'], '2024-12-31'],
    ['British dates, where a value tells', ['31/12/2024', '1/2/2025'], '2024-12-31'],
  ])('%s', (_, values, first) => {
    const table = fromTable(column(...values), { target: 'y', formatted: true })
    expect(table.report.columns[0]).toMatchObject({ as: 'date', why: expect.stringContaining(`for ${first}`) })
    expect(table.inputs[0]).toBe(Date.parse(first) / 864e5)
  })

  test.each<[string, unknown[], string]>([
    ['two units', ['70 kg', '150 lb'], "'70 kg' and '150 lb' are not written in one way"],
    ['a number without the unit', ['70 kg', '71'], "'70 kg' and '71' are not written in one way"],
    ['ordinal numbers', ['3rd', '4th'], "'3rd' and '4th' are not written in one way"],
    ['days that may be months', ['1/2/2024', '3/4/2024'], "'1/2/2024' may begin with the day or with the month, and no value tells"],
    ['a day that there is not', ['31.12.2024', '31.2.2024'], "'31.12.2024' and '31.2.2024' are not written in one way"],
  ])('%s is read as text, and the report says why', (_, values, note) => {
    const { columns } = fromTable(column(...values), { target: 'y', formatted: true }).report
    expect(columns[0].as).toBe('category')
    expect(columns[0].notes.join()).toContain(note)
  })

  test('a text in no format is not told as one of two', () => {
    const { columns } = fromTable(column('abc', '70 kg', '71 kg'), { target: 'y', formatted: true }).report
    expect([columns[0].as, columns[0].notes.join()]).toEqual(['category', ''])
  })

  test('single texts', () => {
    for (const text of ['', 'abc', '12:30', '2024-12-31', '1,25,000', '1.2.3', '$', '(5', '5)', '1e5', 'A12', '5 - 7', '12/7'])
      expect(amountOf(text, '.'), text).toBeNull()
    expect(amountOf('.5 kg', '.')).toEqual({ unit: 'kg', value: 0.5 })
    expect(writtenDay('31.12.2024 9:30', 'day')).toBe(Date.parse('2024-12-31T09:30Z') / 864e5)
    // quadratic time would take minutes
    expect(amountOf(`${'1 '.repeat(100_000)}x2`, '.')).toBeNull()
  })
})

describe('a sign that may stand before decimals or between thousands', () => {
  const noteOf = (values: unknown[], formatted: true | '.' | ',' = true) =>
    fromTable(column(...values), { target: 'y', formatted }).report.columns[0].notes.join()

  test.each<[string, unknown[], number[], string, number[], '.' | ',']>([
    ['of money', ['2.101 €', '900 €'], [2101, 900], "'2.101 €' is taken for 2101; if it is 2.101, say formatted: '.'", [2.101, 900], '.'],
    [
      'of money with commas',
      ['$2,101', '$9'],
      [2101, 9],
      "'$2,101' is taken for 2101; if it is 2.101, say formatted: ','",
      [2.101, 9],
      ',',
    ],
    ['of units', ['2.101 kg', '9 kg'], [2.101, 9], "'2.101 kg' is taken for 2.101; if it is 2101, say formatted: ','", [2101, 9], ','],
    [
      'of plain numbers',
      ['2.101', '9', '12.500'],
      [2.101, 9, 12.5],
      "'2.101' is taken for 2.101; if it is 2101, say formatted: ','",
      [2101, 9, 12500],
      ',',
    ],
  ])('%s is read in one way, a note says in which, and an option says otherwise', (_, values, taken, note, other, decimal) => {
    expect(read(values)).toEqual(taken.map(Math.fround))
    expect(noteOf(values)).toBe(note)
    expect(read(values, { formatted: decimal })).toEqual(other.map(Math.fround))
    expect(noteOf(values, decimal)).toBe('')
    expect(inFlags(note)).toMatch(/, add --decimal [.,]$/)
  })

  test('is told by any value that can be read in one way alone', () => {
    for (const [values, wanted] of [
      [
        ['2.101 €', '2.5 €'],
        [2.101, 2.5],
      ],
      [
        ['2.101 kg', '1.000.000 kg'],
        [2101, 1e6],
      ],
      // no number of thousands begins with a zero
      [
        ['2.101 €', '0.500 €'],
        [2.101, 0.5],
      ],
      [
        ['1,250 kg', '0,500 kg'],
        [1.25, 0.5],
      ],
      // numbers that are not text stay unchanged
      [
        [2.101, 3.205, 900],
        [2.101, 3.205, 900],
      ],
    ] as const) {
      expect(read([...values])).toEqual(wanted.map(Math.fround))
      expect(noteOf([...values])).toBe('')
    }
  })

  test('is refused where one column has both', () => {
    const { columns } = fromTable(column('1.250 €', '2,500 €'), { target: 'y', formatted: true }).report
    expect([columns[0].as, columns[0].notes.join()]).toEqual(['category', "'1.250 €' and '2,500 €' are not written in one way"])
  })

  test('is the same decision in training, and of rows that come in parts', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ price: `${1 + (i % 9)}.${100 + i} €`, y: i % 2 === 0 ? 'a' : 'b' }))
    const note = "'1.100 €' is taken for 1100; if it is 1.1, say formatted: '.'"
    const encoder = await encoderFromStream([rows.slice(0, 7), rows.slice(7)], { target: 'y', formatted: true })
    expect(encoder.report.columns[0].notes).toEqual([note])
    expect([...encoder.encode([{ price: '2.500 €' }])]).toEqual([2500])
    const { columns } = await inspectTable(rows, { target: 'y', formatted: true })
    expect(columns[0].notes).toEqual([note])
    const { report, model } = await trainTable(rows, { target: 'y', formatted: true, hidden: [4], epochs: 2 })
    expect(report.columns[0].notes).toEqual([note])
    expect(report.advice.join()).toContain(note)
    expect(model.predict({ price: '2.500 €' })).toEqual(model.predict({ price: 2500 }))
    expect(() => fromTable(rows, { target: 'y', formatted: ';' as never })).toThrow("formatted wants true, false, '.' or ',', got ';'")
  })
})

describe('what was read so', () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    size: `${50 + (i % 40)} m²`,
    sold: `${1 + (i % 28)}.${1 + (i % 12)}.2024`,
    price: `$${(150_000 + 3000 * (i % 40)).toLocaleString('en-US')}`,
  }))

  test('is kept in the state, and later rows are read so too', async () => {
    const options = { target: 'price', formatted: true, missing: 'median' } as const
    const table = fromTable(rows, { ...options, missing: { size: 'median', sold: 'median' } })
    expect([table.classes, table.targets[1]]).toEqual([0, 153_000])
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    // the second of January 2024 is a Tuesday
    const [written, plain] = [
      { size: '60 m²', sold: '2.1.2024' },
      { size: 60, sold: '2024-01-02' },
    ].map((row) => [...again.encode([row])])
    expect(written.slice(0, 9)).toEqual([60, 19724, 0, 1, 0, 0, 0, 0, 0])
    expect(plain).toEqual(written)
    expect(() => again.encode([{ size: '60 ft²', sold: '2.1.2024' }])).toThrow("column 'size' of row 0 wants a number in m², got '60 ft²'")
    const parts = [rows.slice(0, 90), rows.slice(90)]
    expect((await encoderFromStream(parts, { ...options, missing: { size: 'median', sold: 'median' } })).state()).toEqual(table.state())
  })

  test('trainTable predicts money', async () => {
    const { model, report } = await trainTable(rows, { target: 'price', formatted: true, hidden: [16], epochs: 30 })
    expect(report.task).toBe('regression')
    expect(report.columns.map(({ as }) => as)).toEqual(['number', 'date', 'number'])
    expect(report.columns[0].why).toMatch(/^it has numbers as people write them, '\d+ m²' for \d+$/)
    expect(model.predict({ size: '60 m²', sold: '3.3.2024' }).value).toBeGreaterThan(140_000)
  })

  test('errors and notes name the option where it was not given', async () => {
    const unique = rows.map((row, i) => ({ ...row, price: `$${(100_000 + 37 * i).toLocaleString('en-US')}` }))
    const error = await trainTable(unique, { target: 'price' }).then(String, String)
    expect(error).toContain('has 160 different values in 160 rows, as amounts have')
    expect(error).toContain("'$100,000' looks like a number, and formatted: true reads such columns.")
    expect(inFlags(error)).toContain('--formatted reads such columns')
    expect(() =>
      fromTable(
        unique.map(({ price }, i) => ({ price, y: i % 2 })),
        { target: 'y' },
      ),
    ).toThrow(
      "'price' is left out because it is another text in each row, as names and notes are; '$100,000' looks like a number, and formatted: true reads such columns",
    )
    const { columns } = await inspectTable(rows, { target: 'price' })
    expect(columns.map(({ notes }) => notes.join())).toEqual([
      "'50 m²' looks like a number, and formatted: true reads such columns",
      "'1.1.2024' looks like a date, and formatted: true reads such columns",
      "'$150,000' looks like a number, and formatted: true reads such columns",
    ])
  })
})

test('free text and vectors are told what to do', () => {
  const reviews = Array.from({ length: 30 }, (_, i) => ({ size: i % 7, review: `it was good for ${i} days`, y: i % 2 === 0 ? 'a' : 'b' }))
  expect(fromTable(reviews, { target: 'y' }).report.columns[1]).toMatchObject({
    as: 'left out',
    notes: ['if what it says matters, give vectors of a text encoder instead, each of their numbers in a column of its own'],
  })
  for (const v of [[1, 2, 3], Float32Array.of(1, 2, 3)])
    expect(() => fromTable([{ v, y: 1 }], { target: 'y' })).toThrow(
      "; give each number of a vector a column of its own, such as 'v_0', 'v_1' …",
    )
  for (const v of [['red', 'round'], []])
    expect(() => fromTable([{ v, y: 1 }], { target: 'y' })).toThrow('; give each label of such lists a column of its own, true or false')
})

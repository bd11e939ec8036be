/**
 * Difficult CSV files, read whole, in pieces and as a stream: the results are as documented, and compared with pandas (test/oracles/csv_files.py).
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CsvOptions,
  encoderFromStream,
  fromTable,
  namingLines,
  parseCsv,
  type Row,
  readTable,
  streamTable,
} from '../../../ts/data/index.js'
import { inspectTable } from '../../../ts/table/index.js'

type Case = [options: CsvOptions, encoding: string, text: string, columns: string[] | null, rows: string[][] | string, pandas: number]
const { cases, reasons } = JSON.parse(readFileSync('test/oracles/csv_files.json', 'utf8')) as { cases: Case[]; reasons: string[] }

async function* pieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < data.length; from += size) yield data.subarray(from, from + size)
}

function bytesOf(text: string, encoding: string): Uint8Array {
  if (encoding === 'cp1252') return Uint8Array.from([...text].map((c) => (c === '€' ? 0x80 : c.charCodeAt(0))))
  if (!encoding.startsWith('utf-16')) return new TextEncoder().encode(encoding === 'utf-8-sig' ? `\ufeff${text}` : text)
  const all = Uint16Array.from({ length: text.length + 1 }, (_, i) => (i === 0 ? 0xfeff : text.charCodeAt(i - 1)))
  const little = new Uint8Array(all.buffer)
  return encoding === 'utf-16-le' ? little : little.map((_, i) => little[i ^ 1])
}

const asRows = (columns: string[], rows: string[][]) => rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])))

async function rowsOfStream(data: Uint8Array, size: number, options: CsvOptions): Promise<Row[]> {
  const all: Row[] = []
  for await (const part of streamTable(pieces(data, size), options)) all.push(...part)
  return all
}

describe(`fault 24: ${cases.length} nasty files of CSV`, () => {
  test('have in them what their writer meant, whatever the size of the pieces', async () => {
    for (const [i, [options, encoding, text, columns, rows]] of cases.entries()) {
      const data = bytesOf(text, encoding)
      const { encoding: _, ...csv } = options
      const about = `case ${i}: ${JSON.stringify(cases[i])}`
      const size = 1 + (i % 7)
      if (columns === null) {
        await expect(readTable(data, options), about).rejects.toThrow(rows as string)
        await expect(rowsOfStream(data, size, options), about).rejects.toThrow(rows as string)
        expect(() => parseCsv(text, csv), about).toThrow(rows as string)
        continue
      }
      const wanted = asRows(columns, rows as string[][])
      expect(await readTable(data, options).catch(String), about).toEqual(wanted)
      expect(await rowsOfStream(data, size, options), about).toEqual(wanted)
      expect(parseCsv(text, csv), about).toEqual(wanted)
    }
  })

  test('are read alike by pandas, but for conventions that are listed', () => {
    const counts = reasons.map((_, reason) => cases.filter((one) => one[5] === reason).length)
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(cases.length)
    expect(counts[0]).toBeGreaterThan(1100)
  })
})

describe('names of rows, as R writes them', () => {
  const R = 'size,kind\n1,5,a\n2,6,b\n3,7,a\n'
  const ended = 'size,kind\n5,a,\n6,b,\n7,a,\n'

  test('become a column, and a delimiter at the end of lines none, in each way of reading', async () => {
    const data = new TextEncoder().encode(R)
    const named = ['1', '2', '3'].map((row, i) => ({ row, size: `${5 + i}`, kind: i === 1 ? 'b' : 'a' }))
    const plain = named.map(({ row: _, ...rest }) => rest)
    for (const [text, wanted] of [
      [R, named],
      [ended, plain],
    ] as const) {
      expect(parseCsv(text)).toEqual(wanted)
      expect(await readTable(new Blob([text]))).toEqual(wanted)
      const encoder = await encoderFromStream(streamTable(new Blob([text])), { target: 'kind' })
      expect(encoder.featureNames).toEqual(wanted === named ? ['row', 'size'] : ['size'])
    }
    expect(parseCsv(R, { ragged: 'fill' })[0]).toEqual({ size: '1', kind: '5' })
    await expect(readTable(data, { header: ['x', 'y'] })).rejects.toThrow('line 2 has 3 values, and there are 2 columns')
  })

  test('the report says so, and that two columns had one name', async () => {
    const note = 'each line has one value more than the first line has names: the first ones are names of rows'
    const notesOf = (columns: readonly { name: string; notes: readonly string[] }[], name: string) =>
      columns.find((column) => column.name === name)?.notes
    expect(notesOf(fromTable(parseCsv(R), { target: 'kind' }).report.columns, 'row')).toEqual([note])
    const inspected = await inspectTable(new Blob([R]), { target: 'kind' })
    expect(notesOf(inspected.columns, 'row')).toEqual([note])
    const { report } = await encoderFromStream(streamTable(new Blob([R])), { target: 'kind' })
    expect(notesOf(report.columns, 'row')).toEqual([note])
    const twice = fromTable(parseCsv('a,a,y\n1,2,3\n4,5,6\n'), { target: 'y' }).report.columns
    expect(notesOf(twice, 'a_2')).toEqual(["another column is called 'a', too"])
    expect(notesOf(twice, 'a')).toEqual([])
  })

  test('lines wait for the first one that tells, and their numbers are right', async () => {
    // lines with an empty last value do not decide whether rows have names; the 250th line does
    const lines = Array.from({ length: 500 }, (_, i) => `${i},${i % 3},${i >= 249 ? 'b' : ''}`)
    const late = `size,kind\n${lines.join('\n')}\n`
    expect(parseCsv(late)[0]).toEqual({ row: '0', size: '0', kind: '' })
    expect(await namingLines('row 7 wants', new Blob([late]))).toBe('line 9 wants')
    // at most a mebibyte of lines is buffered; a line that does not fit later is an error with its number
    const long = `${'x'.repeat(1000)},1,\n`.repeat(1200)
    expect(() => parseCsv(`size,kind\n${long}a,b,c\n`)).toThrow('line 1202 has 3 values, and there are 2 columns')
    expect(parseCsv(`size,kind\n${long}`)).toHaveLength(1200)
    // lines of another length decide as well
    expect(parseCsv('a,b\n1,2,\n3,4\n')).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ])
  })
})

describe('fault 24: one value behind the last column, where all other lines end in a delimiter', () => {
  const lines = (stray: number, count: number) => Array.from({ length: count }, (_, i) => `${i},n${i},${i === stray ? 'x' : ''}`)

  test.each([
    [0, 3],
    [0, 50],
    [17, 50],
    [49, 50],
  ])('in line %i of %i: no row names, an error that names the line', async (stray, count) => {
    const text = `size,name\n${lines(stray, count).join('\n')}\n`
    const message = `line ${stray + 2} has 3 values, and there are 2 columns, while ${count - 1} of ${count} lines end in a delimiter`
    expect(() => parseCsv(text)).toThrow(message)
    await expect(readTable(new Blob([text]))).rejects.toThrow(message)
    const read = async () => {
      for await (const rows of streamTable(new Blob([text]))) expect(rows).toBeDefined()
    }
    await expect(read()).rejects.toThrow(message)
    expect(parseCsv(text, { ragged: 'fill' }).map(({ size }) => size)).toEqual(lines(stray, count).map((_, i) => String(i)))
  })

  test('names of rows and half of the last values: rows have names', () => {
    expect(parseCsv('size,kind\na,1,\nb,2,x\n')).toEqual([
      { row: 'a', size: '1', kind: '' },
      { row: 'b', size: '2', kind: 'x' },
    ])
  })
})

describe('fault 24: delimiters at the end of the line of names', () => {
  test.each<[string, string, Row[]]>([
    [
      'end it, as they end the others',
      'a,b,\n1,2,\n3,4,\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'end it where the others have none',
      'a,b,\n1,2\n3,4\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'may be several, as of emptied columns of a spreadsheet',
      'a;b;;;\n1;2;;;\n3;4\n5;6;;\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
        { a: '5', b: '6' },
      ],
    ],
    [
      'are of columns without a name where a value stands below',
      'a,b,\n1,2,\n3,4,5\n',
      [
        { a: '1', b: '2', column3: '' },
        { a: '3', b: '4', column3: '5' },
      ],
    ],
    ['of one column', 'a,\n1,\n2,\n', [{ a: '1' }, { a: '2' }]],
    [
      'below them names of rows, as R writes them',
      'a,b,\nr1,1,2,\nr2,3,4,\n',
      [
        { row: 'r1', a: '1', b: '2' },
        { row: 'r2', a: '3', b: '4' },
      ],
    ],
    ['and no names at all', ',,\n,,\n', [{ column1: '', column2: '', column3: '' }]],
    ['where another column has the name of their place', 'column2,\n1,\n', [{ column2: '1' }]],
  ])('%s', async (_, text, wanted) => {
    for (const ragged of ['error', 'fill'] as const) {
      if (ragged === 'fill' && text.includes('r1')) continue
      expect(parseCsv(text, { ragged }), ragged).toEqual(wanted)
      expect(await rowsOfStream(new TextEncoder().encode(text), 3, { ragged })).toEqual(wanted)
    }
    // without a header each place is a column
    expect(Object.keys(parseCsv(text, { header: false, ragged: 'fill' })[0])).toHaveLength(text.split('\n')[0].split(/[,;]/).length)
  })

  test('a table of them trains and encodes without a word about them', () => {
    const { report } = fromTable(parseCsv('a,kind,\n1,x,\n2,y,\n'), { target: 'kind' })
    expect(report.columns.map(({ name, notes }) => [name, notes])).toEqual([
      ['a', []],
      ['kind', []],
    ])
  })

  test('no more than a mebibyte of lines waits for a value below them', async () => {
    const long = `${'x'.repeat(1000)},1,\n`.repeat(1200)
    expect(() => parseCsv(`a,b,\n${long}1,2,3\n`)).toThrow("line 1202 has 3 values, and there are 2 columns; ragged: 'fill'")
    expect(Object.keys(parseCsv(`a,b,\n${long}1,2\n`)[0])).toEqual(['a', 'b'])
  })
})

test('fault 24: whatever is in a file, and however it is written, pieces of 1 to 7 bytes give the rows of the whole', async () => {
  const cell = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', '1', '"', ',', ';', '\n', '\r', ' ', 'é', '😀', '\0', '#', '.'), maxLength: 6 }),
    fc.constant('x'.repeat(70_000)),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        table: fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
        end: fc.constantFrom('\n', '\r\n', '\r'),
        delimiter: fc.constantFrom(',', ';', '\t'),
        tail: fc.constantFrom('', ',', ',,', '\n'),
        quotes: fc.boolean(),
        size: fc.integer({ min: 1, max: 7 }),
        ragged: fc.constantFrom('error' as const, 'fill' as const),
        header: fc.constantFrom<CsvOptions['header']>(true, false, ['p', 'q']),
      }),
      async ({ table, end, delimiter, tail, quotes, size, ragged, header }) => {
        const written = (text: string) => (quotes || !/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
        const text =
          table.map((row) => row.map(written).join(delimiter) + tail.replace('\n', '').replaceAll(',', delimiter)).join(end) +
          tail.replaceAll(',', '')
        const options = { delimiter, ragged, header }
        const result = (read: () => Row[] | Promise<Row[]>) =>
          Promise.resolve()
            .then(read)
            .catch((error: Error) => error instanceof RangeError || error)
        const whole = await result(() => parseCsv(text, options))
        // more than a few thousand bytes would only take longer
        const data = new TextEncoder().encode(text)
        const step = data.length > 2000 ? 9973 * size : size
        expect(await result(() => readTable(pieces(data, step), options))).toEqual(whole)
        if (Array.isArray(whole)) {
          const names = Object.keys(whole[0] ?? {})
          expect(whole.every((row) => Object.keys(row).join('\0') === names.join('\0'))).toBe(true)
        }
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 150) },
  )
})

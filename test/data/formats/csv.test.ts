/** CSV: the results of csv-parse, for input in pieces of any size; and errors about files that are not CSV. */
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvOptions, parseCsv, type ReadOptions, readTable, streamTable } from '../../../ts/data/index.js'

const bytes = (text: string) => new TextEncoder().encode(text)
async function* pieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < data.length; from += size) yield data.subarray(from, from + size)
}
const read = (text: string, options: ReadOptions = {}) => readTable(bytes(text), options)

test('a first line that names the delimiter counts as a line', () => {
  expect(() => parseCsv('sep=;\na;b\n1;2\n1')).toThrow(/line 4/)
})

test('the delimiter begins no comment', () => {
  for (const [text, options] of [['a;b\n1;2', { delimiter: ';' }], ['sep=;\na;b\n1;2', {}]] as const) // biome-ignore format: one line
    expect(() => parseCsv(text, { comment: ';', ...options })).toThrow("parseCsv: comment wants another text than the delimiter, got ';'")
})

describe('CSV is read as RFC 4180 has it', () => {
  test.each<[string, string, ReadOptions, object[]]>([
    ['quotes, delimiters and line breaks in values', 'a,b\n"x, ""y""\nz",2\n', {}, [{ a: 'x, "y"\nz', b: '2' }]],
    [
      'line ends of Windows',
      'a,b\r\n1,"2"\r\n3,4',
      {},
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'a first line that names the delimiter',
      '\ufeffsep=;\r\na;b\r\n1,5;2\r\n2,5;3',
      {},
      [
        { a: '1,5', b: '2' },
        { a: '2,5', b: '3' },
      ],
    ],
    ['the same, of one line and an odd delimiter', 'SEP=^\na^b,c\n1^2', {}, [{ a: '1', 'b,c': '2' }]],
    ['the same, in quotes', '"sep=;"\r\na;b\r\n1;2', {}, [{ a: '1', b: '2' }]],
    ['the same, filled up to all columns', '"sep=,",,\na,b,c\n1,2,3', {}, [{ a: '1', b: '2', c: '3' }]],
    ['a column that is called so', 'sep=x,y\n1,2', {}, [{ 'sep=x': '1', y: '2' }]],
    ['line ends of old Macs', 'a,b\r1,2\r', {}, [{ a: '1', b: '2' }]],
    ['empty lines are none', 'a,b\n\n1,2\n\n\n', {}, [{ a: '1', b: '2' }]],
    ['names with blanks around them', ' a , b\n1,2', {}, [{ a: '1', b: '2' }]],
    ['names that are twice there, or not at all', 'a,a,\n1,2,3', {}, [{ a: '1', a_2: '2', column3: '3' }]],
    [
      'semicolons',
      'a;b\n1,5;2\n2,5;3',
      {},
      [
        { a: '1,5', b: '2' },
        { a: '2,5', b: '3' },
      ],
    ],
    [
      'tabs',
      'a\tb\n1, x\t2\n3\t4\n',
      {},
      [
        { a: '1, x', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ["a delimiter of one's own", 'a::b\n1::2', { delimiter: '::' }, [{ a: '1', b: '2' }]],
    ['other quotes', "a,b\n'1,2',3", { quote: "'" }, [{ a: '1,2', b: '3' }]],
    ['comments behind what may be a delimiter', '; by hand\na,b\n1,2', { comment: ';' }, [{ a: '1', b: '2' }]],
    ['comments', '# made by hand\na,b\n1,2\n#3,4\n', { comment: '#' }, [{ a: '1', b: '2' }]],
    [
      'without names',
      '1,2\n3,4',
      { header: false },
      [
        { column1: '1', column2: '2' },
        { column1: '3', column2: '4' },
      ],
    ],
    ["with names of one's own", '1,2', { header: ['x', 'y'] }, [{ x: '1', y: '2' }]],
    [
      'names of rows, as R writes them',
      'a,b\n"1",5,6\n"2",7,8',
      {},
      [
        { row: '1', a: '5', b: '6' },
        { row: '2', a: '7', b: '8' },
      ],
    ],
    [
      'fewer and more values, where that is allowed',
      'a,b\n1\n1,2,3',
      { ragged: 'fill' },
      [
        { a: '1', b: '' },
        { a: '1', b: '2' },
      ],
    ],
    ['one column', 'a\n1\n2', {}, [{ a: '1' }, { a: '2' }]],
    ['nothing', '', {}, []],
    ['names alone', 'a,b\n', {}, []],
    ['a name that objects inherit', '__proto__,toString\n1,2', {}, [{ proto: '1', toString: '2' }]],
    ['limit', 'a\n1\n2\n3', { limit: 2 }, [{ a: '1' }, { a: '2' }]],
  ])('%s', async (_, text, options, wanted) => {
    expect(await read(text, options)).toEqual(wanted)
    expect(await readTable(pieces(bytes(text), 1), options)).toEqual(wanted)
    const { limit: _limit, ...csv } = options
    if (options.limit === undefined) expect(parseCsv(text, csv)).toEqual(wanted)
  })

  test('as csv-parse, whatever is in the values and however the file is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', '"', ',', '\n', ' ', 'é', '.'), maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 40 }),
        async (table, size) => {
          const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
          const text = ['x,y,z', ...table.map((row) => row.map(quoted).join(','))].join('\n')
          const wanted = parse(text, { columns: true })
          expect(await readTable(pieces(bytes(text), size), { delimiter: ',' })).toEqual(wanted)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('numbers as other countries write them', () => {
  test.each<[string, string, CsvOptions, string[]]>([
    [
      'a comma, points between thousands',
      '1,5;-0,25;,5;7,;1.234.567,8;1.500;1,5e-3;12',
      { decimal: ',' },
      [...['1.5', '-0.25', '.5', '7.', '1234567.8', '1500', '1.5e-3', '12']],
    ],
    [
      'what is no number stays',
      'a,b;1,5 m;31.12.2024;1,2,3;1.23.456,7;;-',
      { decimal: ',' },
      [...['a,b', '1,5 m', '31.12.2024', '1,2,3', '1.23.456,7', '', '-']],
    ],
    [
      'commas between thousands',
      '1,234.5;1,5;-12,345,678;0,001;1234.5',
      { thousands: ',' },
      [...['1234.5', '1,5', '-12345678', '0,001', '1234.5']],
    ],
    ['blanks, also those that do not break a line', '1 234,5;1\u00a0234\u202f567', { decimal: ',', thousands: ' ' }, ['1234.5', '1234567']],
    ['as in Switzerland', "1'234.5;12", { thousands: "'" }, ['1234.5', '12']],
  ])('%s', async (_, line, options, wanted) => {
    const text = `${wanted.map((_, i) => `c${i}`).join(';')}\n${line}\n`
    expect(Object.values(parseCsv(text, { delimiter: ';', ...options })[0])).toEqual(wanted)
    expect(Object.values((await read(text, { delimiter: ';', ...options }))[0])).toEqual(wanted)
  })

  test('a number that says something else than `decimal` is an error, and so are signs that do not go together', () => {
    // no number of thousands begins with a zero
    expect(() => parseCsv('x;y\n1,5;a\n0.500;b', { decimal: ',' })).toThrow("parseCsv: line 3 has '0.500', a point before decimals")
    expect(() => parseCsv('x;y\n1,5;a\n2.5;b', { decimal: ',' })).toThrow(
      "parseCsv: line 3 has '2.5', a point before decimals, where decimal says that a comma is",
    )
    expect(() => parseCsv('x', { decimal: ';' as never })).toThrow("parseCsv: decimal wants '.' or ',', got ';'")
    expect(() => parseCsv('x', { thousands: '_' as never })).toThrow("parseCsv: thousands wants '.', ',', ' ' or ''', got '_'")
    expect(() => parseCsv('x', { decimal: ',', thousands: ',' })).toThrow("decimal and thousands are both ','")
    expect(() => parseCsv('x', { thousands: '.' })).toThrow("decimal and thousands are both '.'")
  })
})

describe('encodings', () => {
  const text = 'naïve,€\n1,ü\n'
  const wanted = [{ naïve: '1', '€': 'ü' }]

  test('UTF-8 with and without a mark, UTF-16 both ways, and those that are named', async () => {
    expect(await read(`\ufeff${text}`)).toEqual(wanted)
    expect(parseCsv(`\ufeff${text}`)).toEqual(wanted)
    const little = Uint8Array.from([...`\ufeff${text}`].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]))
    expect(await readTable(pieces(little, 3))).toEqual(wanted)
    expect(await readTable(little.map((_, i) => little[i ^ 1]))).toEqual(wanted)
    const windows = Uint8Array.from([...text].map((c) => (c === '€' ? 0x80 : c.charCodeAt(0))))
    expect(await readTable(windows, { encoding: 'windows-1252' })).toEqual(wanted)
  })

  test('bytes that are no UTF-8 are an error that says what to do', async () => {
    const windows = Uint8Array.from([...text].map((c) => (c === '€' ? 0x80 : c.charCodeAt(0))))
    await expect(readTable(windows)).rejects.toThrow(
      "there are bytes that are no UTF-8; say how the text is encoded, such as encoding: 'windows-1252'",
    )
    await expect(read('a', { encoding: 'latin-77' })).rejects.toThrow("encoding wants a name that TextDecoder knows, such as 'utf-8'")
  })
})

describe('what is no CSV', () => {
  test.each<[string, string, string]>([
    ['a quote that is never closed', 'a,b\n1,2\n3,"4\n5,6', 'the data: the quote that opens in line 3 is never closed'],
    ['a quote in the middle', 'a,b\n1,2\n"3"x,4\n', 'the data: line 3 has a quote in the middle of a value'],
    ['too few values', 'a,b,c\n1,2,3\n1,2\n', "the data: line 3 has 2 values, and there are 3 columns; ragged: 'fill' takes it as it is"],
    ['too many values', 'a,b\n1,2\n1,2,3\n', 'the data: line 3 has 3 values, and there are 2 columns'],
    ['no names', '1,2\n3,4\n', 'the first line has numbers, not the names of columns; give header: false'],
  ])('%s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message)
    await expect(readTable(pieces(bytes(text), 2))).rejects.toThrow(message)
  })

  test('a line without end is refused before it fills the memory', async () => {
    async function* endless() {
      yield bytes('a,b\n"')
      for (;;) yield new Uint8Array(1 << 20).fill(120)
    }
    await expect(readTable(endless())).rejects.toThrow(
      'line 2 goes on for more than 16 million characters; is there a quote that is not closed',
    )
  })

  test('more columns than a table may have', () => {
    const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`).join()
    expect(parseCsv(`${names(100_000)}\n`, { header: false })).toHaveLength(1)
    expect(() => parseCsv(names(100_001))).toThrow('parseCsv: 100001 columns are more than the 100000 that a table may have')
  })

  test('a value without a name above it, after a mebibyte of empty ones', () => {
    const line = (...values: string[]) => `${values.join()}${','.repeat(1000 - values.length)}\n`
    const read = (lines: number) => parseCsv(line('a', 'b') + line('').repeat(lines) + line('x', 'y', 'z'))
    expect(read(1048).at(-1)).toMatchObject({ a: 'x', b: 'y', column3: 'z' })
    expect(() => read(1049)).toThrow('line 1051 has 1000 values, and there are 2 columns')
  })

  test('options that are none', async () => {
    expect(() => parseCsv('a', { seperator: ';' } as never)).toThrow("there is no option 'seperator'")
    expect(() => parseCsv('a', { header: 1 } as never)).toThrow('header wants true, false or names in an array, got 1')
    expect(() => parseCsv('a', { delimiter: '' })).toThrow('delimiter wants a text of at least one character')
    expect(() => parseCsv(bytes('a') as never)).toThrow(
      'parseCsv: wants text, got a Uint8Array of 1; of bytes or a file there is readTable',
    )
    await expect(read('a', { format: 'xls' as 'csv' })).rejects.toThrow(
      "readTable: format wants 'csv', 'tsv', 'jsonl', 'json', 'parquet' or 'arrow', got 'xls'",
    )
  })
})

test('parts of a stream are read as they are asked for, and the source is closed where the loop is left', async () => {
  let [given, closed] = [0, false]
  async function* source() {
    try {
      yield bytes('a,b\n')
      for (; ; given++) yield bytes('1,2\n'.repeat(50_000))
    } finally {
      closed = true
    }
  }
  let count = 0
  for await (const rows of streamTable(source())) {
    count += rows.length
    if (count > 200_000) break
  }
  expect(given).toBeLessThan(12)
  expect(closed).toBe(true)
})

test('a text above the names of columns is what an error asks about', () => {
  expect(() => parseCsv('Report of May\n\na,b,c\n1,2,3\n', { delimiter: ',' })).toThrow(
    "parseCsv: line 3 has 3 values, and there is 1 column (take out what stands above the names of columns, if that is why); ragged: 'fill' takes it as it is",
  )
  expect(() => parseCsv('a,b\n1,2\n1\n')).toThrow("parseCsv: line 3 has 1 value, and there are 2 columns; ragged: 'fill'")
})

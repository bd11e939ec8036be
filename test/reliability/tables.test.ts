/** Tables from strangers, with long cells, odd cells and long names: all are handled in linear time, with messages of a few lines. */
import { describe, expect, test } from 'vitest'
import { encoderFromState, fromTable, parseCsv } from '../../ts/data/index.js'
import { cpuTime } from '../tools/clocks.js'
import { milliseconds } from '../tools/nightly.js'

/** Milliseconds of the processor that a call takes, or its refusal, which is tested elsewhere. */
function timeOf(call: () => unknown): number {
  return cpuTime(() => {
    try {
      call()
    } catch {
      // as good as an answer here
    }
  })
}

/** The message of the error that a call must throw. */
function messageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

describe('fault 24: one long cell takes linear time', () => {
  const size = 1_000_000
  test.each([
    ['a date and blanks', `2020-01-01T10:00${' '.repeat(size)}\nx`],
    ['blanks before a date', `${' '.repeat(size)}2020-01-01T10:00`],
    ['a date and zeros', `2020-01-01T10:00${'0'.repeat(size)}`],
    ['numbers with commas', `${'1,111'.repeat(size / 5)}x`],
    ['a number with commas', `1${',111'.repeat(size / 4)}x`],
    ['digits', `${'1'.repeat(size)}x`],
    ['digits and points', `1${'.111'.repeat(size / 4)}x`],
    ['minus signs', '-'.repeat(size)],
  ])('%s', (_, cell) => {
    const rows = [
      { day: cell, y: 1 },
      { day: `${cell} `, y: 2 },
    ]
    // quadratic: a quarter of an hour. Linear: some ten milliseconds
    expect(timeOf(() => fromTable(rows, { target: 'y' }))).toBeLessThan(milliseconds(2000))
  })

  test('dates are still found, also with blanks around them', () => {
    const rows = [
      { day: ' 2020-01-01 ', y: 1 },
      { day: '2020-01-02T10:00Z\n', y: 2 },
    ]
    expect(fromTable(rows, { target: 'y' }).report.columns[0].as).toBe('date')
    const prices = [
      { price: ' 1,5 ', y: 1 },
      { price: '2,75\t', y: 2 },
    ]
    expect(messageOf(() => fromTable(prices, { target: 'y' }))).toMatch(/comma in a number/)
  })
})

describe('fault 24: cells', () => {
  const encoder = fromTable(
    [
      { kind: 'a', x: 1, y: 1 },
      { kind: 'b', x: 2, y: 2 },
    ],
    { target: 'y' },
  )

  test.each([
    ['an object without toString', Object.create(null)],
    ['a row of JSON that calls its own constructor something', JSON.parse('{"constructor": {"name": 5}}')],
    ['a symbol', Symbol('x')],
    ['a function', () => 1],
    ['an array', [1]],
  ])('%s is named by row and column', (_, cell) => {
    const table = [
      { x: 1, y: 1 },
      { x: cell, y: 2 },
    ]
    expect(() => fromTable(table, { target: 'y' })).toThrow(TypeError)
    expect(() => fromTable(table, { target: 'y' })).toThrow(/column 'x' of row 1 wants a number, text, boolean or date/)
    expect(() => encoder.encode([{ kind: 'a', x: cell }])).toThrow(/column 'x' of row 0 wants a number/)
    expect(() => encoder.encode([{ kind: cell, x: 1 }])).toThrow(/column 'kind' of row 0 wants one of a, b/)
  })

  test('numbers that 32 bits cannot hold are no categories', () => {
    const rows = ['1', '2', '1e999', '-1e999'].map((x, y) => ({ x, y }))
    expect(() => fromTable(rows, { target: 'y' })).toThrow(/column 'x' of row 2 wants a finite number \(of 32 bits\), got '1e999'/)
  })

  test('a number in hexadecimal is the number, as JavaScript has it, and a comma is none', () => {
    expect(
      fromTable(
        [
          { x: '0x10', y: 1 },
          { x: '2', y: 2 },
        ],
        { target: 'y' },
      ).inputs,
    ).toEqual(Float32Array.of(16, 2))
  })

  test('options that are null are named', () => {
    const rows = [{ x: 1, y: 1 }]
    for (const name of ['missingValues', 'inputs', 'categories'])
      expect(() => fromTable(rows, { target: 'y', [name]: null })).toThrow(new RegExp(`${name} wants an array, got null`))
  })
})

describe('messages', () => {
  const name = 'c'.repeat(1e5)

  test.each<[string, () => unknown]>([
    [
      'a long name of a column',
      () =>
        fromTable(
          [
            { [name]: 1, y: 1 },
            { [name]: null, y: 2 },
          ],
          { target: 'y' },
        ),
    ],
    ['many columns', () => fromTable([Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => [`c${i}`, 1]))], { target: 'y' as never })],
    [
      'long categories',
      () => {
        const encoder = fromTable(
          [
            { x: name, y: 1 },
            { x: `${name}d`, y: 2 },
          ],
          { target: 'y', unknown: 'error' },
        )
        encoder.encode([{ x: 'e' }])
      },
    ],
    [
      'many categories',
      () => {
        const encoder = fromTable(
          Array.from({ length: 1e4 }, (_, i) => ({ x: `c${i >> 1}`, y: i })),
          { target: 'y', categories: ['x'], unknown: 'error' },
        )
        encoder.encode([{ x: 'e' }])
      },
    ],
    ['a long option', () => fromTable([{ x: 1, y: 1 }], { target: 'y', [name]: 1 })],
    [
      'a damaged state',
      () => encoderFromState({ format: 'gradus-table/1', columns: [{ name, categories: 5 }], target: {}, missingValues: [] } as never),
    ],
  ])('have at most 200 characters of %s', (_, call) => {
    // the message adds some 200 characters to the names
    expect(messageOf(call).length).toBeLessThan(400)
  })
})

test('the nearest name is not looked for among long texts, nor at length among many', () => {
  const columns = Array.from({ length: 3000 }, (_, i) => `column number ${i} of a wide table`)
  const encoder = fromTable([Object.fromEntries([...columns, 'y'].map((c) => [c, 1]))], { target: 'y' as never })
  const row = Object.fromEntries(columns.map((c) => [c.toUpperCase().repeat(5), 1]))
  expect(timeOf(() => encoder.encode([row]))).toBeLessThan(milliseconds(2000))
})

test('fault 24: 60,000 columns of one name take linear time, and have different ones', () => {
  const names = Array.from({ length: 60_000 }, () => 'a').join()
  const text = `${names}\n${names}\n`
  // quadratic: minutes
  expect(timeOf(() => parseCsv(text))).toBeLessThan(milliseconds(5000))
  expect(Object.keys(parseCsv('a,a,a_2,a,__proto__\n1,2,3,4,5\n')[0])).toEqual(['a', 'a_2', 'a_2_2', 'a_3', 'proto'])
})

/**
 * Numbers straight from the bytes of CSV: the rows that `CsvParser` and the encoder give, bit for bit, whatever stands in the file; where that is unusual,
 * as rows.
 */
import { describe, expect, test } from 'vitest'
import { ENCODED, type Encodable, EncodedRows } from '../../../ts/common/encoded-rows.js'
import { RandomStream } from '../../../ts/common/random-stream.js'
import { type BlockReaders, blockReaders } from '../../../ts/data/formats/block-readers.js'
import { encodedCsv } from '../../../ts/data/formats/csv.js'
import type { CsvOptions } from '../../../ts/data/formats/csv-parser.js'
import { encoderFromState, encoderFromStream, fromTable, parseCsv, streamTable, type TableOptions } from '../../../ts/data/index.js'
import { Adam, crossEntropy, Dense, Sequential } from '../../../ts/index.js'
import { fitStream } from '../../../ts/stream/index.js'
import { cases } from '../../tools/nightly.js'

type Encoder = ReturnType<typeof encoderFromState>

/** Pieces of a text, cut without regard to lines or letters. */
async function* cut(text: string, size: number) {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

/** Inputs and targets of all rows, or that they cannot be read; and how many rows came as numbers. */
async function read(text: string, encoder: Encoder, options: CsvOptions, size: number) {
  const [inputs, targets]: number[][] = [[], []]
  let fast = 0
  try {
    const parts = encodedCsv(cut(text, size), options, (...found) => blockReaders(...found, encoder.state(), false), size)
    for await (const part of parts) {
      if (part instanceof EncodedRows) fast += part.count
      const own = part instanceof EncodedRows ? part : encoder.dataset(part)
      expect(own.inputs).toHaveLength(own.count * encoder.features)
      for (const x of own.inputs) inputs.push(x)
      for (const y of own.targets) targets.push(y)
    }
  } catch (error) {
    expect((error as Error).message).toMatch(/^(dataset|the data): /)
    return { fails: true, fast }
  }
  return { inputs, targets, fast }
}

function expected(text: string, encoder: Encoder, options: CsvOptions) {
  try {
    const { inputs, targets } = encoder.dataset(parseCsv(text, options))
    return { inputs: [...inputs], targets: [...targets] }
  } catch {
    // of several errors another one may come first
    return { fails: true }
  }
}

const HEAD = 'x,city,y,kind\n'
const GOOD = Array.from(
  { length: 60 },
  (_, i) => `${(i * 7.31 - 90).toFixed(3)},${['Rom', 'Köln', 'Ulm', 'True'][i % 4]},${i % 11},${['a', 'b', 'none'][i % 3]}`,
)

/** Lines of usual rows, from which the parser finds the delimiter. */
const START = Array.from({ length: 75 }, () => GOOD).flat()

/** Values that files have, usual and odd. */
const NUMBERS = [
  ...[
    '0',
    '-0',
    '-0.0',
    '5.',
    '.5',
    '-',
    '.',
    '',
    ' ',
    'NA',
    'nan',
    '1e-5',
    '1E5',
    '+3',
    ' 3',
    '3 ',
    '0x10',
    'Infinity',
    '1e39',
    '3.4028236e38',
  ],
  ...[
    '00012',
    '123456789012345',
    '1234567890123456',
    '0.1234567890123456789',
    '1.5.2',
    '1-2',
    '1,5',
    '"7"',
    '"7',
    '١',
    '9007199254740993',
    '1e',
    '--1',
  ],
]
const CITIES = [
  'Rom',
  'Köln',
  'Ulm',
  '',
  'NA',
  'Bonn',
  ' Rom',
  '"Rom"',
  '"a\nb"',
  'Rom\r',
  '?',
  'none',
  'Ko\u0308ln',
  'true',
  'TRUE',
  'tRUE',
  'false',
]
const KINDS = ['a', 'b', 'none', '', 'c', '?', '"b"']
const LINES = ['', ' ', ',,,', '1,Rom,2', '1,Rom,2,a,', '1,Rom,2,a,b', '\r', '# note', '"']

function textOf(seed: number): string {
  const random = new RandomStream(seed)
  const of = <T>(list: readonly T[]) => list[Math.floor(random.uniform() * list.length)]
  const oddity = random.uniform() * 0.15
  const odd = () => random.uniform() < oddity
  const lines = Array.from({ length: Math.floor(random.uniform() * 100) }, () => {
    if (odd() && odd()) return of(LINES)
    const [x, city, y, kind] = of(GOOD).split(',')
    return [odd() ? of(NUMBERS) : x, odd() ? of(CITIES) : city, odd() ? of(NUMBERS) : y, odd() ? of(KINDS) : kind].join(',')
  })
  const end = of(['\n', '\n', '\r\n'])
  return `${of(['', '', '\uFEFF'])}${[HEAD.trim(), ...START, ...lines].join(end)}${of(['', end, end])}`
}

const ENCODERS: TableOptions[] = [
  { target: 'kind' },
  { target: 'kind', missing: 'auto', scale: 'standard' },
  { target: 'y', missing: 'mean', scale: 'minMax', unknown: 'ignore' },
  { target: 'kind', missing: 'drop', columns: { city: 'ordinal', y: 'number' } } as TableOptions,
  { target: 'kind', missing: 'auto', columns: { city: 'embedding' }, unknown: 'ignore' } as TableOptions,
  { target: 'kind', missing: 'auto', missingValues: ['-999', 'Ulm'] },
  { target: 'kind', missing: 'auto', exclude: ['x'] },
]
const encoders = ENCODERS.map((options) => encoderFromState(fromTable(parseCsv(HEAD + GOOD.join('\n')), options).state(), { warn: false }))

let readFast = 0
test.each(Array.from({ length: cases(800) }, (_, i) => i))('case %i: the same rows, whatever stands in the file', async (seed) => {
  const text = textOf(seed)
  const encoder = encoders[seed % encoders.length]
  const size = [64, 500, 2000, 1 << 20][seed % 4]
  const { fast, ...found } = await read(text, encoder, {}, size)
  expect(found).toEqual(expected(text, encoder, {}))
  readFast += fast
})

test('most rows of the cases were read as numbers', () => expect(readFast).toBeGreaterThan(500))

test('usual files come as numbers, all but the first block; others do not', async () => {
  const text = `${HEAD}${[...START, ...START].join('\n')}\n`
  for (const encoder of encoders.slice(0, 3)) {
    const { fast, ...found } = await read(text, encoder, {}, 512)
    expect(found).toEqual(expected(text, encoder, {}))
    expect(fast).toBeGreaterThan(3000)
  }
  const commented = await read(`# made by hand\n${text}`, encoders[0], { comment: '#' }, 512)
  expect(commented).toMatchObject({ fast: 0, ...expected(text, encoders[0], {}) })
  const commas = await read(text.replaceAll(',', ';').replaceAll('.', ','), encoders[0], { decimal: ',' }, 512)
  expect(commas).toMatchObject({ fast: 0, ...expected(text, encoders[0], {}) })
})

test('delimiters and quotes beyond ASCII, more than a byte each, are left to the parser', () => {
  const reader = (delimiter: string, quote: string) => blockReaders(HEAD.trim().split(','), delimiter, quote, encoders[0].state(), false)
  for (const [delimiter, quote] of [['\x80', '"'], [',', '\x80'], ['→', '"'], ['::', '"']]) expect(reader(delimiter, quote)).toBeNull() // biome-ignore format: one line
  for (const [delimiter, quote] of [['\x7f', '"'], [',', "'"]]) expect(reader(delimiter, quote)).not.toBeNull() // biome-ignore format: one line
})

test('numbers in a column of words are words', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ x: i, note: `room ${i % 9}`, kind: i % 2 ? 'a' : 'b' }))
  const encoder = encoderFromState(fromTable(rows, { target: 'kind', columns: { note: 'text' } }).state())
  const text = `x,note,kind\n${Array.from({ length: 9000 }, (_, i) => `${i},${i % 9},${i % 2 ? 'a' : 'b'}\n`).join('')}`
  const { fast, ...found } = await read(text, encoder, {}, 1 << 12)
  expect(found).toEqual(expected(text, encoder, {}))
})

test('a source that makes one wait holds no rows back, and fails after the last of them', async () => {
  const [encoder] = encoders
  let given = START.length
  let received = 0
  async function* slowly() {
    const bytes = (text: string) => new TextEncoder().encode(text)
    yield bytes(`${HEAD}${START.join('\n')}\n`)
    for (const line of GOOD.slice(0, 12)) {
      // nothing more comes before these rows were handed out
      while (received < given) await new Promise((resolve) => setTimeout(resolve, 1))
      yield bytes(`${line}\n`)
      given++
    }
    yield bytes(GOOD[0].slice(0, 5))
    throw new Error('the line broke')
  }
  const parts = encodedCsv(slowly(), {}, (...found) => {
    const readers = blockReaders(...found, encoder.state(), false) as BlockReaders
    return { depth: 4, read: (bytes) => readers.read(bytes), close: () => readers.close() }
  })
  const all = async () => {
    for await (const part of parts) received += part instanceof EncodedRows ? part.count : part.length
  }
  await expect(all()).rejects.toThrow('the line broke')
  expect(received).toBe(START.length + 12)
})

describe('fitStream', () => {
  const line = (i: number) =>
    `${((i * 7919) % 1000) / 10},${['Rom', 'Köln', 'Ulm'][i % 3]},${(i * 31) % 17},${['a', 'b'][((i * 7919) % 1000) >> 9]}\n`
  const text = HEAD + Array.from({ length: 200_000 }, (_, i) => line(i)).join('')
  // the first line is for the parser
  const file = new Blob(['sep=,\n', text])

  async function trained(data: () => AsyncIterable<object>, worker: boolean) {
    const encoder = await encoderFromStream(firstOf(file), {
      target: 'kind',
      scale: 'standard',
    })
    const model = new Sequential([new Dense(encoder.features, 4, { activation: 'tanh' }), new Dense(4, 2)], { seed: 1 })
    const { rows, skipped, repeated } = await fitStream(model, {
      ...{ data, encoder, loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: 1024, worker },
    })
    return { rows, skipped, repeated, weights: model.parameters().map((p) => [...p.data()]) }
  }
  async function* firstOf(from: Blob) {
    for await (const rows of streamTable(from)) {
      yield rows
      return
    }
  }

  test.each([false, true])('most blocks of a file are read from bytes, in a worker: %s', async (worker) => {
    const encoder = fromTable(parseCsv(text.slice(0, 2000)).slice(0, -1), { target: 'kind' })
    let read = 0
    for await (const part of (streamTable(file) as unknown as Encodable)[ENCODED](encoder.state(), worker))
      if (part instanceof EncodedRows) read += part.count
    expect(read).toBeGreaterThan(100_000)
  })

  test('a worker, this thread and rows as objects give the same bits', async () => {
    const inWorker = await trained(() => streamTable(file), true)
    expect(inWorker.rows).toBe(200_000)
    expect(await trained(() => streamTable(file), false)).toEqual(inWorker)
    // a generator around the table hides that it can encode itself
    const asRows = await trained(async function* () {
      yield* streamTable(file)
    }, true)
    expect(asRows.weights).toEqual(inWorker.weights)
  })

  test('a table that is read once does not come once more', async () => {
    const line = (i: number) => `${i % 7}.5,${['Rom', 'Ulm'][i % 2]},${i % 11},${['a', 'b', 'none'][i % 3]}\n`
    const encoder = fromTable(parseCsv(HEAD + GOOD.join('\n')), { target: 'kind' })
    const text = HEAD + Array.from({ length: 40_000 }, (_, i) => line(i)).join('')
    const rowsLearnt = async (data: AsyncIterable<object>) => {
      const model = new Sequential([new Dense(encoder.features, 3)], { seed: 1 })
      return (await fitStream(model, { data, encoder, loss: crossEntropy, optimizer: new Adam(model.parameters()) })).rows
    }
    const begun = streamTable(cut(text, 1 << 17))
    const first = await begun.next()
    expect(await rowsLearnt(begun)).toBe(40_000 - (first.value as object[]).length)
    const whole = streamTable(new Blob([text]))
    expect(await rowsLearnt(whole)).toBe(40_000)
    await expect(rowsLearnt(whole)).rejects.toThrow('there are no rows')
  })

  test('an encoder with a dataset of its own sees the rows', async () => {
    const table = fromTable(parseCsv(HEAD + GOOD.join('\n')), { target: 'kind' })
    let seen = 0
    const encoder = {
      state: () => table.state(),
      dataset(rows: readonly object[]) {
        seen += rows.length
        return table.dataset(rows)
      },
    }
    const model = new Sequential([new Dense(table.features, 3)], { seed: 1 })
    const small = new Blob([HEAD + GOOD.join('\n')])
    const training = { loss: crossEntropy, optimizer: new Adam(model.parameters()), encoder }
    await fitStream(model, { data: () => streamTable(small), ...training })
    expect(seen).toBe(60)
  })
})

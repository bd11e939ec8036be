/**
 * Fault 22: Parquet and Arrow files from strangers, mutated at every byte: the reader returns no more than a file of this size may contain, or throws
 * an error that begins with its name.
 */

import { readFileSync } from 'node:fs'
import { Table, tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { checkRows } from '../../../ts/data/formats/parquet.js'
import { fromTable, type Row, readTable, streamTable } from '../../../ts/data/index.js'
import { mutated, randomFrom } from '../../fuzz/mutate.js'
import { cpuNow } from '../../tools/clocks.js'
import { runs } from '../../tools/hostile-text.js'
import { milliseconds } from '../../tools/nightly.js'

const { cases } = JSON.parse(readFileSync('test/oracles/data_files.json', 'utf8')) as { cases: { kind: string; bytes: string }[] }
const good = (kind: string) =>
  cases.filter((one) => one.kind === kind && one.bytes).map(({ bytes }) => new Uint8Array(Buffer.from(bytes, 'base64')))
const OURS = /^(x\.(parquet|arrow)|the data): cannot be read as (Parquet|Arrow): /

/** CPU milliseconds that a reader may take for a file of a few kB; an intact file takes a few. */
const SLOWEST = milliseconds(3000)

/** Reads a file in every way. @returns its rows; undefined if it was refused */
async function read(bytes: Uint8Array, format: 'parquet' | 'arrow'): Promise<Row[] | undefined> {
  const before = cpuNow()
  const rows = await readTable(bytes, { format }).catch((error: Error) => {
    expect(error.message).toMatch(OURS)
    expect(error.message.length).toBeLessThan(1000)
  })
  expect(cpuNow() - before).toBeLessThan(SLOWEST)
  expect([...Object.keys(Object.prototype), ...Object.keys(Array.prototype)]).toEqual([])
  return rows ?? undefined
}

describe.each(['parquet', 'arrow'] as const)('fault 22: %s', (format) => {
  const files = good(format)
  const { numRuns, seed } = runs(200)

  test('truncated at any length', async () => {
    const [file] = files
    for (let length = 0; length < file.length; length += Math.max(1, Math.floor(file.length / 40)))
      await read(file.slice(0, length), format)
  })

  test('mutated', async () => {
    const random = randomFrom(seed)
    const tokens = ['PAR1', 'ARROW1', '\0', '\xff\xff\xff\xff', '__proto__', 'number'].map(
      (text) => new Uint8Array(Buffer.from(text, 'latin1')),
    )
    let read0 = 0
    for (let i = 0; i < numRuns; i++) {
      const rows = await read(mutated(files, tokens, random), format)
      if (rows === undefined) continue
      read0++
      // rows are objects of plain values; fromTable may still refuse them
      for (const row of rows) expect(typeof row === 'object' && row !== null).toBe(true)
      try {
        fromTable(rows.slice(0, 60), { target: 'kind', missing: 'auto' })
      } catch (error) {
        expect((error as Error).message).toMatch(/^(fromTable|encode): /)
      }
    }
    expect(read0).toBeLessThanOrEqual(numRuns)
  }, 3_600_000)
})

describe('fault 22: columns of other kinds', () => {
  test('nested ones, and names that objects have', async () => {
    const table = tableFromArrays({ constructor: [1, 2, 3], toString: ['a', 'b', 'c'] })
    const rows = await readTable(tableToIPC(table, 'file'), { format: 'arrow' })
    expect(rows.map((row) => [row.constructor, row.toString])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
    const nested = [
      { list: [1, 2], inner: { a: 1 }, y: 1 },
      { list: [3], inner: { a: 2 }, y: 2 },
    ]
    expect(() => fromTable(nested, { target: 'y' })).toThrow(/fromTable: column '(list|inner)' of row 0 wants/)
  })

  // apache-arrow made an object for each element that a vector promises: 36 s for a file of 3.9 kB
  test.each(['file', 'stream'] as const)('vectors of any length in the description of a %s', async (kind) => {
    const bytes = tableToIPC(tableFromArrays({ x: Float64Array.of(1, 2, 3), kind: ['a', 'b', 'a'] }), kind)
    expect(await readTable(bytes, { format: 'arrow' })).toHaveLength(3)
    for (let at = 0; at + 4 <= bytes.length; at += 4)
      for (const length of [0xffff, 2 ** 27, 2 ** 31 - 1]) {
        const wrong = bytes.slice()
        new DataView(wrong.buffer, wrong.byteOffset).setInt32(at, length, true)
        await read(wrong, 'arrow')
      }
  })

  // an entry of the footer takes 24 bytes, the description of a batch 136: a small file would describe much
  test('one message that the footer names many times', async () => {
    const batches = Array.from({ length: 100 }, () => tableFromArrays({ x: Float64Array.of(1) }).batches[0])
    const bytes = tableToIPC(new Table(batches), 'file')
    expect(await readTable(bytes, { format: 'arrow' })).toHaveLength(100)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const footer = bytes.length - 10 - view.getInt32(bytes.length - 10, true)
    // each batch begins with −1
    const places = Array.from({ length: footer / 8 }, (_, i) => 8 * i).filter((at) => view.getInt32(at, true) === -1)
    const [first, second] = places
    const named = (at: number) => places.slice(1).includes(Number(view.getBigInt64(at, true)))
    const found = Array.from({ length: bytes.length - 18 - footer }, (_, i) => footer + i).filter(named)
    expect(found).toHaveLength(99)
    for (const at of found) view.setBigInt64(at, BigInt(first), true)
    const small = Uint8Array.of(...bytes.subarray(0, second), ...bytes.subarray(footer))
    await expect(readTable(small, { format: 'arrow' })).rejects.toThrow('its messages overlap')
  })

  test('of more rows than a file can have', async () => {
    const bytes = tableToIPC(tableFromArrays({ x: Float64Array.of(1, 2, 3) }), 'file')
    expect(tableFromIPC(bytes).numRows).toBe(3)
    expect(() => checkRows(2 ** 40, 3, 10_000)).toThrow(/promises 1099511627776 rows of 3 columns in 10000 bytes/)
    expect(() => checkRows(1_000_000, 4, 10_000)).not.toThrow()
    expect(() => checkRows(0, 0, 12)).not.toThrow()
    // the length of a record batch, wherever it stands: 3 as 64 bits
    const at = Array.from({ length: bytes.length - 8 }, (_, i) => i).filter(
      (i) => bytes[i] === 3 && bytes.subarray(i + 1, i + 8).every((byte) => byte === 0),
    )
    for (const place of at)
      for (const rows of [2 ** 24, 2 ** 31, 2 ** 40, 2 ** 53, -1]) {
        const wrong = bytes.slice()
        new DataView(wrong.buffer, wrong.byteOffset).setBigInt64(place, BigInt(rows), true)
        const before = process.memoryUsage().rss
        await read(wrong, 'arrow')
        expect(process.memoryUsage().rss - before).toBeLessThan(512 << 20)
      }
    expect(at.length).toBeGreaterThan(0)
  })

  test('a stream stops at what is damaged, after the rows before it', async () => {
    const [file] = good('parquet')
    let count = 0
    await expect(
      (async () => {
        for await (const part of streamTable(file.slice(0, file.length - 20), { format: 'parquet' })) count += part.length
      })(),
    ).rejects.toThrow(OURS)
    expect(count).toBe(0)
  })
})

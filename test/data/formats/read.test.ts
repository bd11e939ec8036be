/** Parquet, Arrow, NumPy and JSON: files written by pyarrow and NumPy, from every kind of source, and errors about damaged files. */
import { Buffer } from 'node:buffer'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromTable, parseNpy, parseNpz, type Row, readBytes, readTable, type Source, streamTable } from '../../../ts/data/index.js'

interface Case {
  kind: 'rows' | 'parquet' | 'arrow' | 'npy' | 'npz' | 'refused'
  name: string
  bytes: string
  rows: Row[]
  type: string
  shape: number[]
  shapes: Record<string, number[]>
  values: number[] & Record<string, number[]>
  compression: string
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync('test/oracles/data_files.json', 'utf8'))
const of = (kind: Case['kind']) => cases.filter((one) => one.kind === kind)
const [{ rows: wanted }] = of('rows')
const bytesOf = ({ bytes }: Case) => new Uint8Array(Buffer.from(bytes, 'base64'))
const plain = (rows: readonly Row[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, v]) => [
        name,
        v instanceof Date ? v.getTime() / 864e5 : typeof v === 'bigint' ? Number(v) : (v ?? null),
      ]),
    ),
  )

let folder: string
let server: Server
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-files-'))
  for (const one of cases) if (one.bytes) writeFileSync(path.join(folder, one.name.replace(/[^\w.-]/g, '_')), bytesOf(one))
  server = createServer(({ url, method, headers }, response) => {
    try {
      const bytes = readFileSync(path.join(folder, path.basename(url ?? '')))
      const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? []
      const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1)
      response.writeHead(from === undefined ? 200 : 206, { 'content-length': part.length, 'accept-ranges': 'bytes' })
      response.end(method === 'HEAD' ? undefined : part)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})
const address = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`

describe('Parquet and Arrow by pyarrow', () => {
  test.each([...of('parquet'), ...of('arrow')])('$name', async (one) => {
    expect(plain(await readTable(new File([bytesOf(one)], one.name)))).toEqual(wanted)
  })

  test('a data set of each column, dates and 64 bits included', async () => {
    const rows = await readTable(path.join(folder, 'data-snappy.parquet'))
    const table = fromTable(rows, { target: 'yes', missing: 'auto' })
    expect(table.classNames).toEqual(['false', 'true'])
    expect(table.report.columns.map(({ as }) => as)).toEqual([
      'number',
      'number',
      'number',
      'category',
      'category',
      'number',
      'date',
      'category',
    ])
    expect(table.featureNames.slice(3, 8)).toEqual(['kind=a', 'kind=b', 'kind=ü', 'coded=x', 'coded=y'])
  })

  test('of a stream row groups are read one by one', async () => {
    const counts: number[] = []
    for await (const rows of streamTable(path.join(folder, 'data-none.parquet'))) counts.push(rows.length)
    expect(counts).toEqual([20, 20, 10])
    expect(await readTable(path.join(folder, 'data-none.parquet'), { limit: 25 })).toHaveLength(25)
  })

  test.each(['parquet', 'arrow'] as const)('damaged files of %s are refused with their name', async (format) => {
    const good = bytesOf(of(format)[0])
    for (const bytes of [good.slice(0, 40), good.slice(20), Uint8Array.of(1, 2, 3), new Uint8Array(200)])
      await expect(readTable(new File([bytes], `x.${format}`))).rejects.toThrow(new RegExp(`x.${format}: cannot be read as`))
  })
})

describe('a table is read from', () => {
  const text = 'x,y\n1,a\n2,b\n'
  const rows = [
    { x: '1', y: 'a' },
    { x: '2', y: 'b' },
  ]
  test.each<[string, () => Source]>([
    ['a path', () => path.join(folder, 't.csv')],
    ['a URL of a file', () => pathToFileURL(path.join(folder, 't.csv'))],
    ['an address', () => address('t.csv')],
    ['a URL', () => new URL(address('t.csv'))],
    ['an answer of fetch', () => new Response(text)],
    ['a Blob', () => new Blob([text])],
    ['bytes', () => Buffer.from(text)],
    ['an ArrayBuffer', () => new TextEncoder().encode(text).buffer],
    ['a stream', () => new Blob([text]).stream()],
    [
      'text in pieces',
      () =>
        (async function* () {
          yield* ['x,y\n1', ',a\n2,', 'b']
        })(),
    ],
    ['gzip', () => gzipSync(text)],
    ['a packed file', () => path.join(folder, 't.csv.gz')],
  ])('%s', async (_, source) => {
    writeFileSync(path.join(folder, 't.csv'), text)
    writeFileSync(path.join(folder, 't.csv.gz'), gzipSync(text))
    expect(await readTable(source())).toEqual(rows)
  })

  test('JSON and JSON lines', async () => {
    const json = new File(['[{"x":1,"y":"a"}, {"x":2,"y":null}]'], 't.json')
    const lines = new File(['{"x":1,"y":"a"}\n\n{"x":2,"y":null}'], 't.jsonl')
    for (const file of [json, lines])
      expect(await readTable(file)).toEqual([
        { x: 1, y: 'a' },
        { x: 2, y: null },
      ])
    await expect(readTable(new File(['{"x":1}\n{"x":'], 't.jsonl'))).rejects.toThrow('t.jsonl: line 2 is no JSON')
    await expect(readTable(new File(['{"x":1}\n[2]'], 't.jsonl'))).rejects.toThrow('t.jsonl: line 2 is no object, which a row is: [2]')
    await expect(readTable(new File(['{"x":1}'], 't.json'))).rejects.toThrow('t.json: wants rows as an array of objects')
    await expect(readTable(new File(['[1]'], 't.json'))).rejects.toThrow('t.json: entry 0 is no object')
  })

  test('nothing is no bytes, and pieces are joined', async () => {
    for (const nothing of [new Blob([]), new Uint8Array(0)]) expect(await readBytes(nothing)).toEqual(new Uint8Array(0))
    const bytes = Uint8Array.of(1, 2, 3)
    expect(await readBytes(new Blob([bytes, bytes]))).toEqual(Uint8Array.of(1, 2, 3, 1, 2, 3))
  })

  test('what is not there, or no source, is named', async () => {
    await expect(readTable('nowhere.csv')).rejects.toThrow('there is no file nowhere.csv')
    await expect(readTable('nowhere.parquet')).rejects.toThrow('there is no file nowhere.parquet')
    await expect(readTable(folder)).rejects.toThrow('is a folder, not a file')
    await expect(readTable(address('missing.csv'))).rejects.toThrow('missing.csv cannot be fetched: the server answered 404')
    await expect(readTable(5 as never)).rejects.toThrow('data are read from a path, a URL, a Blob, bytes or a stream, got 5')
    await expect(readTable(gzipSync(text).subarray(0, 20))).rejects.toThrow('packed data (gzip) are damaged')
  })
})

describe('arrays of NumPy', () => {
  test.each(of('npy'))('$name', (one) => {
    const { type, shape, data } = parseNpy(bytesOf(one))
    expect({ type, shape, values: [...data] }).toEqual({ type: one.type, shape: one.shape, values: one.values })
  })

  test.each(of('npz'))('a zip of them, $name', (one) => {
    const arrays = parseNpz(bytesOf(one))
    expect(Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => [name, shape]))).toEqual(one.shapes)
    for (const [name, { data }] of Object.entries(arrays)) expect([...data]).toEqual(one.values[name])
  })

  test.each(of('refused'))('$name are refused, and nothing of a file is run', (one) => {
    expect(() => parseNpy(bytesOf(one))).toThrow(/has elements of type|the header wants descr/)
  })

  test.each(['<i8', '<u8'])('%s: whole numbers from 2⁵³ on are refused, smaller ones are read', (name) => {
    const bytes = bytesOf(of('npy').find((one) => one.name === name) as Case)
    const last = new DataView(bytes.buffer, bytes.length - 8)
    last.setBigInt64(0, 2n ** 53n - 1n, true)
    const { data } = parseNpy(bytes)
    expect(data.at(-1)).toBe(Number.MAX_SAFE_INTEGER)
    last.setBigInt64(0, 2n ** 53n, true)
    expect(() => parseNpy(bytes)).toThrow(`NPY data: element ${data.length - 1} is a whole number beyond 2⁵³`)
  })

  test('damaged files are refused', async () => {
    const good = bytesOf(of('npy')[0])
    expect(() => parseNpy(good.slice(0, -1))).toThrow('NPY data is truncated: the header promises b1 [3, 4], 140 bytes, but there are 139')
    expect(() => parseNpy(Uint8Array.of(...good, 0))).toThrow('has bytes left over')
    expect(() => parseNpy(good.slice(0, 9))).toThrow('is no file of NumPy')
    expect(() => parseNpy(good.slice(0, 40))).toThrow('is truncated: its header has 118 bytes')
    expect(() => parseNpy(bytesOf(of('npz')[0]))).toThrow('it is a zip, which parseNpz reads')
    expect(() => parseNpz(good)).toThrow('NPZ data is no zip, or is damaged')
    expect(() => parseNpz('x' as never)).toThrow("NPZ data: wants the bytes of a file, an ArrayBuffer or a Uint8Array, got 'x'")
    const huge = Buffer.from(
      Buffer.from(good).toString('latin1').replace('(3, 4), }           ', '(99999999999, 99999), }').slice(0, good.length),
      'latin1',
    )
    expect(() => parseNpy(huge)).toThrow(/shape .* is too large|is truncated/)
    expect((await readBytes(new Blob(['abc']))).length).toBe(3)
  })
})

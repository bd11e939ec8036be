/** Tables that are not small files: from stdin, short and long, from an address, and longer than the rows that are held. */
import { Buffer } from 'node:buffer'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spool } from '../../../ts/cli/table/input.js'
import { gradus as run, spawned } from '../../tools/command.js'

const lines = Array.from({ length: 3000 }, (_, i) => `${i % 50},${(i * 7) % 31},${(i % 50) * 2 + 1}`)
const table = `a,b,y\n${lines.join('\n')}\n`
const NET = ['--target', 'y', '--hidden', 'none', '--json']

let folder: string
let server: Server
const ranges: string[] = []
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-large-'))
  const { cases } = JSON.parse(readFileSync('test/oracles/data_files.json', 'utf8')) as { cases: { name: string; bytes: string }[] }
  const bytes = Buffer.from(cases.find(({ name }) => name === 'data-none.parquet')?.bytes as string, 'base64')
  server = createServer(({ method, headers }, response) => {
    const { range = '' } = headers
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(range) ?? []
    if (method !== 'HEAD') ranges.push(range)
    const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1)
    response.writeHead(from === undefined ? 200 : 206, { 'content-length': part.length, 'accept-ranges': 'bytes' })
    response.end(method === 'HEAD' ? undefined : part)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('train reads a table from stdin, and takes a sample of a long one', async () => {
  const { code, stdout, stderr } = await run(['train', '-', ...NET, '--sample', '500'], { cwd: folder, stdin: table })
  expect([code, stderr]).toEqual([0, ''])
  const { sampledFrom, rows, model, metrics } = JSON.parse(stdout)
  expect([sampledFrom, rows.train + rows.test, model]).toEqual([3000, 500, 'stdin.safetensors'])
  expect(metrics.find(({ name }: { name: string }) => name === 'R²' || name === 'r2')?.value ?? 1).toBeGreaterThan(0.99)
  expect(existsSync(path.join(folder, 'stdin.safetensors'))).toBe(true)
})

test('what is wrong with stdin names it, with the line', async () => {
  const error = async (stdin: string, ...args: string[]) => (await run(['train', '-', ...args], { cwd: folder, stdin })).stderr
  expect(await error(table)).toBe('error: --target is missing: which column of stdin is to be predicted? It has a, b, y.\n')
  expect(await error(`${table}1,2\n`, ...NET)).toMatch(/^error: stdin\.csv: line 3002 has 2 values, and there are 3 columns[^\n]*\n$/)
  expect(await error('', ...NET)).toMatch(/^error: [^\n]*stdin[^\n]*\n$/)
  expect(await error('a,b,y\n', ...NET)).toMatch(/^error: [^\n]*stdin[^\n]*\n$/)
})

test('a long stdin goes to a file, which is removed when the process ends; an endless one is refused', async () => {
  const pieces = () => Readable.from(Array.from({ length: 10 }, (_, i) => Buffer.alloc(1000, `${i}`))) as unknown as NodeJS.ReadStream
  const file = (await spool(pieces(), 2500)) as string
  expect(readFileSync(file, 'latin1')).toBe(Array.from({ length: 10 }, (_, i) => `${i}`.repeat(1000)).join(''))
  rmSync(path.dirname(file), { recursive: true })
  expect(await spool(pieces(), 10_000)).toBeInstanceOf(File)
  // the first piece may be too short to tell the kind
  const slow = Readable.from([Buffer.from('PA'), Buffer.from('R1'), Buffer.alloc(2500)]) as unknown as NodeJS.ReadStream
  const parquet = (await spool(slow, 2500)) as string
  expect(path.basename(parquet)).toBe('stdin.parquet')
  rmSync(path.dirname(parquet), { recursive: true })
  await expect(spool(pieces(), 2500, 5 * 1024)).rejects.toThrow(/stdin: it has more than [\d.]+ MiB; write it to a file, and give its name/)
  const own = path.join(folder, 'tmp')
  mkdirSync(own)
  // 75 MB: above what is held in memory
  const note = 'x'.repeat(25_000)
  const long = `a,b,y,note\n${lines.map((line) => `${line},${note}`).join('\n')}\n`
  const { code, stdout, stderr } = await spawned(['train', '-', ...NET, '--exclude', 'note'], {
    cwd: folder,
    stdin: long,
    env: { TMPDIR: own },
  })
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout).rows.train).toBe(2400)
  expect(readdirSync(own).filter((name) => name.startsWith('gradus-'))).toEqual([])
})

test('train reads a Parquet file from an address, by ranges', async () => {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data-none.parquet`
  const { code, stdout, stderr } = await run(['train', address, '--target', 'yes', '--hidden', 'none', '--json'], { cwd: folder })
  expect([code, stderr]).toEqual([0, ''])
  const { rows, target, model } = JSON.parse(stdout)
  expect([rows.train + rows.test + rows.dropped, target, model]).toEqual([50, 'yes', 'data-none.safetensors'])
  expect(ranges.length).toBeGreaterThan(0)
  for (const range of ranges) expect(range).toMatch(/^bytes=\d+-\d+$/)
})

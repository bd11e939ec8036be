/** Faulty storages: other files, other versions, full disks, half a line. */
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { createStudy, float, int, openStudy, type Study } from '../../../ts/tune/index.js'

const SPACE = { x: float(-1, 1), n: int(1, 9) }
const folder = mkdtempSync(path.join(tmpdir(), 'gradus-storage-'))
const file = (name: string) => path.join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

describe('storages that are not as they should be', () => {
  const open = (storage: string): Promise<Study> => createStudy({ space: SPACE, storage }) as never

  test.each([
    ['study.txt', /storage wants a file that ends in \.sqlite or \.db \(SQLite\), or in \.log/],
    ['mysql://host', /storage wants a file, redis:\/\/… or postgres:\/\/…, got 'mysql:\/\/host'/],
    ['/no/such/folder/a.log', /cannot open the study in \/no\/such\/folder\/a\.log: there is no such folder/],
    ['redis://127.0.0.1:1', /cannot reach Redis at redis:\/\/127\.0\.0\.1:1.*Is the server running/],
  ])('%s', async (storage, message) => {
    await expect(open(storage)).rejects.toThrow(message)
  })

  test('a file of something else, a line that is broken, an operation from the future', async () => {
    writeFileSync(file('prose.log'), 'Dear diary\n')
    await expect(open(file('prose.log'))).rejects.toThrow(/prose\.log, line 1: this is no JSON, so it is no journal of a study: Dear diary/)
    writeFileSync(file('future.log'), '{"op_code":99,"worker_id":"a"}\n')
    await expect(open(file('future.log'))).rejects.toThrow(
      /future\.log: entry 1 is none of a journal of Optuna 4 or 5: there is no operation 99/,
    )
    writeFileSync(file('text.sqlite'), 'Dear diary, this is no database at all, only a text that is long enough.\n')
    await expect(open(file('text.sqlite'))).rejects.toThrow(/cannot open the study in .*text\.sqlite: file is not a database/)
  })

  test('SQLite of another version, and of Optuna', async () => {
    const study = await open(file('version.sqlite'))
    await study.close()
    await change(file('version.sqlite'), "UPDATE gradus_meta SET value = '7'")
    await expect(open(file('version.sqlite'))).rejects.toThrow(
      /was written by another version of gradus: its storage has version 7, this one reads 1/,
    )
    await change(file('optuna.sqlite'), 'CREATE TABLE alembic_version (a)')
    await expect(open(file('optuna.sqlite'))).rejects.toThrow(/is a database of Optuna's own storage/)
    await change(file('other.sqlite'), 'CREATE TABLE customers (a)')
    await expect(open(file('other.sqlite'))).rejects.toThrow(/is a database of something else: customers/)
  })

  test('half a line, of a process that was killed, is cut off', async () => {
    const study = await open(file('half.log'))
    await study.tell(await study.ask(), 1)
    writeFileSync(file('half.log'), '{"op_code":4,"worker', { flag: 'a' })
    await study.tell(await study.ask(), 2)
    const lines = readFileSync(file('half.log'), 'utf8').trim().split('\n')
    expect(lines.every((line) => JSON.parse(line).op_code >= 0)).toBe(true)
    expect(study.finished).toBe(2)
  })

  test('results are on the disk when they are told or added', async () => {
    const study = await open(file('synced.log'))
    const written = vi.spyOn(fs, 'fdatasyncSync')
    syncBuiltinESMExports()
    const trial = await study.ask()
    expect(written).toHaveBeenCalledTimes(0)
    await study.tell(trial, 1)
    expect(written).toHaveBeenCalledTimes(1)
    await study.add({ x: 0, n: 1 }, 2)
    expect(written).toHaveBeenCalledTimes(2)
  })

  test('a full disk loses nothing that was told', async () => {
    const study = await open(file('full.log'))
    await study.tell(await study.ask(), 1)
    const trial = await study.ask()
    const { writeSync } = fs
    vi.spyOn(fs, 'writeSync').mockImplementation(((descriptor: number, bytes: Uint8Array, from: number, _length: number, at: number) => {
      writeSync(descriptor, bytes, from, 3, at)
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }) as never)
    syncBuiltinESMExports()
    await expect(study.tell(trial, 2)).rejects.toThrow(
      /cannot write to the study in .*full\.log: the disk is full; free some space and run it again. What was told before is safe/,
    )
    vi.restoreAllMocks()
    syncBuiltinESMExports()
    await study.tell(trial, 2)
    await study.close()
    const again = await openStudy({ storage: file('full.log') })
    expect(again.trials.map(({ value }) => value)).toEqual([1, 2])
    await again.close()
  })
})

async function change(database: string, sql: string): Promise<void> {
  const { default: sqlite } = await import('node-sqlite3-wasm')
  const connection = new sqlite.Database(database)
  connection.exec(sql)
  connection.close()
}

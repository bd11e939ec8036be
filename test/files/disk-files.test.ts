/** Writing files when the disk is full or fails in between: the previous file stays unchanged, and the error says so. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeFileWhole } from '../../ts/cli/out-file.js'
import { writeNow } from '../../ts/files/disk-files.js'
import { temporaryName } from '../../ts/files/temporary-files.js'
import { bundled } from '../tools/bundled.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-disk-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const text = (name: string) => readFileSync(path.join(folder, name), 'utf8')
const bytes = (content: string) => new TextEncoder().encode(content)
const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

/** The file system, whose n-th call fails. */
function failingAt(n: number): { disk: typeof fs; calls: () => number } {
  let calls = 0
  const step =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (calls++ === n) throw full
      return call(...args)
    }
  const open = async (name: string, flags: string) => {
    const file = await step(fs.open)(name, flags)
    return { write: step(file.write.bind(file) as never), sync: step(file.sync.bind(file)), close: () => file.close() }
  }
  const same = { realpath: fs.realpath, stat: fs.stat, rm: fs.rm, link: step(fs.link), copyFile: step(fs.copyFile) }
  return { disk: { ...fs, ...same, readdir: step(fs.readdir), rename: step(fs.rename), open } as never, calls: () => calls }
}

test('fault 15: a disk that is full, or breaks, at each moment: a clear error, and the file is whole, the old one or the new', async () => {
  const name = path.join(folder, 'net.safetensors')
  const earlier = [path.join(folder, 'net.1.safetensors')]
  let failed = 0
  for (let n = 0; ; n++) {
    await fs.rm(earlier[0], { force: true })
    writeFileSync(name, 'old')
    const { disk, calls } = failingAt(n)
    const written = writeNow(disk, name, bytes('new'), earlier)
    if (n > 20) throw new Error('it never ends')
    const error = await written.then(
      () => null,
      (reason: Error) => reason,
    )
    expect(readdirSync(folder).filter((entry) => entry.endsWith('.tmp'))).toEqual([])
    if (error === null) {
      // if a link fails, the file is copied instead, so one failure does no harm
      expect(text('net.safetensors')).toBe('new')
      if (calls() <= n) break
      continue
    }
    failed++
    // after the file has its name, only the flush of the folder can fail
    const isOld = text('net.safetensors') === 'old'
    expect(error.message).toMatch(
      isOld ? /could not be written, and what was there is as it was: ENOSPC/ : /was written, but may not outlive/,
    )
    expect(['old', 'new']).toContain(text('net.safetensors'))
  }
  expect(failed).toBeGreaterThan(4)
})

test('a link leads to where it did, and what was left behind by who cannot be asked goes after ten minutes', async () => {
  const [real, link] = ['real.safetensors', 'link.safetensors'].map((name) => path.join(folder, name))
  writeFileSync(real, 'old')
  symlinkSync(real, link)
  for (const name of ['real.safetensors.00000000-17-3.tmp', 'real.safetensors.00000000-18-1.tmp', 'real.safetensors.mine.tmp'])
    writeFileSync(path.join(folder, name), 'x')
  const twoHours = new Date(Date.now() - 7_200_000)
  for (const name of ['real.safetensors.00000000-17-3.tmp', 'real.safetensors.mine.tmp'])
    utimesSync(path.join(folder, name), twoHours, twoHours)
  await writeNow(fs, link, bytes('new'), [])
  expect(text('real.safetensors')).toBe('new')
  expect(readdirSync(folder).sort()).toEqual([
    'link.safetensors',
    'real.safetensors',
    'real.safetensors.00000000-18-1.tmp',
    'real.safetensors.mine.tmp',
  ])
})

const temporaryFiles = () => readdirSync(folder).filter((entry) => entry.endsWith('.tmp'))

const HANG = bundled('hang-child', 'test/files/hang-child.ts')

/** A process that is in the midst of writing a file, and stays there. */
async function hangingWriter(name: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [HANG, name], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

test.each([
  ['a save', (name: string) => writeNow(fs, name, bytes('new'), [])],
  ['a command', (name: string) => writeFileWhole(name, 'new')],
])(
  'fault 13: what a process left that was killed by SIGKILL, the next write by %s removes; what one writes that lives it leaves',
  async (_who, write) => {
    const name = path.join(folder, 'net.safetensors')
    const [killed, living] = await Promise.all([hangingWriter(name), hangingWriter(name)])
    try {
      expect(temporaryFiles()).toHaveLength(2)
      await write(name)
      expect(temporaryFiles(), 'both live').toHaveLength(2)
      await kill(killed)
      await write(name)
      const [left, ...others] = temporaryFiles()
      expect(others).toEqual([])
      expect(left).toContain(`-${living.pid}-`)
      expect(text('net.safetensors')).toBe('new')
    } finally {
      await kill(living)
    }
    await write(name)
    expect(temporaryFiles()).toEqual([])
  },
)

test('files of another system stay for ten minutes, and those of an earlier process of this number go', async () => {
  const name = path.join(folder, 'net.safetensors')
  const own = await temporaryName(fs, name)
  const [system] = path.basename(own).slice('net.safetensors.'.length).split('-')
  const foreign = `net.safetensors.${system === 'ffffffff' ? '0' : 'f'}${system.slice(1)}-1-1.tmp`
  const earlier = `net.safetensors.${system}-${process.pid}-0.tmp`
  // no process has this number: Linux uses none above 2²²
  const dead = `net.safetensors.${system}-4194399-1.tmp`
  const other = `other.net.safetensors.${system}-4194399-1.tmp`
  for (const entry of [path.basename(own), foreign, earlier, dead, other]) writeFileSync(path.join(folder, entry), 'x')
  const beforeThis = new Date(Date.now() - 1000 * process.uptime() - 60_000)
  utimesSync(path.join(folder, earlier), beforeThis, beforeThis)
  await writeNow(fs, name, bytes('new'), [])
  expect(temporaryFiles().sort()).toEqual([path.basename(own), foreign, other].sort())
  const old = new Date(Date.now() - 601_000)
  for (const entry of [path.basename(own), foreign]) utimesSync(path.join(folder, entry), old, old)
  await writeNow(fs, name, bytes('new'), [])
  expect(temporaryFiles()).toEqual([other])
})

test.runIf(process.platform !== 'win32')('a pipe stays a pipe, and gets the bytes', async () => {
  const name = path.join(folder, 'pipe')
  execFileSync('mkfifo', [name])
  const read = fs.readFile(name, 'utf8')
  await writeNow(fs, name, bytes('new'), [])
  expect(await read).toBe('new')
  expect(lstatSync(name).isFIFO()).toBe(true)
  expect(readdirSync(folder)).toEqual(['pipe'])
})

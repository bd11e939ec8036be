/** Hostile input on stdin and its effect on the output: endless and binary input, names of object properties, cells with formulas. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAll } from '../../../ts/cli/table/input.js'
import { gradus } from '../../tools/command.js'
import { OBEYED, shellWords } from '../../tools/hostile-text.js'

let folder: string
const run = (args: string[], stdin: string | Uint8Array = '') => gradus(args, { cwd: folder, stdin })

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-doors-'))
  const classes = ['=1+1', '@x', '-1', '\u001b[2J']
  const lines = Array.from({ length: 80 }, (_, i) => `${(i * 37) % 101},${i % 7},${classes[((i * 37) % 101) % 4]}`)
  writeFileSync(path.join(folder, 'table.csv'), ['a,constructor,kind', ...lines].join('\n'))
  const { code, stderr } = await run(['train', 'table.csv', '--target', 'kind', '--hidden', '4', '--epochs', '2', '--quiet'])
  expect([code, stderr]).toEqual([0, ''])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('fault 17: an endless stdin is refused before it fills the memory', async () => {
  let pieces = 0
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1 << 16, ++pieces % 2 === 0 ? 'x' : 'y')
    })(),
  ) as unknown as NodeJS.ReadStream
  await expect(readAll(endless, 1 << 20)).rejects.toThrow('stdin: it has more than 1 MiB; write it to a file, and give its name')
  expect(pieces).toBeLessThan(40)
  expect((await readAll(Readable.from([Buffer.from('{"a":1}')]) as unknown as NodeJS.ReadStream)).name).toBe('stdin.jsonl')
})

test.each([
  ['nothing', ''],
  ['zeros', new Uint8Array(5000)],
  ['bytes', Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)],
  ['one long line', 'x'.repeat(20_000_000)],
  ['a line of many columns', `${'a,'.repeat(120_000)}b\n1\n`],
  ['the beginning of Parquet', 'PAR1 and no more'],
  ['the beginning of Arrow', 'ARROW1 and no more'],
  ['brackets', '['.repeat(100_000)],
  ['an open quote', `a,constructor\n"${'x\n'.repeat(1000)}`],
  ['names that turn a line', 'a,\u202econstructor\u001b[2J\n1,2\n'],
])('fault 19: stdin of %s is an error of one line, and nothing is printed', async (_, stdin) => {
  const { code, stdout, stderr } = await run(['predict', 'table.safetensors', '-'], stdin)
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^error: [^\n]*stdin[^\n]*\n$/)
  expect(stderr).not.toMatch(OBEYED)
  expect(stderr.length).toBeLessThan(800)
})

test('fault 20: a column that a row lacks is empty, whatever objects have by its name', async () => {
  const rows = '{"a":1,"constructor":2,"toString":"x"}\n{"a":3,"constructor":1}\n'
  const { code, stdout } = await run(['predict', 'table.safetensors', '-'], rows)
  expect(code).toBe(0)
  expect(stdout.split('\n')[2]).toMatch(/^3,1,,/)
  const missing = await run(['predict', 'table.safetensors', '-'], '{"a":1}\n')
  expect(missing.stderr).toMatch(/stdin has no column 'constructor'/)
})

test('fault 25: classes are written as they are, and a note says what a spreadsheet may make of them', async () => {
  const { code, stderr } = await run(['predict', 'table.safetensors', 'table.csv', '--out', 'answers.csv'])
  expect(code).toBe(0)
  expect(stderr).toBe(
    "note: the class '=1+1' begins as a formula does: open the answers in a spreadsheet only if you trust the model's file\n",
  )
  const [head, ...lines] = readFileSync(path.join(folder, 'answers.csv'), 'utf8').trim().split('\n')
  expect(head).toBe('a,constructor,kind,predicted_kind,probability,p_\u001b[2J,p_-1,p_=1+1,p_@x')
  for (const line of lines) expect(['=1+1', '@x', '-1', '\u001b[2J']).toContain(line.split(',')[3])
})

test('fault 45: what advice has a shell do with a name is what it says', async () => {
  const name = "'; touch x; echo 'it\\"
  const lines = Array.from({ length: 300 }, (_, i) => [`${(i * 37) % 101}`, i % 7, (i * 5) % 11, (i * 37) % 101 > 50 ? 'yes' : 'no'].join())
  writeFileSync(path.join(folder, 'shell.csv'), [`${name},b,c,kind`, ...lines].join('\n'))
  const { code, stdout } = await run(['train', 'shell.csv', '--target', 'kind', '--hidden', '8', '--epochs', '30', '--json'])
  expect(code).toBe(0)
  const { advice } = JSON.parse(stdout) as { advice: string[] }
  const commands = advice.flatMap((line) => /leave it out: --exclude (.*)\.$/.exec(line)?.[1] ?? [])
  for (const words of commands) expect(shellWords(words)).toEqual([name])
})

test('fault 45: inspect and evaluate show names', async () => {
  for (const args of [
    ['inspect', 'table.safetensors'],
    ['inspect', 'table.csv'],
    ['evaluate', 'table.safetensors', 'table.csv'],
  ]) {
    const { code, stdout } = await run(args)
    expect(code).toBe(0)
    expect(stdout).not.toMatch(OBEYED)
  }
  expect((await run(['inspect', 'table.safetensors'])).stdout).toContain('\\u001b[2J')
})

/**
 * Every wrong command line ends with one line on stderr: over all commands, with options misspelled, values out of range, and files
 * that are missing, of another kind, or nowhere to be written. RUNS=5000 tries more than the suite does.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { program } from '../../ts/cli/program.js'
import { gradus } from '../tools/command.js'

let folder: string
const RUNS = Number(process.env.RUNS ?? 150)

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-wrong-'))
  copyFileSync('docs/guide/iris.csv', path.join(folder, 'iris.csv'))
  const trained = await gradus(['train', 'iris.csv', '--target', 'species', '--hidden', '4', '--epochs', '2', '--quiet'], { cwd: folder })
  expect(trained.code).toBe(0)
  const files: Record<string, string | Uint8Array> = {
    'empty.csv': '',
    'header.csv': 'sepal_length,sepal_width,petal_length,petal_width,species\n',
    'ragged.csv': 'sepal_length,sepal_width,petal_length,petal_width,species\n5,3,1,0.2,setosa\n5,3,1\n',
    'quote.csv': 'a,b\n"x,1\n',
    'binary.csv': Uint8Array.from({ length: 400 }, (_, i) => (i * 151 + 128) % 256),
    'binary.safetensors': Uint8Array.from({ length: 400 }, (_, i) => (i * 151 + 128) % 256),
    'broken.json': '[{"a": 1',
    'number.json': '7',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content)
  mkdirSync(path.join(folder, 'folder.csv'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const BAD_FILES = [
  ...['missing.csv', 'missing.safetensors', 'iriss.csv', 'nowhere/iris.csv', 'folder.csv', 'empty.csv', 'header.csv', 'ragged.csv'],
  ...['quote.csv', 'binary.csv', 'binary.safetensors', 'broken.json', 'number.json'],
]

/** Command lines that would work, with `FILE` and `MODEL` in the places of files. */
const COMMANDS: readonly string[][] = [
  ['train', 'FILE', '--target', 'species'],
  ['predict', 'MODEL', 'FILE'],
  ['evaluate', 'MODEL', 'FILE'],
  ['explain', 'MODEL', 'FILE'],
  ['inspect', 'FILE'],
  ['export', 'MODEL', '--to', 'js'],
  ['race', 'FILE', '--target', 'species'],
  ['lr-find', 'FILE', '--target', 'species'],
  ['xray', 'FILE', '--target', 'species'],
  ['tune', 'FILE', '--target', 'species'],
  ['tune', 'show', 'missing.log'],
  ['bench'],
  ['info'],
]

const commandOf = (root: Command, [name, second]: readonly string[]): Command => {
  const command = root.commands.find((one) => one.name() === name) as Command
  return command.commands.find((one) => one.name() === second) ?? command
}
const flagsOf = ({ options }: Command) => options.map(({ long }) => long as string)
const ALL_FLAGS = [...new Set(program().commands.flatMap((command) => [...flagsOf(command), ...command.commands.flatMap(flagsOf)]))]

/** A word after some typing errors. */
const misspelt = (words: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...words),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('drop', 'add', 'change', 'swap'), fc.constantFrom(...'aeinrstx-')), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([word, errors]) => {
      let letters = [...word.slice(2)]
      for (const [at, kind, letter] of errors) {
        const i = at % Math.max(1, letters.length)
        if (kind === 'drop') letters.splice(i, 1)
        else if (kind === 'add') letters.splice(i, 0, letter)
        else if (kind === 'change') letters[i] = letter
        else letters = [...letters.slice(0, i), ...letters.slice(i, i + 2).reverse(), ...letters.slice(i + 2)]
      }
      return `--${letters.join('')}`
    })

/** Invalid values of options, for each command. */
const BAD_VALUES: Readonly<Record<string, readonly string[]>> = {
  '--epochs': ['many', '0', '-3', '1.5', 'NaN', ''],
  '--time': ['soon', '-5s', '0', '5 years'],
  '--test-fraction': ['0', '1', 'half'],
  '--learning-rate': ['fast', '0', '-1', 'Infinity'],
  '--hidden': ['8,,4', 'wide', '0'],
  '--coverage': ['0', '2', 'x'],
  '--seconds': ['0', 'x'],
  '--points': ['1', '2.5', 'x'],
  '--to': ['tflite'],
  '--decimal': ['x'],
  '--class-weights': ['', 'even', 'yes', 'yes=0', 'yes=-1', '=5', 'setosa=x', 'nobody=2', 'setosa=1,'],
  '--threshold': ['', '0', '1', 'half', 'F2', '0.5'],
  '--metric': ['x', 'rmse', 'f11'],
  '--positive': ['setosa', 'x'],
  '--trials': ['0', 'x'],
  '--optimizer': ['Adma', 'x'],
  '--out': ['nowhere/x.safetensors', '.', 'folder.csv'],
  '--report': ['nowhere/x.html', 'x.pdf', '.'],
  '--html': ['nowhere/x.html', 'x.pdf', '.'],
  '--picture': ['nowhere/x.svg', 'x.png', '.'],
}

const wrongLine = fc
  .tuple(fc.constantFrom(...COMMANDS), fc.constantFrom('flag', 'value', 'file', 'surplus'), misspelt(ALL_FLAGS), fc.nat(), fc.nat())
  .map(([words, kind, flag, one, other]) => {
    const command = commandOf(program(), words)
    const has = flagsOf(command)
    const good = words.map((word) => ({ FILE: 'iris.csv', MODEL: 'iris.safetensors' })[word] ?? word)
    const valued = Object.keys(BAD_VALUES).filter((name) => has.includes(name))
    const places = words.flatMap((word, i) => (word === 'FILE' || word === 'MODEL' ? [i] : []))
    if (kind === 'value' && valued.length > 0) {
      const name = valued[one % valued.length]
      return [...good, name, BAD_VALUES[name][other % BAD_VALUES[name].length]]
    }
    if (kind === 'file' && places.length > 0)
      return good.map((word, i) => (i === places[one % places.length] ? BAD_FILES[other % BAD_FILES.length] : word))
    if (kind === 'surplus') return [...good, 'surplus', 'words']
    // commander never accepts the beginning of a name for the name, and `--` ends the options
    return [...good, ...(has.includes(flag) || flag === '--' || flag === '--help' ? ['--no-such-option'] : [flag])]
  })

describe('a wrong command line', () => {
  test('ends in an error of one line, prints nothing, and leaves no file', async () => {
    const files = () => readdirSync(folder).sort().join()
    const before = files()
    await fc.assert(
      fc.asyncProperty(wrongLine, async (words) => {
        const { code, stdout, stderr } = await gradus(words, { cwd: folder })
        expect([1, 2]).toContain(code)
        expect(stdout).toBe('')
        expect(stderr).toMatch(/^error: \S/)
        expect(stderr).not.toMatch(/^\s+at |undefined|\[object|NaN:/m)
        const lines = stderr.trimEnd().split('\n')
        if (code === 1) expect(lines).toHaveLength(1)
        // followed by a hint, or by the command that shows help
        else expect(lines.slice(1).every((line) => /^\((Did you mean|It is an option of) .*\)$|^Run it with --help/.test(line))).toBe(true)
        const [, typed, meant] = /'(--[^']*)'\n\(Did you mean (--[^?]*)\?/.exec(stderr) ?? []
        if (meant !== undefined) expect(sharedLetters(typed, meant)).toBeGreaterThanOrEqual(0.6)
        expect(files()).toBe(before)
      }),
      { numRuns: RUNS, seed: 7 },
    )
  })

  test.each<[string, string[], string]>([
    ['an option of other commands', ['evaluate', 'iris.safetensors', 'iris.csv', '--target', 'vote'], '(It is an option of gradus train, '],
    ['an option misspelt', ['train', 'iris.csv', '--tagret', 'species'], '(Did you mean --target?)'],
    ['an option of a command below', ['tune', 'show', 'x.log', '--hmtl', 'x.html'], '(Did you mean --html?)'],
    ['a file misspelt', ['train', 'irs.csv', '--target', 'species'], 'there is no file irs.csv; did you mean iris.csv?'],
    ['a file misspelt, of predict', ['predict', 'iris.safetensors', 'irs.csv'], 'did you mean iris.csv?'],
    ['a model misspelt', ['predict', 'irs.safetensors', 'iris.csv'], 'did you mean iris.safetensors?'],
    [
      'a page that is none',
      ['train', 'iris.csv', '-t', 'species', '--report', 'x.pdf'],
      'is a page of HTML; give a name that ends in .html',
    ],
    ['a picture that is none', ['race', 'iris.csv', '-t', 'species', '--picture', 'x.png'], 'give a name that ends in .svg'],
    ['a model for others', ['train', 'iris.csv', '-t', 'species', '--out', 'x.onnx'], 'gradus export makes others of it'],
  ])('names what was meant: %s', async (_, words, hint) => {
    const { code, stdout, stderr } = await gradus(words, { cwd: folder })
    expect(stdout).toBe('')
    expect(code).toBeGreaterThan(0)
    expect(stderr).toContain(hint)
  })
})

/** Share of the letters of the longer word that are in the other one in the same order. */
function sharedLetters(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      rows[i][j] = a[i - 1] === b[j - 1] ? rows[i - 1][j - 1] + 1 : Math.max(rows[i - 1][j], rows[i][j - 1])
  return rows[a.length][b.length] / Math.max(a.length, b.length)
}

test('help of every command fits 80 columns', async () => {
  for (const words of [
    [],
    ['train'],
    ['predict'],
    ['evaluate'],
    ['explain'],
    ['inspect'],
    ['export'],
    ['race'],
    ['lr-find'],
    ['xray'],
    ['tune'],
    ['tune', 'show'],
    ['bench'],
    ['info'],
  ]) {
    const { code, stdout, stderr } = await gradus([...words, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    const long = stdout.split('\n').filter((line) => line.length > 80)
    expect(long, words.join(' ')).toEqual([])
  }
})

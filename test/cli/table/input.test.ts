/** Rows by stdin, columns that a file lacks, rows cut in time, and texts that are gaps: options of the commands on tables. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { trainLine } from '../../../ts/cli/options/table.js'
import { decodeSafetensors } from '../../../ts/export/index.js'
import { gradus as run } from '../../tools/command.js'

const PENGUINS = readFileSync('docs/guide/penguins.csv', 'utf8')
let folder: string
let report: { splitBy: object; rows: object; columns: { name: string; gaps: number; categories?: number }[] }

/** Runs a command in the folder, with this text as its stdin. */
async function gradus(stdin: string, ...args: string[]): Promise<{ error: string; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await run(args, { cwd: folder, stdin })
  const error = code === 0 ? '' : stderr.replace(/^error: |\n$/g, '')
  return { error, stdout, stderr: code === 0 ? stderr : '' }
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-input-'))
  const countries = ['NA', 'DE', 'FR']
  const lines = Array.from({ length: 60 }, (_, i) => {
    const day = new Date(Date.UTC(2024, 0, 1 + ((i * 37) % 60))).toISOString().slice(0, 10)
    return [countries[i % 3], i, day, (i * 7) % 11, (((i * 7) % 11) - 5) ** 2 + (i % 3) * 5].join()
  })
  writeFileSync(path.join(folder, 'sales.csv'), ['country,id,day,x,y', ...lines].join('\n'))
  const net = ['--hidden', '4', '--epochs', '20', '--json']
  const data = ['--target', 'y', '--split-by', 'day', '--missing-values', '']
  const { stdout, error } = await gradus('', 'train', 'sales.csv', ...data, ...net, '--out', 'sales.safetensors')
  expect(error).toBe('')
  report = JSON.parse(stdout)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('--split-by tests with the latest rows', async () => {
  expect(report).toMatchObject({ splitBy: { column: 'day', from: '2024-02-18' }, rows: { train: 48, test: 12, dropped: 0 } })
  const training = ['train', 'sales.csv', '--target', 'y', '--quiet', '--out', 'none.safetensors']
  expect((await gradus('', ...training, '--split-by', 'country')).error).toBe(
    "sales.csv: --split-by: column 'country' of line 2 wants a date (2024-12-31) or a number, got 'NA'; leave out rows without one",
  )
  for (const command of ['train', 'tune', 'race', 'lr-find', 'xray'])
    expect((await gradus('', command, 'sales.csv', '--target', 'y', '--split-by', 'day', '--test', 'sales.csv')).error).toBe(
      '--split-by says which rows of sales.csv are those to test with, and --test gives other ones; give one of the two',
    )
})

test('--test wants other rows than those that are learnt', async () => {
  for (const [file, name] of [['sales.csv', 'sales.csv'], ['-', 'stdin']]) // biome-ignore format: one line
    expect((await gradus('x,y\n1,2\n', 'train', file, '--target', 'y', '--test', file)).error).toBe(
      `--test: ${name} is the table itself, whose rows the model learns from; give other rows, or leave --test out`,
    )
})

test('--missing-values says which texts are gaps: with none of them Namibia is a country', () => {
  expect(report.columns.find(({ name }) => name === 'country')).toMatchObject({ gaps: 0, categories: 3 })
})

test('the line to copy has both', () => {
  const line = trainLine('sales.csv', { target: 'y', splitBy: 'day', missingValues: ['NA', '?'], seed: 1 }, {})
  expect(line).toBe("gradus train sales.csv --target y --missing-values 'NA,?' --split-by day --seed 1")
})

test('predict and evaluate read rows from stdin, as CSV or JSON lines', async () => {
  const csv = await gradus('country,day,x\nNA,2024-03-01,3\n', 'predict', 'sales.safetensors', '-')
  expect([csv.error, csv.stderr]).toEqual(['', ''])
  expect(csv.stdout).toMatch(/^country,day,x,predicted_y,low,high\nNA,2024-03-01,3,/)
  const json = await gradus('{"country":"NA","day":"2024-03-01","x":3}\n', 'predict', 'sales.safetensors', '-', '--only')
  expect(csv.stdout.split('\n')[1]).toBe(`NA,2024-03-01,3,${json.stdout.split('\n')[1]}`)
  const wrong = await gradus('country,day,x\nNA,2024-03-01,\nNA,2024-03-01,many\n', 'predict', 'sales.safetensors', '-')
  expect(wrong.error).toBe("stdin: column 'x' of line 3 wants a number, got 'many'")
  const table = readFileSync(path.join(folder, 'sales.csv'), 'utf8')
  expect((await gradus(table, 'evaluate', 'sales.safetensors', '-')).stdout).toContain("'y' of all 60 rows of stdin, by sales.safetensors")
})

test('a column that the model learnt from has to be there, or is filled in on request; numbers of rows need not be', async () => {
  const narrow = 'country,day\nNA,2024-03-01\n'
  const refused = await gradus(narrow, 'predict', 'sales.safetensors', '-')
  expect(refused.stdout).toBe('')
  expect(refused.error).toBe(
    "stdin has no column 'x', from which the model learnt; --fill-columns fills it in as gaps were in training, for worse predictions",
  )
  const filled = await gradus(narrow, 'predict', 'sales.safetensors', '-', '--fill-columns')
  expect([filled.error, filled.stderr]).toEqual(['', "note: stdin has no column 'x': filled in as gaps were in training\n"])
  writeFileSync(path.join(folder, 'narrow.csv'), 'country,day,y\nNA,2024-03-01,3\n')
  expect((await gradus('', 'evaluate', 'sales.safetensors', 'narrow.csv')).error).toContain("narrow.csv has no column 'x'")
})

test('evaluate says where a model is judged by rows that it learnt from', async () => {
  const { stderr } = await gradus('', 'evaluate', 'sales.safetensors', 'sales.csv')
  expect(stderr).toBe('note: all rows that the model learnt from are in sales.csv: it knows these, and is not as good on others\n')
})

test('export writes all nets of a table as one model of Keras', async () => {
  const out = path.join(folder, 'sales.keras.safetensors')
  const { error, stdout } = await gradus('', 'export', 'sales.safetensors', '--to', 'keras', '--out', out)
  expect(error).toBe('')
  // rows in time: the line is one of the members
  expect(stdout).toContain('  members = [\n    keras.Sequential([layers.Dense(1)]),\n    keras.Sequential([layers.Dense(4, ')
  expect(stdout).toContain('  ]\n  x = keras.Input((')
  expect(stdout).toMatch(/zip\(\[0\.\d+(, 0\.\d+){10}\], answers\)\)\)\n/)
  const { tensors } = decodeSafetensors(readFileSync(out))
  const names = Object.keys(tensors)
  expect(names.slice(0, 3)).toEqual(['00.0000.kernel', '00.0001.bias', '01.0000.kernel'])
  expect(names).toHaveLength(2 + 10 * 4)
})

test('inspect reads a table from stdin, too', async () => {
  expect((await gradus(PENGUINS, 'inspect', '-', '--target', 'species')).stdout).toContain('344 rows; ')
})

test('an option of nets beside --hidden none is named as the command line has it', async () => {
  const { error } = await gradus('', 'train', 'sales.csv', '--target', 'y', '--hidden', 'none', '--learning-rate', '0.1')
  expect(error).toBe('sales.csv: --hidden none is a straight line, which has no --learning-rate; leave it out, or give hidden layers')
})

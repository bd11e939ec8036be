/** Commands on tables: what they print, the files they write, and the one line in which they fail. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Dense, decodeSafetensors, Sequential, saveModel } from '../../ts/index.js'

const MAIN = path.resolve('ts/cli/main.ts')
const LOADER = path.resolve('node_modules/tsx/dist/loader.mjs')
let folder: string

interface Result {
  code: number
  stdout: string
  stderr: string
}

function gradus(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', LOADER, MAIN, ...args], { cwd: folder, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gradus-table-'))
  for (const name of ['iris', 'penguins']) copyFileSync(`docs/guide/${name}.csv`, path.join(folder, `${name}.csv`))
  writeFileSync(path.join(folder, 'one.csv'), 'sepal_length,sepal_width,petal_length,petal_width\n5.9,3,5.1,1.8\n')
  const { code, stderr } = await gradus('train', 'iris.csv', '--target', 'species', '--report', 'iris.html', '--quiet')
  expect([code, stderr]).toEqual([0, ''])
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a model in a file', () => {
  test('the page of the report is there', () => {
    expect(readFileSync(path.join(folder, 'iris.html'), 'utf8')).toContain('Predicting ‘species’')
  })

  test('predict prints the rows with answers', async () => {
    const { code, stdout } = await gradus('predict', 'iris.safetensors', 'iris.csv')
    const lines = stdout.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines[0]).toBe(
      'sepal_length,sepal_width,petal_length,petal_width,species,predicted_species,probability,p_setosa,p_versicolor,p_virginica',
    )
    expect(lines).toHaveLength(151)
    const right = lines.slice(1).filter((line) => line.split(',')[4] === line.split(',')[5])
    expect(right.length).toBeGreaterThan(135)
    const json = await gradus('predict', 'iris.safetensors', 'iris.csv', '--json', '--only', '--out', 'answers.jsonl')
    expect(json.stdout).toContain('150 rows with predictions are in answers.jsonl')
    expect(JSON.parse(readFileSync(path.join(folder, 'answers.jsonl'), 'utf8').split('\n')[0])).toMatchObject({ class: 'setosa' })
  })

  test('evaluate and inspect', async () => {
    const { metrics, rows } = JSON.parse((await gradus('evaluate', 'iris.safetensors', 'iris.csv', '--json')).stdout)
    expect([rows, metrics[0].name]).toEqual([150, 'accuracy'])
    expect(metrics[0].value).toBeGreaterThan(0.93)
    const { stdout } = await gradus('inspect', 'iris.safetensors')
    expect(stdout).toContain("predicts 'species'")
    expect(stdout).toContain('sepal_length, sepal_width, petal_length, petal_width')
    expect((await gradus('inspect', 'iris.csv')).stdout).toContain('species (target)')
  })
})

describe('export', () => {
  test('a JavaScript module that answers as the model does, ONNX, and weights for PyTorch', async () => {
    const { code, stdout } = await gradus('export', 'iris.safetensors', '--to', 'js')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/iris\.mjs, 1\d\d kB\. predict\(rows\) takes rows as they are in the table/)])
    const { predict } = await import(pathToFileURL(path.join(folder, 'iris.mjs')).href)
    const row = { sepal_length: '5.9', sepal_width: 3, petal_length: 5.1, petal_width: 1.8 }
    const { stdout: said } = await gradus('predict', 'iris.safetensors', 'one.csv', '--json', '--only')
    const wanted = JSON.parse(said).probabilities
    for (const [name, p] of Object.entries<number>(predict(row).probabilities)) expect(p).toBeCloseTo(wanted[name], 5)
    expect(JSON.parse((await gradus('export', 'iris.safetensors', '--out', 'iris.onnx', '--json')).stdout)).toMatchObject({
      format: 'onnx',
    })
    const torch = await gradus('export', 'iris.safetensors', '--to', 'pytorch')
    expect(torch.stdout).toContain('model = nn.ModuleList([nn.Sequential(nn.Linear(4, 64), nn.SiLU()')
    const { '4.6.weight': weight } = decodeSafetensors(readFileSync(path.join(folder, 'iris.pytorch.safetensors'))).tensors
    expect(weight.shape).toEqual([3, 64])
  })

  test('a net that is no table', async () => {
    const net = new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed: 1 })
    await saveModel(net, path.join(folder, 'net.safetensors'))
    expect((await gradus('export', 'net.safetensors', '--out', 'net.mjs', '--half')).code).toBe(0)
    const { predict } = await import(pathToFileURL(path.join(folder, 'net.mjs')).href)
    expect(predict([[1, 2]])[0][0]).toBeCloseTo(net.predict([[1, 2]]).item(), 2)
    const { stdout } = await gradus('inspect', 'net.safetensors')
    expect(stdout).toMatch(
      /^net\.safetensors: a model of 13 parameters\n +0 +Dense\(2, 3, tanh\) +9\n +1 +Dense\(3, 1\) +4\n +total +13\n$/,
    )
    const keras = await gradus('export', 'net.safetensors', '--to', 'keras')
    expect(keras.stdout).toContain("model = keras.Sequential([layers.Dense(3, activation='tanh'), layers.Dense(1)])")
  })

  test.each<[string, string[], RegExp]>([
    ['without a format', ['iris.safetensors'], /^error: say what for: --to onnx, js, pytorch or keras\n$/],
    ['of a format that is none', ['iris.safetensors', '--to', 'tflite'], /Allowed choices are onnx, js, pytorch, keras/],
    ['of many nets for Keras', ['iris.safetensors', '--to', 'keras'], /5 nets that answer together, and Keras takes one/],
    ['over the model itself', ['iris.safetensors', '--to', 'pytorch', '--out', 'iris.safetensors'], /would be written over/],
    ['of no model', ['iris.csv', '--to', 'js'], /^error: .*iris\.csv.*no safetensors file/],
  ])('%s is an error of a line', async (_, args, message) => {
    const { code, stderr } = await gradus('export', ...args)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(message)
  })
})

test('train prints a report that a person reads', async () => {
  const { code, stdout } = await gradus('train', 'penguins.csv', '--target', 'species', '--exclude', 'island')
  expect(code).toBe(0)
  for (const part of [
    "Learning 'species' from penguins.csv",
    '95 % interval',
    'Confusion',
    'What it looks at',
    'can be believed',
    'try next',
  ])
    expect(stdout).toContain(part)
  expect(stdout).toMatch(/accuracy +(?:0\.9\d\d|1\.000) +[01]\.\d{3} to [01]\.\d{3} +0\.\d{3}/)
  expect(stdout).not.toContain('island')
  expect(stdout).not.toMatch(/NaN|undefined/)
})

test('--json is one object', async () => {
  const { stdout } = await gradus('train', 'iris.csv', '--target', 'species', '--json', '--time', '2s', '--out', 'other.safetensors')
  expect(JSON.parse(stdout)).toMatchObject({ task: 'classification', model: 'other.safetensors', stopped: false })
})

test('race and lr-find', async () => {
  const race = await gradus(
    'race',
    'iris.csv',
    '-t',
    'species',
    '-o',
    'SGD,Adam',
    '--epochs',
    '5',
    '--points',
    '3',
    '--picture',
    'race.svg',
  )
  expect(race.stderr).toBe('')
  expect(race.stdout).toContain("2 optimizers on 'species' of iris.csv")
  expect(readFileSync(path.join(folder, 'race.svg'), 'utf8')).toMatch(/^<svg /)
  const found = JSON.parse((await gradus('lr-find', 'iris.csv', '-t', 'species', '--epochs', '5', '--points', '4', '--json')).stdout)
  expect(found.learningRates).toHaveLength(4)
  expect(found.learningRates).toContain(found.best)
})

describe('failures are one line that names the file', () => {
  test.each<[string, string[], RegExp]>([
    ['no file', ['train', 'flowers.csv', '--target', 'x'], /^error: there is no file flowers\.csv\. A data set by name is one of mnist, /],
    ['a data set misspelt', ['train', 'irsi'], /did you mean iris\?/],
    [
      'no target',
      ['train', 'iris.csv'],
      /^error: --target is missing: .* It has sepal_length, sepal_width, petal_length, petal_width, species\.\n$/,
    ],
    ['a column that is not there', ['train', 'iris.csv', '--target', 'kind'], /^error: iris\.csv: there is no column 'kind'/],
    [
      'an option of the other kind',
      ['train', 'iris.csv', '--target', 'species', '--epochs', '3'],
      /^error: --epochs is for data sets by name/,
    ],
    ['an option of tables', ['train', 'iris', '--time', '5s'], /^error: --time is for tables in files/],
    ['no model', ['predict', 'iris.csv', 'iris.csv'], /^error: .*iris\.csv.*no safetensors file/],
    ['no duration', ['train', 'iris.csv', '--time', 'soon'], /Wants a duration/],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await gradus(...args)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a value names its row and column', async () => {
    writeFileSync(path.join(folder, 'bad.csv'), 'sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n5,wide,1,0.2\n')
    const { code, stderr } = await gradus('predict', 'iris.safetensors', 'bad.csv')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: bad\.csv: column 'sepal_width' of row 1 wants a number, got 'wide'\n$/)
  })
})

test('options that errors about a file name are there: --ragged, --encoding, --no-header', async () => {
  const one = (name: string, bytes: string | Uint8Array) => writeFileSync(path.join(folder, name), bytes)
  one('ragged.csv', 'sepal_length,sepal_width,petal_length,petal_width\n5.9,3\n5.1,3.5,1.4,0.2,7\n')
  one(
    'latin.csv',
    Uint8Array.from('sepal_length,größe\n5.9,3\n', (c) => c.charCodeAt(0)),
  )
  one('bare.csv', '5.9,3,5.1,1.8\n5.1,3.5,1.4,0.2\n')
  for (const [file, flag, ...more] of [
    ['ragged.csv', '--ragged takes it as it is', '--ragged'],
    ['latin.csv', '--encoding windows-1252', '--encoding', 'windows-1252'],
    ['bare.csv', 'give --no-header', '--no-header'],
  ]) {
    const { code, stderr } = await gradus('inspect', file)
    expect([code, stderr.trim().split('\n').length]).toEqual([1, 1])
    expect(stderr).toContain(flag)
    const good = await gradus('inspect', file, ...more)
    expect([good.code, good.stderr]).toEqual([0, ''])
  }
  const { code, stdout } = await gradus('predict', 'iris.safetensors', 'ragged.csv', '--ragged', '--only')
  expect([code, stdout.trim().split('\n').length]).toEqual([0, 3])
})

test('the commands of README.md run as they stand there', async () => {
  const commands = [...readFileSync('README.md', 'utf8').matchAll(/^npx gradus (.*)$/gm)].map(([, rest]) =>
    rest.replaceAll('docs/guide/', ''),
  )
  expect(commands).toHaveLength(2)
  for (const command of commands) {
    const { code, stderr } = await gradus(...command.split(' '))
    expect([code, stderr]).toEqual([0, ''])
  }
  expect(readFileSync(path.join(folder, 'answers.csv'), 'utf8')).toContain('predicted_species')
})

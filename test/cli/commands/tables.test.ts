/** Commands on tables: their output, the files that they write, and their errors in one line. */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { TransformerBlock } from '../../../ts/attention/index.js'
import { INTERRUPTED, interruptible, NO_MODEL } from '../../../ts/cli/interrupt.js'
import { columnOptions, dataOptions, fileOptions, predictLine } from '../../../ts/cli/options/table.js'
import { program } from '../../../ts/cli/program.js'
import { naming } from '../../../ts/cli/table/files.js'
import { namingColumns } from '../../../ts/cli/table/xray.js'
import { decodeSafetensors } from '../../../ts/export/index.js'
import { Dense, Sequential, saveModel } from '../../../ts/index.js'
import { GRU } from '../../../ts/recurrent/index.js'
import { commandLine, gradus as run, spawned } from '../../tools/command.js'
import { fixture } from '../../xray/fixture.js'

let folder: string

const gradus = (...args: string[]) => run(args, { cwd: folder })

/** The message of a command that fails, without the word `error:`. */
async function errorOf(...args: string[]): Promise<string> {
  const { code, stderr } = await gradus(...args)
  expect(code).toBeGreaterThan(0)
  return stderr.replace(/^error: |\n$/g, '')
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
    for (const line of lines.slice(1)) {
      const probabilities = line.split(',').slice(-3).map(Number)
      expect(Math.abs(1 - probabilities.reduce((sum, p) => sum + p, 0))).toBeLessThan(2e-7)
    }
    const json = await gradus('predict', 'iris.safetensors', 'iris.csv', '--json', '--only', '--out', 'answers.jsonl')
    expect(json.stdout).toContain('150 rows with predictions are in answers.jsonl')
    expect(JSON.parse(readFileSync(path.join(folder, 'answers.jsonl'), 'utf8').split('\n')[0])).toMatchObject({ class: 'setosa' })
  })

  test('prints columns by name, under other names too', async () => {
    const some = await gradus('predict', 'iris.safetensors', 'iris.csv', '--columns', 'sepal_width,species=predicted_species')
    const all = (await gradus('predict', 'iris.safetensors', 'iris.csv')).stdout.split('\n').map((line) => line.split(','))
    expect(some.stdout).toBe(
      all.map((cells, i) => (i === 0 ? 'sepal_width,species' : [cells[1], cells[5]].filter(Boolean).join(','))).join('\n'),
    )
    for (const [columns, said] of [
      ['sepal_width,predicted_specie', "there is no column 'predicted_specie'; did you mean predicted_species?"],
      ['x=y', "there is no column 'y', only sepal_length"],
    ])
      expect((await gradus('predict', 'iris.safetensors', 'iris.csv', '--columns', columns)).stderr).toContain(`--columns: ${said}`)
    expect((await gradus('predict', 'iris.safetensors', 'iris.csv', '--columns', 'species', '--json')).stderr).toContain('cannot be used')
    // rows with predictions of another model
    await gradus('predict', 'iris.safetensors', 'iris.csv', '--out', 'before.csv')
    const again = (columns: string) => gradus('predict', 'iris.safetensors', 'before.csv', '--columns', columns)
    expect((await again('species=predicted_species')).stderr).toContain(
      "both the rows and the predictions have a column 'predicted_species'",
    )
    expect((await again('s = species')).stdout.split('\n')[0]).toBe('s')
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

  test('a net with layers of rooms, which the command has to load', async () => {
    const net = new Sequential([new GRU(2, 4, { returnSequences: true }), new TransformerBlock(4, 2), new Dense(4, 1)], { seed: 1 })
    await saveModel(net, path.join(folder, 'rooms.safetensors'))
    // in a process of its own: this one has them
    expect((await spawned(['export', 'rooms.safetensors', '--out', 'rooms.mjs'], { cwd: folder })).stderr).toBe('')
    const { predict } = await import(pathToFileURL(path.join(folder, 'rooms.mjs')).href)
    const rows = [[[1, 2], [3, -1]]] // biome-ignore format: one line
    expect(predict(rows)[0][1]).toBeCloseTo(net.predict(rows as never).data()[1], 5)
    expect((await gradus('inspect', 'rooms.safetensors')).stdout).toMatch(/GRU\(2, 4, all steps\)/)
  })

  test.each<[string, string[], RegExp]>([
    ['without a format', ['iris.safetensors'], /^error: say what for: --to onnx, js, pytorch or keras\n$/],
    ['of a format that is none', ['iris.safetensors', '--to', 'tflite'], /Allowed choices are onnx, js, pytorch, keras/],
    ['over the model itself', ['iris.safetensors', '--to', 'pytorch', '--out', 'iris.safetensors'], /would be written over/],
    ['of no model', ['iris.csv', '--to', 'js'], /^error: iris\.csv is text, as tables are, not a model: gradus train writes one/],
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
  expect(stdout).toMatch(/accuracy +(?:0\.9\d\d|1\.000) +[01]\.\d{3} to [01]\.\d{3} +[01]\.\d{3} +0\.\d{3}\n/)
  expect(stdout).not.toContain('island')
  expect(stdout).not.toMatch(/NaN|undefined/)
  // the recommended command keeps the options of this run
  expect(stdout).toContain('--report report.html in training writes this report as a page with pictures')
  expect(stdout).not.toContain('gradus train')
})

test('what a net is like can be said', async () => {
  const args = [
    '--hidden',
    '12,8',
    '--activation',
    'tanh',
    '--lr',
    '0.02',
    '--dropout',
    '0',
    '--weight-decay',
    '0.01',
    '--batch-size',
    '16',
  ]
  const { stdout } = await gradus('train', 'iris.csv', '-t', 'species', ...args, '--epochs', '9', '--json', '--out', 'said.safetensors')
  const { candidates, curve } = JSON.parse(stdout)
  expect(candidates.map(({ plan }: { plan: string }) => plan)).toEqual(['12-8 tanh, dropout 0, learning rate 0.02, weight decay 0.01'])
  expect(curve.loss).toHaveLength(9)
})

test('commands that train on a table have the same options for it', () => {
  const { commands } = program()
  const flagsOf = (name: string) =>
    commands.find((command) => command.name() === name)?.options.map(({ flags, description }) => [flags, description])
  const data = dataOptions().map(({ flags, description }) => [flags, description])
  expect(data).toContainEqual(['--embed <columns>', expect.any(String)])
  for (const name of ['train', 'tune', 'race', 'lr-find', 'xray']) expect(flagsOf(name), name).toEqual(expect.arrayContaining(data))
  expect(flagsOf('inspect')).toEqual(
    expect.arrayContaining([...columnOptions().slice(1), ...fileOptions()].map(({ flags, description }) => [flags, description])),
  )
})

test('inspect says what train does with each column, and every command takes it so', async () => {
  // 120 towns, each with its own price
  const lines = Array.from({ length: 1200 }, (_, i) => `t${(i * 7) % 120},${(i * 13) % 11},${((i * 7) % 120) % 10}.5`)
  writeFileSync(path.join(folder, 'towns.csv'), `town,size,price\n${lines.join('\n')}\n`)
  const here = ['towns.csv', '--target', 'price', '--exclude', 'size']
  const inspected = JSON.parse((await gradus('inspect', ...here, '--json')).stdout)
  const trained = JSON.parse(
    (await gradus('train', ...here, '--json', '--hidden', '8', '--epochs', '3', '--out', 'towns.safetensors')).stdout,
  )
  const decided = ({ columns }: { columns: { name: string; as: string; why: string }[] }) =>
    columns.map(({ name, as, why }) => ({ name, as, why }))
  expect(decided(inspected)).toEqual(decided(trained))
  expect(inspected.columns[0]).toMatchObject({ name: 'town', as: 'embedding', features: 1 })
  const { losses } = JSON.parse((await gradus('lr-find', ...here, '--json', '--points', '2', '--epochs', '8')).stdout)
  expect(Math.min(...losses)).toBeLessThan(0.2)
  writeFileSync(path.join(folder, 'sunk.csv'), `age,sunk\n${Array.from({ length: 40 }, (_, i) => `${i % 9},${i % 2}`).join('\n')}\n`)
  expect((await gradus('inspect', 'sunk.csv')).stdout).toContain(
    'sunk (target)  category  it is 0 or 1, two classes; --numbers with its name makes it a number to predict\n',
  )
  const asNumber = JSON.parse((await gradus('inspect', ...here, '--embed', 'town', '--json')).stdout)
  expect(asNumber.columns[0]).toMatchObject({ as: 'embedding', why: 'you said so' })
})

test('--json is one object', async () => {
  const { stdout } = await gradus('train', 'iris.csv', '--target', 'species', '--json', '--time', '2s', '--out', 'other.safetensors')
  expect(JSON.parse(stdout)).toMatchObject({ task: 'classification', model: 'other.safetensors', stopped: false })
})

test('--json and pages speak of flags, as the terminal does', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `${i % 7},${i % 11},${i % 20 === 0 ? 'yes' : i % 3 === 0 ? 'none' : 'no'}`)
  writeFileSync(path.join(folder, 'flags.csv'), `a,b,ill\n${rows.join('\n')}\n`)
  const quick = ['--hidden', '2', '--epochs', '1', '--out', 'flags.safetensors', '--report', 'flags.html']
  const { stdout } = await gradus('train', 'flags.csv', '--target', 'ill', '--json', ...quick)
  const { advice, columns } = JSON.parse(stdout) as { advice: string[]; columns: { notes: string[] }[] }
  const page = readFileSync(path.join(folder, 'flags.html'), 'utf8')
  const inspected = await gradus('inspect', 'flags.csv', '--target', 'ill', '--json')
  for (const text of [[...advice, ...columns.flatMap(({ notes }) => notes)].join('\n'), page, inspected.stdout]) {
    expect(text).not.toMatch(/missingValues|classWeights: |hidden: \[/)
    expect(text).toContain('--missing-values')
  }
  expect(advice.join()).toContain('--time 60s')
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

describe('xray', () => {
  const IRIS = ['xray', 'iris.csv', '-t', 'species', '--epochs', '12']

  test('says what it saw, as text within the terminal, JSON, a page and a picture', async () => {
    const { code, stdout, stderr } = await gradus(...IRIS, '--report', 'xray.html', '--picture', 'xray.svg')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain("X-ray of a net that learns 'species' from iris.csv")
    expect(stdout).toMatch(/Gradient norms by layer\n {2}0 Scale\(4\) .*\n {2}1 Dense\(4, 64, silu\) +[▁-█]+ +[\d.e-]+\n/)
    expect(stdout).not.toMatch(/undefined|NaN/)
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect(readFileSync(path.join(folder, 'xray.html'), 'utf8')).toMatch(/^<!doctype html>.*Updates by layer/s)
    expect(readFileSync(path.join(folder, 'xray.svg'), 'utf8')).toMatch(/^<svg .*X-ray: &#39;species&#39; of iris\.csv/s)
    const report = JSON.parse((await gradus(...IRIS, '--json', '--every', '7', '--level', 'light')).stdout)
    expect(report).toMatchObject({ file: 'iris.csv', target: 'species', optimizer: 'AdamW', every: 7, level: 'light', epochsPlanned: 12 })
    expect(report.samples.length).toBeGreaterThan(3)
  })

  test('a rate that is too large is named, the remedy first, also where training diverges', async () => {
    const wild = await gradus(...IRIS, '--optimizer', 'SGD', '--learning-rate', '30', '--quiet')
    expect([wild.code, wild.stderr]).toEqual([0, ''])
    expect(wild.stdout).toMatch(/^(fault|warning): try [\d.]+.*the learning rate is too large/m)
    const gone = await gradus(...IRIS, '--optimizer', 'SGD', '--learning-rate', '1e30', '--json')
    expect(gone.code).toBe(0)
    expect(JSON.parse(gone.stdout)).toMatchObject({
      diverged: expect.stringMatching(/^loss is NaN at step \d/),
      end: { kind: 'diverged' },
    })
  })

  test('sentences name columns of the table, whatever they are called', () => {
    const verdict = { rule: 'leak', severity: 'warning', step: 0, figures: {} } as const
    const { verdicts } = namingColumns(
      {
        ...fixture(),
        verdicts: [
          {
            ...verdict,
            says: 'column 1 explains 99.1 % of the target, the next best 3.0 %',
            remedy: 'leave column 1 out, unless it is known',
          },
          { ...verdict, says: 'columns 0, 2, 9 and 4 more are constant: 7 of 20 say nothing', remedy: 'leave constant columns out' },
        ],
      },
      ['a $& b', 'column 7', 'c'],
    )
    expect(verdicts.map(({ says, remedy }) => [says, remedy])).toEqual([
      ["column 'column 7' explains 99.1 % of the target, the next best 3.0 %", "leave column 'column 7' out, unless it is known"],
      ["columns 'a $& b', 'c', '9' and 4 more are constant: 7 of 20 say nothing", 'leave constant columns out'],
    ])
  })

  test('--xray of train looks at one net as well, in text, page and JSON', async () => {
    const training = ['train', 'iris.csv', '-t', 'species', '--hidden', '8', '--epochs', '8', '--xray']
    const { code, stdout, stderr } = await gradus(...training, '--out', 'x.safetensors', '--report', 'both.html')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/accuracy.*X-ray of one such net, trained alone.*1 Dense\(4, 8, silu\)/s)
    expect(readFileSync(path.join(folder, 'both.html'), 'utf8')).toMatch(/Predicting ‘species’.*X-ray of one such net.*Gradient norms/s)
    const json = JSON.parse((await gradus(...training, '--out', 'x.safetensors', '--json')).stdout)
    expect(json).toMatchObject({
      target: 'species',
      xray: { optimizer: 'AdamW', layers: [{ kind: 'Scale(4)' }, { units: 8 }, { units: 3 }] },
    })
    expect(await errorOf('train', 'iris.csv', '-t', 'species', '--hidden', 'none', '--xray')).toMatch(
      /--xray looks at a net .*--hidden none/,
    )
  })

  test('--xray of a data set by name', async () => {
    const { code, stdout } = await gradus('train', 'iris', '--epochs', '4', '--xray', '--no-compare')
    expect(code).toBe(0)
    expect(stdout).toContain('Gradient norms by layer')
    const { xray } = JSON.parse((await gradus('train', 'iris', '--epochs', '4', '--xray', '--no-compare', '--json')).stdout)
    expect(xray).toMatchObject({ optimizer: 'Adam', layers: expect.any(Array) })
  })
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
      ['train', 'iris.csv', '--target', 'species', '--schedule', 'cosine'],
      /^error: --schedule is for data sets by name \(mnist, iris, spirals, moons\), not for a table\n/,
    ],
    [
      'a rate that is found, for a table',
      ['train', 'iris.csv', '--target', 'species', '--learning-rate', 'auto'],
      /^error: --learning-rate auto is for data sets by name \(mnist, iris, spirals, moons\); the nets of a table have rates that suit them\n/,
    ],
    [
      'a schedule for a rate that is found',
      ['train', 'iris', '-l', 'auto', '--schedule', 'cosine'],
      /^error: --learning-rate auto chooses the schedule/,
    ],
    [
      'a switch of the other kind',
      ['train', 'iris.csv', '--target', 'species', '--no-compare'],
      /^error: --no-compare is for data sets by name/,
    ],
    ['an option of nets of tables', ['train', 'iris', '--dropout', '0.5'], /^error: --dropout is for tables in files/],
    ['an option of tables', ['train', 'iris', '--time', '5s'], /^error: --time is for tables in files/],
    ['no model', ['predict', 'iris.csv', 'iris.csv'], /^error: iris\.csv is text, as tables are, not a model: gradus train writes one/],
    ['no duration', ['train', 'iris.csv', '--time', 'soon'], /Wants a duration/],
    [
      'a rate at which all nets diverge',
      ['train', 'iris.csv', '--target', 'species', '--quiet', '--lr', '1000', '--hidden', '64,64,64,64'],
      /^error: iris\.csv: every net diverged: [^.;]*\. Lower --learning-rate \(now 1000; 0\.01 is usual for so many rows\)\n$/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await gradus(...args)
    expect(code).toBeGreaterThan(0)
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test.each([
    ['train', ['--quiet', '--hidden', '4', '--epochs', '2']],
    ['race', ['--json', '--optimizers', 'AdamW', '--epochs', '1', '--points', '2']],
    ['tune', ['--quiet', '--storage', 'nowhere.csv']],
  ])('%s says which words of the target may be gaps, however quiet it is', async (command, options) => {
    const rows = Array.from({ length: 120 }, (_, i) => `${i % 10},${['none', 'mild', 'severe', 'NA'][i % 4]}`)
    writeFileSync(path.join(folder, 'effects.csv'), `dose,effect\n${rows.join('\n')}\n`)
    const { stderr } = await gradus(command, 'effects.csv', '--target', 'effect', ...options)
    expect(stderr.split('\n').slice(0, 3)).toEqual([
      "note: 30 rows left out: no value in 'effect' ('NA' in 30)",
      "note: column 'effect': 'none' in 30 of 120 rows is taken as a class; if it stands for a gap, say --missing-values 'none'",
      "note: column 'effect': 'NA' in 30 of 120 rows is taken as a gap, and these rows are left out; if it is a class, say --missing-values ''",
    ])
  })

  test('a value names its line, as an editor shows it, and column', async () => {
    writeFileSync(path.join(folder, 'bad.csv'), 'sepal_length,sepal_width,petal_length,petal_width\n5,3,1,0.2\n5,wide,1,0.2\n')
    const { code, stderr } = await gradus('predict', 'iris.safetensors', 'bad.csv')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: bad\.csv: column 'sepal_width' of line 3 wants a number, got 'wide'\n$/)
  })
})

describe('what a command writes', () => {
  const here = (name: string) => path.join(folder, name)
  const HEAD = 'sepal_length,sepal_width,petal_length,petal_width'

  test('predict names a row as the table has it, and leaves what was there as it was', async () => {
    const lines = Array.from({ length: 4200 }, (_, row) => (row === 4150 ? '5,wide,1,0.2' : '5,3,1,0.2'))
    writeFileSync(here('long.csv'), `${HEAD}\n${lines.join('\n')}\n`)
    writeFileSync(here('kept.csv'), 'kept\n')
    const { code, stderr } = await gradus('predict', 'iris.safetensors', 'long.csv', '--out', 'kept.csv')
    expect([code, stderr]).toEqual([1, "error: long.csv: column 'sepal_width' of line 4152 wants a number, got 'wide'\n"])
    expect(readFileSync(here('kept.csv'), 'utf8')).toBe('kept\n')
    const shown = await gradus('predict', 'iris.safetensors', 'long.csv', '--only')
    expect(shown.stdout.trimEnd().split('\n')).toHaveLength(1 + 4096)
    expect(shown.stderr).toMatch(/line 4152 .*; the answers to the first 4,096 rows are printed above \(--out writes all or nothing\)\n$/)
    writeFileSync(here('long.csv'), `${HEAD}\n${lines.join('\n').replace('wide', '3')}\n`)
    symlinkSync(here('kept.csv'), here('link.csv'))
    expect((await gradus('predict', 'iris.safetensors', 'long.csv', '--out', 'link.csv')).code).toBe(0)
    expect(readFileSync(here('kept.csv'), 'utf8').split('\n')).toHaveLength(4202)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test.each<[string, string[], RegExp]>([
    ['a table of other columns', ['a,b', '1,2'], /^error: other\.csv: [^\n]*got none of them, but a, b\n$/],
    ['a table without one of the columns', [HEAD.slice(13), '3,1,0.2'], /^error: other\.csv has no column 'sepal_length', /],
    [
      'a value in line 1,000 that is none',
      [HEAD, ...Array.from({ length: 2000 }, (_, i) => (i === 998 ? '5,wide,1,0.2' : '5,3,1,0.2'))],
      /^error: other\.csv: column 'sepal_width' of line 1000 wants a number, got 'wide'\n$/,
    ],
    ['a line of too many values', [HEAD, '5,3,1,0.2', '5,3,1,0.2,7'], /^error: other\.csv: [^\n]*line 3 has 5 values/],
    ['an empty table', [HEAD], /^error: other\.csv: there are no rows\n$/],
  ])('predict prints nothing, no header either, where it fails for %s', async (_, lines, message) => {
    writeFileSync(here('other.csv'), `${lines.join('\n')}\n`)
    for (const more of [[], ['--only'], ['--json']]) {
      const { code, stdout, stderr } = await gradus('predict', 'iris.safetensors', 'other.csv', ...more)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(message)
    }
  })

  const IRIS = ['train', 'iris.csv', '--target', 'species']
  test.each<[string, string[], RegExp]>([
    [
      'the table, by a link',
      ['predict', 'iris.safetensors', 'iris.csv', '--out', 'iris-link.csv'],
      /--out iris-link\.csv is the table itself/,
    ],
    [
      'the model',
      ['predict', 'iris.safetensors', 'iris.csv', '--out', './iris.safetensors'],
      /is the model itself, which would be written/,
    ],
    ['the table of training', [...IRIS, '--out', 'iris.csv'], /--out iris\.csv is the table itself/],
    ['the table, for a report', [...IRIS, '--report', './iris.csv'], /--report \.\/iris\.csv is the table itself/],
    ['the rows to test with', [...IRIS, '--test', 'one.csv', '--report', 'one.csv'], /--report one\.csv is the file of --test/],
    [
      'model and report at one place',
      [...IRIS, '--out', 'both.x', '--report', './both.x'],
      /--report \.\/both\.x is the file of the model/,
    ],
    ['no folder', [...IRIS, '--report', 'nowhere/r.html'], /--report nowhere\/r\.html: there is no folder nowhere; make it first/],
    ['a file as folder', [...IRIS, '--out', 'one.csv/m.safetensors'], /one\.csv is a file, no folder/],
    ['a folder', [...IRIS, '--out', '.'], /this is a folder; give the name of a file in it/],
    ['an X-ray over the table', ['xray', 'iris.csv', '-t', 'species', '--report', 'iris.csv'], /--report iris\.csv is the table itself/],
    [
      'a page over a picture',
      ['xray', 'iris.csv', '-t', 'species', '--report', 'x.html', '--picture', 'x.html'],
      /--report x\.html is the file of --picture/,
    ],
    ['a picture over the table', ['race', 'iris.csv', '-t', 'species', '--picture', 'iris.csv'], /--picture iris\.csv is the table itself/],
  ])('is refused before anything is computed where it is %s', async (_, args, message) => {
    if (!existsSync(here('iris-link.csv'))) symlinkSync(here('iris.csv'), here('iris-link.csv'))
    const { code, stdout, stderr } = await gradus(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(message)
    expect(readFileSync(here('iris.csv'), 'utf8')).toMatch(/^sepal_length,/)
  })
})

describe('tables that are none', () => {
  test.each<[string, string[], string]>([
    ['predict of nothing', ['predict', 'iris.safetensors', 'zero.csv'], 'zero.csv: there are no rows'],
    ['predict of a header', ['predict', 'iris.safetensors', 'head.csv'], 'head.csv: there are no rows'],
    ['evaluate of a header', ['evaluate', 'iris.safetensors', 'head.csv'], 'head.csv: there are no rows'],
    ['a test of a header', ['train', 'iris.csv', '--target', 'species', '--quiet', '--test', 'head.csv'], 'head.csv: there are no rows'],
    [
      'a test without the target',
      ['train', 'iris.csv', '--target', 'species', '--quiet', '--test', 'one.csv'],
      "--test one.csv: there is no column 'species', which is to be predicted, only 'sepal_length', 'sepal_width', 'petal_length', 'petal_width'",
    ],
    [
      'a test with the target alone',
      ['train', 'iris.csv', '--target', 'species', '--quiet', '--test', 'target.csv'],
      "--test target.csv: line 2 wants the columns 'sepal_length', 'sepal_width', 'petal_length', 'petal_width', got none of them, but 'species'",
    ],
    [
      'model and table swapped',
      ['predict', 'one.csv', 'iris.safetensors'],
      'one.csv is no model file; are model and table swapped? gradus predict iris.safetensors one.csv',
    ],
  ])('%s', async (_, args, message) => {
    writeFileSync(path.join(folder, 'zero.csv'), '')
    writeFileSync(path.join(folder, 'head.csv'), 'sepal_length,sepal_width,petal_length,petal_width,species\n')
    writeFileSync(path.join(folder, 'target.csv'), 'species\nsetosa\nvirginica\n')
    expect((await errorOf(...args)).replaceAll("'", '')).toBe(message.replaceAll("'", ''))
  })

  test('a column that the rows to test with lack is told', async () => {
    const lines = readFileSync('docs/guide/iris.csv', 'utf8').trim().split('\n')
    writeFileSync(path.join(folder, 'narrow.csv'), lines.map((line) => line.slice(line.indexOf(',') + 1)).join('\n'))
    const args = ['--target', 'species', '--hidden', '4', '--epochs', '2', '--quiet', '--out', 'narrow.safetensors', '--test', 'narrow.csv']
    const { code, stderr } = await gradus('train', 'iris.csv', ...args)
    expect([code, stderr]).toEqual([0, "note: narrow.csv has no column 'sepal_length': filled in as gaps were in training\n"])
  })
})

test('unknown categories are told once, in the end, and those of --test in the report', async () => {
  const penguin = (island: string) => `Adelie,${island},39.1,18.7,181,3750,male`
  writeFileSync(path.join(folder, 'far.csv'), `${HEAD_OF_PENGUINS}\n${penguin('Atlantis')}\n${penguin('Thule')}\n`)
  const options = ['--target', 'species', '--hidden', '4', '--epochs', '2']
  const trained = await gradus('train', 'penguins.csv', ...options, '--test', 'far.csv', '--json', '--out', 'far.safetensors')
  const note = "2 of the rows to test with have values that no other row has ('Atlantis', 'Thule'), which count as none"
  expect([trained.stderr, JSON.parse(trained.stdout).columns[0].notes]).toEqual(['', [note]])
  for (const command of ['predict', 'evaluate']) {
    const { code, stderr } = await gradus(command, 'far.safetensors', 'far.csv')
    expect([code, stderr]).toEqual([
      0,
      "note: column 'island': 100 % of the values (2) were never seen ('Atlantis', 'Thule'), and count as none\n",
    ])
  }
})

test('lines are those of the file: after values of several lines, empty lines, and without names in the first', async () => {
  const one = async (name: string, text: string, ...more: string[]) => {
    writeFileSync(path.join(folder, name), text)
    return (await errorOf('inspect', name, '--target', 'y', ...more)).replace(/ in line/g, ' of line')
  }
  const rows = Array.from({ length: 30 }, (_, i) => `${i},"a\nb",c`)
  const wrong = '1e999,b,c'
  expect(await one('several.csv', `x,y,z\n${rows.join('\n')}\n\n${wrong}\n`)).toMatch(/^several\.csv: column 'x' of line 63 wants a finite/)
  expect(await one('ragged-late.csv', `x,y,z\n${rows.join('\n')}\n1\n`)).toMatch(/line 62 has 1 value/)
  const bare = '1,a\n1e999,b\n'
  expect(await one('bare2.csv', bare, '--no-header', '-t', 'column2')).toMatch(/column1' of line 2 wants/)
  const lines = [
    { x: 1, y: 'a' },
    { x: '1e999', y: 'b' },
  ].map((row) => JSON.stringify(row))
  expect(await one('late.jsonl', `${lines.join('\n\n')}\n`)).toMatch(/'x' of line 3 wants/)
  expect(await one('late.json', `[${lines}]`)).toMatch(/'x' of row 2, counted from 1, wants/)
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s while predictions are written leaves nothing behind', async (signal) => {
  const lines = Array.from({ length: 400_000 }, () => '5,3,1,0.2').join('\n')
  writeFileSync(path.join(folder, 'endless.csv'), `sepal_length,sepal_width,petal_length,petal_width\n${lines}\n`)
  const args = [...commandLine, 'predict', 'iris.safetensors', 'endless.csv', '--out', 'endless-out.csv']
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' })
  const left = () => readdirSync(folder).filter((name) => name.startsWith('endless-out'))
  await vi.waitUntil(() => child.exitCode !== null || left().some((name) => name.endsWith('.tmp')), { timeout: 600_000, interval: 5 })
  child.kill(signal)
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect([code, left()]).toEqual([130, []])
})

const HEAD_OF_PENGUINS = readFileSync('docs/guide/penguins.csv', 'utf8').split('\n')[0]

test('lines to copy are as shells take them', () => {
  expect(predictLine('my model.safetensors', { thousands: "'", encoding: 'windows-1252', ragged: true, header: false })).toBe(
    `gradus predict 'my model.safetensors' new-rows.csv --encoding windows-1252 --thousands ''\\''' --ragged --no-header`,
  )
})

test('a file with decimal commas is answered in the same form, and without the option told how', async () => {
  const iris = readFileSync(path.join(folder, 'iris.csv'), 'utf8')
  writeFileSync(path.join(folder, 'comma-iris.csv'), iris.replaceAll(',', ';').replaceAll('.', ','))
  const trained = await gradus('train', 'comma-iris.csv', '--target', 'petal_width', '--decimal', ',', '--epochs', '2')
  expect(trained.stdout).toContain('gradus predict comma-iris.safetensors new-rows.csv --decimal ,')
  const { stdout } = await gradus('predict', 'comma-iris.safetensors', 'comma-iris.csv', '--decimal', ',')
  const [head, first] = stdout.split('\n')
  expect(head).toBe('sepal_length;sepal_width;petal_length;petal_width;species;predicted_petal_width;low;high')
  expect(first).toMatch(/^5,1;3,5;1,4;0,2;setosa;-?\d+(,\d+)?;-?\d+(,\d+)?;-?\d+(,\d+)?$/)
  const { code, stderr } = await gradus('predict', 'comma-iris.safetensors', 'comma-iris.csv')
  expect([code, stderr]).toEqual([
    1,
    "error: comma-iris.csv: column 'sepal_length' of line 2 wants a number, got '5,1'; read the file with --decimal ',' or --thousands ',', as they are meant\n",
  ])
})

test('numbers that 32 bits do not tell apart are printed with all digits that they need', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${(i * 37) % 60},${1.6e9 + ((i * 37) % 60)}`)
  writeFileSync(path.join(folder, 'seconds.csv'), `x,y\n${rows.join('\n')}\n`)
  await gradus('train', 'seconds.csv', '--target', 'y', '--hidden', 'none', '--quiet')
  const { stdout } = await gradus('predict', 'seconds.safetensors', 'seconds.csv')
  const [, ...answers] = stdout.trimEnd().split('\n')
  for (const [, y, value] of answers.map((line) => line.split(',').map(Number))) expect(Math.abs(value - y)).toBeLessThan(1)
})

test('Ctrl-C before there is a model ends in a sentence', async () => {
  const note = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const work = (signal: AbortSignal) =>
    naming('long.csv', async () => {
      process.emit('SIGINT')
      signal.throwIfAborted()
    })
  try {
    await expect(interruptible(work, NO_MODEL)).rejects.toThrow('stopped before there was a model; nothing is written')
    expect(note.mock.calls.join()).toContain('stopping; Ctrl-C again ends it at once')
    expect(process.exitCode).toBe(INTERRUPTED)
  } finally {
    process.exitCode = undefined
    note.mockRestore()
  }
})

test('a file with spaces between its values: a hint, and --delimiter', async () => {
  const lines = Array.from({ length: 30 }, (_, i) => `${i} ${(7 * i) % 13} ${i % 2 ? 'x' : 'y'}`)
  writeFileSync(path.join(folder, 'spaces.txt'), `a b kind\n${lines.join('\n')}\n`)
  expect(await errorOf('train', 'spaces.txt')).toContain(
    "It has one column, 'a b kind': if spaces stand between its values, --delimiter ' ' reads them.",
  )
  const { stdout } = await gradus('inspect', 'spaces.txt', '--delimiter', ' ')
  expect(stdout).toMatch(/^30 rows; 2 features\na .*\nb .*\nkind \(target\) /)
  writeFileSync(path.join(folder, 'tabs.txt'), 'a\tb,c\n1\t2\n2\t3\n3\t5\n')
  expect((await gradus('inspect', 'tabs.txt', '--delimiter', '\\t')).stdout).toContain('b,c (target)')
})

test('options that errors about a file name are there: --ragged, --encoding, --decimal, --no-header', async () => {
  const one = (name: string, bytes: string | Uint8Array) => writeFileSync(path.join(folder, name), bytes)
  one('ragged.csv', 'sepal_length,sepal_width,petal_length,petal_width\n5.9,3\n5.1,3.5,1.4,0.2,7\n')
  one(
    'latin.csv',
    Uint8Array.from('sepal_length,größe\n5.9,3\n', (c) => c.charCodeAt(0)),
  )
  one('comma.csv', 'sepal_length;size\n5,9;3\n5,1;2\n')
  one('bare.csv', '5.9,3,5.1,1.8\n5.1,3.5,1.4,0.2\n')
  for (const [file, flag, ...more] of [
    ['ragged.csv', '--ragged takes it as it is', '--ragged'],
    ['latin.csv', '--encoding windows-1252', '--encoding', 'windows-1252'],
    ['comma.csv', "read the file with --decimal ',' or --thousands ','", '--decimal', ','],
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

test('errors print the command that helps, to be copied', async () => {
  const error = async (...args: string[]) => (await errorOf(...args)).trim()
  writeFileSync(path.join(folder, 'my prices.csv'), `size,price\n${Array.from({ length: 60 }, (_, i) => `${i},"$${i},000"`).join('\n')}\n`)
  expect(await error('train', 'my prices.csv', '--target', 'price', '--epochs', '2')).toMatch(
    /--formatted reads such columns: gradus train 'my prices\.csv' --target price --epochs 2 --formatted$/,
  )
  writeFileSync(path.join(folder, 'ragged.csv'), 'a,b\n5.9,3\n5.1,3.5,1.4\n')
  expect(await error('inspect', 'ragged.csv')).toMatch(/--ragged takes it as it is: gradus inspect ragged\.csv --ragged$/)
  expect(await error('train', 'iris.safetensors', '--target', 'species')).toMatch(
    /gradus inspect iris\.safetensors says what it holds, and gradus predict iris\.safetensors new-rows\.csv takes it if it is of a table$/,
  )
})

test('the commands of README.md run as they stand there', async () => {
  const commands = [...readFileSync('README.md', 'utf8').matchAll(/^npx gradus (.*)$/gm)].map(([, rest]) =>
    rest.replaceAll('node_modules/gradus/docs/guide/', ''),
  )
  expect(commands).toHaveLength(2)
  for (const command of commands) {
    const { code, stderr } = await gradus(...command.split(' '))
    expect([code, stderr]).toEqual([0, ''])
  }
  expect(readFileSync(path.join(folder, 'answers.csv'), 'utf8')).toContain('predicted_species')
})

/** `gradus tune`, as it is installed: its output and its files, Ctrl-C and resuming, every storage, and errors in one line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { createStudy, float, openStudy, runWorker, TABLE_SPACE } from '../../../ts/tune/index.js'
import { gradus as inThisProcess } from '../../tools/command.js'
import { milliseconds } from '../../tools/nightly.js'
import { redis, redisServer } from '../../tune/queue/servers.js'

// The built command, not the sources: its workers load dist/tune.js.
const CLI = path.resolve('dist/cli.js')
const folder = mkdtempSync(path.join(tmpdir(), 'gradus-tune-cli-'))
copyFileSync('docs/guide/penguins.csv', path.join(folder, 'penguins.csv'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

function start(
  args: readonly string[],
  before = ['tune'],
): { child: ChildProcess; outcome: Promise<Outcome>; said(text: string): Promise<void> } {
  const { FORCE_COLOR: _, ...env } = process.env
  const child = spawn(process.execPath, [CLI, ...before, ...args], { cwd: folder, env })
  const out = { stdout: '', stderr: '' }
  const waiting: { text: string; resolve(): void }[] = []
  child.stdout.on('data', (chunk) => {
    out.stdout += chunk
    for (const { text, resolve } of waiting) if (out.stdout.includes(text)) resolve()
  })
  child.stderr.on('data', (chunk) => (out.stderr += chunk))
  const outcome = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, ...out })))
  return { child, outcome, said: (text) => new Promise((resolve) => waiting.push({ text, resolve })) }
}

const gradus = (...args: string[]): Promise<Outcome> => start(args).outcome
const train = (line: string): Promise<Outcome> => start(['train', ...line.split(' ')], []).outcome
const QUICK = ['penguins.csv', '--target', 'species', '--epochs', '4']
const file = (name: string) => path.join(folder, name)

async function valuesIn(storage: string): Promise<(number | undefined)[]> {
  const study = await openStudy({ storage: /:/.test(storage) ? storage : file(storage) })
  const values = study.trials.filter(({ state }) => state === 'complete' || state === 'pruned').map(({ value }) => value)
  await study.close()
  return values
}

test('a run, a second one that goes on, and what both found', async () => {
  writeFileSync(file('space.json'), '{"learningRate": {"float": [1e-4, 0.3], "log": true}, "layers": [1, 2], "width": 16}')
  const first = await gradus(...QUICK, '--trials', '12', '--space', 'space.json', '--html', 'report.html')
  expect([first.code, first.stderr]).toEqual([0, ''])
  // a line end within a painted text would be shown as what it is
  expect(first.stdout).not.toContain('\\n')
  expect(first.stdout).toMatch(
    /^Tuning nets for species of penguins\.csv\n {2}kept in penguins\.tune\.log\n\ntrial {4}0 {2}best [01]\.\d+ {2}learningRate /,
  )
  expect(first.stdout).toMatch(
    /\npenguins: 12 trials(, of which \d+ pruned)?\n {2}best {3}[\d.e-]+, trial \d+: learningRate [\d.]+, layers [12], width 16\n/,
  )
  expect(first.stdout).toMatch(/Its net has \d+\.\d\d % of the held-out rows right\.\n\nThe report is in report\.html\.\n/)
  expect(readFileSync(file('report.html'), 'utf8')).toContain('<h2>Slices</h2>')
  const second = await gradus(...QUICK, '--trials', '30', '--space', 'space.json')
  expect(second.stdout).toContain('kept in penguins.tune.log, which has 12 trials: going on')
  expect(second.stdout).toMatch(/learningRate mattered most \(\d+ %\)/)
  const shown = await gradus('show', 'penguins.tune.log')
  expect(second.stdout).toContain(shown.stdout.trimEnd())
  const json = JSON.parse((await gradus('show', 'penguins.tune.log', '--json')).stdout)
  expect([json.study, json.trials.length]).toEqual(['penguins', 30])
})

test('what it found is a command that trains so, with the same table', async () => {
  writeFileSync(file('small.json'), '{"learningRate": {"float": [0.005, 0.05], "log": true}, "layers": 2, "width": 16}')
  const given = ['--exclude', 'island,sex', '--space', 'small.json', '--storage', 'line.log', '--trials', '4']
  const { code, stdout } = await gradus(...QUICK, ...given)
  expect(code).toBe(0)
  expect(stdout.replaceAll('\n', ' ')).toMatch(
    /On the 69 rows to test with, which no trial has seen, nets with what was found have a log loss of [\d.]+, those of the default [\d.]+; row by row the tuned ones gain -?[\d.]+ % of what a guess loses \(95 % interval: -?[\d.]+ % to -?[\d.]+ %\)\. The (default|tuned ones) (is|are) [^:]+: {3}gradus train penguins\.csv --target species --exclude island,sex /,
  )
  // all in one object, also the report of a model that was trained with it
  const found = JSON.parse((await gradus(...QUICK, ...given, '--json', '--out', 'json.safetensors')).stdout)
  const { train: advised, comparison } = found
  const { tunedTrain, defaultTrain, better, rows, tuned, default: byDefault, difference } = comparison
  expect(defaultTrain).toBe('gradus train penguins.csv --target species --exclude island,sex --seed 0')
  expect(advised).toBe(better === 'tuned' ? tunedTrain : defaultTrain)
  expect(stdout).toContain(`\n  ${advised}\n`)
  expect(better).toBe(difference.low > 0 ? 'tuned' : difference.high < 0 ? 'default' : 'neither')
  expect([rows, Math.sign(byDefault - tuned)]).toEqual([69, Math.sign(difference.difference)])
  const [, line] = /^gradus train (.*)$/.exec(tunedTrain) as RegExpExecArray
  expect(line).toMatch(
    /^penguins\.csv --target species --exclude island,sex --hidden 16,16 --activation relu --dropout 0 --learning-rate 0\.0\d+ /,
  )
  expect([found.trials, found.trained.model, found.trained.rows.test]).toEqual([4, 'json.safetensors', 69])
  const { learningRate } = found.best.params
  const trained = JSON.parse((await train(`${line} --json --out line.safetensors`)).stdout)
  expect(trained.candidates[0].plan).toContain(`16-16 relu, dropout 0, learning rate ${Number(learningRate.toPrecision(2))}, `)
  expect(trained.columns.map(({ name }: { name: string }) => name)).not.toContain('island')
  expect(trained.curve.loss.length).toBeLessThanOrEqual(4)
  // a single call does both
  const both = await gradus(...QUICK, ...given, '--out', 'both.safetensors', '--quiet')
  expect([both.code, both.stderr]).toEqual([0, ''])
  expect(both.stdout).toMatch(/accuracy 0\.\d+ on 69 test rows; both\.safetensors\n$/)
  expect(existsSync(file('both.safetensors'))).toBe(true)
})

test('nets that are worse than those of the default are not advised', async () => {
  writeFileSync(file('bad.json'), '{"learningRate": {"float": [0.0001, 0.0002]}, "layers": 1, "width": 8}')
  const { code, stdout } = await gradus(...QUICK, '--space', 'bad.json', '--storage', 'bad.log', '--trials', '2')
  expect(code).toBe(0)
  expect(stdout).toMatch(/The default is better:\n {2}gradus train penguins\.csv --target species --seed 0\n$/)
})

test.each(['stopped.log', 'stopped.sqlite'])('Ctrl-C keeps everything in %s, and the same command goes on', async (storage) => {
  const args = [...QUICK, '--storage', storage]
  const { child, outcome, said } = start([...args, '--time', '10m'])
  await said('trial ')
  child.kill('SIGINT')
  const { code, stdout } = await outcome
  expect(code).toBe(130)
  expect(stdout).toMatch(new RegExp(`Stopped; all results are kept in ${storage.replace('.', '\\.')}: the same command goes on\\.\\n$`))
  const kept = await valuesIn(storage)
  expect(kept.length).toBeGreaterThan(0)
  const again = await gradus(...args, '--trials', String(kept.length + 4))
  expect(again.stdout).toContain(`which has ${kept.length} trials: going on`)
  const values = await valuesIn(storage)
  expect(values).toHaveLength(kept.length + 4)
  expect(values).toEqual(expect.arrayContaining(kept))
})

const program = redisServer()

// test/tune/queue/queue.test.ts shows the same with PostgreSQL
test.runIf(program)('on Redis, by a worker', async () => {
  const server = await redis(program as string)
  await server.start()
  const worker = start(['worker', server.url, '--table', './penguins.csv'])
  try {
    const { code, stdout, stderr } = await gradus(...QUICK, '--trials', '8', '--storage', server.url)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(
      `run by gradus tune worker ${server.url} --table ./penguins.csv, on this machine and any other that has penguins.csv`,
    )
    expect(await valuesIn(server.url)).toHaveLength(8)
    expect((await gradus('show', server.url)).stdout).toContain('penguins: 8 trials')
    const asked = performance.now()
    worker.child.kill('SIGINT')
    const ended = await worker.outcome
    expect(performance.now() - asked).toBeLessThan(milliseconds(1000))
    expect([ended.code, ended.stderr]).toEqual([130, 'note: stopping; Ctrl-C again ends it at once\n'])
    expect(ended.stdout).toMatch(/^Waiting for trials; Ctrl-C ends it\.\npenguins trial 0 begun\n/)
    expect(ended.stdout.match(/penguins trial \d (complete|pruned)/g)).toHaveLength(8)
  } finally {
    worker.child.kill('SIGKILL')
    await server.stop()
    server.remove()
  }
})

test.runIf(program)('status of a queue, a study that is deleted, and a password that is wrong', async () => {
  const server = await redis(program as string)
  await server.start()
  const worker = await runWorker(server.url)
  const study = await createStudy({ space: { x: float(0, 1) }, storage: server.url, name: 'first' })
  const admin = new Redis(server.url)
  try {
    await study.optimize(({ x }) => x, { trials: 3 })
    const { code, stdout } = await inThisProcess(['tune', 'status', server.url])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^1 workers; trials: 0 running, 0 waiting, 0 stalled\n {2}\S+ \(process \d+\): 0 of 1 at work\n/)
    expect(stdout).toMatch(/\nstudy first: 3 over \(0 failed, 0 pruned\), 0 begun(, [\d.e+]+ a minute)?, run by nobody now\n$/)
    const { workers, waiting, studies } = JSON.parse((await inThisProcess(['tune', 'status', server.url, '--json'])).stdout)
    expect([workers.length, waiting, studies.length, studies[0].complete]).toEqual([1, 0, 1, 3])
    const other = await inThisProcess(['tune', 'status', server.url, '--prefix', 'other'])
    expect(other.stdout).toBe('0 workers; trials: 0 running, 0 waiting, 0 stalled\n')

    expect((await inThisProcess(['tune', 'delete', server.url])).stderr).toMatch(/required option '--name <name>' not specified/)
    const unknown = await inThisProcess(['tune', 'delete', server.url, '--name', 'second'])
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('second')])
    expect((await inThisProcess(['tune', 'delete', server.url, '--name', 'first'])).stdout).toBe('Deleted the study first.\n')
    expect(JSON.parse((await inThisProcess(['tune', 'status', server.url, '--json'])).stdout).studies).toEqual([])

    await admin.config('SET', 'requirepass', 'right')
    for (const user of ['', ':wrong@']) {
      const refused = await inThisProcess(['tune', 'status', server.url.replace('//', `//${user}`)])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/cannot reach Redis at redis:.*(NOAUTH|WRONGPASS).*\. Write the user and the password into the URL: /)
      expect(refused.stderr).not.toContain('wrong')
    }
    expect((await inThisProcess(['tune', 'status', server.url.replace('//', '//:right@')])).code).toBe(0)
  } finally {
    admin.disconnect()
    await study.close()
    await worker.close()
    await server.stop()
    server.remove()
  }
})

describe('what is wrong is said in one line', () => {
  const withSpace = (json: string) => {
    writeFileSync(file('wrong.json'), json)
    return [...QUICK, '--trials', '12', '--storage', 'wrong.log', '--space', 'wrong.json']
  }

  test.each<[string, () => string[], RegExp]>([
    [
      'no target',
      () => ['penguins.csv'],
      /^error: --target is missing: which column of penguins\.csv is to be predicted\? It has species, island, /,
    ],
    [
      'another column',
      () => ['penguins.csv', '--target', 'size'],
      /^error: penguins\.csv: there is no column 'size', only 'species', 'island'/,
    ],
    ['no such file', () => ['none.csv', '--target', 'y'], /^error: there is no file none\.csv\n$/],
    [
      'a time',
      () => [...QUICK, '--time', 'soon'],
      /--time <duration>' argument 'soon' is invalid\. Wants a duration of a second or more, such as 60s, 5m or 1h\./,
    ],
    [
      'a parameter',
      () => withSpace('{"speed": [1, 2]}'),
      /^error: wrong\.json: there is no parameter 'speed'; there are learningRate, width/,
    ],
    [
      'an empty range',
      () => withSpace('{"width": {"int": [9, 8]}}'),
      /wrong\.json: width: int: wants low ≤ high, got 9 and 8: the range is empty/,
    ],
    [
      'a logarithm of zero',
      () => withSpace('{"learningRate": {"float": [0, 1], "log": true}}'),
      /learningRate: float: a logarithmic range wants low above 0, got 0; begin at a small number such as 1e-6/,
    ],
    ['no JSON', () => withSpace('{width: 3}'), /^error: cannot read the space in wrong\.json: /],
    ['a storage', () => [...QUICK, '--storage', 'study.txt'], /storage wants a file that ends in \.sqlite or \.db/],
    [
      'no server',
      () => [...QUICK, '--storage', 'redis://:secret@127.0.0.1:1'],
      /cannot reach Redis at redis:\/\/:\*\*\*@127\.0\.0\.1:1: .*Is the server running/,
    ],
    [
      'no server',
      () => ['worker', 'postgres://127.0.0.1:1/x', '--wait', '1s'],
      /cannot reach PostgreSQL at postgres:\/\/127\.0\.0\.1:1\/x: .*Is the server running\?/,
    ],
    ['no study', () => ['show', 'empty.log'], /^error: openStudy: there is no file 'empty\.log'; is it the right place\?\n$/],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await inThisProcess(['tune', ...args()], { cwd: folder })
    expect(stderr).toMatch(message)
    expect(stderr.replace('Run it with --help to see what there is.\n', '').trimEnd().split('\n')).toHaveLength(1)
    expect(code).toBeGreaterThan(0)
  })

  test('only trials that diverge', async () => {
    const { code, stderr } = await gradus(...withSpace('{"learningRate": {"float": [1e30, 1e32], "log": true}}'))
    expect(stderr).toMatch(/^error: optimize: the first 10 trials all failed; the last: [^\n]*(NaN|finite|∞|Infinity)[^\n]*\n$/)
    expect(code).toBe(1)
  })

  test.each([
    ['--decimal .', ['--decimal', '.']],
    ["--thousands '", ['--thousands', "'"]],
    ['--encoding latin1', ['--encoding', 'latin1']],
    ['--ragged', ['--ragged']],
    ['--formatted', ['--formatted']],
    ['--exclude island', ['--exclude', 'island']],
    ['--no-header', ['--no-header', '--target', 'column1']],
  ])('trials of the table read in another way, by %s', async (flag, more) => {
    const name = flag.replace(/\W/g, '')
    const study = await createStudy({ space: TABLE_SPACE, storage: file(`${name}.log`), name })
    await study.setAttribute('gradus:table', { target: 'species', epochs: 4, seed: 0 })
    await study.close()
    const { code, stderr } = await inThisProcess(['tune', ...QUICK, '--storage', `${name}.log`, '--name', name, ...more], { cwd: folder })
    expect(stderr).toMatch(
      / is one with --target species --epochs 4 --seed 0, got --target \w+ --epochs 4 --seed 0 --[^\n]*Give this study another name/,
    )
    expect(code).toBe(1)
  })

  test('a table that has changed since the study began', async () => {
    const study = await createStudy({ space: TABLE_SPACE, storage: file('changed.log'), name: 'changed' })
    await study.setAttribute('gradus:sha256', 'that of another file')
    await study.close()
    const { code, stderr } = await inThisProcess(['tune', ...QUICK, '--storage', 'changed.log', '--name', 'changed'], { cwd: folder })
    expect(stderr).toBe(
      "error: penguins.csv has changed since the study 'changed' in changed.log began: its trials cannot be compared with these. Give this study another name by --name\n",
    )
    expect(code).toBe(1)
  })

  test('a table that is fetched is no file whose bytes are kept, and otherwise as good', async () => {
    const server = createServer((_, answer) => answer.end(readFileSync(file('penguins.csv'))))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const study = await createStudy({ space: TABLE_SPACE, storage: file('fetched.log'), name: 'fetched' })
    await study.setAttribute('gradus:table', { target: 'island' })
    await study.close()
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/penguins.csv`
    const [, ...more] = QUICK
    const { stderr } = await inThisProcess(['tune', address, ...more, '--storage', 'fetched.log', '--name', 'fetched'], { cwd: folder })
    server.close()
    expect(stderr).toMatch(/ is one with --target island, got --target species /)
  })

  test('another space, another target, a disk that is full: nothing is lost', async () => {
    const run = (...more: string[]) => gradus(...QUICK, '--storage', 'kept.log', '--name', 'kept', ...more)
    expect((await run('--trials', '2')).code).toBe(0)
    writeFileSync(file('other.json'), '{"width": {"int": [4, 8]}}')
    const [space, target, epochs] = await Promise.all([
      run('--trials', '3', '--space', 'other.json'),
      run('--trials', '3', '--target', 'sex'),
      run('--trials', '3', '--epochs', '9'),
    ])
    expect(space.stderr).toMatch(/the study 'kept' in kept\.log has another space: learningRate .* is gone; .*Give this one another name/)
    expect(target.stderr).toMatch(
      /is one with --target species --epochs 4 --seed 0, got --target sex --epochs 4 --seed 0: its trials cannot be compared/,
    )
    expect(epochs.stderr).toMatch(/--epochs 4 .* got --target species --epochs 9 .*Give this study another name by --name/)
    expect(await valuesIn('kept.log')).toHaveLength(2)
    if (!existsSync('/dev/full')) return
    symlinkSync('/dev/full', file('full.log'))
    const full = await gradus(...QUICK, '--storage', 'full.log', '--trials', '2')
    expect(full.stderr).toMatch(
      /^error: cannot write to the study in full\.log: the disk is full; free some space and run it again\. What was told before is safe\n$/,
    )
    expect(full.code).toBe(1)
  })
})

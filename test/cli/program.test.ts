/** The command line, as a child process from source: help, runs, errors, interruption; and the pure pieces on their own. */
import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { drawDigits } from '../../ts/cli/data-sets/digits.js'
import { SCHEDULE_NAMES, schedule } from '../../ts/cli/data-sets/schedules.js'
import { layerSizes, nearest, numberIn, oneOf } from '../../ts/cli/options/values.js'
import { barLine } from '../../ts/cli/terminal/bar.js'
import { duration, percent, rate, table, whole } from '../../ts/cli/terminal/format.js'

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the CLI; `stopAt`: sends Ctrl-C as soon as the output contains this. */
function gradus(args: readonly string[], { stopAt, env }: { stopAt?: string; env?: Record<string, string> } = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...rest } = process.env
    const child = spawn(process.execPath, ['--import', 'tsx', 'ts/cli/main.ts', ...args], { env: { ...rest, ...env } })
    const out = { stdout: '', stderr: '' }
    let stopped = false
    child.stdout.on('data', (chunk) => {
      out.stdout += chunk
      if (stopAt === undefined || stopped || !out.stdout.includes(stopAt)) return
      stopped = true
      child.kill('SIGINT')
    })
    child.stderr.on('data', (chunk) => (out.stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...out }))
  })
}

const SMALL = ['train', 'moons', '--backend', 'js', '--no-compare', '--epochs', '3']

describe('help', () => {
  test('of the program teaches the commands', async () => {
    const { code, stdout, stderr } = await gradus(['--help'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    for (const word of ['train', 'bench', 'info', 'Examples:', 'gradus train mnist']) expect(stdout).toContain(word)
  })

  test('of train teaches every option', async () => {
    const { code, stdout } = await gradus(['train', '--help'])
    expect(code).toBe(0)
    const options = [
      'epochs',
      'batch-size',
      'learning-rate',
      'optimizer',
      'schedule',
      'hidden',
      'activation',
      'seed',
      'backend',
      'variant',
      'lr',
    ]
    for (const option of [...options, 'no-compare', 'quiet', 'json']) expect(stdout).toContain(`--${option}`)
    for (const word of ['mnist', 'iris', 'spirals', 'moons', 'Adam', 'cosine', 'Examples:']) expect(stdout).toContain(word)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(84)
  })

  test('without a command goes where errors go', async () => {
    const { code, stdout, stderr } = await gradus([])
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('Usage: gradus')
  })

  test('the version is that of the package', async () => {
    expect((await gradus(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })
})

describe('train', () => {
  test('prints one JSON object, the same for the same seed', async () => {
    const [one, two, other] = await Promise.all([
      gradus([...SMALL, '--json']),
      gradus([...SMALL, '--json']),
      gradus([...SMALL, '--json', '--seed', '2']),
    ])
    expect(one).toMatchObject({ code: 0, stderr: '' })
    const result = JSON.parse(one.stdout)
    expect(result).toMatchObject({ task: 'moons', backend: 'js', stopReason: 'completed', comparison: null })
    expect(result.settings).toMatchObject({ sizes: [2, 16, 16, 2], epochs: 3, batchSize: 32, optimizer: 'Adam', seed: 0 })
    expect(result.epochs).toHaveLength(3)
    expect(result.test.accuracy).toBeGreaterThan(0.8)
    expect(JSON.parse(two.stdout).test).toEqual(result.test)
    expect(JSON.parse(other.stdout).test).not.toEqual(result.test)
  })

  test('prints plain lines where there is no terminal', async () => {
    const { code, stdout } = await gradus(SMALL)
    expect(code).toBe(0)
    expect(stdout).toContain('net      2-16-16-2, relu, 354 parameters')
    expect(stdout.match(/^epoch \d\/3 {2}train loss \d\.\d{4} {2}test accuracy \d+\.\d\d %/gm)).toHaveLength(3)
    expect(stdout).toMatch(/\d+\.\d\d % of the 200 test points right\n\d+ steps in /)
    expect(stdout).toContain('the net says')
    expect(stdout).not.toMatch(/[\x1b\r]/)
  })

  test('--quiet prints the result alone', async () => {
    expect((await gradus([...SMALL, '--quiet'])).stdout).toMatch(/^\S+ % of the 200 test points right\n75 steps in [^\n]+\n$/)
  })

  test('takes every option of the net', async () => {
    const options = [
      '--hidden',
      '8,4',
      '--activation',
      'tanh',
      '--optimizer',
      'sgd',
      '--schedule',
      'linear',
      '-b',
      '50',
      '-l',
      '0.5',
      '-e',
      '2',
    ]
    const { stdout } = await gradus(['train', 'iris', '--backend', 'js', '--no-compare', '--json', ...options])
    const wanted = {
      sizes: [4, 8, 4, 3],
      activation: 'tanh',
      optimizer: 'SGD',
      schedule: 'linear',
      batchSize: 50,
      learningRate: 0.5,
      epochs: 2,
    }
    expect(JSON.parse(stdout).settings).toMatchObject(wanted)
  })

  test('--lr is --learning-rate, and the last one counts', async () => {
    const rate = async (...args: string[]) => JSON.parse((await gradus([...SMALL, '--json', ...args])).stdout).settings.learningRate
    expect(await rate('--lr', '0.25')).toBe(0.25)
    expect(await rate('--lr', '0.25', '--learning-rate', '0.5')).toBe(0.5)
    expect(await rate('-l', '0.5', '--lr', '0.125')).toBe(0.125)
  })

  test('a method that needs no schedule gets none, and is judged by its average', async () => {
    const { stdout } = await gradus([...SMALL, '--json', '-o', 'ScheduleFreeAdamW'])
    const { settings, epochs, test: judged } = JSON.parse(stdout)
    expect(settings.schedule).toBe('constant')
    expect(judged.loss).toBe(epochs[2].validation.loss)
    expect(JSON.parse((await gradus([...SMALL, '--json', '-o', 'DoG', '-e', '1', '--schedule', 'cosine'])).stdout).settings.schedule).toBe(
      'cosine',
    )
  })

  test('--hidden none trains without a hidden layer', async () => {
    expect((await gradus([...SMALL, '--hidden', 'none'])).stdout).toContain('net      2-2, relu, 6 parameters')
  })

  test('colours come on demand and go with NO_COLOR', async () => {
    expect((await gradus(SMALL, { env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[1m')
    expect((await gradus(SMALL, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain('\x1b')
  })

  test('Ctrl-C stops cleanly and says what was reached', async () => {
    const { code, stdout, stderr } = await gradus([...SMALL, '--epochs', '10000'], { stopAt: 'epoch' })
    expect(code).toBe(130)
    expect(stderr).toBe('note: stopping; Ctrl-C again ends it at once\n')
    expect(stdout).toMatch(
      /Stopped after [\d,]+ steps, in epoch \d+ of 10000 \([^\n]+\)\n\d+\.\d\d % of the 200 test points right so far\n$/,
    )
  })
})

describe('bad usage gives exit code 2, one message and a hint', () => {
  test.each([
    ['an unknown command', ['trian', 'mnist'], /unknown command 'trian'[\s\S]*Did you mean train\?/],
    ['an unknown option', ['train', 'moons', '--epoch', '3'], /unknown option '--epoch'[\s\S]*Did you mean --epochs\?/],
    ['a missing task', ['train'], /missing required argument 'data'/],
    [
      'an optimizer of 100,000 letters',
      ['train', 'moons', '--optimizer', 'a'.repeat(100_000)],
      /argument 'a{40}…' is invalid\. There are SGD/,
    ],
    ['an unknown optimizer', ['train', 'moons', '--optimizer', 'adma'], /Did you mean Adam\?/],
    ['an unknown backend', ['train', 'moons', '--backend', 'gpu'], /There are wasm, js/],
    ['no number', ['train', 'moons', '--epochs', 'many'], /'many' is invalid\. Wants a whole number from 1 to 10000/],
    ['a negative learning rate', ['train', 'moons', '-l', '-1'], /Wants a number above 0/],
    ['a rate that is none', ['train', 'moons', '--lr', 'fast'], /option '--lr <x>' argument 'fast' is invalid\. Wants a number above 0/],
    ['layers of nothing', ['train', 'moons', '--hidden', '16,,4'], /Wants whole numbers/],
    ['a superfluous argument', ['info', 'x'], /too many arguments/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await gradus(args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})

describe('failure gives exit code 1 and one line', () => {
  const failing = ['train', 'iris', '--backend', 'js', '--variant', 'simd']

  test('without a stack', async () => {
    const { code, stderr } = await gradus(failing)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: --variant chooses between WebAssembly artefacts; --backend js has none\n$/)
  })

  test('files for a task that has none', async () => {
    const { code, stdout, stderr } = await gradus(['train', 'iris', '--data-directory', '.'])
    expect([code, stdout, stderr]).toEqual([1, '', 'error: --data-directory is for mnist; iris has no files\n'])
  })

  test('with one for --debug', async () => {
    expect((await gradus([...failing, '--debug'])).stderr).toMatch(/^\s+at /m)
  })

  test('a name of no data set is taken for a file that is not there', async () => {
    const { code, stderr } = await gradus(['train', 'mnits'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/there is no file mnits; did you mean mnist\? A data set by name is one of mnist, iris, spirals, moons/)
  })

  test('a run that diverges says so', async () => {
    const { code, stderr } = await gradus([...SMALL, '--optimizer', 'SGD', '-l', '1000', '--activation', 'linear'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: loss is [^\n]+lower the learning rate[^\n]*\n$/)
  })
})

describe('info and bench', () => {
  test('info says what runs here', async () => {
    const { code, stdout } = await gradus(['info', '--json'])
    expect(code).toBe(0)
    const info = JSON.parse(stdout)
    expect(info.backends).toContain('js')
    expect(info.tile).toMatch(/^(5x8|6x8|4x16|6x16)$/)
    expect(info.optimizers).toContain('Adam')
    expect(info.runtime).toContain(process.versions.node)
  })

  test('bench measures both backends', async () => {
    const { code, stdout } = await gradus(['bench', '--seconds', '0.01', '--json'])
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout)
    expect(results.map((r: { net: string }) => r.net)).toEqual(['2-8-1', '2-16-16-1', '32-64-64-1', '784-128-10', '784-512-512-10'])
    for (const { js } of results) expect(js).toBeGreaterThan(0)
  })
})

describe('pieces', () => {
  test('numbers as people read them', () => {
    expect([0, 999, 1000, 1234567.6].map(whole)).toEqual(['0', '999', '1,000', '1,234,568'])
    expect([0.5123, 36.06, 48120.4].map(rate)).toEqual(['0.512', '36.1', '48,120'])
    expect(percent(0.98123)).toBe('98.12 %')
    expect([0.44, 9.94, 9.96, 59.6, 185, 7440, Number.POSITIVE_INFINITY].map(duration)).toEqual([
      '0.4 s',
      '9.9 s',
      '10 s',
      '60 s',
      '3 min 5 s',
      '2 h 4 min',
      '…',
    ])
    expect(
      table([
        ['a', 'b'],
        ['ccc', '10'],
      ]),
    ).toEqual(['a     b', 'ccc  10'])
  })

  test('readers of options', () => {
    expect(numberIn({ min: 0, whole: true })('12')).toBe(12)
    for (const bad of ['', ' ', 'x', '1.5', '-1', 'Infinity', '1e400'])
      expect(() => numberIn({ min: 0, whole: true })(bad)).toThrow(/from 0/)
    expect(layerSizes('512,256')).toEqual([512, 256])
    expect(layerSizes('none')).toEqual([])
    for (const bad of ['', '0', '1,', '65537', Array(40).fill(1).join()]) expect(() => layerSizes(bad)).toThrow()
    expect(oneOf(['leakyRelu'])('leaky-relu')).toBe('leakyRelu')
    expect(nearest('adma', ['SGD', 'Adam', 'AdamW'])).toBe('Adam')
    expect(nearest('quickprop', ['SGD', 'Adam'])).toBeUndefined()
  })

  test('schedules begin at the learning rate or below and stay positive', () => {
    for (const name of SCHEDULE_NAMES) {
      const rates = Array.from({ length: 100 }, (_, step) => schedule(name, 0.5, 100)(step))
      expect(Math.max(...rates)).toBeLessThanOrEqual(0.5)
      expect(Math.max(...rates)).toBeGreaterThan(0.45)
      expect(Math.min(...rates)).toBeGreaterThan(0)
    }
  })

  test('the bar fits every width, dropping facts from the end', () => {
    const facts = ['loss 0.1234', '  12 s left', '92.1 % right', '123,456 samples/s']
    for (let width = 20; width <= 140; width++) expect(barLine('epoch 1/5', 0.5, facts, width).length).toBeLessThanOrEqual(width)
    expect(barLine('epoch 1/5', 0.5, facts, 79)).toContain('samples/s')
    expect(barLine('epoch 1/5', 0.5, facts, 59)).toContain('right')
    expect(barLine('epoch 1/5', 1, facts, 79)).not.toContain('░')
  })

  test('the bar is as long before there are facts as with any', () => {
    const length = (facts: string[], width: number) => barLine('epoch 1/5', 0.5, facts, width).match(/[█░]/g)?.length
    const facts = ['loss 0.1234', '92.1 % right', '  12 s left']
    for (const [width, size] of [
      [60, 8],
      [79, 8],
      [99, 28],
      [140, 40],
    ])
      for (const speed of ['9 samples/s', '123,456 samples/s'])
        expect([length([], width), length([...facts, speed], width)]).toEqual([size, size])
  })

  test('digits side by side, two pixels in a character', () => {
    const pixels = new Float32Array(784)
    for (let y = 4; y < 24; y++) pixels[28 * y + 14] = 1
    const lines = drawDigits(
      [0, 1, 2].map(() => ({ pixels, prediction: 1, probability: 0.9, truth: 7 })),
      45,
    )
    expect(lines).toHaveLength(2 * 13)
    expect(lines[0].match(/█/g)).toHaveLength(2)
    expect(lines[13].match(/█/g)).toHaveLength(1)
    expect(lines[11]).toContain('is 7  ✗ wrong')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(45)
  })
})

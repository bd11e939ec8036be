/** The command line: help, and exit codes with one line for what is wrong. */
import { describe, expect, test, vi } from 'vitest'
import { gradus, SMALL, spawned } from '../tools/command.js'

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

describe('as a process of its own the command does the same', () => {
  test.each([
    ['help', ['--help']],
    ['bad usage', ['trian', 'mnist']],
    ['a failure', ['train', 'iris', '--data-directory', '.']],
    ['a training', [...SMALL, '--quiet']],
  ])('%s', async (_, args) => {
    const [own, here] = await Promise.all([spawned(args), gradus(args)])
    // the two runs differ only in the time that they took
    const plain = ({ stdout, ...rest }: typeof own) => ({ ...rest, stdout: stdout.replace(/ in [\d.]+ s, .*/, '') })
    expect(plain(own)).toEqual(plain(here))
  })
})

test('starts where there is no cache of compiled code, as in Deno', async () => {
  const { default: cache } = await import('node:module')
  const own = { cache: cache.enableCompileCache, argv: process.argv }
  const log = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    Object.assign(cache, { enableCompileCache: undefined })
    process.argv = ['node', 'gradus', '--version']
    await import('../../ts/cli/main.js')
    expect(log.mock.calls.join('')).toMatch(/^\d+\.\d+\.\d+/)
  } finally {
    Object.assign(cache, { enableCompileCache: own.cache })
    process.argv = own.argv
    log.mockRestore()
  }
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
    ['no number', ['train', 'moons', '--epochs', 'many'], /'many' is invalid\. Wants a whole number ≥ 1\./],
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

/** `gradus train` with a data set by name: its output, every option, Ctrl-C. */
import { describe, expect, test } from 'vitest'
import { gradus, SMALL, spawned } from '../../tools/command.js'

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

  test('--learning-rate auto finds the rate', async () => {
    const { code, stdout } = await gradus([...SMALL, '--json', '--learning-rate', 'auto'])
    expect(code).toBe(0)
    const { learningRate, trials, settings, test } = JSON.parse(stdout)
    expect(settings).toMatchObject({ isAuto: true, learningRate })
    expect(trials.length).toBeGreaterThanOrEqual(8)
    expect(test.accuracy).toBeGreaterThan(0.8)
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
    const { code, stdout, stderr } = await spawned([...SMALL, '--epochs', '10000'], { stopAt: 'epoch' })
    expect(code).toBe(130)
    expect(stderr).toBe('note: stopping; Ctrl-C again ends it at once\n')
    expect(stdout).toMatch(
      /Stopped after [\d,]+ steps, in epoch \d+ of 10000 \([^\n]+\)\n\d+\.\d\d % of the 200 test points right so far\n$/,
    )
  })
})

/** Progress: the remaining time, and the line that an entry may show by default. */
import { expect, test, vi } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { Adam, Dense, fit, mse, type Progress, Sequential } from '../../ts/index.js'
import { progressLine } from '../../ts/train/progress-line.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const targets = inputs.map(([a, b]) => [a - 2 * b])
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('the time that is left does not count the first step, which compiles', async () => {
  // a clock by which the first step takes two seconds and all others a millisecond
  let [time, calls] = [0, 0]
  const now = vi.spyOn(clock, 'now').mockImplementation(() => time)
  const loss: typeof mse = (...given) => {
    time += calls++ === 0 ? 2000 : 1
    return mse(...given)
  }
  const reports: Progress[] = []
  try {
    const model = net()
    const optimizer = new Adam(model.parameters())
    const onProgress = (progress: Progress) => void reports.push({ ...progress })
    await fit(model, { inputs, targets, loss, optimizer, epochs: 50, batchSize: 4, replay: false, onProgress })
  } finally {
    now.mockRestore()
  }
  const [first, ...rest] = reports
  expect(first.step).toBe(1)
  for (const { secondsLeft, samplesPerSecond, step } of rest) {
    expect(secondsLeft).toBeCloseTo((500 - step) / 1000, 6)
    expect(samplesPerSecond).toBeCloseTo(4000, 6)
  }
})

test('an entry may show a line of progress where nobody asked: not beside onProgress, nor with verbose: false', async () => {
  const shown: number[] = []
  const asked: (boolean | undefined)[] = []
  let ends = 0
  progressLine.make = (verbose) => {
    asked.push(verbose)
    return { show: ({ epoch }) => void shown.push(epoch), end: () => void ends++ }
  }
  try {
    const model = net()
    const optimizer = new Adam(model.parameters())
    const options = { inputs, targets, loss: mse, optimizer, epochs: 2, validationFraction: 0.25 }
    await fit(model, options)
    expect([asked, shown, ends]).toEqual([[undefined], [1, 2], 1])
    await fit(model, { ...options, verbose: false })
    await fit(model, { ...options, onProgress: () => {} })
    expect(asked).toHaveLength(1)
    await expect(fit(model, { ...options, verbose: true, targets: targets.slice(1) })).rejects.toThrow('rows')
    expect([asked.length, ends]).toEqual([2, 2])
  } finally {
    delete progressLine.make
  }
})

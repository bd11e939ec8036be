/** The X-ray of the Train tab: it changes no bit, looks at steps that are certain, and its panel says what the report has. */
import { diagnose } from 'gradus/xray'
import { expect, test } from 'vitest'
import { ready } from '../src/engine/ready'
import { examples } from '../src/train/data'
import { configOf, run, type TrainState, train } from '../src/train/state'
import { Trainer } from '../src/train/trainer'
import { TrainerXray } from '../src/train/xray'
import { stabilityText } from '../src/train/xray-panel'

async function session(changes: Partial<TrainState>, withXray = true) {
  await ready()
  const config = configOf({ ...train.defaults, ...changes } as TrainState)
  const data = await examples(config.data)
  const trainer = new Trainer(config, 0, data)
  const xray = withXray ? new TrainerXray(trainer, data, config.decay) : null
  if (xray) trainer.watchers.push(xray)
  return { trainer, xray: xray!, data }
}
const weightsOf = ({ model }: Trainer) => model.parameters().map((parameter) => [...parameter.view()])

const STATES: readonly Partial<TrainState>[] = [
  {},
  { data: 'xor', hidden: [8, 4], activation: 'relu', decay: 0.01, runs: [run('Adam', { rate: 0.02, batch: 1 })] },
  { data: 'blobs', hidden: [], runs: [run('Momentum', { rate: 0.1, batch: 0 })] },
  { data: 'spirals', activation: 'sigmoid', runs: [run('UncorrectedAdam', { rate: 0.01 })] },
  {
    runs: [run('SGD', { rate: 0.1 })],
    changes: [
      { step: 50, run: 0, method: 'Adam', rate: 0.01 },
      { step: 90, run: 0, batch: 64 },
    ],
  },
]

test.each(STATES)('state %#: the same bits with and without it, however the steps are divided', async (state) => {
  const [plain, whole, parts] = await Promise.all([session(state, false), session(state), session(state)])
  plain.trainer.advance(160, Number.POSITIVE_INFINITY)
  whole.trainer.advance(160, Number.POSITIVE_INFINITY)
  for (let step = 0; step <= 160; step += 7) {
    parts.trainer.advance(step, Number.POSITIVE_INFINITY)
    parts.xray.now()
  }
  parts.trainer.advance(160, Number.POSITIVE_INFINITY)
  expect(weightsOf(whole.trainer)).toEqual(weightsOf(plain.trainer))
  expect(weightsOf(parts.trainer)).toEqual(weightsOf(plain.trainer))
  expect(parts.xray.now()).toEqual(whole.xray.now())
  const { samples, layers, batchSize } = whole.xray.now()
  expect(samples.length).toBeGreaterThan(20)
  expect(samples.length).toBeLessThan(81)
  for (const sample of samples) expect(sample.layers).toHaveLength(layers.length)
  expect(batchSize).toBe(whole.trainer.batchSize)
  const numbers = JSON.stringify(samples)
  expect(numbers).not.toMatch(/null/)
})

test('figures are those of the steps: update ratios and steps by hand', async () => {
  const { trainer, xray } = await session({ runs: [run('SGD', { rate: 0.2 })] })
  let before = weightsOf(trainer)
  const ratios = new Map<number, number>()
  for (let step = 1; step <= 200; step++) {
    trainer.advance(step, Number.POSITIVE_INFINITY)
    const now = weightsOf(trainer)
    const norm = (lists: readonly number[][]) => Math.sqrt(lists.flat().reduce((sum, v) => sum + v * v, 0))
    ratios.set(step, norm(now.slice(0, 2).map((list, i) => list.map((v, k) => v - before[i][k]))) / norm(before.slice(0, 2)))
    before = now
  }
  for (const { step, layers } of xray.now().samples) expect(layers[0].updateRatio).toBeCloseTo(ratios.get(step)!, 9)
})

test('a run that diverges is said so, and nothing to learn from is no fault of the page', async () => {
  const { trainer, xray } = await session({ activation: 'linear', runs: [run('SGD', { rate: 3e5 })] })
  trainer.advance(500, Number.POSITIVE_INFINITY)
  const report = xray.now()
  expect(report.verdicts[0]?.rule).toBe('rate too large')
  expect(diagnose(JSON.parse(JSON.stringify(report)))[0]).toEqual(report.verdicts[0])
})

test('the sentence about stability has the figure of the latest sample that measured it', async () => {
  const { trainer, xray } = await session({})
  trainer.advance(100, Number.POSITIVE_INFINITY)
  const { samples } = xray.now()
  const latest = samples.filter(({ stability }) => stability !== undefined).at(-1)!
  expect(stabilityText({ samples })).toContain(`At step ${latest.step} `)
  expect(Number(/was ([\d.]+) ×/.exec(stabilityText({ samples }))?.[1])).toBeCloseTo(latest.stability!, 1)
  expect(stabilityText({ samples: [] })).toBe('')
})

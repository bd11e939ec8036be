/** Programs that the page copies, run in Node beside what the page computes: the same numbers to all digits. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { digitBytes } from '../build/digits.mjs'
import { descentCode } from '../src/descent/code'
import { program } from '../src/descent/formula'
import { race } from '../src/descent/race'
import { type DescentState, descent, raceOf } from '../src/descent/state'
import { ready } from '../src/engine/ready'
import { fleetCode } from '../src/fleet/code'
import { fleet } from '../src/fleet/state'
import { fleetMap } from '../src/fleet/train-many'
import { LESSONS } from '../src/lessons'
import { picturesCode } from '../src/pictures/code'
import { PicturesNet, pixelsOf } from '../src/pictures/net'
import { moved } from '../src/pictures/session'
import { configOf as picturesConfig, picturesTab } from '../src/pictures/state'
import { compareSchedules } from '../src/schedules/compare'
import { configOf as schedulesConfig, schedulesTab, TRAIN_ROWS } from '../src/schedules/state'
import { aloneText } from '../src/series/alone-text'
import { seriesCode } from '../src/series/code'
import { ALONE, GIVEN } from '../src/series/given'
import { SeriesNet, waveOf } from '../src/series/net'
import { configOf as seriesConfig, seriesTab } from '../src/series/state'
import { trainCode } from '../src/train/code'
import { examples } from '../src/train/data'
import { digitsOf } from '../src/train/digits'
import { configOf, run, type TrainState, train } from '../src/train/state'
import { Trainer } from '../src/train/trainer'
import { short } from '../src/ui/controls'

const folder = fileURLToPath(new URL('../.copied', import.meta.url))
mkdirSync(folder, { recursive: true })

const context = { update() {}, messages: () => [], isStopped: false, breathe: async () => {} }

function output(text: string): string {
  writeFileSync(`${folder}/node.mjs`, text)
  return execFileSync(process.execPath, [`${folder}/node.mjs`], { encoding: 'utf8' })
}

/** The numbers of each line that a program prints. */
function printed(text: string): number[][] {
  return output(text)
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1).map(Number))
}

const races: [string, Partial<DescentState>][] = [
  ['the first race', {}],
  ...LESSONS.flatMap(({ title, tab, state }) => (tab === 'descent' ? [[title, state] as [string, Partial<DescentState>]] : [])),
  [
    'a formula with noise',
    {
      ...{
        surface: 'own',
        formula: '4*(x-1)^2 + pow(y, 2) - -2^2 + ln(e)*pi + sin(0*x) + tan(y/9) + k/2*max(x, -y)',
        noise: 0.2,
        steps: 300,
      },
      racers: ['Adam', 'UncorrectedAdam', 'Lion', 'newton', 'bfgs', 'lbfgs', 'lbfgs'].map((method) => ({
        method,
        rate: 0.05,
        options: {},
      })),
    },
  ],
]

test.each(races)('a race: %s', async (_, changes) => {
  const state = { ...descent.defaults, ...changes }
  const input = raceOf(state)
  const { ground, racers } = input
  const ends = (await race(input)).map(({ path, values, steps }, i) => ({
    order: racers[i].order === 1 ? 0 : racers[i].id === 'newton' ? 1 : 2,
    end: [path[2 * steps], path[2 * steps + 1], values[steps]],
  }))
  // A program runs first-order methods first, then Newton, then the rest.
  const wanted = [0, 1, 2].flatMap((order) => ends.flatMap((one) => (one.order === order ? [one.end] : [])))
  expect(printed(descentCode(state, program(ground)))).toEqual(wanted)
})

/** What a program of Train or Schedules prints of each run. */
const PRINT = /console\.log\(Optimizer\.name, \{ rate/
interface Printed {
  rate: number
  runningMean: number
  train: { loss: number; accuracy: number }
  test: { loss: number; accuracy: number }
}
function runsOf(text: string): Printed[] {
  expect(text).toMatch(PRINT)
  const program = text.replace(/console\.log\(Optimizer\.name, (\{.*\})\)/, 'console.log(JSON.stringify($1))')
  return output(program)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const penguins = readFileSync(fileURLToPath(new URL('../../docs/guide/penguins.csv', import.meta.url)), 'utf8')
const commas = `a;b;place;grade\n${Array.from({ length: 60 }, (_, i) => `${i % 7},5;${i % 9 === 4 ? 'None' : `-${i % 5},25`};here;${i % 4 === 0 ? 10 : (i % 3) + 1}`).join('\n')}\n`

const trainings: [string, number, Partial<TrainState>][] = [
  ['the first training, at step 541', 541, {}],
  ...LESSONS.flatMap(({ title, tab, state }) => (tab === 'train' ? [[title, 333, state] as [string, number, Partial<TrainState>]] : [])),
  [
    'weight decay, all rows, and what is left over of an epoch',
    47,
    { decay: 0.01, runs: [run('SGD', { batch: 0 }), run('RMSProp', { batch: 64 })] },
  ],
  [
    'rates and schedules that were turned at steps 50 and 120',
    200,
    {
      changes: [
        { step: 120, run: 0, schedule: { kind: 'cosine', steps: 100, factor: 0.5, threshold: 0.01 } },
        { step: 50, run: 0, rate: 0.05 },
        { step: 60, run: 1, rate: 1 },
      ],
    },
  ],
  ['clouds of three classes', 100, { data: 'blobs', hidden: [6] }],
  ['more rows than are evaluated at once', 20, { count: 3000 }],
  ['handwritten digits', 60, { data: 'digits', hidden: [24] }],
  ['a table with gaps and columns of text', 200, { data: 'csv', csv: penguins, target: 'species' }],
  ['a table whose last column is the class, of numbers, with decimal commas', 60, { data: 'csv', csv: commas }],
  ['rows by class, not shuffled', 150, { sorted: true, runs: [run('SGD', { batch: 1, rate: 0.1 }), run('Adam')] }],
]
test('a program says what it cannot repeat', () => {
  const config = configOf({ ...train.defaults, changes: [{ step: 50, run: 0, batch: 4 }] })
  expect(trainCode(config, 210, 100)).toMatch(/numbers differ from those of the page[\s\S]*from step 50 on/)
  const edited = { ...config, changes: [{ step: 50, run: 0, weights: [{ layer: 0, index: 1, value: 2 }] }] }
  expect(trainCode(edited, 210, 100)).toMatch(/here \(weights that were set by hand do not\)[\s\S]*from step 50 on/)
})

test.each(trainings)('a training: %s', async (_, steps, changes) => {
  await ready()
  const config = configOf({ ...train.defaults, ...changes })
  const data = config.data.kind === 'digits' ? digitsOf(await digitBytes()) : await examples(config.data)
  const wanted = config.runs.map((_, i) => {
    const trainer = new Trainer(config, i, data, { isQuiet: true })
    trainer.advance(steps, Number.POSITIVE_INFINITY)
    return [trainer.lossOn(data.train), trainer.lossOn(data.test), trainer.accuracyOn(data.test)]
  })
  writeFileSync(`${folder}/table.csv`, config.data.csv)
  const program = trainCode(config, data.train.count, steps, data).replace("'table.csv'", JSON.stringify(`${folder}/table.csv`))
  const got = runsOf(program)
  expect(got.map(({ train, test }) => [train.loss, test.loss, test.accuracy])).toEqual(wanted)
})

const schedules = LESSONS.flatMap(({ title, tab, state }) => (tab === 'schedules' ? [[title, state] as const] : []))
test.each([
  ...schedules,
  [
    'every schedule',
    {
      steps: 530,
      choices: (['step', 'exponential', 'inverse', 'cosine', 'warmup', 'restarts', 'onecycle', 'plateau'] as const).map((kind) => ({
        ...schedulesTab.defaults.choices[0],
        kind,
        steps: 90,
      })),
    },
  ] as const,
])('schedules: %s', async (_, changes) => {
  const state = { ...schedulesTab.defaults, ...changes } as typeof schedulesTab.defaults
  const { courses } = await compareSchedules({ config: schedulesConfig(state), steps: state.steps }, context)
  const got = runsOf(trainCode(schedulesConfig(state), TRAIN_ROWS, state.steps))
  expect(got.map(({ rate, runningMean, test }) => [rate, runningMean, test.loss])).toEqual(
    courses.map(({ rate, mean, test }) => [rate.at(-1), mean.at(-1), test]),
  )
})

test.each([{}, { x: 'cooling', y: 'width', steps: 60 }, { steps: 60, cooling: 3 }])('a thousand nets: %j', async (changes) => {
  const state = { ...fleet.defaults, ...changes }
  const { losses } = await fleetMap(state, context)
  const text = `${fleetCode(state).replace(/console\.table.*/, '')}console.log(JSON.stringify(points.map(({ loss }) => loss)))`
  expect(JSON.parse(output(text))).toEqual(Array.from(losses, (loss) => (Number.isFinite(loss) ? expect.closeTo(loss, 6) : null)))
})

/** Objects that a program prints. */
const objects = (text: string) =>
  output(text.replaceAll(/console\.log\((\{.*\})\)/g, 'console.log(JSON.stringify($1))'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test.each([{}, { digit: 9, shift: -2, filters: 3, kernel: 4, seed: 5, rate: 0.01 }])('a net for pictures: %j', async (changes) => {
  const state = { ...picturesTab.defaults, ...changes }
  const data = digitsOf(await digitBytes())
  const net = new PicturesNet(picturesConfig(state), data)
  net.advance(130, Number.POSITIVE_INFINITY)
  const { steps, loss, accuracy } = net.curve
  const { scores } = net.look(moved(pixelsOf(data.test, state.digit), state.shift))
  const at = (step: number) => ({ step, loss: loss[steps.indexOf(step)], accuracy: accuracy[steps.indexOf(step)] })
  expect(objects(picturesCode(state, 130))).toEqual([at(0), at(100), { ofAllTestDigits: net.accuracy(), scores }])
})

test.each([{}, { period: 50, noise: 0.2, units: 3, seed: 4, rate: 0.03 }])('a net for sequences: %j', (changes) => {
  const state = { ...seriesTab.defaults, ...changes }
  const net = new SeriesNet(seriesConfig(state))
  net.advance(230, Number.POSITIVE_INFINITY)
  const { steps, loss } = net.curve
  const wave = waveOf(state.period, GIVEN + ALONE + 1)
  const { outputs } = net.trace(wave.slice(0, GIVEN), ALONE)
  const printed = objects(seriesCode(state, 230))
  expect(printed.slice(0, -1)).toEqual([0, 100, 200].map((step) => ({ step, loss: loss[steps.indexOf(step)] })))
  // The page computes the gates, and so these outputs, in doubles.
  expect(aloneText(wave, outputs)).toContain(`off by ${short(printed.at(-1).offAlone, 2)} (root`)
})

/** Looks at a net that the page takes while it trains: their numbers are right, and the training goes on with the same bits. */
import { Generator, tensor } from 'gradus'
import { inspectPoint } from 'gradus/curvature'
import { beforeAll, expect, test } from 'vitest'
import { makeOptimizer } from '../src/engine/optimizers'
import { ready } from '../src/engine/ready'
import { LOOPS } from '../src/lessons'
import { withChanges } from '../src/link'
import { backprop } from '../src/train/backprop'
import { phasesOf, phaseText } from '../src/train/backprop-text'
import { examples } from '../src/train/data'
import type { Examples } from '../src/train/examples'
import { layoutOf } from '../src/train/layout'
import { gradientNoise } from '../src/train/noise'
import { pointedAt } from '../src/train/pointed'
import { SharpnessMeter } from '../src/train/sharpness'
import { configOf, remember, run, type TrainState, train } from '../src/train/state'
import { lossOf, netOf, Trainer } from '../src/train/trainer'
import { axesIn, GRID, viewOf } from '../src/train/view'

beforeAll(ready)

async function trained(changes: Partial<TrainState>, steps: number) {
  const config = configOf({ ...train.defaults, ...changes })
  const data = await examples(config.data)
  const trainer = new Trainer(config, 0, data, { isQuiet: true })
  trainer.advance(steps, Number.POSITIVE_INFINITY)
  return { config, data, trainer, advance: (to: number) => trainer.advance(to, Number.POSITIVE_INFINITY) }
}
const weightsOf = ({ model }: Trainer) => model.parameters().flatMap((parameter) => Array.from(parameter.view()))

const numberOf = (text: string) => Number(text.replaceAll('−', '-'))

const STATES: Partial<TrainState>[] = [
  {},
  { runs: [run('SGD', { batch: 1, rate: 0.1 })], hidden: [4, 3] },
  { data: 'blobs', activation: 'relu', hidden: [5], runs: [run('Momentum', { batch: 0 })], decay: 0.01 },
  { runs: [run('RMSProp')], hidden: [] },
]

test.each(STATES)('a look changes nothing of a training: %j', async (changes) => {
  const [plain, looked] = [await trained(changes, 20), await trained(changes, 20)]
  gradientNoise(looked.trainer, looked.data, 2)
  backprop(looked.trainer, looked.data, 7)
  for (const { advance } of [plain, looked]) advance(60)
  expect(weightsOf(looked.trainer)).toEqual(weightsOf(plain.trainer))
})

test.each(STATES)("backpropagation is the derivative of the loss, and its step the optimizer's: %j", async (changes) => {
  const { config, data, trainer } = await trained(changes, 30)
  const row = 11
  const seen = backprop(trainer, data, row)
  expect(seen.layers).toHaveLength((changes.hidden ?? train.defaults.hidden).length + 1)
  const inputs = tensor(data.train.inputs.slice(2 * row, 2 * row + 2), [1, 2])
  const loss = () => lossOf(trainer.model, inputs, data.train.labels.slice(row, row + 1), data.classes).item()
  expect(seen.loss).toBe(loss())
  const parameters = trainer.model.parameters()
  for (const [l, layer] of seen.layers.entries()) {
    const before = l === 0 ? seen.inputs : seen.layers[l - 1].values
    layer.gradients.forEach((gradient, i) => {
      const came = before[Math.floor(i / layer.deltas.length)]
      expect(gradient).toBeCloseTo(came * layer.deltas[i % layer.deltas.length], 5)
    })
    // differences of the loss in single precision
    const weight = parameters[2 * l].view()
    for (const i of [0, layer.weights.length - 1]) {
      const old = weight[i]
      const at = (w: number) => {
        weight[i] = w
        return loss()
      }
      const slope = (at(old + 0.01) - at(old - 0.01)) / 0.02
      weight[i] = old
      expect(Math.abs(slope - layer.gradients[i])).toBeLessThan(2e-3 + 0.05 * Math.abs(slope))
    }
    if (config.runs[0].method === 'SGD')
      layer.next.forEach((next, i) => expect(next).toBeCloseTo(layer.weights[i] - config.runs[0].rate * layer.gradients[i], 6))
    else expect(layer.next).not.toEqual(layer.weights)
  }
  const phases = phasesOf(seen.layers.length)
  expect(phases).toHaveLength(2 * seen.layers.length + 2)
  for (const phase of phases) {
    const text = phaseText(seen, phase, { activation: config.activation, method: 'it' })
    expect(text).not.toMatch(/NaN|undefined|∞/)
    if (phase.kind === 'loss') expect(text).toMatch(`is ${data.classNames[data.train.labels[row]]}: `)
    // its terms make the sum that it writes, but for a unit of the last digit and their own rounding
    const [, written, total] = /\+ b = ([^…]+) ≈ ([−\d.e]*\d)/.exec(text) ?? []
    if (written) {
      const terms = written.split(' + ').map((term) => term.split('·').reduce((product, number) => product * numberOf(number), 1))
      const size = terms.reduce((sum, term) => sum + Math.abs(term), 0)
      const sum = terms.reduce((sum, term) => sum + term, 0)
      expect(Math.abs(sum - numberOf(total))).toBeLessThan(0.05 * Math.abs(sum) + 0.005 * size)
    }
    // each equation that it writes is one
    const [, a, b, c] = /= ([−\d.e]+) · ([−\d.e]+) = ([−\d.e]+)\.$/.exec(text) ?? []
    if (phase.kind === 'back') {
      const [left, right, product] = [a, b, c].map(numberOf)
      expect(Math.abs(left * right - product)).toBeLessThan(0.06 * Math.abs(product) + 1e-9)
    }
  }
})

test.each(STATES)('the sharpness is the largest eigenvalue of the Hessian, and measuring it changes nothing: %j', async (changes) => {
  const [plain, looked] = [await trained(changes, 0), await trained(changes, 0)]
  const meter = new SharpnessMeter(looked.trainer, looked.data)
  looked.trainer.watchers.push(meter)
  for (const one of [plain, looked]) one.advance(40)
  expect(weightsOf(looked.trainer)).toEqual(weightsOf(plain.trainer))
  const { model } = looked.trainer
  const { train, features, classes } = looked.data
  const loss = () => lossOf(model, tensor(train.inputs, [train.count, features]), train.labels, classes)
  // From the whole Hessian, whose eigenvalues are all found.
  const exact = inspectPoint(loss, model, { exactLimit: 300 }).eigenvalues.at(-1)!
  const { steps, values, limits } = meter.sharpness
  expect(steps).toEqual([0, 10, 20, 30, 40])
  expect(Math.abs(values[4] - exact)).toBeLessThan(0.01 * exact)
  expect(limits[4]).toBe(looked.config.runs[0].method === 'SGD' ? 2 / looked.config.runs[0].rate : null)
})

test('a run that diverges has its sharpness up to there, and a long one no more values than a chart shows', async () => {
  const { trainer, data, advance } = await trained({ runs: [run('SGD', { rate: 1e30, batch: 0 })] }, 0)
  const meter = new SharpnessMeter(trainer, data)
  trainer.watchers.push(meter)
  advance(200)
  expect(meter.sharpness.values.every(Number.isFinite)).toBe(true)
  const long = await trained({ runs: [run('SGD', { batch: 4 })], hidden: [2], count: 40 }, 0)
  const longMeter = new SharpnessMeter(long.trainer, long.data)
  long.trainer.watchers.push(longMeter)
  long.advance(2500)
  const { steps } = longMeter.sharpness
  expect(steps.length).toBeLessThan(200)
  expect(steps.slice(0, 3)).toEqual([0, 20, 40])
})

test('the noise of gradients follows the law of sampling, and four times the rows halve it', async () => {
  const { trainer, data } = await trained({ runs: [run('SGD', { batch: 16, rate: 0.5 })] }, 100)
  const { sizes, measured, law } = gradientNoise(trainer, data, 100)
  expect(sizes).toEqual([1, 2, 4, 8, 16, 32, 64, 128])
  measured.forEach((noise, i) => expect(Math.abs(noise / law[i] - 1), `${sizes[i]} rows`).toBeLessThan(0.3))
})

test('the noise of a net with the most weights that the page has is measured too, and that of one row is none', async () => {
  const wide = await trained({ hidden: [256, 256], count: 20 }, 0)
  const { sizes, measured, law } = gradientNoise(wide.trainer, wide.data)
  expect(sizes).toEqual([1, 2, 4, 8])
  expect([...measured, ...law].every((v) => v > 0 && v < 100)).toBe(true)
  const one = await trained({ data: 'drawn', points: [0.1, 0.2, 1] }, 3)
  expect(gradientNoise(one.trainer, one.data)).toEqual({ sizes: [], measured: [], law: [] })
})

/** Runs a loop of the lecture as the program that it is. */
function looped(text: string, data: Examples, epochs: number, { seed, rate }: { seed: number; rate: number }): number[] {
  const model = netOf(configOf({ ...train.defaults, seed }), data)
  const { inputs, labels } = data.train
  const rows = (chosen: ArrayLike<number>) => ({
    inputs: Float32Array.from({ length: 2 * chosen.length }, (_, i) => inputs[2 * chosen[i >> 1] + (i & 1)]),
    labels: Int32Array.from(chosen, (row) => labels[row]),
  })
  const scope = {
    ...{ epochs, net: model, rows, all: { inputs, labels }, count: data.train.count, random: new Generator(seed) },
    optimizer: makeOptimizer('SGD', model.parameters(), rate),
    loss: (net: typeof model, { inputs, labels }: ReturnType<typeof rows>) =>
      lossOf(net, tensor(inputs, [labels.length, 2]), labels, data.classes),
  }
  new Function(...Object.keys(scope), text)(...Object.values(scope))
  return model.parameters().flatMap((parameter) => Array.from(parameter.view()))
}

test.each([
  ['batch', 0],
  ['stochastic', 1],
  ['miniBatch', 16],
] as const)('the %s loop of the lecture trains as the page does', async (name, batch) => {
  const { data, trainer, config } = await trained({ runs: [run('SGD', { batch, rate: 0.1 })] }, 0)
  const steps = batch === 0 ? 1 : Math.ceil(data.train.count / batch)
  trainer.advance(2 * steps, Number.POSITIVE_INFINITY)
  expect(looped(LOOPS[name], data, 2, { seed: config.seed, rate: 0.1 })).toEqual(weightsOf(trainer))
})

test('a weight that is set by hand holds from its step on, and rewinding gives the same bits', async () => {
  const edit = { layer: 0, index: 3, value: 2.5 }
  const changes = [{ step: 20, run: 0, weights: [edit, { layer: 9, index: 0, value: 1 }, { layer: 0, index: 1e6, value: 1 }] }]
  const [plain, edited, again] = [await trained({}, 20), await trained({ changes }, 20), await trained({ changes }, 45)]
  expect(weightsOf(edited.trainer)).toEqual(weightsOf(plain.trainer))
  // as the page shows it before the next step
  edited.trainer.edit()
  expect(edited.trainer.model.parameters()[0].view()[3]).toBe(2.5)
  edited.trainer.edit()
  for (const { advance } of [plain, edited]) advance(45)
  expect(weightsOf(edited.trainer)).toEqual(weightsOf(again.trainer))
  expect(weightsOf(edited.trainer)).not.toEqual(weightsOf(plain.trainer))
  train.restore({ changes: [] })
  for (const value of [1, 2]) remember({ step: 5, run: 0, weights: [{ layer: 0, index: value, value }] })
  remember({ step: 5, run: 0, rate: 0.1 })
  expect(train.state.value.changes).toEqual([
    {
      step: 5,
      run: 0,
      rate: 0.1,
      weights: [
        { layer: 0, index: 1, value: 1 },
        { layer: 0, index: 2, value: 2 },
      ],
    },
  ])
  expect(withChanges(train.defaults, { changes: train.state.value.changes }, train.checks).changes).toEqual(train.state.value.changes)
  train.restore({})
})

test('the pointer finds each unit at its box, and each weight on its line', async () => {
  const { trainer, data } = await trained({ hidden: [4, 3] }, 5)
  const view = viewOf(trainer, data, [0, 1])
  const [width, height] = [500, 360]
  const { x, y, box } = layoutOf([2, 4, 3, 1], width, height)
  for (const [layer, units] of [4, 3].entries())
    for (let unit = 0; unit < units; unit++)
      expect(pointedAt(view, data, width, height, x(layer + 1), y(layer + 1, unit))).toEqual({ kind: 'unit', layer, unit })
  // Beside its unit each weight of a first layer ends where no other does but those to the same unit; half way it is alone.
  const middle = (x(0) + x(1)) / 2
  expect(pointedAt(view, data, width, height, middle, (y(0, 0) + y(1, 0)) / 2)).toMatchObject({ kind: 'weight', layer: 0, from: 0, to: 0 })
  expect(pointedAt(view, data, width, height, x(1) - box / 2 - 1, y(1, 2))).toMatchObject({ kind: 'weight', layer: 0, to: 2 })
  expect(pointedAt(view, data, width, height, 2, 2)).toBeNull()
  expect(pointedAt(view, { ...data, features: 196 }, width, height, middle, 100)).toBeNull()
})

test('the map of a table shows any two of its columns, the others at their mean', async () => {
  const csv = `a,b,c,kind\n${Array.from({ length: 40 }, (_, i) => `${i},${(7 * i) % 11},${(i * i) % 13},${i % 3 === 0 ? 'x' : 'y'}`).join('\n')}`
  const { trainer, data } = await trained({ data: 'csv', csv, hidden: [5] }, 200)
  expect(data.features).toBe(3)
  for (const axes of [
    [0, 1],
    [2, 0],
    [1, 2],
  ] as const) {
    const { boundary, units, axes: shown } = viewOf(trainer, data, axes)
    expect(shown).toEqual(axes)
    expect(units[0]).toHaveLength(5)
    for (const [column, row] of [
      [0, 0],
      [10, 40],
      [GRID - 1, 5],
    ]) {
      const point = [0, 0, 0]
      point[axes[0]] = -3 + (6 * (column + 0.5)) / GRID
      point[axes[1]] = -3 + (6 * (row + 0.5)) / GRID
      expect(boundary[row * GRID + column]).toBeCloseTo(Math.tanh(trainer.model.predict([point]).data()[0] / 2), 5)
    }
  }
  // A link may have the columns of another table.
  for (const axes of [
    [3, 0],
    [0, 9],
    [1, 1],
  ] as const)
    expect(axesIn(axes, 3)).toEqual([0, 1])
  expect(axesIn([2, 1], 3)).toEqual([2, 1])
})

/** The X-ray of a training: it changes no bit, measures right, and refuses bad options. */
import { describe, expect, test } from 'vitest'
import * as gradus from '../../ts/index.js'
import {
  Adam,
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  type FitOptions,
  fit,
  GradientAccumulation,
  type Loss,
  mse,
  mul,
  Parameter,
  Sequential,
  SGD,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { traitsOf } from '../../ts/loss/loss.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'
import { fitStream } from '../../ts/stream/index.js'
import { diagnose, XRay } from '../../ts/xray/index.js'
import { type OptimizerParts, optimizerFacts } from '../../ts/xray/optimizer-facts.js'
import { rivalOf } from '../../ts/xray/rows.js'
import { LOGIT_LOSSES } from '../../ts/xray/xray.js'
import { caseOf, draw } from './faults.js'

const data = draw('prototypes', 3, 200)
const rows = { inputs: data.x, targets: Int32Array.from(data.y), loss: crossEntropy, verbose: false as const }

const netOf = (backend?: Backend, dropout = 0) =>
  new Sequential(
    [new Dense(16, 24, { activation: 'relu' }), new Dropout(dropout), new Dense(24, 12, { activation: 'tanh' }), new Dense(12, 5)],
    {
      seed: 4,
      ...(backend && { backend }),
    },
  )

async function train(options: Partial<FitOptions>, dropout = 0) {
  const model = netOf(undefined, dropout)
  const optimizer = new Adam(model.parameters(), { learningRate: 3e-3 })
  const history = await fit(model, { ...rows, epochs: 8, batchSize: 16, ...options, optimizer } as FitOptions)
  return { history, weights: Object.values(model.state()).map((values) => [...values]), optimizer: optimizer.state() }
}

describe('bits', () => {
  test.each([
    ['light', {}, 0],
    ['full, every 2 steps', { level: 'full' as const, every: 2 }, 0],
    ['light, every 7 steps', { every: 7 }, 0.2],
  ])('stay with an X-ray: %s', async (_, options, dropout) => {
    const xray = new XRay(options)
    const plain = await train({}, dropout)
    const seen = await train({ callbacks: [xray] }, dropout)
    expect(seen.weights).toEqual(plain.weights)
    expect(seen.optimizer).toEqual(plain.optimizer)
    expect(seen.history.epochs.map(({ loss }) => loss)).toEqual(plain.history.epochs.map(({ loss }) => loss))
    expect(seen.history.execution.writtenOut).toBe(plain.history.execution.writtenOut)
    expect(xray.report.samples.length).toBeGreaterThan(5)
  })

  test('stay with validation, metrics, a callback of each batch and accumulated batches', async () => {
    for (const options of [
      { validationFraction: 0.2 },
      { metrics: ['accuracy'] as const },
      { callbacks: [{ onBatchEnd() {} }] },
      { batchSize: 'full' as const, epochs: 60 },
    ]) {
      const plain = await train(options)
      const xray = new XRay({ every: 5 })
      const seen = await train({ ...options, callbacks: [...((options as FitOptions).callbacks ?? []), xray] })
      expect(seen.weights).toEqual(plain.weights)
      expect(xray.report.samples.map(({ step }) => step).slice(0, 3)).toEqual([2, 5, 10])
    }
    const model = netOf()
    const xray = new XRay({ every: 8 })
    const optimizer = new GradientAccumulation(new SGD(model.parameters(), { learningRate: 0.1 }), { every: 4 })
    await fit(model, { ...rows, epochs: 12, batchSize: 16, optimizer, callbacks: [xray] })
    expect(xray.report.samples.length).toBeGreaterThan(2)
  })

  test('steps between samples run in programs', async () => {
    const { history } = await train({ callbacks: [new XRay({ every: 40 })], epochs: 40 })
    expect(history.execution.programs).toBeGreaterThan(0.8 * history.steps)
  })
})

test('figures are within 1 % of a twin in float64', async () => {
  const twin = createBackend({ backend: 'js', dtype: 'float64' })
  const model = netOf()
  const double = netOf(twin)
  double.loadState(Object.fromEntries(Object.entries(model.state()).map(([name, values]) => [name, Float64Array.from(values)])))
  const [a, b] = [new XRay({ level: 'full', every: 3 }), new XRay({ level: 'full', every: 3 })]
  const options = { ...rows, epochs: 2, batchSize: 16 }
  await fit(model, { ...options, optimizer: new Adam(model.parameters()), callbacks: [a] })
  await fit(double, { ...options, optimizer: new Adam(double.parameters()), callbacks: [b] })
  const figures = (xray: XRay) =>
    JSON.parse(JSON.stringify([xray.report.start, xray.report.samples, xray.report.fit, xray.report.end?.gradientNorm]))
  const compare = (x: unknown, y: unknown, at: string): void => {
    if (typeof x === 'number')
      expect(Math.abs(x - (y as number)), `${at}: ${x} and ${y}`).toBeLessThanOrEqual(0.01 * Math.abs(y as number) + 1e-9)
    else if (typeof x === 'object' && x !== null) for (const key in x) compare(x[key as never], (y as object)[key as never], `${at}.${key}`)
    else expect(x).toEqual(y)
  }
  compare(figures(a), figures(b), 'report')
  expect(a.report.samples[0]).toMatchObject({
    step: 2,
    sharpness: expect.any(Number),
    noiseScale: expect.any(Number),
    cosine: expect.any(Number),
  })
})

test('the sharpness is the largest eigenvalue of a quadratic function', async () => {
  const model = new Sequential([new Dense(2, 1, { bias: false })], { seed: 1 })
  const inputs = Array.from({ length: 64 }, (_, i) => [i % 2 ? 3 : -3, i % 4 < 2 ? 1 : -1])
  const xray = new XRay({ every: 1 })
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
  await fit(model, { inputs, targets: inputs.map(([x]) => x), loss: mse, optimizer, epochs: 3, verbose: false, callbacks: [xray] })
  // H = 2·XᵀX / n = diag(18, 2), and the limit is 2
  expect(xray.report.start?.sharpness).toBeCloseTo(18, 3)
  expect(xray.report.start?.lowest).toBeCloseTo(2, 3)
  expect(xray.report.samples[0].stability).toBeCloseTo(0.9, 3)
})

test('the report is plain data: from JSON it gives the same verdicts', async () => {
  const xray = new XRay()
  await train({ callbacks: [xray] })
  const saved = JSON.parse(JSON.stringify(xray))
  expect(saved).toEqual(xray.report)
  expect(diagnose(saved)).toEqual(xray.report.verdicts)
})

test('onSample sees each sample while the training runs', async () => {
  const steps: number[] = []
  await train({ callbacks: [new XRay({ every: 50, onSample: ({ step }, report) => steps.push(step, report.samples.length) })] })
  expect(steps).toEqual([2, 1, 50, 2, 100, 3])
})

test('level full lists rows whose labels look wrong', async () => {
  const clear = data.x.map((x, i) => x.map((v, j) => v / 4 + (j % 5 === rows.targets[i] ? 3 : 0)))
  const wrong = Int32Array.from(rows.targets)
  for (const row of [3, 52, 121]) wrong[row] = (wrong[row] + 2) % 5
  const xray = new XRay({ level: 'full' })
  await train({ inputs: clear, targets: wrong, callbacks: [xray] })
  const { suspects = [] } = xray.report
  expect(suspects.map(({ row }) => row).sort((a, b) => a - b)).toEqual([3, 52, 121])
  expect(suspects[0]).toMatchObject({ label: wrong[suspects[0].row], suggestion: rows.targets[suspects[0].row] })
})

test('the class in place of a suspect label is another one, however large the own score is', () => {
  const scores = Float64Array.of(0, 0, 0, 4, 9, 7)
  expect([0, 1, 2].map((label) => rivalOf(scores, 3, 3, label))).toEqual([1, 2, 1])
})

test('a training after one that a callback broke off has margins of its own rows alone', async () => {
  const xray = new XRay({ level: 'full', every: 5 })
  const stop = (step: number) => ({
    onBatchEnd(progress: { step: number }) {
      if (progress.step === step) throw new Error('enough')
    },
  })
  const targets = rows.targets.map((y) => (y + 1) % 5)
  await expect(train({ targets, callbacks: [xray, stop(30)] })).rejects.toThrow('enough')
  const half = { inputs: data.x.slice(0, 100), targets: rows.targets.slice(0, 100) }
  await train({ ...half, callbacks: [xray] })
  const fresh = new XRay({ level: 'full', every: 5 })
  await train({ ...half, callbacks: [fresh] })
  expect(xray.report).toEqual(fresh.report)
})

test('a training that diverges ends with a report that says so', async () => {
  const model = netOf()
  const xray = new XRay()
  const optimizer = new SGD(model.parameters(), { learningRate: 1e6 })
  await expect(
    fit(model, { ...rows, loss: mse, targets: data.x.map((x) => x.slice(0, 5).map((v, j) => v * x[j + 5])), optimizer, callbacks: [xray] }),
  ).rejects.toThrow(/loss is|weights are not finite/)
  expect(xray.report.end?.kind).toBe('diverged')
  expect(xray.report.verdicts[0]).toMatchObject({ rule: 'rate too large', severity: 'fault' })
  expect(JSON.stringify(xray.report)).not.toMatch(/null|NaN/)
})

test('odd trainings give reports', async () => {
  const one = new XRay()
  const model = new Sequential([new Dense(1, 1)])
  await fit(model, { inputs: [[1]], targets: [2], loss: mse, optimizer: new SGD(model.parameters()), callbacks: [one], verbose: false })
  expect(one.report).toMatchObject({ samples: [], verdicts: [] })
  const none = new XRay()
  await fit(model, {
    inputs: [[1]],
    targets: [2],
    loss: mse,
    optimizer: new SGD(model.parameters()),
    epochs: 0,
    callbacks: [none],
    verbose: false,
  })
  expect(none.report.samples).toEqual([])
  // a second training with the same X-ray starts a new report
  await train({ callbacks: [none] })
  expect(none.report.layers.length).toBe(3)
})

describe('mistakes', () => {
  test.each([
    [{ every: 0 }, 'XRay: every wants a whole number ≥ 1, got 0'],
    [{ every: 1.5 }, 'XRay: every wants a whole number ≥ 1, got 1.5'],
    [{ level: 'deep' }, "XRay: level wants 'light' or 'full', got 'deep'"],
    [{ onSample: 3 }, 'XRay: onSample wants a function, got 3'],
    [{ evry: 3 }, "XRay: there is no option 'evry'; did you mean every?"],
  ])('%j', (options, message) => {
    expect(() => new XRay(options as never)).toThrow(message)
  })

  test('no report before a training', () => {
    expect(() => new XRay().report).toThrow('XRay: there is no report yet; give it to fit, { callbacks: [xray] }, first')
  })

  test('fit names the callback to people who look for an option', async () => {
    await expect(train({ xray: true } as never)).rejects.toThrow("fit: there is no option 'xray'; did you mean callbacks: [new XRay()]?")
  })
})

test('the generator of faults repeats', () => {
  expect(JSON.stringify(caseOf('leak', 4))).toBe(JSON.stringify(caseOf('leak', 4)))
})

test('a stream is refused: it has no rows to look at', async () => {
  const model = new Sequential([new Dense(2, 1)])
  const batches = () => [
    {
      inputs: [
        [1, 2],
        [3, 4],
      ],
      targets: [[1], [2]],
    },
  ]
  const options = { data: batches, loss: mse, optimizer: new SGD(model.parameters()), callbacks: [new XRay()] }
  await expect(fitStream(model, options as never)).rejects.toThrow(/XRay: wants a training by fit/)
})

test.each(Object.entries(OPTIMIZERS))('%s is called adaptive unless its steps are proportional to the gradient', (_, Class) => {
  const pathOf = (scale: number) => {
    const p = new Parameter([1, -2, 3, 0.5, 1, 2], { shape: [3, 2] })
    const before = [...p.view()]
    const optimizer = new (Class as unknown as typeof Adam)([p], { learningRate: 1e-2, weightDecay: 0 })
    const gradient = tensor([3, 1, -2, 5, 0.1, 1], [3, 2])
    for (let step = 0; step < 10; step++) {
      sum(mul(p, gradient)).backward()
      p.grad = mul(p.grad as Tensor, scale)
      optimizer.step()
      optimizer.zeroGrad()
    }
    const { isAdaptive } = optimizerFacts(optimizer as unknown as OptimizerParts)
    return { isAdaptive, path: before.map((value, i) => value - p.view()[i]) }
  }
  const [small, large] = [pathOf(1), pathOf(20)]
  const isProportional = small.path.every((step, i) => Math.abs(large.path[i] - 20 * step) <= 0.05 * Math.abs(20 * step))
  expect(small.isAdaptive).toBe(!isProportional)
})

test('losses that take logits are those that say so', () => {
  const losses = Object.values(gradus).filter((value) => typeof value === 'function' && traitsOf(value as Loss)?.takesLogits) as Loss[]
  expect(losses.map(({ name }) => name).sort()).toEqual(LOGIT_LOSSES)
})

/** What people met in their first hour with gradus, and are not to meet again. */
import { expect, test, vi } from 'vitest'
import {
  Adam,
  crossEntropy,
  Dense,
  EarlyStopping,
  evaluateModel,
  fit,
  LBFGS,
  mse,
  NonFiniteError,
  type Progress,
  SAM,
  Sequential,
  SGD,
  softmax,
  trainOnBatch,
  trainSteps,
} from '../../ts/index.js'
import { progressLine } from '../../ts/train/progress-line.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const targets = inputs.map(([a, b]) => [a - 2 * b])
const classes = Int32Array.from(inputs, ([a, b]) => (a > b ? 1 : 0))
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('validation figures have one shape and one name: in callbacks, the history and what is monitored', async () => {
  const model = net(2)
  const seen: Progress['validation'][] = []
  const stopping = new EarlyStopping({ monitor: 'validation.accuracy', patience: 50 })
  const callbacks = [stopping, { onEpochEnd: ({ validation }: Progress) => void seen.push(validation) }]
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  const options = { inputs, targets: classes, loss: crossEntropy, optimizer, epochs: 3, metrics: ['accuracy'] as const }
  const { epochs } = await fit(model, { ...options, validationSplit: 0.25, callbacks })
  expect(epochs.map(({ validation }) => validation)).toEqual(seen)
  expect(Object.keys(seen[0] ?? {})).toEqual(['loss', 'accuracy'])
  expect(stopping.bestValue).toBe(Math.max(...seen.map((validation) => validation?.accuracy ?? 0)))
  // Keras' name for it
  await fit(model, { ...options, validationSplit: 0.25, callbacks: [new EarlyStopping({ monitor: 'valLoss' })] })
  const missing = fit(model, { ...options, callbacks: [new EarlyStopping()] })
  await expect(missing).rejects.toThrow("there is no 'validation.loss' to watch, only loss, accuracy; give fit validation data")
})

test('the time that is left does not count the first step, which compiles', async () => {
  // a clock by which the first step takes two seconds and all others a millisecond
  let [clock, calls] = [0, 0]
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock)
  const loss: typeof mse = (...given) => {
    clock += calls++ === 0 ? 2000 : 1
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
    const options = { inputs, targets, loss: mse, optimizer, epochs: 2, validationSplit: 0.25 }
    await fit(model, options)
    expect([asked, shown, ends]).toEqual([[undefined], [1, 2], 1])
    await fit(model, { ...options, verbose: false })
    await fit(model, { ...options, onProgress: () => {} })
    expect(asked).toHaveLength(1)
    await expect(fit(model, { ...options, verbose: true, epochs: -1 })).rejects.toThrow('epochs')
    expect([asked.length, ends]).toEqual([2, 2])
  } finally {
    delete progressLine.make
  }
})

test('a batch size above the data is the data', async () => {
  const { steps } = await fit(...trained(net(), { epochs: 2, batchSize: 1000 }))
  expect(steps).toBe(2)
})

test('trainOnBatch takes the same step as a loop by hand, and as fit', async () => {
  const [a, b, c] = [net(), net(), net()]
  const [forA, forB, forC] = [a, b, c].map((model) => new Adam(model.parameters(), { learningRate: 0.01 }))
  for (let i = 0; i < 5; i++) {
    const loss = trainOnBatch(a, { inputs, targets, loss: mse, optimizer: forA })
    const byHand = mse(b.forward(inputs), targets)
    expect(loss).toBe(byHand.item())
    byHand.backward()
    forB.step()
  }
  await fit(c, { inputs, targets, loss: mse, optimizer: forC, epochs: 5, batchSize: 'full', shuffle: false })
  expect(a.state()).toEqual(b.state())
  expect(a.state()).toEqual(c.state())
  expect(a.training).toBe(true)
  a.evaluate()
  trainOnBatch(a, { inputs, targets, loss: mse, optimizer: forA })
  expect(a.training).toBe(false)
})

test('trainOnBatch takes optimizers that evaluate the loss themselves', () => {
  for (const make of [(m: Sequential) => new LBFGS(m.parameters()), (m: Sequential) => new SAM(new Adam(m.parameters()))]) {
    const model = net()
    const options = { inputs, targets, loss: mse, optimizer: make(model as Sequential) }
    const first = trainOnBatch(model, options)
    for (let i = 0; i < 20; i++) trainOnBatch(model, options)
    expect(trainOnBatch(model, options)).toBeLessThan(first)
  }
})

test('trainOnBatch says what is wrong, changes nothing then, and knows of fit', async () => {
  const model = net()
  const optimizer = new Adam(model.parameters())
  const before = model.state()
  const step = (more: object) => () => trainOnBatch(model, { inputs, targets, loss: mse, optimizer, ...more })
  expect(step({ targets: [1, 2] })).toThrow('trainOnBatch: 40 rows of inputs but 2 of targets')
  expect(step({ inputs: inputs.map(([a]) => [a, Number.NaN]) })).toThrow('trainOnBatch: inputs: NaN at row 0, column 1')
  expect(step({ loss: 'mse' })).toThrow("trainOnBatch: loss wants a function, such as mse, got 'mse'")
  expect(step({ optimizer: undefined })).toThrow('trainOnBatch: optimizer wants an Optimizer')
  expect(step({ optimizer: new Adam(net().parameters()) })).toThrow("has none of this model's parameters")
  expect(step({ epochs: 3 })).toThrow("trainOnBatch: there is no option 'epochs'")
  expect(step({ targets: targets.map(() => [1e38]) })).toThrow(NonFiniteError)
  expect(model.state()).toEqual(before)
  const running = fit(...trained(model, { epochs: 2 }))
  expect(step({})).toThrow('trainOnBatch: this model is being trained already')
  await running
  const loop = trainSteps(model, { inputs, targets, loss: mse, optimizer })
  await loop.next()
  expect(step({})()).toBeGreaterThan(0)
  await loop.return()
})

test('numbers of toArray have types', () => {
  const row = softmax(net(3).predict([[1, 2]])).toArray()[0]
  const first: number = softmax(new Dense(2, 3, { seed: 1 }).predict([[1, 2]])).toArray()[0][1]
  expect(first).toBeGreaterThan(0)
  expect(row).toHaveLength(3)
})

test('evaluateModel gives metrics without a loss', () => {
  const model = net(2)
  const { accuracy, loss } = evaluateModel(model, { inputs, targets: classes, loss: crossEntropy, metrics: ['accuracy'] })
  expect(loss).toBeGreaterThan(0)
  expect(evaluateModel(model, { inputs, targets: classes, metrics: ['accuracy'] })).toEqual({ accuracy })
  const nothing = { inputs, targets: classes } as never
  expect(() => evaluateModel(model, nothing)).toThrow(
    'evaluateModel: wants a loss, such as mse, or metrics, got undefined as loss and no metrics',
  )
  model.parameters()[0].view().fill(Number.NaN)
  const broken = () => evaluateModel(model, { inputs, targets: classes, metrics: ['accuracy'] })
  expect(broken).toThrow("evaluateModel: a prediction is NaN for rows 0 to 39; parameter '0.weight' of Dense(2, 8, tanh) is NaN")
})

test('after a blow-up the message says that the weights are ruined, and how to get good ones', async () => {
  const model = new Sequential([new Dense(2, 8, { activation: 'relu' }), new Dense(8, 1)], { seed: 3 })
  const optimizer = new SGD(model.parameters(), { learningRate: 100 })
  const ruined = 'These weights are ruined: make the model anew or load saved ones; then lower the learning rate'
  const options = { inputs, targets, loss: mse, optimizer, epochs: 100, batchSize: 8 }
  await expect(fit(model, options)).rejects.toThrow(ruined)
  optimizer.learningRate = 0.001
  await expect(fit(model, options)).rejects.toThrow(`${ruined} (now 0.001)`)
  // finite weights of a usual size are not
  const good = new Sequential([new Dense(2, 8, { activation: 'relu' }), new Dense(8, 1)], { seed: 3 })
  const far = { inputs, targets: targets.map(() => [1e38]), loss: mse, optimizer: new SGD(good.parameters()), epochs: 1 }
  await expect(fit(good, far)).rejects.toThrow('the weights are finite, those after step 0. Lower the learning rate')
})

test('predict finds what is not finite, on request', () => {
  const model = net()
  const rows = [
    [1, 2],
    [Number.NaN, 1],
  ]
  expect(model.predict(rows).data()[1]).toBeNaN()
  expect(() => model.predict(rows, { checkFinite: true })).toThrow('predict: row 1 gives NaN; look at its inputs, which are not finite')
  expect(model.predict(inputs, { checkFinite: true }).shape).toEqual([40, 1])
  model.parameters()[0].view().fill(Number.NaN)
  expect(() => model.predict(inputs, { checkFinite: true })).toThrow('predict: row 0 gives NaN; look at the weights')
})

test('shapes that people give by mistake come with what they want', () => {
  expect(() => new Dense(1, 2).predict([1, 2, 3] as never)).toThrow('got shape [3]; rows of one number each are [[1], [2], [3]]')
  const model = net(3)
  expect(() => mse(model.forward(inputs), classes as never)).toThrow(
    'prediction has shape [40, 3], target [40]; a class for each row is what crossEntropy takes',
  )
})

function trained(model: Sequential | ReturnType<typeof net>, more: object): Parameters<typeof fit> {
  const optimizer = new Adam(model.parameters())
  return [model, { inputs, targets, loss: mse, optimizer, ...more }]
}

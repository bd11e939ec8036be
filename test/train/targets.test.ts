/** Targets in every form that losses and metrics take: flat, as columns, labels in any kind of array. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  argmax,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  evaluateModel,
  findLearningRate,
  fit,
  type Loss,
  mean,
  mse,
  Sequential,
  SGD,
  square,
  sub,
  type Tensor,
  tensor,
  trainSteps,
} from '../../ts/index.js'
import { accuracy } from '../../ts/metrics/index.js'
import { LBFGS } from '../../ts/solve/index.js'
import {
  allBackends,
  fourInputs,
  fourRows,
  lineNet,
  linePoints,
  lineTargets,
  netOfOutputs,
  netOfTwo,
  threeRows,
} from '../tools/small-nets.js'

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe.each(allBackends)('$variant', (backend) => {
  const line = () => lineNet(backend)
  const inputs = linePoints
  const flat = lineTargets
  /** A user-defined loss equal to mse. */
  const own: Loss = (p, t) => mean(square(sub(p, t)))

  describe('targets of one output may be flat, also for losses and metrics of your own', () => {
    const data = { inputs, targets: flat, loss: own }
    const shapes: unknown[] = []
    const metrics = {
      shape: (p: Tensor, t: Tensor) => {
        shapes.push(p.shape, t.shape)
        return mean(square(sub(p, t))).item()
      },
    }

    test('fit trains the same bits as on a column, and metrics see a column', async () => {
      const column = flat.map((y) => [y])
      const [a, b, c] = [line(), line(), line()]
      const options = { epochs: 5, batchSize: 16, metrics }
      const learn = (model: Sequential, more: object) =>
        fit(model, { ...data, ...options, ...more, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }) })
      const history = await learn(a, { validation: { inputs, targets: flat } })
      await learn(b, { targets: column })
      expect(a.state()).toEqual(b.state())
      expect(history.epochs[4].validation?.shape).toBeCloseTo(history.epochs[4].validation?.loss ?? Number.NaN, 6)
      await learn(c, { loss: mse })
      for (let i = 0; i < shapes.length; i += 2) expect(shapes[i + 1]).toEqual(shapes[i])
      expect(a.predict([[0]]).item()).toBeCloseTo(c.predict([[0]]).item(), 4)
    })

    test('so do whole steps, trainSteps, evaluateModel and findLearningRate', async () => {
      const [model, other] = [line(), line()]
      await fit(model, { ...data, optimizer: new LBFGS(model.parameters()), batchSize: 'full', epochs: 3, metrics })
      expect(evaluateModel(model, data).loss).toBeLessThan(1e-6)
      const optimizer = new SGD(other.parameters(), { learningRate: 0.1 })
      for await (const { prediction, targets } of trainSteps(other, { ...data, optimizer })) expect(targets.shape).toEqual(prediction.shape)
      const curve = (loss: Loss) => findLearningRate(other, { ...data, loss, optimizer, steps: 5 })
      expect((await curve(own)).losses[4]).toBeCloseTo((await curve(mse)).losses[4], 5)
    })

    test('a loss of several numbers is refused by name', async () => {
      const everyRow: Loss = (p, t) => square(sub(p, t))
      const model = line()
      const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
      await expect(fit(model, { inputs, targets: flat, loss: everyRow, optimizer })).rejects.toThrow(
        /loss 'everyRow' wants to return one number for the batch, got shape \[32, 1\]; take its mean/,
      )
      expect(() => evaluateModel(model, { inputs, targets: flat, loss: (() => 1) as never })).toThrow(/wants to return a Tensor.*got 1/)
    })
  })
})

describe('losses and metrics', () => {
  test('one output for classes: the message names the loss for it, in fit and alone', async () => {
    const inputs = [
      [0, 0],
      [0, 1],
    ]
    const model = net()
    const optimizer = new Adam(model.parameters())
    await expect(fit(model, { inputs, targets: [0, 1], loss: crossEntropy, optimizer })).rejects.toThrow(
      'crossEntropy: wants logits of shape [rows, classes], got [2, 1]; binaryCrossEntropy is for one output',
    )
    expect(() => crossEntropy(model.predict(inputs), [0, 1] as Any)).toThrow('got [2, 1]; binaryCrossEntropy is for one output')
  })

  test.each<[string, Any]>([
    ['mse', mse],
    ['binaryCrossEntropy', binaryCrossEntropy],
    ['crossEntropy', crossEntropy],
  ])('%s of plain arrays says what it wants', (name, loss) => {
    expect(() => loss([0.5, 1], [0, 1])).toThrow(new TypeError(`${name}: wants a Tensor, got an array of 2`))
    expect(() => loss(undefined, [0, 1])).toThrow(`${name}: wants a Tensor, got undefined`)
  })

  test('accuracy of classes, as argmax gives them, as other metrics take them', () => {
    const classes = argmax(
      tensor(
        [
          [0, 2, 1],
          [3, 1, 0],
          [0, 0, 1],
          [1, 0, 0],
        ],
        { backend },
      ),
    )
    expect(accuracy(classes, [1, 0, 2, 2])).toBe(0.75)
    expect(accuracy(Int32Array.of(0, 1, 1), [0, 1, 0])).toBeCloseTo(2 / 3, 12)
    expect(accuracy([Int32Array.of(1, 5), Int32Array.of(7, 0)], [1, 0])).toBe(1) // scores that are whole numbers
    expect(accuracy(tensor(Int32Array.of(1, 5, 7, 0), [2, 2]), [1, 0])).toBe(1)
  })
})

describe('fit converts targets to the type that the loss takes once, so that no step runs as it is written', () => {
  const kinds: [string, Loss, number, readonly number[]][] = [
    ['crossEntropy', crossEntropy, 3, [0, 1, 2, 1]],
    ['binaryCrossEntropy', binaryCrossEntropy, 1, [0, 1, 1, 0]],
    ['mse', mse, 1, [5, -3, 0, 2]],
  ]
  test.each(kinds)('%s', async (_name, loss, outputs, targets) => {
    const ways = [[...targets], Float32Array.from(targets), Float64Array.from(targets), Int32Array.from(targets), targets.map((t) => [t])]
    const seen = []
    for (const way of ways) {
      const model = netOfOutputs(outputs)
      const validation = { inputs: fourInputs, targets: way }
      const more = { targets: way, validation, loss, epochs: 6, batchSize: 2, metrics: [loss === mse ? 'mae' : 'accuracy'] }
      const { execution, epochs } = await fit(model, fourRows(model, more as Any) as Any)
      expect(execution.reason).toBeUndefined()
      expect(execution.writtenOut).toBeLessThan(3)
      seen.push({ state: model.state(), losses: epochs.map(({ loss, validation }) => [loss, validation?.loss]) })
    }
    for (const other of seen) expect(other).toEqual(seen[0])
  })
})

describe('what fit refuses', () => {
  const inputs = fourInputs
  const make = netOfOutputs
  const options = fourRows

  test('labels in any kind of array are looked at before the first step, and named by their row', async () => {
    for (const targets of [[0, 1, 1, 3], Int32Array.of(0, 1, 1, 3), Float32Array.of(0, 1, 1, 3)]) {
      const model = make(3)
      const before = model.state()
      await expect(fit(model, options(model, { targets, loss: crossEntropy }))).rejects.toThrow(
        'fit: targets, row 3: crossEntropy: label: wants whole numbers from 0 to 2, got 3',
      )
      expect(model.state()).toEqual(before)
    }
    const model = make()
    const validation = { inputs, targets: [0, 1, -1, 2] }
    await expect(fit(model, options(model, { validation, loss: binaryCrossEntropy }))).rejects.toThrow('fit: validation, row 2: binary')
  })
})

describe('with plain arguments', () => {
  const make = netOfTwo
  const data = threeRows

  test('targets of a yes-or-no question are from 0 to 1', async () => {
    const model = make()
    const optimizer = new Adam(model.parameters())
    const targets = [[0], [1], [2]]
    await expect(fit(model, { ...data, targets, loss: binaryCrossEntropy, optimizer })).rejects.toThrow(/row 2: .* from 0 to 1, got 2$/)
    expect(() => binaryCrossEntropy(model.forward(data.inputs), targets)).toThrow(/from 0 to 1, got 2 at position 2/)
  })
})

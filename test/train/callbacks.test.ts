/** Callbacks, metrics and progress of fit: asynchronous callbacks, errors in callbacks, and the reason why training ended. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  createBackend,
  Dense,
  EarlyStopping,
  evaluateModel,
  findLearningRate,
  fit,
  mse,
  mul,
  ReduceOnPlateau,
  Scheduler,
  Sequential,
  SGD,
  ShapeError,
  summary,
  type Tensor,
  type Training,
  type TrainingControl,
} from '../../ts/index.js'
import { fitCurve } from '../../ts/solve/index.js'
import { fourRows, netOfOutputs } from '../tools/small-nets.js'

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('callbacks and metrics', () => {
  const data = {
    inputs: [
      [1, 2],
      [3, 4],
    ],
    targets: [[1], [2]],
    loss: mse,
  }
  const optimizer = () => new SGD(net().parameters())

  test('a metric of your own may answer with a tensor of one element', async () => {
    const metrics = { half: (p: Tensor, t: Tensor) => mul(mse(p, t), 0.5) }
    const model = net()
    const { epochs } = await fit(model, {
      ...data,
      optimizer: new SGD(model.parameters()),
      metrics,
      validation: { inputs: data.inputs, targets: data.targets },
    })
    const [{ loss, metrics: values, validation }] = epochs
    expect(values.half).toBeCloseTo(loss / 2, 6)
    expect(validation?.half).toBeCloseTo((validation?.loss as number) / 2, 6)
    expect(evaluateModel(model, { ...data, metrics }).half).toBe(validation?.half)
  })

  test.each<[string, () => unknown, string]>([
    [
      'Scheduler',
      () => new Scheduler(optimizer(), { learningRate: 0.1 } as Any),
      "Scheduler: 'learningRate' wants a schedule, a function of the step, got 0.1",
    ],
    [
      'Scheduler.loadState',
      () => new Scheduler(optimizer(), () => 0.1).loadState({} as Any),
      'Scheduler.loadState(): wants { stepCount }, got an object with nothing',
    ],
    [
      'ReduceOnPlateau.loadState',
      () => new ReduceOnPlateau(optimizer()).loadState({} as Any),
      'wants { best, badSteps, cooldownLeft }, got an object with nothing',
    ],
    ['summary', () => summary(optimizer() as Any), 'summary: wants a model, got a SGD'],
    [
      'fitCurve',
      () => fitCurve((x, [a]) => a * x, [1, 2], [2, 4], [1] as Any),
      'fitCurve: wants options as an object, { jacobian: … }, got an array of 1',
    ],
  ])('%s', (_, call, message) => expect(call).toThrow(message))

  test('findLearningRate without an optimizer', async () => {
    await expect(findLearningRate(net(), data as Any)).rejects.toThrow('findLearningRate: optimizer wants an Optimizer, such as new Adam')
  })
})

describe('what fit refuses', () => {
  const make = netOfOutputs
  const options = fourRows

  test('an error in onProgress ends training, also where it is asynchronous', async () => {
    const boo = () => {
      throw new Error('boo')
    }
    for (const onProgress of [boo, async () => boo()]) {
      for (const epochs of [1, 1e7]) {
        const model = make()
        await expect(fit(model, options(model, { epochs, onProgress }))).rejects.toThrow('boo')
      }
    }
  })

  test('the reason why training ended is a text, and counts rightly', async () => {
    const model = make()
    const stopped = await fit(model, options(model, { callbacks: [{ onEpochEnd: (_: unknown, c: TrainingControl) => c.stop() }] }))
    expect(stopped.stopReason).toBe('stopped')
    const callbacks = [new EarlyStopping({ monitor: 'loss', patience: 1, minDelta: 9 })]
    expect((await fit(model, options(model, { epochs: 9, callbacks }))).stopReason).toMatch(/ for 1 epoch$/)
  })
})

test('an error inside fit shows the line that called it, however deep it was', async () => {
  const model = new Sequential([new Dense(2, 4), new Dense(4, 1)])
  const asked = { inputs: [[1, 2, 3]], targets: [[1]], loss: mse, optimizer: new Adam(model.parameters()) }
  const error = await fit(model, asked).catch((error: Error) => error)
  expect(error).toBeInstanceOf(ShapeError)
  expect((error as Error).stack?.match(/callbacks\.test\.ts/g)).toHaveLength(1)
  expect((error as Error).stack).toMatch(/^ShapeError: Dense\(2, 4\) '0': wants inputs of shape \[\.\.\., 2\][^\n]*\n +at /)
})

test('onPause is called after the steps that each callback asks for, also at the end of an epoch, and knows the training', async () => {
  const model = netOfOutputs()
  const seen = { three: [] as number[], five: [] as number[] }
  const every = (savesEvery: number, steps: number[]) => ({
    savesEvery,
    onTrainBegin: (_: TrainingControl, { plan }: Training) => void steps.push(-plan.batchesPerEpoch),
    onPause: ({ step }: { step: number }) => void (step % savesEvery === 0 && steps.push(step)),
  })
  const callbacks = [every(3, seen.three), every(5, seen.five)]
  await fit(model, fourRows(model, { batchSize: 1, epochs: 5, callbacks }))
  expect(seen).toEqual({ three: [-4, 3, 6, 9, 12, 15, 18], five: [-4, 5, 10, 15, 20] })
})

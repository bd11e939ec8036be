/** The result of a diverged training: an error with advice, and the last finite weights. */
import { describe, expect, test } from 'vitest'
import {
  Dense,
  Dropout,
  EarlyStopping,
  findLearningRate,
  fit,
  GradientAccumulation,
  Lookahead,
  type Loss,
  mean,
  mse,
  mul,
  SAM,
  Sequential,
  SGD,
  square,
  sub,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { allBackends, lineNet, linePoints, lineTargets } from '../tools/small-nets.js'

describe.each(allBackends)('$variant', (backend) => {
  const line = () => lineNet(backend)
  const inputs = linePoints
  const flat = lineTargets
  /** A user-defined loss equal to mse. */
  const own: Loss = (p, t) => mean(square(sub(p, t)))

  test('SAM in fit takes the steps of the loop written out', async () => {
    const make = () => {
      const model = new Sequential([new Dense(1, 6, { activation: 'tanh' }), new Dropout(0.2), new Dense(6, 1)], { seed: 3, backend })
      return { model, optimizer: new Lookahead(new SAM(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 })), { every: 3 }) }
    }
    const [a, b] = [make(), make()]
    const losses: number[] = []
    const metrics = { mse: (p: Tensor, t: Tensor) => mse(p, t).item() }
    const onBatchEnd = ({ loss }: { loss: number }) => void losses.push(loss)
    const data = { inputs, targets: flat }
    const options = {
      ...data,
      loss: mse,
      optimizer: a.optimizer,
      batchSize: 10,
      shuffle: false,
      epochs: 3,
      metrics,
      callbacks: [{ onBatchEnd }],
    }
    const history = await fit(a.model, options)
    for (let step = 0; step < 12; step++) {
      const from = (step % 4) * 10
      const [x, y] = [tensor(inputs.slice(from, from + 10), { backend }), flat.slice(from, from + 10)]
      ;(b.optimizer as unknown as SAM).step(() => mse(b.model.forward(x), y).backward())
    }
    expect(a.model.state()).toEqual(b.model.state())
    expect(history.epochs[2].metrics.mse).toBeCloseTo(history.epochs[2].loss, 5)
    expect(a.optimizer.stepCount).toBe(12)
    expect(losses.length).toBe(12)
    const state = a.model.state()
    const curve = await findLearningRate(a.model, { ...data, loss: mse, optimizer: a.optimizer, steps: 10, to: 0.1 })
    expect(curve.losses.length).toBe(10)
    expect(a.model.state()).toEqual(state)
    expect(() => new GradientAccumulation(a.optimizer, { every: 2 })).toThrow(/computes its gradients itself/)
  })

  test('SAM that diverges leaves the weights of the last finite step', async () => {
    const model = line()
    const optimizer = new SAM(new SGD(model.parameters(), { learningRate: 0 }))
    const before = model.state()
    let calls = 0
    const fails: Loss = (p, t) => (++calls % 4 === 0 ? mul(own(p, t), Number.NaN) : own(p, t))
    await expect(fit(model, { inputs, targets: flat, loss: fails, optimizer })).rejects.toThrow(/loss is NaN at step 2/)
    expect(model.state()).toEqual(before)
  })

  test('EarlyStopping puts the best weights back when training diverges', async () => {
    const model = line()
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    const states: object[] = []
    const stopping = new EarlyStopping({ patience: 9 })
    const recorder = { onEpochEnd: () => void states.push(model.state()) }
    const options = {
      inputs,
      targets: flat,
      loss: mse,
      optimizer,
      validationFraction: 0.2,
      epochs: 9,
      batchSize: 8,
      callbacks: [recorder, stopping],
    }
    const schedule = (step: number) => (step < 12 ? 0.1 : 1e25)
    await expect(fit(model, { ...options, schedule })).rejects.toThrow(/loss is (NaN|Infinity) at step/)
    expect(stopping.bestEpoch).toBe(3)
    expect(model.state()).toEqual(states[2])
  })
})

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const targets = inputs.map(([a, b]) => [a - 2 * b])

test('after a blow-up the message says that the weights are ruined, and how to get good ones', async () => {
  const model = new Sequential([new Dense(2, 8, { activation: 'relu' }), new Dense(8, 1)], { seed: 3 })
  const optimizer = new SGD(model.parameters(), { learningRate: 100 })
  const ruined = 'These weights are ruined: make the model anew or load saved ones; then lower the learning rate'
  const options = { inputs, targets, loss: mse, optimizer, epochs: 100, batchSize: 8 }
  await expect(fit(model, options)).rejects.toThrow(ruined)
  optimizer.learningRate = 0.001
  await expect(fit(model, options)).rejects.toThrow(`${ruined} (now 0.001)`)
  // finite weights of a usual size do not count as ruined
  const good = new Sequential([new Dense(2, 8, { activation: 'relu' }), new Dense(8, 1)], { seed: 3 })
  const far = { inputs, targets: targets.map(() => [1e38]), loss: mse, optimizer: new SGD(good.parameters()), epochs: 1 }
  await expect(fit(good, far)).rejects.toThrow('the weights are finite, those after step 0. Lower the learning rate')
})

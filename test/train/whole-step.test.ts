/** fit with optimizers that evaluate the loss themselves. */
import { describe, expect, test } from 'vitest'
import {
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  evaluateModel,
  findLearningRate,
  fit,
  huber,
  mse,
  Sequential,
  type Tensor,
} from '../../ts/index.js'
import {
  BFGS,
  ConjugateGradient,
  KFAC,
  LBFGS,
  LevenbergMarquardt,
  NaturalGradient,
  NewtonCG,
  TrustRegionNewton,
} from '../../ts/solve/index.js'

const backends = [createBackend({ backend: 'js', dtype: 'float64' }), createBackend()]
/** A new backend of the same kind, whose heap has no garbage of other tests. */
const fresh = ({ variant, dtype }: Backend) => createBackend(variant === 'js' ? { backend: 'js', dtype } : { variant })

const inputs = Array.from({ length: 48 }, (_, i) => [-1 + i / 24])
const targets = inputs.map(([x]) => [Math.sin(3 * x)])
const classes = Int32Array.from(inputs, ([x]) => (x < -0.4 ? 0 : x < 0.3 ? 1 : 2))
const net = (backend: Backend, outputs = 1) =>
  new Sequential([new Dense(1, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 2, backend })

describe.each(backends)('$variant $dtype', (backend) => {
  test.each(['LBFGS', 'BFGS', 'ConjugateGradient', 'NewtonCG', 'TrustRegionNewton', 'LevenbergMarquardt'] as const)(
    '%s on all rows',
    async (name) => {
      const own = fresh(backend)
      const model = net(own)
      const optimizers = {
        LBFGS: () => new LBFGS(model.parameters()),
        ConjugateGradient: () => new ConjugateGradient(model.parameters(), { maxIterations: 20 }),
        NewtonCG: () => new NewtonCG(model.parameters(), { maxIterations: 5 }),
        BFGS: () => new BFGS(model.parameters()),
        TrustRegionNewton: () => new TrustRegionNewton(model.parameters()),
        LevenbergMarquardt: () => new LevenbergMarquardt(model),
      }
      const optimizer = optimizers[name]()
      const { usedBytes } = own.heap
      const history = await fit(model, {
        inputs,
        targets,
        loss: mse,
        optimizer,
        batchSize: 'full',
        epochs: 8,
        metrics: ['meanAbsoluteError'],
      })
      const losses = history.epochs.map((e) => e.loss)
      expect(optimizer.stepCount).toBe(8)
      for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThanOrEqual(losses[i - 1] * (1 + 1e-6))
      expect(losses[7]).toBeLessThan(losses[0] / 20)
      expect(history.epochs[7].metrics.meanAbsoluteError).toBeLessThan(history.epochs[0].metrics.meanAbsoluteError)
      expect(evaluateModel(model, { inputs, targets, loss: mse }).loss).toBeLessThanOrEqual(losses[7] * (1 + 1e-5))
      // A step returns the memory that it takes.
      await fit(model, { inputs, targets, loss: mse, optimizer, batchSize: 'full', epochs: 2 })
      const before = own.heap.usedBytes
      await fit(model, { inputs, targets, loss: mse, optimizer, batchSize: 'full', epochs: 2 })
      expect(own.heap.usedBytes).toBe(before)
      expect(usedBytes).toBeGreaterThan(0)
    },
  )

  test('fit is the same as steps by hand', async () => {
    const [a, b] = [net(backend), net(backend)]
    await fit(a, { inputs, targets, loss: mse, optimizer: new LevenbergMarquardt(a, { maxIterations: 3 }), batchSize: 'full', epochs: 4 })
    const optimizer = new LevenbergMarquardt(b, { maxIterations: 3 })
    for (let k = 0; k < 4; k++) optimizer.step(inputs, targets)
    expect(a.parameters().map((p) => [...p.view()])).toEqual(b.parameters().map((p) => [...p.view()]))
  })

  test('weights of rows reach the closure', async () => {
    const model = net(backend)
    const weights = inputs.map(([x]) => (x < 0 ? 1 : 0))
    await fit(model, { inputs, targets, weights, loss: mse, optimizer: new LBFGS(model.parameters()), batchSize: 'full', epochs: 20 })
    const half = (from: number) => ({ inputs: inputs.slice(from, from + 24), targets: targets.slice(from, from + 24), loss: mse })
    expect(evaluateModel(model, half(0)).loss).toBeLessThan(0.01)
    expect(evaluateModel(model, half(24)).loss).toBeGreaterThan(0.05)
  })

  test.each([KFAC, NaturalGradient])('%o on mini-batches', async (Kind) => {
    const model = net(backend, 3)
    const optimizer = new Kind(model, { learningRate: 0.3, damping: 1e-2 })
    const history = await fit(model, { inputs, targets: classes, loss: crossEntropy, optimizer, batchSize: 16, epochs: 30 })
    expect(history.steps).toBe(90)
    expect(history.epochs[29].loss).toBeLessThan(history.epochs[0].loss / 3)
  })
})

test('what does not go together says what to do', async () => {
  const backend = createBackend()
  const model = net(backend)
  const data = { inputs, targets, loss: mse }
  await expect(fit(model, { ...data, optimizer: new LBFGS(model.parameters()) })).rejects.toThrow(/LBFGS .* set batchSize: 'full'/)
  const optimizer = new LevenbergMarquardt(model)
  await expect(fit(model, { ...data, loss: huber, optimizer, batchSize: 'full' })).rejects.toThrow(/LevenbergMarquardt .* pass loss: mse/)
  const weights = new Float32Array(48).fill(1)
  await expect(fit(model, { ...data, weights, optimizer, batchSize: 'full' })).rejects.toThrow(/no weights of rows/)
  await expect(fit(model, { ...data, optimizer, batchSize: 'full', schedule: () => 0.1 })).rejects.toThrow(/no learning rate to set/)
  await expect(fit(model, { ...data, optimizer: new KFAC(model) })).rejects.toThrow(/option loss is 'crossEntropy'/)
  await expect(findLearningRate(model, { ...data, optimizer: optimizer as never })).rejects.toThrow(/finds its steps itself/)
})

test('a prediction is made for those who look at it', async () => {
  const backend = backends[0]
  let forwards = 0
  class Counting extends Dense {
    override forward(...[x]: Parameters<Dense['forward']>) {
      forwards++
      return super.forward(x)
    }
  }
  for (const batchSize of ['full', 24] as const) {
    const count = async (metrics: readonly ['meanAbsoluteError'] | readonly []) => {
      const model = new Sequential([new Dense(1, 8, { activation: 'tanh' }), new Counting(8, 1)], { seed: 2, backend })
      const optimizer = { name: 'one evaluation', groups: [{ parameters: model.parameters() }], learningRate: 1, wholeBatch: false }
      const trainOn = ({ evaluate }: { evaluate: () => Tensor }) => evaluate().item()
      forwards = 0
      await fit(model, { inputs, targets, loss: mse, optimizer: { ...optimizer, trainOn, step() {} }, batchSize, epochs: 2, metrics })
      return forwards
    }
    const steps = batchSize === 'full' ? 2 : 4
    expect(await count([])).toBe(steps)
    expect(await count(['meanAbsoluteError'])).toBe(2 * steps)
  }
})

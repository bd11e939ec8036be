/**
 * Parts of WebAssembly that a bundler was told to leave out, as the playground's (playground/vite.config.ts) leaves out five: loops in JavaScript
 * then do the same, with the same results.
 */
import { afterEach, expect, test } from 'vitest'
import { FLEET, FLEET_OTHERS, FLEET_UPDATES } from '../../../ts/backend/wasm/fleet-parts.js'
import { DESCENT, DOUBLES, LOSSES, OPERATIONS, OTHERS, UPDATES } from '../../../ts/backend/wasm/parts.js'
import {
  Adam,
  type Backend,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  fit,
  fitMany,
  huber,
  Momentum,
  mean,
  mse,
  type Parameter,
  pow,
  RMSProp,
  Sequential,
  sub,
  tensor,
} from '../../../ts/index.js'
import { LevenbergMarquardt } from '../../../ts/solve/index.js'

const parts = { DESCENT, DOUBLES, FLEET, FLEET_OTHERS, FLEET_UPDATES, LOSSES, OPERATIONS, OTHERS, UPDATES }
const COUNT = 50
const INPUTS = Float32Array.from({ length: 3 * COUNT }, (_, i) => Math.sin(0.7 * i + 1))
const NUMBERS = Float32Array.from({ length: COUNT }, (_, i) => INPUTS[3 * i] * INPUTS[3 * i + 1] + 0.1)
const CLASSES = NUMBERS.map((y) => (y > 0.1 ? 1 : 0))

const netOf = (backend: Backend, seed = 1) =>
  new Sequential([new Dense(3, 6, { activation: 'tanh' }), new Dropout(0.2), new Dense(6, 1)], { seed, backend })
const weightsOf = (model: { parameters(): readonly Parameter[] }) => model.parameters().flatMap((parameter) => [...parameter.view()])
const data = { inputs: INPUTS, shape: [COUNT, 3], batchSize: 8, epochs: 4 }

/** Weights after a few epochs. */
const trained = (make: (parameters: readonly Parameter[]) => never, loss: unknown, targets: ArrayLike<number> = NUMBERS) =>
  async function train(backend: Backend): Promise<number[]> {
    const model = netOf(backend)
    await fit(model, { ...data, targets, loss, optimizer: make(model.parameters()) } as never)
    return weightsOf(model)
  }
const trainedInFleet = (
  make: (parameters: readonly Parameter[]) => unknown,
  loss: unknown = binaryCrossEntropy,
  targets: ArrayLike<number> = CLASSES,
) =>
  async function train(backend: Backend): Promise<number[]> {
    const models = [1, 2, 3].map((seed) => netOf(backend, seed))
    await fitMany(models, {
      ...data,
      targets,
      loss,
      optimizers: models.map((model) => make(model.parameters())),
    } as never)
    return models.flatMap(weightsOf)
  }

/** For each part, code that needs it. */
const NEEDS: Record<keyof typeof parts, (backend: Backend) => Promise<number[]>> = {
  DESCENT: trained((p) => new Momentum(p, { learningRate: 0.05 }) as never, mse),
  UPDATES: trained((p) => new RMSProp(p, { learningRate: 0.01 }) as never, mse),
  LOSSES: trained((p) => new Adam(p, { learningRate: 0.01 }) as never, binaryCrossEntropy, CLASSES),
  OPERATIONS: trained((p) => new Adam(p, { learningRate: 0.01 }) as never, huber),
  OTHERS: trained(
    (p) => new Adam(p, { learningRate: 0.01 }) as never,
    (output: never, target: never) => mean(pow(sub(output, target), 2)),
  ),
  DOUBLES: async (backend) => {
    const model = new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 1, backend })
    await fit(model, {
      ...data,
      batchSize: 'full',
      targets: NUMBERS,
      loss: mse,
      optimizer: new LevenbergMarquardt(model),
    } as never)
    return weightsOf(model)
  },
  FLEET: trainedInFleet((p) => new Adam(p, { learningRate: 0.01 })),
  FLEET_UPDATES: trainedInFleet((p) => new RMSProp(p, { learningRate: 0.01 })),
  FLEET_OTHERS: trainedInFleet((p) => new Adam(p, { learningRate: 0.01 }), mse, NUMBERS),
}

const texts = new Map(Object.values(parts).map((part) => [part, part.text]))
afterEach(() => {
  for (const [part, text] of texts) Object.defineProperty(part, 'text', { value: text, writable: true, configurable: true })
})

test.each(Object.keys(NEEDS) as (keyof typeof parts)[])('what needs %s does without it', async (name) => {
  const part = parts[name]
  const withPart = createBackend({ backend: 'wasm', variant: 'simd' })
  const wanted = await NEEDS[name](withPart)
  expect(withPart.part(part)).toBeDefined()
  let asked = 0
  const get = () => {
    asked++
    return ''
  }
  Object.defineProperty(part, 'text', { get, configurable: true })
  const without = createBackend({ backend: 'wasm', variant: 'simd' })
  const got = await NEEDS[name](without)
  expect(asked).toBeGreaterThan(0)
  expect(without.part(part)).toBeUndefined()
  expect(got.every(Number.isFinite)).toBe(true)
  got.forEach((w, i) => expect(w, `weight ${i}`).toBeCloseTo(wanted[i], 4))
})

test('without any part a net still learns', async () => {
  for (const part of texts.keys()) Object.defineProperty(part, 'text', { value: '', writable: true, configurable: true })
  const backend = createBackend({ backend: 'wasm', variant: 'simd' })
  const model = new Sequential([new Dense(3, 8, { activation: 'relu' }), new Dense(8, 2)], { seed: 1, backend })
  const targets = Int32Array.from(CLASSES)
  const loss = () => crossEntropy(model.predict(tensor(INPUTS, [COUNT, 3], { backend })) as never, targets).item()
  const before = loss()
  await fit(model, {
    ...data,
    targets,
    loss: crossEntropy,
    optimizer: new Momentum(model.parameters(), { learningRate: 0.1 }),
    epochs: 30,
  } as never)
  expect(loss()).toBeLessThan(before / 2)
})

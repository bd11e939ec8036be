/** Claims of models: a layer is in one training at a time, and forward is called only for batches. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  findLearningRate,
  fit,
  fitMany,
  Module,
  mse,
  Parameter,
  Sequential,
  SGD,
  type Tensor,
  tensor,
  trainSteps,
} from '../../ts/index.js'

const backend = createBackend({ backend: 'js' })
const data = { inputs: [[0, 1], [1, 0], [1, 1], [0, 0]], targets: [0, 1, 1, 0] } // biome-ignore format: rows
const options = (model: Module) => ({ ...data, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.1 }), batchSize: 1 })
const take = async (model: Module) => {
  for await (const _ of trainSteps(model, options(model)));
}

describe('what others do to a model during fit is what the next step begins with', () => {
  for (const replay of [true, false])
    test(`as in a loop by hand, replay ${replay}`, async () => {
      const wasm = createBackend()
      const make = (seed: number) => new Sequential([new Dense(2, 3, { activation: 'tanh' }), new Dense(3, 1)], { seed, backend: wasm })
      const other = make(9).state()
      const touch = (model: Module, second: SGD, epoch: number) => {
        if (epoch === 2) model.loadState(other)
        if (epoch !== 3) return
        for (const parameter of model.parameters()) parameter.grad = new Float32Array(parameter.size).fill(1)
        second.step()
      }
      const setUp = () => {
        const model = make(1)
        return {
          model,
          optimizer: new Adam(model.parameters(), { learningRate: 0.1 }),
          second: new SGD(model.parameters(), { learningRate: 0.5 }),
        }
      }
      const a = setUp()
      const onEpochEnd = ({ epoch }: { epoch: number }) => touch(a.model, a.second, epoch)
      const shared = {
        inputs: tensor(data.inputs, undefined, { backend: wasm }),
        targets: tensor([[0], [1], [1], [0]], undefined, { backend: wasm }),
        loss: mse,
        epochs: 5,
        batchSize: 2,
        seed: 3,
      }
      await fit(a.model, { ...shared, optimizer: a.optimizer, replay, callbacks: [{ onEpochEnd }] })
      const b = setUp()
      let steps = 0
      for await (const _ of trainSteps(b.model, { ...shared, optimizer: b.optimizer, replay: false })) {
        steps++
        if (steps % 2 === 0) touch(b.model, b.second, steps / 2)
      }
      const bits = (model: Module) => model.parameters().map((parameter) => [...parameter.data()])
      expect(bits(a.model)).toEqual(bits(b.model))
    })
})

describe('fault 34: one training of a layer at a time', () => {
  test('two models that share a layer, or a parameter', async () => {
    const shared = new Dense(2, 2)
    const make = () => new Sequential([shared, new Dense(2, 1)], { seed: 1, backend })
    const [a, b] = [make(), make()]
    const running = fit(a, { ...options(a), epochs: 20, yieldEvery: 0 })
    await expect(fit(b, options(b))).rejects.toThrow(
      /^fit: Dense\(2, 2\) '0' is being trained already as a part of another model; wait for/,
    )
    await expect(take(b)).rejects.toThrow(/^trainSteps: Dense\(2, 2\) '0' is being trained/)
    await expect(fitMany([b], { ...data, loss: mse, optimizers: [options(b).optimizer] })).rejects.toThrow(/^fitMany: Dense\(2, 2\) '0'/)
    await running
    await fit(b, options(b))

    class Tied extends Module {
      constructor(readonly weight: Parameter) {
        super({ backend })
      }
      forward(x: Tensor): Tensor {
        return new Dense(2, 1).forward(x)
      }
    }
    const weight = new Parameter([1, 2], { backend, name: 'tied' })
    const [c, d] = [new Tied(weight), new Tied(weight)]
    const other = fit(c, { ...options(c), callbacks: [{ onTrainBegin: () => new Promise((resolve) => setTimeout(resolve, 5)) }] }).catch(
      () => {},
    )
    await expect(fit(d, options(d))).rejects.toThrow(/^fit: parameter 'weight' is being trained already/)
    await other
  })

  test('fit inside of trainSteps, and trainSteps inside of fit', async () => {
    const model = new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
    for await (const _ of trainSteps(model, options(model))) {
      await expect(fit(model, options(model))).rejects.toThrow('fit: this model is being trained already; end that loop, or call return()')
      await expect(findLearningRate(model, options(model))).rejects.toThrow('findLearningRate: this model is being trained already')
      break
    }
    const inside = { onEpochEnd: () => take(model) }
    await expect(fit(model, { ...options(model), callbacks: [inside] })).rejects.toThrow(/trainSteps: this model is being trained already/)
    await fit(model, options(model))
  })

  test('loops over steps may take turns on a model, and an iterator that was returned or failed holds nothing', async () => {
    const model = new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
    const [a, b] = [trainSteps(model, options(model)), trainSteps(model, options(model))]
    for (let i = 0; i < 3; i++) expect([(await a.next()).value?.step, (await b.next()).value?.step]).toEqual([i + 1, i + 1])
    await a.return()
    await b.return()
    await expect(trainSteps(model, { ...options(model), batchSize: 0 }).next()).rejects.toThrow('batchSize wants a whole number')
    await fit(model, options(model))
  })
})

describe('forward', () => {
  class Counts extends Module {
    calls = 0
    readonly layer = new Dense(2, 3)
    forward(x: Tensor): Tensor {
      counted++
      return this.layer.forward(x)
    }
  }
  let counted = 0

  test('fault 16.10: is called once for each batch of training and validation, and for nothing else', async () => {
    const model = new Counts({ seed: 1, backend })
    counted = 0
    const validation = { ...data, targets: Int32Array.from(data.targets) }
    await fit(model, { ...options(model), targets: validation.targets, loss: crossEntropy, epochs: 3, replay: false, validation })
    expect(counted).toBe(3 * (4 + 1))
  })

  test('labels that no loss takes are named by their row all the same, before the first update', async () => {
    const model = new Counts({ seed: 1, backend })
    const before = model.state()
    const wrong = { ...options(model), targets: Int32Array.of(0, 1, 7, 0), loss: crossEntropy, shuffle: false }
    await expect(fit(model, wrong)).rejects.toThrow(/fit: targets, row 2: .*got 7/)
    const validation = { inputs: data.inputs, targets: Int32Array.of(0, 1, 2, 5) }
    const right = { ...wrong, targets: Int32Array.of(0, 1, 2, 0), validation }
    await expect(fit(model, right)).rejects.toThrow(/fit: validation, row 3: .*got 5/)
    expect(model.state()).toEqual(before)
  })
})

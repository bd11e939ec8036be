/** Inputs of fit and predict: rows as people have them, batches, data in the memory of a step. */
import { describe, expect, test, vi } from 'vitest'
import { Adam, Dense, fit, Module, matmul, mean, mse, mul, Sequential, SGD, type Tensor, type TensorLike, tensor } from '../../ts/index.js'
import { allBackends, lineNet, linePoints, lineTargets, netOfTwo, threeRows } from '../tools/small-nets.js'

describe.each(allBackends)('$variant', (backend) => {
  const line = () => lineNet(backend)
  const inputs = linePoints
  const flat = lineTargets

  test('rows may be typed arrays, as embeddings come', async () => {
    const vectors = inputs.map((row) => Float64Array.from(row))
    const run = async (data: { inputs: TensorLike }) => {
      const model = line()
      const optimizer = new Adam(model.parameters())
      await fit(model, { ...data, targets: flat, loss: mse, optimizer, epochs: 2 })
      return [...model.predict(data.inputs).data()]
    }
    expect(await run({ inputs: vectors })).toEqual(await run({ inputs }))
    expect(tensor([[Int32Array.of(1, 2)], [Int32Array.of(3, 4)]], { backend }).toArray()).toEqual([[[1, 2]], [[3, 4]]])
  })

  test('predict of many rows copies each of them once', () => {
    const model = new Sequential([new Dense(4, 3, { activation: 'relu' }), new Dense(3, 2)], { seed: 1, backend })
    const x = tensor(
      Float32Array.from({ length: 4 * 5000 }, (_, i) => Math.sin(i)),
      [5000, 4],
      { backend },
    )
    const whole = model.predict(x, { batchSize: 5000 })
    const copied = vi.spyOn(backend.arena, 'noteCopy')
    expect(model.predict(x, { batchSize: 100 }).data()).toEqual(whole.data())
    // 50 blocks of the input
    expect(copied).toHaveBeenCalledTimes(50)
    let elements = 0
    const { allocate } = backend.arena
    backend.arena.allocate = (bytes) => {
      elements += bytes / 4
      return allocate.call(backend.arena, bytes)
    }
    model.predict(x, { batchSize: 100 })
    backend.arena.allocate = allocate
    expect(elements).toBeLessThan(5000 * (4 + 3 + 3 + 2 + 8))
  })

  test('predict in batches takes inputs from a step, and refuses outputs that are no rows of one table', () => {
    const model = new Sequential([new Dense(2, 1)], { seed: 1, backend })
    const x = mul(
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        { requiresGrad: true, backend },
      ),
      2,
    )
    expect(model.predict(x, { batchSize: 2 }).data()).toEqual(model.predict(x.keep()).data())
    class Odd extends Module {
      constructor(private of: (x: Tensor) => Tensor) {
        super({ backend })
      }
      forward(x: Tensor) {
        return this.of(x)
      }
    }
    const batches = { batchSize: 2 }
    expect(() => new Odd((t) => matmul(t, t, { transposeB: true })).predict(x, batches)).toThrow(
      /predict: .*shapes \[2, 2\] and \[1, 1\] are not rows/,
    )
    expect(() => new Odd((t) => mean(t)).predict(x, batches)).toThrow(/shapes \[\] and \[\] are not rows/)
  })
})

describe.each(allBackends)('$variant', (backend) => {
  test('data in the memory of a step is copied before training on it', async () => {
    const w = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ],
      { requiresGrad: true, backend },
    )
    const model = new Sequential([new Dense(2, 1)], { backend })
    const optimizer = new SGD(model.parameters(), { learningRate: 0 })
    const targets = [[1], [2], [3], [4], [5]]
    const history = await fit(model, { inputs: mul(w, 1), targets, loss: mse, optimizer, epochs: 3, batchSize: 2, validationFraction: 0.4 })
    expect(new Set(history.epochs.map((e) => e.validation?.loss)).size).toBe(1)
  })
})

describe('with plain arguments', () => {
  const make = netOfTwo
  const data = threeRows

  test('fit without a batch size takes all rows where there are few', async () => {
    const model = make()
    expect((await fit(model, { ...data, optimizer: new Adam(model.parameters()) })).steps).toBe(1)
  })
})

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

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

/** Faults that were found by reading, each with the program that showed it. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  argmax,
  binaryCrossEntropy,
  createBackend,
  Dense,
  Embedding,
  equal,
  evaluateModel,
  fit,
  gradients,
  logSumExp,
  Module,
  max,
  mse,
  mul,
  noGrad,
  Parameter,
  reshape,
  Sequential,
  SGD,
  StaleTensorError,
  slice,
  square,
  stack,
  sum,
  supportedVariants,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'

const backends = [createBackend({ backend: 'js' }), ...supportedVariants().map((variant) => createBackend({ variant }))]

describe.each(backends)('$variant', (backend) => {
  test('backward() of a loss of a past step is refused', () => {
    const w = new Parameter([1, 2], { backend })
    const optimizer = new SGD([w], { learningRate: 0.1 })
    const stale = mse(mul(w, 1), [0, 0])
    w.grad = [0, 0]
    optimizer.step()
    mse(mul(w, 2), [1, 1]).backward()
    expect(() => stale.backward()).toThrow(StaleTensorError)
  })

  test('a model of models: every parameter has its own name, and state() has them all', () => {
    class Autoencoder extends Module {
      encoder = new Sequential([new Dense(3, 2)], { seed: 1, backend })
      decoder = new Sequential([new Dense(2, 3)], { seed: 2, backend })
      scales = [new Parameter([1], { backend }), new Parameter([2], { backend })]
      forward(x: Tensor): Tensor {
        return mul(this.decoder.forward(this.encoder.forward(x)), this.scales[0])
      }
    }
    const model = new Autoencoder({ backend })
    const names = ['encoder.0.weight', 'encoder.0.bias', 'decoder.0.weight', 'decoder.0.bias', 'scales.0', 'scales.1'].sort()
    expect(Object.keys(model.state()).sort()).toEqual(names)
    expect(
      model
        .parameters()
        .map((p) => p.name)
        .sort(),
    ).toEqual(names)
    expect(model.loadState(model.state()).parameters().length).toBe(6)
    const nested = new Sequential([new Sequential([new Dense(2, 2), new Dense(2, 2)], { backend }), new Dense(2, 1)], { backend })
    expect(Object.keys(nested.state()).length).toBe(6)
  })

  test('a layer that could not be built is not taken for built', () => {
    const layer = new Dense(2, 2, { weightInitializer: 'bad' as 'zeros', backend })
    expect(() => layer.predict([[1, 2]])).toThrow(/initializer is one of/)
    expect(() => layer.predict([[1, 2]])).toThrow(/initializer is one of/)
  })

  test('whole numbers are numbers in every operation', () => {
    const ints = (...values: number[]) => tensor(Int32Array.from(values), { backend })
    expect(sum(ints(1, 2, 3)).item()).toBe(6)
    expect(add(ints(1, 2), 1).toArray()).toEqual([2, 3])
    expect(
      equal(
        argmax(
          tensor(
            [
              [0, 1],
              [1, 0],
            ],
            { backend },
          ),
        ),
        [1, 0],
      ).toArray(),
    ).toEqual([1, 1])
    expect(slice(ints(4, 5, 6), 1)).toMatchObject({ dtype: 'int32', shape: [2] })
    expect(mse(tensor([[1], [2]], { backend }), [[0], [0]], { weights: ints(1, 3) }).item()).toBe(6.5)
    const table = new Embedding(5, 2, { backend })
    expect(
      table.predict(
        tensor(
          Int32Array.from({ length: 3000 }, (_, i) => i % 5),
          [3000, 1],
          { backend },
        ),
        { batchSize: 100 },
      ).shape,
    ).toEqual([3000, 1, 2])
  })

  test('batch sizes that are none do not reach the memory', () => {
    const model = new Sequential([new Dense(2, 1)], { backend })
    const data = { inputs: [[1, 2]], targets: [[1]], loss: mse }
    for (const batchSize of [-3, 0.5, 0, Number.NaN])
      expect(() => evaluateModel(model, { ...data, batchSize })).toThrow(/batchSize must be/)
  })

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
    const history = await fit(model, { inputs: mul(w, 1), targets, loss: mse, optimizer, epochs: 3, batchSize: 2, validationSplit: 0.4 })
    expect(new Set(history.epochs.map((e) => e.valLoss)).size).toBe(1)
  })

  test('after running out of memory, a batch that fits does', async () => {
    const small = createBackend({ backend: backend.name, memoryLimit: 24 << 20 })
    const model = new Sequential([new Dense(64, 64, { activation: 'relu' }), new Dense(64, 1)], { backend: small })
    const optimizer = new Adam(model.parameters())
    const options = {
      inputs: zeros([60_000, 64], { backend: small }),
      targets: zeros([60_000, 1], { backend: small }),
      loss: mse,
      optimizer,
    }
    await expect(fit(model, { ...options, batchSize: 'full' })).rejects.toThrow(/out of memory/)
    expect((await fit(model, { ...options, batchSize: 4096 })).steps).toBe(15)
    const step = (rows: number) => {
      mse(model.forward(zeros([rows, 64], { backend: small })), zeros([rows, 1], { backend: small })).backward()
      optimizer.step()
    }
    expect(() => step(60_000)).toThrow(/out of memory/)
    step(4096)
  })

  test('second derivatives in a loop are flat', () => {
    const x = tensor([3], { requiresGrad: true, backend })
    let used = 0
    for (let i = 0; i < 20_000; i++) {
      const [dx] = gradients(sum(mul(x, mul(x, x))), [x], { createGraph: true })
      gradients(sum(dx), [x])
      if (i === 1000) used = backend.heap.usedBytes
    }
    expect(backend.heap.usedBytes).toBeLessThanOrEqual(used)
  })

  test('logSumExp of infinities', () => {
    const of = (...values: number[]) => logSumExp(tensor(values, { backend })).item()
    expect(of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY)).toBe(Number.NEGATIVE_INFINITY)
    expect(of(Number.POSITIVE_INFINITY, 1)).toBe(Number.POSITIVE_INFINITY)
    expect(of(Number.NEGATIVE_INFINITY, 1)).toBe(1)
  })

  test('numbers beside tensors belong to the backend of those', () => {
    const x = tensor([3, 4], { backend })
    expect(stack([[1, 2], x]).toArray()).toEqual(stack([tensor([1, 2], { backend }), x]).toArray())
  })

  test('messages name what was called and do not choke on what was passed', () => {
    expect(() => sum(tensor([1, 2], { backend }), 3)).toThrow(/^sum: axis 3/)
    expect(() => max(zeros([0], { backend }))).toThrow(/^max: /)
    expect(() => tensor([1n as unknown as number], { backend })).toThrow(/wants a number at \[0\], got 1/)
    const circular: unknown[] = []
    circular.push({ circular })
    expect(() => tensor(circular as number[], { backend })).toThrow(/got an object with circular/)
    expect(() => mse(zeros([2, 3, 1], { backend }), zeros([3, 2], { backend }) as Tensor)).toThrow(
      /prediction has shape \[2, 3, 1\], target \[3, 2\]/,
    )
  })

  test('what was detached from a parameter stays, wherever the parameter goes', () => {
    const w = new Parameter([1, 2, 3], { backend })
    const [detached, reshaped] = [w.detach(), noGrad(() => reshape(w, [3, 1]))]
    new Adam([new Parameter([9, 9, 9], { backend }), w]) // moves the values
    w.assign([7, 7, 7])
    new Parameter(new Float32Array(64).fill(5), { backend })
    expect([detached.toArray(), reshaped.toArray()]).toEqual([
      [1, 2, 3],
      [[1], [2], [3]],
    ])
  })

  test('a frozen model may run as often as one likes', () => {
    const model = new Sequential([new Dense(2, 2)], { backend })
    for (const p of model.parameters()) p.requiresGrad = false
    for (let i = 0; i < 6000; i++) model.forward(tensor([[1, 2]], { backend }))
    expect(square(model.forward(tensor([[1, 2]], { backend }))).requiresGrad).toBe(false)
  })
})

describe('as a new user found it', () => {
  const backend = createBackend({ backend: 'js' })
  const make = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { backend })
  const data = {
    inputs: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    targets: [[1], [2], [3]],
    loss: mse,
  }

  test('fit without a batch size takes all rows where there are few', async () => {
    const model = make()
    expect((await fit(model, { ...data, optimizer: new Adam(model.parameters()) })).steps).toBe(1)
  })

  test('misspelt options are named, also in plain JavaScript', async () => {
    const model = make()
    const optimizer = new Adam(model.parameters())
    await expect(fit(model, { ...data, optimizer, epoch: 5 } as never)).rejects.toThrow(/no option 'epoch'; did you mean epochs/)
    expect(() => new Dense(2, 2, { activaton: 'relu' } as never)).toThrow(/no option 'activaton'; did you mean activation/)
    const wanted = 'Sequential: wants layers in an array, [new Dense(…), …], got a Dense'
    expect(() => new Sequential(new Dense(2, 2) as never)).toThrow(new TypeError(wanted))
    expect(() => new Sequential(new Dense(2, 2) as never, new Dense(2, 1) as never)).toThrow(new TypeError(wanted))
    expect(() => new Adam(make().parameters(), { constructor: 1 } as never)).toThrow(/^Adam: there is no option 'constructor'/)
  })

  test('state survives JSON, bit by bit', () => {
    const [a, b] = [make(), make()]
    const [optA, optB] = [new Adam(a.parameters()), new Adam(b.parameters())]
    const step = (model: typeof a, optimizer: Adam) => {
      mse(model.forward(data.inputs), data.targets).backward()
      optimizer.step()
    }
    for (let i = 0; i < 5; i++) step(a, optA)
    b.loadState(JSON.parse(JSON.stringify(a.state())))
    optB.loadState(JSON.parse(JSON.stringify(optA.state())))
    for (let i = 0; i < 5; i++) {
      step(a, optA)
      step(b, optB)
    }
    expect(b.state()).toEqual(a.state())
  })

  test('an array in two groups', () => {
    const w = { value: new Float32Array([1]), gradient: new Float32Array([1]), name: 'w' }
    for (const same of [w, { ...w }]) {
      expect(() => new SGD([{ parameters: [w] }, { parameters: [same] }], { learningRate: 0.1, backend })).toThrow(/'w' is given twice/)
    }
  })

  test('targets of a yes-or-no question are from 0 to 1', async () => {
    const model = make()
    const optimizer = new Adam(model.parameters())
    const targets = [[0], [1], [2]]
    await expect(fit(model, { ...data, targets, loss: binaryCrossEntropy, optimizer })).rejects.toThrow(/row 2: .* from 0 to 1, got 2$/)
    expect(() => binaryCrossEntropy(model.forward(data.inputs), targets)).toThrow(/from 0 to 1, got 2 at position 2/)
  })
})

/** Misuse and edge cases of operations and graphs: stale losses, numbers as operands, infinities, integers, memory that runs out. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  argmax,
  createBackend,
  Dense,
  Embedding,
  equal,
  fit,
  gradients,
  logSumExp,
  max,
  mse,
  mul,
  Parameter,
  Sequential,
  SGD,
  StaleTensorError,
  slice,
  square,
  stack,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

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

  test('a frozen model may run as often as one likes', () => {
    const model = new Sequential([new Dense(2, 2)], { backend })
    for (const p of model.parameters()) p.requiresGrad = false
    for (let i = 0; i < 6000; i++) model.forward(tensor([[1, 2]], { backend }))
    expect(square(model.forward(tensor([[1, 2]], { backend }))).requiresGrad).toBe(false)
  })
})

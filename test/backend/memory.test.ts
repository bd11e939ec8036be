/** Memory needs no call by the user: after long synchronous loops the heap is as large as before. */
import { describe, expect, test } from 'vitest'
import { Adam, createBackend, Dense, mse, OutOfMemoryError, Sequential, tensor, zeros } from '../../ts/index.js'
import { collectGarbage } from '../tools/garbage.js'
import { cases } from '../tools/nightly.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()
/** A million at night. */
const STEPS = cases(1_000_000)

function footprint(backend: (typeof backends)[number]) {
  return { total: backend.heap.totalBytes, used: backend.heap.usedBytes }
}

describe.each(backends)('$variant', (backend) => {
  test(`${STEPS} tiny training steps in one synchronous loop are flat`, () => {
    const model = new Sequential([new Dense(1, 2, { activation: 'tanh' }), new Dense(2, 1)], { seed: 1, backend })
    const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
    const x = tensor([[0.5], [-0.5]], { backend })
    const y = tensor([[0.25], [-0.25]], { backend })
    const steps = backend.name === 'js' ? STEPS / 10 : STEPS
    let after1000: ReturnType<typeof footprint> | undefined
    let jsHeap = 0
    for (let i = 1; i <= steps; i++) {
      mse(model.forward(x), y).backward()
      optimizer.step()
      if (i === 1000) {
        after1000 = footprint(backend)
        collectGarbage()
        jsHeap = process.memoryUsage().heapUsed
      }
    }
    expect(footprint(backend)).toEqual(after1000)
    collectGarbage()
    expect(process.memoryUsage().heapUsed - jsHeap).toBeLessThan(4e6)
    expect(mse(model.predict(x), y).item()).toBeLessThan(1e-3)
  })

  test('fault 6: 100,000 forward passes for evaluation in one synchronous loop are flat', () => {
    const model = new Sequential([new Dense(4, 8, { activation: 'relu' }), new Dense(8, 2)], { seed: 1, backend })
    const x = zeros([16, 4], { backend })
    model.predict(x)
    const before = footprint(backend)
    for (let i = 0; i < 100_000; i++) model.predict(x)
    expect(footprint(backend)).toEqual(before)
  })

  test('fault 5: the same batch shape costs the same bytes each step, a larger one grows once', () => {
    const model = new Sequential([new Dense(64, 64, { activation: 'relu' }), new Dense(64, 1)], { seed: 1, backend })
    const optimizer = new Adam(model.parameters())
    const step = (rows: number) => {
      mse(model.forward(zeros([rows, 64], { backend })), zeros([rows, 1], { backend })).backward()
      optimizer.step()
    }
    for (let i = 0; i < 5; i++) step(32)
    const small = footprint(backend)
    for (let i = 0; i < 50; i++) step(32)
    expect(footprint(backend)).toEqual(small)
    for (let i = 0; i < 5; i++) step(512)
    const large = footprint(backend)
    for (let i = 0; i < 50; i++) step(i % 2 ? 512 : 31)
    expect(footprint(backend)).toEqual(large)
  })
})

describe.each(['js', 'wasm'] as const)('at the memory limit, %s', (name) => {
  const backend = createBackend({ backend: name, memoryLimit: 24 << 20 })

  test('a clear error, and the model goes on as it was', () => {
    const model = new Sequential([new Dense(256, 256, { activation: 'relu' }), new Dense(256, 4)], { seed: 1, backend })
    const optimizer = new Adam(model.parameters())
    const train = (rows: number) => {
      const loss = mse(model.forward(zeros([rows, 256], { backend })), zeros([rows, 4], { backend }))
      loss.backward()
      optimizer.step()
      return loss.item()
    }
    train(8)
    const before = model.state()
    expect(() => train(40_000)).toThrow(OutOfMemoryError)
    expect(() => train(40_000)).toThrow(/out of memory: .* MiB more requested with .* in use and a limit of 24\.0 MiB/)
    expect(model.state()).toEqual(before)
    expect(train(8)).toBe(0)
    expect(() => new Sequential([new Dense(4096, 4096)], { backend })).toThrow(OutOfMemoryError)
    expect(train(8)).toBe(0)
  })
})

test('models that nobody holds give their memory back', async () => {
  const backend = createBackend({ backend: 'js' })
  const make = () => new Sequential([new Dense(256, 256)], { backend })
  for (let i = 0; i < 30; i++) {
    make()
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(backend.heap.usedBytes).toBeLessThan(8 << 20)
})

/** A trap in WebAssembly: no computation continues with memory that may be wrong, and a new engine is available at once. */
import { expect, test } from 'vitest'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  Adam,
  type Backend,
  createBackend,
  Dense,
  defaultBackend,
  EngineCrashedError,
  fit,
  fitMany,
  load,
  mse,
  Parameter,
  reset,
  Sequential,
  type Tensor,
  tensor,
  trainSteps,
} from '../../ts/index.js'
import { milliseconds } from '../tools/nightly.js'

/** Makes the kernel of that name trap at its n-th call from now on: it is called with an address outside of memory. */
function breakKernel(kernels: Backend['kernels'], name: 'denseForward' | 'denseBackward' | 'runProgram', n: number): void {
  const table = kernels as unknown as Record<string, (...args: number[]) => unknown>
  const kernel = table[name]
  table[name] = (x, ...rest) => kernel(--n <= 0 ? 0xfffffff0 : x, ...rest)
}

const job = (backend: ReturnType<typeof createBackend>) => {
  const model = new Sequential([new Dense(8, 16, { activation: 'tanh' }), new Dense(16, 1)], { seed: 1, backend })
  const optimizer = new Adam(model.parameters())
  const x = tensor(new Float32Array(80).fill(0.5), [10, 8], { backend })
  const y = tensor(new Float32Array(10), [10, 1], { backend })
  return { model, optimizer, x, y }
}

test.each(
  supportedVariants().flatMap((variant) =>
    (['denseForward', 'denseBackward'] as const).flatMap((kernel) => [1, 2, 3].map((call) => ({ variant, kernel, call }))),
  ),
)('fault 11: $variant: a trap in call $call of $kernel stops the backend', async ({ variant, kernel, call }) => {
  const backend = createBackend({ variant })
  const { model, optimizer, x, y } = job(backend)
  const before = model.state()
  breakKernel(backend.kernels, kernel, call)
  const error = await (async () => {
    for (let i = 0; i < 3; i++) {
      mse(model.forward(x), y).backward()
      optimizer.step()
    }
  })().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(EngineCrashedError)
  expect((error as EngineCrashedError).kernel).toBe(kernel)
  expect((error as EngineCrashedError).cause).toBeInstanceOf(WebAssembly.RuntimeError)
  expect((error as Error).message).toMatch(/^the engine crashed in dense(For|Back)ward \(.+\) and computes no more; call reset\(\)/)
  // every way to compute fails fast, and parameters can be read
  const uses: (() => unknown)[] = [
    () => model.forward(x),
    () => model.predict(x),
    () => optimizer.step(),
    () => new Parameter([1], { backend }),
    () => mse(x, x),
    () => job(backend),
  ]
  for (const use of uses) expect(use).toThrow(EngineCrashedError)
  await expect(fit(model, { inputs: x, targets: y, loss: mse, optimizer })).rejects.toThrow(EngineCrashedError)
  expect(Object.keys(model.state())).toEqual(Object.keys(before))
})

test('fault 11: a trap inside fit, in a step of its own or a replayed one, is the same error', async () => {
  for (const call of [1, 2, 5]) {
    const backend = createBackend({ variant: 'simd' })
    const { model, optimizer, x, y } = job(backend)
    breakKernel(backend.kernels, 'denseForward', call)
    const training = fit(model, { inputs: x, targets: y, loss: mse, optimizer, epochs: 5, batchSize: 5, callbacks: [{ onBatchEnd() {} }] })
    await expect(training).rejects.toThrow(EngineCrashedError)
    expect(() => model.predict(x)).toThrow(EngineCrashedError)
  }
})

test('fault 11: a trap in trainSteps, in a step as written or a replayed one, is the same error', async () => {
  for (const kernel of ['denseForward', 'runProgram'] as const) {
    const backend = createBackend({ variant: 'simd' })
    const { model, optimizer, x, y } = job(backend)
    breakKernel(backend.kernels, kernel, 2)
    const training = (async () => {
      for await (const _ of trainSteps(model, { inputs: x, targets: y, loss: mse, optimizer, epochs: 5, batchSize: 5 }));
    })()
    await expect(training).rejects.toThrow(EngineCrashedError)
    expect(() => model.predict(x)).toThrow(EngineCrashedError)
  }
})

test('fault 11: a trap in a fleet ends all of its nets, side by side or one after the other', async () => {
  for (const sideBySide of [true, false]) {
    const backend = createBackend({ variant: 'simd' })
    const jobs = [job(backend), job(backend), job(backend)]
    breakKernel(backend.kernels, 'runProgram', 1)
    const training = fitMany(
      jobs.map(({ model }) => model),
      {
        ...{ inputs: jobs[0].x, targets: jobs[0].y, loss: mse, optimizers: jobs.map(({ optimizer }) => optimizer) },
        // nets with a user-defined loss are trained one after the other
        ...{ epochs: 400, batchSize: 5, ...(sideBySide ? {} : { loss: (p: Tensor, t: Tensor) => mse(p, t) }) },
      },
    )
    if (sideBySide) await expect(training).rejects.toThrow(EngineCrashedError)
    else for (const { error } of await training) expect(error).toBeInstanceOf(EngineCrashedError)
    for (const { model, x } of jobs) expect(() => model.predict(x)).toThrow(EngineCrashedError)
  }
})

test('fault 11: reset() makes a fresh engine with the options of load(), at once, and saved weights go on there', async () => {
  await load({ variant: 'simd', memoryLimit: 128 << 20 })
  const old = defaultBackend()
  const first = job(old)
  const saved = first.model.state()
  const wanted = first.model.predict(first.x).data()
  breakKernel(old.kernels, 'denseForward', 1)
  expect(() => first.model.predict(first.x)).toThrow(EngineCrashedError)
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now()
    reset()
    return performance.now() - start
  })
  // the best of five: a machine may be busy
  expect(Math.min(...times)).toBeLessThan(milliseconds(50))
  const fresh = defaultBackend()
  expect([fresh === old, fresh.variant, fresh.heap.limit]).toEqual([false, 'simd', 128 << 20])
  const second = job(fresh)
  second.model.loadState(saved)
  expect(second.model.predict(second.x).data()).toEqual(wanted)
  expect(() => first.model.predict(first.x)).toThrow(EngineCrashedError)
})

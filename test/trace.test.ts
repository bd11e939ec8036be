/** trace: lists the kernels that ran, with sizes and counts; and leaves no trace of itself afterwards. */
import { describe, expect, test } from 'vitest'
import { trace } from '../ts/debug/index.js'
import { Adam, crossEntropy, Dense, fit, Optimizer, relu, Sequential, sum, type Tensor, tensor } from '../ts/index.js'
import { newEngines } from './tools/small-nets.js'

const backends = newEngines()

describe.each(backends)('%s', (backend) => {
  const make = () => new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)], { seed: 1, backend })

  test('a forward pass is its kernels with their sizes', () => {
    const model = make()
    const { kernels } = backend
    const seen = trace(() => model.predict([[1, 2, 3, 4]]), { backend })
    expect(seen.result.toArray()).toEqual(model.predict([[1, 2, 3, 4]]).toArray())
    expect(seen.kernels.map(({ kernel, sizes, calls }) => [kernel, ...sizes, calls]).sort()).toEqual([
      ['denseForward', 1, 16, 3, 1],
      ['denseForward', 1, 4, 16, 1],
    ])
    expect(backend.kernels).toBe(kernels)
    const inKernels = seen.kernels.reduce((total, { ms }) => total + ms, 0)
    expect(inKernels).toBeLessThanOrEqual(seen.ms)
  })

  test('its text is a table with the sum of all calls and times', () => {
    const x = tensor([1, -2], { backend, requiresGrad: true })
    const seen = trace(() => sum(relu(x)).backward(), { backend })
    const lines = String(seen).split('\n')
    expect(lines[0]).toMatch(/^kernel +sizes +calls +ms +share$/)
    expect(lines.slice(1, -2).map((line) => line.split(' ')[0])).toContain('activationForward')
    expect(lines.at(-2)).toMatch(/^no kernel +\d+\.\d{3} +\d+\.\d %$/)
    const calls = seen.kernels.reduce((total, kernel) => total + kernel.calls, 0)
    expect(lines.at(-1)).toMatch(new RegExp(`^total +${calls} +\\d+\\.\\d{3} +100\\.0 %$`))
  })

  test('training is seen step by step, to the same bits', async () => {
    const inputs = Array.from({ length: 8 }, (_, i) => [i, 1, -i, 0.5])
    const targets = Int32Array.from({ length: 8 }, (_, i) => i % 3)
    const train = (model: Sequential) =>
      fit(model, { inputs, targets, loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 5, batchSize: 4 })
    const [plain, watched] = [make(), make()]
    await train(plain as never)
    const seen = await trace(() => train(watched as never), { backend })
    expect(watched.state()).toEqual(plain.state())
    const calls = (name: string) => seen.kernels.filter(({ kernel }) => kernel === name).reduce((total, kernel) => total + kernel.calls, 0)
    expect(calls('denseBackward')).toBe(20)
    expect([10, 11]).toContain(calls('crossEntropyIndices')) // fit may look at the shape of the output first
    expect(calls('Adam')).toBe(10)
    expect(seen.kernels.find(({ kernel }) => kernel === 'Adam')?.sizes).toEqual([131])
  })

  test('an error inside leaves the backend as it was, and one trace runs at a time', async () => {
    const { kernels } = backend
    const { step } = Optimizer.prototype
    expect(() => trace(() => tensor([1], [2], { backend }), { backend })).toThrow('do not fill')
    await expect(trace(() => Promise.reject(new Error('no')), { backend })).rejects.toThrow('no')
    expect(backend.kernels).toBe(kernels)
    expect(Optimizer.prototype.step).toBe(step)
    expect(() => trace(() => trace(() => 1, { backend }), { backend })).toThrow('being traced already')
    expect(() => trace(3 as never)).toThrow('trace: wants a function to run, got 3')
    const model = make()
    expect(trace(() => model.predict([[1, 2, 3, 4]]) as Tensor, { backend }).kernels.length).toBe(2)
  })
})

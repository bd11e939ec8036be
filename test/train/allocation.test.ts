/**
 * Bytes of JavaScript objects per training step: garbage collection slows small nets down. A step that is written out makes tensors and nodes of the
 * graph, some 7 kB for two layers; a step in a program makes only the numbers of its update. The limits are a third to twice above what was measured
 * on Node 20 and 22, so that they catch an object too many in each step of a program, or a copy of all options at each operation of a loop.
 */
import { Session } from 'node:inspector'
import { expect, test } from 'vitest'
import {
  Adam,
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  Dense,
  type FitOptions,
  fit,
  Generator,
  huber,
  type Loss,
  mse,
  Sequential,
  tensor,
} from '../../ts/index.js'
import { byClock } from '../tools/clocks.js'
import { NIGHTLY } from '../tools/nightly.js'

const rows = 64
const inputs = Float32Array.from(new Generator(1).uniforms(rows * 4))
const classes = Int32Array.from({ length: rows }, (_, i) => i % 3)
const backend = createBackend()
const net = (outputs: number) => new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, outputs)], { seed: 1, backend })

interface Profile {
  selfSize: number
  children: readonly Profile[]
}
const sizeOf = ({ selfSize, children }: Profile): number => children.reduce((sum, child) => sum + sizeOf(child), selfSize)

/** Bytes of JavaScript objects that `fn` makes, including objects that are collected meanwhile: V8 samples one allocation per kilobyte. */
async function allocated(fn: () => unknown): Promise<number> {
  const session = new Session()
  session.connect()
  const post = (method: string, options?: object) =>
    new Promise<unknown>((resolve, reject) => {
      session.post(method, options, (error, result) => (error ? reject(error) : resolve(result)))
    })
  await post('HeapProfiler.startSampling', {
    samplingInterval: 1024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await fn()
  const { profile } = (await post('HeapProfiler.stopSampling')) as { profile: { head: Profile } }
  session.disconnect()
  return sizeOf(profile.head)
}

const STEPS = NIGHTLY ? 20_000 : 4000

// Canaries around every block would make garbage of their own.
test.each<[string, Loss, number]>([
  ['crossEntropy', crossEntropy, 3],
  ['binaryCrossEntropy', binaryCrossEntropy, 1],
  ['mse', mse, 1],
  ['huber', huber, 1],
])('a loop written out with %s', async (_name, loss, outputs) => {
  const model = net(outputs)
  const optimizer = new Adam(model.parameters())
  const x = tensor(inputs, [rows, 4], { backend })
  const y =
    outputs === 3
      ? tensor(classes, { backend })
      : tensor(
          Float32Array.from(classes, (c) => c % 2),
          [rows, 1],
          { backend },
        )
  const run = (steps: number) => {
    for (let i = 0; i < steps; i++) {
      loss(model.forward(x), y).backward()
      optimizer.step()
    }
  }
  run(2000)
  const bytes = (await allocated(() => run(STEPS))) / STEPS
  expect(bytes).toBeLessThan(10_000)
})

test.each<[string, number, Partial<FitOptions>]>([
  ['fit', 400, {}],
  ['fit in the order of the rows', 400, { shuffle: false }],
  ['fit of all rows at once', 1500, { batchSize: 'full' }],
  ['fit with metrics', 700, { metrics: ['accuracy'] }],
  ['fit step by step', 9000, { callbacks: [{ onBatchEnd() {} }] }],
])('%s', async (_name, most, given: Partial<FitOptions>) => {
  const model = net(3)
  const optimizer = new Adam(model.parameters())
  const run = (epochs: number) =>
    fit(model, { inputs, shape: [rows, 4], targets: classes, loss: crossEntropy, optimizer, batchSize: 4, epochs, ...given } as never)
  // a busy machine has shorter blocks, and each block its objects: by this clock they are always as long
  await byClock('ticks', 1, async () => {
    await run(NIGHTLY ? 1000 : 400)
    let steps = 0
    const bytes = await allocated(async () => {
      steps = (await run(given.batchSize === 'full' ? STEPS : STEPS / 16)).steps
    })
    expect(bytes / steps).toBeLessThan(most)
  })
})

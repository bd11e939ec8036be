/**
 * Whole training steps (forward, backward, Adam) on data in memory: WASM compared with the JS backend, in interleaved rounds of one run, best window
 * of each, of the built package. `node --import tsx bench/step.ts [milliseconds per window] [--widen]`
 */
import type { Backend, Tensor } from '../ts/index.js'
import { debug, gradus } from './tools/built.js'
import { netOf, type Workload } from './tools/nets.js'

const { Adam, createBackend, crossEntropy, Generator, mse, tensor } = gradus
const { supportedVariants } = debug

const workloads: Workload[] = [
  { name: '2-8-1', sizes: [2, 8, 1], batch: 4, activation: 'tanh' },
  { name: '2-16-16-1', sizes: [2, 16, 16, 1], batch: 32, activation: 'relu' },
  { name: '4-16-3', sizes: [4, 16, 3], batch: 16, activation: 'relu' },
  { name: '32-64-64-1', sizes: [32, 64, 64, 1], batch: 64, activation: 'relu' },
  { name: '784-128-10', sizes: [784, 128, 10], batch: 64, activation: 'relu' },
  { name: '784-512-512-10', sizes: [784, 512, 512, 10], batch: 128, activation: 'relu' },
]

/** One net with a learnable batch; step() trains once and returns the loss. */
function makeStepper(workload: Workload, backend: Backend): () => number {
  const { sizes, batch } = workload
  const model = netOf(workload, backend, gradus)
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
  const generator = new Generator(5)
  const x = tensor(Float32Array.from(generator.uniforms(batch * sizes[0])), [batch, sizes[0]], { backend })
  const classes = sizes[sizes.length - 1]
  const y: Tensor =
    classes > 1
      ? tensor(
          Int32Array.from({ length: batch }, (_, i) => i % classes),
          { backend },
        )
      : tensor(
          Float32Array.from({ length: batch }, (_, i) => (i % 2) - 0.5),
          [batch, 1],
          { backend },
        )
  const loss = classes > 1 ? crossEntropy : mse
  return () => {
    const value = loss(model.forward(x), y)
    value.backward()
    optimizer.step()
    return value.item()
  }
}

/** Steps per second in a window of this many milliseconds. */
function window(step: () => number, milliseconds: number): number {
  const start = performance.now()
  let steps = 0
  let elapsed = 0
  do {
    const chunk = steps < 16 ? 1 : 16
    for (let i = 0; i < chunk; i++) step()
    steps += chunk
    elapsed = performance.now() - start
  } while (elapsed < milliseconds)
  return (steps / elapsed) * 1000
}

const widen = process.argv.includes('--widen')
const milliseconds = Number(process.argv.slice(2).find((a) => !a.startsWith('--')) ?? 250)
const rounds = 7
const backends = [...supportedVariants().map((variant) => createBackend({ variant, widen })), createBackend({ backend: 'js' })]

console.log(
  `training steps per second with Adam, best of ${rounds} windows of ${milliseconds} ms; Node ${process.versions.node}, ${process.arch}`,
)
console.log(['net'.padEnd(16), 'batch', ...backends.map((b) => b.variant.padStart(10)), '  best WASM / JS'].join(' '))
for (const workload of workloads) {
  const steppers = backends.map((backend) => makeStepper(workload, backend))
  const first = steppers.map((step) => step())
  const best = steppers.map(() => 0)
  for (let round = 0; round < rounds; round++) {
    steppers.forEach((step, i) => {
      best[i] = Math.max(best[i], window(step, milliseconds))
    })
  }
  steppers.forEach((step, i) => {
    if (!(step() < first[i])) throw new Error(`${workload.name} on ${backends[i].variant} does not learn`)
  })
  const js = best[best.length - 1]
  const ratio = Math.max(...best.slice(0, -1)) / js
  console.log(
    [
      workload.name.padEnd(16),
      String(workload.batch).padStart(5),
      ...best.map((s) => s.toFixed(0).padStart(10)),
      `${ratio.toFixed(1)}x`.padStart(16),
    ].join(' '),
  )
}

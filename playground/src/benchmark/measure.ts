/** Training speed of each backend on this machine. */
import { Adam, type Backend, createBackend, crossEntropy, Dense, fit, Sequential, tensor } from 'gradus'
import { supportedVariants } from 'gradus/debug'
import type { Context } from '../engine/context'
import { ready } from '../engine/ready'

export interface BenchmarkRow {
  net: string
  backend: string
  /** Median of several windows. */
  median: number
  best: number
}

export interface Benchmark {
  rows: BenchmarkRow[]
  facts: Record<string, string>
}

const NETS = [
  { sizes: [4, 16, 3], batch: 16 },
  { sizes: [32, 64, 64, 10], batch: 32 },
  { sizes: [196, 128, 10], batch: 32 },
  { sizes: [784, 512, 512, 10], batch: 128 },
]
/** Steps of an epoch. */
const STEPS = 16
const WINDOWS = 5
const WINDOW = 160

export async function benchmark(_: null, context: Context<Benchmark>): Promise<Benchmark> {
  await ready()
  const rows: BenchmarkRow[] = []
  const facts: Record<string, string> = {
    Browser: navigator.userAgent.replace(/^Mozilla\/5.0 /, ''),
    'Logical cores': String(navigator.hardwareConcurrency),
    'WebAssembly kernels': supportedVariants().join(', ') || 'none: plain JavaScript only',
  }
  const backends: [string, Backend][] = [
    ['JavaScript', createBackend({ backend: 'js' })],
    ...supportedVariants().map((variant): [string, Backend] => [`WASM ${variant}`, createBackend({ variant })]),
  ]
  for (const { sizes, batch } of NETS) {
    const contestants = backends.map(([name, backend]) => ({ name, train: trainingOf(sizes, batch, backend), speeds: [] as number[] }))
    for (const { train } of contestants) await train(5)
    // Backends take turns, so that a busy moment of the machine affects all of them.
    for (let window = 0; window < WINDOWS && !context.isStopped; window++) {
      for (const { train, speeds } of contestants) {
        const seconds = await train(1)
        const steps = Math.max(1, Math.round(WINDOW / 1000 / seconds))
        speeds.push(steps / (await train(steps)))
      }
      const now = contestants.map(({ name, speeds }) => ({
        net: sizes.join('-'),
        backend: name,
        median: median(speeds),
        best: Math.max(...speeds),
      }))
      context.update({ rows: [...rows, ...now], facts })
      await context.breathe()
    }
    rows.push(
      ...contestants.map(({ name, speeds }) => ({
        net: sizes.join('-'),
        backend: name,
        median: median(speeds),
        best: Math.max(...speeds),
      })),
    )
  }
  return { rows, facts }
}

/** @returns a function that trains a number of steps by `fit`, with its defaults, and returns the seconds */
function trainingOf(sizes: readonly number[], batch: number, backend: Backend): (steps: number) => Promise<number> {
  const layers = sizes.slice(1).map((units, i) => new Dense(sizes[i], units, { activation: i < sizes.length - 2 ? 'relu' : 'linear' }))
  const model = new Sequential(layers as Dense[], { seed: 1, backend })
  const optimizer = new Adam(model.parameters())
  const count = STEPS * batch
  const outputs = sizes[sizes.length - 1]
  const inputs = tensor(
    Float32Array.from({ length: count * sizes[0] }, (_, i) => Math.sin(i * 0.37)),
    [count, sizes[0]],
    { backend } as never,
  )
  const targets = Int32Array.from({ length: count }, (_, i) => i % outputs)
  return async (steps) => {
    const epochs = Math.max(1, Math.round(steps / STEPS))
    const start = performance.now()
    await fit(model, { inputs, targets, loss: crossEntropy, optimizer, batchSize: batch, epochs } as never)
    return (performance.now() - start) / 1000 / ((epochs * STEPS) / steps)
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

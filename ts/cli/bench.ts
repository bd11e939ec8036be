/** `gradus bench`: single training steps on nets from tiny to middling, WASM beside JS. */
import {
  Adam,
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  Generator,
  Sequential,
  supportedVariants,
  tensor,
  type Variant,
} from '../index.js'
import { rate, table } from './format.js'
import { backendTitle } from './setup.js'
import { isLive, paint, print } from './terminal.js'

/** Options of `gradus bench`. */
export interface BenchOptions {
  variant?: Variant
  /** Seconds of measuring for each net and backend. */
  seconds: number
  json?: boolean
}

interface Net {
  sizes: readonly number[]
  batch: number
}

interface Measurement {
  net: string
  batch: number
  wasm: number | null
  js: number
  ratio: number | null
}

const NETS: readonly Net[] = [
  { sizes: [2, 16, 16, 1], batch: 32 },
  { sizes: [32, 64, 64, 1], batch: 64 },
  { sizes: [784, 128, 10], batch: 64 },
  { sizes: [784, 512, 512, 10], batch: 128 },
]
const WINDOWS = 6

/** Runs the command. */
export async function bench({ variant, seconds, json = false }: BenchOptions): Promise<void> {
  const chosen = variant ?? supportedVariants()[0]
  const wasm = chosen === undefined ? null : createBackend({ backend: 'wasm', variant: chosen })
  const js = createBackend({ backend: 'js' })
  if (!json) {
    print(
      paint('bold', `Training steps per second: forward, loss, backward and Adam (${wasm ? backendTitle(wasm) : 'no WebAssembly here'})`),
    )
  }
  const results: Measurement[] = []
  for (const net of NETS) {
    if (!json && isLive()) process.stdout.write(`\r\x1b[Kmeasuring ${net.sizes.join('-')} …`)
    await new Promise(setImmediate)
    results.push(measure(net, wasm, js, seconds))
  }
  if (!json && isLive()) process.stdout.write('\r\x1b[K')
  if (json) print(JSON.stringify({ runtime: `Node ${process.versions.node}`, variant: wasm?.variant ?? null, results }))
  else printResults(results)
}

/** Best of several windows, the two backends by turns, so that a busy moment of the machine hits both. */
function measure({ sizes, batch }: Net, wasm: Backend | null, js: Backend, seconds: number): Measurement {
  const steps = [wasm, js].map((backend) => backend && makeStep(sizes, batch, backend))
  const best = [0, 0]
  for (const step of steps) if (step) warmUp(step, seconds / 2)
  for (let window = 0; window < WINDOWS; window++) {
    for (const [i, step] of steps.entries()) if (step) best[i] = Math.max(best[i], stepsPerSecond(step, seconds / WINDOWS))
  }
  const [w, j] = best
  return { net: sizes.join('-'), batch, wasm: wasm && w, js: j, ratio: wasm && w / j }
}

/** One whole training step on fixed random data. */
function makeStep(sizes: readonly number[], batch: number, backend: Backend): () => void {
  const layers = sizes.slice(0, -1).map((size, i) => new Dense(size, sizes[i + 1], i < sizes.length - 2 ? { activation: 'relu' } : {}))
  const model = new Sequential(layers, { seed: 1, backend })
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3 })
  const random = new Generator(1)
  const x = tensor(Float32Array.from(random.uniforms(batch * sizes[0])), [batch, sizes[0]], { backend })
  const classes = sizes[sizes.length - 1]
  const y = Int32Array.from(random.uniforms(batch), (u) => Math.floor(u * classes))
  return () => {
    crossEntropy(model.forward(x), y).backward()
    optimizer.step()
  }
}

function warmUp(step: () => void, seconds: number): void {
  const end = performance.now() + 1000 * seconds
  do step()
  while (performance.now() < end)
}

function stepsPerSecond(step: () => void, seconds: number): number {
  const started = performance.now()
  let elapsed = 0
  let steps = 0
  do {
    step()
    steps++
    elapsed = performance.now() - started
  } while (elapsed < 1000 * seconds)
  return (1000 * steps) / elapsed
}

function printResults(results: readonly Measurement[]): void {
  const rows = results.map(({ net, batch, wasm, js, ratio }) => [
    net,
    String(batch),
    wasm === null ? '-' : rate(wasm),
    rate(js),
    ratio === null ? '-' : `${rate(ratio)} ×`,
  ])
  for (const line of table([['net', 'batch', 'WASM', 'JS', 'WASM / JS'], ...rows])) print(line)
  print()
  for (const line of reading(results)) print(line)
}

/** What the table says, in words. */
function reading(results: readonly Measurement[]): string[] {
  const [first, , digits] = results
  if (digits.wasm === null || first.wasm === null) return ['This runtime has no WebAssembly SIMD, so there is only the JS backend.']
  const epoch = (stepsPerSecond: number) => (60000 / digits.batch / stepsPerSecond).toPrecision(2)
  return [
    `An epoch of MNIST's 60,000 digits on ${digits.net} takes ${epoch(digits.wasm)} s with WASM and ${epoch(digits.js)} s with JS.`,
    `On a net as small as ${first.net} a step takes ${(1e6 / first.wasm).toFixed(0)} µs: there the calls count, not the arithmetic.`,
    'One core; best of several windows, the backends by turns. A busy machine lowers all numbers.',
  ]
}

/**
 * The cost of curvature in units of a gradient: Hessian-vector, Gauss-Newton and Jacobian-vector products compared with the plain gradient, in
 * interleaved rounds of one run, the best window of each. The goal is hvp ≤ 4 gradients.
 * `node_modules/node/bin/node --import tsx bench/curvature.ts [milliseconds per window] [write]`; with `write`, results go to
 * bench/results/solve.json
 */

import { gnvpOf, hvpOf, jacobian, valueAndGradOf, withGaussNewton, withHessian } from '../ts/curvature/index.js'
import { supportedVariants } from '../ts/debug/index.js'
import { type Backend, createBackend, crossEntropy, Dense, Generator, mse, Sequential, softmax, type Tensor, tensor } from '../ts/index.js'
import { writeSolve } from './results.js'
import { netOf, type Workload } from './tools/nets.js'

const workloads: Workload[] = [
  { name: '1-20-1', sizes: [1, 20, 1], batch: 200, activation: 'tanh' },
  { name: '2-16-16-1', sizes: [2, 16, 16, 1], batch: 32, activation: 'tanh' },
  { name: '784-128-10', sizes: [784, 128, 10], batch: 64, activation: 'relu' },
  { name: '784-128-10', sizes: [784, 128, 10], batch: 1024, activation: 'relu' },
]

/** A net, a batch and the ways to differentiate its loss. */
function contestants(workload: Workload, backend: Backend): Record<string, (repeats: number) => void> {
  const { sizes, batch } = workload
  const model = netOf(workload, backend)
  const parameters = model.parameters()
  const generator = new Generator(5)
  const floats = (shape: number[]) =>
    tensor(
      Float64Array.from(generator.uniforms(shape.reduce((a, b) => a * b, 1)), (u) => u - 0.5),
      shape,
      { backend },
    )
  const x = floats([batch, sizes[0]])
  const classes = sizes[sizes.length - 1]
  const labels = tensor(
    Int32Array.from({ length: batch }, (_, i) => i % classes),
    { backend },
  )
  const target = floats([batch, 1])
  const loss = (y: Tensor) => (classes > 1 ? crossEntropy(y, labels) : mse(y, target))
  const vectors = parameters.map((p) => floats([...p.shape]))
  const flat = Float32Array.from(vectors.flatMap((v) => Array.from(v.data())))
  const run = () => loss(model.forward(x))
  const times = (fn: () => void) => (repeats: number) => {
    for (let i = 0; i < repeats; i++) fn()
  }
  return {
    'backward()': times(() => run().backward()),
    gradient: times(() => valueAndGradOf(run, parameters)),
    hvp: times(() => hvpOf(run, parameters, vectors)),
    gnvp: times(() => gnvpOf(() => model.forward(x), loss, parameters, vectors)),
    'hvp, recorded': (repeats) =>
      withHessian(run, parameters, (at) => {
        for (let i = 0; i < repeats; i++) at.product(flat)
      }),
    'gnvp, recorded': (repeats) =>
      withGaussNewton(
        () => model.forward(x),
        loss,
        parameters,
        (at) => {
          for (let i = 0; i < repeats; i++) at.product(flat)
        },
      ),
  }
}

/** Milliseconds per call, best of `rounds` windows; contestants take turns. */
function measure(runs: Record<string, (repeats: number) => void>, window: number, rounds = 5): Record<string, number> {
  const best: Record<string, number> = {}
  const repeats: Record<string, number> = {}
  for (const [name, run] of Object.entries(runs)) {
    const start = performance.now()
    let count = 0
    while (performance.now() - start < window / 2) {
      run(4)
      count += 4
    }
    repeats[name] = Math.max(4, count * 2)
    best[name] = Number.POSITIVE_INFINITY
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(runs)) {
      const start = performance.now()
      run(repeats[name])
      best[name] = Math.min(best[name], (performance.now() - start) / repeats[name])
    }
  }
  return best
}

function print(title: string, best: Record<string, number>, unit: string): void {
  const line = Object.entries(best).map(([name, ms]) => `${name} ${(ms * 1000).toFixed(1)} µs (${(ms / best[unit]).toFixed(2)}×)`)
  console.log(`${title.padEnd(34)} ${line.join(' · ')}`)
}

/** The cost of a column in forward mode and of a row in reverse mode, for a square Jacobian: the choice of `mode: 'auto'` is based on it. */
function jacobianCost(n: number, backend: Backend, window: number): Record<string, number> {
  const model = new Sequential([new Dense(n, 64, { activation: 'tanh' }), new Dense(64, n)], { seed: 1, backend })
  const x = tensor(new Generator(3).uniforms(n), [1, n], { backend })
  const f = (at: Tensor) => softmax(model.forward(at))
  const times = (mode: 'forward' | 'reverse') => (repeats: number) => {
    for (let i = 0; i < repeats; i++) jacobian(f, { mode })(x)
  }
  return measure({ reverse: times('reverse'), forward: times('forward') }, window)
}

const window = Number(process.argv[2] ?? 200)
const backends = [
  ...supportedVariants()
    .slice(0, 1)
    .map((variant) => createBackend({ variant })),
  createBackend({ backend: 'js' }),
  createBackend({ backend: 'js', dtype: 'float64' }),
]
const figures: object[] = []
for (const workload of workloads) {
  for (const backend of backends) {
    if (backend.name === 'js' && workload.batch > 500) continue
    const title = `${workload.name}, ${workload.batch} rows, ${backend.variant} ${backend.dtype}`
    const best = measure(contestants(workload, backend), window)
    print(title, best, 'gradient')
    figures.push({
      title,
      gradients: Object.fromEntries(Object.entries(best).map(([name, ms]) => [name, Number((ms / best.gradient).toFixed(2))])),
    })
  }
}
for (const backend of backends) print(`Jacobian 32 × 32, ${backend.variant} ${backend.dtype}`, jacobianCost(32, backend, window), 'reverse')
if (process.argv.includes('write')) writeSolve('curvature', figures)

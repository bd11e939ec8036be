/**
 * Second order: Levenberg-Marquardt on a small net beside Adam, L-BFGS iterations beside SciPy, curve fits beside
 * ml-levenberg-marquardt. Figures are those of the best of many short windows, all in one run.
 *
 *     node --import tsx bench/solve.ts [lm] [lbfgs] [curves]
 *
 * The peer is not a development dependency: `npm install --prefix P ml-levenberg-marquardt@5.1.0` and PEERS=P.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Adam, type Backend, createBackend, Dense, mse, Sequential, type Tensor, tensor } from '../ts/index.js'
import { fitCurve, LevenbergMarquardt, minimize } from '../ts/solve/index.js'

const wanted = process.argv.slice(2)
const runs = (name: string) => wanted.length === 0 || wanted.includes(name)

const ROWS = 200
const TARGET = 1e-6

/** A 1-20-1 tanh net and 200 rows of a curve. */
function problem(backend: Backend, seed: number): { model: Sequential; x: Tensor; y: Tensor } {
  const model = new Sequential([new Dense(1, 20, { activation: 'tanh' }), new Dense(20, 1)], { seed, backend })
  const xs = Array.from({ length: ROWS }, (_, i) => -1 + (2 * i) / (ROWS - 1))
  const x = tensor(
    xs.map((v) => [v]),
    { backend },
  )
  const y = tensor(
    xs.map((v) => [Math.sin(3 * v) + 0.3 * v * v]),
    { backend },
  )
  return { model, x, y }
}

/** Iterations per second: the best window of 20 trials, and the median. */
function iterationsPerSecond(): { best: number; median: number } {
  const { model, x, y } = problem(createBackend({ backend: 'js', dtype: 'float64' }), 1)
  const optimizer = new LevenbergMarquardt(model, { maxIterations: 20, toleranceChange: 0, toleranceGradient: 0 })
  const rates: number[] = []
  for (let k = 0; k < 400; k++) {
    const from = performance.now()
    const { iterations } = optimizer.step(x, y)
    rates.push((1000 * iterations) / (performance.now() - from))
  }
  rates.sort((a, b) => a - b)
  return { best: rates[rates.length - 1], median: rates[rates.length >> 1] }
}

/** Milliseconds to a mean squared error of 1e-6, and the iterations. */
function timeOfLevenbergMarquardt(backend: Backend, seed: number): { time: number; iterations: number; loss: number } {
  const { model, x, y } = problem(backend, seed)
  const from = performance.now()
  const { iterations, loss } = new LevenbergMarquardt(model, { maxIterations: 2000, targetLoss: TARGET }).step(x, y)
  return { time: performance.now() - from, iterations, loss }
}

/** The same for Adam on full batches; gives up after 60,000 steps. */
function timeOfAdam(backend: Backend, seed: number, learningRate: number): { time: number; iterations: number; loss: number } {
  const { model, x, y } = problem(backend, seed)
  const optimizer = new Adam(model.parameters(), { learningRate })
  const from = performance.now()
  let loss = Number.POSITIVE_INFINITY
  let iterations = 0
  while (loss > TARGET && iterations < 60_000) {
    iterations++
    const value = mse(model.forward(x), y)
    loss = value.item()
    value.backward()
    optimizer.step()
  }
  return { time: performance.now() - from, iterations, loss }
}

function benchLevenbergMarquardt(): void {
  console.log('\nLevenberg-Marquardt, 1-20-1 tanh, 200 rows')
  const wasm = createBackend()
  const double = createBackend({ backend: 'js', dtype: 'float64' })
  for (let seed = 1; seed <= 5; seed++) timeOfLevenbergMarquardt(double, seed)
  const { best, median } = iterationsPerSecond()
  console.log(`  ${best.toFixed(0)} iterations/s in the best window of 20, ${median.toFixed(0)} in the median one (goal 3000)`)
  console.log(`  time to a mean squared error of ${TARGET}, per seed:`)
  for (let seed = 1; seed <= 5; seed++) {
    const lm = [0, 1, 2].map(() => timeOfLevenbergMarquardt(double, seed)).sort((a, b) => a.time - b.time)[0]
    const adams = [0.003, 0.01, 0.03].map((rate) => ({ rate, ...timeOfAdam(wasm, seed, rate) }))
    const reached = adams.filter((a) => a.loss <= TARGET).sort((a, b) => a.time - b.time)
    const adam = reached[0] ?? adams.sort((a, b) => a.loss - b.loss)[0]
    const ratio = `${reached.length > 0 ? '' : '> '}${(adam.time / lm.time).toFixed(0)} times`
    console.log(
      `    seed ${seed}: LM ${lm.time.toFixed(1)} ms (${lm.iterations} iterations, ${lm.loss.toExponential(1)}); Adam, best of three rates, ` +
        `${adam.time.toFixed(0)} ms (${adam.iterations} steps at ${adam.rate}, ${adam.loss.toExponential(1)}): ${ratio}`,
    )
  }
}

interface Softmax {
  X: number[]
  scale: number
  y: number[]
  inputs: number
  classes: number
  decay: number
  value: number
  iterations: number
  evaluations: number
}

/** Mean cross-entropy + ½·decay·|W|² of softmax regression, value and gradient by hand. */
function softmaxRegression({ X, scale, y, inputs, classes, decay }: Softmax) {
  const rows = y.length
  const x = Float64Array.from(X, (v) => v / scale)
  return (w: Float64Array) => {
    const gradient = new Float64Array(w.length)
    let value = 0
    const z = new Float64Array(classes)
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < classes; k++) z[k] = w[inputs * classes + k]
      for (let i = 0; i < inputs; i++) for (let k = 0; k < classes; k++) z[k] += x[r * inputs + i] * w[i * classes + k]
      const max = Math.max(...z)
      const total = z.reduce((sum, v) => sum + Math.exp(v - max), 0)
      value += (Math.log(total) + max - z[y[r]]) / rows
      for (let k = 0; k < classes; k++) {
        const delta = (Math.exp(z[k] - max) / total - (k === y[r] ? 1 : 0)) / rows
        gradient[inputs * classes + k] += delta
        for (let i = 0; i < inputs; i++) gradient[i * classes + k] += delta * x[r * inputs + i]
      }
    }
    for (let i = 0; i < inputs * classes; i++) {
      value += 0.5 * decay * w[i] * w[i]
      gradient[i] += decay * w[i]
    }
    return { value, gradient }
  }
}

function benchLBFGS(): void {
  const oracle: Softmax = JSON.parse(readFileSync(new URL('../test/oracles/solve.json', import.meta.url), 'utf8')).softmax
  const result = minimize(softmaxRegression(oracle), new Float64Array((oracle.inputs + 1) * oracle.classes))
  console.log(`\nL-BFGS, softmax regression, ${oracle.y.length} rows of ${oracle.inputs}, |g| ≤ 1e-5`)
  console.log(
    `  gradus ${result.iterations} iterations, ${result.evaluations} evaluations, value ${result.value.toFixed(12)} (${result.reason})`,
  )
  console.log(`  SciPy  ${oracle.iterations} iterations, ${oracle.evaluations} evaluations, value ${oracle.value.toFixed(12)}`)
  console.log(`  ratio of iterations ${(result.iterations / oracle.iterations).toFixed(2)} (goal ≤ 1.3)`)
}

interface Curve {
  name: string
  /** The model as the peer takes it, and as fitCurve does. */
  theirs: (p: ArrayLike<number>) => (t: number) => number
  ours: (t: number, p: ArrayLike<number>) => number
  x: number[]
  y: number[]
  initial: number[]
  /** The peer's own options for it. */
  options: object
}

type Peer = (
  data: { x: number[]; y: number[] },
  model: Curve['theirs'],
  options: object,
) => { parameterValues: number[]; parameterError: number; iterations: number }

const grid = (n: number, from: number, to: number) => Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1))

function curve(name: string, ours: Curve['ours'], truth: number[], x: number[], initial: number[], options: object): Curve {
  return { name, ours, theirs: (p) => (t) => ours(t, p), x, y: x.map((t) => ours(t, truth)), initial, options }
}

const gaussians: Curve['ours'] = (t, p) => {
  let sum = 0
  for (let i = 0; i < p.length; i += 3) sum += p[i + 1] * Math.exp(-(((t - p[i]) / p[i + 2]) ** 2) / 2)
  return sum
}

/** The examples of the peer's README and of its tests, with its options there. */
const curves = (): Curve[] => [
  curve('line', (t, p) => p[0] * t + p[1], [2, -2], [0, 1, 2, 3, 4, 5, 6], [1, 0], {}),
  curve('sine', (t, p) => p[0] * Math.sin(p[1] * t), [2, 2], grid(20, 0, 19), [3, 1.9], { damping: 0.1 }),
  curve('sigmoid', (t, p) => p[0] / (p[1] + Math.exp(-t * p[2])), [2, 2, 2], grid(20, 0, 1), [3, 3, 3], {
    damping: 0.1,
    maxIterations: 200,
  }),
  curve('two Gaussians', gaussians, [1.05, 0.1, 0.1, 4, 0.15, 0.1], grid(100, 0, 5), [1.1, 0.15, 0.12, 3.9, 0.17, 0.12], {
    damping: 0.1,
    gradientDifference: 0.01,
    maxIterations: 500,
  }),
  curve('Bennett 5', (t, p) => p[0] * (t + p[1]) ** (-1 / p[2]), [2, 3, 5], grid(154, -2.6581, 49.6526), [3.5, 3.8, 4], {
    damping: 0.00001,
    maxIterations: 1000,
    maxValues: [11, 11, 11],
    minValues: [1, 2.7, 1],
  }),
]

/** Microseconds of fn: the fastest of many calls. */
function fastest(fn: () => void): number {
  let best = Number.POSITIVE_INFINITY
  const end = performance.now() + 700
  while (performance.now() < end) {
    const from = performance.now()
    fn()
    best = Math.min(best, performance.now() - from)
  }
  return 1000 * best
}

function findPeer(): Peer | null {
  const home = process.env.PEERS ? path.resolve(process.env.PEERS, 'index.js') : import.meta.url
  try {
    return createRequire(home)('ml-levenberg-marquardt').levenbergMarquardt
  } catch {
    return null
  }
}

function benchCurves(): void {
  const peer = findPeer()
  console.log(
    `\nfitCurve beside ml-levenberg-marquardt${peer ? '' : ' (not installed, see the head of this file)'}, without a Jacobian by hand`,
  )
  for (const { name, ours: model, theirs: peerModel, x, y, initial, options } of curves()) {
    const ours = () => fitCurve(model, x, y, { initial })
    const fit = ours()
    const report = [
      `  ${name}: gradus ${fastest(ours).toFixed(0)} µs, Σr² ${(2 * fit.value).toExponential(1)}, ${fit.iterations} iterations`,
    ]
    // The peer stops at an error of 0.01 unless told otherwise; the second figure asks it for what we reach.
    for (const errorTolerance of peer ? [10e-3, 1e-16] : []) {
      const theirs = () => peer!({ x, y }, peerModel, { initialValues: initial, errorTolerance, ...options })
      const result = theirs()
      report.push(
        `peer to ${errorTolerance} ${fastest(theirs).toFixed(0)} µs, Σr² ${result.parameterError.toExponential(1)}, ${result.iterations}`,
      )
    }
    console.log(report.join(' | '))
  }
}

if (runs('lm')) benchLevenbergMarquardt()
if (runs('lbfgs')) benchLBFGS()
if (runs('curves')) benchCurves()

/** fitCurve compared with ml-levenberg-marquardt on that package's own examples, each timed to the same error. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { fitCurve } from '../../ts/solve/index.js'

interface Curve {
  name: string
  /** The model in the form of the peer, and in the form of fitCurve. */
  theirs: (p: ArrayLike<number>) => (t: number) => number
  ours: (t: number, p: ArrayLike<number>) => number
  x: number[]
  y: number[]
  initial: number[]
  /** The peer's own options for it. */
  options: object
  /** Ours. */
  own: object
}

type Peer = (
  data: { x: number[]; y: number[] },
  model: Curve['theirs'],
  options: object,
) => { parameterValues: number[]; parameterError: number; iterations: number }

const grid = (n: number, from: number, to: number) => Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1))

function curve(name: string, ours: Curve['ours'], truth: number[], x: number[], initial: number[], options: object, own = {}): Curve {
  return { name, ours, theirs: (p) => (t) => ours(t, p), x, y: x.map((t) => ours(t, truth)), initial, options, own }
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
  curve(
    'two Gaussians',
    gaussians,
    [1.05, 0.1, 0.1, 4, 0.15, 0.1],
    grid(100, 0, 5),
    [1.1, 0.15, 0.12, 3.9, 0.17, 0.12],
    {
      damping: 0.1,
      gradientDifference: 0.01,
      maxIterations: 500,
    },
    { initialDamping: 0.1 },
  ),
  curve('Bennett 5', (t, p) => p[0] * (t + p[1]) ** (-1 / p[2]), [2, 3, 5], grid(154, -2.6581, 49.6526), [3.5, 3.8, 4], {
    damping: 0.00001,
    maxIterations: 1000,
    maxValues: [11, 11, 11],
    minValues: [1, 2.7, 1],
  }),
]

/** Microseconds of each function: the fastest of many alternating calls. */
function fastest(fns: (() => void)[]): number[] {
  const best = fns.map(() => Number.POSITIVE_INFINITY)
  const end = performance.now() + 900
  while (performance.now() < end) {
    for (const [i, fn] of fns.entries()) {
      const from = performance.now()
      for (let k = 0; k < 10; k++) fn()
      best[i] = Math.min(best[i], (performance.now() - from) / 10)
    }
  }
  return best.map((time) => 1000 * time)
}

function findPeer(): Peer | null {
  const home = process.env.PEERS ? path.resolve(process.env.PEERS, 'index.js') : import.meta.url
  try {
    return createRequire(home)('ml-levenberg-marquardt').levenbergMarquardt
  } catch {
    return null
  }
}

interface Comparison {
  curve: string
  /** Σr² that the peer ends with, and ours. */
  error: number
  ownError: number
  microseconds: number
  peerMicroseconds: number
  iterations: number
  peerIterations: number
}

/** Compares the time of the peer to its final error with ours to an error that is no larger. */
function compare(
  { name, ours: model, theirs: peerModel, x, y, initial, options, own }: Curve,
  peer: Peer,
  errorTolerance: number,
): Comparison {
  const theirs = () => peer({ x, y }, peerModel, { initialValues: initial, errorTolerance, ...options })
  const reached = theirs()
  const ours = () => fitCurve(model, x, y, { initial, target: reached.parameterError / 2, covariance: false, ...own })
  const fit = ours()
  const [mine, peers] = fastest([ours, theirs])
  return {
    ...{ curve: name, error: reached.parameterError, ownError: 2 * fit.value },
    ...{ microseconds: Number(mine.toFixed(2)), peerMicroseconds: Number(peers.toFixed(2)) },
    ...{ iterations: fit.iterations, peerIterations: reached.iterations },
  }
}

function line({ curve, error, ownError, microseconds, peerMicroseconds, iterations, peerIterations }: Comparison): string {
  return (
    `  ${curve}, to ${error.toExponential(1)}: gradus ${microseconds} µs (${ownError.toExponential(1)}, ${iterations} iterations), ` +
    `peer ${peerMicroseconds} µs (${peerIterations}): ${(peerMicroseconds / microseconds).toFixed(2)} times`
  )
}

export function benchCurves(): Comparison[] {
  const comparisons: Comparison[] = []
  const peer = findPeer()
  console.log('\nfitCurve beside ml-levenberg-marquardt, without a Jacobian by hand: time to the Σr² that the peer ends with')
  if (peer === null) console.log('  not installed: see the head of bench/solve/solve.ts')
  for (const curve of curves()) {
    // The peer stops at an error of 0.01 by default; the second setting requests about the precision of doubles.
    for (const tolerance of peer ? [10e-3, 1e-16] : []) {
      const comparison = compare(curve, peer!, tolerance)
      console.log(line(comparison))
      comparisons.push(comparison)
    }
    const { name, ours, x, y, initial } = curve
    const fit = () => fitCurve(ours, x, y, { initial })
    const { value, iterations } = fit()
    console.log(
      `  ${name}, as far as it goes: gradus ${fastest([fit])[0].toFixed(1)} µs (${(2 * value).toExponential(1)}, ${iterations} iterations)`,
    )
  }
  return comparisons
}

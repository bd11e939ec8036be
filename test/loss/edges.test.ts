/**
 * Every loss at the edges: margins to 10,000, ties, logits of ±10³⁸, infinite ones, and classes masked by −∞, the right one among them, against
 * formulas in doubles that work with logarithms throughout. Where the loss of a row is finite, its value is right; where it is not, the loss is not
 * finite either. The gradient is right wherever it has a limit, also where the loss is infinite.
 * The seed is fixed; `FUZZ=seed,runs` tries others, and more.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { valuesFrom } from '../../ts/build/public-index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  binaryCrossEntropy,
  createBackend,
  crossEntropy,
  focal,
  hinge,
  huber,
  klDivergence,
  mae,
  mse,
  poisson,
  quantile,
  type Tensor,
  tensor,
  weightedCrossEntropy,
} from '../../ts/index.js'
import { cases } from '../tools/nightly.js'

const [SEED, RUNS] = (process.env.FUZZ ?? `1,${cases(1000)}`).split(',').map(Number)

/** ℓ and ∂ℓ/∂z of one row. */
interface Row {
  value: number
  gradient: number[]
}

const softplus = (z: number) => (z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z)))
const sigmoid = (z: number) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)))
/** t·x, where 0 · ∞ is 0: a target of 0 adds nothing. */
const times = (t: number, x: number) => (t === 0 ? 0 : t * x)
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

/** The largest of logits, and log Σ exp(z − largest): returned separately, because their sum would lose the second if the first is large. */
function logSum(z: readonly number[]): [top: number, log: number] {
  const top = Math.max(...z)
  return Number.isFinite(top) ? [top, Math.log(sum(z.map((v) => Math.exp(v - top))))] : [top, 0]
}

function logSoftmax(z: readonly number[]): number[] {
  const [top, log] = logSum(z)
  return z.map((v) => v - top - log)
}

/** −Σ t·log softmax(z), for targets of any sum. */
function crossEntropyOf(z: readonly number[], t: readonly number[]): Row {
  const logs = logSoftmax(z)
  return { value: sum(logs.map((log, c) => times(t[c], -log))), gradient: logs.map((log, c) => sum(t) * Math.exp(log) - t[c]) }
}

/** Σ t·(1 − p)^γ·(−log p), with log(1 − p) from the other classes. */
function focalOf(z: readonly number[], t: readonly number[], gamma: number): Row {
  const logs = logSoftmax(z)
  const [top, log] = logSum(z)
  const row: Row = { value: 0, gradient: z.map(() => 0) }
  t.forEach((share, c) => {
    if (share === 0) return
    const [topOthers, logOthers] = logSum(z.filter((_, j) => j !== c))
    const wrong = topOthers - top + logOthers - log
    // log1p of the other probabilities if they are small
    const entropy = wrong < -1 ? -Math.log1p(-Math.exp(wrong)) : -logs[c]
    const power = gamma === 0 ? 1 : Math.exp(gamma * wrong)
    row.value += share * power * entropy
    z.forEach((v, j) => {
      const p = Math.exp(logs[j])
      const ofLog = j === c ? -p : Math.exp(v - topOthers - logOthers) - p
      const ofPower = power === 0 || ofLog === 0 ? 0 : times(gamma * power, ofLog * entropy)
      row.gradient[j] += share * (ofPower + power * (p - Number(j === c)))
    })
  })
  return row
}

/** For single numbers. */
const each =
  (value: (z: number, t: number) => number, slope: (z: number, t: number) => number) =>
  (z: readonly number[], t: readonly number[]): Row => ({
    value: sum(z.map((v, i) => value(v, t[i]))),
    gradient: z.map((v, i) => slope(v, t[i])),
  })

const binaryEntropy = (z: number, t: number) => times(t, softplus(-z)) + times(1 - t, softplus(z))
function binaryFocal(gamma: number) {
  // the probability of the wrong class; all values are extreme
  const wrong = (z: number, t: number) => times(t, sigmoid(-z)) + times(1 - t, sigmoid(z))
  return each(
    (z, t) => (gamma === 0 ? 1 : wrong(z, t) ** gamma) * binaryEntropy(z, t),
    (z, t) => {
      const w = wrong(z, t)
      const first = w === 0 || gamma === 0 ? 0 : gamma * w ** (gamma - 1) * sigmoid(z) * sigmoid(-z) * (1 - 2 * t) * binaryEntropy(z, t)
      return first + (gamma === 0 ? 1 : w ** gamma) * (sigmoid(z) - t)
    },
  )
}

const smoothed = (t: readonly number[], s: number) => t.map((v) => (1 - s) * v + s / t.length)

interface Kind {
  /** The target of a row: one number for each of its numbers, a class, or probabilities of classes. */
  target: 'numbers' | 'counts' | 'signs' | 'yes or no' | 'class' | 'probabilities'
  loss: (p: Tensor, t: Tensor) => Tensor
  /** Its mean is over rows for classes, else over elements. */
  row: (z: readonly number[], t: readonly number[]) => Row
  /** True if 0 · ∞ gives NaN for an infinite logit, as in PyTorch. Default: false. */
  isNaNAtInfinity?: true
}

const factors = [0.5, 2, 0, 1, 3]
const KINDS: Record<string, Kind> = {
  mse: { target: 'numbers', loss: mse, row: each((z, t) => (z - t) ** 2, (z, t) => 2 * (z - t)) }, // biome-ignore format: one line a loss
  mae: { target: 'numbers', loss: mae, row: each((z, t) => Math.abs(z - t), (z, t) => Math.sign(z - t)) }, // biome-ignore format: the same
  huber: {
    target: 'numbers',
    loss: huber,
    row: each(
      (z, t) => (Math.abs(z - t) <= 1 ? (z - t) ** 2 / 2 : Math.abs(z - t) - 0.5),
      (z, t) => Math.max(-1, Math.min(1, z - t)),
    ),
  },
  quantile: {
    target: 'numbers',
    loss: quantile(0.8),
    row: each(
      (z, t) => Math.max(0.8 * (t - z), -0.2 * (t - z)),
      (z, t) => (t > z ? -0.8 : t < z ? 0.2 : -0.3),
    ),
  },
  poisson: {
    target: 'counts',
    loss: poisson,
    row: each(
      (z, t) => Math.exp(z) - times(t, z),
      (z, t) => Math.exp(z) - t,
    ),
    isNaNAtInfinity: true,
  },
  'hinge of signs': {
    target: 'signs',
    loss: hinge,
    row: each(
      (z, t) => Math.max(0, 1 - t * z),
      (z, t) => (1 - t * z > 0 ? -t : 1 - t * z < 0 ? 0 : -t / 2),
    ),
  },
  'hinge of classes': {
    target: 'class',
    loss: hinge,
    row: (z, t) => {
      const own = t.indexOf(1)
      const margins = z.map((v, c) => (c === own ? 0 : v - z[own] + 1))
      // two masked classes have no defined difference
      const slopes = margins.map((m) => (m > 0 ? 1 : m < 0 ? 0 : m === 0 ? 0.5 : Number.NaN) / z.length)
      return {
        value: sum(margins.map((m) => Math.max(m, 0))) / z.length,
        gradient: z.map((_, c) => (c === own ? -sum(slopes.filter((_, j) => j !== own)) : slopes[c])),
      }
    },
  },
  binaryCrossEntropy: {
    target: 'yes or no',
    loss: binaryCrossEntropy,
    row: each(binaryEntropy, (z, t) => sigmoid(z) - t),
  },
  'crossEntropy of classes': { target: 'class', loss: crossEntropy, row: crossEntropyOf },
  'crossEntropy of probabilities': { target: 'probabilities', loss: crossEntropy, row: crossEntropyOf },
  'crossEntropy, smoothed': {
    target: 'class',
    loss: (p, t) => crossEntropy(p, t, { labelSmoothing: 0.1 }),
    row: (z, t) => crossEntropyOf(z, smoothed(t, 0.1)),
  },
  'weightedCrossEntropy of probabilities': {
    target: 'probabilities',
    loss: (p, t) => weightedCrossEntropy(factors.slice(0, p.shape[1]))(p, t),
    row: (z, t) =>
      crossEntropyOf(
        z,
        t.map((v, c) => v * factors[c]),
      ),
  },
  klDivergence: {
    target: 'probabilities',
    loss: klDivergence,
    row: (z, t) => {
      const { value, gradient } = crossEntropyOf(z, t)
      return { value: value + sum(t.map((v) => times(v, Math.log(v)))), gradient }
    },
  },
  ...Object.fromEntries(
    [0, 0.01, 0.5, 1, 2, 5].flatMap((gamma): [string, Kind][] => [
      [`focal of classes, γ = ${gamma}`, { target: 'class', loss: focal({ gamma }), row: (z, t) => focalOf(z, t, gamma) }],
      [`focal of probabilities, γ = ${gamma}`, { target: 'probabilities', loss: focal({ gamma }), row: (z, t) => focalOf(z, t, gamma) }],
      [`focal of one, γ = ${gamma}`, { target: 'yes or no', loss: focal({ gamma }), row: binaryFocal(gamma), isNaNAtInfinity: true }],
    ]),
  ),
}

test('every loss of one prediction is here', () => {
  const names = Object.keys(KINDS).map((name) => name.split(/[ ,]/)[0])
  // distances between embeddings have no classes, and no margins between logits
  // ensembleLoss makes a loss of predictions of several members
  const others = ['contrastive', 'triplet', 'cosineDistance', 'ensembleLoss']
  expect(valuesFrom('ts/loss').filter((name) => !names.includes(name) && !others.includes(name))).toEqual([])
})

const logit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -5000, max: 5000 }).map((n) => n / 1000) },
  { weight: 2, arbitrary: fc.integer({ min: -120, max: 120 }) },
  { weight: 2, arbitrary: fc.integer({ min: -10_000, max: 10_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(1e38, -1e38, 3e38, -3e38, 1e30, -1e30, -0, 1e-38, 1e-45) },
  // ties
  { weight: 1, arbitrary: fc.constantFrom(0, 0, 1, 1, -2) },
  { weight: 1, arbitrary: fc.constantFrom(-Infinity, -Infinity, -Infinity, Infinity) },
)
const share = fc.integer({ min: 0, max: 4 })

interface Drawn {
  logits: number[][]
  targets: number[][]
}

function drawn({ target }: Kind): fc.Arbitrary<Drawn> {
  const isClasses = target === 'class' || target === 'probabilities'
  return fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: isClasses ? 2 : 1, max: 5 })).chain(([rows, size]) => {
    const cols = isClasses ? size : 1
    const list = <T>(of: fc.Arbitrary<T>, length: number) => fc.array(of, { minLength: length, maxLength: length })
    const targetRow: fc.Arbitrary<number[]> =
      target === 'class'
        ? fc.integer({ min: 0, max: cols - 1 }).map((own) => Array.from({ length: cols }, (_, c) => Number(c === own)))
        : target === 'probabilities'
          ? list(share, cols).map((shares) => {
              const total = sum(shares)
              return shares.map((s, c) => (total === 0 ? Number(c === 0) : s / total))
            })
          : target === 'signs'
            ? list(fc.constantFrom(-1, 1), cols)
            : target === 'counts'
              ? list(fc.integer({ min: 0, max: 9 }), cols)
              : target === 'yes or no'
                ? list(fc.constantFrom(0, 1, 0.25), cols)
                : list(
                    fc.integer({ min: -3000, max: 3000 }).map((n) => n / 1000),
                    cols,
                  )
    return fc.record({ logits: list(list(logit, cols), rows), targets: list(targetRow, rows) })
  })
}

const backends = [
  createBackend({ backend: 'js', dtype: 'float64' }),
  createBackend({ backend: 'js' }),
  ...supportedVariants().map((variant) => createBackend({ variant })),
]

describe.each(backends)('$variant $dtype', (backend) => {
  const isDouble = backend.dtype === 'float64'
  const round = isDouble ? (x: number) => x : Math.fround
  const unit = isDouble ? 2 ** -53 : 2 ** -24

  function check(kind: Kind, { logits, targets }: Drawn): void {
    const z = logits.map((row) => row.map(round))
    const t = targets.map((row) => row.map(round))
    const cols = z[0].length
    const isLabels = kind.target === 'class'
    const prediction = tensor(Float64Array.from(z.flat()), [z.length, cols], { backend, requiresGrad: true })
    const target = isLabels
      ? tensor(
          Int32Array.from(t, (row) => row.indexOf(1)),
          { backend },
        )
      : tensor(Float64Array.from(t.flat()), [z.length, cols], { backend })
    const loss = kind.loss(prediction, target)
    const value = loss.item()
    loss.backward()
    const gradient = prediction.grad?.data() ?? []
    backend.arena.discard()

    const rows = z.map((row, r) => kind.row(row, t[r]))
    // +∞ has no probability, and PyTorch has NaN there, too
    const isOdd = z.some((row) => row.some((v) => v === Infinity || (kind.isNaNAtInfinity && v === -Infinity)))
    const wanted = round(sum(rows.map((row) => row.value)) / z.length)
    const scale = (row: readonly number[]) => Math.max(1, ...row.filter(Number.isFinite).map(Math.abs))
    const text = JSON.stringify({ z, t }, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v))
    const hasValue = Number.isFinite(wanted) && rows.every((row) => Number.isFinite(round(row.value)))
    if (!hasValue || isOdd) {
      // sums may be infinite a little below the largest number
      if (Number.isFinite(value) && !isOdd && !(Math.abs(value) > 1e37)) throw new Error(`${text}: ${value}, is ${wanted}`)
      if (Number.isFinite(value) && isOdd && !(Math.abs(value - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted))))
        throw new Error(`${text}: ${value}, is ${wanted}`)
    } else if (Number.isFinite(value) || Math.max(...z.map(scale)) < 1e37) {
      // a difference of logits has their rounding error, and a sum of large ones may be infinite
      const largest = Math.max(...z.map(scale))
      if (!(Math.abs(value - wanted) <= 64 * unit * (largest + Math.abs(wanted)))) throw new Error(`${text}: ${value}, is ${wanted}`)
    }
    z.forEach((row, r) => {
      if (row.includes(Infinity) || (kind.isNaNAtInfinity && row.includes(-Infinity))) return
      if (scale(row) > 1e37) return // some difference may be infinite
      rows[r].gradient.forEach((g, c) => {
        const [got, right] = [gradient[r * cols + c] * z.length, round(g)]
        if (!Number.isFinite(right)) return
        // exp of a difference d has the rounding error of d, and is 0 beyond 104
        const rounding = 64 * unit * Math.max(1, Math.abs(right)) * Math.min(104, scale(row))
        if (!(Math.abs(got - right) <= rounding)) throw new Error(`${text}: gradient ${got} at row ${r}, ${c}, is ${right}`)
      })
    })
  }

  test.each(Object.entries(KINDS))('fault 43: %s', (_name, kind) => {
    fc.assert(
      fc.property(drawn(kind), (one) => check(kind, one)),
      { seed: SEED, numRuns: RUNS },
    )
  })

  test.each(Object.entries(KINDS).filter(([, { target }]) => target === 'class' || target === 'probabilities'))(
    '%s: all classes but the right one are masked',
    (_name, kind) => check(kind, { logits: [[-Infinity, 3, -Infinity]], targets: [[0, 1, 0]] }),
  )

  test.each(Object.entries(KINDS).filter(([, { target }]) => target === 'class' || target === 'probabilities'))(
    '%s: the right class is masked',
    (_name, kind) => {
      check(kind, { logits: [[-Infinity, 0]], targets: [[1, 0]] })
      check(kind, {
        logits: [
          [3, -Infinity, 3],
          [1, 1, 1],
        ],
        targets: [
          [0, 1, 0],
          [0, 0, 1],
        ],
      })
    },
  )
})

/** Problems of Moré, Garbow & Hillstrom (1981) with hand-written residuals and Jacobians; starts and answers are in oracles/solve.json. */
import { readFileSync } from 'node:fs'

export interface MethodOracle {
  value?: number
  gradient?: number
  iterations?: number
  evaluations?: number
  x?: number[]
  error?: string
}

export interface ProblemOracle {
  start: number[]
  value: number
  gradient: number[]
  residuals: number
  methods: Record<string, MethodOracle>
  least_squares: { value: number; x: number[]; evaluations: number }
  probe: { x: number[]; value: number; gradient: number[] }
}

interface CurveOracle {
  x: number[]
  y: number[]
  start: number[]
  parameters: number[]
  covariance: number[][]
  sigma: number[]
  weighted: { parameters: number[]; covariance: number[][] }
}

export interface SolveOracles {
  mgh: Record<string, ProblemOracle>
  plot: Record<string, ProblemOracle>
  curves: Record<string, CurveOracle>
  softmax: {
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
}

export const solveOracles: SolveOracles = JSON.parse(readFileSync(new URL('../oracles/solve.json', import.meta.url), 'utf8'))

/** [residual, its gradient] for each row. */
type Row = [number, number[]]
export type Rows = (x: ArrayLike<number>) => Row[]

const { exp, sqrt, sin, cos, PI, atan } = Math
const range = <T>(n: number, f: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => f(i))
const unit = (n: number, i: number, value = 1) => range(n, (j) => (j === i ? value : 0))

const BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]
const GAUSS = [0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295, 0.054, 0.0175, 0.0044, 0.0009]
const KOWALIK_Y = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
const KOWALIK_U = [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]
const MEYER = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
const OSBORNE = [
  0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522,
  0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406,
]

function bealeRow(x: number, y: number, k: number, target: number): Row {
  return [target - x * (1 - y ** k), [-(1 - y ** k), k * x * y ** (k - 1)]]
}

function helical({ 0: x, 1: y, 2: z }: ArrayLike<number>): Row[] {
  const angle = atan(y / x) / (2 * PI) + (x < 0 ? 0.5 : 0)
  const square = x * x + y * y
  const r = sqrt(square)
  const turn = 100 / (2 * PI * square)
  return [
    [10 * (z - 10 * angle), [turn * y, -turn * x, 10]],
    [10 * (r - 1), [(10 * x) / r, (10 * y) / r, 0]],
    [z, [0, 0, 1]],
  ]
}

function kowalik({ 0: a, 1: b, 2: c, 3: d }: ArrayLike<number>): Row[] {
  return KOWALIK_Y.map((y, i) => {
    const u = KOWALIK_U[i]
    const top = u * u + u * b
    const bottom = u * u + u * c + d
    const share = (a * top) / (bottom * bottom)
    return [y - (a * top) / bottom, [-top / bottom, (-a * u) / bottom, share * u, share]]
  })
}

export const MGH: Record<string, Rows> = {
  '1 Rosenbrock': ({ 0: x, 1: y }) => [
    [10 * (y - x * x), [-20 * x, 10]],
    [1 - x, [-1, 0]],
  ],
  '2 Freudenstein-Roth': ({ 0: x, 1: y }) => [
    [-13 + x + ((5 - y) * y - 2) * y, [1, 10 * y - 3 * y * y - 2]],
    [-29 + x + ((y + 1) * y - 14) * y, [1, 3 * y * y + 2 * y - 14]],
  ],
  '3 Powell badly scaled': ({ 0: x, 1: y }) => [
    [1e4 * x * y - 1, [1e4 * y, 1e4 * x]],
    [exp(-x) + exp(-y) - 1.0001, [-exp(-x), -exp(-y)]],
  ],
  '4 Brown badly scaled': ({ 0: x, 1: y }) => [
    [x - 1e6, [1, 0]],
    [y - 2e-6, [0, 1]],
    [x * y - 2, [y, x]],
  ],
  '5 Beale': ({ 0: x, 1: y }) => [bealeRow(x, y, 1, 1.5), bealeRow(x, y, 2, 2.25), bealeRow(x, y, 3, 2.625)],
  '6 Jennrich-Sampson': ({ 0: x, 1: y }) =>
    range(10, (k) => {
      const i = k + 1
      return [2 + 2 * i - (exp(i * x) + exp(i * y)), [-i * exp(i * x), -i * exp(i * y)]]
    }),
  '7 Helical valley': helical,
  '8 Bard': ({ 0: a, 1: b, 2: c }) =>
    BARD.map((y, k) => {
      const u = k + 1
      const v = 16 - u
      const w = Math.min(u, v)
      const bottom = v * b + w * c
      return [y - (a + u / bottom), [-1, (u * v) / bottom ** 2, (u * w) / bottom ** 2]]
    }),
  '9 Gaussian': ({ 0: a, 1: b, 2: c }) =>
    GAUSS.map((y, k) => {
      const d = (8 - (k + 1)) / 2 - c
      const e = exp((-b * d * d) / 2)
      return [a * e - y, [e, (-a * e * d * d) / 2, a * e * b * d]]
    }),
  '10 Meyer': ({ 0: a, 1: b, 2: c }) =>
    MEYER.map((y, k) => {
      const t = 45 + 5 * (k + 1) + c
      const e = exp(b / t)
      return [a * e - y, [e, (a * e) / t, (-a * e * b) / (t * t)]]
    }),
  '12 Box 3D': ({ 0: a, 1: b, 2: c }) =>
    range(10, (k) => {
      const t = 0.1 * (k + 1)
      const g = exp(-t) - exp(-10 * t)
      return [exp(-t * a) - exp(-t * b) - c * g, [-t * exp(-t * a), t * exp(-t * b), -g]]
    }),
  '13 Powell singular': ({ 0: a, 1: b, 2: c, 3: d }) => [
    [a + 10 * b, [1, 10, 0, 0]],
    [sqrt(5) * (c - d), [0, 0, sqrt(5), -sqrt(5)]],
    [(b - 2 * c) ** 2, [0, 2 * (b - 2 * c), -4 * (b - 2 * c), 0]],
    [sqrt(10) * (a - d) ** 2, [2 * sqrt(10) * (a - d), 0, 0, -2 * sqrt(10) * (a - d)]],
  ],
  '14 Wood': ({ 0: a, 1: b, 2: c, 3: d }) => [
    [10 * (b - a * a), [-20 * a, 10, 0, 0]],
    [1 - a, [-1, 0, 0, 0]],
    [sqrt(90) * (d - c * c), [0, 0, -2 * sqrt(90) * c, sqrt(90)]],
    [1 - c, [0, 0, -1, 0]],
    [sqrt(10) * (b + d - 2), [0, sqrt(10), 0, sqrt(10)]],
    [(b - d) / sqrt(10), [0, 1 / sqrt(10), 0, -1 / sqrt(10)]],
  ],
  '15 Kowalik-Osborne': kowalik,
  '16 Brown-Dennis': ({ 0: a, 1: b, 2: c, 3: d }) =>
    range(20, (k) => {
      const t = (k + 1) / 5
      const p = a + t * b - exp(t)
      const q = c + d * sin(t) - cos(t)
      return [p * p + q * q, [2 * p, 2 * p * t, 2 * q, 2 * q * sin(t)]]
    }),
  '17 Osborne 1': ({ 0: a, 1: b, 2: c, 3: d, 4: e }) =>
    OSBORNE.map((y, k) => {
      const t = 10 * k
      const [p, q] = [exp(-t * d), exp(-t * e)]
      return [y - (a + b * p + c * q), [-1, -p, -q, b * t * p, c * t * q]]
    }),
  '18 Biggs EXP6': ({ 0: a, 1: b, 2: c, 3: d, 4: e, 5: f }) =>
    range(13, (k) => {
      const t = 0.1 * (k + 1)
      const [p, q, s] = [exp(-t * a), exp(-t * b), exp(-t * e)]
      const y = exp(-t) - 5 * exp(-10 * t) + 3 * exp(-4 * t)
      return [c * p - d * q + f * s - y, [-t * c * p, t * d * q, p, -q, -t * f * s, s]]
    }),
  '23 Penalty I': (x) => {
    const all = Array.from(x)
    const rows = all.map((v, i): Row => [sqrt(1e-5) * (v - 1), unit(all.length, i, sqrt(1e-5))])
    return [...rows, [all.reduce((sum, v) => sum + v * v, 0) - 0.25, all.map((v) => 2 * v)]]
  },
  '25 Variably dimensioned': (x) => {
    const all = Array.from(x)
    const s = all.reduce((sum, v, i) => sum + (i + 1) * (v - 1), 0)
    const j = all.map((_, i) => i + 1)
    return [...all.map((v, i): Row => [v - 1, unit(all.length, i)]), [s, j], [s * s, j.map((v) => 2 * s * v)]]
  },
  '26 Trigonometric': (x) => {
    const all = Array.from(x)
    const n = all.length
    const sum = all.reduce((s, v) => s + cos(v), 0)
    return all.map((v, i) => [
      n - sum + (i + 1) * (1 - cos(v)) - sin(v),
      all.map((w, j) => sin(w) + (i === j ? (i + 1) * sin(v) - cos(v) : 0)),
    ])
  },
  '27 Brown almost-linear': (x) => {
    const all = Array.from(x)
    const n = all.length
    const sum = all.reduce((s, v) => s + v, 0)
    const product = (skip: number) => all.reduce((p, v, j) => (j === skip ? p : p * v), 1)
    const rows = range(n - 1, (i): Row => [all[i] + sum - (n + 1), range(n, (j) => (i === j ? 2 : 1))])
    return [...rows, [product(-1) - 1, range(n, product)]]
  },
  '30 Broyden tridiagonal': (x) => {
    const n = x.length
    return range(n, (i) => {
      const row = range(n, (j) => (j === i ? 3 - 4 * x[i] : j === i - 1 ? -1 : j === i + 1 ? -2 : 0))
      return [(3 - 2 * x[i]) * x[i] - (x[i - 1] ?? 0) - 2 * (x[i + 1] ?? 0) + 1, row]
    })
  },
}

/** F = Σ r² and its gradient. */
export function sumOfSquares(rows: Rows): (x: ArrayLike<number>) => { value: number; gradient: Float64Array } {
  return (x) => {
    const gradient = new Float64Array(x.length)
    let value = 0
    for (const [r, slopes] of rows(x)) {
      value += r * r
      for (let j = 0; j < slopes.length; j++) gradient[j] += 2 * r * slopes[j]
    }
    return { value, gradient }
  }
}

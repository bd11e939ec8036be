/** The 27 problems in nonlinear regression of NIST's Statistical Reference Datasets, with two starts each; see oracles/README.md. */
import { readFileSync } from 'node:fs'

interface NistOracle {
  difficulty: 'lower' | 'average' | 'higher'
  starts: [number[], number[]]
  certified: number[]
  deviations: number[]
  sumOfSquares: number
  /** y, then one x or two. */
  rows: number[][]
}

export interface NistProblem extends NistOracle {
  name: string
  x: number[][]
  y: number[]
  model(x: number[], b: ArrayLike<number>): number
}

const { exp, sin, cos, atan, PI } = Math
type Model = NistProblem['model']

const gauss: Model = ([x], b) =>
  b[0] * exp(-b[1] * x) + b[2] * exp(-((x - b[3]) ** 2) / b[4] ** 2) + b[5] * exp(-((x - b[6]) ** 2) / b[7] ** 2)
const chwirut: Model = ([x], b) => exp(-b[0] * x) / (b[1] + b[2] * x)
const lanczos: Model = ([x], b) => b[0] * exp(-b[1] * x) + b[2] * exp(-b[3] * x) + b[4] * exp(-b[5] * x)
const cubic: Model = ([x], b) => (b[0] + b[1] * x + b[2] * x ** 2 + b[3] * x ** 3) / (1 + b[4] * x + b[5] * x ** 2 + b[6] * x ** 3)
const wave = (x: number, period: number, b: ArrayLike<number>, at: number) =>
  b[at] * cos((2 * PI * x) / period) + b[at + 1] * sin((2 * PI * x) / period)

const MODELS: Readonly<Record<string, Model>> = {
  Bennett5: ([x], b) => b[0] * (b[1] + x) ** (-1 / b[2]),
  BoxBOD: ([x], b) => b[0] * (1 - exp(-b[1] * x)),
  Chwirut1: chwirut,
  Chwirut2: chwirut,
  DanWood: ([x], b) => b[0] * x ** b[1],
  ENSO: ([x], b) => b[0] + wave(x, 12, b, 1) + wave(x, b[3], b, 4) + wave(x, b[6], b, 7),
  Eckerle4: ([x], b) => (b[0] / b[1]) * exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
  Gauss1: gauss,
  Gauss2: gauss,
  Gauss3: gauss,
  Hahn1: cubic,
  Kirby2: ([x], b) => (b[0] + b[1] * x + b[2] * x ** 2) / (1 + b[3] * x + b[4] * x ** 2),
  Lanczos1: lanczos,
  Lanczos2: lanczos,
  Lanczos3: lanczos,
  MGH09: ([x], b) => (b[0] * (x ** 2 + x * b[1])) / (x ** 2 + x * b[2] + b[3]),
  MGH10: ([x], b) => b[0] * exp(b[1] / (x + b[2])),
  MGH17: ([x], b) => b[0] + b[1] * exp(-x * b[3]) + b[2] * exp(-x * b[4]),
  Misra1a: ([x], b) => b[0] * (1 - exp(-b[1] * x)),
  Misra1b: ([x], b) => b[0] * (1 - (1 + (b[1] * x) / 2) ** -2),
  Misra1c: ([x], b) => b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
  Misra1d: ([x], b) => (b[0] * b[1] * x) / (1 + b[1] * x),
  // of the logarithm of y
  Nelson: ([x, z], b) => b[0] - b[1] * x * exp(-b[2] * z),
  Rat42: ([x], b) => b[0] / (1 + exp(b[1] - b[2] * x)),
  Rat43: ([x], b) => b[0] / (1 + exp(b[1] - b[2] * x)) ** (1 / b[3]),
  Roszman1: ([x], b) => b[0] - b[1] * x - atan(b[2] / (x - b[3])) / PI,
  Thurber: cubic,
}

const oracles: Record<string, NistOracle> = JSON.parse(readFileSync(new URL('../oracles/nist.json', import.meta.url), 'utf8')).problems

export const nistProblems: readonly NistProblem[] = Object.entries(oracles).map(([name, oracle]) => ({
  ...oracle,
  name,
  model: MODELS[name],
  x: oracle.rows.map(([, ...x]) => x),
  y: oracle.rows.map(([y]) => (name === 'Nelson' ? Math.log(y) : y)),
}))

/** Correct digits of the parameter that has the fewest, at most 11 as certified. */
export function digits({ certified }: NistProblem, parameters: ArrayLike<number>): number {
  const errors = certified.map((c, i) => Math.abs(parameters[i] - c) / Math.abs(c))
  const worst = errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors)
  return Math.max(0, Math.min(11, -Math.log10(worst)))
}

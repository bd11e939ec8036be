/** Problems with several objectives: ZDT1 and ZDT2 (Zitzler, Deb & Thiele 2000), DTLZ2 (Deb et al. 2002), all to minimize. */
import { float, type Study } from '../../ts/tune/index.js'
import { hypervolume } from '../../ts/tune/pareto.js'

const g = (x: readonly number[]) => 1 + (9 * x.slice(1).reduce((a, b) => a + b, 0)) / (x.length - 1)

function dtlz2(x: readonly number[]): number[] {
  const radius = 1 + x.slice(2).reduce((sum, v) => sum + (v - 0.5) ** 2, 0)
  const [a, b] = [(x[0] * Math.PI) / 2, (x[1] * Math.PI) / 2]
  return [radius * Math.cos(a) * Math.cos(b), radius * Math.cos(a) * Math.sin(b), radius * Math.sin(a)]
}

interface Problem {
  value: (x: readonly number[]) => number[]
  directions: readonly 'minimize'[]
  /** Reference point of hypervolumes. */
  reference: readonly number[]
}

export const PROBLEMS = {
  zdt1: { value: (x) => [x[0], g(x) * (1 - Math.sqrt(x[0] / g(x)))], directions: ['minimize', 'minimize'], reference: [1.1, 11] },
  zdt2: { value: (x) => [x[0], g(x) * (1 - (x[0] / g(x)) ** 2)], directions: ['minimize', 'minimize'], reference: [1.1, 11] },
  dtlz2: { value: dtlz2, directions: ['minimize', 'minimize', 'minimize'], reference: [2.5, 2.5, 2.5] },
} satisfies Record<string, Problem>

/** Numbers from 0 to 1. */
export function spaceOf(dimensions: number) {
  return Object.fromEntries(Array.from({ length: dimensions }, (_, i) => [`x${i}`, float(0, 1)]))
}

/** The values of the trials on the front. */
export function front(study: Pick<Study, 'front'>): (readonly number[])[] {
  return study.front.map(({ values }) => values)
}

/** The hypervolume of values that are better than the reference point. */
export function volumeOf(problem: keyof typeof PROBLEMS, values: readonly (readonly number[])[]): number {
  const { reference } = PROBLEMS[problem]
  const below = values.map((one) => one.map((value, i) => value - reference[i]))
  return hypervolume(below.filter((one) => one.every((value) => value < 0)))
}

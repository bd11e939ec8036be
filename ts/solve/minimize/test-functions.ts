/**
 * Functions on which optimizers are tried and that people plot, with hand-written gradients, their minima, and a range worth plotting;
 * and problems of Moré, Garbow & Hillstrom (1981) as sums of squares.
 */
import type { Evaluation } from '../objective.js'

/** A function of two numbers with its properties. */
export interface TestFunction {
  name: string
  value(x: ArrayLike<number>): number
  gradient(x: ArrayLike<number>): Float64Array
  /** Important local minima, global ones first; empty if there are none. */
  minima: readonly (readonly number[])[]
  /** Value at the first of {@link minima}; −Infinity for a function without bound. */
  lowest: number
  /** A customary start. */
  start: readonly number[]
  /** [from, to] of x and of y to plot. */
  range: readonly [readonly [number, number], readonly [number, number]]
  /** Kind of the function. For `saddle` and `plateau`: the kind of the point (0, 0), at which the gradient vanishes without a minimum. */
  kind: 'valley' | 'bowl' | 'many minima' | 'saddle' | 'plateau'
}

const PI = Math.PI
const E = Math.E
const sin = Math.sin
const cos = Math.cos
const exp = Math.exp
const sqrt = Math.sqrt
const pair = (a: number, b: number) => Float64Array.of(a, b)
const square = (from: number, to: number): TestFunction['range'] => [
  [from, to],
  [from, to],
]

/** (1 − x)² + 100·(y − x²)²: a curved valley (Rosenbrock 1960). */
export const rosenbrock: TestFunction = {
  name: 'Rosenbrock',
  value: ({ 0: x, 1: y }) => (1 - x) ** 2 + 100 * (y - x * x) ** 2,
  gradient: ({ 0: x, 1: y }) => pair(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
  minima: [[1, 1]],
  lowest: 0,
  start: [-1.2, 1],
  range: [
    [-2, 2],
    [-1, 3],
  ],
  kind: 'valley',
}

/** (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²: flat valleys, steep corners (Beale 1958). */
export const beale: TestFunction = {
  name: 'Beale',
  value: ({ 0: x, 1: y }) => (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y ** 3) ** 2,
  gradient({ 0: x, 1: y }) {
    const [a, b, c] = [1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y ** 3]
    return pair(2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y ** 3 - 1), 2 * a * x + 4 * b * x * y + 6 * c * x * y * y)
  },
  minima: [[3, 0.5]],
  lowest: 0,
  start: [1, 1],
  range: square(-4.5, 4.5),
  kind: 'valley',
}

/** (x² + y − 11)² + (x + y² − 7)²: four equal minima (Himmelblau 1972). */
export const himmelblau: TestFunction = {
  name: 'Himmelblau',
  value: ({ 0: x, 1: y }) => (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
  gradient: ({ 0: x, 1: y }) => pair(4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)),
  minima: [
    [3, 2],
    [-2.805118086952745, 3.131312518250573],
    [-3.779310253377747, -3.28318599128617],
    [3.584428340330492, -1.848126526964404],
  ],
  lowest: 0,
  start: [0, 0],
  range: square(-5, 5),
  kind: 'many minima',
}

/** (x + 2y − 7)² + (2x + y − 5)² */
export const booth: TestFunction = {
  name: 'Booth',
  value: ({ 0: x, 1: y }) => (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
  gradient: ({ 0: x, 1: y }) => pair(2 * (x + 2 * y - 7) + 4 * (2 * x + y - 5), 4 * (x + 2 * y - 7) + 2 * (2 * x + y - 5)),
  minima: [[1, 3]],
  lowest: 0,
  start: [-5, -5],
  range: square(-10, 10),
  kind: 'bowl',
}

/** 0.26·(x² + y²) − 0.48·xy: a long bowl, condition number 25 */
export const matyas: TestFunction = {
  name: 'Matyas',
  value: ({ 0: x, 1: y }) => 0.26 * (x * x + y * y) - 0.48 * x * y,
  gradient: ({ 0: x, 1: y }) => pair(0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x),
  minima: [[0, 0]],
  lowest: 0,
  start: [8, -6],
  range: square(-10, 10),
  kind: 'bowl',
}

const STYBLINSKI = -2.903534027771177
const STYBLINSKI_LOCAL = 2.746802770990837

/** ½·Σ (x⁴ − 16x² + 5x): four minima, one of them lowest (Styblinski & Tang 1990). */
export const styblinskiTang: TestFunction = {
  name: 'Styblinski-Tang',
  value: ({ 0: x, 1: y }) => 0.5 * (x ** 4 - 16 * x * x + 5 * x + y ** 4 - 16 * y * y + 5 * y),
  gradient: ({ 0: x, 1: y }) => pair(2 * x ** 3 - 16 * x + 2.5, 2 * y ** 3 - 16 * y + 2.5),
  minima: [
    [STYBLINSKI, STYBLINSKI],
    [STYBLINSKI, STYBLINSKI_LOCAL],
    [STYBLINSKI_LOCAL, STYBLINSKI],
    [STYBLINSKI_LOCAL, STYBLINSKI_LOCAL],
  ],
  lowest: -78.33233140754282,
  start: [-1, -2],
  range: square(-5, 5),
  kind: 'many minima',
}

/** 20 + Σ (x² − 10·cos 2πx): a minimum near every pair of whole numbers (Rastrigin 1974). */
export const rastrigin: TestFunction = {
  name: 'Rastrigin',
  value: ({ 0: x, 1: y }) => 20 + x * x + y * y - 10 * (cos(2 * PI * x) + cos(2 * PI * y)),
  gradient: ({ 0: x, 1: y }) => pair(2 * x + 20 * PI * sin(2 * PI * x), 2 * y + 20 * PI * sin(2 * PI * y)),
  minima: [[0, 0]],
  lowest: 0,
  start: [0.3, -0.2],
  range: square(-5.12, 5.12),
  kind: 'many minima',
}

/** −20·exp(−0.2·√(½(x² + y²))) − exp(½(cos 2πx + cos 2πy)) + e + 20; a cusp at the minimum (Ackley 1987). */
export const ackley: TestFunction = {
  name: 'Ackley',
  value: ({ 0: x, 1: y }) => -20 * exp(-0.2 * sqrt(0.5 * (x * x + y * y))) - exp(0.5 * (cos(2 * PI * x) + cos(2 * PI * y))) + E + 20,
  gradient({ 0: x, 1: y }) {
    const r = sqrt(0.5 * (x * x + y * y))
    const radial = r === 0 ? 0 : (2 * exp(-0.2 * r)) / r
    const wave = PI * exp(0.5 * (cos(2 * PI * x) + cos(2 * PI * y)))
    return pair(radial * x + wave * sin(2 * PI * x), radial * y + wave * sin(2 * PI * y))
  },
  minima: [[0, 0]],
  lowest: 0,
  start: [0.4, -0.3],
  range: square(-5, 5),
  kind: 'many minima',
}

/** x² − y²: a saddle, no minimum. */
export const saddle: TestFunction = {
  name: 'Saddle',
  value: ({ 0: x, 1: y }) => x * x - y * y,
  gradient: ({ 0: x, 1: y }) => pair(2 * x, -2 * y),
  minima: [],
  lowest: Number.NEGATIVE_INFINITY,
  start: [1, 0.01],
  range: square(-2, 2),
  kind: 'saddle',
}

/** x³ − 3xy²: the monkey saddle, whose Hessian vanishes at (0, 0). */
export const monkeySaddle: TestFunction = {
  name: 'Monkey saddle',
  value: ({ 0: x, 1: y }) => x ** 3 - 3 * x * y * y,
  gradient: ({ 0: x, 1: y }) => pair(3 * x * x - 3 * y * y, -6 * x * y),
  minima: [],
  lowest: Number.NEGATIVE_INFINITY,
  start: [1, 0.1],
  range: square(-2, 2),
  kind: 'saddle',
}

/** 1 − exp(−(x² + y²)): a hole in a plain that is flat to the last digit. */
export const plateau: TestFunction = {
  name: 'Plateau',
  value: ({ 0: x, 1: y }) => -Math.expm1(-(x * x + y * y)),
  gradient({ 0: x, 1: y }) {
    const slope = 2 * exp(-(x * x + y * y))
    return pair(slope * x, slope * y)
  },
  minima: [[0, 0]],
  lowest: 0,
  start: [1.5, 1],
  range: square(-4, 4),
  kind: 'plateau',
}

/** All test functions. @example for (const f of testFunctions) console.log(f.name, minimize(asObjective(f), f.start).x) */
export const testFunctions: readonly TestFunction[] = [
  rosenbrock,
  beale,
  himmelblau,
  booth,
  matyas,
  styblinskiTang,
  rastrigin,
  ackley,
  saddle,
  monkeySaddle,
  plateau,
]

/** A test function in the form that {@link minimize} takes. @example minimize(asObjective(rosenbrock), [-1.2, 1]).x // [1, 1] */
export function asObjective({ value, gradient }: Pick<TestFunction, 'value' | 'gradient'>): (x: Float64Array) => Evaluation {
  return (x) => ({ value: value(x), gradient: gradient(x) })
}

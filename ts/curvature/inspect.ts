/** What kind of point is this? Gradient, eigenvalues of the Hessian and, where those are silent, higher derivatives. */
import { NonFiniteError } from '../errors.js'
import { Generator } from '../random.js'
import type { TensorLike } from '../tensor.js'
import { type SymmetricEigen, symmetricEigen } from './eigen.js'
import { type CurvatureFunction, type HessianPoint, withHessianAt } from './point.js'
import { EXACT_LIMIT, fullHessian, spectrumOf } from './spectrum.js'
import type { ParameterSource } from './trace.js'

/**
 * - `slope`: the gradient does not vanish;
 * - `minimum`, `maximum`: the function rises (falls) in every direction, so the point is a strict local one;
 * - `saddle`: it certainly takes both larger and smaller values nearby;
 * - `plateau`: all derivatives up to the fourth vanish;
 * - `degenerate`: flat in some directions and of one sign in the others (a ridge, a valley floor, x⁴ + y⁴): derivatives
 *   at the point do not decide.
 */
export type PointKind = 'minimum' | 'maximum' | 'saddle' | 'plateau' | 'slope' | 'degenerate'

/** Options of {@link inspectPoint}. */
export interface InspectOptions {
  /** The gradient vanishes if its Euclidean norm is at most this. Default 1e-6 (1e-4 in float32). */
  gradientTolerance?: number
  /** An eigenvalue counts as 0 if |λ| ≤ curvatureTolerance · max(1, max|λ|); higher derivatives likewise. Default 1e-8 (1e-4 in float32). */
  curvatureTolerance?: number
  /** Up to this many numbers all eigenvalues are found, beyond only the ends of the spectrum, by Lanczos. Default 300. */
  exactLimit?: number
  /** Of Lanczos and of the directions probed for higher derivatives. Default 0. */
  seed?: number
}

/** What {@link inspectPoint} found. */
export interface PointInspection {
  kind: PointKind
  /** In one sentence, for people. */
  explanation: string
  value: number
  /** Euclidean norm. */
  gradientNorm: number
  /** Of the Hessian, rising: all of them if `exact`, else the ends of the spectrum. */
  eigenvalues: Float64Array
  exact: boolean
  /** Directions (eigenvalues) with positive, negative and no curvature; of all if `exact`, else of those found. */
  rising: number
  falling: number
  flat: number
  /** The order of the derivatives that decided: 1 for a slope, 2 by the Hessian, 3 for the monkey saddle … */
  order: 1 | 2 | 3 | 4
}

/**
 * Tells a minimum from a saddle, a plateau or a slope. The Hessian decides where it can; along directions in which it is
 * flat the third derivative (not zero: a saddle, as the monkey saddle is) and the fourth are looked at, in the eigenvectors
 * and in eight random directions of the flat space.
 *
 * @param f of x; or a loss computed from parameters, with `at` a model or its parameters
 * @param at the point, in double precision if given as plain numbers (tensors inside f must then be of its backend)
 * @throws NonFiniteError if value, gradient or Hessian is NaN or infinite; ShapeError unless f returns a single number
 * @example
 * inspectPoint((x) => sum(mul([1, -1], square(x))), [0, 0]).kind // 'saddle'
 * inspectPoint((x) => sum(mul([1, -1], square(x))), [0, 0]).explanation
 * // 'A saddle: the gradient vanishes, the function curves up in 1 direction (λ to 2) and down in 1 (λ to -2).'
 */
export function inspectPoint(f: CurvatureFunction, at: TensorLike | ParameterSource, options: InspectOptions = {}): PointInspection {
  return withHessianAt(f, at, 'inspectPoint', (point) => {
    checkFinite(point.value, 'inspectPoint: the value', 'there is nothing to inspect outside of the domain')
    const gradientNorm = length(point.gradient)
    checkFinite(gradientNorm, 'inspectPoint: the gradient', 'the function is not differentiable here')
    const limits = limitsFor(point, options)
    const { exactLimit = EXACT_LIMIT, seed = 0 } = options
    const exact = point.size <= exactLimit
    const eigen = exact ? symmetricEigen(fullHessian(point), point.size) : { values: spectrumEnds(point, seed), vectors: null }
    const facts = { gradientNorm, ...limits, ...countSigns(eigen.values, limits.curvature), size: point.size }
    const verdict = judge(facts, () => (eigen.vectors === null ? NOTHING : higherOrder(point, eigen, facts.isFlat, limits.curvature, seed)))
    const { rising, falling, flat } = facts
    const certain = exact || verdict.kind === 'slope' || verdict.kind === 'saddle'
    const explanation = certain ? verdict.explanation : verdict.explanation.replace(/\.$/, ', as far as the ends of the spectrum tell.')
    return { ...verdict, explanation, value: point.value, gradientNorm, eigenvalues: eigen.values, exact, rising, falling, flat }
  })
}

interface Limits {
  gradient: number
  curvature: number
}

interface Facts extends Limits {
  gradientNorm: number
  size: number
  rising: number
  falling: number
  flat: number
  low: number
  high: number
  isFlat: (i: number) => boolean
}

/** What higher derivatives say about the flat directions. */
interface HigherOrder {
  third: boolean
  up: number
  down: number
  probes: number
}

const NOTHING: HigherOrder = { third: false, up: 0, down: 0, probes: 0 }
const RANDOM_PROBES = 8
const MAX_PROBES = 16

function limitsFor(point: HessianPoint, { gradientTolerance, curvatureTolerance }: InspectOptions): Limits {
  const rough = point.gradient instanceof Float32Array
  const limits = { gradient: gradientTolerance ?? (rough ? 1e-4 : 1e-6), curvature: curvatureTolerance ?? (rough ? 1e-4 : 1e-8) }
  for (const [name, value] of Object.entries(limits)) {
    if (!(value >= 0)) throw new RangeError(`inspectPoint: ${name}Tolerance must not be negative, got ${value}`)
  }
  return limits
}

function length(v: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < v.length; i++) sum += v[i] * v[i]
  return Math.sqrt(sum)
}

function spectrumEnds(point: HessianPoint, seed: number): Float64Array {
  const { largest, smallest } = spectrumOf(point, { k: 3, seed })
  return Float64Array.from([...smallest, ...largest]).sort()
}

function countSigns(values: Float64Array, tolerance: number) {
  const [low, high] = [values[0], values[values.length - 1]]
  const zero = tolerance * Math.max(1, Math.abs(low), Math.abs(high))
  const isFlat = (i: number) => Math.abs(values[i]) <= zero
  const rising = values.filter((v) => v > zero).length
  const falling = values.filter((v) => v < -zero).length
  return { rising, falling, flat: values.length - rising - falling, low, high, isFlat }
}

/** Third and fourth derivatives along flat directions: each alone, and mixed at random. */
function higherOrder(
  point: HessianPoint,
  eigen: SymmetricEigen,
  isFlat: (i: number) => boolean,
  tolerance: number,
  seed: number,
): HigherOrder {
  const n = point.size
  const flat = Array.from({ length: n }, (_, i) => i)
    .filter(isFlat)
    .map((i) => eigen.vectors.subarray(i * n, (i + 1) * n))
  const generator = new Generator(seed, 1)
  const mixed = flat.length < 2 ? [] : Array.from({ length: RANDOM_PROBES }, () => mix(flat, generator))
  const scale = tolerance * Math.max(1, Math.abs(eigen.values[0]), Math.abs(eigen.values[n - 1]))
  const found = { third: false, up: 0, down: 0, probes: 0 }
  for (const v of [...mixed, ...flat].slice(0, MAX_PROBES)) {
    const [, , third, fourth] = point.derivatives(v, 4)
    found.probes++
    if (Math.abs(third) > scale) return { ...found, third: true }
    if (fourth > scale) found.up++
    if (fourth < -scale) found.down++
  }
  return found
}

function mix(basis: readonly Float64Array[], generator: Generator): Float64Array {
  const weights = generator.uniforms(basis.length).map((u) => u - 0.5)
  const size = length(weights)
  const v = new Float64Array(basis[0].length)
  basis.forEach((b, k) => {
    for (let i = 0; i < v.length; i++) v[i] += (weights[k] / size) * b[i]
  })
  return v
}

type Verdict = Pick<PointInspection, 'kind' | 'order' | 'explanation'>

function judge(facts: Facts, probe: () => HigherOrder): Verdict {
  const { gradientNorm, gradient, rising, falling, flat, low, high } = facts
  if (gradientNorm > gradient) {
    return {
      kind: 'slope',
      order: 1,
      explanation: `A slope: the gradient has norm ${show(gradientNorm)}, so the function falls along its negative.`,
    }
  }
  const up = `curves up in ${directions(rising)} (λ to ${show(high)})`
  if (rising > 0 && falling > 0) {
    return {
      kind: 'saddle',
      order: 2,
      explanation: `A saddle: the gradient vanishes, the function ${up} and down in ${falling} (λ to ${show(low)}).`,
    }
  }
  if (flat === 0) {
    const kind = rising > 0 ? 'minimum' : 'maximum'
    const range = `λ from ${show(low)} to ${show(high)}`
    return {
      kind,
      order: 2,
      explanation: `A ${kind}: the gradient vanishes and the function curves ${rising > 0 ? 'up' : 'down'} in every direction (${range}).`,
    }
  }
  return judgeFlat(facts, probe())
}

/** The Hessian is flat somewhere and of one sign elsewhere. */
function judgeFlat({ rising, falling, flat, size }: Facts, { third, up, down, probes }: HigherOrder): Verdict {
  const start = `the gradient vanishes and the Hessian is flat in ${flat} of ${directions(rising + falling + flat)}`
  if (third)
    return { kind: 'saddle', order: 3, explanation: `A saddle of third order: ${start}, along which the third derivative does not vanish.` }
  if (up + rising > 0 && down + falling > 0) {
    return {
      kind: 'saddle',
      order: 4,
      explanation: `A saddle of fourth order: ${start}, along which the fourth derivative decides: the function both rises and falls.`,
    }
  }
  if (up + down + rising + falling === 0) {
    const seen = probes > 0 ? `, and so do the third and fourth derivative in ${directions(probes)}` : ''
    return { kind: 'plateau', order: probes > 0 ? 4 : 2, explanation: `A plateau: gradient and Hessian vanish${seen}.` }
  }
  const sense = up + rising > 0 ? 'up' : 'down'
  if (size === 1) {
    const kind = sense === 'up' ? 'minimum' : 'maximum'
    return {
      kind,
      order: 4,
      explanation: `A flat ${kind}: the first derivative that does not vanish is the fourth, and it points ${sense}.`,
    }
  }
  const shape = sense === 'up' ? 'a valley floor or a flat minimum' : 'a ridge or a flat maximum'
  return {
    kind: 'degenerate',
    order: up + down > 0 ? 4 : 2,
    explanation: `Degenerate: ${start}; everything else curves ${sense}, so it is ${shape}.`,
  }
}

function directions(n: number): string {
  return `${n} direction${n === 1 ? '' : 's'}`
}

function show(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** @throws NonFiniteError if a value is NaN or infinite */
function checkFinite(value: number, what: string, hint: string): void {
  if (!Number.isFinite(value)) throw new NonFiniteError(`${what} is ${value}: ${hint}`)
}

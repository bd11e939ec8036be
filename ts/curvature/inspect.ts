/** The kind of a point, from the gradient, the eigenvalues of the Hessian and, if those do not decide, higher derivatives. */
import { NonFiniteError } from '../common/errors.js'
import { atLeast0, readOptions, type Schema, seed as seeded } from '../common/options.js'
import { symmetricEigen } from '../common/symmetric-eigen.js'
import type { TensorLike } from '../tensor.js'
import { type Limits, length, NOTHING, probeFlat } from './flat.js'
import { type CurvatureFunction, type HessianPoint, withHessianAt } from './point.js'
import { CONDITION_NUMBER, fullHessian, spectrumOf } from './spectrum.js'
import type { ParameterSource } from './transformation.js'
import { classify, type PointInspection } from './verdict.js'

export type { PointInspection, PointKind } from './verdict.js'

/** Options of {@link inspectPoint}. */
export interface InspectOptions {
  /** The gradient vanishes if its Euclidean norm is at most this. Default 1e-6 (1e-4 in float32). */
  gradientTolerance?: number
  /**
   * An eigenvalue counts as 0 if |λ| ≤ curvatureTolerance · max(1, max|λ|); higher derivatives likewise. Default 1e-8 (1e-4 in
   * float32).
   */
  curvatureTolerance?: number
  /** Up to this many numbers all eigenvalues are found, beyond only the ends of the spectrum, by Lanczos. Default 300. */
  exactLimit?: number
  /** Seed of Lanczos' start and of the directions that are probed for higher derivatives. Default 0. */
  seed?: number
}

export const INSPECT_POINT = {
  gradientTolerance: { is: atLeast0 },
  curvatureTolerance: { is: atLeast0 },
  exactLimit: CONDITION_NUMBER.exactLimit,
  seed: { is: seeded, default: 0 },
} satisfies Schema<InspectOptions>

/**
 * Distinguishes a minimum from a saddle, a plateau or a slope. The Hessian decides if it can. Along flat directions the third derivative (if not
 * zero: a saddle, such as the monkey saddle) and the fourth decide, in the eigenvectors and in eight random directions of the flat space. If they
 * vanish, too, the function is evaluated slightly to both sides: |x| at 0 reports all derivatives as 0, but rises at once.
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
  const { exactLimit, seed, ...tolerances } = readOptions('inspectPoint', options, INSPECT_POINT)
  return withHessianAt(f, at, 'inspectPoint', (point) => {
    checkFinite(point.value, 'inspectPoint: the value', 'there is nothing to inspect outside of the domain')
    const gradientNorm = length(point.gradient)
    checkFinite(gradientNorm, 'inspectPoint: the gradient', 'the function is not differentiable here')
    const limits = limitsFor(point, tolerances)
    const exact = point.size <= exactLimit
    const eigen = exact ? symmetricEigen(fullHessian(point), point.size) : { values: spectrumEnds(point, seed), vectors: null }
    const facts = { gradientNorm, ...limits, ...countSigns(eigen.values, limits.curvature), size: point.size }
    const verdict = classify(facts, () => (eigen.vectors === null ? NOTHING : probeFlat(point, eigen, facts.isFlat, limits, seed)))
    const { rising, falling, flat } = facts
    const certain = exact || verdict.kind === 'slope' || verdict.kind === 'saddle'
    const explanation = certain ? verdict.explanation : verdict.explanation.replace(/\.$/, ', as far as the ends of the spectrum tell.')
    return { ...verdict, explanation, value: point.value, gradientNorm, eigenvalues: eigen.values, exact, rising, falling, flat }
  })
}

function limitsFor(point: HessianPoint, { gradientTolerance, curvatureTolerance }: InspectOptions): Limits {
  const rough = point.gradient instanceof Float32Array
  const limits = { gradient: gradientTolerance ?? (rough ? 1e-4 : 1e-6), curvature: curvatureTolerance ?? (rough ? 1e-4 : 1e-8) }
  return limits
}

function spectrumEnds(point: HessianPoint, seed: number): Float64Array {
  const { largest, smallest } = spectrumOf(point, { k: 3, seed })
  // both ends of a short spectrum overlap: each eigenvalue counts once
  return Float64Array.from([...smallest.subarray(0, point.size - largest.length), ...largest]).sort()
}

function countSigns(values: Float64Array, tolerance: number) {
  const [low, high] = [values[0], values[values.length - 1]]
  const zero = tolerance * Math.max(1, Math.abs(low), Math.abs(high))
  const isFlat = (i: number) => Math.abs(values[i]) <= zero
  const rising = values.filter((v) => v > zero).length
  const falling = values.filter((v) => v < -zero).length
  return { rising, falling, flat: values.length - rising - falling, low, high, isFlat }
}

/** @throws NonFiniteError if a value is NaN or infinite */
function checkFinite(value: number, what: string, hint: string): void {
  if (!Number.isFinite(value)) throw new NonFiniteError(`${what} is ${value}: ${hint}`)
}

/** Directions in which the Hessian is flat: higher derivatives along them, and values near the point. */

import type { SymmetricEigen } from '../common/symmetric-eigen.js'
import { Generator } from '../random.js'
import type { HessianPoint } from './point.js'

/** @internal limits below which derivatives and slopes count as 0 */
export interface Limits {
  gradient: number
  curvature: number
}

/** @internal results for flat directions */
export interface FlatFindings {
  third: boolean
  /** Number of directions along which the fourth derivative, or a kink, points up (down). A kink may point up to one side and down to the other. */
  up: number
  down: number
  /** Number of directions with a kink at the point; along `walls` of them the function rises (falls) to both sides. */
  kinks: number
  walls: number
  probes: number
}

/** @internal the result if no direction was examined */
export const NOTHING: FlatFindings = { third: false, up: 0, down: 0, kinks: 0, walls: 0, probes: 0 }
const RANDOM_PROBES = 8
const MAX_PROBES = 16
/** @internal up to this number of flat directions, each of them is tried */
export const ALL_TRIED = MAX_PROBES - RANDOM_PROBES

/** @internal third and fourth derivatives along flat directions, each alone, and in random mixtures; if both vanish, kinks */
export function probeFlat(
  point: HessianPoint,
  eigen: SymmetricEigen,
  isFlat: (i: number) => boolean,
  { gradient, curvature }: Limits,
  seed: number,
): FlatFindings {
  const n = point.size
  const flat = Array.from({ length: n }, (_, i) => i)
    .filter(isFlat)
    .map((i) => eigen.vectors.subarray(i * n, (i + 1) * n))
  const generator = new Generator(seed, 1)
  const mixed = flat.length < 2 ? [] : Array.from({ length: RANDOM_PROBES }, () => mix(flat, generator))
  const scale = curvature * Math.max(1, Math.abs(eigen.values[0]), Math.abs(eigen.values[n - 1]))
  const found = { ...NOTHING }
  for (const v of [...mixed, ...flat].slice(0, MAX_PROBES)) {
    const [, , third, fourth] = point.derivatives(v, 4)
    found.probes++
    if (Math.abs(third) > scale) return { ...found, third: true }
    if (fourth > scale) found.up++
    if (fourth < -scale) found.down++
    if (Math.abs(fourth) > scale) continue
    const [left, right] = slopesBeside(point, v, 10 * gradient)
    if (left > 0 || right > 0) found.up++
    if (left < 0 || right < 0) found.down++
    if (left !== 0 || right !== 0) found.kinks++
    if (left * right > 0) found.walls++
  }
  return found
}

/** One-sided slopes of the function at the point; 0 for a slope within `tolerance` and rounding, and for NaN. */
function slopesBeside(point: HessianPoint, v: Float64Array, tolerance: number): [left: number, right: number] {
  const rough = point.gradient instanceof Float32Array
  const h = rough ? 1e-2 : 1e-4
  const rounding = (8 * (rough ? 2 ** -23 : Number.EPSILON) * Math.abs(point.value)) / h
  const slope = (t: number) => {
    const found = (point.valueAlong(v, t) - point.value) / h
    return Math.abs(found) > tolerance + rounding ? found : 0
  }
  return [slope(-h), slope(h)]
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

/** @internal the Euclidean norm */
export function length(v: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < v.length; i++) sum += v[i] * v[i]
  return Math.sqrt(sum)
}

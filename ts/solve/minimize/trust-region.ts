/** Newton's method in a trust region, by truncated conjugate gradients. */

import { addScaled, along, dot, norm, scaled } from '../../common/vector.js'
import type { Point, PointSource } from '../objective.js'
import type { Stop } from '../result.js'
import { type Stopping, withinRounding } from '../stop.js'
import { type HessianAt, nextConjugate } from './newton.js'

/** Options of the method `trust-ncg`, with SciPy's defaults. */
export interface TrustRegionOptions {
  /** The first radius. Default 1. */
  initialRadius?: number
  /** The largest radius. Default 1000. */
  maxRadius?: number
  /** A step is accepted above this ratio of actual to predicted decrease. Default 0.15. */
  eta?: number
}

/**
 * Minimizes m(p) = gᵀp + ½pᵀHp within |p| ≤ radius as far as conjugate gradients get (Steihaug 1983): along a direction
 * of negative curvature, or out of the region, to its boundary.
 */
function steihaug(
  g: Float64Array,
  product: (v: Float64Array) => ArrayLike<number>,
  radius: number,
): { p: Float64Array; boundary: boolean } {
  const size = norm(g)
  const tolerance = Math.min(0.5, Math.sqrt(size)) * size
  const p = new Float64Array(g.length)
  const d = new Float64Array(g.length)
  const r = g.slice()
  const next = new Float64Array(g.length)
  scaled(g, -1, d)
  let rr = dot(r, r)
  for (let i = 0; i < 20 * g.length + 10; i++) {
    const hd = Float64Array.from(product(d))
    const curvature = dot(d, hd)
    if (!(curvature > 0)) return toBoundary(p, d, radius)
    const alpha = rr / curvature
    along(p, alpha, d, next)
    if (norm(next) >= radius) return toBoundary(p, d, radius)
    p.set(next)
    rr = nextConjugate(r, d, hd, alpha, rr)
    if (Math.sqrt(rr) < tolerance) break
  }
  return { p, boundary: false }
}

/** p + τ·d with τ ≥ 0 and length `radius`. */
function toBoundary(p: Float64Array, d: Float64Array, radius: number): { p: Float64Array; boundary: boolean } {
  const a = dot(d, d)
  const b = 2 * dot(p, d)
  const c = dot(p, p) - radius * radius
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * c))
  const tau = b >= 0 ? (-2 * c) / (b + root) : (root - b) / (2 * a)
  addScaled(p, Number.isFinite(tau) ? tau : 0, d)
  return { p, boundary: true }
}

const COLLAPSED = 'no step within the trust region lowers the value: double precision is exhausted or the gradient is wrong'

/**
 * Runs the method from a point until something stops it (Nocedal & Wright 2006, algorithm 4.1).
 * @param region its radius is the first one, and in the end the last one
 * @internal
 */
export function trustRegion(
  objective: PointSource,
  hessianAt: HessianAt,
  start: Point,
  stopping: Stopping,
  options: TrustRegionOptions,
  region: { radius: number },
): Stop {
  const { maxRadius = 1000, eta = 0.15 } = options
  let now = start
  for (;;) {
    const stop = stopping.before(now)
    if (stop !== null) return stop
    const { x, gradient } = now
    const { p, boundary, predicted } = hessianAt(x, (product) => modelStep(gradient, product, region.radius))
    const to = objective.at(sum(x, p))
    const ratio = predicted > 0 && Number.isFinite(to.value) ? (now.value - to.value) / predicted : -1
    region.radius = nextRadius(region.radius, ratio, boundary, maxRadius)
    if (ratio > eta) {
      const before = now
      now = to
      const end = stopping.after(before, now)
      if (end !== null) return end
      continue
    }
    const rounded = boundary ? null : withinRounding(predicted, now.value, start.value)
    if (rounded !== null) return rounded
    if (region.radius < 1e-15 * Math.max(1, norm(x))) return { reason: 'line-search', message: COLLAPSED }
  }
}

/** The step, and the decrease −(gᵀp + ½pᵀHp) that it promises. */
function modelStep(gradient: Float64Array, product: (v: Float64Array) => ArrayLike<number>, radius: number) {
  const { p, boundary } = steihaug(gradient, product, radius)
  return { p, boundary, predicted: -(dot(gradient, p) + 0.5 * dot(p, Float64Array.from(product(p)))) }
}

function sum(x: Float64Array, p: Float64Array): Float64Array {
  const out = new Float64Array(x.length)
  along(x, 1, p, out)
  return out
}

/** Below ¼ the region shrinks to a quarter; above ¾, at its boundary, it doubles. */
function nextRadius(radius: number, ratio: number, boundary: boolean, max: number): number {
  if (!(ratio >= 0.25)) return radius / 4
  return ratio > 0.75 && boundary ? Math.min(2 * radius, max) : radius
}

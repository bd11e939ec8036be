/** A density over points: a mixture of one kernel for each observation and a wide one, the prior, over the whole space. */
import { exp, log, normalCdf, normalQuantile } from '../math.js'
import type { Axis } from '../space.js'

/** Φ at equal distances. Between them it is linear, to 1e-5: for the mass of a kernel within a range, which is near 1. */
const STEPS = 128
const REACH = 8
const CDF = Float64Array.from({ length: 2 * REACH * STEPS + 2 }, (_, i) => normalCdf(i / STEPS - REACH))

function cdf(x: number): number {
  if (x <= -REACH) return 0
  if (x >= REACH) return 1
  const place = (x + REACH) * STEPS
  const i = Math.floor(place)
  return CDF[i] + (place - i) * (CDF[i + 1] - CDF[i])
}

/** What is so far below the largest exponent leaves nothing in a sum of doubles. */
const NEGLIGIBLE = 36
const HALF_LOG_2PI = 0.9189385332046728
/** The prior of a number: a normal distribution around the middle of the range, as wide as the range. */
const PRIOR_LOW = normalCdf(-0.5)
const PRIOR_MASS = 1 - 2 * PRIOR_LOW

/** The kernels along one axis. The last is the prior. */
interface Kernels {
  /** Centres as shares of the range, or indices of categories; NaN where the parameter is not there. */
  readonly centres: Float64Array
  /** Of numbers: 1 / width. */
  readonly narrowness: Float64Array
  /** Of numbers: the logarithm of the density at the centre. */
  readonly peaks: Float64Array
  readonly hasGaps: boolean
}

/** @internal A mixture in which all kernels weigh the same. */
export class ParzenEstimator {
  private readonly count: number
  private readonly kernels: readonly Kernels[]
  private readonly exponents: Float64Array

  /** @param narrowest the width of the narrowest kernel, as a share of the range */
  constructor(
    private readonly axes: readonly Axis[],
    points: readonly Float64Array[],
    narrowest: number,
  ) {
    this.count = points.length + 1
    this.kernels = axes.map((axis, i) => kernelsOf(axis, i, points, narrowest))
    this.exponents = new Float64Array(this.count)
  }

  /** A point drawn from the mixture, one that the space has. Takes a number of [0, 1) for the kernel, and one for each axis. */
  sample(uniforms: ArrayLike<number>, from: number): Float64Array {
    const { axes, count } = this
    const kernel = Math.floor(uniforms[from] * count)
    const point = new Float64Array(axes.length).fill(Number.NaN)
    for (let i = 0; i < axes.length; i++) {
      const axis = axes[i]
      if (!axis.isActive(point)) continue
      const u = uniforms[from + 1 + i]
      const { centres, narrowness } = this.kernels[i]
      const centre = kernel === count - 1 ? Number.NaN : centres[kernel]
      if (axis.choices > 0) point[i] = Number.isNaN(centre) ? Math.floor(u * axis.choices) : this.category(axis.choices, centre, u)
      else {
        let share = 0.5 + normalQuantile(PRIOR_LOW + u * PRIOR_MASS)
        if (!Number.isNaN(centre)) {
          const [low, high] = [cdf(-centre * narrowness[kernel]), cdf((1 - centre) * narrowness[kernel])]
          share = centre + normalQuantile(Math.min(1 - 2 ** -53, Math.max(2 ** -53, low + u * (high - low)))) / narrowness[kernel]
        }
        point[i] = axis.coordinate(axis.value(axis.at(Math.min(1 - 2 ** -53, Math.max(0, share)))))
      }
    }
    return point
  }

  /** The category of a kernel, which is most likely, or another. */
  private category(choices: number, centre: number, u: number): number {
    const own = (this.count + 1) / (this.count + choices)
    if (u < own) return centre
    const other = Math.min(choices - 2, Math.floor(((u - own) / (1 - own)) * (choices - 1)))
    return other < centre ? other : other + 1
  }

  /** The logarithm of the density at a point, as shares of the ranges have it. */
  logDensity(point: Float64Array): number {
    const { axes, count, exponents } = this
    exponents.fill(0)
    for (let i = 0; i < axes.length; i++) {
      const coordinate = point[i]
      if (Number.isNaN(coordinate)) continue
      const { centres, narrowness, peaks, hasGaps } = this.kernels[i]
      const { choices } = axes[i]
      if (choices > 0) {
        const [own, other] = [log((count + 1) / (count + choices)), -log(count + choices)]
        for (let k = 0; k < count - 1; k++)
          exponents[k] += centres[k] === coordinate ? own : Number.isNaN(centres[k]) ? -log(choices) : other
        exponents[count - 1] -= log(choices)
        continue
      }
      const share = axes[i].share(coordinate)
      for (let k = 0; k < count; k++) {
        const distance = (share - centres[k]) * narrowness[k]
        // an observation without the parameter says nothing about it: density 1
        if (!hasGaps || distance === distance) exponents[k] += peaks[k] - 0.5 * distance * distance
      }
    }
    let largest = Number.NEGATIVE_INFINITY
    for (let k = 0; k < count; k++) if (exponents[k] > largest) largest = exponents[k]
    let sum = 0
    for (let k = 0; k < count; k++) {
      const below = exponents[k] - largest
      if (below > -NEGLIGIBLE) sum += exp(below)
    }
    return largest + log(sum / count)
  }
}

/** The width of a kernel is the distance to its farther neighbour, not below the narrowest; that of the prior is the whole range. */
function kernelsOf(axis: Axis, i: number, points: readonly Float64Array[], narrowest: number): Kernels {
  const n = points.length
  const isNumber = axis.choices === 0
  const centres = new Float64Array(n + 1)
  let there = 0
  for (let k = 0; k < n; k++) {
    centres[k] = isNumber ? axis.share(points[k][i]) : points[k][i]
    if (!Number.isNaN(centres[k])) there++
  }
  centres[n] = 0.5
  const hasGaps = there < n
  const narrowness = new Float64Array(isNumber ? n + 1 : 0)
  const peaks = new Float64Array(isNumber ? n + 1 : 0)
  if (!isNumber) return { centres, narrowness, peaks, hasGaps }
  // typed arrays are sorted with NaN at the end
  const sorted = centres.slice(0, n).sort()
  for (let k = 0; k <= n; k++) {
    const centre = centres[k]
    if (Number.isNaN(centre)) continue
    let width = 1
    if (k < n) {
      // the last of those that are equal
      let place = 0
      let to = there - 1
      while (place < to) {
        const middle = (place + to + 1) >> 1
        if (sorted[middle] <= centre) place = middle
        else to = middle - 1
      }
      const before = place > 0 ? centre - sorted[place - 1] : 0
      const after = place < there - 1 ? sorted[place + 1] - centre : 0
      width = there === 1 ? 1 : Math.min(1, Math.max(narrowest, before, after))
    }
    narrowness[k] = 1 / width
    peaks[k] = -HALF_LOG_2PI - log(width * (cdf((1 - centre) / width) - cdf(-centre / width)))
  }
  return { centres, narrowness, peaks, hasGaps }
}

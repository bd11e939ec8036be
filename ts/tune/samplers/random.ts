/** Points that ignore earlier results: random points, and points that are spread more evenly. */
import { checkCount } from '../../common/checks.js'
import { rangeError } from '../../common/errors.js'
import { count, object, readOptions, type Schema, seed as seeded } from '../../common/options.js'
import { Generator } from '../../index.js'
import type { Axis } from '../space.js'
import { pointAt, type Sampler } from './sampler.js'
import { SOBOL_DIRECTIONS } from './sobol-directions.js'

/**
 * Independent points, uniform over the space. A good beginning, and the baseline for any other sampler.
 * @example
 * random().name // 'random'
 */
export function random(): Sampler {
  return { name: 'random', sample: ({ axes, random: generator }) => pointAt(axes, generator.uniforms(axes.length)) }
}

/** Options of {@link latinHypercube}. */
export interface LatinHypercubeOptions {
  /** Points of a hypercube; more trials begin another. */
  points: number
  /** Decides the hypercube. Default 0. */
  seed?: number
}

export const LATIN_HYPERCUBE = {
  points: { is: count, required: true },
  seed: { is: seeded, default: 0 },
} satisfies Schema<LatinHypercubeOptions>

/**
 * A Latin hypercube (McKay, Beckman & Conover 1979): of n points each has its own n-th of the range of each parameter, in random
 * combination.
 * @example
 * latinHypercube({ points: 32 }).name // 'latinHypercube'
 * @throws RangeError for a number of points that is not whole
 */
export function latinHypercube(options: LatinHypercubeOptions): Sampler {
  const { points, seed } = readOptions('latinHypercube', options, LATIN_HYPERCUBE)
  let known: { cube: number; orders: Int32Array[] } | undefined
  return {
    name: 'latinHypercube',
    isSequence: true,
    sample({ axes, point, random: generator }) {
      const cube = Math.floor(point / points)
      if (known?.cube !== cube || known.orders.length !== axes.length) {
        const shuffles = new Generator(seed, cube)
        known = { cube, orders: axes.map(() => shuffles.permutation(points)) }
      }
      const { orders } = known
      const within = generator.uniforms(axes.length)
      const place = within.map((u, i) => (orders[i][point % points] + u) / points)
      return pointAt(axes, place)
    },
  }
}

/** Options of {@link sobol}. */
export interface SobolOptions {
  /** Seed of the scrambling. Default 0. */
  seed?: number
}

export const SOBOL = { seed: { is: seeded, default: 0 } } satisfies Schema<SobolOptions>

/**
 * A scrambled Sobol' sequence (Joe & Kuo 2008, with a random digital shift): points that fill the space evenly however many there are. For
 * up to 101 parameters.
 * @example
 * sobol().name // 'sobol'
 * @throws RangeError, at the first trial, for a space of more than 101 parameters
 */
export function sobol(options: SobolOptions = {}): Sampler {
  const { seed } = readOptions('sobol', options, SOBOL)
  let known: { directions: Uint32Array[]; shifts: Float64Array } | undefined
  return {
    name: 'sobol',
    isSequence: true,
    sample({ axes, point, random: generator }) {
      if (known?.directions.length !== axes.length)
        known = { directions: axes.map((_, i) => directionsOf(i)), shifts: new Generator(seed).uniforms(axes.length) }
      const { directions, shifts } = known
      // digits below those of the sequence are random, so that no two points are equal
      const below = generator.uniforms(axes.length)
      const shares = directions.map((direction, i) => {
        let bits = Math.floor(shifts[i] * 2 ** 32) >>> 0
        // Gray code: neighbors differ in one digit
        for (let code = (point ^ (point >>> 1)) >>> 0, j = 0; code > 0; code >>>= 1, j++) if (code & 1) bits = (bits ^ direction[j]) >>> 0
        return (bits + below[i]) / 2 ** 32
      })
      return pointAt(axes, shares)
    },
  }
}

/** Direction numbers of a dimension, from 0, by the recurrence of Bratley & Fox 1988. */
function directionsOf(dimension: number): Uint32Array {
  const out = new Uint32Array(32)
  if (dimension === 0) {
    for (let j = 0; j < 32; j++) out[j] = 2 ** (31 - j)
    return out
  }
  const row = SOBOL_DIRECTIONS[dimension - 1]
  if (row === undefined)
    throw rangeError(`sobol: wants a space of at most ${SOBOL_DIRECTIONS.length + 1} parameters; tpe() and random() take more`)
  const [coefficients, ...first] = row
  const degree = first.length
  for (let j = 0; j < 32; j++) {
    if (j < degree) out[j] = first[j] * 2 ** (31 - j)
    else {
      let value = out[j - degree] ^ (out[j - degree] >>> degree)
      for (let k = 1; k < degree; k++) if ((coefficients >> (degree - 1 - k)) & 1) value ^= out[j - k]
      out[j] = value >>> 0
    }
  }
  return out
}

/** Options of {@link grid}. */
export interface GridOptions {
  /** Number of points along a real number, or along a range with more integers than that. `counts` overrides it. Default 5. */
  points?: number
  /** Points along single parameters, by name. */
  counts?: Readonly<Record<string, number>>
}

export const GRID = {
  points: { is: count, default: 5 },
  counts: { is: object, default: {} },
} satisfies Schema<GridOptions>

/**
 * All combinations of equally distant values, both ends among them; on logarithmic ranges in equal proportion. The last parameter changes
 * fastest. The number of points is the product over all parameters, so a grid is for one to three of them. The study ends when all have been
 * tried, as with Optuna's GridSampler. Points are computed one by one, so a large grid takes no memory.
 * @example
 * grid({ points: 7, counts: { width: 3 } }).name // 'grid'
 * @throws RangeError for counts that are not whole; at the first trial for a grid of more than 2⁵³ points
 */
export function grid(options: GridOptions = {}): Sampler {
  const { points, counts } = readOptions('grid', options, GRID)
  for (const [name, count] of Object.entries(counts)) checkCount(`grid: counts.${name}`, count)
  const grids = new WeakMap<readonly Axis[], Grid>()
  const gridOf = (axes: readonly Axis[]): Grid => {
    const grid = grids.get(axes) ?? new Grid(axes, (axis) => coordinatesOf(axis, counts[axis.name] ?? points))
    grids.set(axes, grid)
    return grid
  }
  return {
    name: 'grid',
    isSequence: true,
    limit: (axes) => gridOf(axes).size,
    sample: ({ axes, point }) => gridOf(axes).at(point % gridOf(axes).size),
  }
}

/** The points of a grid in lexicographic order, computed by their numbers: digits of a number in a mixed radix. */
class Grid {
  /** Number of points. */
  readonly size: number
  private readonly coordinates: readonly (readonly number[])[]
  /** For each axis the number of combinations of its values and of the parameters that depend on it. */
  private readonly combinations: readonly number[]

  constructor(
    private readonly axes: readonly Axis[],
    coordinatesOf: (axis: Axis) => number[],
  ) {
    this.coordinates = axes.map(coordinatesOf)
    const combinations = axes.map(() => 0)
    this.combinations = combinations
    const point = new Float64Array(axes.length).fill(Number.NaN)
    // from the last: an axis comes after the axis on which it depends
    for (let i = axes.length - 1; i >= 0; i--) {
      for (const coordinate of this.coordinates[i]) {
        point[i] = coordinate
        combinations[i] += this.dependent(i, point)
      }
      point[i] = Number.NaN
    }
    this.size = combinations.reduce((product, count, i) => (axes[i].parent < 0 ? product * count : product), 1)
    if (this.size > Number.MAX_SAFE_INTEGER)
      throw rangeError(
        `grid: wants a space of at most 2^53 points, got ${this.size.toPrecision(3)}; take fewer points, counts for single parameters, or tpe()`,
      )
  }

  /** The number of combinations of the parameters that depend on axis i, if axis i has the coordinate that `point` gives it. */
  private dependent(i: number, point: Float64Array): number {
    return this.axes.reduce((product, axis, j) => (axis.parent === i && axis.isActive(point) ? product * this.combinations[j] : product), 1)
  }

  at(index: number): Float64Array {
    const { axes, coordinates } = this
    const point = new Float64Array(axes.length).fill(Number.NaN)
    // combinations of all undecided parameters: later parameters that are unconditional, or present because of a decided one
    let open = this.size
    let rest = index
    for (const [i, axis] of axes.entries()) {
      if (!axis.isActive(point)) continue
      open /= this.combinations[i]
      for (const coordinate of coordinates[i]) {
        point[i] = coordinate
        const behind = open * this.dependent(i, point)
        if (rest < behind) {
          open = behind
          break
        }
        rest -= behind
      }
    }
    return point
  }
}

/** Coordinates along an axis, each value once. */
function coordinatesOf(axis: Axis, points: number): number[] {
  if (axis.range.kind === 'categorical') return axis.range.choices.map((_, i) => i)
  const [first, last] = [axis.coordinate(axis.range.low), axis.coordinate(axis.range.high)]
  const shares = Array.from({ length: points }, (_, i) => (points === 1 ? 0.5 : i / (points - 1)))
  return [...new Set(shares.map((share) => axis.coordinate(axis.value(first + share * (last - first)))))]
}

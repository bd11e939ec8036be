/** The function over a grid, and its contour lines. */
import { noGrad, tensor } from 'gradus'
import { doubles } from '../engine/doubles'
import { contourLine } from './contours'
import { compile, type Ground } from './formula'
import type { Surface } from './functions'

export interface Landscape {
  /** The part of the plane that the grid covers. */
  range: Surface['range']
  columns: number
  rows: number
  /**
   * Heights from 0 to 1, row by row from the bottom (the least y) up; lines lie closer near the bottom, and so do colors. NaN where f is not a number.
   */
  shares: Float64Array
  /** Contour lines as pieces (`contourLine`), with the level's place from 0 (lowest) to 1. */
  lines: { share: number; pieces: Float32Array }[]
}

const LEVELS = 22
/** Points of the grid, about. */
const POINTS = 110 * 110
/** Exponent by which levels are closer near the bottom. */
const CLOSENESS = 2.2

/** The function over a range, on a grid whose cells are as wide as high. */
export function landscape({ ground, range }: { ground: Ground; range: Surface['range'] }): Landscape {
  const [[left, right], [bottom, top]] = range
  const aspect = (right - left) / (top - bottom)
  const columns = Math.round(Math.sqrt(POINTS * aspect))
  const rows = Math.round(Math.sqrt(POINTS / aspect))
  const xs = new Float64Array(columns * rows)
  const ys = new Float64Array(columns * rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      xs[row * columns + column] = left + ((right - left) * column) / (columns - 1)
      ys[row * columns + column] = bottom + ((top - bottom) * row) / (rows - 1)
    }
  }
  const backend = doubles()
  const f = compile(ground)
  const values = Float64Array.from(noGrad(() => f(tensor(xs, { backend }), tensor(ys, { backend }))).data())
  const [low, high] = rangeOf(values)
  const levels = Array.from({ length: LEVELS }, (_, i) => low + (high - low) * ((i + 0.5) / LEVELS) ** CLOSENESS)
  const shares = values.map((v) =>
    Number.isFinite(v) ? Math.min(Math.max((v - low) / (high - low), 0), 1) ** (1 / CLOSENESS) : Number.NaN,
  )
  const heights = values.map((v) => (Number.isFinite(v) ? v : Number.MAX_VALUE))
  const lines = levels.map((level, i) => ({ share: i / (LEVELS - 1), pieces: contourLine(heights, columns, rows, level) }))
  return { range, columns, rows, shares, lines }
}

/** The lowest value, and a high one that few values exceed: the corners of a map may be very high. */
function rangeOf(values: Float64Array): [low: number, high: number] {
  const finite = values.filter(Number.isFinite).sort()
  const low = finite[0] ?? 0
  const high = finite[Math.floor(finite.length * 0.98)] ?? 1
  return [low, high === low ? low + 1 : high]
}

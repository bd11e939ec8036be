/** The classics that any other forecast has to beat: the last season again, drift, and Theta. */
import { centeredMean, lineThrough } from './smoothing.js'

/** The values of the last season again; of the last value for a season of 1. Row-major [origins, horizon]. */
export function naiveForecasts(values: Float64Array, origins: ArrayLike<number>, horizon: number, season: number): Float64Array {
  const out = new Float64Array(origins.length * horizon)
  for (let k = 0; k < origins.length; k++) {
    const period = Math.min(season, origins[k])
    for (let h = 0; h < horizon; h++) out[k * horizon + h] = values[origins[k] - period + (h % period)]
  }
  return out
}

/** The line through the first and the last known value, on top of the last season. */
export function driftForecasts(values: Float64Array, origins: ArrayLike<number>, horizon: number, season: number): Float64Array {
  const out = naiveForecasts(values, origins, horizon, season)
  for (let k = 0; k < origins.length; k++) {
    const n = origins[k]
    const period = Math.min(season, n - 1)
    if (period < 1) continue
    // mean change over a season, which for a season of 1 is the slope between first and last value
    let rise = 0
    for (let i = 0; i < period; i++) rise += values[n - 1 - i] - values[i]
    rise /= period * (n - period)
    for (let h = 0; h < horizon; h++) out[k * horizon + h] += rise * period * (1 + Math.floor(h / period))
  }
  return out
}

/** A fitted Theta model (Assimakopoulos & Nikolopoulos 2000): half a line, half exponential smoothing of the second theta line. */
export interface Theta {
  readonly period: number
  /** Divides values (`M`) or is taken from them (`A`); the season of place 0 comes first. */
  readonly kind: 'M' | 'A' | 'N'
  readonly seasons: readonly number[]
  readonly intercept: number
  readonly slope: number
  readonly alpha: number
  readonly level: number
}

/** Autocorrelation is significant beyond this many standard errors, at 90 %. */
const SIGNIFICANT = 1.645

/** True if the autocorrelation at the season is significant by the test of the M competitions. */
export function isSeasonal(values: Float64Array, period: number): boolean {
  const n = values.length
  if (period < 2 || n < 3 * period) return false
  const mean = values.reduce((a, b) => a + b, 0) / n
  const product = (lag: number) => {
    let sum = 0
    for (let i = lag; i < n; i++) sum += (values[i] - mean) * (values[i - lag] - mean)
    return sum
  }
  const total = product(0)
  if (total === 0) return false
  let squares = 0
  for (let lag = 1; lag < period; lag++) squares += (product(lag) / total) ** 2
  return Math.abs(product(period) / total) > SIGNIFICANT * Math.sqrt((1 + 2 * squares) / n)
}

/** The trend is that of all values; α and the first level have the least squares of errors one step ahead. */
export function fitTheta(values: Float64Array, period: number): Theta {
  const season = isSeasonal(values, period) ? seasonOf(values, period) : { kind: 'N' as const, seasons: [] }
  const adjusted = values.map((y, i) => withoutSeason(season, y, i))
  const { intercept, slope } = lineThrough(adjusted)
  const line = adjusted.map((y, i) => 2 * y - intercept - slope * i)
  // errors are e = a − c·level with e₀ = line₀ − level: for each α the best level is a quotient
  const search = (alpha: number) => {
    let [level, weight, cross, squares, own] = [0, 1, 0, 0, 0]
    for (const value of line) {
      const e = value - level
      own += e * e
      cross += e * weight
      squares += weight * weight
      level += alpha * e
      weight *= 1 - alpha
    }
    return { alpha, level: cross / squares, loss: own - (cross * cross) / squares }
  }
  let best = search(0.5)
  for (let size = 0.25; size > 1e-4; size /= 2)
    for (const alpha of [best.alpha - size, best.alpha + size]) {
      const other = search(Math.min(0.9999, Math.max(1e-4, alpha)))
      if (other.loss < best.loss) best = other
    }
  return { period, ...season, intercept, slope, alpha: best.alpha, level: best.level }
}

/** Row-major [origins, horizon]. */
export function thetaForecasts(model: Theta, values: Float64Array, origins: ArrayLike<number>, horizon: number): Float64Array {
  const { intercept, slope, alpha, kind, seasons, period } = model
  let level = model.level
  const out = new Float64Array(origins.length * horizon)
  for (let k = 0, i = 0; k < origins.length; k++) {
    for (; i < origins[k]; i++) level += alpha * (2 * withoutSeason(model, values[i], i) - intercept - slope * i - level)
    for (let h = 0; h < horizon; h++) {
      const value = (level + intercept + slope * (i + h)) / 2
      const s = seasons[(i + h) % period]
      out[k * horizon + h] = kind === 'M' ? value * s : kind === 'A' ? value + s : value
    }
  }
  return out
}

function withoutSeason({ kind, seasons }: Pick<Theta, 'kind' | 'seasons'>, y: number, i: number): number {
  const s = seasons[i % seasons.length]
  return kind === 'M' ? y / s : kind === 'A' ? y - s : y
}

/** Classical decomposition: factors for values above 0, unless one is near 0; otherwise differences. */
function seasonOf(values: Float64Array, period: number): Pick<Theta, 'kind' | 'seasons'> {
  const smooth = centeredMean(values, period)
  const parts = (of: (y: number, mean: number) => number) =>
    Array.from({ length: period }, (_, j) => {
      let [sum, count] = [0, 0]
      for (let i = j; i < values.length; i += period)
        if (!Number.isNaN(smooth[i])) {
          sum += of(values[i], smooth[i])
          count++
        }
      return sum / count
    })
  const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / period
  if (values.every((y) => y > 0)) {
    const factors = parts((y, m) => y / m)
    const middle = mean(factors)
    if (factors.every((s) => s > 0.01)) return { kind: 'M', seasons: factors.map((s) => s / middle) }
  }
  const differences = parts((y, m) => y - m)
  const middle = mean(differences)
  return { kind: 'A', seasons: differences.map((s) => s - middle) }
}

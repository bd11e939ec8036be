/**
 * Autoregression with an automatic choice of its form: of values or of their logarithms, as they are or as differences to the value or the season before,
 * with up to {@link MOST_LAGS} lags and the lag of a season. Coefficients have the least squares of errors one step ahead; the form has the least AICc of
 * those that are stable. All forms forecast the same values, so that those with and without differences compare.
 */
import { sumAbs } from '../common/vector.js'
import { aiccOf, devianceOf } from './aicc.js'
import { isStable, type Polynomial, times } from './polynomial.js'

/** A fitted model: x_t = constant + Σ coefficients[i]·x_(t−1−i), where x is a value divided by `scale`, or the logarithm of this. */
export interface Autoregression {
  readonly scale: number
  /** Least value of the fit, of whose logarithm smaller values have the place; null without logarithms. */
  readonly least: number | null
  /** True for differences to the value before, and for those to the season before. */
  readonly differences: readonly [first: boolean, seasonal: boolean]
  readonly constant: number
  readonly coefficients: readonly number[]
}

const MOST_LAGS = 12
/** Values for each lag that is tried. */
const VALUES_A_LAG = 8
/** Seasons that a lag of a season wants. */
const SEASONS = 4
/** A regressor of which the others leave less than this share is left out. */
const SINGULAR = 1e-10

/** @param before a fit of fewer values: logarithms and differences that it did without stay out, as they may grow where the judged form does not */
export function fitAutoregression(values: Float64Array, period: number, before?: Autoregression): Autoregression {
  const n = values.length
  const scale = sumAbs(values) / n || 1
  const lags = Math.max(1, Math.min(MOST_LAGS, Math.floor(n / VALUES_A_LAG)))
  const season = period > 1 && n >= SEASONS * period ? period : 0
  const from = Math.min(n - 1, Math.max(lags, season) + season + 1)
  const least = values.reduce((a, b) => Math.min(a, b))
  // without a form, the last value again
  let best: Autoregression = { scale, least: null, differences: [true, false], constant: 0, coefficients: [1] }
  let bestAicc = Infinity
  const tried = (was?: boolean) => (was === false ? [false] : [false, true])
  for (const isLog of least > 0 ? tried(before && before.least !== null) : [false]) {
    const x = values.map((y) => (isLog ? Math.log(y / scale) : y / scale))
    const jacobian = isLog ? 2 * x.subarray(from).reduce((a, b) => a + b, 0) : 0
    for (const isSeasonal of season > 0 ? tried(before?.differences[1]) : [false])
      for (const isFirst of tried(before?.differences[0])) {
        const differences = times(isSeasonal ? differenceOf(season) : [1], isFirst ? differenceOf(1) : [1])
        for (const one of regressions(filtered(x, differences), lags, season, from)) {
          const aicc = aiccOf(devianceOf(one.squares, n - from) + jacobian, n - from, one.count + 1)
          if (!(aicc < bestAicc)) continue
          const { constant, polynomial } = coefficientsOf(one, lags, season)
          if (!isStable(polynomial)) continue
          const coefficients = times(polynomial, differences)
            .slice(1)
            .map((c) => -c)
          best = { scale, least: isLog ? least : null, differences: [isFirst, isSeasonal], constant, coefficients }
          bestAicc = aicc
        }
      }
  }
  return best
}

/** 1 − L^lag. */
const differenceOf = (lag: number): Polynomial => Array.from({ length: lag + 1 }, (_, i) => (i === 0 ? 1 : i === lag ? -1 : 0))

/** The polynomial applied to values; NaN where one before the first would be needed. */
function filtered(x: Float64Array, polynomial: Polynomial): Float64Array {
  const terms = [...polynomial.entries()].filter(([, c]) => c !== 0)
  return x.map((_, t) => terms.reduce((sum, [lag, c]) => sum + c * (t < lag ? Number.NaN : x[t - lag]), 0))
}

/** A regression on the columns from `first` to before `end`, and on that of the season with this coefficient. */
interface Regression {
  squares: number
  /** Number of coefficients. */
  count: number
  first: number
  end: number
  ofSeason: number
  factor: Float64Array
}

/**
 * Least squares of w_t, t ≥ from, on a constant or none, lags 1 to p for each p ≤ lags, and the lag of a season or none. Cholesky's factor of the sums of
 * products has the squares of all of them: the first p rows are the factor for p lags.
 */
function* regressions(w: Float64Array, lags: number, season: number, from: number): Generator<Regression> {
  const hasSeason = season > lags
  // constant, lags, season, value
  const columns = [...Array(lags + 1).keys(), hasSeason ? season : 0, 0]
  const [atSeason, atValue, size] = [lags + 1, lags + 2, lags + 3]
  const gram = new Float64Array(size * size)
  const row = new Float64Array(size)
  for (let t = from; t < w.length; t++) {
    for (let i = 0; i < size; i++) row[i] = i === 0 ? 1 : w[t - columns[i]]
    for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) gram[i * size + j] += row[i] * row[j]
  }
  for (const first of [0, 1]) {
    const factor = gram.slice()
    for (let end = first; ; end++) {
      // the squares of season and value that the columns so far leave, and their product
      const squares = factor[atValue * size + atValue]
      yield { squares: Math.max(0, squares), count: end - first, first, end, ofSeason: 0, factor }
      const left = factor[atSeason * size + atSeason]
      if (hasSeason && left > SINGULAR * gram[atSeason * size + atSeason]) {
        const product = factor[atValue * size + atSeason]
        yield { squares: Math.max(0, squares - product ** 2 / left), count: end - first + 1, first, end, ofSeason: product / left, factor }
      }
      const pivot = factor[end * size + end]
      if (end > lags || !(pivot > SINGULAR * gram[end * size + end])) break
      for (let i = end; i < size; i++) factor[i * size + end] /= Math.sqrt(pivot)
      for (let i = end + 1; i < size; i++)
        for (let j = end + 1; j <= i; j++) factor[i * size + j] -= factor[i * size + end] * factor[j * size + end]
    }
  }
}

function coefficientsOf(
  { first, end, ofSeason, factor }: Regression,
  lags: number,
  season: number,
): { constant: number; polynomial: Polynomial } {
  const [atSeason, atValue, size] = [lags + 1, lags + 2, lags + 3]
  const solution = new Float64Array(lags + 1)
  for (let i = end - 1; i >= first; i--) {
    let sum = factor[atValue * size + i] - ofSeason * factor[atSeason * size + i]
    for (let k = i + 1; k < end; k++) sum -= factor[k * size + i] * solution[k]
    solution[i] = sum / factor[i * size + i]
  }
  const polynomial = new Array<number>(1 + (ofSeason === 0 ? Math.max(0, end - 1) : season)).fill(0)
  polynomial[0] = 1
  for (let i = 1; i < end; i++) polynomial[i] = -solution[i]
  if (ofSeason !== 0) polynomial[season] = -ofSeason
  return { constant: solution[0], polynomial }
}

/** Row-major [origins, horizon]. */
export function autoregressionForecasts(
  { scale, least, constant, coefficients }: Autoregression,
  values: Float64Array,
  origins: ArrayLike<number>,
  horizon: number,
): Float64Array {
  const out = new Float64Array(origins.length * horizon)
  const before = coefficients.length
  const x = new Float64Array(before + horizon)
  for (let k = 0; k < origins.length; k++) {
    for (let i = 0; i < before; i++) {
      const y = values[Math.max(0, origins[k] - before + i)]
      x[i] = least === null ? y / scale : Math.log(Math.max(least, y) / scale)
    }
    for (let h = 0; h < horizon; h++) {
      let sum = constant
      for (let i = 0; i < before; i++) sum += coefficients[i] * x[before + h - 1 - i]
      x[before + h] = sum
      out[k * horizon + h] = scale * (least === null ? sum : Math.exp(sum))
    }
  }
  return out
}

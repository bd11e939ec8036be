/**
 * Exponential smoothing with an automatic choice of its form (Hyndman, Koehler, Snyder & Grose 2002): ETS models with additive or multiplicative errors
 * and season, and no, additive or damped trend. Parameters and initial states maximize the likelihood together, by L-BFGS with exact gradients: one
 * pass forward and one back over the series.
 */
import { sumAbs } from '../common/vector.js'
import { minimize } from '../solve/index.js'
import { aiccOf } from './aicc.js'

/** Components, as ETS(error, trend, season) has them: `Ad` is a damped trend, `N` is none. */
export interface EtsForm {
  error: 'A' | 'M'
  trend: 'N' | 'A' | 'Ad'
  season: 'N' | 'A' | 'M'
}

/** A fitted model. */
export interface Ets {
  readonly form: EtsForm
  readonly period: number
  /** α, β* = β/α, γ, φ. */
  readonly weights: readonly [alpha: number, beta: number, gamma: number, phi: number]
  /** Initial level, trend and seasonal states; the season of place 0 comes first. */
  readonly level: number
  readonly trend: number
  readonly seasons: readonly number[]
  /** Corrected information criterion of Akaike: the form with the least is chosen. */
  readonly aicc: number
}

/** `ETS(M,Ad,M)` */
export const etsName = ({ error, trend, season }: EtsForm) => `ETS(${error},${trend},${season})`

/** Range of φ, as in forecast of R. */
const [MIN_PHI, MAX_PHI] = [0.8, 0.98]
/** Where a search ends: what follows would lower the criterion by a few hundredths. */
const ITERATIONS = 60
const VALUE_TOLERANCE = 1e-5
/** Longest season that is estimated: each of its places is a parameter. */
const LONGEST = 400

/**
 * The model with the least AICc: of those with no or an additive trend and each season first, then also with a damped trend and with the other error.
 * Multiplicative parts need values above 0, a season two full seasons.
 */
export function fitEts(values: Float64Array, period: number): Ets {
  const start = startOf(values, period)
  const isPositive = values.every((y) => y > 0)
  const seasons: EtsForm['season'][] = start.period === 1 ? ['N'] : isPositive ? ['N', 'A', 'M'] : ['N', 'A']
  const best = (models: readonly Ets[]) => models.reduce((least, model) => (model.aicc < least.aicc ? model : least))
  const fit = (error: EtsForm['error'], trend: EtsForm['trend'], season: EtsForm['season']) =>
    search(values, { error, trend, season }, start)
  const first = best(
    seasons.flatMap((season) => [fit(season === 'M' ? 'M' : 'A', 'N', season), fit(season === 'M' ? 'M' : 'A', 'A', season)]),
  )
  const second = best([first, fit(first.form.error, 'Ad', first.form.season)])
  // a multiplicative season with additive errors is unstable
  return second.form.season === 'M' || !isPositive ? second : best([second, fit('M', second.form.trend, second.form.season)])
}

/** The model of one form. @param from a model of this form for fewer values, at whose parameters the search starts */
export function fitForm(values: Float64Array, form: EtsForm, period: number, from?: Ets): Ets {
  return search(values, form, { ...startOf(values, period), from })
}

/** Seasons at the beginning from which initial states are taken: a season may grow later. */
const EARLY = 4

interface Start {
  period: number
  scale: number
  level: number
  trend: number
  additive: Float64Array
  multiplicative: Float64Array
  from?: Ets
}

/** Initial states by classical decomposition: the season from differences to a centered mean, level and trend from a line through the first seasons. */
function startOf(values: Float64Array, period: number): Start {
  const n = values.length
  const scale = sumAbs(values) / n || 1
  const usable = period > 1 && period <= LONGEST && n >= 2 * period ? period : 1
  const additive = new Float64Array(usable)
  const multiplicative = new Float64Array(usable).fill(1)
  let adjusted = values
  if (usable > 1) {
    const early = values.subarray(0, EARLY * usable)
    const smooth = centeredMean(early, usable)
    const counts = new Float64Array(usable)
    multiplicative.fill(0)
    for (let i = 0; i < early.length; i++) {
      if (Number.isNaN(smooth[i])) continue
      additive[i % usable] += values[i] - smooth[i]
      multiplicative[i % usable] += smooth[i] > 0 ? values[i] / smooth[i] : 1
      counts[i % usable]++
    }
    for (let j = 0; j < usable; j++) {
      additive[j] /= counts[j]
      multiplicative[j] = Math.max(0.01, multiplicative[j] / counts[j])
    }
    const mean = (x: Float64Array) => x.reduce((a, b) => a + b, 0) / usable
    const [shift, factor] = [mean(additive), mean(multiplicative)]
    for (let j = 0; j < usable; j++) {
      additive[j] -= shift
      multiplicative[j] /= factor
    }
    adjusted = values.map((y, i) => y - additive[i % usable])
  }
  const first = Math.min(n, Math.max(10, 2 * usable))
  const { intercept, slope } = lineThrough(adjusted.subarray(0, first))
  // a steep line may begin below 0, where factors have no meaning
  const isSteep = values[0] > 0 && intercept - slope < 0.1 * values[0]
  const [level, trend] = isSteep ? [adjusted[0], 0] : [intercept - slope, slope]
  return { period: usable, scale, level, trend, additive, multiplicative }
}

/** Mean over a season around each value, with half weights at the ends of an even one; NaN near the ends of the series. */
export function centeredMean(values: Float64Array, period: number): Float64Array {
  const out = new Float64Array(values.length).fill(Number.NaN)
  const half = Math.floor(period / 2)
  for (let i = half; i + half < values.length; i++) {
    let sum = 0
    for (let j = i - half; j <= i + half; j++) sum += values[j]
    if (period % 2 === 0) sum -= (values[i - half] + values[i + half]) / 2
    out[i] = sum / period
  }
  return out
}

/** The least-squares line through values at 0, 1, 2 … */
export function lineThrough(values: ArrayLike<number>): { intercept: number; slope: number } {
  const n = values.length
  const middle = (n - 1) / 2
  let [sum, cross, squares] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    sum += values[i]
    cross += (i - middle) * values[i]
    squares += (i - middle) ** 2
  }
  const slope = squares > 0 ? cross / squares : 0
  return { intercept: sum / n - slope * middle, slope }
}

/** The parameters of a form with the greatest likelihood, searched without bounds: see {@link likelihood}. */
function search(values: Float64Array, form: EtsForm, start: Start): Ets {
  const { scale, from } = start
  const period = form.season === 'N' ? 1 : start.period
  const [hasTrend, isDamped, isSeasonal] = [form.trend !== 'N', form.trend === 'Ad', form.season !== 'N']
  const y = values.map((value) => value / scale)
  const [alpha0, beta0, gamma0, phi0] = from?.weights ?? [0.3, 0.1, 0.25, 0.95]
  const initial = [
    ...[logit(alpha0), hasTrend ? logit(beta0) : 0, isSeasonal ? logit(gamma0 / (1 - alpha0)) : 0],
    isDamped ? logit((phi0 - MIN_PHI) / (MAX_PHI - MIN_PHI)) : 0,
    ...[(from?.level ?? start.level) / scale, hasTrend ? (from?.trend ?? start.trend) / scale : 0],
    ...(form.season === 'A' ? (from?.seasons ?? [...start.additive]).map((s) => s / scale) : []),
    ...(form.season === 'M' ? (from?.seasons ?? start.multiplicative) : []),
  ]
  const { x, value } = minimize(likelihood(y, form, period), initial, {
    gradientTolerance: 1e-4 * values.length,
    valueTolerance: VALUE_TOLERANCE,
    maxIterations: ITERATIONS,
  })
  const count = 3 + Number(hasTrend) * 2 + Number(isDamped) + (isSeasonal ? period : 0)
  const n = values.length
  // the likelihood of values that were divided by the scale
  const aicc = aiccOf(value + 2 * n * Math.log(scale), n, count)
  return {
    ...{ form, period, aicc },
    weights: weightsOf(x, form),
    level: x[4] * scale,
    trend: x[5] * scale,
    seasons: Array.from(x.subarray(6), (s) => (form.season === 'A' ? s * scale : s)),
  }
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))
/** Inverse of the logistic function, within ±8. */
const logit = (p: number) => Math.log(Math.min(0.9997, Math.max(3e-4, p)) / (1 - Math.min(0.9997, Math.max(3e-4, p))))

/** α, β*, γ = (1 − α)·γ* and φ of a searched vector, which has their logits, so that they stay within their ranges. */
function weightsOf(x: ArrayLike<number>, { trend, season }: EtsForm): [alpha: number, beta: number, gamma: number, phi: number] {
  const alpha = logistic(x[0])
  const phi = trend === 'Ad' ? MIN_PHI + (MAX_PHI - MIN_PHI) * logistic(x[3]) : trend === 'A' ? 1 : 0
  return [alpha, trend === 'N' ? 0 : logistic(x[1]), season === 'N' ? 0 : (1 - alpha) * logistic(x[2]), phi]
}

/** Errors below this share of the scale count as this: a series without noise would have a likelihood of infinity. */
const NO_ERROR = 1e-20

/** −2 log of the likelihood, but for a constant, with its gradient. */
function likelihood(y: Float64Array, form: EtsForm, period: number) {
  const { error, trend, season } = form
  const n = y.length
  const [levels, slopes, factors] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)]
  const current = new Float64Array(period)
  const [isRelative, isFactor, hasSeason, hasTrend] = [error === 'M', season === 'M', season !== 'N', trend !== 'N']
  return (x: Float64Array) => {
    const [alpha, beta, gamma, phi] = weightsOf(x, form)
    for (let j = 0; j < period; j++) current[j] = hasSeason ? x[6 + j] : 0
    let [level, slope, squares, logs] = [x[4], x[5], 0, 0]
    for (let i = 0, j = 0; i < n; i++) {
      const s = current[j]
      const base = level + phi * slope
      const mean = isFactor ? base * s : base + s
      levels[i] = level
      slopes[i] = slope
      factors[i] = s
      if ((isRelative || isFactor) && !(mean > 0 && base > 0 && (!isFactor || s > 1e-6))) return { value: Number.NaN, gradient: x }
      const e = isRelative ? y[i] / mean - 1 : y[i] - mean
      squares += e * e
      if (isRelative) logs += Math.log(mean)
      const step = (isFactor ? y[i] / s : y[i] - s) - base
      level = base + alpha * step
      if (hasTrend) slope = phi * slope + beta * alpha * step
      if (hasSeason) current[j] = s + gamma * ((isFactor ? y[i] / base : y[i] - base) - s)
      if (++j === period) j = 0
    }
    const gradient = new Float64Array(x.length)
    const total = squares + NO_ERROR * n
    const back = current.fill(0)
    let [dLevel, dSlope, dAlpha, dBeta, dGamma, dPhi] = [0, 0, 0, 0, 0, 0]
    for (let i = n - 1, j = (n - 1) % period; i >= 0; i--) {
      const [l, b, s] = [levels[i], slopes[i], factors[i]]
      const base = l + phi * b
      const mean = isFactor ? base * s : base + s
      const e = isRelative ? y[i] / mean - 1 : y[i] - mean
      const dMean = isRelative ? (-2 * n * e * y[i]) / (total * mean * mean) + 2 / mean : (-2 * n * e) / total
      const step = (isFactor ? y[i] / s : y[i] - s) - base
      const rest = (isFactor ? y[i] / base : y[i] - base) - s
      const dStep = alpha * dLevel + beta * alpha * dSlope
      const dRest = gamma * back[j]
      dAlpha += step * (dLevel + beta * dSlope)
      dBeta += dSlope * alpha * step
      dGamma += back[j] * rest
      const dBase = dLevel - dStep + dMean * (isFactor ? s : 1) + dRest * (isFactor ? -y[i] / (base * base) : -1)
      if (hasSeason) back[j] += -dRest + dMean * (isFactor ? base : 1) + dStep * (isFactor ? -y[i] / (s * s) : -1)
      dPhi += (hasTrend ? dSlope : 0) * b + dBase * b
      dSlope = hasTrend ? phi * (dSlope + dBase) : 0
      dLevel = dBase
      if (--j < 0) j = period - 1
    }
    // by the logits: the derivative of the logistic function is p·(1 − p)
    gradient[0] = (dAlpha * (1 - alpha) - dGamma * gamma) * alpha
    gradient[1] = hasTrend ? dBeta * beta * (1 - beta) : 0
    gradient[2] = hasSeason ? dGamma * gamma * (1 - gamma / (1 - alpha)) : 0
    if (trend === 'Ad') gradient[3] = (dPhi * (phi - MIN_PHI) * (MAX_PHI - phi)) / (MAX_PHI - MIN_PHI)
    gradient[4] = dLevel
    if (hasTrend) gradient[5] = dSlope
    if (hasSeason) gradient.set(back, 6)
    return { value: n * Math.log(total) + 2 * logs, gradient }
  }
}

/**
 * Forecasts after each origin, an origin being the number of values that are known: states run on through the values, parameters stay.
 * @returns row-major [origins, horizon]
 */
export function etsForecasts(model: Ets, values: Float64Array, origins: ArrayLike<number>, horizon: number): Float64Array {
  const { form, weights, period } = model
  const [alpha, beta, gamma, phi] = weights
  const seasons = model.seasons.length > 0 ? Float64Array.from(model.seasons) : new Float64Array(1)
  const isFactor = form.season === 'M'
  let { level, trend: slope } = model
  const out = new Float64Array(origins.length * horizon)
  for (let k = 0, i = 0; k < origins.length; k++) {
    for (; i < origins[k]; i++) {
      const s = seasons[i % period]
      const base = level + phi * slope
      const step = (isFactor ? values[i] / s : values[i] - s) - base
      level = base + alpha * step
      slope = phi * slope + beta * alpha * step
      if (form.season !== 'N') seasons[i % period] = s + gamma * ((isFactor ? values[i] / base : values[i] - base) - s)
    }
    let [base, drop] = [level, slope]
    for (let h = 0; h < horizon; h++) {
      drop *= phi
      base += drop
      const s = seasons[(i + h) % period]
      out[k * horizon + h] = isFactor ? base * s : base + s
    }
  }
  return out
}

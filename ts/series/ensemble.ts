/** Backtest by rolling origin, weights of the models of each series by it, and conformal bands for each step of the horizon. */
import { quantileOf } from '../common/quantile.js'
import { maxAbs } from '../common/vector.js'
import { type Arima, arimaForecasts, fitArima } from './arima.js'
import { type Autoregression, autoregressionForecasts, fitAutoregression } from './autoregression.js'
import type { Calendar } from './calendar.js'
import { driftForecasts, fitTheta, naiveForecasts, type Theta, thetaForecasts } from './classics.js'
import { errorsOf, type Judged, type SeriesErrors, scalesOf } from './measures.js'
import { type Net, netForecasts } from './net.js'
import type { Series } from './read-series.js'
import { type Ets, etsForecasts, fitEts, fitForm } from './smoothing.js'

/** A kind of model: the last season again, drift, Theta, exponential smoothing, autoregression, that with moving averages, a net for all series. */
export type Model = 'naive' | 'drift' | 'theta' | 'ets' | 'ar' | 'arima' | 'net'
export const MODELS: readonly Model[] = ['naive', 'drift', 'theta', 'ets', 'ar', 'arima', 'net']

/** The models of one series. */
export interface Fits {
  /** Season of this series: 1 if it has fewer than two. */
  readonly season: number
  readonly ets: Ets
  readonly theta: Theta
  readonly ar: Autoregression
  readonly arima: Arima
}

/** Fits the classics of a series to its first values. @param before fits of fewer values, whose forms stay, or get simpler */
export function fitClassics({ values }: Series, length: number, season: number, before?: Fits): Fits {
  const known = values.subarray(0, length)
  const own = length < 2 * season ? 1 : season
  const same = before?.season === own ? before : undefined
  const fits = {
    ets: same ? fitForm(known, same.ets.form, own, same.ets) : fitEts(known, own),
    theta: fitTheta(known, own),
    ar: fitAutoregression(known, own, same?.ar),
    arima: fitArima(known, own, same?.arima),
  }
  return { season: own, ...(same ? asJudged(fits, same, known) : fits) }
}

/** A refit whose errors one step ahead are larger than those of the judged fit by this factor is another model. */
const OTHER = 1.1
/** Errors up to this share of the largest value are rounding. */
const ROUNDING = 1e-9

/**
 * The fits of all values, and the judged one in the place of each that follows the values worse than it: where a form is no longer stable, a refit has
 * to take another, of which the backtest says nothing.
 */
function asJudged(refit: Omit<Fits, 'season'>, judged: Fits, known: Float64Array): Omit<Fits, 'season'> {
  const origins = Array.from({ length: Math.ceil(known.length / 2) }, (_, i) => known.length - Math.ceil(known.length / 2) + i)
  const error = (forecasts: Float64Array) => origins.reduce((sum, origin, k) => sum + Math.abs(known[origin] - forecasts[k]), 0)
  const rounding = ROUNDING * maxAbs(known) * origins.length
  const kept = <M>(
    now: M,
    before: M,
    forecasts: (model: M, values: Float64Array, origins: readonly number[], horizon: number) => Float64Array,
  ) => (error(forecasts(now, known, origins, 1)) <= OTHER * error(forecasts(before, known, origins, 1)) + rounding ? now : before)
  return {
    ets: kept(refit.ets, judged.ets, etsForecasts),
    theta: kept(refit.theta, judged.theta, thetaForecasts),
    ar: kept(refit.ar, judged.ar, autoregressionForecasts),
    arima: kept(refit.arima, judged.arima, arimaForecasts),
  }
}

/**
 * Forecasts of each model after the origins of each series, row-major [origins, horizon]; NaN where there is none.
 * @param net null if there are too few values for one
 */
export function forecastsOf(
  calendar: Calendar,
  series: readonly Series[],
  fits: readonly Fits[],
  net: Net | null,
  origins: readonly (readonly number[])[],
  horizon: number,
): Readonly<Record<Model, Float64Array>>[] {
  const ofNet = net && netForecasts(net, calendar, series, origins)
  return series.map(({ values }, s) => {
    const { season, ets, theta, ar, arima } = fits[s]
    return {
      naive: naiveForecasts(values, origins[s], horizon, season),
      drift: driftForecasts(values, origins[s], horizon, season),
      theta: thetaForecasts(theta, values, origins[s], horizon),
      ets: etsForecasts(ets, values, origins[s], horizon),
      ar: autoregressionForecasts(ar, values, origins[s], horizon),
      arima: arimaForecasts(arima, values, origins[s], horizon),
      net: ofNet?.[s] ?? new Float64Array(origins[s].length * horizon).fill(Number.NaN),
    }
  })
}

/** Values at the end of a series that a backtest leaves to be forecast: two horizons, or a third of a short series. */
export function heldOut(length: number, horizon: number): number {
  return Math.max(1, Math.min(2 * horizon, Math.floor(length / 3)))
}

/**
 * Origins of the backtest: places of the held-out values after a known one, as gaps are filled in by values on both sides, and with a known one to
 * forecast. Where there is none, an earlier place is the only one.
 */
export function originsOf({ values: { length }, gaps }: Series, horizon: number): number[] {
  const isOrigin = (place: number) => gaps[place - 1] === 0 && gaps.subarray(place, place + horizon).includes(0)
  const held = heldOut(length, horizon)
  const stride = Math.ceil(held / MAX_ORIGINS)
  const places = Array.from({ length: Math.ceil(held / stride) }, (_, i) => length - held + i * stride).filter(isOrigin)
  if (places.length > 0) return places
  let place = length - held
  while (place > 1 && !isOrigin(place)) place--
  return [place]
}
const MAX_ORIGINS = 100

/** How far the weights of a series follow its own errors: as if the errors of all series were so many horizons of its own. */
const PRIOR = 2
/** Weights fall with this power of the error. */
const POWER = 4
/** A model whose error is larger than the least one by this factor has no weight. */
const WORST = 1.3
/** Largest absolute forecast, in units of the largest known value: beyond, a model has left the ground. */
const MOST = 10

/** Errors of one series in its backtest. */
export interface Backtest {
  readonly weights: Readonly<Record<Model, number>>
  readonly errors: Readonly<Record<Model | 'ensemble', SeriesErrors | null>>
}

/** The weights of all series, their errors, and the half-widths of bands by series and step. */
export interface Judgment {
  readonly series: readonly Backtest[]
  /** Half of the band of each series and step. */
  readonly bands: readonly Float64Array[]
}

/** Weights and bands from the forecasts of a backtest. @param coverage fraction of values that bands are to hold */
export function judge(
  series: readonly Series[],
  season: number,
  origins: readonly (readonly number[])[],
  forecasts: readonly Readonly<Record<Model, Float64Array>>[],
  horizon: number,
  coverage: number,
): Judgment {
  const losses = series.map((own, s) => MODELS.map((model) => lossOf(own, origins[s], forecasts[s][model], horizon)))
  const counts = series.map(({ values }) => heldOut(values.length, horizon) / horizon)
  const weights = weigh(losses, counts)
  const combined = forecasts.map((own, s) => combine(own, weights[s]))
  const bands = bandsOf(series, origins, combined, horizon, coverage)
  return {
    bands,
    series: series.map((own, s) => {
      const scales = scalesOf(own.values, own.gaps, season, origins[s][0])
      const errors = (f: Float64Array) => {
        const judged = judgedOf(own, origins[s], f, horizon, bands[s])
        return judged.length === 0 ? null : errorsOf(judged, scales, coverage)
      }
      return {
        weights: weights[s],
        errors: Object.fromEntries([
          ...MODELS.map((model) => [model, errors(forecasts[s][model])] as const),
          ['ensemble', errors(combined[s])],
        ]) as Backtest['errors'],
      }
    }),
  }
}

/** Forecasts beside the values that are known and not missing; none if a forecast is not finite. */
function judgedOf(
  { values, gaps }: Series,
  origins: readonly number[],
  forecasts: Float64Array,
  horizon: number,
  band: Float64Array,
): Judged[] {
  const judged: Judged[] = []
  for (const [k, origin] of origins.entries())
    for (let h = 0; h < horizon && origin + h < values.length; h++) {
      if (gaps[origin + h] === 1) continue
      const f = forecasts[k * horizon + h]
      if (!Number.isFinite(f)) return []
      judged.push([values[origin + h], f, f - band[h], f + band[h]])
    }
  return judged
}

/** Mean absolute error; Infinity for a model without forecasts, or with absurd ones. */
function lossOf(own: Series, origins: readonly number[], forecasts: Float64Array, horizon: number): number {
  const most = MOST * maxAbs(own.values)
  if (!forecasts.every((f) => Math.abs(f) <= most)) return Infinity
  const judged = judgedOf(own, origins, forecasts, horizon, new Float64Array(horizon))
  return judged.length === 0 ? Infinity : judged.reduce((sum, [y, f]) => sum + Math.abs(y - f), 0) / judged.length
}

/** Weights of each series: by its own errors, and by those of all series the more, the shorter its backtest. */
function weigh(losses: readonly (readonly number[])[], windows: readonly number[]): Backtest['weights'][] {
  const logs = losses.map((own) => {
    const largest = Math.max(...own.filter(Number.isFinite))
    // a model without error is worth a thousand others
    const each = own.map((loss) => (Number.isFinite(loss) ? Math.log(Math.max(loss, 1e-6 * largest) || 1) : Number.NaN))
    const finite = each.filter(Number.isFinite)
    const middle = finite.reduce((a, b) => a + b, 0) / finite.length
    return each.map((log) => log - middle)
  })
  const pooled = MODELS.map((_, m) => {
    const own = logs.map((each) => each[m]).filter(Number.isFinite)
    return own.length === 0 ? 0 : own.reduce((a, b) => a + b, 0) / own.length
  })
  return logs.map((own, s) => {
    const share = windows[s] / (windows[s] + (logs.length > 1 ? PRIOR : 0))
    const scores = own.map((log, m) => share * log + (1 - share) * pooled[m])
    const least = Math.min(...scores.filter(Number.isFinite))
    const raw = scores.map((score) => (score <= least + Math.log(WORST) ? Math.exp(-POWER * (score - least)) : 0))
    const sum = raw.reduce((a, b) => a + b, 0)
    return Object.fromEntries(MODELS.map((model, m) => [model, raw[m] / sum])) as Backtest['weights']
  })
}

/** The weighted mean of forecasts; models without weight may have none. */
export function combine(forecasts: Readonly<Record<Model, Float64Array>>, weights: Backtest['weights']): Float64Array {
  const out = new Float64Array(forecasts.naive.length)
  for (const model of MODELS) if (weights[model] > 0) for (let i = 0; i < out.length; i++) out[i] += weights[model] * forecasts[model][i]
  return out
}

/** Bands of few windows are wider by this share of a window. */
const FEW_WINDOWS = 0.6
/** So many errors of its own decide the quantile of a series. */
const MANY = 400

/**
 * Split conformal bands (Lei et al. 2018): errors of the backtest, divided by the size of the series' errors and by the growth of errors with the step, have
 * one quantile; multiplied again they are half of the band.
 */
function bandsOf(
  series: readonly Series[],
  origins: readonly (readonly number[])[],
  combined: readonly Float64Array[],
  horizon: number,
  coverage: number,
): Float64Array[] {
  const sums = new Float64Array(horizon)
  const counts = new Float64Array(horizon)
  const all = series.map((own, s) => {
    const errors: [h: number, error: number][] = []
    for (const [k, origin] of origins[s].entries())
      for (let h = 0; h < horizon && origin + h < own.values.length; h++)
        if (own.gaps[origin + h] === 0) errors.push([h, Math.abs(own.values[origin + h] - combined[s][k * horizon + h])])
    const size = errors.reduce((sum, [, e]) => sum + e, 0) / (errors.length || 1)
    if (size > 0)
      for (const [h, e] of errors) {
        sums[h] += e / size
        counts[h]++
      }
    return { errors, size }
  })
  const growth = rising(sums, counts)
  const quantile = (scores: number[]) => {
    // the finite-sample rank of conformal prediction
    const rank = Math.min(1, (coverage * (scores.length + 1)) / scores.length)
    return scores.length === 0
      ? 1
      : quantileOf(
          scores.sort((a, b) => a - b),
          rank,
        )
  }
  // a step without errors has no growth
  const scoresOf = ({ errors, size }: (typeof all)[number]) =>
    size > 0 ? errors.map(([h, e]) => (e > 0 ? e / (size * growth[h]) : 0)) : []
  const pooled = quantile(all.flatMap(scoresOf))
  return all.map((own, s) => {
    const { values, gaps } = series[s]
    // windows of known values: gaps have no errors
    const known = gaps.subarray(values.length - heldOut(values.length, horizon)).reduce((n, gap) => n + 1 - gap, 0)
    const windows = Math.max(1, known) / horizon
    const factor = (own.errors.length >= MANY ? quantile(scoresOf(own)) : pooled) * (1 + FEW_WINDOWS / windows)
    return growth.map((g) => factor * own.size * g)
  })
}

/** Means by step that never fall (pool adjacent violators). */
function rising(sums: Float64Array, counts: Float64Array): Float64Array {
  const blocks: { sum: number; count: number; steps: number }[] = []
  for (const [h, sum] of sums.entries()) {
    blocks.push({ sum, count: counts[h], steps: 1 })
    for (let last = blocks.length - 1; last > 0; last--) {
      const [a, b] = [blocks[last - 1], blocks[last]]
      if (b.count > 0 && a.sum * b.count <= b.sum * a.count) break
      blocks.splice(last - 1, 2, { sum: a.sum + b.sum, count: a.count + b.count, steps: a.steps + b.steps })
    }
  }
  return Float64Array.from(blocks.flatMap(({ sum, count, steps }) => Array.from({ length: steps }, () => (count > 0 ? sum / count : 1))))
}

/** What a backtest found, as plain data. */
import { quantileOf } from '../common/quantile.js'
import { show } from '../common/show.js'
import { stepName, timeText } from './calendar.js'
import { MODELS, type Model } from './ensemble.js'
import type { SeriesErrors } from './measures.js'
import { count, countGaps, type LeftOutSeries, nameOf } from './read-series.js'
import { etsName } from './smoothing.js'
import type { FittedSeries, SeriesState } from './state.js'

/** The report of a model of series. Errors are of a backtest with rolling origin, whose values no model had seen. */
export interface SeriesReport {
  series: number
  /** Values of all series, without gaps. */
  values: number
  /** Distance of two times, such as `month`. */
  step: string
  /** Places of a season; 1 is none. */
  season: number
  horizon: number
  /** Nominal coverage of bands. */
  coverage: number
  /** What was found in the rows and changed, in sentences; of a model that goes on, in the rows that it was given last. */
  notes: readonly string[]
  /** Series without a forecast: too short or mostly gaps, or among later rows and not in the model. */
  leftOut: readonly LeftOutSeries[]
  /**
   * Mean errors of the backtest over all series; null for a model that had none. `ensemble` is what `forecasts` have: the backtest chose its weights and
   * its bands, so that its error is larger on new values, and its bands hold about `coverage` of them, not `errors.ensemble.coverage`.
   */
  errors: Readonly<Record<Model | 'ensemble', SeriesErrors | null>>
  /** Mean weight of each model, and the number of series in which its weight is the largest. */
  models: Readonly<Record<Model, { weight: number; leads: number }>>
  /** Each series, that with the largest MASE first. */
  each: readonly SeriesSummary[]
  /** Values of the past that are unlike their neighbors in the season, the farthest first. */
  anomalies: readonly Anomaly[]
}

/** One series in a report. */
export interface SeriesSummary {
  key: readonly string[]
  /** Values, without gaps. */
  values: number
  /** Times between the first and the last value that have none. */
  gaps: number
  /** Errors of the ensemble; null if its last values are all gaps. */
  errors: SeriesErrors | null
  weights: Readonly<Record<Model, number>>
  /** The form of exponential smoothing, such as `ETS(M,Ad,M)`. */
  ets: string
}

/** A value far from its expectation. */
export interface Anomaly {
  key: readonly string[]
  time: string | number
  value: number
  /** Median of the two values before and the two after in the same place of the season. */
  expected: number
  /** Distance in robust standard deviations of such distances in the series. */
  deviations: number
}

/** A value this many robust standard deviations away is an anomaly. */
const FAR = 6
const MAX_ANOMALIES = 20

export function reportOf(state: SeriesState): SeriesReport {
  const { series, calendar, seasons, horizon, coverage, leftOut } = state
  const notes = [...state.notes, ...missingValues(state), ...earlyEnds(state)]
  const mean = (model: Model | 'ensemble'): SeriesErrors | null => {
    const own = series.flatMap(({ errors }) => errors[model] ?? [])
    if (own.length === 0) return null
    const of = (name: keyof SeriesErrors) => own.reduce((sum, errors) => sum + errors[name], 0) / own.length
    return { mase: of('mase'), rmsse: of('rmsse'), smape: of('smape'), pinball: of('pinball'), coverage: of('coverage') }
  }
  const leader = ({ weights }: FittedSeries) => MODELS.reduce((best, model) => (weights[model] > weights[best] ? model : best))
  const each = series.map(({ key, gaps, errors, weights, fits }) => ({
    key,
    values: gaps.length - countGaps(gaps),
    gaps: countGaps(gaps),
    errors: errors.ensemble,
    weights,
    ets: etsName(fits.ets.form),
  }))
  return {
    ...{ series: series.length, step: stepName(calendar), season: seasons[0], horizon, coverage, notes, leftOut },
    values: each.reduce((sum, { values }) => sum + values, 0),
    errors: Object.fromEntries([...MODELS, 'ensemble' as const].map((model) => [model, mean(model)])) as SeriesReport['errors'],
    models: Object.fromEntries(
      MODELS.map((model) => [
        model,
        {
          weight: series.reduce((sum, { weights }) => sum + weights[model], 0) / series.length,
          leads: series.filter((own) => leader(own) === model).length,
        },
      ]),
    ) as SeriesReport['models'],
    each: each.sort((a, b) => (b.errors?.mase ?? -1) - (a.errors?.mase ?? -1)),
    anomalies: anomaliesOf(state),
  }
}

/** A note on gaps, of later rows too. */
function missingValues({ series }: SeriesState): string[] {
  const missing = series.map(({ gaps }) => countGaps(gaps))
  const gaps = missing.reduce((sum, own) => sum + own, 0)
  const places = series.reduce((sum, { values }) => sum + values.length, 0)
  return gaps === 0
    ? []
    : [
        `${count(gaps, 'value')} of ${places} ${gaps === 1 ? 'is' : 'are'} missing${series.length > 1 ? `, in ${missing.filter((own) => own > 0).length} of ${series.length} series` : ''}: models see values between their neighbors there, and no error is measured there`,
      ]
}

/** A note on series that end before others, such as a store that has closed. */
function earlyEnds({ series, calendar }: SeriesState): string[] {
  const ends = series.map(({ start, values }) => start + values.length)
  const last = Math.max(...ends)
  const early = series.filter((_, s) => ends[s] < last).map(({ key }) => show(nameOf(key)))
  if (early.length === 0) return []
  const [names, own] =
    early.length === 1 ? [`${early[0]} ends`, 'its'] : [`${early.length} of ${series.length} series, such as ${early[0]}, end`, 'their']
  return [
    `${names} before ${timeText(calendar, last - 1)}, the last time of the others: ${own} forecast begins after ${own} own last value`,
  ]
}

/**
 * Values unlike the two before and the two after them in the same place of the season: a median of four does not move with one wrong value, as the states
 * of smoothing do, and cancels a trend.
 */
function anomaliesOf({ series, calendar }: SeriesState): Anomaly[] {
  const found = series.flatMap(({ key, start, values, gaps, fits: { season } }): Anomaly[] => {
    const expected = values.map((_, i) => {
      const others = [-2, -1, 1, 2].map((k) => i + k * season).filter((j) => j >= 0 && j < values.length && gaps[j] === 0)
      return others.length < 4 ? Number.NaN : median(others.map((j) => values[j]))
    })
    const places = [...values.keys()].filter((i) => gaps[i] === 0 && !Number.isNaN(expected[i]))
    const distance = (i: number) => Math.abs(values[i] - expected[i])
    // 1.4826 times the median is the standard deviation of normal errors
    const deviation = 1.4826 * median(places.map(distance))
    const size = median(Array.from(values, Math.abs))
    if (!(deviation > 1e-9 * size)) return []
    return places
      .filter((i) => distance(i) > FAR * deviation)
      .map((i) => ({
        key,
        time: timeText(calendar, start + i),
        value: values[i],
        expected: expected[i],
        deviations: distance(i) / deviation,
      }))
  })
  return found.sort((a, b) => b.deviations - a.deviations).slice(0, MAX_ANOMALIES)
}

/** Sorts the values. */
const median = (values: number[]) => {
  const sorted = values.sort((a, b) => a - b)
  return quantileOf(sorted, 0.5)
}

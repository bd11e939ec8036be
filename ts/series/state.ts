/** Everything that a model of series is, as plain data and a net. */
import type { Calendar } from './calendar.js'
import type { Backtest, Fits } from './ensemble.js'
import type { Net } from './net.js'
import type { Period } from './options.js'
import type { Columns, LeftOutSeries, Series } from './read-series.js'

/** One series with its models. @internal */
export interface FittedSeries extends Series, Backtest {
  readonly fits: Fits
  /** Half of the band of each step. */
  readonly band: Float64Array
}

/** Everything that a model is. @internal */
export interface SeriesState {
  readonly columns: Columns
  readonly calendar: Calendar
  readonly seasons: readonly [season: number, longer: number]
  readonly horizon: number
  readonly coverage: number
  readonly min: number | null
  /** How rows are added up; null if each is a value. */
  readonly every: Period | null
  readonly combine: 'sum' | 'mean'
  readonly notes: readonly string[]
  readonly leftOut: readonly LeftOutSeries[]
  /** Null where no series gives it weight. */
  readonly net: Net | null
  readonly series: readonly FittedSeries[]
}

/** Options of forecasts. The command line takes values and defaults from here. */
import { count, finite, fraction, type Schema, seed, signal, text } from '../common/options.js'

/** Names of periods that rows can be added up to. */
export const PERIODS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const
export type Period = (typeof PERIODS)[number]

/** Options of `forecast`. */
export interface ForecastOptions {
  /** The column of times: dates (2024-12-31, 2024-12, 2024 Q4, 31.12.2024), instants or numbers. */
  time: string
  /** The column of values, or several, each a series of its own (a wide table). */
  value: string | readonly string[]
  /** The column that tells series apart, such as a store, or several (a long table). Default: one series. */
  by?: string | readonly string[]
  /** How many values to forecast. Default: a season, at most 48; 6 without a season; at most a quarter of the longest series. */
  horizon?: number
  /**
   * Columns whose future is known, such as prices or holidays: rows after the last value have them for the whole horizon, with the value empty. `every` takes
   * their mean.
   */
  known?: string | readonly string[]
  /** Columns that stay the same within a series, such as the size of a store. */
  static?: string | readonly string[]
  /** Places of a season, such as 12 for months. Default: a year of months or weeks, a week of days, a day of hours; 1 is none. */
  season?: number
  /** Adds rows up to periods of this length: for several rows at a time, or irregular times. */
  every?: Period
  /** How `every` joins rows. Default `sum`. */
  combine?: 'sum' | 'mean'
  /** Fraction of future values that bands should hold. Default 0.8. */
  coverage?: number
  /** Forecasts and bands are not below this, such as 0 for sales. Default: no limit. */
  min?: number
  /** Default 0. The same seed gives the same forecasts. */
  seed?: number
  /** Stops the training of nets with the error of the signal. */
  signal?: AbortSignal
}

const columns = {
  wants: 'the name of a column, or several in an array',
  fits: (value: unknown) =>
    typeof value === 'string' || (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')),
}

export const FORECAST = {
  time: { is: text, required: true, aka: ['date', 'ds', 'timeColumn'] },
  value: { is: columns, required: true, aka: ['target', 'y', 'values'] },
  by: { is: columns, aka: ['groups', 'id', 'unique_id'] },
  horizon: { is: count, aka: ['h', 'steps', 'fh'] },
  known: { is: columns, aka: ['futr_exog_list', 'exog'] },
  static: { is: columns, aka: ['stat_exog_list'] },
  season: { is: count, aka: ['season_length', 'm', 'sp'] },
  every: { is: PERIODS, aka: ['freq', 'frequency'] },
  combine: { is: ['sum', 'mean'], default: 'sum' },
  coverage: { is: fraction, default: 0.8, aka: ['level'] },
  min: { is: finite },
  seed: { is: seed, default: 0 },
  signal: { is: signal },
} satisfies Schema<ForecastOptions>

/** Forecasts of one or many series, in one call. */
import { rangeError, typeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { Pacer } from '../common/pacer.js'
import { show } from '../common/show.js'
import { countSteps, stepName } from './calendar.js'
import { type Fits, fitClassics, forecastsOf, judge, originsOf } from './ensemble.js'
import { planNet, trainNet } from './net.js'
import { FORECAST, type ForecastOptions } from './options.js'
import { type Columns, nameOf, readSeries, type SeriesSet } from './read-series.js'
import { checkKnown, SeriesModel } from './series-model.js'

const listOf = (given: string | readonly string[] | undefined): readonly string[] =>
  given === undefined ? [] : typeof given === 'string' ? [given] : given

/** Largest default horizon. */
const USUAL_HORIZON = 48
/** Default horizon of series without a season. */
const WITHOUT_SEASON = 6

/**
 * Forecasts the values of one or thousands of series. The frequency of the times is found; classics (the last season again, drift, Theta, exponential
 * smoothing, autoregression, ARIMA) and dense nets over all series are tried by a backtest with rolling origin, which weighs them for each series and sets the
 * width of the bands.
 *
 * @param rows of a table, as `readTable` gives them
 * @example
 * const rows = Array.from({ length: 36 }, (_, i) => ({ month: new Date(Date.UTC(2020, i)), units: 100 + 5 * i }))
 * const model = await forecast(rows, { time: 'month', value: 'units', horizon: 3 })
 * model.forecasts.map(({ value }) => Math.round(value)) // [280, 285, 290]
 * model.forecasts[0].time // '2023-01-01'
 * @throws TypeError, RangeError naming the row, column or series that does not fit: times that cannot be read, repeat or change their frequency, series
 *   that are all too short, a horizon longer than half of the longest series
 */
export async function forecast(rows: readonly object[], options: ForecastOptions): Promise<SeriesModel> {
  if (Array.isArray(rows) && typeof rows[0] === 'number')
    throw typeError(
      "forecast: wants rows as objects, got numbers; values.map((value, time) => ({ time, value })) makes them, with time: 'time', value: 'value'",
    )
  const given = readOptions('forecast', options, FORECAST)
  const { coverage, seed, signal, combine } = given
  const names: Columns = {
    time: given.time,
    values: listOf(given.value),
    by: listOf(given.by),
    known: listOf(given.known),
    fixed: listOf(given.static),
  }
  const reading = {
    combine,
    ...(given.every !== undefined && { every: given.every }),
    ...(given.season !== undefined && { season: given.season }),
  }
  const set = readSeries('forecast', rows, names, reading)
  const { calendar, series } = set
  const [season] = set.seasons
  const notes = [...set.notes, ...checkLengths(set, given.season !== undefined)]
  const longest = Math.max(...series.map(({ values }) => values.length))
  const horizon = given.horizon ?? Math.max(1, Math.min(USUAL_HORIZON, season > 1 ? season : WITHOUT_SEASON, Math.floor(longest / 4)))
  if (horizon > longest / 2)
    throw rangeError(
      `forecast: horizon wants at most ${Math.floor(longest / 2)} of ${countSteps(longest, stepName(calendar))}, half of the longest series, got ${horizon}; add earlier rows, or lower it`,
    )
  checkKnown('forecast', { series, horizon, calendar, columns: names })
  const pacer = new Pacer()
  const lengths = series.map(({ values }) => values.length)
  const origins = series.map((own) => originsOf(own, horizon))
  const cut = origins.map(([first]) => first)
  const fitAll = async (until: readonly number[], before?: readonly Fits[]): Promise<Fits[]> => {
    const fits: Fits[] = []
    for (const [s, own] of series.entries()) {
      fits.push(fitClassics(own, until[s], season, before?.[s]))
      if (pacer.isDue) await pacer.pause()
      signal?.throwIfAborted()
    }
    return fits
  }
  const early = await fitAll(cut)
  const plan = planNet(series, cut, horizon, set.seasons)
  const earlyNet = plan && (await trainNet(plan, calendar, series, cut, { seed, signal }))
  const past = forecastsOf(calendar, series, early, earlyNet, origins, horizon)
  const judgment = judge(series, season, origins, past, horizon, coverage)
  const fits = await fitAll(lengths, early)
  const usesNet = earlyNet !== null && judgment.series.some(({ weights }) => weights.net > 0)
  const net = usesNet ? await trainNet(earlyNet.plan, calendar, series, lengths, { seed, signal, from: earlyNet }) : null
  return new SeriesModel({
    ...{ columns: names, calendar, seasons: set.seasons, horizon, coverage, min: given.min ?? null, every: given.every ?? null, combine },
    ...{ notes, leftOut: set.leftOut, net },
    series: series.map((own, s) => ({ ...own, fits: fits[s], ...judgment.series[s], band: judgment.bands[s] })),
  })
}

/** Notes on series without a season. @throws RangeError if no series has two seasons, unless the caller chose the season */
function checkLengths({ series, seasons: [season], calendar }: SeriesSet, isChosen: boolean): string[] {
  const short = series.filter(({ values }) => values.length < 2 * season)
  if (short.length === 0) return []
  const { key, values } = short[0]
  const what = series.length === 1 ? 'the series has' : `${show(nameOf(key))} has`
  if (short.length === series.length)
    throw rangeError(
      `forecast: ${what} ${values.length} values, fewer than two seasons of ${countSteps(season, stepName(calendar))}; ${isChosen ? 'give a shorter season' : 'give season: 1 for a forecast without a season'}, or add earlier rows`,
    )
  return [`${short.length} of ${series.length} series are shorter than two seasons of ${season}: their classics have no season`]
}

/** A report on forecasts as a page, and as lines of a terminal. */
import { lineChart } from '../plot/svg.js'
import { adviceBy, type Block, checkShown, type Rule } from '../report/blocks.js'
import { formatCount, formatMetric, formatNumber, formatShare } from '../report/format.js'
import { showInNotebooks } from '../report/notebook.js'
import { PICTURE_WIDTH, page } from '../report/page.js'
import { type ReportTextOptions, textOf } from '../report/text.js'
import { countSteps, oneStep, timeText } from './calendar.js'
import { MODELS, type Model } from './ensemble.js'
import { nameOf } from './read-series.js'
import type { SeriesReport } from './report.js'
import { SeriesModel } from './series-model.js'

const NAMES: Readonly<Record<Model, string>> = {
  naive: 'last season again',
  drift: 'drift',
  theta: 'Theta',
  ets: 'exponential smoothing',
  ar: 'autoregression',
  arima: 'ARIMA',
  net: 'net',
}
/** Largest numbers of pictures, and of rows of tables. */
const MAX_PICTURES = 8
const MAX_ROWS = 12

/**
 * A report as an HTML page with pictures of the forecasts, for a file, a mail or a browser.
 *
 * @example
 * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
 * const model = await forecast(rows, { time: 'week', value: 'units' })
 * reportHtml(model).startsWith('<!doctype html>') // true
 */
export function reportHtml(model: SeriesModel): string {
  const blocks = blocksOf(model)
  const what = model.columns.values.join(', ')
  return page({ title: `${what}: forecast`, heading: `Forecast of ‘${what}’` }, blocks)
}

/**
 * A report as lines for a terminal: control characters in names are made visible.
 *
 * @example
 * const rows = Array.from({ length: 24 }, (_, i) => ({ week: i, units: 10 + i }))
 * const model = await forecast(rows, { time: 'week', value: 'units' })
 * reportText(model, { width: 100 }).includes('MASE') // true
 */
export function reportText(model: SeriesModel, options: ReportTextOptions = {}): string {
  return textOf(blocksOf(model), options)
}

showInNotebooks(SeriesModel.prototype, reportText, reportHtml)

function blocksOf(model: SeriesModel): Block[] {
  checkShown(model instanceof SeriesModel, 'a model of forecast or loadSeriesModel', model)
  const { report, forecasts, horizon } = model
  const { each, anomalies, season, step, coverage } = report
  const isMany = report.series > 1
  const shown = forecasts.slice(0, Math.min(MAX_ROWS, isMany ? horizon : MAX_ROWS))
  const advice = adviceBy(RULES, report, undefined)
  return [
    {
      ...({ kind: 'facts', title: '' } as const),
      facts: [
        ['series', formatCount(report.series)],
        ['values', formatCount(report.values)],
        ['times', `${oneStep(step)} apart`],
        ['season', season > 1 ? countSteps(season, step) : 'none'],
        ['horizon', countSteps(horizon, step)],
      ],
    },
    {
      kind: 'drawing',
      title: 'Forecasts',
      note: `with bands that should hold ${formatShare(coverage)} of the values${isMany && report.series > MAX_PICTURES ? `; ${MAX_PICTURES} of ${report.series} series, the hardest first` : ''}`,
      svgs: picturesOf(model),
      wide: true,
    },
    {
      ...({ kind: 'table', title: isMany ? `Forecast of ${nameOf(forecasts[0].key)}` : 'Forecast' } as const),
      note: `band: ${formatShare(coverage)}${shown.length < forecasts.length ? `; the first ${shown.length} of ${formatCount(forecasts.length)}` : ''}`,
      head: [model.columns.time, 'forecast', 'low', 'high'],
      rows: shown.map(({ time, value, low, high }) => [String(time), ...[value, low, high].map(formatNumber)]),
    },
    {
      ...({ kind: 'table', title: 'Backtest' } as const),
      note:
        'errors at the ends of the series, which no model had seen; a MASE below 1 is better than the last season again was in the past. ' +
        'They chose the weights and the bands: on new values the error of all by weight is larger, and its bands hold fewer of them than here',
      head: ['model', 'MASE', 'RMSSE', 'sMAPE', 'pinball', 'weight', ...(isMany ? ['leads'] : [])],
      rows: [...MODELS, 'ensemble' as const].flatMap((name) => {
        const errors = report.errors[name]
        if (errors === null) return []
        const { weight, leads } = name === 'ensemble' ? { weight: 1, leads: '–' } : report.models[name]
        return [
          [
            name === 'ensemble' ? 'all by weight' : NAMES[name],
            ...[errors.mase, errors.rmsse, errors.smape, errors.pinball].map(formatMetric),
            formatShare(weight),
            ...(isMany ? [String(leads)] : []),
          ],
        ]
      }),
    },
    {
      ...({ kind: 'table', title: 'Series, the hardest first' } as const),
      head: ['series', 'values', 'MASE', 'sMAPE', 'smoothing'],
      rows: each
        .slice(0, isMany ? MAX_ROWS : 0)
        .map(({ key, values, errors, ets }) => [
          nameOf(key),
          formatCount(values),
          ...(errors === null ? ['–', '–'] : [formatMetric(errors.mase), formatMetric(errors.smape)]),
          ets,
        ]),
    },
    {
      ...({ kind: 'table', title: 'Values unlike their neighbors' } as const),
      note: 'expected is the median of the two before and the two after in the season; deviations are robust standard deviations of usual distances',
      head: [...(isMany ? ['series'] : []), model.columns.time, 'value', 'expected', 'deviations'],
      rows: anomalies
        .slice(0, MAX_ROWS)
        .map(({ key, time, value, expected, deviations }) => [
          ...(isMany ? [nameOf(key)] : []),
          String(time),
          ...[value, expected, deviations].map(formatNumber),
        ]),
    },
    {
      kind: 'table',
      title: `${formatCount(report.leftOut.length)} series ${report.leftOut.length === 1 ? 'was' : 'were'} left out`,
      head: ['series', 'reason'],
      rows: report.leftOut.slice(0, MAX_ROWS).map(({ key, reason }) => [nameOf(key), reason]),
    },
    { kind: 'advice', title: 'What was found, and what to try next', lines: [...report.notes.map((note) => `${note}.`), ...advice] },
  ]
}

/** Rules of advice, in the order of reading. */
export const RULES: readonly Rule<SeriesReport>[] = [
  ({ errors: { ensemble, naive } }) =>
    ensemble !== null && naive !== null && ensemble.mase >= naive.mase
      ? [
          `The last season again was as good in the backtest (MASE ${formatMetric(naive.mase)}, all by weight ${formatMetric(ensemble.mase)}): what moves the values may not be in them. Columns whose future is known, such as prices or holidays, may help: \`known\`.`,
        ]
      : [],
  ({ each, season }) => {
    const short = each.filter(({ values, gaps }) => season > 1 && values + gaps < 4 * season).length
    return short > 0
      ? [
          `${short === each.length && short === 1 ? 'The series has' : `${short} of ${each.length} series have`} fewer than four seasons, so seasons and bands rest on few of them; earlier rows would help.`,
        ]
      : []
  },
  ({ anomalies }) =>
    anomalies.length > 0
      ? [
          `Check ${anomalies.length === 1 ? 'the value' : 'the values'} unlike ${anomalies.length === 1 ? 'its' : 'their'} neighbors: a wrong number pulls forecasts towards it. Leave it empty where it is wrong.`,
        ]
      : [],
]

/** Charts of the last values with the forecast and its band. */
function picturesOf({ report, forecasts, state, horizon }: SeriesModel): string[] {
  const { series, calendar } = state
  const order = report.each.slice(0, MAX_PICTURES).map(({ key }) => series.findIndex((own) => own.key === key))
  return order.map((s) => {
    const { key, start, values, gaps } = series[s]
    const ahead = forecasts.slice(s * horizon, (s + 1) * horizon)
    const from = Math.max(0, values.length - Math.max(4 * horizon, 3 * state.seasons[0]))
    const past = Array.from({ length: values.length - from }, (_, i) => from + i).filter((i) => gaps[i] === 0)
    // both begin at the last known value, so that no gap is between known and forecast
    const last = past.slice(-1)
    const x = [...last, ...ahead.map((_, h) => values.length + h)]
    const end = (of: 'value' | 'low' | 'high') => [...last.map((i) => values[i]), ...ahead.map((point) => point[of])]
    return lineChart(
      [
        { name: 'known', x: past, y: past.map((i) => values[i]) },
        { name: 'forecast and band', x, y: end('value'), band: [end('low'), end('high')] },
      ],
      {
        width: PICTURE_WIDTH,
        title: nameOf(key) || state.columns.values[0],
        xText: (place) => String(timeText(calendar, start + place)),
        xLabel: state.columns.time,
      },
    )
  })
}

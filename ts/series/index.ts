/**
 * `gradus/series`: forecasts of one or thousands of series, with bands, in one call.
 * @module gradus/series
 */
export type { ReportTextOptions } from '../report/text.js'
export type { Model } from './ensemble.js'
export { forecast } from './forecast.js'
export type { SeriesErrors } from './measures.js'
export type { ForecastOptions } from './options.js'
export type { Columns as SeriesColumns, LeftOutSeries } from './read-series.js'
export type { Anomaly, SeriesReport, SeriesSummary } from './report.js'
export { type ForecastPoint, loadSeriesModel, SeriesModel } from './series-model.js'
export { reportHtml, reportText } from './show-report.js'

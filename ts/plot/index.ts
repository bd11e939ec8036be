/**
 * `gradus/plot`: charts of trainings as SVG or text.
 * @module gradus/plot
 */

export { type PlotHistoryOptions, plotHistory } from './history.js'
export { type ChartOptions, type Line, lineChart } from './svg.js'
export { type TextChartOptions, textChart } from './text.js'

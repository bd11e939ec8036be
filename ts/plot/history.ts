/** plotHistory: the course of a training as a picture, or in letters. */
import { rangeError, typeError } from '../common/errors.js'
import { list } from '../common/names.js'
import { flag, positive, readOptions, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import type { History } from '../train/history.js'
import { type Line, lineChart } from './svg.js'
import { textChart } from './text.js'

/** Options of {@link plotHistory}. */
export interface PlotHistoryOptions {
  /** `svg` for a page or a file, `text` for a terminal. Default `svg`. */
  format?: 'svg' | 'text'
  /** `loss`, or the name of a metric. Default `loss`. */
  value?: string
  /** Width in pixels, or in letters of a terminal. Default 640 and 72. */
  width?: number
  /** Height in pixels, or in lines of a terminal. Default 320 and 12. */
  height?: number
  /** Makes the axis of the values logarithmic. Default false. */
  log?: boolean
  title?: string
}

export const PLOT_HISTORY = {
  format: { is: ['svg', 'text'], default: 'svg' },
  value: { is: text, default: 'loss' },
  width: { is: positive },
  height: { is: positive },
  log: { is: flag, default: false },
  title: { is: text, default: '' },
} satisfies Schema<PlotHistoryOptions>

/**
 * A picture of a training: the loss, or a metric, by epoch, with the validation curve if there is one.
 *
 * @returns the text of an SVG, to be written into a file or a page; or with `format: 'text'` lines for a terminal
 * @example
 * const history = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, validationFraction: 0.2 })
 * plotHistory(history).startsWith('<svg') // true
 * console.log(plotHistory(history, { format: 'text', height: 8 }))
 * @throws RangeError for a value that the history does not have
 */
export function plotHistory(history: Pick<History, 'epochs'>, options: PlotHistoryOptions = {}): string {
  const { format, value, log, title, ...size } = readOptions('plotHistory', options, PLOT_HISTORY)
  const epochs = history?.epochs
  if (!Array.isArray(epochs)) throw typeError(`plotHistory: wants a history, as fit gives it, got ${show(history)}`)
  const lines = linesOf(epochs, value)
  if (format === 'svg') return lineChart(lines, { ...size, title, xLabel: 'epoch', yLabel: value, logY: log })
  const legend = lines.map(({ name, y }) => `${name} ${Number(y.at(-1)?.toPrecision(4))}`).join(' · ')
  return [...(title ? [title] : []), ...textChart(lines, { ...size, logY: log }), `${epochs.length} epochs: ${legend}`].join('\n')
}

function linesOf(epochs: History['epochs'], value: string): Line[] {
  const of = (record: History['epochs'][number]) => (value === 'loss' ? record.loss : record.metrics[value])
  const known = ['loss', ...Object.keys(epochs[0]?.metrics ?? {})]
  if (epochs.length > 0 && !known.includes(value)) throw rangeError(`plotHistory: value wants ${list(known)}, got ${show(value)}`)
  const x = epochs.map(({ epoch }) => epoch)
  const validation = epochs.map((record) => record.validation?.[value] ?? Number.NaN)
  const lines: Line[] = [{ name: 'training', x, y: epochs.map(of) }]
  if (validation.some(Number.isFinite)) lines.push({ name: 'validation', x, y: validation })
  return lines
}

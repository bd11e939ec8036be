/** Values as text, HTML and SVG. */
import { cellsOf, padEnd, padStart } from '../common/text-width.js'
import { visible } from '../common/visible.js'
import { Module } from '../nn/module.js'
import { summary } from '../nn/summary.js'
import { plotHistory } from '../plot/history.js'
import { confusionChart, escaped } from '../plot/svg.js'
import { DISPLAY, type NotebookDisplay } from '../report/notebook.js'
import { Tensor } from '../tensor.js'
import type { History } from '../train/history.js'

/** Rows and columns of a tensor that are shown. */
const MAX_SHOWN = 12
/** Significant digits of an element that is not whole. */
const DIGITS = 5

/** The display of a value, or undefined if there is none. @param names of the classes of a confusion matrix */
export function formatsOf(value: unknown, names?: readonly string[]): NotebookDisplay | undefined {
  if (value instanceof Tensor) return formatsOfTensor(value)
  if (value instanceof Module) return preformatted(summary(value))
  if (isHistory(value)) return formatsOfHistory(value)
  if (isMatrix(value)) return formatsOfMatrix(value, names)
  return (value as { [DISPLAY]?(): NotebookDisplay } | null | undefined)?.[DISPLAY]?.()
}

function preformatted(text: string): NotebookDisplay {
  return { 'text/plain': text, 'text/html': `<pre>${escaped(text)}</pre>` }
}

const shown = (x: number) => String(Number.isInteger(x) ? x : Number(x.toPrecision(DIGITS)))

function formatsOfTensor(tensor: Tensor): NotebookDisplay {
  const { shape, dtype, size } = tensor
  const title = `Tensor(${dtype} [${shape.join(', ')}])`
  // columns are those of the last axis; all other axes are rows
  const width = shape.at(-1) ?? 1
  const count = size === 0 ? 0 : size / width
  const elements = size === 0 ? [] : tensor.data()
  const [rows, columns] = [Math.min(count, MAX_SHOWN), Math.min(width, MAX_SHOWN)]
  const cells = Array.from({ length: rows }, (_, i) => [
    ...Array.from({ length: columns }, (_, j) => shown(elements[i * width + j])),
    ...(columns < width ? ['…'] : []),
  ])
  const more = rows < count ? `… ${count - rows} more rows` : ''
  const widths = cells[0]?.map((_, j) => cells.reduce((most, row) => Math.max(most, row[j].length), 0)) ?? []
  const lines = cells.map((row) => row.map((cell, j) => cell.padStart(widths[j])).join('  '))
  const html = cells.map((row) => `<tr>${row.map((cell) => `<td style="text-align:right">${cell}</td>`).join('')}</tr>`)
  return {
    'text/plain': [title, ...lines, ...(more ? [more] : [])].join('\n'),
    'text/html': `<table><caption>${title}</caption>${html.join('')}</table>${more ? `<p>${more}</p>` : ''}`,
  }
}

function isHistory(value: unknown): value is Pick<History, 'epochs' | 'steps' | 'seconds' | 'stopReason'> {
  const { epochs, steps, stopReason } = Object(value) as Partial<History>
  return Array.isArray(epochs) && typeof steps === 'number' && typeof stopReason === 'string'
}

function formatsOfHistory(history: Pick<History, 'epochs' | 'steps' | 'seconds' | 'stopReason'>): NotebookDisplay {
  const { epochs, steps, seconds, stopReason } = history
  const ended = `${steps} steps in ${Number(seconds.toPrecision(3))} s: ${stopReason}`
  if (epochs.length === 0) return { 'text/plain': `no epoch; ${ended}` }
  return { 'text/plain': `${plotHistory(history, { format: 'text' })}\n${ended}`, 'image/svg+xml': plotHistory(history) }
}

function isMatrix(value: unknown): value is number[][] {
  const isRow = (row: unknown) => Array.isArray(row) && row.length === (value as []).length && row.every((count) => Number.isFinite(count))
  return Array.isArray(value) && value.length > 0 && value.every(isRow)
}

function formatsOfMatrix(matrix: number[][], names: readonly string[] = matrix.map((_, c) => String(c))): NotebookDisplay {
  const head = ['', ...names].map(visible)
  const table = [head, ...matrix.map((row, c) => [head[c + 1], ...row.map(String)])]
  const widths = head.map((_, j) => table.reduce((most, row) => Math.max(most, cellsOf(row[j])), 0))
  const lines = table.map((row) =>
    row
      .map((cell, j) => (j === 0 ? padEnd : padStart)(cell, widths[j]))
      .join('  ')
      .trimEnd(),
  )
  return {
    'text/plain': ['rows: the true class, columns: the predicted one', ...lines].join('\n'),
    'image/svg+xml': confusionChart(matrix, names),
  }
}

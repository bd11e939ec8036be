/** A report as lines of a terminal. */
import { cellsOf, cut, padEnd, padStart, wrapped } from '../common/text-width.js'
import { allVisible } from '../common/visible.js'
import { sparkline } from '../plot/text.js'
import { type Block, shownTo } from './blocks.js'
import { isNumeric, scoresTable } from './page.js'

/** Options of a report in a terminal. */
export interface ReportTextOptions {
  /** Columns of the terminal. Default 80. */
  width?: number
  /** Applies a style to a text. Default: none. */
  paint?: (style: 'bold' | 'dim' | 'cyan', text: string) => string
}

/** Largest number of classes of a matrix, and of bars. */
const MAX_CLASSES = 10
const MAX_BARS = 10
const MAX_BAR = 24
const MAX_NAME = 24
/** Cells of a name, and of a course, in a block of courses. */
const MIN_NAME = 8
const [MIN_COURSE, MAX_COURSE] = [12, 48]

/** The lines of all blocks that a terminal can show, with an empty line between two. */
export function textOf(blocks: readonly Block[], { width = 80, paint = (_, text) => text }: ReportTextOptions = {}): string {
  const shown = shownTo('terminal', blocks).filter(({ kind }) => kind !== 'drawing')
  const parts = shown.map((given) => {
    const block = allVisible(given)
    const note = block.note ? wrapped(`(${block.note})`, width - 2) : []
    const fits = note.length === 1 && cellsOf(block.title) + 1 + cellsOf(note[0]) <= width
    const dim = note.map((line) => paint('dim', line))
    const title = paint('bold', block.title)
    const heading = block.title === '' ? [] : fits ? [`${title} ${dim[0]}`] : [title, ...dim.map((line) => `  ${line}`)]
    return [...heading, ...linesOf(block, width, paint)].join('\n')
  })
  return parts.join('\n\n')
}

function linesOf(block: Block, width: number, paint: NonNullable<ReportTextOptions['paint']>): string[] {
  switch (block.kind) {
    case 'facts': {
      const wide = Math.max(...block.facts.map(([name]) => cellsOf(name)))
      return block.facts.flatMap(([name, text]) =>
        wrapped(text, width - wide - 3).map((line, i) => `  ${paint('dim', padEnd(i === 0 ? name : '', wide))} ${line}`),
      )
    }
    case 'scores': {
      const [names, scores] = scoresTable('', block.scores)
      // a name is worth more than its note
      const isCut = aligned(names, scores).some((line) => cellsOf(line) > width)
      const shown = isCut ? scores.map(([name, ...cells]) => [name.replace(' (less is better)', ''), ...cells]) : scores
      const [head, first, ...rest] = aligned(names, shown, width)
      return [paint('dim', head), paint('bold', first), ...rest]
    }
    case 'table': {
      const [head, ...rows] = aligned(block.head, block.rows, width)
      return [paint('dim', head), ...rows]
    }
    case 'curve': {
      const { xLabel = '', yLabel = '' } = block.axes
      const [head, ...rows] = block.lines
        .map(({ x, y }) => [x, y])
        .flatMap(([x, y]) => [
          [xLabel, ...x.map((v) => v.toFixed(2))],
          [yLabel, ...y.map((v) => v.toFixed(2))],
        ])
      return aligned(head, rows)
    }
    case 'bars': {
      const bars = block.bars.slice(0, MAX_BARS)
      const most = Math.max(1e-12, ...bars.map(({ value }) => value))
      const wide = Math.max(0, ...bars.map(({ name }) => Math.min(MAX_NAME, cellsOf(name))))
      const size = Math.max(5, Math.min(MAX_BAR, width - wide - 12))
      const lines = bars.map(({ name, value, text = '' }) => {
        const length = Math.max(0, Math.round((size * value) / most))
        return `  ${padEnd(cut(name, MAX_NAME), wide)}  ${paint('cyan', '█'.repeat(length))}${' '.repeat(size - length)}  ${text}`
      })
      return [...lines, ...(block.bars.length > MAX_BARS ? [paint('dim', `  and ${block.bars.length - MAX_BARS} more`)] : [])]
    }
    case 'courses': {
      const names = Math.max(0, ...block.courses.map(({ name }) => cellsOf(name)))
      const texts = Math.max(0, ...block.courses.map(({ text }) => cellsOf(text)))
      const wide = Math.min(names, MAX_NAME, Math.max(MIN_NAME, width - texts - MIN_COURSE - 6))
      const size = Math.max(MIN_COURSE, Math.min(MAX_COURSE, width - wide - texts - 6))
      return block.courses.map(({ name, values, text, ...scale }) => {
        const line = padEnd(sparkline(values, { ...scale, width: size }), size)
        return `  ${padEnd(cut(name, wide), wide)}  ${paint('cyan', line)}  ${padStart(text, texts)}`.trimEnd()
      })
    }
    case 'matrix': {
      const { names, counts } = block
      if (names.length > MAX_CLASSES)
        return [paint('dim', `  ${names.length} classes: the matrix is in the page and in the JSON of the report`)]
      const [head, ...rows] = aligned(
        ['true, below predicted →', ...names.map((name) => cut(name, 12))],
        counts.map((row, i) => [cut(names[i], 12), ...row.map(String)]),
      )
      return [paint('dim', head), ...rows]
    }
    case 'advice':
      return block.lines.flatMap((line) => wrapped(line, width - 4).map((part, i) => `${i === 0 ? '  • ' : '    '}${part}`))
    case 'drawing':
      return []
  }
}

/** Cells that the first column of a table keeps in a narrow terminal. */
const MIN_FIRST = 20

/** Rows of cells as lines; in lines wider than `width` the first column is cut. Columns of numbers end at the right. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => cellsOf(row[column]))))
  const surplus = widths.reduce((sum, cells) => sum + cells + 2, 0) - width
  if (surplus > 0) widths[0] = Math.min(widths[0], Math.max(MIN_FIRST, widths[0] - surplus))
  const pad = (cell: string, column: number) => (isNumeric(rows, column) ? padStart(cell, widths[column]) : padEnd(cell, widths[column]))
  return all.map(([first, ...rest]) => `  ${[cut(first, widths[0]), ...rest].map(pad).join('  ')}`.trimEnd())
}

/** Lines drawn with the dots of Braille letters, eight to a letter, for terminals. */
import { checkOptions, count, flag, handler, type Schema } from '../common/options.js'
import { isShown, rangeOf, shortNumber } from './scale.js'
import { checkLines, type Line } from './svg.js'

/** Options of {@link textChart}. */
export interface TextChartOptions {
  /** Letters. Default 72. */
  width?: number
  /** Lines. Default 12. */
  height?: number
  logY?: boolean
  /** Colors the letters of a line, given its number. Default: none. */
  paint?: (text: string, line: number) => string
}

export const TEXT_CHART = {
  width: { is: count },
  height: { is: count },
  logY: { is: flag, aka: ['yLog', 'log'] },
  paint: { is: handler },
} satisfies Schema<TextChartOptions>

/** Bits of the dots in a Braille letter, by row and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
]

/**
 * The lines of a chart for a terminal, without its legend.
 *
 * @example textChart([{ x: [1, 2, 3], y: [0.9, 0.5, 0.4] }], { height: 5 }).length > 4 // true
 * @throws RangeError, TypeError for options or lines that do not fit
 */
export function textChart(lines: readonly Pick<Line, 'x' | 'y'>[], options: TextChartOptions = {}): string[] {
  checkOptions('textChart', options, TEXT_CHART)
  checkLines('textChart', lines)
  const { width = 72, height = 12, logY = false, paint = (text) => text } = options
  const scale = logY ? Math.log : (v: number) => v
  const points = lines.map(({ x, y }) =>
    x.flatMap((value, i) => (isShown(value) && isShown(y[i], logY) ? [[value, scale(y[i])] as const] : [])),
  )
  const all = points.flat()
  if (all.length === 0) return []
  const [[x0, x1], [y0, y1]] = [rangeOf([all.map(([x]) => x)]), rangeOf([all.map(([, y]) => y)])]
  const back = logY ? Math.exp : (v: number) => v
  const labels = Array.from({ length: height }, (_, row) =>
    row % Math.max(1, Math.round((height - 1) / 3)) === 0 ? shortNumber(back(y1 - (row / Math.max(1, height - 1)) * (y1 - y0))) : '',
  )
  const margin = Math.max(...labels.map((label) => label.length))
  const columns = Math.max(2, width - margin - 2)
  const dots = Array.from({ length: height }, () => new Uint8Array(columns))
  const owner = Array.from({ length: height }, () => new Int8Array(columns).fill(-1))
  const [wide, high] = [2 * columns - 1, 4 * height - 1]
  const put = (px: number, py: number, line: number) => {
    const [row, column] = [py >> 2, px >> 1]
    dots[row][column] |= DOTS[py & 3][px & 1]
    owner[row][column] = line
  }
  points.forEach((own, line) => {
    let last: [number, number] | null = null
    for (const [x, y] of own) {
      const at: [number, number] = [Math.round(((x - x0) / (x1 - x0 || 1)) * wide), Math.round(((y1 - y) / (y1 - y0 || 1)) * high)]
      const [fx, fy] = last ?? at
      const steps = Math.max(1, Math.abs(at[0] - fx), Math.abs(at[1] - fy))
      for (let s = 0; s <= steps; s++) put(Math.round(fx + (s / steps) * (at[0] - fx)), Math.round(fy + (s / steps) * (at[1] - fy)), line)
      last = at
    }
  })
  return dots.map((row, i) => {
    let text = ''
    for (let c = 0; c < columns; ) {
      const line = owner[i][c]
      let run = ''
      for (; c < columns && owner[i][c] === line; c++) run += row[c] === 0 ? ' ' : String.fromCharCode(0x2800 + row[c])
      text += line < 0 ? run : paint(run, line)
    }
    return `${labels[i].padStart(margin)} ${labels[i] ? '┤' : '│'}${text.trimEnd()}`
  })
}

const LEVELS = '▁▂▃▄▅▆▇█'

/**
 * A course in one line of letters, ▁ to █: each letter is the mean of its share of the values, blank if none of them can be shown.
 * @param options `width` in letters at most, default 24; `log` for a logarithmic scale; `range` of the scale, default that of the values
 */
export function sparkline(
  values: readonly number[],
  { width = 24, log = false, range }: { width?: number; log?: boolean; range?: readonly [number, number] } = {},
): string {
  const scale = log ? Math.log : (v: number) => v
  const letters = Math.min(width, values.length)
  const means = Array.from({ length: letters }, (_, i) => {
    const shown = values.slice(Math.floor((i * values.length) / letters), Math.floor(((i + 1) * values.length) / letters))
    const scaled = shown.filter((value) => isShown(value, log)).map(scale)
    return scaled.reduce((sum, value) => sum + value, 0) / scaled.length
  })
  const [low, high] = range ? range.map(scale) : rangeOf([means])
  return means
    .map((mean) => {
      if (Number.isNaN(mean)) return ' '
      const share = high - low > 1e-9 * Math.abs(high) ? Math.min(1, Math.max(0, (mean - low) / (high - low))) : 0.5
      return LEVELS[Math.min(LEVELS.length - 1, Math.floor(share * LEVELS.length))]
    })
    .join('')
}

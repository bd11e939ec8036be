/** Charts as SVG text: what reports and training curves need, and no more. Text has the colour of the page around it. */

/** Colours that people with any colour vision tell apart (Okabe & Ito 2008), readable on white and on black. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6fd1', '#7f7f7f']

/** A line of a chart. */
export interface Line {
  name: string
  x: readonly number[]
  y: readonly number[]
  /** Default: the next of a list that people with any colour vision can tell apart. */
  colour?: string
  dashed?: boolean
  /** Points in place of a line. */
  points?: boolean
}

/** Options of {@link lineChart}. */
export interface ChartOptions {
  width?: number
  height?: number
  title?: string
  xLabel?: string
  yLabel?: string
  /** Logarithmic axes. */
  logX?: boolean
  logY?: boolean
  /** Fixed ends of the axes. */
  xRange?: readonly [number, number]
  yRange?: readonly [number, number]
  /** From one corner to the other: where predictions are right. */
  diagonal?: boolean
}

/** What XML may not hold: control characters but tab and line ends, halves of characters (as where a long name was cut), and two that are none. */
const NOT_IN_XML = /[\0-\u0008\u000b\u000c\u000e-\u001f\p{Cs}\ufffe\uffff]/gu

/** Text as it may stand in SVG and HTML, between tags and in quotes. */
export function escaped(text: string): string {
  return text.replace(NOT_IN_XML, '\ufffd').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

const FONT = 'font-family="system-ui, sans-serif" font-size="12"'

/** A picture with a description for who does not see it. */
function picture(width: number, height: number, title: string, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `aria-label="${escaped(title)}" style="max-width:100%;height:auto" fill="currentColor" ${FONT}>${body}</svg>`
  )
}

/** One axis: where a value is, and the values to write beside it. */
class Axis {
  readonly ticks: number[]
  private readonly low: number
  private readonly high: number

  constructor(
    values: readonly number[],
    private readonly from: number,
    private readonly to: number,
    private readonly isLog: boolean,
    range?: readonly [number, number],
  ) {
    const good = values.filter((v) => Number.isFinite(v) && (!isLog || v > 0))
    let [low, high] = range ?? [
      good.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      good.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    ]
    if (!(low <= high)) [low, high] = isLog ? [1, 10] : [0, 1]
    if (low === high) [low, high] = isLog ? [low / 2, high * 2] : [low - 0.5, high + 0.5]
    this.low = low
    this.high = high
    this.ticks = isLog ? powersBetween(low, high) : stepsBetween(low, high)
  }

  at(value: number): number {
    const scale = this.isLog ? Math.log : (v: number) => v
    const share = (scale(value) - scale(this.low)) / (scale(this.high) - scale(this.low))
    return this.from + share * (this.to - this.from)
  }

  has(value: number): boolean {
    return Number.isFinite(value) && (!this.isLog || value > 0)
  }
}

function stepsBetween(low: number, high: number): number[] {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough) ?? rough
  const ticks: number[] = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12) + 1e-12; i++) ticks.push(Number((i * step).toPrecision(12)))
  return ticks
}

function powersBetween(low: number, high: number): number[] {
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const m of [1, 2, 5]) if (m * 10 ** power >= low * 0.999 && m * 10 ** power <= high * 1.001) ticks.push(m * 10 ** power)
  if (ticks.length < 3) return stepsBetween(low, high)
  return ticks.length > 7 ? ticks.filter((t) => Number.isInteger(Math.round(Math.log10(t) * 1e9) / 1e9)) : ticks
}

/** `0.05`, `1,200`, `1e-5`, `2.5M`. */
export function shortNumber(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  if (size < 1e-3) return value.toExponential(0)
  return String(Number(value.toPrecision(3)))
}

/**
 * Lines, or points, over numbers, as the text of an SVG picture.
 *
 * @example lineChart([{ name: 'loss', x: [1, 2, 3], y: [0.9, 0.5, 0.4] }]).startsWith('<svg') // true
 */
export function lineChart(lines: readonly Line[], options: ChartOptions = {}): string {
  const { width = 640, height = 320, title = '', xLabel = '', yLabel = '', logX = false, logY = false, diagonal = false } = options
  const named = lines.filter(({ name }) => name !== '')
  const [left, right, top, bottom] = [62, width - 14, title ? 52 : 30, height - 44]
  const x = new Axis(
    lines.flatMap((line) => [...line.x]),
    left,
    right,
    logX,
    options.xRange,
  )
  const y = new Axis(
    lines.flatMap((line) => [...line.y]),
    bottom,
    top,
    logY,
    options.yRange,
  )
  const parts: string[] = []
  if (title) parts.push(`<text x="${left}" y="18" font-size="14" font-weight="600">${escaped(title)}</text>`)
  for (const tick of y.ticks) {
    const at = y.at(tick).toFixed(1)
    parts.push(`<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="currentColor" stroke-opacity="0.15"/>`)
    parts.push(`<text x="${left - 8}" y="${at}" dy="4" text-anchor="end" fill-opacity="0.75">${shortNumber(tick)}</text>`)
  }
  for (const tick of x.ticks)
    parts.push(`<text x="${x.at(tick).toFixed(1)}" y="${bottom + 18}" text-anchor="middle" fill-opacity="0.75">${shortNumber(tick)}</text>`)
  parts.push(`<line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="currentColor" stroke-opacity="0.5"/>`)
  if (xLabel) parts.push(`<text x="${(left + right) / 2}" y="${height - 8}" text-anchor="middle">${escaped(xLabel)}</text>`)
  if (yLabel)
    parts.push(
      `<text x="14" y="${(top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 14 ${(top + bottom) / 2})">${escaped(yLabel)}</text>`,
    )
  if (diagonal)
    parts.push(
      `<line x1="${left}" y1="${bottom}" x2="${right}" y2="${top}" stroke="currentColor" stroke-opacity="0.5" stroke-dasharray="4 4"/>`,
    )
  let legend = left
  lines.forEach((line, i) => {
    const colour = escaped(line.colour ?? COLOURS[i % COLOURS.length])
    const places = line.x.flatMap((value, j) =>
      x.has(value) && y.has(line.y[j]) ? [`${x.at(value).toFixed(1)},${y.at(line.y[j]).toFixed(1)}`] : [],
    )
    if (line.points || places.length === 1)
      for (const place of places) {
        const [cx, cy] = place.split(',')
        parts.push(
          `<circle cx="${cx}" cy="${cy}" r="${line.points && places.length > 100 ? 2.2 : 4}" fill="${colour}" fill-opacity="${places.length > 100 ? 0.55 : 1}"/>`,
        )
      }
    else
      parts.push(
        ...(places.length <= 12
          ? places.map((place) => `<circle cx="${place.split(',')[0]}" cy="${place.split(',')[1]}" r="3.5" fill="${colour}"/>`)
          : []),
        `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"${line.dashed ? ' stroke-dasharray="6 4"' : ''}/>`,
      )
    if (named.length < 2 || line.name === '') return
    parts.push(
      `<rect x="${legend}" y="${top - 19}" width="12" height="4" fill="${colour}"/><text x="${legend + 17}" y="${top - 13}">${escaped(line.name)}</text>`,
    )
    legend += 30 + 6.8 * line.name.length
  })
  return picture(width, height, title || named.map(({ name }) => name).join(' and '), parts.join(''))
}

/** A bar of {@link barChart}. */
export interface Bar {
  name: string
  value: number
  /** Of the value, drawn as a thin line on both sides. */
  deviation?: number
}

/** Horizontal bars with names at their left, in the order given. */
export function barChart(bars: readonly Bar[], options: Pick<ChartOptions, 'width' | 'title'> & { colour?: string } = {}): string {
  const { width = 640, title = '', colour = COLOURS[0] } = options
  const longest = bars.reduce((most, { name }) => Math.max(most, name.length), 0)
  const left = Math.min(width * 0.4, 12 + 6.8 * longest)
  const [top, size] = [title ? 34 : 8, 24]
  const height = top + bars.length * size + 8
  const x = new Axis(
    [0, ...bars.map(({ value, deviation = 0 }) => value + deviation), ...bars.map(({ value }) => Math.min(0, value))],
    left,
    width - 60,
    false,
  )
  const letters = Math.floor((left - 10) / 6.6)
  const parts = bars.map(({ name, value, deviation = 0 }, i) => {
    const y = top + i * size
    const [a, b] = [x.at(0), x.at(value)].sort((p, q) => p - q)
    const whisker =
      deviation > 0
        ? `<line x1="${x.at(value - deviation).toFixed(1)}" x2="${x.at(value + deviation).toFixed(1)}" y1="${y + 9}" y2="${y + 9}" stroke="currentColor" stroke-opacity="0.7"/>`
        : ''
    const label = name.length > letters ? `${name.slice(0, letters - 1)}…` : name
    return (
      `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>` +
      `<rect x="${a.toFixed(1)}" y="${y + 2}" width="${Math.max(1, b - a).toFixed(1)}" height="14" rx="2" fill="${value < 0 ? '#7f7f7f' : colour}"/>${whisker}` +
      `<text x="${(x.at(Math.max(0, value + deviation)) + 6).toFixed(1)}" y="${y + 13}" fill-opacity="0.75">${shortNumber(value)}</text>`
    )
  })
  if (title) parts.unshift(`<text x="0" y="18" font-size="14" font-weight="600">${escaped(title)}</text>`)
  return picture(width, height, title || 'bars', parts.join(''))
}

/** Counts by true class (rows) and predicted class (columns); the darker, the larger the share of its row. */
export function confusionChart(
  matrix: readonly (readonly number[])[],
  names: readonly string[],
  options: Pick<ChartOptions, 'width'> = {},
): string {
  const longest = Math.min(
    18,
    names.reduce((most, name) => Math.max(most, name.length), 4),
  )
  const left = 34 + 7 * longest
  const size = Math.max(30, Math.min(76, ((options.width ?? 560) - left) / names.length))
  const slanted = size < 7.5 * longest
  const top = slanted ? 24 + 5.2 * longest : 44
  const [width, height] = [left + size * names.length + (slanted ? 40 : 8), top + size * names.length + 8]
  const label = (name: string) => escaped(name.length > 18 ? `${name.slice(0, 17)}…` : name)
  const parts = [
    `<text x="${left + (size * names.length) / 2}" y="14" text-anchor="middle" fill-opacity="0.75">predicted</text>`,
    `<text x="12" y="${top + (size * names.length) / 2}" text-anchor="middle" fill-opacity="0.75" transform="rotate(-90 12 ${top + (size * names.length) / 2})">true</text>`,
  ]
  matrix.forEach((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0) || 1
    const middle = size * (i + 0.5)
    parts.push(`<text x="${left - 8}" y="${top + middle + 4}" text-anchor="end">${label(names[i])}</text>`)
    parts.push(
      slanted
        ? `<text x="${left + middle}" y="${top - 6}" transform="rotate(-40 ${left + middle} ${top - 6})">${label(names[i])}</text>`
        : `<text x="${left + middle}" y="${top - 8}" text-anchor="middle">${label(names[i])}</text>`,
    )
    row.forEach((count, j) => {
      const share = count / total
      const colour = i === j ? COLOURS[0] : COLOURS[1]
      parts.push(
        `<rect x="${left + j * size + 1}" y="${top + i * size + 1}" width="${size - 2}" height="${size - 2}" rx="3" fill="${colour}" fill-opacity="${(0.06 + 0.94 * share).toFixed(2)}"/>`,
        `<text x="${left + (j + 0.5) * size}" y="${top + middle + 5}" text-anchor="middle" ${share > 0.5 ? 'fill="#fff" font-weight="600"' : ''}>${count.toLocaleString('en-US')}</text>`,
      )
    })
  })
  return picture(width, height, 'confusion matrix', parts.join(''))
}

/** Charts as SVG text, and the marks that they are made of. Text has the color of the page around it. */
import { rangeError, typeError } from '../common/errors.js'
import { checkOptions, flag, handler, type Kind, positive, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import { type Axis, axisOf, isShown, rangeOf, shortNumber, type Tick } from './scale.js'

/** Colors that people with any color vision can distinguish (Okabe & Ito 2008), readable on white and on black. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6fd1', '#7f7f7f']

/** A line of a chart. */
export interface Line {
  name: string
  x: readonly number[]
  y: readonly number[]
  /** Default: the next of a list of colors that people with any color vision can distinguish. */
  colour?: string
  dashed?: boolean
  /** Draws points in place of a line. */
  points?: boolean
  /** Lower and upper ends of a shaded band, one of each for an x. */
  band?: readonly [low: readonly number[], high: readonly number[]]
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
  /** Texts at the x axis, which then has whole numbers alone, such as the times of rows. Default: the numbers. */
  xText?: (x: number) => string
  /** Fixed ends of the axes. */
  xRange?: readonly [number, number]
  yRange?: readonly [number, number]
  /** Draws the diagonal, on which predictions are exact. */
  diagonal?: boolean
}

const ends: Kind = {
  wants: 'two numbers, [low, high]',
  fits: (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) && value[0] <= value[1],
}

export const CHART = {
  width: { is: positive },
  height: { is: positive },
  title: { is: text },
  xLabel: { is: text, aka: ['xTitle'] },
  yLabel: { is: text, aka: ['yTitle'] },
  logX: { is: flag, aka: ['xLog'] },
  logY: { is: flag, aka: ['yLog', 'log'] },
  xText: { is: handler },
  xRange: { is: ends, aka: ['xLim', 'xDomain'] },
  yRange: { is: ends, aka: ['yLim', 'yDomain'] },
  diagonal: { is: flag },
} satisfies Schema<ChartOptions>

/** @throws TypeError for lines without arrays of numbers, RangeError for a line with more x than y, or fewer */
export function checkLines(who: string, lines: readonly Pick<Line, 'x' | 'y'>[]): void {
  if (!Array.isArray(lines)) throw typeError(`${who}: lines wants an array, [{ name, x, y }], got ${show(lines)}`)
  for (const [i, line] of lines.entries()) {
    for (const [axis, values] of [['x', line?.x], ['y', line?.y]] as const) // biome-ignore format: one line
      if (!Array.isArray(values))
        throw typeError(
          `${who}: ${axis} of line ${i} wants an array of numbers, got ${show(values)}${ArrayBuffer.isView(values) ? '; Array.from makes one of it' : ''}`,
        )
    if (line.x.length !== line.y.length)
      throw rangeError(`${who}: line ${i} wants as many x as y, got ${line.x.length} and ${line.y.length}`)
  }
}

/**
 * Characters that XML forbids: control characters but tab and line ends, halves of surrogate pairs (from a long name that was cut), and two
 * non-characters.
 */
const NOT_IN_XML = /[\0-\u0008\u000b\u000c\u000e-\u001f\p{Cs}\ufffe\uffff]/gu

/** Text as it may stand in SVG and HTML, between tags and in quotes. */
export function escaped(text: string): string {
  return text.replace(NOT_IN_XML, '\ufffd').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}

const FONT = 'font-family="system-ui, sans-serif" font-size="12"'

/** A picture. @param title describes it for those who cannot see it */
export function picture(width: number, height: number, title: string, body: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `aria-label="${escaped(title)}" style="max-width:100%;height:auto" fill="currentColor" ${FONT}>${body.join('')}</svg>`
  )
}

/** A point of a picture, in pixels. */
export type Place = readonly [x: number, y: number]

const round = (at: number) => Math.round(at * 10) / 10
const titled = (title: string) => (title === '' ? '' : `<title>${escaped(title)}</title>`)

/** A text at a place. @param attributes such as `text-anchor="middle"` */
export function label([x, y]: Place, text: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(text)}</text>`
}

/** A straight line between two places. */
export function rule([x1, y1]: Place, [x2, y2]: Place, attributes = 'stroke-opacity="0.5"'): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="currentColor" ${attributes}/>`
}

/** A point. @param title is shown under the pointer */
export function dot([x, y]: Place, radius: number, attributes: string, title = ''): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" ${attributes}>${titled(title)}</circle>`
}

/** A line through places. @param title is shown under the pointer */
export function path(places: readonly Place[], attributes: string, title = ''): string {
  return `<polyline points="${places.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" fill="none" stroke-linejoin="round" ${attributes}>${titled(title)}</polyline>`
}

/** A filled shape, around places. */
function area(places: readonly Place[], attributes: string): string {
  return `<polygon points="${places.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}" ${attributes}/>`
}

/** The part of a picture between its axes, in pixels. */
export interface Box {
  left: number
  right: number
  top: number
  bottom: number
  /** Height of the legend above it, beyond its first row. Default 0. */
  legend?: number
}

/** The box of a chart that is a picture of its own. */
export function frame({ width = 640, height = 320, title = '' }: ChartOptions): Box {
  return { left: 62, right: width - 14, top: title ? 52 : 30, bottom: height - 44 }
}

/** A chart: marks over a grid, whose axes end at the edges of {@link frame}. */
export function chart(x: Axis, y: Axis, marks: readonly string[], options: ChartOptions & { name?: string } = {}): string {
  const { width = 640, height = 320, title = '', name = title } = options
  return picture(width, height, name, plotted(frame(options), x, y, marks, options))
}

/** Marks over a grid with numbers at its edges, in a box of a picture, whose edges are the ends of the axes. */
export function plotted(box: Box, x: Axis, y: Axis, marks: readonly string[], options: ChartOptions = {}): string[] {
  const { title = '', xLabel = '', yLabel = '' } = options
  const { left, right, top, bottom, legend = 0 } = box
  const [middle, center] = [(left + right) / 2, (top + bottom) / 2]
  return [
    ...(title ? [label([left, top - 34 - legend], title, 'font-size="14" font-weight="600"')] : []),
    ...y.ticks.flatMap(({ place, text }: Tick) => [
      rule([left, place], [right, place], 'stroke-opacity="0.15"'),
      label([left - 8, place + 4], text, 'text-anchor="end" fill-opacity="0.75"'),
    ]),
    ...x.ticks.map(({ place, text }) => label([place, bottom + 18], text, 'text-anchor="middle" fill-opacity="0.75"')),
    rule([left, bottom], [right, bottom]),
    ...(xLabel ? [label([middle, bottom + 36], xLabel, 'text-anchor="middle"')] : []),
    ...(yLabel ? [label([14, center], yLabel, `text-anchor="middle" transform="rotate(-90 14 ${center})"`)] : []),
    ...(options.diagonal ? [rule([left, bottom], [right, top], 'stroke-opacity="0.5" stroke-dasharray="4 4"')] : []),
    ...marks,
  ]
}

/**
 * Lines, or points, over numbers, as the text of an SVG picture.
 *
 * @example lineChart([{ name: 'loss', x: [1, 2, 3], y: [0.9, 0.5, 0.4] }]).startsWith('<svg') // true
 * @throws RangeError, TypeError for options or lines that do not fit
 */
export function lineChart(lines: readonly Line[], options: ChartOptions = {}): string {
  checkOptions('lineChart', options, CHART)
  checkLines('lineChart', lines)
  for (const [name, range, log] of [['xRange', options.xRange, options.logX], ['yRange', options.yRange, options.logY]] as const) // biome-ignore format: one line
    if (log && range && range[0] <= 0)
      throw rangeError(`lineChart: ${name} of a logarithmic axis wants numbers above 0, got ${show(range[0])}`)
  const { logX = false, logY = false, xText, width = 640, height = 320 } = options
  const named = lines.filter(({ name }) => name !== '')
  const given = frame(options)
  const axis = (values: 'x' | 'y', from: number, to: number, log: boolean, range?: readonly [number, number]) =>
    axisOf(
      range ??
        rangeOf(
          lines.flatMap((line) => [line[values], ...(values === 'y' ? (line.band ?? []) : [])]),
          log,
        ),
      {
        from,
        to,
        log,
        ...(values === 'x' ? { spacing: xText ? 120 : 80, whole: xText !== undefined, ...(xText && { text: xText }) } : { spacing: 48 }),
      },
    )
  // ticks longer than `9,999` push the vertical label, and with it the chart, to the right
  const longest = Math.max(0, ...axis('y', given.bottom, given.top, logY, options.yRange).ticks.map(({ text }) => text.length))
  const outer = { ...given, left: given.left + (options.yLabel ? DIGIT * Math.max(0, longest - 5) : 0) }
  const { places: legend, rows } = legendOf(named.length < 2 ? [] : named, outer)
  const box = { ...outer, top: outer.top + LEGEND_ROW * (rows - 1), legend: LEGEND_ROW * (rows - 1) }
  const { left, right, top, bottom } = box
  const x = axis('x', left, right, logX, options.xRange)
  const y = axis('y', bottom, top, logY, options.yRange)
  const marks = lines.flatMap((line, i) => {
    const colour = escaped(line.colour ?? COLOURS[i % COLOURS.length])
    const placesOf = (values: readonly number[]) =>
      line.x.flatMap((value, j): Place[] =>
        isShown(value, logX) && isShown(values[j], logY) ? [[x.place(value), y.place(values[j])]] : [],
      )
    const places = placesOf(line.y)
    const edge = line.band ? [...placesOf(line.band[0]), ...placesOf(line.band[1]).reverse()] : []
    const isMany = places.length > 100
    const dots = (radius: number) => places.map((place) => dot(place, radius, `fill="${colour}" fill-opacity="${isMany ? 0.55 : 1}"`))
    const own =
      line.points || places.length === 1
        ? dots(isMany ? 2.2 : 4)
        : [
            ...(places.length <= 12 ? dots(3.5) : []),
            path(places, `stroke="${colour}" stroke-width="2"${line.dashed ? ' stroke-dasharray="6 4"' : ''}`),
          ]
    if (edge.length > 0) own.unshift(area(edge, `fill="${colour}" fill-opacity="0.2"`))
    const at = legend.get(line)
    if (at)
      own.push(
        `<rect x="${round(at[0])}" y="${round(at[1])}" width="12" height="4" fill="${colour}"/>`,
        label([at[0] + 17, at[1] + 6], line.name),
      )
    return own
  })
  const name = options.title || named.map((line) => line.name).join(' and ')
  return picture(width, height, name, plotted(box, x, y, marks, options))
}

/** Width of a digit of a tick. */
const DIGIT = 8
/** Height of a row of a legend. */
const LEGEND_ROW = 16

/** The places of the names of lines above a box: a row below the other where one does not hold all. */
function legendOf(lines: readonly Line[], { left, right, top }: Box): { places: Map<Line, Place>; rows: number } {
  const places = new Map<Line, Place>()
  let [x, rows] = [left, 1]
  for (const line of lines) {
    const size = 30 + 7.6 * line.name.length
    if (x > left && x + size - 13 > right) [x, rows] = [left, rows + 1]
    places.set(line, [x, top - 19 + LEGEND_ROW * (rows - 1)])
    x += size
  }
  return { places, rows }
}

/** A bar of {@link barChart}. */
export interface Bar {
  name: string
  value: number
  /** Standard deviation of the value, drawn as a thin line on both sides. */
  deviation?: number
  /** Text beside the bar. Default: its value. */
  text?: string
}

/** Horizontal bars with names at their left, in the order given. */
export function barChart(bars: readonly Bar[], { width = 640, title = '' }: Pick<ChartOptions, 'width' | 'title'> = {}): string {
  const longest = bars.reduce((most, { name }) => Math.max(most, name.length), 0)
  const left = Math.min(width * 0.4, 12 + 6.8 * longest)
  const [top, size] = [title ? 34 : 8, 24]
  const ends = bars.flatMap(({ value, deviation = 0 }) => [0, value, value + deviation])
  const x = axisOf(rangeOf([ends]), { from: left, to: width - 60 })
  const marks = bars.flatMap(({ name, value, deviation = 0, text = shortNumber(value) }, i) => {
    const y = top + i * size
    const [from, to] = [x.place(0), x.place(value)].sort((a, b) => a - b)
    return [
      label([left - 8, y + 13], cut(name, Math.floor((left - 10) / 6.6)), 'text-anchor="end"'),
      `<rect x="${round(from)}" y="${y + 2}" width="${Math.max(1, round(to - from))}" height="14" rx="2" fill="${value < 0 ? '#7f7f7f' : COLOURS[0]}"/>`,
      ...(deviation > 0 ? [rule([x.place(value - deviation), y + 9], [x.place(value + deviation), y + 9], 'stroke-opacity="0.7"')] : []),
      label([x.place(Math.max(0, value + deviation)) + 6, y + 13], text, 'fill-opacity="0.75"'),
    ]
  })
  if (title) marks.unshift(label([0, 18], title, 'font-size="14" font-weight="600"'))
  return picture(width, top + bars.length * size + 8, title || 'bars', marks)
}

/** A name, cut to a number of letters. */
const cut = (name: string, letters: number) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name)

/** Counts by true class (rows) and predicted class (columns); the darker, the larger the share of its row. */
export function confusionChart(
  matrix: readonly (readonly number[])[],
  names: readonly string[],
  { width = 560 }: Pick<ChartOptions, 'width'> = {},
): string {
  const longest = names.reduce((most, name) => Math.min(18, Math.max(most, name.length)), 4)
  const left = 34 + 7 * longest
  const size = Math.max(30, Math.min(76, (width - left) / names.length))
  const side = size * names.length
  const slanted = size < 7.5 * longest
  const top = slanted ? 24 + 5.2 * longest : 44
  const weak = 'text-anchor="middle" fill-opacity="0.75"'
  const marks = [
    label([left + side / 2, 14], 'predicted', weak),
    label([12, top + side / 2], 'true', `${weak} transform="rotate(-90 12 ${top + side / 2})"`),
  ]
  matrix.forEach((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0) || 1
    const middle = size * (i + 0.5)
    const name = cut(names[i], 18)
    marks.push(
      label([left - 8, top + middle + 4], name, 'text-anchor="end"'),
      slanted
        ? label([left + middle, top - 6], name, `transform="rotate(-40 ${left + middle} ${top - 6})"`)
        : label([left + middle, top - 8], name, 'text-anchor="middle"'),
    )
    row.forEach((count, j) => {
      const share = count / total
      marks.push(
        `<rect x="${round(left + j * size + 1)}" y="${round(top + i * size + 1)}" width="${round(size - 2)}" height="${round(size - 2)}" rx="3" fill="${COLOURS[i === j ? 0 : 1]}" fill-opacity="${(0.06 + 0.94 * share).toFixed(2)}"/>`,
        label(
          [left + (j + 0.5) * size, top + middle + 5],
          count.toLocaleString('en-US'),
          `text-anchor="middle"${share > 0.5 ? ' fill="#fff" font-weight="600"' : ''}`,
        ),
      )
    })
  })
  return picture(left + side + (slanted ? 40 : 8), top + side + 8, 'confusion matrix', marks)
}

/** plotXray: the samples of an X-ray as a picture, panels over one axis of steps. */
import { typeError } from '../common/errors.js'
import { readOptions, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import { cut, wrapped } from '../common/text-width.js'
import { type Axis, axisOf, isShown, rangeOf } from '../plot/scale.js'
import { type Box, COLOURS, dot, label, type Place, path, picture, plotted, rule } from '../plot/svg.js'
import { formatCount, formatNumber, formatShare } from '../report/format.js'
import type { LayerSample, Severity, XrayLayer, XrayReport, XraySample } from './report.js'

/** Options of {@link plotXray}. */
export interface PlotXrayOptions {
  /** Width in pixels; from 900 on panels stand side by side. Default 640. */
  width?: number
  /** Default `X-ray`. */
  title?: string
}

export const PLOT_XRAY = {
  width: { is: { min: 300, max: 4000 }, default: 640 },
  title: { is: text, default: 'X-ray' },
} satisfies Schema<PlotXrayOptions>

/**
 * An X-ray as the text of an SVG picture: loss with the verdicts where they begin to hold, learning rate against the edge of stability, and for each
 * layer the size of its updates, its gradients, and its dead and saturated units. A panel whose figures were not measured is left out.
 *
 * @param report of an `XRay`, also from JSON
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [xray] })
 * plotXray(xray.report, { width: 1200 }).startsWith('<svg') // true
 * @throws TypeError for anything but a report
 */
export function plotXray(report: XrayReport, options: PlotXrayOptions = {}): string {
  const { width, title } = readOptions('plotXray', options, PLOT_XRAY)
  checkReport('plotXray', report)
  const columns = width >= SIDE_BY_SIDE ? 2 : 1
  const wide = (width - (columns - 1) * GAP) / columns
  const marks = [label([0, 18], title, 'font-size="16" font-weight="600"'), label([0, 38], describeRun(report), FAINT)]
  let y = 60
  const stack = (panel: Panel, x: number, size: number) => {
    marks.push(moved(x, y, [heading(panel), ...panel.draw(size)]))
    return panel.height
  }
  const [first, ...rest] = panelsOf(report)
  y += first ? stack(first, 0, width) + GAP : 0
  for (const line of verdictLines(report, width)) {
    marks.push(moved(0, y, line.marks))
    y += line.height
  }
  if (report.verdicts.length > 0) y += GAP
  for (let i = 0; i < rest.length; i += columns) {
    const row = rest.slice(i, i + columns)
    y += Math.max(...row.map((panel, k) => stack(panel, k * (wide + GAP), wide))) + GAP
  }
  return picture(width, Math.ceil(y), title, marks)
}

/** @throws TypeError for anything but a report */
export function checkReport(who: string, report: XrayReport): void {
  const parts = [report?.samples, report?.layers, report?.epochs, report?.verdicts]
  if (!parts.every(Array.isArray)) throw typeError(`${who}: wants a report, as XRay makes it, got ${show(report)}`)
}

/** `1,200 steps of Adam, 64 rows each; 120 samples`. */
function describeRun({ samples, optimizer, batchSize }: XrayReport): string {
  const { step = 0 } = samples.at(-1) ?? {}
  return `${formatCount(step)} steps of ${optimizer}, ${formatCount(batchSize)} rows each; ${formatCount(samples.length)} samples`
}

/** A chart below its heading. */
export interface Panel {
  title: string
  /** What to look for, in a sentence. */
  note: string
  height: number
  /** Marks for a width, from the top left corner of the panel. */
  draw(width: number): string[]
}

/** Pixels between panels, and of a picture from which on two stand side by side. */
const [GAP, SIDE_BY_SIDE] = [28, 900]
/** Heights of a heading, of the numbers below a chart, and of the lines of a chart. */
const [HEAD, FOOT, LINES] = [26, 42, 150]
const FAINT = 'fill-opacity="0.75"'
/** A halo in the color of the ground keeps text readable above lines. */
const HALO = 'style="paint-order:stroke;stroke:var(--paper,Canvas);stroke-width:4px;stroke-linejoin:round"'
const SEVERITY_COLOURS: Readonly<Record<Severity, string>> = { fault: COLOURS[1], warning: COLOURS[4], note: COLOURS[7] }

const moved = (x: number, y: number, marks: readonly string[]) =>
  `<g transform="translate(${Math.round(x)} ${Math.round(y)})">${marks.join('')}</g>`
const heading = ({ title }: Panel) => label([0, 12], title, 'font-size="14" font-weight="600"')

/** The panels that the figures of a report allow: the loss comes first. */
export function panelsOf(report: XrayReport): Panel[] {
  if (report.samples.length === 0) return []
  return [
    lossPanel(report),
    ...linePanels(report),
    ...layerPanel(
      report,
      'Updates by layer, ‖Δw‖ / ‖w‖',
      'Some 0.001 is usual: blue layers hardly move, orange ones are thrown about.',
      UPDATES,
      (layer) => layer.updateRatio,
    ),
    ...layerPanel(
      report,
      'Gradient norms by layer',
      'Gradients vanish where the first layers are pale beside the last, and explode where all grow dark.',
      sizesOf(report),
      (layer) => layer.gradientNorm,
    ),
    ...layerPanel(report, 'Dead units', 'Units that are 0 on all probe rows.', SHARES, ({ dead }) => dead),
    ...layerPanel(report, 'Saturated outputs', 'Outputs at an end of a sigmoid or tanh.', SHARES, ({ saturated }) => saturated),
  ]
}

/** A picture of one panel. */
export function panelPicture(panel: Panel, width: number): string {
  return picture(width, panel.height - HEAD + 8, panel.title, [moved(0, 8 - HEAD, panel.draw(width))])
}

/** Steps of the first and last sample. */
function spanOf({ samples }: XrayReport): [number, number] {
  const [from, to] = [samples[0].step, samples[samples.length - 1].step]
  return from < to ? [from, to] : [from - 0.5, from + 0.5]
}

const stepsAxis = (report: XrayReport, { left, right }: Box): Axis => axisOf(spanOf(report), { from: left, to: right, whole: true })

interface Course {
  name: string
  colour: string
  dashed?: boolean
  points: readonly (readonly [step: number, value: number | undefined])[]
}

/** Curves over steps, each with its name at its end. @param level a value with a dashed line and a name */
function curves(
  report: XrayReport,
  box: Box,
  courses: readonly Course[],
  level?: { value: number; name: string },
): { marks: string[]; x: Axis; y: Axis } {
  const values = courses.flatMap(({ points }) => points.flatMap(([, value]) => (Number.isFinite(value) ? [value as number] : [])))
  const all = level ? [...values, level.value] : values
  const log = all.length > 0 && all.every((value) => value > 0) && Math.max(...all) > 20 * Math.min(...all)
  const x = stepsAxis(report, box)
  const y = axisOf(rangeOf([all], log), { from: box.bottom, to: box.top, log, spacing: 40, margin: 0.12 })
  const shown = courses.map((course) => ({
    ...course,
    places: course.points.flatMap(([step, value]): Place[] => (isShown(value, log) ? [[x.place(step), y.place(value)]] : [])),
  }))
  const marks = shown.flatMap(({ colour, dashed, places }) =>
    places.length === 1
      ? [dot(places[0], 3.5, `fill="${colour}"`)]
      : [path(places, `stroke="${colour}" stroke-width="2"${dashed ? ' stroke-dasharray="6 4"' : ''}`)],
  )
  if (level) {
    const at = y.place(level.value)
    marks.push(
      rule([box.left, at], [box.right, at], 'stroke-opacity="0.7" stroke-dasharray="5 4"'),
      label([box.left + 6, at - 6], level.name, `font-weight="600" ${HALO}`),
    )
  }
  const ends = shown.flatMap(({ name, colour, places }) =>
    places.length > 0 && name !== '' ? [{ name, colour, at: places[places.length - 1] }] : [],
  )
  if (ends.length > 1)
    for (const [i, { name, colour, at }] of ends.entries()) {
      // the higher end has its name above, the lower one below
      const isUpper = ends.every((other, k) => k === i || at[1] < other.at[1] || (at[1] === other.at[1] && i < k))
      const place = Math.min(box.bottom - 4, Math.max(box.top + 10, at[1] + (isUpper ? -7 : 16)))
      marks.push(label([at[0], place], name, `text-anchor="end" fill="${colour}" font-weight="600" ${HALO}`))
    }
  return { marks, x, y }
}

const chartBox = (width: number): Box => ({ left: 54, right: width - 18, top: HEAD, bottom: HEAD + LINES })

function lossPanel(report: XrayReport): Panel {
  const { samples, epochs, verdicts } = report
  const rows = markRows(report)
  const top = HEAD + 18 * Math.max(0, ...rows.map((row) => row + 1))
  return {
    title: 'Loss',
    note: verdicts.length > 0 ? 'Numbers mark the steps from which the verdicts hold.' : '',
    height: top + LINES + FOOT,
    draw(width) {
      const box = { ...chartBox(width), top, bottom: top + LINES }
      const validation = epochs.map(({ step, validationLoss }) => [step, validationLoss] as const)
      const hasValidation = validation.some(([, loss]) => Number.isFinite(loss))
      const { marks, x, y } = curves(report, box, [
        { name: 'training', colour: COLOURS[0], points: samples.map(({ step, loss }) => [step, loss]) },
        ...(hasValidation ? [{ name: 'validation', colour: COLOURS[2], points: validation }] : []),
      ])
      const [from, to] = spanOf(report)
      const signs = verdicts.flatMap(({ step, severity }, i) => {
        const at = x.place(Math.min(to, Math.max(from, step)))
        const centre: Place = [at, HEAD + 4 + 18 * rows[i]]
        return [rule([at, centre[1]], [at, box.bottom], `stroke-opacity="0.35" stroke-dasharray="2 3"`), badge(centre, i, severity)]
      })
      return plotted(box, x, y, [...marks, ...signs], { xLabel: 'step' })
    },
  }
}

/** A number in a circle. */
function badge([x, y]: Place, i: number, severity: Severity): string {
  return (
    dot([x, y], 8, `fill="${SEVERITY_COLOURS[severity] ?? COLOURS[7]}"`) +
    label([x, y + 4], String(i + 1), 'text-anchor="middle" font-size="11" font-weight="700" fill="#fff"')
  )
}

/** Rows of the numbers above the loss: those that are close to another one stand above it. */
function markRows(report: XrayReport): number[] {
  const [from, to] = report.samples.length > 0 ? spanOf(report) : [0, 1]
  const rows: number[] = []
  const { verdicts } = report
  const share = (step: number) => Math.min(1, Math.max(0, (step - from) / (to - from)))
  for (const [i, { step }] of verdicts.entries()) {
    const taken = rows.filter((_, k) => k < i && Math.abs(share(verdicts[k].step) - share(step)) < 0.07)
    let row = 0
    while (taken.includes(row)) row++
    rows.push(row)
  }
  return rows
}

/** Verdicts as lines below the loss, the remedy first. */
function verdictLines({ verdicts }: XrayReport, width: number): { marks: string[]; height: number }[] {
  const letters = Math.max(20, Math.floor((width - 30) / 6.4))
  return verdicts.map((verdict, i) => {
    const remedy = wrapped(sentence(verdict.remedy), letters)
    const says = wrapped(sentence(verdict.says), letters)
    return {
      marks: [
        badge([9, 8], i, verdict.severity),
        ...remedy.map((line, k) => label([26, 12 + 17 * k], line, 'font-weight="600"')),
        ...says.map((line, k) => label([26, 12 + 17 * (remedy.length + k)], line, FAINT)),
      ],
      height: 17 * (remedy.length + says.length) + 8,
    }
  })
}

/** A text with a capital and a full stop. */
export const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

/** Curves of figures of the whole net. */
function linePanels(report: XrayReport): Panel[] {
  const { samples } = report
  const course = (name: string, colour: string, of: (sample: XraySample) => number | undefined): Course => ({
    ...{ name, colour, points: samples.map((sample) => [sample.step, of(sample)] as const) },
  })
  const panel = (title: string, note: string, courses: readonly Course[], level?: { value: number; name: string }): Panel[] =>
    courses[0].points.some(([, value]) => Number.isFinite(value))
      ? [
          {
            ...{ title, note, height: HEAD + LINES + FOOT },
            draw(width) {
              const box = chartBox(width)
              const { marks, x, y } = curves(report, box, courses, level)
              return plotted(box, x, y, marks, { xLabel: 'step' })
            },
          },
        ]
      : []
  return [
    ...panel(
      'Learning rate × sharpness, over its limit',
      'Above 1 steps overshoot the valley that they are in.',
      [course('', COLOURS[1], ({ stability }) => stability)],
      { value: 1, name: 'edge of stability' },
    ),
    ...panel('Noise scale of the gradient, in rows', 'Larger batches pay off while they are below the noise scale.', [
      course('noise scale', COLOURS[3], ({ noiseScale }) => noiseScale),
      { ...course('batch size', COLOURS[7], ({ batchSize }) => batchSize), dashed: true },
    ]),
    ...panel('Cosine of an update and the one before', 'Near 1: a steady slope. Near −1: zigzag across a valley.', [
      course('', COLOURS[0], ({ cosine }) => cosine),
    ]),
  ]
}

/** Colors of values: which color, and how dark from 0 to 1; with the texts of its key. */
interface Shading {
  shade(value: number): { colour: string; depth: number }
  text(value: number): string
  key: readonly number[]
}

/** Shares from 0 to 1. */
const SHARES: Shading = { shade: (share) => ({ colour: COLOURS[1], depth: share }), text: formatShare, key: [0, 0.25, 0.5, 0.75, 1] }

/** Sizes of updates: decades below and above the usual 1e-3. */
const UPDATES: Shading = {
  shade(ratio) {
    const decades = Math.log10(ratio / 1e-3)
    return { colour: COLOURS[decades < 0 ? 0 : 1], depth: Math.max(0, (Math.min(2.5, Math.abs(decades)) - 0.5) / 2) }
  },
  text: formatNumber,
  key: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
}

/** Gradient norms, on a logarithmic scale of all layers. */
function sizesOf({ samples }: XrayReport): Shading {
  const norms = samples.flatMap(({ layers }) => layers.map(({ gradientNorm }) => gradientNorm))
  const [low, high] = rangeOf([norms], true).map(Math.log10)
  const from = Math.max(low, high - 8)
  const depth = (norm: number) => (high > from ? Math.max(0, (Math.log10(norm) - from) / (high - from)) : 1)
  const key = Array.from({ length: 5 }, (_, i) => Number((10 ** (from + (i / 4) * (high - from))).toPrecision(2)))
  return { shade: (norm) => ({ colour: COLOURS[0], depth: depth(norm) }), text: formatNumber, key: [...new Set(key)] }
}

/** Parts of a strip at most, and degrees of a color. */
const [PARTS, DEGREES] = [90, 10]
/** Heights of a layer's strip: with room for a name, and of all strips together at most. */
const [STRIP, MAX_STRIPS] = [18, 340]

/** A strip for each layer, colored over the steps. */
function layerPanel(
  report: XrayReport,
  title: string,
  note: string,
  shading: Shading,
  of: (layer: LayerSample) => number | undefined,
): Panel[] {
  const { samples, layers } = report
  const rows = layers.flatMap((layer, i) => {
    const values = layerValues(samples, i, of)
    return values.some(Number.isFinite) ? [{ layer, values }] : []
  })
  if (rows.length === 0) return []
  const high = Math.min(STRIP, Math.max(4, MAX_STRIPS / rows.length))
  const named = Math.ceil(13 / high)
  return [
    {
      ...{ title, note, height: HEAD + rows.length * high + FOOT + 26 },
      draw(width) {
        const left = Math.min(0.36 * width, 12 + 6.8 * Math.max(...rows.map(({ layer }) => layerName(layer).length)))
        const box = { left, right: width - 64, top: HEAD, bottom: HEAD + rows.length * high }
        const x = stepsAxis(report, box)
        const edges = edgesOf(report, x)
        const marks = rows.flatMap(({ layer, values }, row) => {
          const top = box.top + row * high
          const last = values.filter(Number.isFinite).at(-1) as number
          const texts =
            row % named === 0
              ? [
                  label([left - 8, top + high / 2 + 4], cut(layerName(layer), Math.floor((left - 10) / 6.6)), 'text-anchor="end"'),
                  label([box.right + 6, top + high / 2 + 4], shading.text(Number(last.toPrecision(2))), FAINT),
                ]
              : []
          return [...texts, strip(values, edges, top, high, shading)]
        })
        return [
          ...plotted(box, x, { ...x, ticks: [] }, marks, { xLabel: 'step' }),
          ...keyOf(shading, box.left, box.bottom + FOOT + 4, box.right - box.left),
        ]
      },
    },
  ]
}

/** A figure of layer `i` in each sample. */
export const layerValues = (
  samples: readonly XraySample[],
  i: number,
  of: (layer: LayerSample) => number | undefined,
): (number | undefined)[] => samples.map(({ layers }) => (layers[i] === undefined ? undefined : of(layers[i])))

/** `0 Dense(4, 16, relu)`. */
export const layerName = ({ name, kind, frozen }: XrayLayer): string => `${name} ${kind}${frozen ? ', frozen' : ''}`

/** Places between samples: half way from each to the next. */
function edgesOf({ samples }: XrayReport, { place, from, to }: Axis): number[] {
  const places = samples.map(({ step }) => place(step))
  return [from, ...places.slice(1).map((at, i) => (at + places[i]) / 2), to]
}

/** A layer's values as colored parts; neighbors of one color are one. */
function strip(values: readonly (number | undefined)[], edges: readonly number[], top: number, high: number, { shade }: Shading): string {
  const parts = Math.min(PARTS, values.length)
  const bands = new Map<string, string>()
  let [drawn, start] = ['', 0]
  const end = (at: number) => {
    if (drawn === '') return
    const [a, b] = [edges[start], edges[at]].map((place) => Math.round(place * 10) / 10)
    bands.set(drawn, `${bands.get(drawn) ?? ''}M${a} ${Math.round(10 * top) / 10}H${b}v${Math.round(10 * (high - 1)) / 10}H${a}z`)
  }
  for (let part = 0; part < parts; part++) {
    const at = Math.floor((part * values.length) / parts)
    const own = values.slice(at, Math.floor(((part + 1) * values.length) / parts)).filter(Number.isFinite) as number[]
    const { colour, depth } = own.length > 0 ? shade(own.reduce((sum, v) => sum + v, 0) / own.length) : { colour: '', depth: 0 }
    const degree = Math.round(DEGREES * Math.min(1, depth))
    const next = colour === '' ? '' : `fill="${colour}" fill-opacity="${(0.05 + (0.95 * degree) / DEGREES).toFixed(2)}"`
    if (next === drawn) continue
    end(at)
    ;[drawn, start] = [next, at]
  }
  end(values.length)
  return [...bands].map(([fill, d]) => `<path d="${d}" ${fill}/>`).join('')
}

/** The colors of some values, with the values. */
function keyOf({ shade, text, key }: Shading, left: number, top: number, width: number): string[] {
  const size = Math.min(64, width / key.length)
  return key.flatMap((value, i) => {
    const { colour, depth } = shade(value)
    return [
      `<rect x="${Math.round(left + i * size)}" y="${top}" width="${Math.round(size - 1)}" height="8" fill="${colour}" fill-opacity="${(0.05 + 0.95 * Math.min(1, depth)).toFixed(2)}"/>`,
      label([left + (i + 0.5) * size, top + 21], text(value), `text-anchor="middle" font-size="11" ${FAINT}`),
    ]
  })
}

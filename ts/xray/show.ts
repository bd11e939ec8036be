/** An X-ray as blocks of a report, as a page, and as lines of a terminal. */
import { rangeOf } from '../plot/scale.js'
import type { Block, Course, ReportBlock } from '../report/blocks.js'
import { formatCount, formatNumber, formatShare } from '../report/format.js'
import { PICTURE_WIDTH, page } from '../report/page.js'
import { type ReportTextOptions, textOf } from '../report/text.js'
import { checkReport, layerName, layerValues, panelPicture, panelsOf, sentence } from './plot.js'
import type { LayerSample, Severity, Verdict, XrayReport, XraySample } from './report.js'

/** Layers whose courses a terminal shows, and rows that look mislabelled. */
const [MAX_LAYERS, MAX_SUSPECTS] = [12, 10]
/** Share of the probe rows that a net must have right for its doubts about labels to count. */
const MIN_RIGHT = 0.6
const WORDS: Readonly<Record<Severity, string>> = { fault: 'Fault', warning: 'Warning', note: 'Note' }

/**
 * An X-ray as an HTML page that contains its pictures.
 *
 * @param report of an `XRay`
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [xray] })
 * reportHtml(xray.report).startsWith('<!doctype html>') // true
 */
export function reportHtml(report: XrayReport): string {
  checkReport('reportHtml', report)
  return page({ title: 'X-ray of a training', heading: 'X-ray of a training', lead: summaryOf(report.verdicts) }, blocksOf(report))
}

/**
 * An X-ray as lines for a terminal: verdicts, the remedy first, and a sparkline for each layer. Control characters in names are made visible.
 *
 * @param report of an `XRay`
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [xray] })
 * reportText(xray.report, { width: 100 }).includes('Gradient norms') // true
 */
export function reportText(report: XrayReport, options: ReportTextOptions = {}): string {
  checkReport('reportText', report)
  return textOf(blocksOf(report), options)
}

/** `2 faults, 1 warning`; `no fault was found`. */
function summaryOf(verdicts: readonly Verdict[]): string {
  const counts = (['fault', 'warning', 'note'] as const).flatMap((severity) => {
    const count = verdicts.filter((verdict) => verdict.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`]
  })
  return counts.length === 0 ? 'no fault was found' : counts.join(', ')
}

/**
 * The parts of a report, to stand beside others: `reportHtml` of gradus/table takes them as `also`.
 *
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [xray] })
 * reportBlocks(xray.report).length > 0 // true
 */
export function reportBlocks(report: XrayReport): ReportBlock[] {
  checkReport('reportBlocks', report)
  return blocksOf(report)
}

function blocksOf(report: XrayReport): Block[] {
  const { verdicts, end, fit } = report
  // a net that has learned little prefers other classes everywhere
  const suspects = fit === undefined || fit.right >= MIN_RIGHT ? (report.suspects ?? []) : []
  const terminal = { kind: 'courses', only: 'terminal' } as const
  const byLayer = (
    title: string,
    of: (layer: LayerSample) => number | undefined,
    text: (value: number) => string,
    scale: Partial<Course>,
  ): Block => {
    const courses = layerCourses(report, of, text, scale)
    const note = courses.length > MAX_LAYERS && { note: `the first ${MAX_LAYERS} of ${courses.length} layers` }
    return { ...terminal, title, courses: courses.slice(0, MAX_LAYERS), ...note }
  }
  return [
    { kind: 'facts', title: '', facts: factsOf(report) },
    ...(verdicts.length > 0
      ? (['page', 'terminal'] as const).map(
          (only): Block => ({
            ...{ kind: 'advice', only, title: 'What to do', ...(only === 'terminal' && { note: summaryOf(verdicts) }) },
            // the picture of the loss has the numbers
            lines: verdicts.map((verdict, i) => `${only === 'page' ? `${i + 1}. ` : ''}${verdictLine(verdict)}`),
          }),
        )
      : [{ kind: 'facts', title: '', facts: [['verdict', summaryOf(verdicts)]] } as const]),
    ...panelsOf(report).map(
      (panel, i): Block => ({
        ...{ kind: 'drawing', title: panel.title, note: panel.note, only: 'page' },
        svgs: [panelPicture(panel, i === 0 ? 2 * PICTURE_WIDTH : PICTURE_WIDTH)],
        ...(i === 0 && { wide: true }),
      }),
    ),
    { ...terminal, title: 'The whole net', courses: netCourses(report) },
    byLayer('Updates by layer, ‖Δw‖ / ‖w‖', ({ updateRatio }) => updateRatio, formatNumber, { log: true }),
    byLayer('Gradient norms by layer', ({ gradientNorm }) => gradientNorm, formatNumber, { log: true }),
    byLayer('Dead units', ({ dead }) => dead, formatShare, { range: [0, 1] }),
    byLayer('Saturated outputs', ({ saturated }) => saturated, formatShare, { range: [0, 1] }),
    {
      ...({ kind: 'table', title: 'Rows that look mislabelled', head: ['row', 'label', 'the net prefers', 'mean margin'] } as const),
      note: `numbers among the training rows, from 0${suspects.length > MAX_SUSPECTS ? `; the first ${MAX_SUSPECTS} of ${formatCount(suspects.length)}` : ''}`,
      rows: suspects
        .slice(0, MAX_SUSPECTS)
        .map(({ row, label, suggestion, margin }) => [String(row), String(label), String(suggestion), formatNumber(margin)]),
    },
    { kind: 'facts', title: '', facts: end ? [['the end', end.explanation]] : [] },
  ]
}

/** `Fault: Try a learning rate of 0.008. 62 % of the units of layer 2 are dead since step 300.` */
const verdictLine = ({ severity, remedy, says }: Verdict) => `${WORDS[severity] ?? 'Note'}: ${sentence(remedy)} ${sentence(says)}`

function factsOf({ samples, layers, model, optimizer, loss, batchSize, every, level }: XrayReport): [string, string][] {
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0)
  const { step = 0, epoch = 0, learningRate = Number.NaN } = samples.at(-1) ?? {}
  return [
    ['net', `${model}, ${formatCount(parameters)} numbers`],
    ['training', `${optimizer}, ${loss}, ${formatCount(batchSize)} rows a step`],
    ['so far', `${formatCount(step)} steps, epoch ${epoch}; learning rate ${formatNumber(learningRate)}`],
    ['samples', `${formatCount(samples.length)}, one each ${formatCount(every)} steps (${level})`],
  ]
}

/** Courses of figures of the whole net. */
function netCourses({ samples, epochs }: XrayReport): Course[] {
  const course = (name: string, of: (sample: XraySample) => number | undefined, scale: Partial<Course> = {}) =>
    courseOf(name, samples.map(of), formatNumber, scale)
  return [
    ...course('training loss', ({ loss }) => loss, { log: true }),
    ...courseOf(
      'validation loss',
      epochs.map(({ validationLoss }) => validationLoss),
      formatNumber,
      { log: true },
    ),
    ...course('gradient norm', ({ gradientNorm }) => gradientNorm, { log: true }),
    ...course('learning rate', ({ learningRate }) => learningRate),
    ...course('rate / stable rate', ({ stability }) => stability, { log: true }),
    ...course('noise scale, rows', ({ noiseScale }) => noiseScale, { log: true }),
    ...course('cosine of updates', ({ cosine }) => cosine, { range: [-1, 1] }),
    ...course('clipped steps', ({ clipped }) => clipped, { range: [0, 1] }),
  ]
}

/** A course of each layer that has the figure; nothing if none has, or if shares are 0 everywhere. */
function layerCourses(
  { samples, layers }: XrayReport,
  of: (layer: LayerSample) => number | undefined,
  text: (value: number) => string,
  scale: Partial<Course>,
): Course[] {
  const values = layers.map((_, i) => layerValues(samples, i, of))
  if (scale.range && !values.some((own) => own.some((value) => (value ?? 0) > 0))) return []
  // one scale for all, so that layers can be compared
  const known = values.map((own) => own.map((value) => value ?? null))
  const range = rangeOf(known, scale.log)
  return layers.flatMap((layer, i) => courseOf(layerName(layer), values[i], text, { range, ...scale }))
}

function courseOf(name: string, given: readonly (number | undefined)[], text: (value: number) => string, scale: Partial<Course>): Course[] {
  const values = given.map((value) => value ?? Number.NaN)
  const last = values.filter(Number.isFinite).at(-1)
  return last === undefined ? [] : [{ ...scale, name, values, text: text(last) }]
}

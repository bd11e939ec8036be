/** A report on a net for pictures, or on how good it is on other pictures, as a page, and as lines of a terminal. */
import { adviceBy, type Block, checkShown, type Rule } from '../report/blocks.js'
import { formatCount, formatInterval, formatMetric, formatShare } from '../report/format.js'
import { showInNotebooks } from '../report/notebook.js'
import { page } from '../report/page.js'
import { type ReportTextOptions, textOf } from '../report/text.js'
import { drawingsOf, STYLE } from './drawing.js'
import { ImageModel } from './image-model.js'
import type { SkippedImage } from './image-set.js'
import type { ImageEvaluation, ImagePicture, ImageReport } from './report.js'

/** Classes of a matrix. */
const MAX_CLASSES = 30
/** Mistakes and classes that a terminal names. */
const MAX_NAMED = 6
/** Pictures that were left out: in a page, and in a terminal. */
const [MAX_ROWS, MAX_LINES] = [50, 20]
/** Pictures of a class below which its figures are guesses. */
const FEW = 10
/** Mistakes of one kind, and their share of the class, from which on they are named. */
const [MIN_CONFUSED, SHARE_CONFUSED] = [3, 0.1]
/** Words below both kinds of pictures. */
const MAP = 'on the right the same under its class activation map: bright parts speak for the class that the net named'

/**
 * A report on a model as an HTML page: how good it is on pictures that it did not learn from, class by class, and its worst mistakes as pictures; or the
 * same of the pictures of an evaluation.
 *
 * @example
 * const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
 * const images = [0, 250, 10, 240].map(shade)
 * const model = await trainImages({ images, labels: ['dark', 'light', 'dark', 'light'] }, { epochs: 1 })
 * reportHtml(model).startsWith('<!doctype html>') // true
 */
export function reportHtml(of: ImageModel | ImageEvaluation): string {
  const blocks = blocksOf(of)
  return page(
    { title: 'report of a net for pictures', heading: `${formatCount(of.classes.length)} classes of pictures`, style: STYLE },
    blocks,
  )
}

/**
 * The same as lines for a terminal: control characters in names are made visible.
 *
 * @example
 * const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
 * const images = [0, 250, 10, 240].map(shade)
 * const model = await trainImages({ images, labels: ['dark', 'light', 'dark', 'light'] }, { epochs: 1 })
 * reportText(model, { width: 60 }).includes('accuracy') // true
 */
export function reportText(of: ImageModel | ImageEvaluation, options: ReportTextOptions = {}): string {
  return textOf(blocksOf(of), options)
}

showInNotebooks(ImageModel.prototype, reportText, reportHtml)

function blocksOf(of: ImageModel | ImageEvaluation): Block[] {
  const own = Object(of)
  checkShown(
    Array.isArray((own.net ? own.report : own)?.confusion),
    'a model of trainImages or loadImageModel, or the result of its evaluate',
    of,
  )
  const model = 'report' in of ? of : null
  const found = 'report' in of ? { ...of.report, count: of.report.validationCount } : of
  const { classes, count, accuracy, logLoss, baseline, confusion, surest, mistakes, skipped } = found
  const counts = model?.report.counts ?? confusion.map((row) => row.reduce((sum, n) => sum + n, 0))
  const [low, high] = interval(accuracy, count)
  const which = model === null ? 'pictures' : 'pictures that it did not learn from'
  return [
    {
      ...({ kind: 'facts', title: '' } as const),
      facts: [
        [
          'accuracy',
          `${formatMetric(accuracy)} (${formatInterval(low, high)}) on ${formatCount(count)} ${count === 1 ? which.replace('pictures', 'picture') : which}`,
        ],
        ['log loss', formatMetric(logLoss)],
        ['always the most common class', formatMetric(baseline)],
        ...(model === null ? [] : learnedOf(model)),
      ],
    },
    {
      ...({ kind: 'table', title: 'Class by class' } as const),
      head: ['class', 'pictures', 'found', 'right where named'],
      rows: classes.map((name, c) => [name, formatCount(counts[c]), ...sharesOf(confusion, c)]),
      note: `${model === null ? '' : 'pictures are all that were read; of those set aside: '}the share of the class that is found, and of those named so that are of it`,
    },
    {
      ...({ kind: 'matrix', title: 'What is taken for what', only: 'page' } as const),
      counts: classes.length <= MAX_CLASSES ? confusion : [],
      names: classes,
    },
    ...(model === null ? [] : [netsOf(model.report)]),
    drawingsBlock('What it looks at', 'the surest right answer of each class', surest),
    drawingsBlock('Worst mistakes', 'those of which the net is surest', mistakes),
    {
      ...({ kind: 'table', title: 'Worst mistakes', only: 'terminal' } as const),
      head: ['picture', 'is', 'taken for', 'probability'],
      rows: mistakes.slice(0, MAX_NAMED).map((m) => [m.name, m.class, m.predicted, formatMetric(m.probability)]),
    },
    { kind: 'advice', title: 'What to try next', lines: adviceBy(RULES, { ...found, counts }, undefined) },
    {
      ...({ kind: 'table', title: leftOut(skipped), only: 'page' } as const),
      head: ['picture', 'reason'],
      rows: skipped.slice(0, MAX_ROWS).map(({ name, reason }) => [name, reason]),
    },
    {
      ...({ kind: 'advice', title: leftOut(skipped), only: 'terminal' } as const),
      lines: [
        ...skipped.slice(0, MAX_LINES).map(({ name, reason }) => `${name}: ${reason}`),
        ...(skipped.length > MAX_LINES ? [`and ${formatCount(skipped.length - MAX_LINES)} more, which the report as JSON lists`] : []),
      ],
    },
  ]
}

/** `13 pictures are left out`, with folders if there are some. */
function leftOut(skipped: readonly SkippedImage[]): string {
  const folders = skipped.filter(({ name }) => name.endsWith('/')).length
  const count = (n: number, one: string) => (n === 0 ? [] : [`${formatCount(n)} ${one}${n === 1 ? '' : 's'}`])
  const parts = [...count(skipped.length - folders, 'picture'), ...count(folders, 'folder')]
  return `${parts.join(' and ')} ${skipped.length === 1 ? 'is' : 'are'} left out`
}

/** What a model learned from, and its net. */
function learnedOf({ report, size, channels }: ImageModel): [string, string][] {
  const { trainCount, net, parameters } = report
  return [
    ['learned from', `${formatCount(trainCount)} pictures at ${size} × ${size} pixels, ${channels === 1 ? 'gray' : 'in color'}`],
    ['net', `${net}, ${formatCount(parameters)} weights`],
  ]
}

/** The nets of a training, if there were several. */
function netsOf({ net, nets }: ImageReport): Block {
  const rows = nets.map((tried) => [
    ...[tried.net, formatCount(tried.parameters), formatCount(tried.epochs)],
    ...[formatMetric(tried.validationLoss), formatMetric(tried.accuracy)],
  ])
  return {
    ...{ kind: 'table', title: 'Nets that learned', head: ['net', 'weights', 'epochs', 'log loss', 'accuracy'] },
    rows: nets.length === 1 ? [] : rows,
    note: `the ${net} one was kept: its loss on the pictures set aside is the lowest`,
  }
}

/** Pictures with their maps. */
function drawingsBlock(title: string, about: string, pictures: readonly ImagePicture[]): Block {
  const shown = pictures.map(({ name, class: own, predicted, probability, pixels, map }) => ({
    ...{ pixels, map, lines: predicted === own ? [own] : [own, `→ ${predicted}`] },
    title: `${name}: ${own}, ${predicted === own ? 'named' : `taken for ${predicted}`} with probability ${formatMetric(probability)}`,
  }))
  return { kind: 'drawing', title, wide: true, note: about, more: MAP, svgs: drawingsOf(shown) }
}

/** The 95 % interval of a share of n (Wilson 1927). */
function interval(share: number, n: number): [number, number] {
  const z = 1.96 ** 2 / n
  const half = 1.96 * Math.sqrt((share * (1 - share)) / n + z / (4 * n))
  return [Math.max(0, (share + z / 2 - half) / (1 + z)), Math.min(1, (share + z / 2 + half) / (1 + z))]
}

function sharesOf(confusion: ImageReport['confusion'], c: number): string[] {
  const all = confusion[c].reduce((sum, n) => sum + n, 0)
  const named = confusion.reduce((sum, row) => sum + row[c], 0)
  const share = (of: number) => (of === 0 ? '–' : formatShare(confusion[c][c] / of))
  return [share(all), share(named)]
}

const RULES: readonly Rule<ImageEvaluation & Pick<ImageReport, 'counts'>>[] = [
  ({ classes, counts }) => {
    const few = classes.filter((_, c) => counts[c] < FEW)
    if (few.length === 0) return []
    const named = few.slice(0, MAX_NAMED).map((name) => `'${name}'`)
    return [
      `${few.length === 1 ? 'Class' : `${few.length} classes,`} ${named.join(', ')}${few.length > MAX_NAMED ? ', …' : ''} ${few.length === 1 ? 'has' : 'have'} fewer than ${FEW} pictures: add more, their figures are guesses.`,
    ]
  },
  ({ classes, confusion }) =>
    classes.flatMap((name, c) =>
      classes.flatMap((other, o) => {
        const all = confusion[c].reduce((sum, n) => sum + n, 0)
        if (o === c || confusion[c][o] < MIN_CONFUSED || confusion[c][o] < SHARE_CONFUSED * all) return []
        return [
          `${formatCount(confusion[c][o])} of ${formatCount(all)} of '${name}' are taken for '${other}': look at those pictures, their labels may be wrong, and add more of both.`,
        ]
      }),
    ),
  ({ accuracy, baseline, count }) => {
    if (accuracy <= baseline) return ['It is no better than naming the most common class: add pictures, or try a larger size.']
    return accuracy <= baseline + 2 * Math.sqrt((baseline * (1 - baseline)) / count)
      ? [`${formatCount(count)} pictures cannot tell whether it is better than naming the most common class: add pictures.`]
      : []
  },
]

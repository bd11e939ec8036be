/** A report on a net for pictures as a page, and as lines of a terminal. */
import { escaped, label, picture } from '../plot/svg.js'
import { adviceBy, type Block, type Rule } from '../report/blocks.js'
import { formatCount, formatInterval, formatMetric, formatShare } from '../report/format.js'
import { showInNotebooks } from '../report/notebook.js'
import { page } from '../report/page.js'
import { type ReportTextOptions, textOf } from '../report/text.js'
import { ImageModel } from './image-model.js'
import type { ImageMistake, ImageReport } from './report.js'

/** Classes of a matrix. */
const MAX_CLASSES = 30
/** Mistakes and skipped files that a terminal names. */
const MAX_NAMED = 6
/** Pictures of a class below which its figures are guesses. */
const FEW = 10
/** Mistakes of one kind, and their share of the class, from which on they are named. */
const [LEAST_CONFUSED, SHARE_CONFUSED] = [3, 0.1]
/** Width of a mistake's picture on the page. */
const SHOWN = 96
/** Mistakes side by side, and the room of each. */
const [COLUMNS, CELL] = [6, [112, 140]]

/**
 * A report on a model as an HTML page: how good it is on pictures that it did not learn from, class by class, and its worst mistakes as pictures.
 *
 * @example
 * const shade = (value: number) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(value) })
 * const images = [0, 250, 10, 240].map(shade)
 * const model = await trainImages({ images, labels: ['dark', 'light', 'dark', 'light'] }, { epochs: 1 })
 * reportHtml(model).startsWith('<!doctype html>') // true
 */
export function reportHtml(model: ImageModel): string {
  return page(
    { title: 'report of a net for pictures', heading: `${formatCount(model.classes.length)} classes of pictures` },
    blocksOf(model),
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
export function reportText(model: ImageModel, options: ReportTextOptions = {}): string {
  return textOf(blocksOf(model), options)
}

showInNotebooks(ImageModel.prototype, reportText, reportHtml)

function blocksOf({ report, size, channels }: ImageModel): Block[] {
  const { classes, counts, trainCount, validationCount, accuracy, logLoss, baseline, confusion, mistakes, skipped, parameters } = report
  const advice = adviceBy(RULES, report, undefined)
  const [low, high] = interval(accuracy, validationCount)
  return [
    {
      ...({ kind: 'facts', title: '' } as const),
      facts: [
        [
          'accuracy',
          `${formatMetric(accuracy)} (${formatInterval(low, high)}) on ${formatCount(validationCount)} pictures that it did not learn from`,
        ],
        ['log loss', formatMetric(logLoss)],
        ['always the most common class', formatMetric(baseline)],
        ['learned from', `${formatCount(trainCount)} pictures at ${size} × ${size} pixels, ${channels === 1 ? 'gray' : 'in color'}`],
        ['net', `${formatCount(parameters)} weights`],
      ],
    },
    {
      ...({ kind: 'table', title: 'Class by class' } as const),
      head: ['class', 'pictures', 'found', 'right where named'],
      rows: classes.map((name, c) => [name, formatCount(counts[c]), ...sharesOf(confusion, c)]),
      note: 'of the pictures set aside: the share of the class that is found, and of those named so that are of it',
    },
    ...(classes.length <= MAX_CLASSES
      ? [{ ...({ kind: 'matrix', title: 'What is taken for what' } as const), counts: confusion, names: classes, only: 'page' as const }]
      : []),
    ...(mistakes.length > 0
      ? [
          {
            ...({ kind: 'drawing', title: 'Worst mistakes', wide: true } as const),
            ...{ note: 'those of which it is surest', svgs: [pictureOf(mistakes, size, channels)] },
          },
          {
            ...({ kind: 'table', title: 'Worst mistakes', only: 'terminal' } as const),
            head: ['picture', 'is', 'taken for', 'probability'],
            rows: mistakes.slice(0, MAX_NAMED).map((m) => [m.name, m.class, m.predicted, formatMetric(m.probability)]),
          },
        ]
      : []),
    ...(advice.length > 0 ? [{ ...({ kind: 'advice', title: 'What to try next' } as const), lines: advice }] : []),
    ...(skipped.length > 0
      ? [
          {
            ...({ kind: 'table', title: `${formatCount(skipped.length)} pictures were left out` } as const),
            head: ['picture', 'reason'],
            rows: skipped.slice(0, 50).map(({ name, reason }) => [name, reason]),
          },
        ]
      : []),
  ]
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

const RULES: readonly Rule<ImageReport>[] = [
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
        if (o === c || confusion[c][o] < LEAST_CONFUSED || confusion[c][o] < SHARE_CONFUSED * all) return []
        return [
          `${formatCount(confusion[c][o])} of ${formatCount(all)} of '${name}' are taken for '${other}': look at those pictures, their labels may be wrong, and add more of both.`,
        ]
      }),
    ),
  ({ accuracy, baseline, validationCount }) => {
    if (accuracy <= baseline) return ['It is no better than naming the most common class: add pictures, or try a larger size.']
    return accuracy <= baseline + 2 * Math.sqrt((baseline * (1 - baseline)) / validationCount)
      ? [`${formatCount(validationCount)} pictures cannot tell whether it is better than naming the most common class: add pictures.`]
      : []
  },
]

/** Mistakes as the net saw them, each with what it is and was taken for. */
function pictureOf(mistakes: readonly ImageMistake[], size: number, channels: 1 | 3): string {
  const cells = mistakes.map(({ name, class: own, predicted, probability, pixels }, i) => {
    const [x, y] = [(i % COLUMNS) * CELL[0], Math.floor(i / COLUMNS) * CELL[1]]
    const text = (below: number, line: string) =>
      label([x + SHOWN / 2, y + SHOWN + below], line.length > 16 ? `${line.slice(0, 15)}…` : line, 'text-anchor="middle" font-size="11"')
    const title = `${name}: ${own}, taken for ${predicted} with probability ${formatMetric(probability)}`
    const image = `<image href="${bitmapOf(pixels, size, channels)}" x="${x}" y="${y}" width="${SHOWN}" height="${SHOWN}" style="image-rendering:pixelated"/>`
    return `<g><title>${escaped(title)}</title>${image}${text(14, own)}${text(28, `→ ${predicted}`)}</g>`
  })
  const columns = Math.min(COLUMNS, mistakes.length)
  return picture(columns * CELL[0], Math.ceil(mistakes.length / COLUMNS) * CELL[1], 'worst mistakes', cells)
}

/** The pixels as a BMP file in an address: no compression, 24 bits a pixel, rows from below. */
function bitmapOf(pixels: Uint8Array, size: number, channels: 1 | 3): string {
  const stride = 4 * Math.ceil((3 * size) / 4)
  const bytes = new Uint8Array(54 + stride * size)
  const view = new DataView(bytes.buffer)
  const write = (at: number, value: number) => view.setUint32(at, value, true)
  bytes.set([0x42, 0x4d])
  write(2, bytes.length)
  write(10, 54)
  write(14, 40)
  write(18, size)
  write(22, size)
  view.setUint16(26, 1, true)
  view.setUint16(28, 24, true)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const from = (y * size + x) * channels
      const at = 54 + (size - 1 - y) * stride + 3 * x
      for (let c = 0; c < 3; c++) bytes[at + c] = pixels[from + (channels === 1 ? 0 : 2 - c)]
    }
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...bytes))}`
}

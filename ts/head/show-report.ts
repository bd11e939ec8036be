/** A report on a head as a page, and as lines of a terminal. */
import { show } from '../common/show.js'
import { adviceBy, type Block, checkShown, type Rule } from '../report/blocks.js'
import { formatCount, formatMetric, formatNumber, formatShare } from '../report/format.js'
import { showInNotebooks } from '../report/notebook.js'
import { page } from '../report/page.js'
import { type ReportTextOptions, textOf } from '../report/text.js'
import type { HiddenReport } from './choose-hidden.js'
import { Head } from './head.js'
import type { HeadReport } from './head-state.js'
import { MultiLabelHead } from './multi-label.js'
import type { MultiLabelReport } from './multi-label-state.js'
import type { Label } from './vectors.js'

/** Examples of a class below which its probabilities are guesses. */
const FEW = 3
/** Held-out rows of a class that are taken for one other class, and their share, from which on the two are named. */
const [LEAST_CONFUSED, SHARE_CONFUSED] = [3, 0.1]
/** Pairs of classes that are named. */
const MAX_PAIRS = 3
const MAX_NAMED = 6
/** Classes of a matrix. */
const MAX_CLASSES = 30

/** What the report is about. */
interface Figures {
  names: readonly string[]
  counts: readonly number[]
  report: HeadReport | null
}

/**
 * A report on a head as an HTML page: how good it is on held-out rows, class by class, and what to try next.
 *
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * reportHtml(head).startsWith('<!doctype html>') // true
 */
export function reportHtml<L extends Label>(head: Head<L> | MultiLabelHead<L>): string {
  const blocks = blocksOf(head)
  return page({ title: 'report of a head', heading: `${formatCount(head.labels.length)} classes on vectors` }, blocks)
}

/**
 * The same as lines for a terminal: control characters in labels are made visible.
 *
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * reportText(head, { width: 60 }).includes('accuracy') // true
 */
export function reportText<L extends Label>(head: Head<L> | MultiLabelHead<L>, options: ReportTextOptions = {}): string {
  return textOf(blocksOf(head), options)
}

showInNotebooks(Head.prototype, reportText, reportHtml)
showInNotebooks(MultiLabelHead.prototype, reportText, reportHtml)

function blocksOf<L extends Label>(head: Head<L> | MultiLabelHead<L>): Block[] {
  checkShown(head instanceof Head || head instanceof MultiLabelHead, 'a head of trainHead or loadHead', head)
  return head instanceof MultiLabelHead ? blocksOfSets(head) : blocksOfClasses(head)
}

/** The blocks that all heads have in common. */
function factsOf<L extends Label>(head: Head<L> | MultiLabelHead<L>): Block {
  const { report, width, count, l2, temperature, labels } = head
  const heldOf = ({ accuracy, logLoss, rows, folds }: NonNullable<typeof report>): [string, string][] => [
    ['accuracy', formatMetric(accuracy)],
    ['log loss', formatMetric(logLoss)],
    ['measured on', `${formatCount(rows)} rows, each by a head that did not see it (${folds} folds)`],
  ]
  return {
    ...({ kind: 'facts', title: '' } as const),
    facts: [
      ['classes', `${formatCount(labels.length)}, of ${formatCount(count)} examples with ${formatCount(width)} numbers each`],
      ...(report === null ? [] : heldOf(report)),
      ['penalty', `${formatNumber(l2)}${report === null || report.tried.length < 2 ? '' : `, the best of ${report.tried.length}`}`],
      ['temperature', formatNumber(temperature)],
      ...(report?.hidden ? [['hidden layer', hiddenText(report.hidden, head.hidden.length > 0)] as [string, string]] : []),
    ],
  }
}

function hiddenText({ neurons, logLoss, lineLogLoss }: HiddenReport, isKept: boolean): string {
  const losses = `log loss ${formatMetric(logLoss)} with it, ${formatMetric(lineLogLoss)} without`
  return isKept ? `${neurons} neurons: ${losses}` : `none: of ${neurons} neurons it would be no clear gain (${losses})`
}

/** Classes by F1, the worst first: those are the ones to look at. */
function blocksOfSets<L extends Label>(head: MultiLabelHead<L>): Block[] {
  const { report, labels, thresholds } = head
  const scores = new Map(report?.classes.map((own) => [own.label, own]))
  const names = labels.map(String)
  const rows = names.map((name) => {
    const own = scores.get(name)
    const at = formatNumber(Number((thresholds as Record<string, number>)[name].toPrecision(3)))
    return {
      f1: own?.f1 ?? 0,
      cells: [name, at, ...(own ? [formatCount(own.rows), ...[own.recall, own.precision, own.f1].map(formatShare)] : ['', '', '', ''])],
    }
  })
  return [
    factsOf(head),
    {
      ...({ kind: 'table', title: 'Class by class' } as const),
      head: ['class', 'threshold', 'rows', 'found', 'right where named', 'F1'],
      rows: rows.sort((a, b) => a.f1 - b.f1).map(({ cells }) => cells),
      note: 'of held-out rows: the share of rows with the class that are named so, and of rows named so that have it',
    },
    { kind: 'advice', title: 'What to try next', lines: adviceBy(SET_RULES, report, undefined) },
  ]
}

type SetFigures = MultiLabelReport | null

const SET_RULES: readonly Rule<SetFigures>[] = [setsNotMeasured, fewRows, betterThresholds]

function setsNotMeasured(report: SetFigures): string[] {
  return report === null ? ['Nothing says how good the head is: `l2` and `calibrate` left no cross-validation.'] : []
}

function fewRows(report: SetFigures): string[] {
  const few = report?.classes.filter(({ rows }) => rows < FEW) ?? []
  const names = few.map(({ label }) => label)
  return haveFew(names, 'rows: add some, or leave the class out.')
}

/** A sentence on classes that have few of something, if there are any. */
function haveFew(few: readonly string[], ofWhat: string): string[] {
  if (few.length === 0) return []
  const shown = few.slice(0, MAX_NAMED).map(show).join(', ')
  const more = few.length > MAX_NAMED ? ` and ${few.length - MAX_NAMED} more` : ''
  return [`${shown}${more} ${few.length === 1 ? 'has' : 'have'} fewer than ${FEW} ${ofWhat}`]
}

/** Share of the rows of a class that has to be missed, and recall far below precision, before thresholds are the advice. */
const [LEAST_MISSED, GAP] = [0.3, 0.2]

function betterThresholds(report: SetFigures): string[] {
  const timid =
    report?.classes.filter(
      ({ rows, threshold, precision, recall }) =>
        threshold === 0.5 && rows >= FEW && 1 - recall >= LEAST_MISSED && precision - recall >= GAP,
    ) ?? []
  if (timid.length === 0) return []
  return [
    `${show(timid[0].label)}${timid.length > 1 ? ` and ${timid.length - 1} more` : ''} is right where it is named, and seldom named: threshold: 'f1' chooses a lower probability for each class.`,
  ]
}

function blocksOfClasses<L extends Label>(head: Head<L>): Block[] {
  const { state, report } = head
  const names = head.labels.map(String)
  const counts = [...state.counts]
  const { classes = [], confusion = [] } = report ?? {}
  // of many classes the report has no figures
  const isTold = classes.length > 0
  return [
    factsOf(head),
    {
      ...({ kind: 'table', title: 'Class by class' } as const),
      head: ['class', 'examples', ...(isTold ? ['found', 'right where named'] : [])],
      rows: names.map((name, c) => [name, formatCount(counts[c]), ...(isTold ? sharesOf(confusion, classes.indexOf(name)) : [])]),
      ...(isTold && { note: 'of held-out rows: the share of the class that is found, and of rows named so that are of it' }),
    },
    {
      ...({ kind: 'matrix', title: 'Taken for', note: 'rows: the true class, columns: the named one' } as const),
      counts: classes.length <= MAX_CLASSES ? confusion : [],
      names: classes,
    },
    { kind: 'advice', title: 'What to try next', lines: adviceBy(RULES, { names, counts, report }, undefined) },
  ]
}

/** Recall and precision of a class; of a later one nothing is known. */
function sharesOf(confusion: readonly (readonly number[])[], c: number): string[] {
  if (c < 0) return ['', '']
  const right = confusion[c][c]
  const share = (all: number) => (all === 0 ? '' : formatShare(right / all))
  return [share(confusion[c].reduce((a, b) => a + b, 0)), share(confusion.reduce((sum, row) => sum + row[c], 0))]
}

const RULES: readonly Rule<Figures>[] = [notMeasured, fewExamples, noBetterThanGuess, confusedPairs]

function notMeasured({ report }: Figures): string[] {
  return report === null
    ? ['Nothing says how good the head is: no class had two examples, or `l2` and `calibrate` left no cross-validation.']
    : []
}

function fewExamples({ names, counts }: Figures): string[] {
  const few = names.filter((_, c) => counts[c] < FEW)
  return haveFew(few, 'examples: add some, such as those that chooseNext names.')
}

function noBetterThanGuess({ report }: Figures): string[] {
  if (report === null) return []
  const { classes, confusion } = report
  const counts = confusion.map((row) => row.reduce((a, b) => a + b, 0))
  const all = counts.reduce((a, b) => a + b, 0)
  const right = confusion.reduce((sum, row, c) => sum + row[c], 0)
  const most = Math.max(...counts)
  if (right > most) return []
  return [
    `It is no better than always saying ${show(classes[counts.indexOf(most)])}, which is right for ${formatShare(most / all)}: ` +
      'the vectors hardly tell these classes apart, or labels are wrong (findMislabelled).',
  ]
}

function confusedPairs({ report }: Figures): string[] {
  const { classes, confusion } = report ?? { classes: [], confusion: [] }
  const pairs = confusion.flatMap((row, c) => {
    const all = row.reduce((a, b) => a + b, 0)
    return row.flatMap((count, other) =>
      other !== c && count >= LEAST_CONFUSED && count >= SHARE_CONFUSED * all ? [{ c, other, count, all }] : [],
    )
  })
  return pairs
    .sort((a, b) => b.count - a.count)
    .slice(0, MAX_PAIRS)
    .map(
      ({ c, other, count, all }) =>
        `${count} of ${all} rows of ${show(classes[c])} are taken for ${show(classes[other])}: findMislabelled says whether labels are wrong; if not, more examples that tell the two apart help.`,
    )
}

/** A report in the terminal. */
import { allVisible, visible } from '../../common/visible.js'
import { describeLeftOut } from '../../data/index.js'
import { describeDecision, formatMetric, type TableModelReport } from '../../table/index.js'
import { duration, table, whole } from '../terminal/format.js'
import { paint, wrapped } from '../terminal/terminal.js'
import { inFlags } from './files.js'

const MAX_IMPORTANT = 10
const MAX_CLASSES = 10
const BAR = 24

/** All of it, a line each. */
export function reportLines(given: TableModelReport, width: number): string[] {
  const report = allVisible(given)
  return [
    ...introduction(report),
    ...decisionLines(report, width),
    '',
    ...metricsLines(report),
    ...(report.confusion ? ['', ...confusionLines(report.confusion, report.classNames)] : []),
    '',
    ...importanceLines(report),
    '',
    ...calibrationLines(report),
    '',
    paint('bold', 'What to look at, and what to try next'),
    ...report.advice.flatMap((line) => wrapped(inFlags(line), width - 4).map((part, i) => `${i === 0 ? '  • ' : '    '}${part}`)),
  ]
}

function introduction({ task, classNames, rows, leftOut, splitBy, columns, nets, seconds }: TableModelReport): string[] {
  const what = task === 'classification' ? `${classNames.length} classes` : 'a number'
  const used = columns.filter(({ role, features }) => role === 'input' && features > 0)
  const left = columns.filter(({ role, as }) => role === 'input' && as === 'left out').map(({ name }) => name)
  const fact = (name: string, text: string) => `  ${paint('dim', name.padEnd(8))} ${text}`
  const dropped = leftOut.length === 0 ? '' : `; ${describeLeftOut(leftOut)}`
  const latest = splitBy ? `, the latest by ${splitBy.column}, from ${splitBy.from} on` : ''
  return [
    fact('task', what),
    fact('rows', `${whole(rows.train)} to learn from, ${whole(rows.test)} to test with${latest}${dropped}`),
    fact(
      'columns',
      `${used.length} used${left.length > 0 ? `; left out: ${left.slice(0, 6).join(', ')}${left.length > 6 ? ', …' : ''}` : ''}`,
    ),
    fact(
      'nets',
      `${whole(nets.trained)} trained in ${duration(seconds)}, ${nets.used === 1 ? '1 answers' : `${whole(nets.used)} answer together`}`,
    ),
  ]
}

/** What was decided about classes, a fact each, whose text goes on below itself. */
export function decisionLines(report: Parameters<typeof describeDecision>[0], width: number): string[] {
  return describeDecision(report).flatMap(({ word, text }) =>
    wrapped(visible(text), width - 11).map((part, i) => `  ${paint('dim', (i === 0 ? word : '').padEnd(8))} ${part}`),
  )
}

function metricsLines({ metrics, rows }: TableModelReport): string[] {
  const hasLine = metrics.some(({ line }) => line !== undefined)
  const head = ['', 'value', '95 % interval', ...(hasLine ? ['a straight line'] : []), 'a guess']
  const cells = metrics.map(({ name, value, low, high, line, baseline }) => [
    `  ${name}`,
    formatMetric(value),
    interval(low, high),
    ...(hasLine ? [line === undefined ? '–' : formatMetric(line)] : []),
    formatMetric(baseline),
  ])
  const [first, ...rest] = table([head, ...cells])
  return [
    paint('bold', `How good it is, on ${whole(rows.test)} rows it has not seen`),
    paint('dim', first),
    ...rest.map((line, i) => (i === 0 ? paint('bold', line) : line)),
  ]
}

/** `0.912 to 0.951`; where it is the same in all resamples, these tell nothing. */
export function interval(low: number, high: number): string {
  return low === high ? '–' : `${formatMetric(low)} to ${formatMetric(high)}`
}

/** Counts by true class (rows) and predicted class (columns). */
export function confusionLines(matrix: readonly (readonly number[])[], given: readonly string[]): string[] {
  const names = given.map(visible)
  if (names.length > MAX_CLASSES) return [paint('dim', `${names.length} classes: the confusion matrix is in --report and --json`)]
  const short = (name: string) => (name.length > 12 ? `${name.slice(0, 11)}…` : name)
  const cells = matrix.map((row, i) => [`  ${short(names[i])}`, ...row.map(String)])
  const lines = table([['  true, below predicted →', ...names.map(short)], ...cells])
  return [paint('bold', 'Confusion'), paint('dim', lines[0]), ...lines.slice(1)]
}

function importanceLines({ importance, task, classWeights }: TableModelReport): string[] {
  const shown = importance.slice(0, MAX_IMPORTANT)
  const most = Math.max(1e-12, ...shown.map(({ rise }) => rise))
  const width = Math.max(0, ...shown.map(({ column }) => Math.min(24, column.length)))
  const lines = shown.map(({ column, rise }) => {
    const name = column.length > 24 ? `${column.slice(0, 23)}…` : column
    const size = Math.max(0, Math.round((BAR * rise) / most))
    return `  ${name.padEnd(width)}  ${paint('cyan', '█'.repeat(size))}${' '.repeat(BAR - size)}  ${rise >= 0 ? '+' : '−'}${Math.abs(rise).toPrecision(2)}`
  })
  const more = importance.length > shown.length ? [paint('dim', `  and ${importance.length - shown.length} more`)] : []
  const loss = classWeights ? 'weighted log loss' : 'log loss'
  const what = task === 'classification' ? loss : 'squared error'
  return [`${paint('bold', 'What it looks at')} ${paint('dim', `(rise of the ${what} where a column is shuffled)`)}`, ...lines, ...more]
}

function calibrationLines({ calibration, task }: TableModelReport): string[] {
  const cells = calibration.bins.map(({ said, true: share }) => [said.toFixed(2), share.toFixed(2)])
  const rows = [
    [task === 'classification' ? '  says' : '  asked for', ...cells.map(([said]) => said)],
    [task === 'classification' ? '  is right' : '  inside', ...cells.map(([, share]) => share)],
  ]
  const title = task === 'classification' ? 'Whether its probabilities can be believed' : 'Whether its intervals can be believed'
  return [`${paint('bold', title)} ${paint('dim', `(off by ${calibration.error.toFixed(2)} on average)`)}`, ...table(rows)]
}

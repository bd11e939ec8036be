/** A report on a model of a table as a page, and as lines of a terminal. */
import { describeLeftOut } from '../../data/index.js'
import { rangeOf } from '../../plot/scale.js'
import { type Block, checkBlocks, checkShown, type ReportBlock, type Score } from '../../report/blocks.js'
import { formatCount, formatMetric, formatNumber, formatShare } from '../../report/format.js'
import { page } from '../../report/page.js'
import { type ReportTextOptions, textOf } from '../../report/text.js'
import type { MeasuredMetric } from '../measure/measure.js'
import { describeDecision, nameOfLoss, type ReportedDecision } from '../target/decision.js'
import type { Distribution } from '../target/response.js'
import type { TableEvaluation, TargetsEvaluation } from './evaluate.js'
import type { TableExplanation } from './explain.js'
import type { TableModelReport, TargetsReport } from './report.js'
import { explanationBlocks } from './show-explanation.js'

const MAX_IMPORTANT = 15
const MAX_CLASSES = 15
const MAX_CANDIDATES = 12

/**
 * A report as an HTML page that contains all of its pictures: for a file, a mail or a browser.
 *
 * @param report of {@link trainTable} or {@link explainTable}
 * @param also blocks that follow, such as `reportBlocks` of gradus/xray
 * @example
 * const { report } = await trainTable('docs/guide/penguins.csv', { target: 'species' })
 * reportHtml(report).startsWith('<!doctype html>') // true
 */
export function reportHtml(report: TableModelReport | TargetsReport | TableExplanation, also: readonly ReportBlock[] = []): string {
  checkReport(report)
  const more = checkBlocks('reportHtml: also', also)
  if ('reports' in report) {
    const targets = report.targets.map((name) => `‘${name}’`).join(', ')
    return page({ title: `${report.targets.join(', ')}: report of a model`, heading: `Predicting ${targets}` }, [
      ...targetsBlocks(report),
      ...more,
    ])
  }
  const isReport = 'task' in report
  const blocks = [...(isReport ? blocksOf(report) : explanationBlocks(report)), ...more]
  const { target } = report
  const heading = isReport ? `Predicting ‘${target}’` : `What a model of ‘${target}’ says`
  return page({ title: `${target}: ${isReport ? 'report' : 'explanation'} of a model`, heading }, blocks)
}

/**
 * A report, or an evaluation, as lines for a terminal: control characters in names are made visible.
 *
 * @param report of {@link trainTable}, {@link evaluateTable} or {@link explainTable}
 * @example
 * const { report } = await trainTable('docs/guide/penguins.csv', { target: 'species' })
 * reportText(report, { width: 100 }).includes('accuracy') // true
 */
export function reportText(
  report: TableModelReport | TargetsReport | TableEvaluation | TargetsEvaluation | TableExplanation,
  options: ReportTextOptions = {},
): string {
  checkReport(report)
  if ('reports' in report) return textOf(targetsBlocks(report), options)
  if ('evaluations' in report) {
    const each = Object.entries(report.evaluations)
    const blocks = each.flatMap(([target, found]) => ofTarget(target, evaluationBlocks(found)))
    return textOf([overviewBlock(each, report.metrics), ...blocks], options)
  }
  if ('task' in report) return textOf(blocksOf(report), options)
  return textOf('effects' in report ? explanationBlocks(report) : evaluationBlocks(report), options)
}

function checkReport(report: unknown): void {
  const { metrics, effects } = Object(report)
  checkShown(
    Array.isArray(metrics) || Array.isArray(effects),
    'the report of trainTable, or a result of evaluateTable or explainTable',
    report,
  )
}

/** Of several targets: how good each is, and all together; and the blocks of each report. */
function targetsBlocks({ targets, reports, rows, nets, seconds, seed, metrics }: TargetsReport): Block[] {
  const each = targets.map((target) => [target, reports[target]] as const)
  const facts: [string, string][] = [
    ['targets', `${targets.length}, with nets for each`],
    ['rows', `${formatCount(rows.test)} to test with that have all targets`],
    ['nets', `${formatCount(nets.trained)} trained; ${formatNumber(Number(seconds.toPrecision(2)))} s in all; seed ${seed}`],
  ]
  const blocks = each.flatMap(([target, report]) => ofTarget(target, blocksOf(report)))
  return [{ kind: 'facts', title: '', facts }, overviewBlock(each, metrics), ...blocks]
}

/** The first metric of each target, and the metrics over all. */
function overviewBlock(each: readonly (readonly [string, Pick<TableEvaluation, 'metrics'>])[], metrics: readonly MeasuredMetric[]): Block {
  const firsts = each.map(([target, { metrics }]) => ({ ...metrics[0], name: `${target}: ${metrics[0].name}` }))
  const more =
    'The mean R² is of the targets that are numbers; the subset accuracy is the share of rows in which the classes of all targets are right. F1 is of the ' +
    'targets of yes and no: of all answers together (micro), or the mean over targets (macro).'
  return {
    ...{ kind: 'scores', title: 'How good it is', on: 'metric', scores: scoresOf([...firsts, ...metrics]) },
    ...(metrics.length > 0 && { more }),
  }
}

/** Blocks whose titles begin with the target. */
function ofTarget(target: string, blocks: readonly Block[]): Block[] {
  return blocks.map((block) => ({ ...block, title: block.title === '' ? `‘${target}’` : `‘${target}’: ${block.title}` }))
}

function evaluationBlocks(found: TableEvaluation): Block[] {
  const facts = decisionFacts(found)
  return [
    { kind: 'facts', title: '', facts },
    { kind: 'scores', title: '', on: '', scores: scoresOf(found.metrics) },
    confusionBlock(found),
  ]
}

function blocksOf(report: TableModelReport): Block[] {
  const { metrics, rows, importance, calibration, examples, curve, task, columns } = report
  const isClasses = task === 'classification'
  const loss = lossIn(report)
  const [hasLine, hasBefore] = (['line', 'before'] as const).map((other) => metrics.some((metric) => metric[other] !== undefined))
  const advice = { kind: 'advice', title: 'What to look at, and what to try next', lines: report.advice } as const
  const epochs = curve.loss.map((_, i) => i + 1)
  const courses = [
    { name: 'training', x: epochs, y: curve.loss },
    { name: 'rows not seen', x: epochs, y: curve.validation },
  ]
  // a straight line has no epochs
  const learning = epochs.length > 0 ? courses : []
  const said = calibration.bins.map((bin) => bin.said)
  const right = calibration.bins.map((bin) => bin.true)
  const low = Math.floor(10 * Math.min(...said, ...right)) / 10
  const range = rangeOf([examples?.flatMap((e) => [e.true, e.predicted]) ?? []])
  return [
    { kind: 'facts', title: '', facts: factsOf(report) },
    {
      kind: 'scores',
      title: `How good it is, on ${formatCount(rows.test)} ${rows.test === 1 ? 'row' : 'rows'} it has not seen`,
      on: 'metric',
      scores: scoresOf(metrics),
      more: `The guess looks at no column: it says the share of each class, or the mean.${hasLine ? ' The straight line, logistic or ridge regression, was fitted to the same rows as the nets: what they are better by is what they are worth.' : ''}${hasBefore ? ' The row before repeats the target of the row before in time.' : ''} Intervals say how much the test rows alone leave open (bootstrap; of accuracy Wilson’s).`,
    },
    { ...advice, only: 'page' },
    confusionBlock(report),
    {
      ...({ kind: 'curve', only: 'page', title: 'Predicted beside true' } as const),
      note: 'Each point is a test row; on the dashed line it is right.',
      lines: examples ? [{ name: 'test rows', x: examples.map((e) => e.true), y: examples.map((e) => e.predicted), points: true }] : [],
      axes: { height: 400, xLabel: 'true', yLabel: 'predicted', xRange: range, yRange: range, diagonal: true },
    },
    {
      ...({ kind: 'bars', title: 'What it looks at' } as const),
      note: `rise of the ${isClasses ? loss : 'squared error, in variances of the target,'} where a column is shuffled${importance.length > MAX_IMPORTANT ? `; the first ${MAX_IMPORTANT} of ${importance.length}` : ''}`,
      bars: importance.slice(0, MAX_IMPORTANT).map(({ column, rise, deviation }) => ({
        ...{ name: column, value: rise, deviation },
        text: `${rise >= 0 ? '+' : '−'}${formatNumber(Math.abs(Number(rise.toPrecision(2))))}`,
      })),
    },
    {
      kind: 'curve',
      title: isClasses ? 'Whether its probabilities can be believed' : 'Whether its intervals can be believed',
      note: `off by ${calibration.error.toFixed(2)} on average`,
      lines: [{ name: 'test rows', x: said, y: right }],
      axes: {
        ...{ xRange: [low, 1], yRange: [low, 1], diagonal: true },
        ...(isClasses ? { xLabel: 'says', yLabel: 'is right' } : { xLabel: 'asked for', yLabel: 'inside' }),
      },
    },
    {
      ...({ kind: 'curve', only: 'page', title: 'Learning' } as const),
      note: 'Of the best kind of net. The weights of the epoch that is best on rows not seen are kept.',
      lines: learning,
      axes: { xLabel: 'epoch', yLabel: loss, logY: true },
    },
    ...learningCurveBlocks(report),
    {
      ...{ kind: 'table', only: 'page', title: 'Columns', head: ['column', 'taken as', 'why'] },
      rows: columns.map(({ name, role, as, why, gaps, notes }) => [
        name,
        `${role === 'target' ? 'predicted, ' : ''}${as}`,
        [why, ...(gaps > 0 ? [`${formatCount(gaps)} gaps`] : []), ...notes].join('; '),
      ]),
    },
    suspectsBlock(report),
    candidatesBlock(report),
    { ...advice, only: 'terminal' },
  ]
}

function factsOf({
  task,
  classNames,
  rows,
  leftOut,
  sampledFrom,
  splitBy,
  groups,
  columns,
  nets,
  seconds,
  seed,
  ...decision
}: TableModelReport): [string, string][] {
  const used = columns.filter(({ role, features }) => role === 'input' && features > 0)
  const left = columns.filter(({ role, as }) => role === 'input' && as === 'left out').map(({ name }) => name)
  const dropped = leftOut.length === 0 ? '' : `; ${describeLeftOut(leftOut)}`
  const latest = splitBy ? `, the latest by ‘${splitBy.column}’, from ${splitBy.from} on` : ''
  const together = groups ? `; ${groupsInWords(groups)}` : ''
  const sampled = sampledFrom === undefined ? '' : `; a random sample of the ${formatCount(sampledFrom)} rows of the table`
  return [
    ['task', task === 'classification' ? `${classNames.length} classes` : 'a number'],
    ['rows', `${formatCount(rows.train)} to learn from, ${formatCount(rows.test)} to test with${latest}${together}${dropped}${sampled}`],
    ['columns', `${used.length} used${left.length > 0 ? `; left out: ${left.slice(0, 6).join(', ')}${left.length > 6 ? ', …' : ''}` : ''}`],
    [
      'nets',
      `${formatCount(nets.trained)} trained, ${nets.used === 1 ? '1 answers' : `${formatCount(nets.used)} answer together`}; ${formatNumber(Number(seconds.toPrecision(2)))} s in all; seed ${seed}`,
    ],
    ...decisionFacts(decision),
    ...numberFacts(decision),
  ]
}

/** `48 groups of ‘patient’ to learn from, 12 others to test with` */
function groupsInWords({ column, train, test }: NonNullable<TableModelReport['groups']>): string {
  const learnt = `${formatCount(train)} groups of ‘${column}’ to learn from`
  return test === undefined ? learnt : `${learnt}, ${formatCount(test)} ${test === 1 ? 'other' : 'others'} to test with`
}

const DISTRIBUTIONS: Readonly<Record<Distribution, string>> = {
  normal: 'the squared error',
  laplace: 'the absolute error, whose best prediction is the median',
  poisson: 'the Poisson loss of counts; no prediction is below 0',
  gamma: 'the gamma loss, in which errors are shares of the number; no prediction is below 0',
  logNormal: 'the squared error of the logarithm; no prediction is below 0',
}

/** What was chosen for a numeric target. */
function numberFacts({ distribution, intervals }: Pick<TableModelReport, 'distribution' | 'intervals'>): [string, string][] {
  const facts: [string, string][] = distribution === undefined ? [] : [['loss', `nets learn ${DISTRIBUTIONS[distribution]}`]]
  if (intervals === undefined) return facts
  const { width, score } = intervals
  const beside =
    score === undefined ? 'there was too little to learn from' : `their interval score is ${score.toFixed(2)} times that of one width`
  return [...facts, ['intervals', `${width === 'row' ? 'as wide as the errors of similar rows' : 'of one width'}: ${beside}`]]
}

const decisionFacts = (found: ReportedDecision) => describeDecision(found).map(({ word, text }): [string, string] => [word, text])

function scoresOf(metrics: readonly MeasuredMetric[]): Score[] {
  return metrics.map(({ line, before, baseline, ...metric }) => ({
    ...metric,
    beside: { 'a straight line': line, 'the row before': before, 'a guess': baseline },
  }))
}

function confusionBlock({ confusion = [], classNames }: Pick<TableEvaluation, 'confusion' | 'classNames'>): Block {
  const only = classNames.length > MAX_CLASSES ? ({ only: 'terminal' } as const) : {}
  return { kind: 'matrix', title: 'Confusion', counts: confusion, names: classNames, ...only }
}

/** Name of the loss in curves of training. */
function lossIn({ task, classWeights, distribution }: TableModelReport): string {
  if (distribution === 'poisson' || distribution === 'gamma') return `${distribution} loss`
  return nameOfLoss({ task, ...(classWeights && { classWeights }), ...(distribution && { distribution }) })
}

function learningCurveBlocks({ learningCurve }: TableModelReport): Block[] {
  if (learningCurve === undefined || learningCurve.points.length < 2) return []
  const { metric, points, doubled } = learningCurve
  const last = points[points.length - 1]
  const title = 'What more rows bring'
  return [
    {
      ...({ kind: 'curve', only: 'page', title } as const),
      note: `On rows not seen${doubled ? '; the dashed line is what twice as many rows would bring' : ''}.`,
      lines: [
        { name: 'measured', x: points.map(({ rows }) => rows), y: points.map(({ value }) => value) },
        ...(doubled ? [{ name: 'expected', x: [last.rows, doubled.rows], y: [last.value, doubled.value], dashed: true }] : []),
      ],
      axes: { xLabel: 'rows to learn from', yLabel: metric, logX: true },
    },
    {
      ...({ kind: 'table', only: 'terminal', title, head: ['rows to learn from', metric] } as const),
      rows: [
        ...points.map(({ rows, value }) => [formatCount(rows), formatMetric(value)]),
        ...(doubled ? [[formatCount(doubled.rows), `${formatMetric(doubled.value)} expected`]] : []),
      ],
    },
  ]
}

function suspectsBlock({ suspects = [] }: TableModelReport): Block {
  const shown = (value: string | number) => (typeof value === 'string' ? value : formatMetric(value))
  const share = (p: number | undefined) => (p === undefined ? '' : ` (${formatShare(p)})`)
  return {
    ...{ kind: 'table', only: 'page', title: 'Rows that look mislabelled', head: ['row', 'in the table', 'by nets that did not see it'] },
    note: 'Rows are counted from 0.',
    rows: suspects.map(({ row, given, predicted, probabilities: p }) => [
      String(row),
      `${shown(given)}${share(p?.given)}`,
      `${shown(predicted)}${share(p?.predicted)}`,
    ]),
  }
}

function candidatesBlock(report: TableModelReport): Block {
  const { candidates } = report
  const total = candidates.reduce((sum, { votes }) => sum + votes, 0)
  return {
    ...{
      kind: 'table',
      only: 'page',
      title: 'Nets',
      head: ['hidden layers and training', `${nameOfLoss(report)} on rows not seen`, 'share of the answer'],
    },
    ...(candidates.length > MAX_CANDIDATES && { note: `The best ${MAX_CANDIDATES} of ${candidates.length} that were kept.` }),
    rows: candidates
      .slice(0, MAX_CANDIDATES)
      .map(({ plan, loss, votes }) => [plan, formatNumber(Number(loss.toPrecision(3))), votes > 0 ? formatShare(votes / total) : '–']),
  }
}

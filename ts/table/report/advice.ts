/**
 * Advice of a report in words: things to look at, and things to try next. Each rule looks at figures of the report and returns a sentence with a
 * remedy, or nothing; the most important come first. Comparisons use the paired difference of losses and its interval, never the intervals of two
 * values. Options are written as in code, in backticks: the command line turns them into flags.
 */

import { show } from '../../common/show.js'
import { type Rule as AdviceRule, adviceBy } from '../../report/blocks.js'
import { formatMetric, formatShare } from '../../report/format.js'
import type { CalibrationBin, MeasuredMetric } from '../measure/measure.js'
import { labelsIn } from '../rows/label-lists.js'
import { leakInWords } from '../rows/leaks.js'
import type { TableModelReport } from './report.js'
import { MAX_SUSPECTS } from './suspects.js'

/** Facts besides the report. */
export interface Circumstances {
  /** True if `time` was given. */
  hasTime: boolean
  /** True if the time was too short for one whole training. */
  isCut?: boolean | undefined
  /** Training rows of each class. */
  counts: readonly number[]
}

type Rule = AdviceRule<TableModelReport, Circumstances>

/** Share of the total importance of all columns below which a column is hardly useful. */
const LITTLE = 0.01
/** A smaller difference, as a fraction of a guess's loss, is negligible. */
const HARDLY = 0.02
/** Fraction of a guess's loss: a model that explains less does not owe its success to a column that gives the target away. */
const GIVEN_AWAY = 0.5
/** Number of rows of a class, or of all, below which conclusions are weak. */
const FEW_OF_CLASS = 10
const FEW = 30
/** Number of rows of the rarer class below which a threshold chosen by them is noise. */
const FEW_FOR_THRESHOLD = 20
/** Number of test rows from which on a line and nets are compared. */
const FEWEST_COMPARED = 10
/** Error of the coverage of intervals, and the number of rows for which such an error is not chance. */
const OFF = 0.1
const ROWS_OF_COVERAGE = 20

/** The rules in the order in which people should read their sentences. */
const RULES: readonly Rule[] = [
  notedTarget,
  listedLabels,
  leaking,
  fewRows,
  rareClasses,
  neverPredicted,
  thinThreshold,
  besideGuess,
  besideLine,
  besideRowBefore,
  coverage,
  oneColumn,
  smallTest,
  overfitting,
  mislabelled,
  uselessColumns,
  notedColumns,
  moreRows,
  moreTime,
]

/** @internal */
export function adviceOn(report: TableModelReport, circumstances: Circumstances): string[] {
  return adviceBy(RULES, report, circumstances)
}

/** Classes that are lists of labels. */
function listedLabels({ target, classNames }: TableModelReport): string[] {
  const labels = labelsIn(classNames)
  if (labels === undefined) return []
  return [
    `Column '${target}' has lists of labels, such as '${classNames.find((name) => name.length > labels[0].length)}': each list is a class of its own, and a row ` +
      `without labels is left out. For an answer to each label, give it a column of true and false, and predict them all: \`target: ${inCode(labels)}\`.`,
  ]
}

function fewRows({ rows }: TableModelReport): string[] {
  const all = rows.train + rows.test
  if (all >= FEW) return []
  return [`${all} rows are too few to say how good a model is, or to learn much: gather a hundred at least. What follows is mostly luck.`]
}

function rareClasses({ classNames }: TableModelReport, { counts }: Circumstances): string[] {
  const rare = classNames.filter((_, i) => counts[i] < FEW_OF_CLASS)
  if (rare.length === 0) return []
  const remedy = 'gather more of them, or put such classes together'
  if (rare.length > classNames.length / 2)
    return [
      `${rare.length} of ${classNames.length} classes have fewer than ${FEW_OF_CLASS} rows to learn from: ${remedy}. ${names(rare)} are such.`,
    ]
  return [`Of ${names(rare)} there are fewer than ${FEW_OF_CLASS} rows to learn from: ${remedy}.`]
}

/** Classes with test rows that were never predicted. */
function neverPredicted(
  { confusion = [], classNames, rows, positive, threshold, classWeights }: TableModelReport,
  { counts }: Circumstances,
): string[] {
  const never = classNames.filter(
    (_, c) => confusion.every((row) => row[c] === 0) && (confusion[c] ?? []).reduce((sum, n) => sum + n, 0) > 0,
  )
  if (never.length === 0 || rows.test < FEW) return []
  const found = never.reduce((sum, name) => sum + (confusion[classNames.indexOf(name)] ?? []).reduce((a, b) => a + b, 0), 0)
  const share = `${formatShare(found / rows.test)} of the test rows`
  const [first] = never
  const them = never.length === 1 ? 'it' : 'them'
  const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length
  const areRare = never.every((name) => counts[classNames.indexOf(name)] < mean)
  const remedies = [
    // a threshold is suggested for the positive class of two
    ...(first === positive && threshold === undefined && Math.min(...counts) >= FEW_FOR_THRESHOLD
      ? ["`threshold: 'f1'` names it from a lower probability on"]
      : []),
    ...(areRare && classWeights === undefined
      ? [`\`classWeights: 'balanced'\` lets ${never.length === 1 ? 'its' : 'their'} rows count more`]
      : []),
    `rank rows by the probability of ${names([first])}`,
  ]
  const remedy = remedies.join(', or ')
  return [
    `The model never predicts ${names(never)} (${share}): accuracy says little of ${them}. ${remedy[0].toUpperCase()}${remedy.slice(1)}.`,
  ]
}

function thinThreshold({ threshold: { value, chosenBy, rows = 0 } = { value: 0 } }: TableModelReport): string[] {
  if (chosenBy === undefined || rows >= FEW_FOR_THRESHOLD) return []
  const of = `${rows} ${rows === 1 ? 'row' : 'rows'} of the rarer class`
  return [
    `The threshold ${value} was chosen on ${of} alone, so it is mostly luck: give one that fits what errors cost, such as \`threshold: ${value}\`, or gather more such rows.`,
  ]
}

/** The metric that corresponds to the loss by which nets are chosen. */
function deciding({ metrics, task, classWeights }: TableModelReport): MeasuredMetric | undefined {
  const loss = classWeights ? 'weighted log loss' : 'log loss'
  return metrics.find(({ name }) => name === (task === 'classification' ? loss : 'R²'))
}

function besideGuess(report: TableModelReport): string[] {
  const { compared, rows, target, metrics } = report
  const metric = deciding(report)
  if (metric === undefined || compared?.guess === undefined) return []
  const { difference, low, high } = compared.guess
  const values = `${metric.name} ${formatMetric(metric.value)} beside ${formatMetric(metric.baseline)}`
  const why = `the columns say little about '${target}', or there are too few rows`
  const ranks = metrics.some(({ name, low }) => name === 'ROC AUC' && low > 0.5)
  if (high < 0 && ranks)
    return [
      `The model puts rows in a better order than chance, but its probabilities are worse than a guess without columns: ${values}. Rank rows by them, and do not take them for probabilities; more rows would help.`,
    ]
  if (high < 0) return [`The model is worse than a guess without columns: ${values}. Either ${why}.`]
  if (low > 0 || ranks) return []
  if (difference <= 0) return [`The model is no better than a guess without columns: ${values}. Either ${why}.`]
  if (difference < HARDLY) return [`The model is hardly better than a guess without columns: ${values}. Either ${why}.`]
  return [`The model looks better than a guess without columns, ${values}, but that may be luck on ${testRows(rows.test)}.`]
}

function besideLine(report: TableModelReport): string[] {
  const { compared, rows, task } = report
  const metric = deciding(report)
  if (metric?.line === undefined || compared?.line === undefined || rows.test < FEWEST_COMPARED) return []
  const { difference, low, high } = compared.line
  const line = `A straight line (${task === 'classification' ? 'logistic' : 'ridge'} regression)`
  const values = `${metric.name} ${formatMetric(metric.line)} beside ${formatMetric(metric.value)} of the nets`
  const remedy = '`hidden: []` trains it, which is smaller and easier to explain'
  const luck = `a difference that may be luck on ${testRows(rows.test)}`
  if (low > 0) return []
  if (high < 0) return [`${line} is better: ${values}. ${remedy}.`]
  if (difference <= 0) return [`${line} is at least as good: ${values}, ${luck}. ${remedy}.`]
  if (difference < HARDLY) return [`${line} is nearly as good: ${values}, ${luck}. ${remedy}.`]
  return [
    `The nets look better than a straight line: ${metric.name} ${formatMetric(metric.value)} beside ${formatMetric(metric.line)}, but that may be luck on ${testRows(rows.test)}.`,
  ]
}

/** Advice to predict changes, if repeating the last value of a series predicts about as well as the model. */
function besideRowBefore(report: TableModelReport): string[] {
  const { compared, rows, target } = report
  const metric = deciding(report)
  if (metric?.before === undefined || compared?.before === undefined || rows.test < FEWEST_COMPARED) return []
  const { difference, low, high } = compared.before
  const values = `${metric.name} ${formatMetric(metric.before)} beside ${formatMetric(metric.value)} of the model`
  const remedy = `Predict the change of '${target}' since that row; if its value is known in time and no column yet, make it one`
  const luck = `a difference that may be luck on ${testRows(rows.test)}`
  if (low > 0 || difference >= HARDLY) return []
  if (high < 0) return [`To repeat the '${target}' of the row before is better: ${values}. ${remedy}.`]
  return [
    `To repeat the '${target}' of the row before is ${difference <= 0 ? 'at least' : 'nearly'} as good: ${values}, ${luck}. ${remedy}.`,
  ]
}

/** Advice about the intervals whose coverage is furthest off. Intervals that contain too few rows matter more than those that contain too many. */
function coverage({ task, calibration, rows, splitBy, nets }: TableModelReport): string[] {
  if (task === 'classification' || rows.test < ROWS_OF_COVERAGE) return []
  const excess = (bin: CalibrationBin) => bin.true - bin.said
  const off = calibration.bins
    .filter((bin) => Math.abs(excess(bin)) > Math.max(OFF, 2 * Math.sqrt((bin.said * (1 - bin.said)) / rows.test)))
    .sort((a, b) => excess(a) - excess(b))
  if (off.length === 0) return []
  const areWide = excess(off[0]) > 0
  const worst = off[areWide ? off.length - 1 : 0]
  const [said, held] = [formatShare(worst.said), formatShare(worst.true)]
  if (areWide)
    return [
      `Intervals that ask for ${said} held ${held} of the test rows: they are wider than need be, as ${nets.used > 1 ? 'nets together err less than each alone on the rows that decided, or ' : ''}the test rows were easier${nets.used > 1 ? '' : ' than those that decided'}.`,
    ]
  const why = splitBy
    ? 'the latest rows are unlike those before'
    : 'too few rows decided how wide they are, or the test rows are unlike the others'
  return [
    `Intervals that ask for ${said} held only ${held} of the test rows: ${why}. Do not rely on them; ${splitBy ? 'train again as rows come in' : 'gather more rows'}.`,
  ]
}

function leaking({ leaks = [], target }: TableModelReport): string[] {
  if (leaks.length === 0) return []
  const columns = leaks.map(({ column }) => column)
  const it = leaks.length === 1 ? 'it is' : 'they are'
  const [first] = leaks.map((leak) => leakInWords(leak, target))
  return [
    `${first[0].toUpperCase()}${first.slice(1)}${leaks.length > 1 ? `, and so ${leaks.length === 2 ? 'does' : 'do'} ${names(columns.slice(1))}` : ''}. If ${it} known only after '${target}' is, leave ${leaks.length === 1 ? 'it' : 'them'} out: \`exclude: ${inCode(columns)}\`.`,
  ]
}

/** Row numbers become lines of a file in train-table.ts. */
function mislabelled({ suspects = [], task }: TableModelReport): string[] {
  if (suspects.length === 0) return []
  const [{ row, given, predicted, probabilities }] = suspects
  const shown = (value: string | number) => (typeof value === 'string' ? show(value) : formatMetric(value))
  const sure = probabilities ? `, with a probability of ${formatShare(probabilities.predicted)}` : ''
  const count = suspects.length === 1 ? 'A row looks' : `${suspects.length}${suspects.length === MAX_SUSPECTS ? ' or more' : ''} rows look`
  return [
    `${count} mislabelled, such as row ${row}: ${shown(given)} there, and ${shown(predicted)} by nets that did not see it${sure}. Look at ${suspects.length === 1 ? 'it' : 'them'}: \`report.suspects\` has ${suspects.length === 1 ? 'it' : 'them'}${task === 'regression' ? '; a mistaken unit or digit is usual' : ''}.`,
  ]
}

function oneColumn({ compared, importance, target, leaks = [] }: TableModelReport): string[] {
  if (leaks.length > 0) return []
  if (compared === undefined || compared.guess.low <= 0 || compared.guess.difference < GIVEN_AWAY) return []
  const total = importance.reduce((sum, { rise }) => sum + Math.max(0, rise), 0)
  const [first] = importance
  if (first === undefined || importance.length < 3 || !(total > 0) || first.rise <= 0.9 * total) return []
  return [
    `Nearly all comes from '${first.column}'. If it is known only after '${target}' is, leave it out: \`exclude: ${inCode([first.column])}\`.`,
  ]
}

function smallTest({ rows, splitBy }: TableModelReport): string[] {
  if (rows.test >= 100) return []
  const more = splitBy ? 'More rows tell' : 'More rows, or another `seed`, tell'
  return [`The test set has ${rows.test} ${rows.test === 1 ? 'row' : 'rows'}, so the intervals are wide. ${more} how much is luck.`]
}

function overfitting({ curve }: TableModelReport): string[] {
  const [trained, judged] = [curve.loss.at(-1) ?? 0, Math.min(...curve.validation.filter(Number.isFinite))]
  if (curve.loss.length === 0 || !(judged > 2 * trained && judged > 0.15 && Number.isFinite(judged))) return []
  return ['The nets know their training rows much better than others: more rows would help more than longer training.']
}

function uselessColumns({ importance }: TableModelReport): string[] {
  const total = importance.reduce((sum, { rise }) => sum + Math.max(0, rise), 0)
  const useless = importance.filter(({ rise, deviation }) => rise <= deviation && rise < LITTLE * total).map(({ column }) => column)
  if (useless.length === 0 || useless.length === importance.length) return []
  return [
    `Shuffling ${useless.length === 1 ? '' : 'any one of '}${names(useless)} changes next to nothing: \`exclude: ${inCode(useless.slice(0, 4))}\` tells whether the model is as good without ${useless.length === 1 ? 'it' : 'them'}, and simpler.`,
  ]
}

/** Notes about words in the target that may be gaps or a class, because that changes the result. */
function notedTarget({ columns, classNames, isOrdered }: TableModelReport): string[] {
  const targets = columns.filter(({ role }) => role === 'target')
  return targets.flatMap(({ name, notes, decidedBy }) => [
    ...notes.map((note) => `Column '${name}': ${note}.`),
    ...(decidedBy === 'values' && !isOrdered && classNames.length > 2 && classNames.every((own) => /^\d+$/.test(own))
      ? [
          `Column '${name}' has whole numbers, ${classNames[0]} to ${classNames[classNames.length - 1]}, which are taken for classes without an order: ` +
            `\`order: ${inCode(classNames)}\` keeps their order, and columns: 'number' for it makes it a number to predict.`,
        ]
      : []),
  ])
}

function notedColumns({ columns }: TableModelReport): string[] {
  const noted = columns.filter(({ role, notes }) => role === 'input' && notes.length > 0)
  return noted.slice(0, 3).map(({ name, notes }) => `Column '${name}': ${notes.join('; ')}.`)
}

function moreRows({ learningCurve }: TableModelReport): string[] {
  const { doubled, metric, better, points } = learningCurve ?? {}
  if (doubled === undefined || points === undefined) return []
  const { change, low, high } = doubled
  const now = points[points.length - 1]
  const helps = better === 'more' ? low > 0 : high < 0
  const spread = `${signed(better === 'more' ? low : high)} to ${signed(better === 'more' ? high : low)}`
  if (!helps) return [`More rows need not help: with more of them ${metric} changed too little (${spread} expected of twice as many).`]
  return [
    `Twice as many rows would bring about ${signed(change)} of ${metric} (${spread}), which is ${formatMetric(now.value)} on ${now.rows} rows.`,
  ]
}

const signed = (change: number) => `${change < 0 ? '−' : '+'}${formatMetric(Math.abs(change))}`

function moreTime({ candidates }: TableModelReport, { hasTime, isCut }: Circumstances): string[] {
  if (isCut)
    return [
      'The time was too short for one whole training. Give more of it, or leave `time` out, which trains the usual kind of net to its end and is often better.',
    ]
  const isLine = candidates.every(({ plan }) => plan === 'a straight line')
  return hasTime || isLine
    ? []
    : ['`time: 60` goes on with other kinds of nets and lets the best answer together, which is often a little better.']
}

const testRows = (count: number) => `${count} test ${count === 1 ? 'row' : 'rows'}`

/** `['a', 'b c']`, as code has it. */
function inCode(list: readonly string[]): string {
  return `[${list.map((name) => `'${name.replace(/[\\']/g, '\\$&')}'`).join(', ')}]`
}

/** `'a', 'b' and 5 more` */
function names(list: readonly string[]): string {
  const shown = list.slice(0, 4).map((name) => `'${name}'`)
  return list.length > 4 ? `${shown.join(', ')} and ${list.length - 4} more` : shown.join(', ')
}

/**
 * trainTable: from rows to a model that takes rows, and a report on how good it is.
 *
 * 1. All rows decide the task and the kind of each column (column-plan.ts).
 * 2. Test rows are held out: nothing below learns from them, not even the scales of columns.
 * 3. The others decide categories, centers and spreads, fills of gaps, quantiles and vectors (features.ts); each row becomes the inputs of a net.
 * 4. A straight line is fitted to them for comparison (straight-line.ts); it is the model if no hidden layer is wanted (line-model.ts).
 * 5. Nets are trained on parts of these rows and evaluated on the rest, and the best form an ensemble (search.ts); for rows in time the latest
 *    decide.
 * 6. Their errors on held-out rows give prediction intervals for numbers (conformal.ts).
 * 7. The test rows measure the model (make-report.ts), and advice follows from the report (advice.ts).
 *
 * A given `time` is divided between the search and the report (time-budget.ts).
 */
import { clock } from '../common/clock.js'
import { rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show, showNames } from '../common/show.js'
import type { LeftOut, ReadOptions, Source, Table, TableEncoder, TableOptions } from '../data/index.js'
import { leftOutBy } from '../data/table/table.js'
import { takeRows } from '../rows/take.js'
import { adviceOn } from './advice.js'
import { checkNet } from './check-net.js'
import { checkRows, checkTarget } from './check-target.js'
import { ColumnPlan, TABLE_OPTIONS } from './column-plan.js'
import { errorQuantiles, largestQuantiles } from './conformal.js'
import { type ClassTerms, checkDecision, chosenThreshold, classTerms, DECISION_SETTINGS, type DecisionSettings } from './decision.js'
import { type FeatureState, featuresOf, inputsOf, plainFeatures, plainOf, scaled, scalesOf, spansOf, widthOf } from './features.js'
import { fingerprintOf, hashesOf } from './fingerprint.js'
import { type Folds, foldsInTime, foldsOf } from './folds.js'
import { MISPLACED, namingLinesOf, notesWithLines, rowsFrom } from './given-rows.js'
import { lineModel, linesOfFolds } from './line-model.js'
import { makeReport, withUnknown } from './make-report.js'
import { baselineOf, classCounts } from './measure.js'
import { type ClassPrediction, type NumberPrediction, type Prediction, TableModel, type TableModelState } from './model.js'
import { NET_SETTINGS, type NetSettings } from './nets.js'
import { ProgressWatch, type TableProgress } from './progress.js'
import type { TableModelReport } from './report.js'
import { lossOn, type TableSamples } from './samples.js'
import { type LineFeatures, type SearchResult, search } from './search.js'
import { checkAside, checkTimes, earliestOf, setAside, timesOf } from './set-aside.js'
import { fitLine, type LineLimits, type LineSamples, lineAnswers } from './straight-line.js'
import { timeBudget } from './time-budget.js'

/**
 * Options of {@link trainTable}: options of `fromTable` for the columns, options for the nets and their training, and options for classes of
 * different frequency or cost.
 */
export interface TrainTableOptions extends Omit<TableOptions, 'target' | 'scale'>, NetSettings, DecisionSettings {
  /** The column to predict. */
  target: string
  /**
   * Seconds to spend on several kinds of nets, the best of which form an ensemble. Accurate to a few percent, the report included. Default: the time
   * to train one kind of net, from seconds to a minute or two.
   */
  time?: number
  /** Share of the rows that the report is made from, and which no net is trained on, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /**
   * A column of dates or numbers by which the rows are split in time: the report is made from the latest rows, as for a model that predicts the
   * future, and nets are validated on blocks in time. The model follows growing numbers: nets learn the residuals of a straight line. If no two rows
   * have the same time, the report compares with the target of the row before. Default: rows at random.
   */
  splitBy?: string
  /** Test rows for the report, instead of a fraction of the given rows. */
  test?: readonly object[] | Source
  /**
   * A model that was trained on the same rows with the same options, except those of nets: `report.compared.other` says whether the new one is
   * better, row by row on the test rows.
   */
  compareWith?: TableModel
  /** Decides splits, weights and order. The same seed gives the same model, unless `time` is given. Default 0. */
  seed?: number
  /** Options for reading a file. */
  read?: ReadOptions
  /** Ends training early: the result uses the nets trained so far. */
  signal?: AbortSignal
  /**
   * Called at the start of each phase (`reading`, `encoding`, `training`, `measuring`) and while rows are read and nets are trained, some times a
   * second.
   */
  onProgress?: (progress: TableProgress) => void
}

/** Result of {@link trainTable}. */
export interface TrainedTable<P extends Prediction = Prediction> {
  model: TableModel<P>
  report: TableModelReport
}

/**
 * Trains a model on a table and measures it. The rows decide the kind of each column (number, date, category, or left out) and whether classes or
 * numbers are predicted; the report lists these decisions. Several nets are trained on parts of the rows, each with early stopping on held-out rows,
 * and form an ensemble. Test rows are held out before anything is learned, even the scales of columns.
 *
 * @param rows objects with the columns as properties, whose numbers may be text; or a table in a file: a path, URL, File or bytes of CSV, TSV, JSON
 * or another format of `readTable` of gradus/data
 * @example
 * const { model, report } = await trainTable('docs/guide/penguins.csv', { target: 'species' })
 * report.metrics[0].name // 'accuracy'
 * model.predict({ island: 'Dream', bill_length_mm: 39.5, bill_depth_mm: 17.8, flipper_length_mm: 188, body_mass_g: 3300 }).class // 'Adelie'
 * @throws RangeError, TypeError naming row and column of what does not fit
 */
export async function trainTable<P extends Prediction = ClassPrediction & NumberPrediction>(
  rows: readonly object[] | Source,
  options: TrainTableOptions,
): Promise<TrainedTable<P>> {
  const began = clock.now()
  const { time, test, compareWith, seed = 0, read, signal, onProgress } = checked(options)
  signal?.throwIfAborted()
  const watch = new ProgressWatch(onProgress, began, time)
  const {
    isClasses,
    reasons: given,
    dropped,
    leftOut,
    learnt,
    encoder,
    tested,
    latest,
    times,
    before,
  } = await encoded(rows, options, watch)

  if (compareWith !== undefined) checkSameTable(compareWith, encoder)
  const terms = classTerms(picked(options, DECISION_SETTINGS), learnt, options.target)

  const features = featuresOf(learnt)
  const { targets, scale } = scaled(learnt.targets)
  const spans = spansOf(learnt.report.columns)

  const baseline = baselineOf(learnt.targets, learnt.classes)
  const budget = timeBudget(time, began, tested, baseline, spans.length)
  const samples: TableSamples = {
    inputs: inputsOf(features, learnt.inputs),
    width: widthOf(features),
    count: learnt.count,
    targets,
    classes: learnt.classes,
    embedded: features.embedded ?? [],
    weights: terms.weights,
    lossOf: terms.lossOf,
  }
  watch.tell({ phase: 'training', step: 'a straight line' })
  const plain = plainFeatures(features)
  const ofLine: LineSamples = {
    ...samples,
    inputs: inputsOf(plain, learnt.inputs),
    features: plain.features,
    numbers: scalesOf(learnt.report.columns),
    rowWeights: terms.weights,
  }
  const folds = (times && foldsInTime(times, targets)) ?? foldsOf(targets, learnt.classes, seed)
  const isLine = options.hidden?.length === 0
  const limits = { time, signal, all: isLine }
  const line = await fitLine(
    ofLine,
    Int32Array.from(targets, (_, row) => row),
    limits,
  )
  const net = picked(options, NET_SETTINGS)
  const found = isLine
    ? await lineModel(line, ofLine, folds, plain, (predictions, rows) => lossOn(samples, rows)(predictions), limits)
    : await search(samples, folds, await besideLine(features, ofLine, folds, times !== undefined, limits), {
        ...{ ...budget, seed, signal, net },
        onProgress: onProgress && (({ secondsLeft, ...nets }) => watch.tell({ phase: 'training', step: 'nets', ...nets }, secondsLeft)),
      })
  watch.tell(
    { phase: 'measuring', step: 'how good it is, and what it looks at', nets: found.nets, best: found.candidates[0].loss },
    budget.reserve(found.secondsOfRow),
  )

  const model = new TableModel<P>(found.model, {
    format: 'gradus-table-model/1',
    table: encoder.state(),
    features: found.features,
    target: options.target,
    task: isClasses ? 'classification' : 'regression',
    scale,
    errors: isClasses ? [] : errorsOf(found, folds, targets, scale.deviation),
    fingerprint: fingerprintOf(hashesOfTable(learnt), hashesOfTable(tested)),
    ...decisionOf(terms, found, learnt),
  })
  const reasons = await notesWithLines(given, rows, read)
  const columns = test === undefined ? reasons : reasons.map((column) => withUnknown(column, encoder.unknown))
  const besides = {
    ...(line && !isLine && { line: inUnits(lineAnswers(line, inputsOf(plain, tested.inputs)), scale) }),
    ...(before && { before }),
    ...(compareWith && { other: compareWith.answersTo(tested.inputs) }),
  }
  const report = makeReport({
    model,
    found,
    learnt,
    tested,
    besides,
    baseline,
    spans,
    columns,
    dropped,
    leftOut,
    seed,
    budget,
    terms,
  })
  if (latest !== undefined) report.splitBy = latest
  report.seconds = (clock.now() - began) / 1000
  report.advice = adviceOn(report, { hasTime: time !== undefined, counts: classCounts(learnt.targets, learnt.classes) })
  return { model, report }
}

/** The rows as numbers, for training and test. Rows of a file are not kept: as objects they take many times the memory. */
async function encoded(rows: readonly object[] | Source, options: TrainTableOptions, watch: ProgressWatch) {
  const { aside, isSeries, ...learnt } = await namingLinesOf(rows, options.read, () => learnColumns(rows, options, watch))
  const { test, splitBy } = options
  const { tested, leftOut } =
    test === undefined ? { tested: learnt.encoder.dataset(aside), leftOut: [] } : await testTable(learnt.encoder, test, options)
  return {
    ...learnt,
    tested,
    leftOut: [...learnt.leftOut, ...leftOut],
    latest: splitBy === undefined ? undefined : earliestOf(aside, splitBy),
    before: isSeries && tested.count === aside.length ? targetsBefore(learnt.learnt, tested) : undefined,
  }
}

/** For each test row, the target of the row before it in time; for the first, the target of the latest training row. */
function targetsBefore(learnt: Table, tested: Table): Float64Array {
  return Float64Array.from(tested.targets, (_, row) => (row === 0 ? learnt.targets[learnt.count - 1] : tested.targets[row - 1]))
}

/** Decides the kinds of columns, holds test rows out, and learns the encoding from the others. */
async function learnColumns(rows: readonly object[] | Source, options: TrainTableOptions, watch: ProgressWatch) {
  const { read, test, testFraction = FRACTION, seed = 0, splitBy } = options
  const all = await rowsFrom(rows, read, watch)
  watch.tell({ phase: 'encoding', step: 'a look at each column', rows: all.length, columns: Object.keys(all[0] ?? {}).length })
  const plan = new ColumnPlan(all, picked(options, TABLE_OPTIONS))
  checkRows(plan.rows)
  if (splitBy !== undefined) checkTimes('trainTable', all, plan, splitBy)
  const [training, aside] =
    test === undefined ? setAside('trainTable', plan, plan.rows, { fraction: testFraction, seed, splitBy }) : [plan.rows, []]
  watch.tell({ step: 'columns as numbers' })
  const { table: learnt, encoder } = plan.fit(training)
  checkTarget(learnt, options.target)
  const { isClasses, leftOut } = plan
  const dropped = all.length - plan.rows.length
  const inOrder = splitBy === undefined ? undefined : timesOf(plan, [...training, ...aside], splitBy)
  // rows with gaps may be left out: of the others the order is known
  const times =
    learnt.count === training.length
      ? inOrder?.subarray(0, learnt.count)
      : inOrder && Float64Array.from({ length: learnt.count }, (_, row) => row)
  // one row at a time: the row before is known
  const isSeries = !isClasses && inOrder !== undefined && areAscending(inOrder)
  // without the plan, which has all rows
  return { isClasses, reasons: plan.describe(learnt.report), leftOut, dropped, aside, isSeries, learnt, times, encoder }
}

function areAscending(times: Float64Array): boolean {
  return times.every((time, i) => i === 0 || time > times[i - 1])
}

/** Features of nets and, if numbers are predicted and rows are in time, of lines beside them. */
async function besideLine(
  features: FeatureState,
  samples: LineSamples,
  folds: Folds,
  isInTime: boolean,
  limits: LineLimits,
): Promise<LineFeatures> {
  const lines = isInTime && samples.classes === 0 ? await linesOfFolds(samples, folds, limits) : null
  return { features, lines, withLine: features.squeezes === false ? features : { ...features, plain: plainOf(features) } }
}

/** Rows for testing alone, which are not trained on. @throws RangeError that names `test` and the lines of its file */
function testTable(
  encoder: TableEncoder,
  test: readonly object[] | Source,
  { read, target }: TrainTableOptions,
): Promise<{ tested: Table; leftOut: readonly LeftOut[] }> {
  return namingLinesOf(test, read, async () => {
    const rows = await rowsFrom(test, read)
    if (rows.length === 0) throw rangeError('trainTable: test: there are no rows')
    if (!rows.some((row) => Object.hasOwn(row, target)))
      throw rangeError(
        `trainTable: test: there is no column '${target}', which is to be predicted, only ${showNames(Object.keys(rows[0]))}`,
      )
    try {
      return { tested: encoder.dataset(rows), leftOut: leftOutBy(encoder.state(), rows) }
    } catch (error) {
      if (error instanceof Error) error.message = `trainTable: test: ${error.message.replace(/^dataset: /, '')}`
      throw error
    }
  })
}

/** @throws RangeError, TypeError for anything but a model of the same columns of the same rows */
function checkSameTable(other: unknown, encoder: TableEncoder): void {
  if (!(other instanceof TableModel)) throw typeError(`trainTable: compareWith wants a model of trainTable, got ${show(other)}`)
  if (JSON.stringify(other.saved().table) !== JSON.stringify(encoder.state()))
    throw rangeError(
      'trainTable: compareWith wants a model of the same rows and columns; train it with the same options, but for those of nets',
    )
}

/** Quantiles of the errors of out-of-fold predictions, in units of the target, for intervals. */
function errorsOf({ heldOut, predictions }: SearchResult, { folds, from }: Folds, targets: ArrayLike<number>, deviation: number): number[] {
  const errors = Float64Array.from(heldOut, (row, i) => Math.abs(predictions[i] - targets[row]) * deviation)
  if (from === 0) return errorQuantiles(errors)
  let end = 0
  return largestQuantiles(folds.map(({ validation: { length } }) => errors.slice(end, (end += length))))
}

function hashesOfTable({ inputs, features, targets }: Table): Uint32Array {
  return hashesOf(inputs, features, targets)
}

/** The positive class of two, and its threshold, which out-of-fold predictions choose; for rows in time those of the latest rows. */
function decisionOf(
  { decision, chosenBy }: ClassTerms,
  { heldOut, predictions, from }: SearchResult,
  { targets, classNames }: Table,
): Pick<TableModelState, 'decision'> {
  if (decision === undefined) return {}
  const { positive } = decision
  const threshold =
    chosenBy === undefined
      ? decision.threshold
      : chosenThreshold(chosenBy, positive, predictions.subarray(2 * from), takeRows(targets as Int32Array, heldOut.subarray(from)))
  return { decision: { positive: classNames[positive], ...(threshold !== undefined && { threshold }) } }
}

/** Numbers as the table has them; probabilities are as they are, since classes have mean 0 and deviation 1. */
function inUnits(answers: Float64Array, { mean, deviation }: { mean: number; deviation: number }): Float64Array {
  return answers.map((y) => mean + deviation * y)
}

/** Default fraction of test rows. */
const FRACTION = 0.2

const OPTIONS: readonly (keyof TrainTableOptions)[] = [
  ...(['time', 'testFraction', 'splitBy', 'test', 'compareWith', 'read', 'signal', 'onProgress'] as const),
  ...TABLE_OPTIONS,
  ...NET_SETTINGS,
  ...DECISION_SETTINGS,
]

/** The remedy for a call as other libraries want it: `(X, y)`, or the name of the column alone. */
function misusedAs(options: unknown): string {
  if (typeof options === 'string') return `, got ${show(options)}; give { target: ${show(options)} }`
  if (!Array.isArray(options) && !ArrayBuffer.isView(options)) return ''
  return ", got an array as second argument; put targets y beside inputs X as one more column: trainTable(X.map((row, i) => ({ ...row, y: y[i] })), { target: 'y' })"
}

function checked(options: TrainTableOptions): TrainTableOptions {
  if (typeof options?.target !== 'string')
    throw typeError(`trainTable: wants the column to predict, { target: 'species' }${misusedAs(options)}`)
  checkNames('trainTable', options, OPTIONS, MISPLACED)
  const { time, test, testFraction = FRACTION, seed = 0, splitBy } = options
  if (time !== undefined && !(time > 0 && Number.isFinite(time)))
    throw rangeError(`trainTable: time wants seconds above 0, got ${String(time)}`)
  checkAside('trainTable', 'testFraction', { fraction: testFraction, seed, splitBy })
  if (test !== undefined && splitBy !== undefined)
    throw rangeError('trainTable: splitBy says which rows are set aside to test with, and test gives other ones; give one of the two')
  checkNet('trainTable', options)
  checkDecision('trainTable', options)
  const ofNets = NET_SETTINGS.filter((name) => name !== 'hidden' && options[name] !== undefined)
  if (options.hidden?.length === 0 && ofNets.length > 0)
    throw rangeError(`trainTable: hidden: [] is a straight line, which has no ${ofNets[0]}; leave it out, or give hidden layers`)
  return options
}

/** The given options that have one of these names. */
function picked<O extends object, K extends keyof O>(options: O, names: readonly K[]): Pick<O, K> {
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]])) as Pick<O, K>
}

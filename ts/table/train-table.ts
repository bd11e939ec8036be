/** trainTable: from rows to a model that takes rows, and a report on how good it is. */
import { rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show, showNames } from '../common/show.js'
import {
  type ColumnReport,
  fromTable,
  kFold,
  type ReadOptions,
  type Row,
  type Source,
  type TableEncoder,
  type TableOptions,
  trainTestSplit,
} from '../data/index.js'
import { adviceOn } from './advice.js'
import { checkNet } from './check-net.js'
import { logLossOf, squaredErrorOf } from './choose.js'
import { checkSplit, decideTable, notesOfLines, ofLines, rowsFrom, setAside, TABLE_OPTIONS } from './decide-table.js'
import { featuresOf, inputsOf, scaled, spansOf, widthOf } from './features.js'
import {
  baselineOf,
  calibrationOf,
  classCounts,
  confusionOf,
  coverageOf,
  importanceOf,
  leastSecondsOfMetrics,
  MIN_ROWS,
  measureMetrics,
} from './measure.js'
import { type ClassPrediction, type NumberPrediction, type Prediction, TableModel } from './model.js'
import { describePlan, NET_SETTINGS, type NetSettings } from './nets.js'
import type { TableModelReport } from './report.js'
import { type Fold, type SearchProgress, search } from './search.js'

/** Options of {@link trainTable}: those of `fromTable` say what becomes of columns, those of a net what it is like and how it is trained. */
export interface TrainTableOptions extends Omit<TableOptions, 'target' | 'scale'>, NetSettings {
  /** The column to predict. */
  target: string
  /**
   * Seconds to spend: on nets of several kinds, of which the best answer together. Kept to a few percent, the report included. Default: as long as
   * it takes to train one kind of net, from seconds to a minute or two.
   */
  time?: number
  /** Share of the rows that the report is made from, and which no net is trained on, above 0 and below 1. Default 0.2. */
  testFraction?: number
  /** Rows to make the report from, instead of a share of those to learn from. */
  test?: readonly object[] | Source
  /** Decides splits, weights and order. The same seed gives the same model, unless `time` is given. Default 0. */
  seed?: number
  /** How a file is read. */
  read?: ReadOptions
  /** Ends training early: what was trained until then is used. */
  signal?: AbortSignal
  /** Called while nets are trained, some times a second. */
  onProgress?: (progress: SearchProgress) => void
}

/** What {@link trainTable} gives. */
export interface TrainedTable<P extends Prediction = Prediction> {
  model: TableModel<P>
  report: TableModelReport
}

/** Two to learn from, and one to judge by. */
const FEWEST = 3
/** Rows from which on a class for most of them is a mistake. */
const FEW_ROWS = 20
/** Rows from which on one split is enough, and folds below. */
const ONE_SPLIT = 15_000
const FOLDS = 5
/** Share of the rows that nets are judged by where there is one split, and how many at most. */
const JUDGED = 0.15
const MAX_JUDGED = 10_000
/** Seconds that selection and report are left beside what is measured, and the share of the time that they may take. */
const AFTERWARDS = { least: 0.15, share: 0.02, most: 0.4 }
/** Seconds that importance may take where no time was given. */
const FOR_IMPORTANCE = 5

/**
 * Trains a model on a table and says how good it is. What each column is (number, date, category, one to leave out) and whether classes or
 * numbers are predicted is found out from the rows and told in the report. Several nets are trained on parts of the rows, each judged by rows
 * that it did not see, and answer together. Test rows are set aside before anything is learnt, even how columns are scaled.
 *
 * @param rows objects with the columns as properties, whose numbers may be text; or a table in a file: a path, URL, File or bytes of CSV, TSV,
 *   JSON or what else `readTable` of gradus/data takes
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
  try {
    const trained = await train<P>(rows, options)
    const columns = trained.report.columns.map((column) => notesOfLines(column, rows, options.read))
    return { ...trained, report: { ...trained.report, columns: await Promise.all(columns) } }
  } catch (error) {
    const isOfTest = error instanceof Error && error.message.startsWith(OF_TEST)
    throw await ofLines(error, (isOfTest && options.test) || rows, options?.read)
  }
}

/** How errors about the rows to test with begin. */
const OF_TEST = 'trainTable: test: '

async function train<P extends Prediction>(rows: readonly object[] | Source, options: TrainTableOptions): Promise<TrainedTable<P>> {
  const began = performance.now()
  const { time, testFraction = 0.2, test, seed = 0, read, signal, onProgress, ...rest } = checked(options)
  const { table, net } = withoutNet(rest)
  signal?.throwIfAborted()
  const all = await rowsFrom(rows, read)
  const decided = decideTable(all, table)
  const { rows: kept, isClasses } = decided
  if (kept.length < FEWEST)
    throw rangeError(
      `trainTable: ${kept.length === 1 ? 'one row with a target is' : `${kept.length} rows with a target are`} too few: it wants ${FEWEST} at least, and says little of fewer than a hundred`,
    )
  const [train, judged] =
    test === undefined ? setAside(decided, testFraction, seed) : [kept, await testRowsFrom(test, read, options.target)]
  const data = fromTable(train, decided.options)
  if (isClasses && data.classes < 2)
    throw rangeError(`trainTable: column '${options.target}' is '${data.classNames[0]}' in all rows: there is nothing to tell apart`)
  if (isClasses && data.count >= FEW_ROWS && data.classes > data.count / 2)
    throw rangeError(
      `trainTable: column '${options.target}' has ${data.classes} different values in ${data.count} rows, as names have; a class wants rows to learn it from. Which column is to be predicted?`,
    )
  if (!isClasses && data.targets.every((value) => value === data.targets[0]))
    throw rangeError(`trainTable: column '${options.target}' is ${data.targets[0]} in all rows to learn from: there is nothing to learn`)
  const { targets, scale } = scaled(data.targets)
  const spans = spansOf(data.report.columns)
  const features = featuresOf(data)
  const inputs = inputsOf(features, data.inputs)
  const encoder = decided.encoderOf(data)
  const tested = test === undefined ? encoder.dataset(judged) : ofTest(() => encoder.dataset(judged))
  const { classes } = data
  const baseline = baselineOf(data.targets, classes)
  const end = time === undefined ? undefined : began + 1000 * time
  const ofMetrics = time === undefined ? 0 : leastSecondsOfMetrics(tested.targets, baseline, classes)
  // rows that the nets answer after the search, at least: those of the test, and some for the importance of each column
  const rowsAfter = tested.count + (3 + spans.length) * Math.min(MIN_ROWS, tested.count)
  const reserve = (secondsOfRow: number) =>
    Math.min(AFTERWARDS.most * (time ?? 0), AFTERWARDS.least + AFTERWARDS.share * (time ?? 0) + ofMetrics + 1.2 * secondsOfRow * rowsAfter)
  const found = await search(
    { inputs, width: widthOf(features), count: data.count, targets, classes: data.classes, embedded: features.embedded ?? [] },
    foldsOf(targets, data.classes, seed),
    { end, reserve, seed, signal, onProgress, net },
  )
  const errors = isClasses
    ? []
    : quantilesOf(Float64Array.from(found.judged, (row, i) => Math.abs(found.predictions[i] - targets[row]) * scale.deviation))
  const state = {
    format: 'gradus-table-model/1',
    table: encoder.state(),
    features,
    target: options.target,
    task: isClasses ? 'classification' : 'regression',
    scale,
    errors,
  } as const
  const model = new TableModel<P>(found.model, state)

  const answers = model.answersTo(tested.inputs)
  const halfway = end === undefined ? Number.POSITIVE_INFINITY : (performance.now() + end) / 2
  const metrics = measureMetrics(answers, tested.targets, baseline, classes, seed, halfway)
  const lossesOf = (encoded: Float32Array, count: number) => {
    const all = model.answersTo(encoded)
    const targets = tested.targets.subarray(0, count)
    const loss = targets instanceof Int32Array ? logLossOf(targets, classes) : squaredErrorOf(targets)
    const size = count * (classes || 1)
    return Array.from(
      { length: all.length / size },
      (_, i) => loss(all.subarray(i * size, (i + 1) * size)) / (isClasses ? 1 : scale.deviation ** 2),
    )
  }
  const importance = importanceOf(
    tested.inputs,
    data.features,
    spans,
    lossesOf,
    seed,
    end === undefined ? performance.now() + 1000 * FOR_IMPORTANCE : end - 20,
    end !== undefined,
  )
  const best = found.candidates[0]
  const report: TableModelReport = {
    task: state.task,
    target: options.target,
    classNames: [...data.classNames],
    rows: { train: data.count, test: tested.count, dropped: all.length - kept.length },
    columns: decided.reasonsIn(data.report).map((column) => (test === undefined ? column : withUnknown(column, encoder.unknown))),
    metrics,
    calibration:
      tested.targets instanceof Int32Array
        ? calibrationOf(answers, tested.targets, classes)
        : coverageOf(
            Float64Array.from(answers, (value, i) => Math.abs(value - tested.targets[i])),
            (coverage) => model.halfWidth(coverage),
          ),
    importance,
    candidates: found.candidates.map(({ plan, loss }, i) => ({ plan: describePlan(plan), loss, votes: found.votes[i] })),
    nets: { trained: found.nets, used: found.model.members.length },
    curve: best.histories[0],
    seconds: 0,
    seed,
    advice: [],
  }
  if (tested.targets instanceof Int32Array) report.confusion = confusionOf(answers, tested.targets, classes)
  else report.examples = examplesOf(answers, tested.targets)
  report.seconds = (performance.now() - began) / 1000
  report.advice = adviceOn(report, { hasTime: time !== undefined, counts: classCounts(data.targets, classes) })
  return { model, report }
}

const OPTIONS: readonly (keyof TrainTableOptions)[] = [
  ...(['time', 'testFraction', 'test', 'read', 'signal', 'onProgress'] as const),
  ...TABLE_OPTIONS,
  ...NET_SETTINGS,
]

function checked(options: TrainTableOptions): TrainTableOptions {
  if (typeof options?.target !== 'string') throw typeError("trainTable: wants the column to predict, { target: 'species' }")
  checkNames('trainTable', options, OPTIONS)
  const { time, testFraction = 0.2, seed = 0 } = options
  if (time !== undefined && !(time > 0 && Number.isFinite(time)))
    throw rangeError(`trainTable: time wants seconds above 0, got ${String(time)}`)
  checkSplit('trainTable', 'testFraction', testFraction, seed)
  checkNet('trainTable', options)
  return options
}

/** With a note on values that are in rows to test with alone. */
function withUnknown(column: ColumnReport, unknown: TableEncoder['unknown']): ColumnReport {
  const { count, values } = unknown[column.name] ?? { count: 0, values: [] }
  if (count === 0) return column
  const what = `${count} of the rows to test with ${count === 1 ? 'has a value' : 'have values'} that no other row has (${values.slice(0, 3).map(show).join(', ')})`
  return { ...column, notes: [...column.notes, `${what}, which ${count === 1 ? 'counts' : 'count'} as none`] }
}

/** What a net is like apart from what becomes of the table. */
function withoutNet<O extends NetSettings>(options: O): { table: Omit<O, keyof NetSettings>; net: NetSettings } {
  const { hidden, activation, dropout, learningRate, weightDecay, batchSize, epochs, ...table } = options
  const net = { hidden, activation, dropout, learningRate, weightDecay, batchSize, epochs }
  return { table, net: Object.fromEntries(Object.entries(net).filter(([, value]) => value !== undefined)) }
}

/** @throws RangeError for none, or for rows that have no target */
async function testRowsFrom(test: readonly object[] | Source, read: ReadOptions | undefined, target: string): Promise<readonly Row[]> {
  const rows = await rowsFrom(test, read)
  if (rows.length === 0) throw rangeError('trainTable: test: there are no rows')
  if (!rows.some((row) => Object.hasOwn(row, target)))
    throw rangeError(`trainTable: test: there is no column '${target}', which is to be predicted, only ${showNames(Object.keys(rows[0]))}`)
  return rows
}

/** Errors in it say that they are about the rows to test with. */
function ofTest<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof Error) error.message = OF_TEST + error.message.replace(/^dataset: /, '')
    throw error
  }
}

function foldsOf(targets: Int32Array | Float32Array, classes: number, seed: number): Fold[] {
  // numbers of rows as the features of a data set, so that the functions that cut data sets cut them
  const numbers = Float32Array.from(targets, (_, row) => row)
  const shape: [number, number] = [targets.length, 1]
  const data = { inputs: numbers, targets, count: targets.length, features: 1, classes, shape }
  const rowsOf = ({ inputs }: { inputs: Float32Array }) => Int32Array.from(inputs)
  if (data.count >= ONE_SPLIT) {
    const { train, test } = trainTestSplit(data, { testFraction: Math.min(JUDGED, MAX_JUDGED / data.count), seed })
    return [{ train: rowsOf(train), judge: rowsOf(test) }]
  }
  return kFold(data, { folds: Math.min(FOLDS, data.count), seed }).map(({ train, test }) => ({ train: rowsOf(train), judge: rowsOf(test) }))
}

const MAX_EXAMPLES = 400

function examplesOf(answers: Float64Array, targets: Float32Array): { true: number; predicted: number }[] {
  const every = Math.max(1, Math.ceil(targets.length / MAX_EXAMPLES))
  return Array.from({ length: Math.floor(targets.length / every) }, (_, i) => ({ true: targets[i * every], predicted: answers[i * every] }))
}

/** Parts between the quantiles of errors that a model keeps. */
const QUANTILES = 200

/**
 * Quantiles of errors on rows that nets did not see: those of split conformal prediction, with one error more that is as large as the largest
 * (Vovk, Gammerman & Shafer 2005; of folds Barber, Candès, Ramdas & Tibshirani 2021).
 */
function quantilesOf(errors: Float64Array): number[] {
  const sorted = errors.sort()
  const count = sorted.length
  return Array.from(
    { length: QUANTILES + 1 },
    (_, i) => sorted[Math.min(count - 1, Math.max(0, Math.ceil((i / QUANTILES) * (count + 1)) - 1))],
  )
}

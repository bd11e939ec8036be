/**
 * The training of a model of one target: from rows to a model that takes rows, and a report on how good it is.
 *
 * 1. All rows decide the task and the kind of each column (column-plan.ts).
 * 2. Test rows are held out (table-data.ts): nothing below learns from them, not even the scales of columns.
 * 3. The others decide categories, centers and spreads, fills of gaps, quantiles and vectors (features.ts); each row becomes the inputs of a net.
 * 4. A straight line is fitted to them for comparison (straight-line.ts); it is the model if no hidden layer is wanted (find-model.ts).
 * 5. Nets are trained on parts of these rows and evaluated on the rest, and the best form an ensemble (search.ts); for rows in time the latest
 *    decide.
 * 6. Their errors on held-out rows give prediction intervals for numbers (make-model.ts).
 * 7. The test rows measure the model (make-report.ts), and advice follows from the report (advice.ts).
 *
 * A given `time` is divided between the search and the report (time-budget.ts).
 */
import { clock } from '../common/clock.js'
import { rangeError } from '../common/errors.js'
import { pickOptions } from '../common/options.js'
import type { Source, TableEncoder } from '../data/index.js'
import { showInNotebooks } from '../report/notebook.js'
import { baselineOf, classCounts } from './measure/measure.js'
import { makeModel } from './model/make-model.js'
import type { Prediction, TableModel } from './model/model.js'
import type { ProgressWatch } from './progress.js'
import { adviceOn } from './report/advice.js'
import { learningCurveOf } from './report/learning-curve.js'
import { makeReport, withUnknown } from './report/make-report.js'
import type { TableModelReport } from './report/report.js'
import { reportHtml, reportText } from './report/show-report.js'
import { suspectsIn } from './report/suspects.js'
import { spansOf } from './rows/features.js'
import { notesWithLines, textsWithLines } from './rows/given-rows.js'
import { withRowWeights } from './rows/row-weights.js'
import { type SharedCut, yesOf } from './rows/shared-cut.js'
import { tableData } from './rows/table-data.js'
import { findModel, lessonFor } from './search/find-model.js'
import { NET } from './search/nets.js'
import { timeBudget, withTime } from './search/time-budget.js'
import { classTerms } from './target/decision.js'
import type { ReadTrainOptions } from './train-options.js'

/** Share of a given time for nets of intervals. */
const SHARE_OF_INTERVALS = 0.1

/** Result of {@link trainTable}. */
export interface TrainedTable<P extends Prediction = Prediction> {
  model: TableModel<P>
  report: TableModelReport
}

/**
 * @param began start of the work in the time of the clock
 * @param shared what all targets share, if there are several
 */
export async function trainOne<P extends Prediction>(
  rows: readonly object[] | Source,
  options: ReadTrainOptions,
  watch: ProgressWatch,
  began: number,
  shared?: SharedCut,
): Promise<TrainedTable<P>> {
  const { target, time, test, compareWith, seed, read } = options
  const data = await tableData(rows, options, watch, shared)
  const { learnt, tested, encoder, latest, before } = data
  if (compareWith !== undefined) checkSameTable(compareWith, encoder)
  const positive = options.positive ?? (shared && yesOf(learnt.classNames))
  const terms = withRowWeights(classTerms({ ...options, ...(positive !== undefined && { positive }) }, learnt, target), data.weightOf)
  watch.tell({ step: 'inputs of nets' })
  const spans = spansOf(learnt.report.columns)
  const baseline = baselineOf(learnt.targets, learnt.classes)
  shared?.guesses.set(target, baseline)
  const budget = timeBudget(time, began, tested, baseline, spans.length)
  const lesson = await lessonFor(data, terms, options, budget)
  const { found, lineBeside } = await findModel(
    lesson,
    options,
    options.intervals === 'row' ? withTime(budget, SHARE_OF_INTERVALS) : budget,
    watch,
  )

  watch.tell(
    { phase: 'measuring', step: 'how good it is, and what it looks at', nets: found.nets, best: found.candidates[0].loss },
    budget.reserve(found.secondsOfRow),
  )
  const fit =
    options.intervals === 'row'
      ? { end: budget.end, reserve: budget.reserve, seed, signal: options.signal, onProgress: undefined }
      : undefined
  const { model, intervals } = await makeModel<P>(found, target, data, lesson, terms, fit)
  const reasons = await notesWithLines(data.reasons, rows, read, data.taken)
  const report = makeReport({
    ...data,
    ...{ model, found, terms, spans, baseline, budget, seed, distribution: lesson.distribution },
    columns: test === undefined ? reasons : reasons.map((column) => withUnknown(column, encoder.unknown)),
    besides: {
      ...(lineBeside && { line: lineBeside(tested.inputs) }),
      ...(before && { before }),
      ...(compareWith && { other: compareWith.answersTo(tested.inputs) }),
    },
  })
  if (latest !== undefined) report.splitBy = latest
  if (options.groups !== undefined)
    report.groups = {
      column: options.groups,
      train: new Set(data.groupOf).size,
      ...(data.testGroups !== undefined && { test: data.testGroups }),
    }
  if (intervals !== undefined) report.intervals = intervals
  if (data.leaks.length > 0) report.leaks = data.leaks
  if (options.learningCurve) {
    watch.tell({ phase: 'training', step: 'a learning curve' })
    const how = { net: pickOptions(options, NET), seed, signal: options.signal }
    const curve = await learningCurveOf(lesson, terms, { learnt, center: model.center }, how)
    if (curve !== undefined) report.learningCurve = curve
  }
  const suspects = suspectsIn(found, model, learnt, data.numbers)
  if (suspects.length > 0)
    report.suspects = suspects.map((suspect) => ({ ...suspect, row: data.taken.places?.[suspect.row] ?? suspect.row }))
  if (data.taken.of !== undefined) report.sampledFrom = data.taken.of
  report.seconds = (clock.now() - began) / 1000
  const advice = adviceOn(report, { hasTime: time !== undefined, isCut: found.isCut, counts: classCounts(learnt.targets, learnt.classes) })
  report.advice = await textsWithLines(advice, rows, read, data.taken)
  showInNotebooks(report, reportText, reportHtml)
  return { model, report }
}

/** @throws RangeError for a model that was trained on other columns or rows */
function checkSameTable(other: TableModel, encoder: TableEncoder): void {
  if (JSON.stringify(other.saved().table) !== JSON.stringify(encoder.state()))
    throw rangeError(
      'trainTable: compareWith wants a model of the same rows and columns; train it with the same options, but for those of nets',
    )
}

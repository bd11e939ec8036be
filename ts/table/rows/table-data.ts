/** The rows of a table as numbers, for training and test, and what was decided about them. */
import { rangeError, reword } from '../../common/errors.js'
import { pickOptions } from '../../common/options.js'
import { showNames } from '../../common/show.js'
import type { LeftOut, Source, Table, TableEncoder } from '../../data/index.js'
import { leftOutBy, rowsTakenBy } from '../../data/table/encoder.js'
import { COLUMNS } from '../../data/table/options.js'
import type { ProgressWatch } from '../progress.js'
import type { ReadTrainOptions } from '../train-options.js'
import { checkClasses, checkRows, checkTarget } from './check-target.js'
import { ColumnPlan } from './column-plan.js'
import { namingLinesOf, rowsFrom } from './given-rows.js'
import { leaksIn } from './leaks.js'
import { profileOf } from './profile.js'
import { rowWeights, weightyRows } from './row-weights.js'
import type { Taken } from './sample.js'
import { checkGroups, checkLearnt, checkTimes, earliestOf, groupsOf, setAside, timesOf, withoutColumns } from './set-aside.js'
import type { SharedCut } from './shared-cut.js'

/** Result of {@link tableData}. */
export type TableData = Awaited<ReturnType<typeof tableData>>

/** The rows as numbers, for training and test. Rows of a file are not kept: as objects they take many times the memory. */
export async function tableData(rows: readonly object[] | Source, options: ReadTrainOptions, watch: ProgressWatch, shared?: SharedCut) {
  const { aside, isSeries, ...learnt } = await namingLinesOf('trainTable', rows, options.read, (taken) =>
    learnColumns(rows, options, taken, watch, shared),
  )
  const { test, splitBy } = options
  watch.tell({ step: 'test rows as numbers' })
  const { tested, leftOut } =
    test === undefined ? { tested: learnt.encoder.dataset(aside), leftOut: [] } : await testTable(learnt.encoder, test, options)
  return {
    ...learnt,
    tested,
    leftOut: [...learnt.leftOut, ...leftOut],
    testGroups: options.groups === undefined || test !== undefined ? undefined : new Set(groupsOf(aside, options.groups)).size,
    latest: splitBy === undefined ? undefined : earliestOf(aside, splitBy),
    before: isSeries && tested.count === aside.length ? targetsBefore(learnt.learnt, tested) : undefined,
  }
}

/** True for options that are for numbers, of a target whose kind nobody gave. */
function asksForNumbers({ distribution, intervals, columns, target }: ReadTrainOptions): boolean {
  return (distribution !== undefined || intervals === 'row') && !Object.hasOwn(columns ?? {}, target)
}

/** For each test row, the target of the row before it in time; for the first, the target of the latest training row. */
function targetsBefore(learnt: Table, tested: Table): Float64Array {
  return Float64Array.from(tested.targets, (_, row) => (row === 0 ? learnt.targets[learnt.count - 1] : tested.targets[row - 1]))
}

/** Decides the kinds of columns, holds test rows out, and learns the encoding from the others. */
async function learnColumns(
  rows: readonly object[] | Source,
  options: ReadTrainOptions,
  taken: Taken,
  watch: ProgressWatch,
  shared: SharedCut | undefined,
) {
  const { test, testFraction, seed, splitBy, groups, weights } = options
  const all = await rowsFrom(rows, options, taken, watch)
  watch.tell({ phase: 'encoding', step: 'a look at each column', rows: all.length, columns: Object.keys(all[0] ?? {}).length })
  const given = withoutColumns('trainTable', all, pickOptions(options, COLUMNS), { groups, weights })
  let plan = new ColumnPlan(all, given)
  // few counts look like classes
  if (plan.isClasses && plan.areNumbers && asksForNumbers(options))
    plan = new ColumnPlan(all, { ...given, columns: { ...given.columns, [options.target]: 'number' } })
  checkRows(plan.rows, options.target)
  if (splitBy !== undefined) checkTimes('trainTable', all, plan, splitBy)
  if (groups !== undefined) checkGroups('trainTable', all, plan.rows, groups)
  const cut = { fraction: testFraction, seed, splitBy, groups }
  const [others, aside] =
    test !== undefined ? [plan.rows, []] : (shared?.partsOf(plan, all, cut) ?? setAside('trainTable', plan, plan.rows, cut))
  const training = weights === undefined ? others : weightyRows(all, others, weights)
  watch.tell({ step: 'columns as numbers' })
  const { table: learnt, encoder } = plan.fit(training)
  checkTarget(learnt, options.target)
  checkClasses('trainTable', learnt, options.target, aside, all)
  const leaks = leaksIn(learnt)
  if (leaks.length > 0) watch.tell({ leaks })
  const dropped = all.length - plan.rows.length
  const inOrder = splitBy === undefined ? undefined : timesOf(plan, [...training, ...aside], splitBy)
  // rows with gaps may have been left out: the order of the others is known
  const times =
    learnt.count === training.length
      ? inOrder?.subarray(0, learnt.count)
      : inOrder && Float64Array.from({ length: learnt.count }, (_, row) => row)
  const profile = profileOf(encoder.state(), training)
  const taught = rowsTakenBy(encoder.state(), training)
  const groupOf = groups === undefined ? undefined : groupsOf(taught, groups)
  if (groupOf !== undefined) checkLearnt(groups as string, groupOf)
  const weightOf = weights === undefined ? undefined : rowWeights(all, taught, weights)
  const numberOf = new Map(all.map((row, number) => [row, number]))
  const numbers = Int32Array.from(taught, (row) => numberOf.get(row) ?? -1)
  // one row at a time: the row before is known
  const isSeries = !plan.isClasses && inOrder !== undefined && areAscending(inOrder)
  // the plan is not returned, because it holds all rows
  return {
    taken,
    reasons: plan.describe(learnt.report),
    leftOut: plan.leftOut,
    dropped,
    aside,
    isSeries,
    learnt,
    times,
    groupOf,
    weightOf,
    encoder,
    profile,
    leaks,
    numbers,
  }
}

function areAscending(times: Float64Array): boolean {
  return times.every((time, i) => i === 0 || time > times[i - 1])
}

/** Beginning of errors about the rows of `test`. */
export const OF_TEST = 'trainTable: test: '

/** Rows for testing alone, which are not trained on. @throws RangeError that names `test` and the lines of its file */
function testTable(
  encoder: TableEncoder,
  test: readonly object[] | Source,
  { read, target, sample, seed }: ReadTrainOptions,
): Promise<{ tested: Table; leftOut: readonly LeftOut[] }> {
  return namingLinesOf('trainTable: test', test, read, async (taken) => {
    const rows = await rowsFrom(test, { read, sample, seed }, taken)
    if (rows.length === 0) throw rangeError(`${OF_TEST}there are no rows`)
    if (!rows.some((row) => Object.hasOwn(row, target)))
      throw rangeError(`${OF_TEST}there is no column '${target}', which is to be predicted, only ${showNames(Object.keys(rows[0]))}`)
    try {
      return { tested: encoder.dataset(rows), leftOut: leftOutBy(encoder.state(), rows) }
    } catch (error) {
      reword(error, (message) => `${OF_TEST}${message.replace(/^dataset: /, '')}`)
      throw error
    }
  })
}

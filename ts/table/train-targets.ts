/**
 * The training of a model of several targets: nets for each, one target after the other, on the same training and test rows.
 *
 * Nets that share their hidden layers between targets are not better: on ten targets of four tables (meats, CASchools, storms, ais; six splits) their
 * squared error was 1.004 times that of nets for each (geometric mean; 0.89 to 1.22), and held-out rows of training chose them for one target of ten.
 * They took 0.31 to 0.53 of the time. Nets for each also have inputs, distributions, intervals and rows with gaps of their own.
 */
import { clock } from '../common/clock.js'
import type { Source } from '../data/index.js'
import { showInNotebooks } from '../report/notebook.js'
import type { Prediction } from './model/model.js'
import { TargetsModel } from './model/targets-model.js'
import { ProgressWatch, type TableProgress } from './progress.js'
import { jointMetrics } from './report/joint.js'
import type { TargetsReport } from './report/report.js'
import { reportHtml, reportText } from './report/show-report.js'
import { namingLinesOf, notesWithLines, rowsFrom, textsWithLines } from './rows/given-rows.js'
import type { Taken } from './rows/sample.js'
import { SharedCut } from './rows/shared-cut.js'
import { OF_TEST } from './rows/table-data.js'
import { type TrainedTable, trainOne } from './train-one.js'
import type { ReadTrainOptions } from './train-options.js'

/** Result of {@link trainTable} for several targets. */
export interface TrainedTargets<P extends Prediction = Prediction> {
  model: TargetsModel<P>
  report: TargetsReport
}

/** @param each the options of each target. @param began start of the work in the time of the clock */
export function trainTargets<P extends Prediction>(
  rows: readonly object[] | Source,
  each: readonly ReadTrainOptions[],
  began: number,
): Promise<TrainedTargets<P>> {
  const [{ test: testRows, read, sample, seed, time, onProgress, signal }] = each
  const targets = each.map(({ target }) => target)
  const tellOf = (target: string) => onProgress && ((progress: TableProgress) => onProgress({ ...progress, target }))
  return namingLinesOf('trainTable', rows, read, async (taken) => {
    const all = await rowsFrom(rows, { read, sample, seed }, taken, new ProgressWatch(tellOf(targets[0]), began, time))
    const shared = new SharedCut(targets)
    const ofTest = <T>(work: (taken: Taken) => Promise<T>) => namingLinesOf('trainTable: test', testRows ?? [], read, work)
    const given = testRows === undefined ? undefined : await ofTest((own) => rowsFrom(testRows, { read, sample, seed }, own))
    const trained: TrainedTable<P>[] = []
    for (const [i, own] of each.entries()) {
      signal?.throwIfAborted()
      const start = clock.now()
      const limit = time === undefined ? {} : { time: Math.max(0.01, (time - (start - began) / 1000) / (each.length - i)) }
      const onProgress = tellOf(own.target)
      const options = { ...own, ...limit, ...(given && { test: given }), ...(onProgress && { onProgress }) }
      const work = trainOne<P>(all, options, new ProgressWatch(onProgress, start, limit.time), start, shared)
      trained.push(
        await work.catch((error) => {
          // such an error names the lines of the file of test rows
          if (String(error?.message).startsWith(OF_TEST)) return ofTest(() => Promise.reject(error))
          throw error
        }),
      )
    }
    const model = new TargetsModel<P>(trained.map(({ model }) => model))
    const { rows: test, metrics } = jointMetrics(Object.values(model.models), given ?? shared.parts?.[1] ?? [], seed, shared.guesses)
    for (const { report } of trained) {
      if (taken.of !== undefined) report.sampledFrom = taken.of
      if (report.suspects) report.suspects = report.suspects.map((one) => ({ ...one, row: taken.places?.[one.row] ?? one.row }))
      report.columns = await notesWithLines(report.columns, rows, read, taken)
      report.advice = await textsWithLines(report.advice, rows, read, taken)
    }
    const reports = Object.fromEntries(trained.map(({ report }) => [report.target, report]))
    const sum = (of: 'trained' | 'used') => trained.reduce((sum, { report }) => sum + report.nets[of], 0)
    const report: TargetsReport = {
      ...{ targets, rows: { test }, metrics, reports },
      ...{ nets: { trained: sum('trained'), used: sum('used') }, seconds: (clock.now() - began) / 1000, seed },
    }
    showInNotebooks(report, reportText, reportHtml)
    return { model, report }
  })
}

/** trainTable: a model of one target (train-one.ts), or of several (train-targets.ts), with progress in a line of the terminal. */
import { clock } from '../common/clock.js'
import { terminalLine } from '../common/terminal-line.js'
import type { Source } from '../data/index.js'
import type { ClassPrediction, NumberPrediction, Prediction } from './model/model.js'
import { doneText, ProgressWatch, progressText, type TableProgress } from './progress.js'
import { type TrainedTable, trainOne } from './train-one.js'
import { readTargetsOptions, readTrainOptions, type TrainTableOptions, type TrainTargetsOptions } from './train-options.js'
import { type TrainedTargets, trainTargets } from './train-targets.js'

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
 * @throws RangeError, TypeError naming row and column of a value that does not fit
 */
export function trainTable<P extends Prediction = ClassPrediction & NumberPrediction>(
  rows: readonly object[] | Source,
  options: TrainTableOptions,
): Promise<TrainedTable<P>>
/**
 * Trains a model of several columns: nets for each, on the same rows, of the columns that are no targets. Targets may be numbers and classes. Columns of
 * yes and no (1 and 0, true and false) are labels, of which a row may have several.
 *
 * @example
 * const rows = Array.from({ length: 100 }, (_, i) => ({ x: i % 10, a: (i % 10) ** 2, b: i % 10 > 4 ? 'yes' : 'no' }))
 * const { model, report } = await trainTable(rows, { target: ['a', 'b'] })
 * model.predict({ x: 9 }).b.class // 'yes'
 * report.reports.a.metrics[0].name // 'R²'
 * @throws RangeError, TypeError as for one target
 */
export function trainTable<P extends Prediction = ClassPrediction & NumberPrediction>(
  rows: readonly object[] | Source,
  options: TrainTargetsOptions,
): Promise<TrainedTargets<P>>
export async function trainTable(
  rows: readonly object[] | Source,
  given: TrainTableOptions | TrainTargetsOptions,
): Promise<TrainedTable | TrainedTargets> {
  const began = clock.now()
  const each = Array.isArray(Object(given).target) ? readTargetsOptions(given as TrainTargetsOptions) : undefined
  const options = each?.[0] ?? readTrainOptions(given as TrainTableOptions)
  const { signal, verbose, onProgress, time } = options
  signal?.throwIfAborted()
  const line = terminalLine(verbose ?? (onProgress ? false : undefined))
  try {
    const showAndCall = (progress: TableProgress) => {
      line?.show(() => progressText(progress))
      onProgress?.(progress)
    }
    const listener = line ? showAndCall : onProgress
    const listens = listener && { onProgress: listener }
    const trained = each
      ? await trainTargets(
          rows,
          each.map((own) => ({ ...own, ...listens })),
          began,
        )
      : await trainOne(rows, { ...options, ...listens }, new ProgressWatch(listener, began, time), began)
    line?.end(doneText(trained.report))
    return trained
  } catch (error) {
    line?.end()
    throw error
  }
}

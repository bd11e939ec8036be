/** Metrics over several targets together. Each is scikit-learn's of the same name. */
import { rowsTakenBy } from '../../data/table/encoder.js'
import { tensor } from '../../index.js'
import { f1Score, r2Score } from '../../metrics/index.js'
import { baselineOf, bootstrap, type MeasuredMetric } from '../measure/measure.js'
import { namedClass } from '../measure/metrics.js'
import { isUnknown, type TableModel } from '../model/model.js'
import { yesOf } from '../rows/shared-cut.js'

/** The true classes or numbers of a target, and the model's. */
export interface Answered {
  truth: Int32Array | Float32Array
  said: Int32Array | Float32Array
  /** The guess that looks at no column. */
  guess: Int32Array | Float32Array
  /** The class that says yes. */
  yes: number | undefined
}

/** A metric of rows, by their numbers, of some of the targets; `said` or `guess` is measured. */
interface Joint {
  name: string
  of: (rows: Int32Array, by: 'said' | 'guess') => number
}

/**
 * @param rows those without a value in one of the targets are left out
 * @param guesses by target, each from the rows that its model learned from. Default: from these rows
 * @returns the number of the others, and metrics of them
 */
export function jointMetrics(
  models: readonly TableModel[],
  rows: readonly object[],
  seed: number,
  guesses?: ReadonlyMap<string, readonly number[]>,
): { rows: number; metrics: MeasuredMetric[] } {
  const known = rows.filter((row) => models.every(({ target }) => !isUnknown(row, target)))
  const taken = models.reduce((left, model) => rowsTakenBy(model.saved().table, left), known)
  const count = taken.length
  if (count === 0) return { rows: 0, metrics: [] }
  const found = jointOf(models.map((model) => answered(model, taken, guesses?.get(model.target))))
  const all = Int32Array.from({ length: count }, (_, row) => row)
  const intervalOf = bootstrap(count, seed, Number.POSITIVE_INFINITY, (some) => found.map(({ of }) => of(some, 'said')))
  const metrics = found.map(({ name, of }, i): MeasuredMetric => {
    const value = of(all, 'said')
    const [low, high] = intervalOf(i, value)
    return { name, value, low, high, baseline: of(all, 'guess'), better: 'more' }
  })
  return { rows: count, metrics }
}

function answered(model: TableModel, rows: readonly object[], guess: readonly number[] | undefined): Answered {
  const { inputs, targets, classes } = model.encoder.dataset(rows)
  const answers = model.answersTo(inputs)
  const usual = guess ?? baselineOf(targets, classes)
  const { decision, classNames } = model
  if (classes === 0)
    return { truth: targets, said: Float32Array.from(answers), guess: new Float32Array(rows.length).fill(usual[0]), yes: undefined }
  const yes = yesOf(classNames)
  return {
    truth: targets,
    said: Int32Array.from(rows, (_, row) => namedClass(answers, row * classes, classes, decision)),
    guess: new Int32Array(rows.length).fill(namedClass(usual, 0, classes, undefined)),
    yes: yes === undefined ? undefined : classNames.indexOf(yes),
  }
}

/** @internal the metrics that there are enough targets for */
export function jointOf(all: readonly Answered[]): Joint[] {
  const numbers = all.filter(({ truth }) => truth instanceof Float32Array)
  const classes = all.filter(({ truth }) => truth instanceof Int32Array)
  const labels = classes.filter(({ yes }) => yes !== undefined)
  const columns = (rows: Int32Array, by: keyof Answered) =>
    tensor(
      Float32Array.from({ length: rows.length * numbers.length }, (_, i) => {
        const values = numbers[i % numbers.length][by] as Float32Array
        return values[rows[Math.floor(i / numbers.length)]]
      }),
      [rows.length, numbers.length],
    )
  const yesIn = (some: readonly Answered[], rows: Int32Array, by: 'truth' | 'said' | 'guess') =>
    Int32Array.from(some.flatMap((one) => Array.from(rows, (row) => Number(one[by][row] === one.yes))))
  const f1 = (some: readonly Answered[], rows: Int32Array, by: 'said' | 'guess') =>
    f1Score(yesIn(some, rows, by), yesIn(some, rows, 'truth'))
  const isRight = (row: number, by: 'said' | 'guess') => Number(classes.every((one) => one[by][row] === one.truth[row]))
  const ofNumbers: Joint[] = [{ name: 'mean R²', of: (rows, by) => r2Score(columns(rows, by), columns(rows, 'truth')) }]
  const ofClasses: Joint[] = [
    { name: 'subset accuracy', of: (rows, by) => rows.reduce((sum, row) => sum + isRight(row, by), 0) / rows.length },
  ]
  const ofLabels: Joint[] = [
    { name: 'F1 micro', of: (rows, by) => f1(labels, rows, by) },
    { name: 'F1 macro', of: (rows, by) => labels.reduce((sum, label) => sum + f1([label], rows, by), 0) / labels.length },
  ]
  return [...(numbers.length > 1 ? ofNumbers : []), ...(classes.length > 1 ? ofClasses : []), ...(labels.length > 1 ? ofLabels : [])]
}

/** Nets for a table in a file, as an objective: what `gradus tune table.csv` tunes. */
import { rangeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show, showNames } from '../common/show.js'
import { type Dataset, fromTable, readTable, standardize, type Targets, trainTestSplit } from '../data/index.js'
import { AdamW, crossEntropy, Dense, Dropout, evaluateModel, fit, mse, type Progress, Sequential, schedules } from '../index.js'
import { categorical, float, int, type Space } from './space.js'
import type { Objective } from './trial.js'

/** Options of {@link tableObjective}. */
export interface TableObjectiveOptions {
  /** A CSV file with names in its first line. */
  file: string
  /** The column to predict. */
  target: string
  /** Passes over the rows. Default 40. */
  epochs?: number
  /** Decides which rows judge, and the first weights. Default 0. */
  seed?: number
}

/** What {@link tableObjective} understands, each with the range that it usually has. */
export const TABLE_SPACE = {
  learningRate: float(1e-4, 0.3, { log: true }),
  width: int(8, 128, { log: true }),
  batchSize: categorical([16, 32, 64, 128]),
  activation: categorical(['relu', 'tanh']),
  layers: int(1, 3),
  weightDecay: float(1e-6, 0.1, { log: true }),
  dropout: float(0, 0.5),
} satisfies Space

/** Of a parameter that is not tuned. */
const FIXED = { learningRate: 0.003, width: 32, batchSize: 32, activation: 'relu', layers: 1, weightDecay: 1e-4, dropout: 0 }

/** A numeric target with so few whole values is one of classes. */
const MAX_CLASSES = 10
/** What stands for a value that is not there. */
const GAPS = ['NA', 'NaN', 'nan', 'null', '?']
/** Epochs between reports. */
const REPORT_EVERY = 2

type Values = Partial<Record<keyof typeof FIXED, unknown>>

/**
 * An objective for a table: trains a net of dense layers by AdamW on four fifths of the rows, and returns its loss on the others: the
 * cross-entropy where the target is a class, else the root mean squared error in the units of the target. Numbers are standardized, texts
 * one-hot, gaps filled in. It understands the parameters of `TABLE_SPACE`; those that a space leaves out are as usual.
 * @example
 * // const objective = await tableObjective({ file: 'penguins.csv', target: 'species' })
 * // await study.optimize(objective, { trials: 20 })
 * @throws Error, RangeError where the file cannot be read, or has no such column
 */
export async function tableObjective(options: TableObjectiveOptions): Promise<Objective> {
  checkNames('tableObjective', options, ['file', 'target', 'epochs', 'seed'])
  const { epochs = 40, seed = 0 } = options
  const { train, test, classes, scale } = await tableOf(options)
  return async (params, trial) => {
    const values: Values = params
    for (const name of Object.keys(values))
      if (!(name in FIXED))
        throw rangeError(`tableObjective: there is no parameter '${name}' of a table; it has ${showNames(Object.keys(FIXED))}`)
    const { learningRate, width, batchSize, activation, layers, weightDecay, dropout } = { ...FIXED, ...values } as typeof FIXED
    const hidden = Array.from({ length: layers }, (_, i) => [
      new Dense(i === 0 ? train.features : width, width, { activation: activation as 'relu' }),
      ...(dropout > 0 ? [new Dropout(dropout)] : []),
    ])
    const model = new Sequential([...hidden.flat(), new Dense(width, Math.max(1, classes))], { seed })
    const optimizer = new AdamW(model.parameters(), { learningRate, weightDecay })
    const loss = classes > 0 ? crossEntropy : mse
    const judge = () => {
      const scores = evaluateModel(model, { ...test, loss, ...(classes > 0 && { metrics: ['accuracy'] as const }) })
      return { value: classes > 0 ? scores.loss : scale * Math.sqrt(scores.loss), accuracy: (scores as { accuracy?: number }).accuracy }
    }
    const steps = epochs * Math.ceil(train.count / batchSize)
    const onEpochEnd = async ({ epoch }: Progress) => {
      if (epoch % REPORT_EVERY !== 0) return
      await trial.report(judge().value, epoch)
      if (trial.shouldPrune()) trial.prune()
    }
    const { signal } = trial
    await fit(model, {
      ...train,
      loss,
      optimizer,
      epochs,
      batchSize,
      seed,
      signal,
      schedule: schedules.cosine(learningRate, { steps }),
      callbacks: [{ onEpochEnd }],
    })
    const { value, accuracy } = judge()
    if (accuracy !== undefined) trial.setAttribute('accuracy', accuracy)
    return value
  }
}

interface TableData {
  train: Dataset<Targets>
  test: Dataset<Targets>
  /** 0 where the target is a number. */
  classes: number
  /** Of standardized targets: their standard deviation. */
  scale: number
}

async function tableOf({ file, target, seed = 0 }: TableObjectiveOptions): Promise<TableData> {
  const all = await rowsOf(file)
  if (all.length === 0) throw rangeError(`${file}: wants names in the first line and rows below, got an empty file`)
  const names = Object.keys(all[0])
  if (!names.includes(target)) throw rangeError(`${file}: there is no column ${show(target)}; it has ${showNames(names)}`)
  const isGap = (value: string) => value === '' || GAPS.includes(value)
  const rows = all.filter((row) => !isGap(row[target]))
  if (rows.length < 20) throw rangeError(`${file}: wants at least 20 rows with a ${target}, got ${rows.length}`)
  const distinct = new Set(rows.map((row) => row[target]))
  const isClass = distinct.size <= MAX_CLASSES && [...distinct].every((value) => Number.isInteger(Number(value)))
  // a column without a value, or with a text of its own in every row, says nothing
  const inputs = names.filter((name) => {
    if (name === target) return false
    const values = rows.map((row) => row[name]).filter((value) => !isGap(value))
    const isNumeric = values.every((value) => Number.isFinite(Number(value)))
    return values.length > 0 && (isNumeric || new Set(values).size <= Math.min(50, rows.length / 2))
  })
  const table = fromTable(rows, {
    target,
    inputs,
    missing: 'median',
    missingValues: GAPS,
    ...(isClass && { categories: [target] }),
  })
  const split = standardize(trainTestSplit(table as Dataset<Targets>, { seed }))
  const { train, test } = split
  if (table.classes > 0) return { train, test, classes: table.classes, scale: 1 }
  const targets = Float64Array.from(train.targets)
  const mean = targets.reduce((sum, y) => sum + y, 0) / targets.length
  const scale = Math.sqrt(targets.reduce((sum, y) => sum + (y - mean) ** 2, 0) / targets.length) || 1
  const scaled = <D extends Dataset<Targets>>(data: D): D => ({
    ...data,
    targets: Float32Array.from(data.targets, (y) => (y - mean) / scale),
  })
  return { train: scaled(train), test: scaled(test), classes: 0, scale }
}

/** The rows of a CSV file, values as texts. */
async function rowsOf(file: string): Promise<Record<string, string>[]> {
  try {
    return (await readTable(file, { format: 'csv' })) as Record<string, string>[]
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
    if (cause?.code === undefined) throw error
    throw rangeError(`cannot read ${file}: ${cause.code === 'ENOENT' ? 'there is no such file' : cause.message}`, { cause })
  }
}

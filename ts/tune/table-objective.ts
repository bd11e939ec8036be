/** An objective that trains nets for a table in a file: `gradus tune table.csv` uses it. */
import { rangeError, reword } from '../common/errors.js'
import { count, readOptions, type Schema, text } from '../common/options.js'
import { showNames } from '../common/show.js'
import { readTable } from '../data/index.js'
import { crossEntropy, evaluateModel, fit, mse, type Progress, tensor } from '../index.js'
import {
  type NetSettings,
  type PreparedRows,
  type PreparedTable,
  type PrepareTableOptions,
  prepareTable,
  tableNet,
} from '../table/index.js'
import { PREPARE_TABLE } from '../table/prepare-table.js'
import { categorical, float, int, type Space } from './space.js'
import type { Objective } from './trial.js'

/** Options of {@link tableObjective}: the options of `prepareTable` for the encoding of columns and the held-out rows. */
export interface TableObjectiveOptions extends PrepareTableOptions {
  /** A table that `readTable` takes. */
  file: string
  /** Passes over the rows. Default 40. */
  epochs?: number
}

export const TABLE_OBJECTIVE = {
  ...PREPARE_TABLE,
  file: { is: text, required: true },
  epochs: { is: count, default: 40 },
} satisfies Schema<TableObjectiveOptions>

/** Parameters that {@link tableObjective} understands, each with its usual range. */
export const TABLE_SPACE = {
  learningRate: float(1e-4, 0.3, { log: true }),
  width: int(8, 128, { log: true }),
  batchSize: categorical([16, 32, 64, 128]),
  activation: categorical(['relu', 'tanh']),
  layers: int(1, 3),
  weightDecay: float(1e-6, 0.1, { log: true }),
  dropout: float(0, 0.5),
} satisfies Space

/** Values of {@link TABLE_SPACE} for parameters that are not tuned. */
const FIXED = { learningRate: 0.003, width: 32, batchSize: 32, activation: 'relu', layers: 1, weightDecay: 1e-4, dropout: 0 }

/** Least number of rows. */
const FEWEST = 20
/** Epochs between reports. */
const REPORT_EVERY = 2

type Values = Partial<Record<keyof typeof FIXED, unknown>>

/**
 * The options of `trainTable` and `gradus train` for the parameters of a trial, including untuned ones: with them they train the same net as the
 * trial.
 *
 * @param epochs of the trial
 * @example netSettings({ layers: 2, width: 16, learningRate: 0.01 }).hidden // [16, 16]
 * @throws RangeError for a parameter that nets for tables do not have
 */
export function netSettings(params: Readonly<Record<string, unknown>>, epochs = 40): Required<NetSettings> {
  for (const name of Object.keys(params))
    if (!(name in FIXED))
      throw rangeError(`tableObjective: there is no parameter '${name}' of a table; it has ${showNames(Object.keys(FIXED))}`)
  const { width, layers, ...net } = { ...FIXED, ...(params as Values) } as typeof FIXED
  return {
    hidden: new Array<number>(layers).fill(width),
    ...net,
    activation: net.activation as Required<NetSettings>['activation'],
    epochs,
  }
}

/**
 * An objective for a table: trains a net as `trainTable` does (the same columns, inputs, optimizer and schedule) on some of the rows, and returns its
 * loss on others: the cross-entropy if the target is a class, else the root mean squared error in the units of the target. The rows for the report of
 * `trainTable` are in neither part. It understands the parameters of `TABLE_SPACE`; missing ones have their usual values. Its `leftOut` lists the
 * rows that are left out because of a gap, and `notes` is about the target.
 * @example
 * // const objective = await tableObjective({ file: 'penguins.csv', target: 'species' })
 * // await study.optimize(objective, { trials: 20 })
 * @throws Error, RangeError if the file cannot be read, or has no such column
 */
export async function tableObjective(options: TableObjectiveOptions): Promise<Objective & Pick<PreparedTable, 'leftOut' | 'notes'>> {
  const { file, epochs, read, ...table } = readOptions('tableObjective', options, TABLE_OBJECTIVE)
  const { seed } = table
  const rows = await readTable(file, read)
  if (rows.length === 0) throw rangeError(`${file}: there are no rows`)
  const prepared = await ofFile(file, () => prepareTable(rows, table))
  const { train, held, width, classes, scale } = prepared
  const count = train.count + held.count
  if (count < FEWEST)
    throw rangeError(`${file}: wants at least ${FEWEST} rows with a ${table.target}, besides those that are set aside, got ${count}`)
  const loss = classes > 0 ? crossEntropy : mse
  const asTensors = ({ inputs, targets, count }: PreparedRows) => ({
    inputs: tensor(inputs, [count, width]),
    targets: targets instanceof Int32Array ? targets : tensor(targets, [count, 1]),
  })
  const [training, judging] = [asTensors(train), asTensors(held)]
  const objective: Objective = async (params, trial) => {
    const { model, ...how } = tableNet(prepared, { ...netSettings(params, epochs), seed })
    const judge = () => {
      const scores = evaluateModel(model, { ...judging, loss, ...(classes > 0 && { metrics: ['accuracy'] as const }) })
      return {
        value: classes > 0 ? scores.loss : scale.deviation * Math.sqrt(scores.loss),
        accuracy: (scores as { accuracy?: number }).accuracy,
      }
    }
    const onEpochEnd = async ({ epoch }: Progress) => {
      if (epoch % REPORT_EVERY !== 0) return
      await trial.report(judge().value, epoch)
      if (trial.shouldPrune()) trial.prune()
    }
    await fit(model, {
      ...training,
      loss,
      ...how,
      seed,
      signal: trial.signal,
      callbacks: [{ onEpochEnd }],
    })
    const { value, accuracy } = judge()
    if (accuracy !== undefined) trial.setAttribute('accuracy', accuracy)
    return value
  }
  return Object.assign(objective, { leftOut: prepared.leftOut, notes: prepared.notes })
}

/** Does work; the file's name is put in front of the messages of its errors. */
async function ofFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    reword(error, (message) => `${file}: ${message.replace(/^(fromTable|encode|dataset|prepareTable): /, '')}`)
    throw error
  }
}

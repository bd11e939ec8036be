/** A table as nets take it, cut into rows to train on and rows to judge by: for one's own nets and experiments. */
import { rangeError } from '../common/errors.js'
import { fromTable, type ReadOptions, type Source, type TableOptions, trainTestSplit } from '../data/index.js'
import { fitFeatures, inputsOf, widthOf } from './features.js'
import { binsFor, numbersOf, rowsFrom, scaled } from './train-table.js'

/** Options of {@link prepareTable}. */
export interface PrepareTableOptions extends Omit<TableOptions, 'target' | 'scale'> {
  target: string
  /** Share of the rows to judge by. Default 0.2. */
  heldFraction?: number
  seed?: number
  read?: ReadOptions
}

/** Rows as numbers. */
export interface PreparedRows {
  /** Row-major [count, width]. */
  inputs: Float32Array
  /** Classes, or numbers with mean 0 and deviation 1 among the rows to train on. */
  targets: Int32Array | Float32Array
  count: number
}

/** What {@link prepareTable} gives. */
export interface PreparedTable {
  train: PreparedRows
  held: PreparedRows
  /** Inputs of a row. */
  width: number
  /** 0 where targets are numbers. */
  classes: number
}

/**
 * A table with the inputs that {@link trainTable} gives its nets.
 *
 * @example
 * const { train, width, classes } = await prepareTable('docs/guide/penguins.csv', { target: 'species' })
 * classes // 3
 * @throws as trainTable does
 */
export async function prepareTable(rows: readonly object[] | Source, options: PrepareTableOptions): Promise<PreparedTable> {
  const { heldFraction = 0.2, seed = 0, read, ...table } = options
  const all = await rowsFrom(rows, read)
  const data = fromTable(all, { missing: 'auto', scale: 'robust', ...table } as TableOptions)
  const [embedded] = data.embeddings
  if (embedded !== undefined)
    throw rangeError(
      `prepareTable: column '${embedded.name}' as 'embedding' is for trainTable, and for nets with EmbedColumns; here 'hash' takes any number of categories`,
    )
  const { train, test } = trainTestSplit(data, { testFraction: heldFraction, seed })
  const features = fitFeatures(train.inputs, data.features, numbersOf(data.report.columns), binsFor(train.count))
  const { targets, scale } = scaled(train.targets)
  const others = test.targets instanceof Int32Array ? test.targets : test.targets.map((y) => (y - scale.mean) / scale.deviation)
  return {
    train: { inputs: inputsOf(features, train.inputs), targets, count: train.count },
    held: { inputs: inputsOf(features, test.inputs), targets: others, count: test.count },
    width: widthOf(features),
    classes: data.classes,
  }
}

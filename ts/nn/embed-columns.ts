/** Columns of categories among columns of numbers: each category becomes a vector. */

import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { checkOptions } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { indicesIn, rowsAt } from '../ops/gather.js'
import { concat, slice } from '../ops/shape.js'
import { asFloats, type Tensor, type TensorLike } from '../tensor.js'
import { EMBEDDING, Embedding } from './embedding.js'
import { type Initializer, type InitializerName, normal } from './initializer.js'
import { Layer } from './layer.js'
import type { ModuleOptions } from './module.js'
import { columnsOf, otherColumns, type Runs } from './number-columns.js'

/** A column that {@link EmbedColumns} looks up. `table.embeddings` of fromTable is a list of them. */
export interface ColumnToEmbed {
  /** Index of the column in the input, from 0. */
  readonly feature: number
  /** Number of rows of the column's table: the column has whole numbers from 0 to count − 1. */
  readonly count: number
  /** Length of the vectors of the column. */
  readonly size: number
}

/** Options of {@link EmbedColumns}. */
export interface EmbedColumnsOptions extends ModuleOptions {
  /** Default: normal with mean 0 and standard deviation 0.05, so that a category has little effect before anything was learned about it. */
  weightInitializer?: InitializerName | Initializer
}

/**
 * The first layer of a net for tables in which some columns are indices of categories: turns rows [n, features] into rows [n, width]. The other
 * columns come first, unchanged. Then, for each of these columns, the learned vector of its category follows (entity embeddings: Guo & Berkhahn
 * 2016).
 *
 * @example
 * const rows = [{ age: 31, city: 'Rome', y: 1 }, { age: 47, city: 'Oslo', y: 2 }]
 * const table = fromTable(rows, { target: 'y', columns: { y: 'number', city: 'embedding' } })
 * const embed = new EmbedColumns(table.features, table.embeddings)
 * embed.width // 4: the age, and a vector of 3 numbers for the city
 * const model = new Sequential([embed, new Dense(embed.width, 8, { activation: 'relu' }), new Dense(8, 1)], { seed: 1 })
 * await fit(model, { ...table, loss: mse, optimizer: new Adam(model.parameters()) })
 * @throws RangeError for a column that does not exist or is listed twice; forward() throws it for a number that is not a row of the table
 */
export class EmbedColumns extends Layer {
  static override get name() {
    return 'EmbedColumns'
  }

  /** Columns of the output. */
  readonly width: number
  readonly columns: readonly ColumnToEmbed[]
  /** The table of each column. */
  readonly tables: readonly Embedding[]
  /** Columns that stay as they are, as runs of consecutive columns. */
  readonly #others: Runs

  constructor(
    readonly features: number,
    columns: readonly ColumnToEmbed[],
    options: EmbedColumnsOptions = {},
  ) {
    super(options)
    checkOptions('EmbedColumns', options, EMBEDDING)
    if (!Array.isArray(columns) || columns.length === 0)
      throw typeError(`EmbedColumns: columns wants [{ feature, count, size }, …], as embeddings of fromTable are, got ${show(columns)}`)
    const { weightInitializer = normal(0, 0.05) } = options
    this.columns = columns.map(({ feature, count, size }) => ({ feature, count, size }))
    const taken = this.columns.map(({ feature }) => feature)
    this.#others = otherColumns('EmbedColumns', features, taken)
    this.tables = this.columns.map(({ count, size }) => new Embedding(count, size, { weightInitializer }))
    this.width = features - columns.length + this.columns.reduce((sum, { size }) => sum + size, 0)
  }

  /** Columns that stay as they are, in their order. */
  get others(): number[] {
    return columnsOf(this.#others)
  }

  override describe(): string {
    return `EmbedColumns(${this.features} → ${this.width})`
  }

  forward(input: TensorLike): Tensor {
    const { features, columns, tables } = this
    this.build()
    const x = asFloats(input, this.backend, 'EmbedColumns')
    if (x.rank !== 2 || x.shape[1] !== features)
      throw new ShapeError(`EmbedColumns: wants rows of ${features} columns (shape [n, ${features}]), got shape ${formatShape(x.shape)}`)
    x.check((values) => checkColumns(values, features, columns))
    const others = this.#others.map(([from, to]) => slice(x, from, to, 1))
    const vectors = columns.map(({ feature }, i) => rowsAt(tables[i].weight, indicesIn(x, feature), 'EmbedColumns'))
    return concat([...others, ...vectors], 1) as Tensor
  }
}

/** @throws RangeError naming row and column of an index that its table does not have */
function checkColumns(values: ArrayLike<number>, features: number, columns: readonly ColumnToEmbed[]): void {
  for (const { feature, count } of columns)
    for (let i = feature; i < values.length; i += features)
      if (!(Number.isInteger(values[i]) && values[i] >= 0 && values[i] < count))
        throw rangeError(
          `EmbedColumns: column ${feature} of row ${(i - feature) / features} wants a whole number from 0 to ${count - 1}, got ${values[i]}`,
        )
}

/** Columns of numbers as vectors that are sums of waves of the number. */

import { count, positive, type Read, readOptions, type Schema } from '../common/options.js'
import { relu } from '../ops/activation.js'
import { add, cos, mul, sin } from '../ops/elementwise.js'
import { concat } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import type { Tensor } from '../tensor.js'
import { type Initializer, initializer, normal, uniform } from './initializer.js'
import { Layer } from './layer.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'
import { checkRows, columnList, columnsOf, embedColumns, otherColumns, type Runs, turnedProduct } from './number-columns.js'

/** Options of {@link PeriodicEmbedding}. */
export interface PeriodicEmbeddingOptions extends ModuleOptions {
  /** Indices of the columns that become vectors. Default: all. */
  columns?: readonly number[]
  /**
   * `plr`: relu(W·[cos 2πfx; sin 2πfx] + b) takes the place of x (Gorishniy, Rubachev & Babenko 2022). `pbld`: W·cos(2πfx + φ) + b with learned
   * phases φ, and x stays among the other columns (RealMLP: Holzmüller, Grinsztajn & Steinwart 2024). Default `plr`.
   */
  form?: 'plr' | 'pbld'
  /** Length of each vector. Default 24 for `plr`, 3 for `pbld`. */
  size?: number
  /** Number of frequencies f of each column. Default 48 for `plr`, 16 for `pbld`. */
  frequencies?: number
  /** Standard deviation of the first frequencies: with larger ones the net sees finer steps. Default 0.01 for `plr`, 0.1 for `pbld`. */
  deviation?: number
}

export const PERIODIC_EMBEDDING = {
  ...MODULE,
  columns: { is: columnList },
  form: { is: ['plr', 'pbld'], default: 'plr' },
  size: { is: count },
  frequencies: { is: count },
  deviation: { is: positive },
} satisfies Schema<PeriodicEmbeddingOptions>

const DEFAULTS = {
  plr: { size: 24, frequencies: 48, deviation: 0.01 },
  pbld: { size: 3, frequencies: 16, deviation: 0.1 },
} as const

/**
 * Turns columns of numbers into learned vectors of waves, so that a net sees fine steps of a number as well as its magnitude: rows [n, features] become
 * rows [n, width]. The other columns come first, unchanged, then the vector of each of the given columns, of one of two forms. Numbers should have a
 * spread near 1.
 *
 * @example
 * const embed = new PeriodicEmbedding(3, { columns: [0, 2], form: 'pbld' })
 * embed.width // 9: the three columns, and 3 numbers more for each of the two
 * embed.predict([[0.3, 1, -2]]).shape // [1, 9]
 * @throws RangeError for a column that does not exist or is listed twice, or sizes that are not whole numbers; forward() throws ShapeError naming the
 * layer
 */
export class PeriodicEmbedding extends Layer {
  static override get name() {
    return 'PeriodicEmbedding'
  }

  /** Indices of the columns that become vectors. */
  readonly columns: readonly number[]
  readonly form: 'plr' | 'pbld'
  /** Length of each vector. */
  readonly size: number
  /** Number of frequencies of each column. */
  readonly frequencies: number
  /** Columns of the output. */
  readonly width: number
  /** 2πf of each column, [frequencies, 1]. */
  declare rates: readonly Parameter[]
  /** φ of each column with `pbld`, [frequencies, 1]; empty with `plr`. */
  declare phases: readonly Parameter[]
  /** W of each column: [frequencies, size], with `plr` [2 · frequencies, size], cosines first. */
  declare weights: readonly Parameter[]
  /** b of all columns, a column of numbers. */
  declare bias: Parameter
  readonly #others: Runs
  readonly #deviation: number

  constructor(
    readonly features: number,
    options: PeriodicEmbeddingOptions = {},
  ) {
    super(options)
    const { form, ...given }: Read<PeriodicEmbeddingOptions, typeof PERIODIC_EMBEDDING> = readOptions(
      'PeriodicEmbedding',
      options,
      PERIODIC_EMBEDDING,
    )
    const { columns = Array.from({ length: Number.isInteger(features) ? features : 0 }, (_, i) => i) } = given
    const usual = DEFAULTS[form]
    this.form = form
    const others = otherColumns('PeriodicEmbedding', features, columns)
    this.#others = form === 'pbld' ? [[0, features]] : others
    this.columns = Object.freeze([...columns])
    this.size = given.size ?? usual.size
    this.frequencies = given.frequencies ?? usual.frequencies
    this.#deviation = given.deviation ?? usual.deviation
    this.width = features + columns.length * (form === 'pbld' ? this.size : this.size - 1)
  }

  protected override createParameters(context: BuildContext): void {
    const { columns, form, frequencies, size } = this
    const isPlr = form === 'plr'
    const waves = isPlr ? 2 * frequencies : frequencies
    const generator = context.nextGenerator()
    const make = (name: string, shape: number[], how: Initializer) => {
      const parameter = this.makeParameter(context, name, shape)
      initializer(how, 1, 1, 'PeriodicEmbedding')(parameter, generator)
      return parameter
    }
    const each = (name: string, shape: number[], how: Initializer) => Object.freeze(columns.map((_, i) => make(`${name}.${i}`, shape, how)))
    const inRoot = uniform(-1 / Math.sqrt(waves), 1 / Math.sqrt(waves))
    this.rates = each('rates', [frequencies, 1], normal(0, 2 * Math.PI * this.#deviation))
    this.phases = isPlr ? Object.freeze([]) : each('phases', [frequencies, 1], uniform(-Math.PI, Math.PI))
    this.weights = each('weights', [waves, size], inRoot)
    this.bias = make('bias', [columns.length * size, 1], inRoot)
  }

  /** Columns that stay as they are, in their order. */
  get others(): number[] {
    return columnsOf(this.#others)
  }

  override describe(): string {
    return `PeriodicEmbedding(${this.features} → ${this.width}, ${this.form})`
  }

  forward(input: Tensor): Tensor {
    const { features, columns, form, rates, phases, weights, bias } = this.build()
    const x = this.withFeatures(input, features, bias.backend)
    checkRows(this.label(this.describe()), x, features)
    const waves = (column: Tensor, i: number) => {
      const angle = mul(rates[i], column) as Tensor
      return form === 'pbld' ? (cos(add(angle, phases[i])) as Tensor) : (concat([cos(angle), sin(angle)]) as Tensor)
    }
    const vectorsOf = (column: Tensor, i: number) => turnedProduct(weights[i], waves(column, i))
    return embedColumns(x, this.#others, columns, vectorsOf, (vectors) => {
      const y = add(vectors, bias) as Tensor
      return form === 'plr' ? (relu(y) as Tensor) : y
    })
  }
}

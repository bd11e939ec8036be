/** Columns of numbers as vectors that are piecewise linear functions of the number. */

import type { Backend } from '../backend/index.js'
import { checkCount } from '../common/checks.js'
import { rangeError, typeError } from '../common/errors.js'
import { count, type Read, readOptions, type Schema } from '../common/options.js'
import { quantileOf } from '../common/quantile.js'
import { show } from '../common/show.js'
import { add, maximum, minimum, mul, sub } from '../ops/elementwise.js'
import { concat } from '../ops/shape.js'
import type { Parameter } from '../parameter.js'
import { floatArray, Tensor } from '../tensor.js'
import { type Initializer, type InitializerName, initializer, initializing, uniform } from './initializer.js'
import { Layer } from './layer.js'
import { type BuildContext, MODULE, type ModuleOptions } from './module.js'
import { checkRows, columnsOf, embedColumns, otherColumns, type Runs, turnedProduct } from './number-columns.js'

/** A column of numbers, and where its pieces begin and end. */
export interface BinnedColumn {
  /** Index of the column in the input, from 0. */
  readonly feature: number
  /** Borders of the pieces, ascending, at least two: those of {@link quantileEdges} for the training rows. */
  readonly edges: readonly number[]
}

/** Options of {@link PiecewiseLinearEmbedding}. */
export interface PiecewiseLinearEmbeddingOptions extends ModuleOptions {
  /** Length of each vector. Default 16. */
  size?: number
  /** First slopes and biases. Default: uniform from −1/√size to 1/√size. */
  weightInitializer?: InitializerName | Initializer
}

export const PIECEWISE_LINEAR_EMBEDDING = {
  ...MODULE,
  size: { is: count, default: 16 },
  weightInitializer: { is: initializing },
} satisfies Schema<PiecewiseLinearEmbeddingOptions>

/**
 * Turns columns of numbers into learned vectors, so that a net sees thresholds of a number as easily as its magnitude: rows [n, features] become rows
 * [n, width]. The other columns come first, unchanged, then the vector of each of the given columns:
 *
 *     e(x) = a·x + c + V·p(x)    pⱼ(x) = (x − edgeⱼ) / (edgeⱼ₊₁ − edgeⱼ), clipped to 0 … 1
 *
 * The first piece goes on below the lowest edge, the last one above the highest. V is zero at first: e begins as a straight line and learns its bends
 * (version B of TabM's embeddings: Gorishniy, Kotelnikov & Babenko 2025, arXiv 2410.24210; the encoding p: Gorishniy, Rubachev & Babenko 2022).
 *
 * @example
 * const ages = [18, 22, 25, 31, 40, 47, 58, 63]
 * const embed = new PiecewiseLinearEmbedding(2, [{ feature: 0, edges: quantileEdges(ages, 4) }], { size: 8 })
 * embed.width // 9: the other column, and 8 numbers for the age
 * embed.predict([[31, 0.5], [70, 0.1]]).shape // [2, 9]
 * @throws RangeError for a column that does not exist or is listed twice, or edges that do not ascend; forward() throws ShapeError naming the layer
 */
export class PiecewiseLinearEmbedding extends Layer {
  static override get name() {
    return 'PiecewiseLinearEmbedding'
  }

  readonly columns: readonly BinnedColumn[]
  /** Length of each vector. */
  readonly size: number
  /** Columns of the output. */
  readonly width: number
  /** For each column [1 + pieces, size]: the slope a, then V, a row for each piece. */
  declare weights: readonly Parameter[]
  /** c of each column, [columns · size, 1]. */
  declare bias: Parameter
  readonly #others: Runs
  readonly #options: Read<PiecewiseLinearEmbeddingOptions, typeof PIECEWISE_LINEAR_EMBEDDING>
  #pieces: Pieces[] = []

  constructor(
    readonly features: number,
    columns: readonly BinnedColumn[],
    options: PiecewiseLinearEmbeddingOptions = {},
  ) {
    super(options)
    this.#options = readOptions('PiecewiseLinearEmbedding', options, PIECEWISE_LINEAR_EMBEDDING)
    if (!Array.isArray(columns)) throw typeError(`PiecewiseLinearEmbedding: columns wants [{ feature, edges }, …], got ${show(columns)}`)
    this.columns = columns.map((column, i) => ({ feature: column?.feature, edges: checkedEdges(column?.edges, i) }))
    const taken = this.columns.map(({ feature }) => feature)
    this.#others = otherColumns('PiecewiseLinearEmbedding', features, taken)
    this.size = this.#options.size
    this.width = features + taken.length * (this.size - 1)
  }

  protected override createParameters(context: BuildContext): void {
    const { columns, size } = this
    const { weightInitializer = uniform(-1 / Math.sqrt(size), 1 / Math.sqrt(size)) } = this.#options
    const generator = context.nextGenerator()
    const draw = (parameter: Parameter) => initializer(weightInitializer, 1, size, 'PiecewiseLinearEmbedding')(parameter, generator)
    const weights = columns.map(({ edges }, i) => {
      const weight = this.makeParameter(context, `weights.${i}`, [edges.length, size])
      draw(weight)
      weight.view().fill(0, size)
      return weight
    })
    this.weights = Object.freeze(weights)
    this.bias = this.makeParameter(context, 'bias', [columns.length * size, 1])
    draw(this.bias)
    this.#pieces = columns.map(({ edges }) => piecesOf(edges, context.backend))
  }

  /** Columns that stay as they are, in their order. */
  get others(): number[] {
    return columnsOf(this.#others)
  }

  override describe(): string {
    return `PiecewiseLinearEmbedding(${this.features} → ${this.width})`
  }

  forward(input: Tensor): Tensor {
    const { features, columns, weights, bias } = this.build()
    const x = this.withFeatures(input, features, bias.backend)
    checkRows(this.label(this.describe()), x, features)
    const taken = columns.map(({ feature }) => feature)
    const vectorsOf = (column: Tensor, i: number) => {
      const { starts, slopes, lowest, highest } = this.#pieces[i]
      const shares = minimum(maximum(mul(sub(column, starts), slopes), lowest), highest) as Tensor
      return turnedProduct(weights[i], concat([column, shares]) as Tensor)
    }
    return embedColumns(x, this.#others, taken, vectorsOf, (vectors) => add(vectors, bias) as Tensor)
  }
}

/** The pieces of a column, each [pieces, 1]: pⱼ(x) = (x − start)·slope, clipped to lowest … highest. */
interface Pieces {
  starts: Tensor
  slopes: Tensor
  lowest: Tensor
  highest: Tensor
}

function piecesOf(edges: readonly number[], backend: Backend): Pieces {
  const count = edges.length - 1
  const column = (of: (piece: number) => number) => {
    const values = floatArray(backend, count)
    for (let i = 0; i < count; i++) values[i] = of(i)
    return Tensor.onHost(backend, [count, 1], values)
  }
  return {
    starts: column((i) => edges[i]),
    slopes: column((i) => 1 / (edges[i + 1] - edges[i])),
    lowest: column((i) => (i === 0 ? Number.NEGATIVE_INFINITY : 0)),
    highest: column((i) => (i === count - 1 ? Number.POSITIVE_INFINITY : 1)),
  }
}

function checkedEdges(edges: unknown, column: number): number[] {
  const who = `PiecewiseLinearEmbedding: edges of column ${column}`
  if (!Array.isArray(edges) && !ArrayBuffer.isView(edges))
    throw typeError(`${who} wants numbers, those of quantileEdges, got ${show(edges)}`)
  const numbers = Array.from(edges as ArrayLike<number>)
  const isAscending = numbers.every((edge, i) => Number.isFinite(edge) && (i === 0 || Math.fround(edge) > Math.fround(numbers[i - 1])))
  if (numbers.length < 2 || !isAscending)
    throw rangeError(`${who} want at least two finite numbers, ascending, got ${show(edges)}; leave out a column with one value`)
  return numbers
}

/**
 * Borders of pieces of a column of numbers for {@link PiecewiseLinearEmbedding}: its quantiles 0, 1/bins, … 1, each value once, as `compute_bins` of
 * rtdl_num_embeddings. Fewer than `bins` pieces result if values repeat, a single number if all are alike.
 *
 * @param values numbers of the training rows
 * @param bins largest number of pieces. Default 48.
 * @example quantileEdges([1, 2, 3, 4, 5], 2) // [1, 3, 5]
 * @throws TypeError for anything but an array, RangeError for numbers that are not finite, or bins that is not a whole number ≥ 1
 */
export function quantileEdges(values: ArrayLike<number>, bins = 48): number[] {
  checkCount('quantileEdges: bins', bins)
  if (!Array.isArray(values) && !ArrayBuffer.isView(values))
    throw typeError(`quantileEdges: wants an array of numbers, got ${show(values)}`)
  const sorted = Float64Array.from(values).sort()
  const wrong = sorted.findIndex((value) => !Number.isFinite(value))
  if (sorted.length === 0 || wrong >= 0)
    throw rangeError(`quantileEdges: wants finite numbers, at least one, got ${sorted.length === 0 ? 'none' : sorted[wrong]}`)
  return [...new Set(Array.from({ length: bins + 1 }, (_, i) => Math.fround(quantileOf(sorted, i / bins))))]
}

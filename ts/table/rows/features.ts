/**
 * Turns the features of a table into the inputs of a net. Nets learn badly from columns with a few huge numbers, and are slow to learn thresholds;
 * trees have neither problem. So each number enters twice: squeezed, so that no value is far out, and as its position among the quantiles of its
 * column (piecewise linear encoding: Gorishniy, Rubachev & Babenko 2022). If a numeric target keeps growing with them, they are not squeezed
 * (large-values.ts). A straight line in the ensemble takes the unchanged numbers, which come after the others.
 */
import type { ColumnReport, EmbeddedColumn, Table } from '../../data/index.js'
import { countInFull } from './large-values.js'

/** A numeric feature, and the cuts of its column. */
export interface Cuts {
  /** Index of the feature. */
  feature: number
  /** Ascending, at least two; empty if the column has few different values. */
  edges: readonly number[]
}

/** A feature that is the number of a category, and which vector stands for each. */
export interface Embedded {
  /** Index of the feature. */
  feature: number
  /** Number of vectors; vector 0 is for unknown and rare categories. */
  count: number
  /** Numbers of a vector. */
  size: number
  /** The index of the vector for each category. */
  vectors: readonly number[]
}

/** Result of {@link fitFeatures}. */
export interface FeatureState {
  features: number
  cuts: readonly Cuts[]
  /** Squeezes numbers, so that none enters as more than 3. Default true. */
  squeezes?: boolean
  /** Features whose unchanged values follow the others: for a line in addition to the nets. Default: none. */
  plain?: readonly number[]
  /** Default: none. */
  embedded?: readonly Embedded[]
}

/** Columns with fewer different values than this are not cut. */
const FEWEST_EDGES = 4
/** Largest number of values of a column from which quantiles are computed. */
const MAX_VALUES = 50_000
/** A category in fewer rows has no vector of its own: a net would mostly learn noise for it. */
const FEWEST_ROWS = 3

/** Largest number of parts of a column, and least number of rows per part, where numbers are predicted. */
const FINE = 48
const ROWS_OF_PART = 8
/** Largest number of parts of a column where classes are predicted, or where the parts of all rows would be more than MAX_PARTS numbers (24 MB). */
const COARSE = 16
const MAX_PARTS = 6e6
/**
 * Largest number of parts of all columns of a row. More make nets of wide tables slow, and worse: on 1,500 rows × 800 columns the out-of-fold RMSE was
 * 3.27 without parts, 3.29 with 4 a column, 4.17 with 8 and 3.98 with 16, in 6 times the time.
 */
const WIDEST = 4096

/**
 * @internal Number of parts into which columns of numbers are cut. A numeric target follows fine parts: RMSE of concrete −11 %, ames −6 %, Computers −4 %
 * beside 8 parts below 2,000 rows and 16 above. Classes say less about a row, and nets memorize them by fine parts (docs/design/tried.md).
 */
export function binsFor(rows: number, numbers: number, classes: number): number {
  const widest = Math.floor(WIDEST / numbers)
  if (classes > 0) return Math.min(widest, rows < 300 ? 0 : rows < 2000 ? 8 : COARSE)
  return Math.min(widest, Math.floor(rows / ROWS_OF_PART), Math.max(COARSE, Math.min(FINE, Math.floor(MAX_PARTS / (rows * numbers)))))
}

/** The {@link fitFeatures} of the rows of a table. */
export function featuresOf({ inputs, features, report, count, embeddings, classes, targets }: Table): FeatureState {
  const numbers = numbersOf(report.columns)
  const state = fitFeatures(inputs, features, numbers, binsFor(count, numbers.length, classes), embeddings)
  if (classes > 0) return state
  const plain = (row: number, column: number) => inputs[row * features + numbers[column]]
  const isLinear = countInFull(numbers.length, plain, (row, column) => squeezed(plain(row, column)), targets)
  return isLinear ? { ...state, squeezes: false } : state
}

/** Features for a straight line alone: unchanged, except for the numbers of vectors. */
export function plainFeatures({ features, embedded }: FeatureState): FeatureState {
  return { features, cuts: [], squeezes: false, ...(embedded && { embedded }) }
}

/** The input column with the unchanged value of a feature: if numbers are squeezed, one of those at the end. */
export function plainColumn(state: FeatureState): (feature: number) => number {
  const { plain = [] } = state
  const first = widthOf(state) - plain.length
  const places = new Map(plain.map((feature, i) => [feature, first + i]))
  return (feature) => places.get(feature) ?? feature
}

/** Features that are not indices of categories. */
export function plainOf({ features, embedded = [] }: FeatureState): number[] {
  const taken = new Set(embedded.map(({ feature }) => feature))
  return Array.from({ length: features }, (_, i) => i).filter((feature) => !taken.has(feature))
}

/** Start and size of the features of each column in an encoded row. */
export type Spans = readonly { column: string; from: number; size: number }[]

/** The spans of the columns that are used. */
export function spansOf(columns: readonly ColumnReport[]): Spans {
  let from = 0
  return columns.flatMap(({ name, role, features }) => {
    if (role !== 'input' || features === 0) return []
    const span = { column: name, from, size: features }
    from += features
    return [span]
  })
}

function numbersOf(columns: readonly ColumnReport[]): number[] {
  return featuresTakenAs(['number', 'date'], columns)
}

/** Indices of the features with a magnitude: numbers, dates and ordered categories. */
export function scalesOf(columns: readonly ColumnReport[]): number[] {
  return featuresTakenAs(['number', 'date', 'ordinal'], columns)
}

function featuresTakenAs(uses: readonly ColumnReport['as'][], columns: readonly ColumnReport[]): number[] {
  const isNumber = new Set(columns.filter(({ as }) => uses.includes(as)).map(({ name }) => name))
  return spansOf(columns).flatMap(({ column, from }) => (isNumber.has(column) ? [from] : []))
}

/** Numbers with mean 0 and deviation 1; classes as they are. */
export function scaled(targets: Int32Array | Float32Array): {
  targets: Int32Array | Float32Array
  scale: { mean: number; deviation: number }
} {
  if (targets instanceof Int32Array) return { targets, scale: { mean: 0, deviation: 1 } }
  const mean = targets.reduce((sum, y) => sum + y, 0) / targets.length
  const deviation = Math.sqrt(targets.reduce((sum, y) => sum + (y - mean) ** 2, 0) / targets.length) || 1
  return { targets: targets.map((y) => (y - mean) / deviation), scale: { mean, deviation } }
}

/**
 * Cuts each number at the quantiles of these rows, and counts categories.
 * @param inputs row-major [rows, features], numbers scaled by median and quartiles
 * @param numbers indices of the numeric features
 * @param bins number of parts into which a column is cut; 0 for none
 * @param embeddings indices of the features that are category numbers
 */
export function fitFeatures(
  inputs: Float32Array,
  features: number,
  numbers: readonly number[],
  bins: number,
  embeddings: readonly EmbeddedColumn[] = [],
): FeatureState {
  const rows = inputs.length / features
  const every = Math.max(1, Math.ceil(rows / MAX_VALUES))
  const cuts = numbers.map((feature) => {
    const values: number[] = []
    for (let row = 0; row < rows; row += every) values.push(inputs[row * features + feature])
    values.sort((a, b) => a - b)
    const at = (share: number) => values[Math.min(values.length - 1, Math.round(share * (values.length - 1)))]
    const edges = [...new Set(Array.from({ length: bins + 1 }, (_, i) => at(i / bins)))]
    return { feature, edges: bins > 0 && edges.length >= FEWEST_EDGES ? edges : [] }
  })
  if (embeddings.length === 0) return { features, cuts }
  return { features, cuts, embedded: embeddings.map((column) => vectorsFor(column, inputs, features)) }
}

/** A vector for each category that is in enough rows, and one for all others. */
function vectorsFor({ feature, count, size }: EmbeddedColumn, inputs: Float32Array, features: number): Embedded {
  const rows = new Array<number>(count).fill(0)
  for (let i = feature; i < inputs.length; i += features) rows[inputs[i]]++
  let next = 1
  const vectors = rows.map((n, category) => (category > 0 && n >= FEWEST_ROWS ? next++ : 0))
  return { feature, count: next, size, vectors }
}

/** Number of inputs per row. */
export function widthOf({ features, cuts, plain = [] }: FeatureState): number {
  return cuts.reduce((sum, { edges }) => sum + Math.max(0, edges.length - 1), features) + plain.length
}

/** The column that each input comes from: features, parts of cut columns, and plain values, in the order of {@link inputsOf}. */
export function columnsOfInputs({ features, cuts, plain = [] }: FeatureState, spans: Spans): string[] {
  const columns = spans.flatMap(({ column, size }) => new Array<string>(size).fill(column)).slice(0, features)
  const parts = cuts.flatMap(({ feature, edges }) => new Array<string>(Math.max(0, edges.length - 1)).fill(columns[feature]))
  return [...columns, ...parts, ...plain.map((feature) => columns[feature])]
}

/** Inputs of a net, row-major [rows, {@link widthOf}]. */
export function inputsOf(state: FeatureState, encoded: Float32Array): Float32Array {
  const { features, cuts, squeezes = true, embedded = [], plain = [] } = state
  const width = widthOf(state)
  const rows = encoded.length / features
  const out = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    let at = row * width
    for (let i = 0; i < features; i++) out[at++] = squeezes ? squeezed(encoded[row * features + i]) : limited(encoded[row * features + i])
    for (const { feature, vectors } of embedded) out[row * width + feature] = vectors[encoded[row * features + feature]]
    for (const { feature, edges } of cuts) {
      const x = encoded[row * features + feature]
      for (let i = 1; i < edges.length; i++) {
        const share = (x - edges[i - 1]) / (edges[i] - edges[i - 1])
        out[at++] = share < 0 ? 0 : share > 1 ? 1 : share
      }
    }
    for (const feature of plain) out[at++] = limited(encoded[row * features + feature])
  }
  return out
}

/** Nearly x up to 1, and never beyond ±3: the smooth clipping of RealMLP (Holzmüller, Grinsztajn & Steinwart 2024). */
function squeezed(x: number): number {
  const y = limited(x)
  return y / Math.sqrt(1 + (y / 3) ** 2)
}

/** The largest input. Values may be infinite in 32 bits, and so would be the outputs of a line of large weights. */
export const LARGEST = 2 ** 60

function limited(x: number): number {
  return x > LARGEST ? LARGEST : x < -LARGEST ? -LARGEST : x
}

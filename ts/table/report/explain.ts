/**
 * What a model answers as one column changes, and which columns act together.
 *
 * - **Partial dependence** (Friedman 2001): the mean prediction of some rows, all of which are given the same value in one column.
 * - **Individual conditional expectation** (Goldstein et al. 2015): the same for each row alone. Lines that are not parallel mean that the effect of the
 *   column depends on others.
 * - **H statistic** (Friedman & Popescu 2008, equation 44): the share of the joint effect of two columns that is not the sum of their own effects, as
 *   a root of a share of the variance: 0 for columns that add up.
 *
 * Rows are encoded once; then the features of one column, or of two, are replaced. Values that never occur together are combined, too: where two columns
 * are strongly correlated, both figures say little.
 */
import { rangeError } from '../../common/errors.js'
import { count, isAllowed, type Kind, readOptions, type Schema, text } from '../../common/options.js'
import { quantileOf } from '../../common/quantile.js'
import { show, showNames } from '../../common/show.js'
import { type TableColumn, useOf, widthOf } from '../../data/table/column.js'
import { dateOf, numbered, placesOf, type Row } from '../../data/table/values.js'
import { checkTableModel, type Prediction, type TableModel } from '../model/model.js'
import { evenly, isNumeric, valuesOf } from '../rows/profile.js'

/** Options of {@link explainTable}. */
export interface ExplainTableOptions {
  /** Columns to explain. Default: the {@link maxColumns} that change predictions most. */
  columns?: readonly string[]
  /** Largest number of columns that are chosen. Default 6. */
  maxColumns?: number
  /** The class whose probability is explained. Default: the positive one of two; of more, the commonest prediction. */
  about?: string
  /**
   * Values of a column that are tried: quantiles of its numbers from the 2nd to the 98th percentile, its commonest categories, or of sentences the words
   * with the lowest and highest predictions. Default 20.
   */
  points?: number
  /** Rows that are used, evenly spread among the given ones. Default 200. */
  maxRows?: number
}

const names: Kind = { wants: 'names of columns', fits: (value) => Array.isArray(value) && value.every((name) => isAllowed(name, text)) }

export const EXPLAIN_TABLE = {
  columns: { is: names },
  maxColumns: { is: count, default: 6 },
  about: { is: text },
  points: { is: { min: 2, whole: true }, default: 20 },
  maxRows: { is: { min: 2, whole: true }, default: 200 },
} satisfies Schema<ExplainTableOptions>

/** The effect of a column. */
export interface ColumnEffect {
  column: string
  /** The kind of its values: numbers, dates as days since 1970, texts, or words, each of which is tried as the whole text. */
  kind: 'number' | 'date' | 'category' | 'word'
  values: readonly (number | string)[]
  /** Mean prediction for each value: a number, or the probability of a class. */
  mean: readonly number[]
  /** Predictions of up to 30 single rows, for each value. */
  rows: readonly (readonly number[])[]
  /** The standard deviation of the mean prediction over the values; for words over texts of the given rows. */
  strength: number
}

/** How much of the joint effect of two columns is not the sum of their own effects. */
export interface Interaction {
  columns: readonly [string, string]
  /** From 0 to about 1; of log-odds for classes. */
  h: number
}

/** Result of {@link explainTable}, as plain JSON. */
export interface TableExplanation {
  target: string
  /** The class whose probability is explained; absent for numbers. */
  about?: string
  /** Number of rows that were used. */
  rows: number
  /** The strongest first. */
  effects: readonly ColumnEffect[]
  /** Pairs of the first columns, the strongest interaction first. */
  interactions: readonly Interaction[]
}

/** Rows whose own lines are kept, rows of H, and columns whose pairs are compared: H takes the square of its rows for each pair. */
const SINGLE_ROWS = 30
const ROWS_OF_H = 50
const COLUMNS_OF_H = 4
/** Rows and values for the choice of columns. */
const ROWS_OF_CHOICE = 50
const POINTS_OF_CHOICE = 6
/** Largest number of categories that are tried. */
const MAX_CATEGORIES = 12
/** Number of words that are tried, the most frequent ones, and largest number of those that are shown. */
const WORDS_TRIED = 200
const MAX_WORDS = 10
/** Encoded rows that are predicted in one call. */
const PART = 8192
/** Probabilities are at least this far from 0 and 1 as log-odds. */
const LEAST = 1e-6

/**
 * Explains a model by its predictions for rows: the effect of the most important columns, alone and for single rows, and their interactions.
 * `reportHtml` and `reportText` show it.
 *
 * @param rows some rows with the columns of the table, such as the training file; the target is not needed
 * @example
 * const { model } = await trainTable('docs/guide/penguins.csv', { target: 'body_mass_g' })
 * const { effects } = explainTable(model, [{ species: 'Gentoo', flipper_length_mm: 210 }, { species: 'Adelie', flipper_length_mm: 190 }])
 * effects.length // 6
 * @throws RangeError for fewer than two rows, or a column or class that the model does not have
 */
export function explainTable(model: TableModel<Prediction>, rows: readonly object[], given: ExplainTableOptions = {}): TableExplanation {
  const options = readOptions('explainTable', given, EXPLAIN_TABLE)
  checkTableModel('explainTable', model)
  numbered('explainTable', rows)
  if (rows.length < 2) throw rangeError(`explainTable: wants two rows at least, got ${rows.length}`)
  const some = evenly(rows, options.maxRows)
  const asker = new Asker(model, some, options.about)
  const { about, columns } = asker
  const wanted = options.columns ?? strongest(asker, options.maxColumns)
  const unknown = wanted.find((name) => !columns.some((column) => column.name === name))
  if (unknown !== undefined)
    throw rangeError(
      `explainTable: columns wants columns that the model uses, ${showNames(columns.map(({ name }) => name))}, got ${show(unknown)}`,
    )
  const effects = [...new Set(wanted)].map((name) => effectOf(asker, name, options.points)).sort((a, b) => b.strength - a.strength)
  const names = effects.map(({ column }) => column)
  return {
    target: model.target,
    ...(about !== undefined && { about }),
    rows: some.length,
    effects,
    interactions: interactionsOf(asker, names.slice(0, COLUMNS_OF_H)),
  }
}

/** Asks a model about rows with changed columns. */
class Asker {
  readonly columns: readonly TableColumn[]
  readonly about: string | undefined
  /** Values that mean a gap. */
  readonly missing: readonly string[]
  /** Numbers of all rows. */
  readonly all: readonly number[]
  private readonly encoded: Float32Array
  private readonly width: number
  private readonly spans: ReadonlyMap<string, { from: number; size: number }>

  constructor(
    private readonly model: TableModel<Prediction>,
    private readonly rows: readonly object[],
    about: string | undefined,
  ) {
    const { table } = model.saved()
    this.columns = table.columns
    this.missing = table.missingValues
    this.width = model.encoder.features
    this.all = Array.from(rows.keys())
    let from = 0
    this.spans = new Map(
      table.columns.map((column) => {
        const size = widthOf(column)
        from += size
        return [column.name, { from: from - size, size }]
      }),
    )
    this.encoded = model.encoded(rows)
    this.about = this.classFor(about)
  }

  private classFor(about: string | undefined): string | undefined {
    const { model } = this
    const { classNames, decision } = model
    if (about !== undefined && !classNames.includes(about))
      throw rangeError(
        classNames.length === 0
          ? `explainTable: about is for classes, and the model predicts numbers; leave it out`
          : `explainTable: about wants one of the classes ${showNames(classNames)}, got ${show(about)}`,
      )
    if (classNames.length === 0 || about !== undefined) return about
    if (decision?.positive !== undefined) return classNames[decision.positive]
    const counts = new Map<string, number>()
    for (const answer of model.predict(this.rows) as { class: string }[]) counts.set(answer.class, (counts.get(answer.class) ?? 0) + 1)
    return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0]
  }

  /** The features of a column with these values, one after the other. */
  featuresOf(name: string, values: readonly unknown[]): Float32Array {
    const { from, size } = this.span(name)
    const encoded = this.model.encoded(values.map((value) => ({ ...this.rows[0], [name]: value })))
    const out = new Float32Array(values.length * size)
    for (let i = 0; i < values.length; i++) out.set(encoded.subarray(i * this.width + from, i * this.width + from + size), i * size)
    return out
  }

  /** The features of a column in the rows themselves. */
  ownFeatures(name: string, picked: readonly number[]): Float32Array {
    const { from, size } = this.span(name)
    const out = new Float32Array(picked.length * size)
    for (const [i, row] of picked.entries())
      out.set(this.encoded.subarray(row * this.width + from, row * this.width + from + size), i * size)
    return out
  }

  /**
   * Predictions of the picked rows for each of some places, with the features of columns replaced by those of the place: place after place.
   * @param changes features of each changed column, for each place
   */
  ask(picked: readonly number[], places: number, changes: readonly { name: string; features: Float32Array }[]): Float64Array {
    const { width, encoded } = this
    const out = new Float64Array(places * picked.length)
    const perPart = Math.max(1, Math.floor(PART / picked.length))
    for (let first = 0; first < places; first += perPart) {
      const some = Math.min(perPart, places - first)
      const part = new Float32Array(some * picked.length * width)
      for (let place = 0; place < some; place++)
        for (const [i, row] of picked.entries()) {
          const at = (place * picked.length + i) * width
          part.set(encoded.subarray(row * width, (row + 1) * width), at)
          for (const { name, features } of changes) {
            const { from, size } = this.span(name)
            part.set(features.subarray((first + place) * size, (first + place + 1) * size), at + from)
          }
        }
      out.set(this.answers(part), first * picked.length)
    }
    return out
  }

  /** The probability of the class, or the number. */
  private answers(encoded: Float32Array): Float64Array {
    const { model, about } = this
    const answers = model.answersTo(encoded)
    if (about === undefined) return answers.map((value) => value + model.center)
    const [classes, own] = [model.classNames.length, model.classNames.indexOf(about)]
    return Float64Array.from({ length: answers.length / classes }, (_, row) => answers[row * classes + own])
  }

  picked(numbers: readonly number[]): Row[] {
    return numbers.map((row) => this.rows[row] as Row)
  }

  private span(name: string): { from: number; size: number } {
    return this.spans.get(name) as { from: number; size: number }
  }
}

/** Values of a column to try: quantiles of numbers, or the commonest categories that the model knows. */
function valuesToTry(asker: Asker, column: TableColumn, picked: readonly number[], points: number): (number | string)[] {
  const values = valuesOf(column, asker.missing, asker.picked(picked))
  if (isNumeric(column)) {
    const sorted = Float64Array.from(values as number[]).sort()
    if (sorted.length === 0) return []
    const different = [...new Set(sorted)]
    if (different.length <= points) return different
    return [...new Set(Array.from({ length: points }, (_, i) => quantileOf(sorted, 0.02 + (0.96 * i) / (points - 1))))]
  }
  const counts = new Map<string, number>()
  const places = column.categories && placesOf(column.categories)
  for (const value of values as string[]) {
    const known = places === null ? value : column.categories?.[places.get(value) ?? -1]
    if (known !== undefined) counts.set(known, (counts.get(known) ?? 0) + 1)
  }
  const common = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, Math.min(points, MAX_CATEGORIES))
  const found = common.map(([value]) => value)
  // ordered categories stay in their order
  return useOf(column) === 'ordinal' ? (column.categories ?? []).filter((category) => found.includes(category)) : found
}

/** As the encoder reads a value: dates as dates. */
const asCell = (column: TableColumn, value: number | string) =>
  useOf(column) === 'date' && typeof value === 'number' ? dateOf(value) : value

/** Predictions of the picked rows for each value, value after value, and their means. */
function dependenceOn(asker: Asker, column: TableColumn, values: readonly (number | string)[], picked: readonly number[]) {
  const { name } = column
  const cells = values.map((value) => asCell(column, value))
  const features = asker.featuresOf(name, cells)
  const answers = values.length === 0 ? new Float64Array() : asker.ask(picked, values.length, [{ name, features }])
  const n = picked.length
  return { answers, mean: values.map((_, place) => meanOf(answers.subarray(place * n, (place + 1) * n))) }
}

const isText = (column: TableColumn) => useOf(column) === 'text'

/** The deviation of the mean prediction over values of a column: of sentences over those of some rows. */
function strengthOf(asker: Asker, column: TableColumn, picked: readonly number[], points: number): number {
  const values = isText(column)
    ? evenly(valuesOf(column, asker.missing, asker.picked(picked)), points)
    : valuesToTry(asker, column, picked, points)
  return deviationOf(dependenceOn(asker, column, values, picked).mean)
}

/** Of the most frequent words of a column of sentences those with the highest and the lowest predictions, the highest first. */
function tellingWords(asker: Asker, column: TableColumn, points: number): string[] {
  // pairs mostly repeat one of their words
  const words = (column.words ?? []).filter((word) => !word.includes(' ')).slice(0, WORDS_TRIED)
  const { mean } = dependenceOn(asker, column, words, evenly(asker.all, ROWS_OF_CHOICE))
  const sorted = [...words.keys()].sort((a, b) => mean[b] - mean[a]).map((i) => words[i])
  const shown = Math.min(points, MAX_WORDS)
  return sorted.length <= shown ? sorted : [...sorted.slice(0, Math.ceil(shown / 2)), ...sorted.slice(-Math.floor(shown / 2))]
}

function effectOf(asker: Asker, name: string, points: number): ColumnEffect {
  const column = asker.columns.find((one) => one.name === name) as TableColumn
  const picked = asker.all
  const values = isText(column) ? tellingWords(asker, column, points) : valuesToTry(asker, column, picked, points)
  const kind = isText(column) ? 'word' : !isNumeric(column) ? 'category' : useOf(column) === 'date' ? 'date' : 'number'
  const { answers, mean } = dependenceOn(asker, column, values, picked)
  const n = picked.length
  const rows = values.length === 0 ? [] : evenly(picked, SINGLE_ROWS).map((row) => values.map((_, place) => answers[place * n + row]))
  return {
    column: name,
    kind,
    values,
    mean,
    rows,
    strength: isText(column) ? strengthOf(asker, column, picked, points) : deviationOf(mean),
  }
}

/** Names of the columns whose mean prediction changes most, by few rows and values. */
function strongest(asker: Asker, most: number): string[] {
  const few = evenly(asker.all, ROWS_OF_CHOICE)
  return asker.columns
    .map((column) => ({ name: column.name, strength: strengthOf(asker, column, few, POINTS_OF_CHOICE) }))
    .sort((a, b) => b.strength - a.strength)
    .slice(0, most)
    .map(({ name }) => name)
}

function interactionsOf(asker: Asker, columns: readonly string[]): Interaction[] {
  const picked = evenly(asker.all, ROWS_OF_H)
  const n = picked.length
  const scale = asker.about === undefined ? (value: number) => value : (p: number) => logOdds(p)
  const dependence = (names: readonly string[]) => {
    const changes = names.map((name) => ({ name, features: asker.ownFeatures(name, picked) }))
    const answers = asker.ask(picked, n, changes).map(scale)
    return centered(Float64Array.from({ length: n }, (_, place) => meanOf(answers.subarray(place * n, (place + 1) * n))))
  }
  const alone = columns.map((name) => dependence([name]))
  const pairs = columns.flatMap((a, i) => columns.slice(i + 1).map((b, j) => [a, b, i, i + 1 + j] as const))
  const found = pairs.map(([a, b, i, j]): Interaction => {
    const both = dependence([a, b])
    const rest = both.map((value, row) => value - alone[i][row] - alone[j][row])
    const [own, all] = [rest, both].map((values) => values.reduce((sum, value) => sum + value ** 2, 0))
    return { columns: [a, b], h: all > ROUNDING ** 2 * n * squareOf(alone) ? Math.sqrt(own / all) : 0 }
  })
  return found.sort((a, b) => b.h - a.h)
}

/** Joint effects that are smaller, as a fraction of the strongest effect of a column, are rounding. */
const ROUNDING = 1e-3
const squareOf = (effects: readonly Float64Array[]) => Math.max(...effects.map((values) => meanOf(values.map((value) => value ** 2))))

const logOdds = (p: number) => Math.log(Math.max(LEAST, p) / Math.max(LEAST, 1 - p))

function meanOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return sum / values.length
}

function centered(values: Float64Array): Float64Array {
  const mean = meanOf(values)
  return values.map((value) => value - mean)
}

function deviationOf(values: readonly number[]): number {
  if (values.length === 0) return 0
  return Math.sqrt(meanOf(centered(Float64Array.from(values)).map((value) => value ** 2)))
}

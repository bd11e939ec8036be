/** Learning of an encoder from rows: how each column becomes numbers. */
import { rangeError } from '../../common/errors.js'
import { nearest } from '../../common/nearest.js'
import { shortened, show } from '../../common/show.js'
import { TargetAnswers } from './answers.js'
import type { TableColumn } from './column.js'
import { type Decision, decideColumn, type Wanted } from './decide.js'
import { withoutGaps } from './encode.js'
import type { EncoderParts } from './encoder.js'
import { noteOn } from './file-notes.js'
import { type GapTests, LeftOutCounter, reasonsFor } from './left-out.js'
import { choiceOf, isChosen, type ReadTableOptions, readTableOptions, type TableOptions, waysOf } from './options.js'
import type { TableReport } from './report.js'
import { ColumnStats } from './stats.js'
import { dayOf, type Missing, type MissingTest, missingTest, type NumberedRows, type Row, USUAL_GAPS, valueIn } from './values.js'
import { readWritten } from './written.js'

/** @internal Decides the encoding of columns from rows that come in parts. */
export class TableLearner {
  private readonly options: ReadTableOptions
  private readonly names: readonly string[]
  private readonly stats: ReadonlyMap<string, ColumnStats>
  private readonly wayOf: (name: string) => Missing
  private readonly missingValues: readonly (string | number)[]
  /** Values that mean a gap in a column, where they are not those of the table. */
  private readonly ownGaps: ReadonlyMap<string, readonly (string | number)[]>
  private readonly tests: Map<string, MissingTest>
  /** Columns whose gaps leave rows out. */
  private readonly dropped: readonly string[]
  private readonly leftOut: LeftOutCounter
  /** Usual words for a gap in the target, which may be classes; undefined if options say which values are gaps in it. */
  private readonly answers: TargetAnswers | undefined
  private seen = 0
  private used = 0

  /** @param mostNumbers of each column, from which quantiles are computed. Default: a million */
  constructor(
    private readonly first: Row,
    given: TableOptions,
    mostNumbers?: number,
  ) {
    const options = readTableOptions(given)
    const { target, missing, formatted } = options
    this.options = options
    this.names = inputsOf(first, options)
    const used = [...this.names, target]
    const ofAll = waysOf(missing, used, target)
    this.wayOf = (name) => this.choiceOf(name).missing ?? ofAll(name)
    const isAuto = used.some((name) => this.wayOf(name) === 'auto')
    this.missingValues = options.missingValues ?? (isAuto ? USUAL_GAPS : [])
    const ofTarget = this.choiceOf(target)
    if (options.missingValues === undefined && ofTarget.missingValues === undefined)
      this.answers = new TargetAnswers(target, ofTarget.order)
    this.ownGaps = new Map(
      used.flatMap((name) => {
        const { order, missingValues: own } = this.choiceOf(name)
        if (name === target && this.answers) return [[name, this.answers.gaps]]
        if (own !== undefined) return [[name, own]]
        // a word that an order names is a value
        return order?.some((word) => this.missingValues.includes(word))
          ? [[name, this.missingValues.filter((word) => !order.includes(String(word)))]]
          : []
      }),
    )
    const shared = missingTest(this.missingValues)
    this.tests = new Map(
      used.map((name) => {
        const own = this.ownGaps.get(name)
        return [name, own === undefined ? shared : missingTest(own)]
      }),
    )
    this.dropped = used.filter((name) => this.wayOf(name) === 'drop' || (name === target && this.wayOf(name) === 'auto'))
    this.leftOut = new LeftOutCounter(this.dropped, this.isGapIn)
    const statsOf = (name: string) =>
      new ColumnStats(
        name,
        this.useOf(name) !== undefined,
        mostNumbers,
        this.choiceOf(name).written ?? formatted,
        this.useOf(name) === 'text',
      )
    this.stats = new Map(used.map((name) => [name, statsOf(name)]))
  }

  add(rows: NumberedRows): void {
    this.seen += rows.length
    this.use(this.answers ? this.answers.known(rows) : rows)
    if (this.answers?.isFull) this.decideAnswers()
  }

  /** Rows without a gap in columns whose gaps leave rows out; known at the end. */
  wholeOf(rows: NumberedRows): NumberedRows {
    return withoutGaps(rows, this.dropped, this.isGapIn)
  }

  finish(): { encoder: EncoderParts; report: TableReport } {
    this.decideAnswers()
    if (this.used === 0) throw rangeError(`fromTable: a value is missing in each of the ${this.seen} rows: ${reasonsFor(this.leftOut.all)}`)
    const { target, unknown } = this.options
    const inputs = this.names.map((name) => this.decide(name, 'input'))
    const answer = this.decide(target, 'target')
    const columns = inputs.flatMap(({ column }) => column ?? [])
    if (columns.length === 0) {
      const reasons = inputs.map(
        ({ report: { name, why, notes } }) => `'${shortened(name)}' is left out because ${[why, ...notes].join('; ')}`,
      )
      throw rangeError(`fromTable: there is no column to learn from: ${reasons.join(', ')}`)
    }
    const leftOut = this.leftOut.all
    const { answers, missingValues } = this
    if (answers && answer.report.as === 'category')
      answer.report.notes = answers.notes(this.statsOf(target), this.seen, leftOut, answer.report.notes)
    const targetColumn = answer.column as TableColumn
    const gaps = answers && (answers.hasClasses || missingValues.length === 0) ? answers.gaps : this.choiceOf(target).missingValues
    if (gaps !== undefined) targetColumn.missingValues = gaps.map(String)
    const known = new Set([target, ...columns.map(({ name }) => name)])
    return {
      encoder: {
        ...{ columns, target: targetColumn, missingValues: missingValues.map(String), unknown },
        leftOut: Object.keys(this.first).filter((name) => !known.has(name)),
      },
      report: { rows: this.used, dropped: this.seen - this.used, leftOut, columns: [...inputs, answer].map(({ report }) => report) },
    }
  }

  private readonly isGapIn: GapTests = (name) => this.tests.get(name) as MissingTest

  private choiceOf(name: string) {
    return choiceOf(this.options.columns, name)
  }

  /** The encoding of a column that options ask for. */
  private useOf(name: string) {
    return this.choiceOf(name).as ?? (this.options.categories.includes(name) ? 'category' : undefined)
  }

  private statsOf(name: string): ColumnStats {
    return this.stats.get(name) as ColumnStats
  }

  private use(rows: NumberedRows): void {
    const whole = this.wholeOf(rows)
    if (whole.length < rows.length) this.leftOut.add(rows)
    this.used += whole.length
    for (const [name, stats] of this.stats) {
      const isMissing = this.isGapIn(name)
      for (let i = 0; i < whole.length; i++) {
        const value = valueIn(whole[i][1], name)
        if (isMissing(value)) stats.addGap(whole[i][0], value)
        else stats.add(whole[i][0], value)
      }
    }
  }

  /** Decides which usual words for a gap are classes of the target, and uses the rows that waited for it. */
  private decideAnswers(): void {
    if (!this.answers) return
    const { target } = this.options
    const inputs = this.names.map((name) => this.statsOf(name))
    const waited = this.answers.decide(this.seen, inputs, this.statsOf(target), this.useOf(target))
    if (this.answers.hasClasses) this.tests.set(target, missingTest(this.answers.gaps))
    this.use(waited)
  }

  private decide(name: string, role: Wanted['role']): Decision {
    const { categories, columns, inputs, scale } = this.options
    const { order, buckets, size, lenient = false, scale: ownScale = scale, center } = this.choiceOf(name)
    const missingValues = this.ownGaps.get(name)
    const stats = this.statsOf(name)
    const as = this.useOf(name)
    const read = as === undefined || as === 'number' || as === 'date' ? stats.readsWritten() : null
    const { column, report } = decideColumn(read?.stats ?? stats, {
      ...{ role, as, order, buckets, size, lenient },
      missing: this.wayOf(name),
      scale: role === 'target' ? 'none' : ownScale,
      mayLeaveOut: inputs === undefined && !isChosen(columns, name) && !categories.includes(name),
    })
    if (column !== null && role === 'input' && missingValues !== undefined) column.missingValues = missingValues.map(String)
    if (column?.categories === null && center !== undefined) column.center = center
    if (column !== null && read !== null) {
      column.written = read.way
      const isDate = read.way.first !== undefined
      const x = readWritten(read.way, read.example)
      const shown = isDate ? dayOf(x) : String(x)
      report.why = `it has ${isDate ? 'dates' : 'numbers'} as people write them, ${show(read.example)} for ${shown}`
    }
    const doubt = stats.isFormatted && report.as === 'number' ? stats.written.doubt : undefined
    report.notes = [noteOn(this.first, name), doubt, ...report.notes].filter((note) => note !== undefined)
    return { column, report }
  }
}

/** The input columns. @throws RangeError for a column that is not there, twice, or both input and target */
function inputsOf(first: Row, { target, inputs, categories, exclude, columns }: ReadTableOptions): readonly string[] {
  const names = inputs ?? Object.keys(first).filter((name) => name !== target && !exclude.includes(name))
  if (names.length === 0) throw rangeError('fromTable: there is no column to learn from')
  for (const name of [...names, target, ...categories, ...exclude, ...Object.keys(columns)]) checkColumn(first, name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw rangeError(`fromTable: inputs has '${shortened(twice)}' twice`)
  if (names.includes(target)) throw rangeError(`fromTable: inputs has the target '${shortened(target)}', which would be learnt from itself`)
  if (exclude.includes(target)) throw rangeError(`fromTable: exclude has the target '${shortened(target)}'`)
  return names
}

function checkColumn(row: Row, name: string): void {
  if (Object.hasOwn(row, name)) return
  const names = Object.keys(row)
  const near = names.find((other) => other.toLowerCase() === name.toLowerCase()) ?? nearest(name, names)
  const hint = near !== undefined ? `; did you mean '${shortened(near)}'?` : ''
  throw rangeError(`fromTable: there is no column '${shortened(name)}', only ${quoted(names)}${hint}`)
}

/** Names in quotes, so that blanks around them show. */
function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => `'${shortened(name)}'`)
  return shown.join(', ') + (names.length > 12 ? `, … (${names.length} in all)` : '')
}

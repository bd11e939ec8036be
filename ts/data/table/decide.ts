/** Decision about the encoding of a column, from statistics of its values, with a reason. */
import { rangeError, typeError } from '../../common/errors.js'
import { shortened, show, showNames } from '../../common/show.js'
import { type ColumnUse, type Scale, type TableColumn, widthOf } from './column.js'
import type { Cycle } from './cycles.js'
import type { ColumnReport } from './report.js'
import { type ColumnStats, MAX_KEPT } from './stats.js'
import { COMMA_ADVICE, hasComma, isNumber, type Missing } from './values.js'

/** @internal inputs of a decision */
export interface Wanted {
  role: 'input' | 'target'
  as?: ColumnUse | undefined
  order?: readonly string[] | undefined
  buckets?: number | undefined
  size?: number | undefined
  missing: Missing
  /** True if a text among numbers is a gap, even if none of these values is such a text. */
  lenient: boolean
  scale: Scale
  /** True if no option names this column, so that it may be left out. */
  mayLeaveOut: boolean
}

/** @internal a column, or null if it is left out */
export interface Decision {
  column: TableColumn | null
  report: ColumnReport
}

/** A column of numbers may have this many other values before it is read as categories: one, or one in ten … */
const STRAYS = 0.1
/** … or a third, if all are one text, such as #DIV/0!, beside more different numbers than categories have. */
const STRAYS_ALIKE = 1 / 3
/** Number of rows below which no conclusions are drawn from properties of all values. */
const MANY = 20
/** Texts with more categories than this share features by their hash. */
const MAX_FEATURES = 100
const BUCKETS = 64
/** Most words and pairs that are features of a column of texts, and most numbers of all rows together. */
const MAX_WORDS = 2000
const MAX_NUMBERS = 2 ** 26
/** An integer target is treated as classes if it has at most MAX_CLASSES distinct values and, on average, at least ROWS_OF_CLASS rows per value. */
const MAX_CLASSES = 20
const ROWS_OF_CLASS = 5

/**
 * @internal
 * @throws RangeError for a gap if no option says what to do with it, and for a value that is infinite or not like the others; TypeError for one
 *   that is neither number, text, boolean nor date
 */
export function decideColumn(stats: ColumnStats, wanted: Wanted): Decision {
  const { name, count, gaps } = stats
  const { role, missing } = wanted
  const isAuto = missing === 'auto'
  const isFilled = missing !== 'fail' && missing !== 'drop' && role === 'input'
  if (stats.firstOdd) {
    const [at, value] = stats.firstOdd
    throw typeError(
      `fromTable: column '${shortened(name)}' of row ${at} wants a number, text, boolean or date, got ${show(value)}${remedyFor(value, shortened(name))}`,
    )
  }
  if (gaps > 0 && !isFilled && missing !== 'drop' && !isAuto) throw gapError(stats, wanted)
  const report: ColumnReport = {
    name,
    role,
    as: 'left out',
    why: '',
    decidedBy: wanted.as ? 'options' : 'values',
    features: 0,
    rows: count + gaps,
    gaps,
    notes: [],
  }
  if (count === 0) {
    if (isAuto && wanted.mayLeaveOut) return { column: null, report: { ...report, why: 'it is empty' } }
    throw rangeError(`fromTable: there is no value in column '${shortened(name)}'`)
  }
  if (stats.hasAllKinds) report.different = stats.kinds.size
  const use = wanted.as ? { as: wanted.as, why: 'you said so' } : role === 'target' ? targetUse(stats, isAuto) : inputUse(stats, wanted)
  if (use.as === 'left out') return { column: null, report: { ...report, why: use.why, notes: unreadNotes(stats) } }
  const { as } = use
  checkUsed(name, as, wanted)
  const column = columnOf(stats, as, wanted)
  if (missing === 'drop' || (isAuto && role === 'target')) column.drop = true
  if (isFilled) column.fill = fillOf(stats, column, missing)
  if (isFilled && as === 'number' && (wanted.lenient || stats.strays > 0)) column.lenient = true
  const features = role === 'target' ? 0 : widthOf(column)
  return { column, report: { ...report, as, why: use.why, features, ...detailsOf(stats, column), notes: notesOf(stats, column, wanted) } }
}

/** The encodings that an option of a column is for. */
const ENCODINGS_OF = {
  order: ['category', 'ordinal', 'embedding'],
  buckets: ['hash', 'text'],
  size: ['embedding', 'date'],
} as const satisfies Partial<Record<keyof Wanted, readonly ColumnUse[]>>

/** @throws RangeError for an option that the encoding of the column would ignore */
function checkUsed(name: string, as: ColumnUse, wanted: Wanted): void {
  for (const option of ['order', 'buckets', 'size'] as const) {
    const uses: readonly ColumnUse[] = ENCODINGS_OF[option]
    if (wanted[option] !== undefined && !uses.includes(as))
      throw rangeError(
        `fromTable: columns of '${shortened(name)}': ${option} is for ${uses.map(show).join(', ')}, and the column is a ${show(as)}; give \`as\` beside it, or leave it out`,
      )
  }
}

/** What to do with a list of labels, or with a vector. */
function remedyFor(value: unknown, name: string): string {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return '; give each label of such lists a column of its own, true or false'
  if (!Array.isArray(value) && (!ArrayBuffer.isView(value) || value instanceof DataView)) return ''
  return `; give each number of a vector a column of its own, such as '${name}_0', '${name}_1' …`
}

function gapError({ name, firstGap, gapTexts }: ColumnStats, { role, missing }: Wanted): RangeError {
  const isTarget = role === 'target'
  const word = [...gapTexts.keys()].find((text) => text.trim() !== '')
  const asClass = isTarget && word !== undefined ? `; if ${show(word)} is a class, not a gap, say missingValues: []` : ''
  const hint =
    missing === 'fail' ? `; give missing: 'drop' to leave such rows out${isTarget ? '' : ", 'mean' or 'median' to fill them in"}` : ''
  const more =
    missing !== 'fail' && isTarget
      ? `, the target, which is not filled in: missing: { '${shortened(name)}': 'drop', … } by column leaves such rows out`
      : ''
  return rangeError(`fromTable: no value in column '${shortened(name)}' of row ${firstGap}${hint}${more}${asClass}`)
}

interface Use {
  as: ColumnUse | 'left out'
  why: string
}

function targetUse(stats: ColumnStats, isAuto: boolean): Use {
  if (!isNumeric(stats, isAuto)) return { as: 'category', why: 'it has text, whose values are the classes' }
  const { kinds, hasAllKinds, isWhole, count, min, max } = stats
  if (hasAllKinds && isWhole && kinds.size <= MAX_CLASSES) {
    const override = "; columns: 'number' for it makes it a number to predict"
    if (kinds.size === 2 && min === 0 && max === 1) return { as: 'category', why: `it is 0 or 1, two classes${override}` }
    const isEnough = count >= MANY && count >= ROWS_OF_CLASS * kinds.size
    if (kinds.size === 2 && isEnough) return { as: 'category', why: `it has two values, ${min} and ${max}, two classes${override}` }
    if (isEnough && kinds.size > 2 && (min === 0 || min === 1) && max - min + 1 === kinds.size)
      return { as: 'category', why: `it is a whole number from ${min} to ${max}, as classes are${override}` }
  }
  return { as: 'number', why: 'it has numbers, which are predicted as such' }
}

function inputUse(stats: ColumnStats, wanted: Wanted): Use {
  const { name, count, kinds, hasAllKinds, dates } = stats
  const isNumbers = isNumeric(stats, wanted.missing === 'auto')
  if (wanted.mayLeaveOut && count >= MANY) {
    if (hasAllKinds && kinds.size === 1 && stats.gaps === 0)
      return { as: 'left out', why: `it is ${show([...kinds.keys()][0])} in each row, from which nothing can be learnt` }
    const isAllDifferent = hasAllKinds ? kinds.size === count : stats.countOfKinds === MAX_KEPT
    if (isNumbers && isAllDifferent && stats.isWhole && (isNameOfId(name) || (name === 'X' && stats.counts)))
      return { as: 'left out', why: 'it is another whole number in each row, and called as numbers of rows are' }
    if (isText(stats) && wordsOf(stats, wanted).words.length >= FEWEST_WORDS)
      return { as: 'text', why: 'it has sentences, whose most frequent words and pairs of words count' }
    if (!isNumbers && dates < count) {
      if (isAllDifferent) return { as: 'left out', why: 'it is another text in each row, as names and notes are' }
      const isNearlyDifferent = hasAllKinds ? kinds.size > MAX_FEATURES && kinds.size > count / 2 : stats.countOfKinds < 2 * MAX_KEPT
      if (isNearlyDifferent) return { as: 'left out', why: 'it is another text in most rows, as names and notes are' }
    }
  }
  if (isNumbers) return { as: 'number', why: 'it has numbers' }
  if (dates === count) return { as: 'date', why: 'it has dates, which become days since 1970 and places in the week, the year and the day' }
  if (hasAllKinds && (kinds.size <= MAX_FEATURES || !wanted.mayLeaveOut))
    return { as: 'category', why: stats.numbers > 0 ? 'it has numbers and texts' : 'it has texts' }
  return {
    as: 'hash',
    why: `it has texts, ${hasAllKinds ? kinds.size : `more than ${MAX_KEPT}`} different ones, too many for a feature each`,
  }
}

/** Fewest words for a column of texts, if no option asks for it. */
const FEWEST_WORDS = 20

/** True if most values are sentences, and different. */
function isText({ count, words, kinds, hasAllKinds, dates }: ColumnStats): boolean {
  return words.texts > count / 2 && dates === 0 && (!hasAllKinds || (kinds.size > MAX_FEATURES && kinds.size > words.texts / 4))
}

function wordsOf({ words, count }: ColumnStats, { buckets = MAX_WORDS }: Wanted): { words: string[]; weights: number[] } {
  return words.most(Math.min(buckets, Math.max(FEWEST_WORDS, Math.floor(MAX_NUMBERS / count))))
}

function isNameOfId(name: string): boolean {
  return (
    /^(id|index|key|uuid|guid|column1|unnamed.*|rows?|rownames?|row[ _.-]?(id|names?|no|nr|number))$/i.test(name) ||
    /[ _.-]id$/i.test(name) ||
    /[a-z0-9]I[dD]$/.test(name)
  )
}

/** Most other values in a column of numbers. */
function mostStrays({ kinds, hasOneStray, count }: ColumnStats): number {
  return hasOneStray && kinds.size > MAX_CLASSES ? STRAYS_ALIKE * count : Math.max(1, STRAYS * count)
}

/** True if all values are numbers. @throws RangeError if nearly all are: a person should look at the rest */
function isNumeric(stats: ColumnStats, isAuto: boolean): boolean {
  const { name, numbers, strays, count, firstStray, dates } = stats
  const infinite = stats.firstInfinite ?? (numbers > 0 ? stats.firstTooLarge : undefined)
  if (infinite !== undefined)
    throw rangeError(
      `fromTable: column '${shortened(name)}' of row ${infinite[0]} wants a finite number (of 32 bits), got ${show(infinite[1])}; ` +
        'if that stands for a gap, add it to missingValues',
    )
  if (numbers === count) return true
  if (firstStray === undefined || dates === count) return false
  if (stats.hasOnlyCommas)
    throw rangeError(
      `fromTable: column '${shortened(name)}' has a comma in a number, ${show(firstStray[1])} in row ${firstStray[0]}; ` +
        `${COMMA_ADVICE}, or with formatted: true, which also reads prices and dates, or add '${shortened(name)}' to categories`,
    )
  if (numbers <= 1 || strays > mostStrays(stats)) return false
  if (isAuto) return true
  throw rangeError(
    `fromTable: column '${shortened(name)}' has numbers in ${numbers} rows, but ${show(firstStray[1])} in row ${firstStray[0]}; ` +
      `add that to missingValues, or '${shortened(name)}' to categories`,
  )
}

function columnOf(stats: ColumnStats, as: ColumnUse, wanted: Wanted): TableColumn {
  const { name } = stats
  if (as === 'number' || as === 'date') {
    checkAllAre(stats, as, wanted)
    const cycles = as === 'date' && wanted.role === 'input' ? cyclesOf(stats, wanted) : []
    return {
      name,
      as,
      categories: null,
      ...scaling(stats, wanted.scale),
      ...(cycles.length > 0 && { cycles }),
      ...(as === 'date' && wanted.size !== undefined && { size: wanted.size }),
    }
  }
  if (as === 'hash') return { name, as, categories: null, buckets: wanted.buckets ?? BUCKETS }
  if (as === 'text') {
    const found = wordsOf(stats, wanted)
    if (found.words.length > 0) return { name, as, categories: null, ...found }
    throw rangeError(
      `fromTable: column '${shortened(name)}' has no word that several rows have; leave it out, or give more rows. Words are letters and digits between others: put spaces between those of a language without them, but for Chinese and Japanese`,
    )
  }
  if (!stats.hasAllKinds)
    throw rangeError(
      `fromTable: column '${shortened(name)}' has more than ${stats.kinds.size} different values, too many for '${as}'; 'hash' takes any number`,
    )
  const categories = wanted.order === undefined ? sorted([...stats.kinds.keys()]) : checkedOrder(stats, wanted.order)
  if (as === 'embedding') return { name, as, categories, ...(wanted.size !== undefined && { size: wanted.size }) }
  if (as !== 'ordinal') return { name, as, categories }
  return { name, as, categories, fill: (categories.length - 1) / 2, ...ordinalScaling(stats, categories, wanted.scale) }
}

/** The cycles that dates go through twice at least, of a year once. */
function cyclesOf({ firstDay, lastDay, hasTimes }: ColumnStats, { size }: Wanted): Cycle[] {
  const days = lastDay - firstDay
  return [
    ...(days >= 14 ? (['week'] as const) : []),
    ...(days > 365 ? (['year'] as const) : []),
    ...(hasTimes && days >= 2 ? (['day'] as const) : []),
    ...(size !== undefined ? (['dayOfYear'] as const) : []),
  ]
}

function checkAllAre(stats: ColumnStats, as: 'number' | 'date', { missing }: Wanted): void {
  const { name, numbers, dates, count, firstStray, firstUndated } = stats
  const good = as === 'number' ? numbers : dates
  if (good === count || (as === 'number' && missing === 'auto' && good > 0)) return
  const [at, value] = (as === 'date' ? firstUndated : firstStray) ?? [0, 'a number']
  throw rangeError(`fromTable: column '${shortened(name)}' of row ${at} wants a ${as}, got ${show(value)}`)
}

/** In alphabetical order; numbers are ordered by size. */
function sorted(categories: string[]): string[] {
  return categories.sort(categories.every(isNumber) ? (a, b) => Number(a) - Number(b) || (a < b ? -1 : 1) : undefined)
}

function checkedOrder({ name, kinds }: ColumnStats, order: readonly string[]): string[] {
  const unknown = [...kinds.keys()].find((category) => !order.includes(category))
  if (unknown !== undefined)
    throw rangeError(`fromTable: order of column '${shortened(name)}' does not have ${show(unknown)}, which is in the table`)
  return [...order]
}

function scaling(stats: ColumnStats, scale: Scale): Pick<TableColumn, 'center' | 'spread'> {
  if (scale === 'none') return {}
  if (scale === 'standard') return scaledBy(stats.average, stats.deviation)
  if (scale === 'minMax') return scaledBy(stats.min, stats.max - stats.min)
  const [low, middle, high] = stats.quantiles(0.25, 0.5, 0.75)
  // quartiles that differ by next to nothing beside an outlier would make it infinite in 32 bits
  const most = Math.max(stats.max - middle, middle - stats.min)
  return scaledBy(middle, high - low > 1e-30 * most ? high - low : 0)
}

/** A column that never changes, except by rounding, becomes 0. */
function scaledBy(center: number, spread: number): { center: number; spread: number } {
  return { center, spread: spread <= Math.abs(center) * 1e-12 ? 1 : spread }
}

function ordinalScaling({ kinds, count }: ColumnStats, categories: string[], scale: Scale): Pick<TableColumn, 'center' | 'spread'> {
  if (scale === 'none') return {}
  const most = Math.max(1, categories.length - 1)
  if (scale === 'minMax') return { center: 0, spread: most }
  const mean = categories.reduce((sum, c, i) => sum + i * (kinds.get(c) ?? 0), 0) / count
  const squares = categories.reduce((sum, c, i) => sum + (i - mean) ** 2 * (kinds.get(c) ?? 0), 0)
  return scaledBy(mean, Math.sqrt(squares / count))
}

function fillOf(stats: ColumnStats, { as, fill }: TableColumn, missing: Exclude<Missing, 'fail' | 'drop'>): number {
  if (as === 'ordinal') return fill as number
  if (as !== 'number' && as !== 'date') return 0
  if (typeof missing === 'number') return missing
  return missing === 'mean' ? stats.average : stats.quantiles(0.5)[0]
}

function detailsOf(stats: ColumnStats, { as, categories, fill }: TableColumn): Partial<ColumnReport> {
  const filled = stats.gaps > 0 && fill !== undefined && { fill }
  if (categories !== null) return { ...filled, categories: categories.length }
  if (as === 'number') return { ...filled, min: stats.min, max: stats.max, mean: stats.average }
  return as === 'date' ? { ...filled, min: stats.firstDay, max: stats.lastDay } : { ...filled }
}

function notesOf(stats: ColumnStats, { as, categories }: TableColumn, { role, order }: Wanted): string[] {
  const { name, kinds, hasAllKinds, count, gaps, strays, firstStray } = stats
  const notes: string[] = []
  if (hasAllKinds && kinds.size === 1) {
    const [only] = kinds.keys()
    // a category is learnt from its gaps as well
    const without = gaps === 1 ? '1 row has' : `${gaps} rows have`
    const changes = gaps > 0 ? `its only value is ${as === 'number' ? only : show(only)}, and ${without} none` : 'it never changes'
    notes.push(role === 'target' && as === 'category' ? 'it is the same in all rows: there is nothing to tell apart' : changes)
  }
  if (as === 'number' && strays > 0 && firstStray)
    notes.push(
      `${strays === 1 ? '1 value is no number' : `${strays} values are no numbers`} (${show(firstStray[1])} in row ${firstStray[0]}) and ${strays === 1 ? 'counts as a gap' : 'count as gaps'}`,
    )
  if (as === 'ordinal' && order === undefined && categories !== null && !categories.every(isNumber))
    notes.push(
      `its order is alphabetical, ${showNames(categories)}: give it as order, columns: { ${/^[a-z_]\w*$/i.test(name) ? shortened(name) : show(name)}: { as: 'ordinal', order: […] } }`,
    )
  if (as === 'category' || as === 'ordinal') {
    const alike = nearlyAlike([...kinds.keys()])
    if (alike !== undefined) notes.push(`${alike.map(show).join(' and ')} are two values, which differ in case or blanks alone`)
    const gap = [...kinds.keys()].find((text) => /^(\?|-|n\/?a|null|none|nan|missing|unknown)$/i.test(text.trim()))
    if (gap !== undefined) notes.push(`${show(gap)} is one of the values; if it stands for a gap, add it to missingValues`)
    const rare = [...kinds.values()].filter((n) => n === 1).length
    if (role === 'target' && rare > 0 && count >= MANY) notes.push(`${rare} of the classes ${rare === 1 ? 'has' : 'have'} a single row`)
  }
  if (as === 'category' && hasAllKinds && [...kinds.keys()].every(hasComma)) notes.push('its values are numbers with commas')
  if (as === 'category' || as === 'hash') notes.push(...unreadNotes(stats).filter((note) => as === 'hash' || !note.startsWith('if what')))
  return notes
}

/** Two values that differ in case or blanks alone, if there are such. */
function nearlyAlike(values: readonly string[]): [string, string] | undefined {
  const seen = new Map<string, string>()
  for (const value of values) {
    const plain = value.trim().toLowerCase()
    const other = seen.get(plain)
    if (other !== undefined) return [other, value]
    seen.set(plain, value)
  }
  return undefined
}

/** Number of words from which on a value counts as free text. */
const WORDS_OF_A_TEXT = 4

/** Notes on text that contains more information than its categories: numbers or dates in human formats, or free text. */
function unreadNotes({ count, numbers, firstStray, written, isFormatted }: ColumnStats): string[] {
  const { way, reason, example } = written
  if (isFormatted) return reason === undefined ? [] : [reason]
  const text = String(firstStray?.[1])
  if (written.count < count && text.trim().split(/\s+/).length >= WORDS_OF_A_TEXT)
    return ['if what it says matters, give vectors of a text encoder instead, each of their numbers in a column of its own']
  if (numbers > 0 || written.count < count || way === null) return []
  return [`${show(example)} looks like ${way.first === undefined ? 'a number' : 'a date'}, and formatted: true reads such columns`]
}

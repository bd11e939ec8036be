/** Numbers and dates as people write them: $1,250.00, 8.9 %, (300), 70 kg, 31.12.2024. */
import { show } from '../../common/show.js'
import type { Decimal } from '../formats/decimals.js'
import { dateOf, daysOf, numberOf } from './values.js'

/** The format of the values of a column, derived from all of them. */
export interface WrittenAs {
  /** The text before or after each number, such as `$`, `%` or `kg`; empty for numbers with only signs between thousands, or parentheses. */
  unit?: string
  /** The decimal sign; the other one of the two is between thousands. */
  decimal?: Decimal
  /** For dates: the part that comes first. */
  first?: 'day' | 'month'
}

/** @internal A number with its sign, and the text around it. */
export const AMOUNT =
  /^(?<open>\()?(?<sign1>[+\-−])? ?(?<before>(?:[A-Z]{0,3}[$€£¥₹]|USD|EUR|GBP|CHF|JPY)?) ?(?<open2>\()?(?<sign2>[+\-−])? ?(?<digits>\d[\d.,' \u00a0\u202f]*|[.,]\d+ ?)(?<unit>[^\d\s().,][^\d()]{0,11}[²³]?|)(?<close>\))?$/u
/** @internal A day, with or without a time; years of two digits are 1969 to 2068, as in POSIX. */
export const DAY = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:,? (\d{1,2}:\d\d(?::\d\d)?))?$/

/** @internal */
export interface Amount {
  unit: string
  value: number
}

/** @internal A number with a unit, or null for anything else. */
export function amountOf(text: string, decimal: Decimal): Amount | null {
  const { open, open2, close, sign1, sign2, before = '', digits = '', unit = '' } = AMOUNT.exec(text.trim())?.groups ?? {}
  if (digits === '' || (open !== undefined || open2 !== undefined) !== (close !== undefined)) return null
  if ((before !== '' && unit !== '') || (sign1 !== undefined && sign2 !== undefined)) return null
  const plain = plainNumber(digits.trim(), decimal)
  if (plain === null) return null
  const isNegative = close !== undefined || (sign1 ?? sign2 ?? '+') !== '+'
  return { unit: before || unit.trim(), value: isNegative ? -Number(plain) : Number(plain) }
}

/** @internal Groups of three digits with the same sign between all of them. The first group does not begin with a zero. */
export const GROUPED = {
  '.': /^[1-9]\d{0,2}(?<sign>[.' \u00a0\u202f])\d{3}(?:\k<sign>\d{3})*$/,
  ',': /^[1-9]\d{0,2}(?<sign>[,' \u00a0\u202f])\d{3}(?:\k<sign>\d{3})*$/,
}

/** Digits with a decimal point and nothing between thousands; null for anything else, or if thousands are not groups of three digits. */
function plainNumber(digits: string, decimal: Decimal): string | null {
  const [whole, fraction, ...more] = digits.split(decimal)
  if (more.length > 0 || (fraction !== undefined && !/^\d*$/.test(fraction))) return null
  const thousands = decimal === '.' ? ',' : '.'
  const isGrouped = GROUPED[thousands].test(whole)
  if (!/^\d*$/.test(whole) && !isGrouped) return null
  return `${whole.replace(/\D/g, '')}${fraction === undefined ? '' : `.${fraction}`}`
}

/** @internal Days since 1970 of a day in a human format; NaN for anything else, and for a day that does not exist. */
export function writtenDay(text: string, first: 'day' | 'month'): number {
  const [, a, sign, b, year, time] = DAY.exec(text.trim()) ?? []
  if (sign === undefined || (sign === '.' && first === 'month')) return Number.NaN
  const [day, month] = first === 'day' ? [a, b] : [b, a]
  const century = year.length === 4 ? '' : year < '69' ? '20' : '19'
  const clock = time === undefined ? '' : ` ${time.padStart(time.length + (time.indexOf(':') === 1 ? 1 : 0), '0')}`
  return daysOf(`${century}${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${clock}`)
}

/** @internal The number, or the days, that a value of a column stands for; NaN for a value in another format. */
export function readWritten({ unit, decimal, first }: WrittenAs, value: unknown): number {
  if (first !== undefined)
    return typeof value === 'string' && !DAY.test(value.trim())
      ? daysOf(value)
      : value instanceof Date
        ? daysOf(value)
        : writtenDay(String(value), first)
  if (typeof value === 'number') return numberOf(value)
  if (typeof value !== 'string') return Number.NaN
  const amount = amountOf(value, decimal ?? '.')
  return amount !== null && (amount.unit === unit || amount.unit === '') ? numberOf(amount.value) : Number.NaN
}

/**
 * @internal The human format of values; undefined if they do not all have the same format.
 * @param decimal the decimal sign, if the values leave it open
 */
export function wayOf(values: readonly unknown[], decimal?: Decimal): WrittenAs | undefined {
  const column = new WrittenColumn(undefined, undefined, decimal)
  return values.every((value, at) => column.add(at, value)) ? (column.way ?? undefined) : undefined
}

/** Units of money, in which a point before three digits is between thousands. */
const MONEY = /[$€£¥₹]|USD|EUR|GBP|CHF|JPY/

/** @internal Decides whether all values of a column have the same format. Once they do not, further values cost next to nothing. */
export class WrittenColumn {
  count = 0
  private ways: WrittenAs[] | null = null
  /** The first text in another format than the earlier ones. */
  private other: string | undefined
  private firstText = ''
  /** The first texts with a point and with a comma. */
  private readonly signed = { '.': '', ',': '' }

  /**
   * @param given the format of the values, if it is known
   * @param decimal the decimal sign, if the values leave it open
   */
  constructor(
    private readonly onRead?: (way: number, at: number, value: number | Date) => void,
    given?: WrittenAs,
    private readonly decimal?: Decimal,
  ) {
    if (given !== undefined) this.ways = [given]
  }

  /** @returns true if the column may still have one format */
  add(at: number, value: unknown): boolean {
    if (this.ways?.length === 0) return false
    const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
    if (this.count === 0) this.firstText = text
    if (this.ways === null) {
      const { unit } = amountOf(text, '.') ?? amountOf(text, ',') ?? {}
      this.ways = DAY.test(text)
        ? [{ first: 'day' }, { first: 'month' }]
        : unit === undefined
          ? []
          : [
              { unit, decimal: '.' },
              { unit, decimal: ',' },
            ]
    }
    // a number that is not text keeps its value, whatever the decimal sign of texts
    const read = (way: WrittenAs) =>
      way.first !== undefined ? writtenDay(text, way.first) : typeof value === 'number' && way.unit === '' ? value : amountIn(text, way)
    this.ways = this.ways.filter((way) => Number.isFinite(read(way)))
    if (this.ways.length === 0 && this.count > 0) this.other = text
    for (const way of this.ways)
      this.onRead?.(way.decimal === ',' || way.first === 'month' ? 1 : 0, at, way.first === undefined ? read(way) : dateOf(read(way)))
    if (typeof value === 'string')
      for (const sign of ['.', ','] as const) if (this.signed[sign] === '' && text.includes(sign)) this.signed[sign] = text
    this.count++
    return this.ways.length > 0
  }

  /** The format of the values; null if they do not all have the same format, or it is ambiguous. */
  get way(): WrittenAs | null {
    const [one, other] = this.ways ?? []
    if (one === undefined || this.reason !== undefined) return null
    if (other === undefined) return one
    if (this.decimal !== undefined) return this.decimal === ',' ? other : one
    return MONEY.test(one.unit ?? '') && this.signed['.'] !== '' ? other : one
  }

  /** The reason why there is no format, if values are similar but not all of one format. */
  get reason(): string | undefined {
    const { other, firstText, signed } = this
    if (other !== undefined) return `${show(firstText)} and ${show(other)} are not written in one way`
    if (this.ways?.length !== 2) return undefined
    // with points the day comes first
    if (this.ways[0].first !== undefined)
      return `${show(firstText)} may begin with the day or with the month, and no value tells; write dates as 2024-12-31`
    if (signed['.'] !== '' && signed[','] !== '') return `${show(signed['.'])} and ${show(signed[','])} are not written in one way`
    return undefined
  }

  /** True if no value decides whether its sign is decimal or between thousands: three digits follow each sign. */
  get isOpen(): boolean {
    return this.way !== null && this.ways?.length === 2 && (this.signed['.'] !== '' || this.signed[','] !== '')
  }

  /** The meaning given to the values, and the other possible meaning; undefined if they are unambiguous, or an option decided. */
  get doubt(): string | undefined {
    const { way, example } = this
    if (way === null || !this.isOpen || this.decimal !== undefined) return undefined
    const [decimal, value] = way.decimal === ',' ? ['.', ','] : [',', '.']
    const read = (sign: string) => readWritten({ ...way, decimal: sign as Decimal }, example)
    return `${show(example)} is taken for ${read(value)}; if it is ${read(decimal)}, say formatted: ${show(decimal)}`
  }

  /** An example of a value. */
  get example(): string {
    return this.signed['.'] || this.signed[','] || this.firstText
  }
}

/** The number of a text with the unit of a column; NaN for anything else. */
function amountIn(text: string, { unit, decimal = '.' }: WrittenAs): number {
  const amount = amountOf(text, decimal)
  return amount !== null && amount.unit === unit ? amount.value : Number.NaN
}

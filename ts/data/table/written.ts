/** Numbers and dates as people write them: $1,250.00, 8.9 %, (300), 70 kg, 31.12.2024. */
import { show } from '../../common/show.js'
import { daysOf, numberOf } from './values.js'

/** How the values of a column are written, found out from all of them. */
export interface WrittenAs {
  /** What stands before or behind each number, such as `$`, `%` or `kg`; empty for numbers that only have signs between thousands, or parentheses. */
  unit?: string
  /** What stands before decimals; the other one of the two stands between thousands. */
  decimal?: '.' | ','
  /** Of dates: what comes first. */
  first?: 'day' | 'month'
}

/** @internal A number with its sign, and what stands around it. */
export const AMOUNT =
  /^(?<open>\()?(?<sign1>[+\-−])? ?(?<before>(?:[A-Z]{0,3}[$€£¥₹]|USD|EUR|GBP|CHF|JPY)?) ?(?<open2>\()?(?<sign2>[+\-−])? ?(?<digits>\d[\d.,' \u00a0\u202f]*|[.,]\d+ ?)(?<unit>[^\d\s().,][^\d()]{0,11}[²³]?|)(?<close>\))?$/u
/** @internal A day, with or without a time; of two digits of a year, 69 to 99 are of the last century, as in POSIX. */
export const DAY = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:,? (\d{1,2}:\d\d(?::\d\d)?))?$/

/** @internal */
export interface Amount {
  unit: string
  value: number
}

/** @internal A number with a unit, or null for anything else. */
export function amountOf(text: string, decimal: '.' | ','): Amount | null {
  const { open, open2, close, sign1, sign2, before = '', digits = '', unit = '' } = AMOUNT.exec(text.trim())?.groups ?? {}
  if (digits === '' || (open !== undefined || open2 !== undefined) !== (close !== undefined)) return null
  if ((before !== '' && unit !== '') || (sign1 !== undefined && sign2 !== undefined)) return null
  const plain = plainNumber(digits.trim(), decimal)
  if (plain === null) return null
  const isNegative = close !== undefined || (sign1 ?? sign2 ?? '+') !== '+'
  return { unit: before || unit.trim(), value: isNegative ? -Number(plain) : Number(plain) }
}

/** @internal Groups of three digits with one sign between all of them. */
export const GROUPED = {
  '.': /^\d{1,3}(?<sign>[.' \u00a0\u202f])\d{3}(?:\k<sign>\d{3})*$/,
  ',': /^\d{1,3}(?<sign>[,' \u00a0\u202f])\d{3}(?:\k<sign>\d{3})*$/,
}

/** Digits with a point before decimals and nothing between thousands; null where they are none, or thousands are no groups of three digits. */
function plainNumber(digits: string, decimal: '.' | ','): string | null {
  const [whole, fraction, ...more] = digits.split(decimal)
  if (more.length > 0 || (fraction !== undefined && !/^\d*$/.test(fraction))) return null
  const thousands = decimal === '.' ? ',' : '.'
  const isGrouped = GROUPED[thousands].test(whole)
  if (!/^\d*$/.test(whole) && !isGrouped) return null
  return `${whole.replace(/\D/g, '')}${fraction === undefined ? '' : `.${fraction}`}`
}

/** @internal Days since 1970 of a day as people write it; NaN for anything else, and for a day that there is not. */
export function writtenDay(text: string, first: 'day' | 'month'): number {
  const [, a, sign, b, year, time] = DAY.exec(text.trim()) ?? []
  if (sign === undefined || (sign === '.' && first === 'month')) return Number.NaN
  const [day, month] = first === 'day' ? [a, b] : [b, a]
  const century = year.length === 4 ? '' : year < '69' ? '20' : '19'
  const clock = time === undefined ? '' : ` ${time.padStart(time.length + (time.indexOf(':') === 1 ? 1 : 0), '0')}`
  return daysOf(`${century}${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${clock}`)
}

/** @internal The number, or the days, that a value of a column stands for; NaN for one that is not written so. */
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

/** @internal How values are written for people; undefined where they are not all written in one way. */
export function wayOf(values: readonly unknown[]): WrittenAs | undefined {
  const column = new WrittenColumn()
  return values.every((value, at) => column.add(at, value)) ? (column.way ?? undefined) : undefined
}

/** @internal Finds out whether all values of a column are written in one way. What it is given until it knows that they are not costs next to nothing. */
export class WrittenColumn {
  /** Why not, where values are alike but not all in one way. */
  reason: string | undefined
  private ways: WrittenAs[] | null = null
  private firstText = ''
  private signed = ''
  private hasPoint = false
  private hasComma = false
  count = 0
  /** Whether each sign that may stand before decimals is followed by three digits. */
  private hasOnlyThousands = true

  /** @param given how values are written, where it is known */
  constructor(
    private readonly onRead?: (way: number, at: number, value: number | Date) => void,
    given?: WrittenAs,
  ) {
    if (given !== undefined) this.ways = [given]
  }

  /** @returns whether the column may still be one */
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
    const before = this.ways
    const read = (way: WrittenAs) => (way.first === undefined ? (amountIn(text, way)?.value ?? Number.NaN) : writtenDay(text, way.first))
    this.ways = before.filter((way) => Number.isFinite(read(way)))
    if (this.ways.length === 0 && this.count > 0) this.reason = `${show(this.firstText)} and ${show(text)} are not written in one way`
    for (const way of this.ways)
      this.onRead?.(
        way.decimal === ',' || way.first === 'month' ? 1 : 0,
        at,
        way.first === undefined ? read(way) : new Date(read(way) * 864e5),
      )
    this.hasPoint ||= text.includes('.')
    this.hasComma ||= text.includes(',')
    if (this.signed === '' && /[.,]/.test(text)) this.signed = text
    if (/[.,]/.test(text) && !/^\D*\d{1,3}([.,]\d{3})+\D*$/.test(text)) this.hasOnlyThousands = false
    this.count++
    return this.ways.length > 0
  }

  /** How the values are written; null where they are not all written in one way, or it is not known which way. */
  get way(): WrittenAs | null {
    const [one, other] = this.ways ?? []
    if (one === undefined) return null
    if (other === undefined) return one
    if (one.first !== undefined) {
      // with points the day comes first
      this.reason = `${show(this.firstText)} may begin with the day or with the month, and no value tells; write dates as 2024-12-31`
      return null
    }
    // money has no three decimals
    const isMoney = /[$€£¥₹]|USD|EUR|GBP|CHF|JPY/.test(one.unit ?? '')
    return isMoney && this.hasOnlyThousands && this.hasPoint && !this.hasComma ? other : one
  }

  /** An example of a value. */
  get example(): string {
    return this.signed || this.firstText
  }
}

function amountIn(text: string, { unit, decimal = '.' }: WrittenAs): Amount | null {
  const amount = amountOf(text, decimal)
  return amount?.unit === unit ? amount : null
}

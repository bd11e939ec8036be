/** Numbers as other countries and spreadsheets write them: 1.234,5 in much of Europe, 1,234.5 in others. */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'

/** What stands before decimals. */
export type Decimal = '.' | ','
/** What stands between thousands; a blank stands for those that do not break a line, too. */
export type Thousands = '.' | ',' | ' ' | "'"

const DECIMALS = ['.', ',']
const THOUSANDS = ['.', ',', ' ', "'"]

/**
 * @internal What makes plain numbers of the values of a table: `1.234,5` becomes `1234.5`, and what is no number stays. Null where all
 * numbers are plain already.
 * @throws RangeError for another sign, or the same for both; by what it returns, for a number that is plain although `decimal` is a comma and
 *   so means one thing to who wrote it and another to who reads it
 */
export function numberReader(
  name: string,
  decimal: Decimal = '.',
  thousands: Thousands | undefined = decimal === ',' ? '.' : undefined,
): ((text: string, line: number) => string) | null {
  if (!DECIMALS.includes(decimal)) throw rangeError(`${name}: decimal wants '.' or ',', got ${show(decimal)}`)
  if (thousands !== undefined && !THOUSANDS.includes(thousands))
    throw rangeError(`${name}: thousands wants one of . , ' and a blank, got ${show(thousands)}`)
  if (thousands === decimal) throw rangeError(`${name}: decimal and thousands are both ${show(decimal)}; numbers cannot be read so`)
  if (thousands === undefined && decimal === '.') return null
  const between = thousands === ' ' ? '[ \u00a0\u202f]' : thousands === undefined ? '(?!)' : `\\${thousands}`
  const point = `\\${decimal}`
  const grouped = new RegExp(`^[+-]?[1-9]\\d{0,2}(${between}\\d{3})+(${point}\\d*)?$`)
  const separators = new RegExp(between, 'g')
  const single = new RegExp(`^[+-]?(\\d+${point}\\d*|${point}\\d+)(e[+-]?\\d+)?$`, 'i')
  return (value, line) => {
    const text = value.trim()
    if (grouped.test(text)) return text.replace(separators, '').replace(decimal, '.')
    if (single.test(text)) return text.replace(decimal, '.')
    if (decimal === ',' && /^[+-]?\d*\.\d*(e[+-]?\d+)?$/i.test(text) && /\d/.test(text))
      throw rangeError(`${name}: line ${line} has ${show(value)}, a point before decimals, where decimal says that a comma is`)
    return value
  }
}

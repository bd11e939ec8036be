/** Numbers as other countries and spreadsheets write them: 1.234,5 in much of Europe, 1,234.5 in others. */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'

/** The decimal sign. */
export type Decimal = '.' | ','
/** The sign between thousands; a blank also stands for non-breaking blanks. */
export type Thousands = '.' | ',' | ' ' | "'"

export const DECIMALS: readonly Decimal[] = ['.', ',']
export const THOUSANDS: readonly Thousands[] = ['.', ',', ' ', "'"]

/**
 * @internal A function that converts the values of a table to plain numbers: `1.234,5` becomes `1234.5`, and other texts stay. Null if all numbers
 * are already plain.
 * @throws RangeError for the same sign for both; the returned function throws for a plain number although `decimal` is a comma,
 * since its meaning is ambiguous
 */
export function numberReader(
  name: string,
  decimal: Decimal = '.',
  thousands: Thousands | undefined = decimal === ',' ? '.' : undefined,
): ((text: string, line: number) => string) | null {
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

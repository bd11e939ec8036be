/** Reading of option values: each reader throws an error that describes the allowed values. */
import { InvalidArgumentError } from 'commander'
import { nearest } from '../../common/nearest.js'

/** Range of a number. */
interface NumberRange {
  min?: number
  max?: number
  /** The number must be greater than this. */
  above?: number
  whole?: boolean
}

/** The number that a text has; NaN for blanks, which `Number` reads as 0. */
export function numberFrom(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

/** A reader for numbers in a range. */
export function numberIn(range: NumberRange): (text: string) => number {
  return (text) => {
    const value = numberFrom(text)
    const { min = Number.NEGATIVE_INFINITY, max = Number.MAX_SAFE_INTEGER, above = Number.NEGATIVE_INFINITY, whole = false } = range
    const fits = Number.isFinite(value) && value >= min && value <= max && value > above && (!whole || Number.isInteger(value))
    if (!fits) throw new InvalidArgumentError(`Wants ${describeRange(range)}.`)
    return value
  }
}

/** `a whole number from 1 to 1000`; --help shows it, too. */
export function describeRange({ min, max, above, whole }: NumberRange): string {
  const parts = [whole ? 'a whole number' : 'a number']
  if (above !== undefined) parts.push(`above ${above}`)
  if (min !== undefined) parts.push(`from ${min}`)
  if (max !== undefined) parts.push(`${min === undefined ? 'up to' : 'to'} ${max}`)
  return parts.join(' ')
}

/** A reader for one of some names, upper or lower case, with dashes or without. */
export function oneOf<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const found = names.find((name) => plain(name) === plain(text))
    if (found !== undefined) return found
    const near = nearest(text, names)
    throw new InvalidArgumentError(
      near === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${near}? There are ${names.join(', ')}.`,
    )
  }
}

/** A reader for durations: `60`, `60s`, `5m`, `1.5h`, in seconds. */
export function seconds(text: string): number {
  const [, number, unit] = /^([\d.]+)\s*(s|sec|m|min|h)?$/i.exec(text.trim()) ?? []
  const value = Number(number) * ({ m: 60, h: 3600 }[(unit ?? 's')[0].toLowerCase()] ?? 1)
  if (!(value >= 1 && value <= 1e6)) throw new InvalidArgumentError('Wants a duration of a second or more, such as 60s, 5m or 1h.')
  return value
}

const MAX_LAYERS = 32
const width = numberIn({ min: 1, max: 65536, whole: true })

/** A reader for sizes of hidden layers: `128`, `512,256`, `none`. */
export function layerSizes(text: string): number[] {
  if (plain(text) === 'none') return []
  const sizes = text.split(',')
  if (sizes.length > MAX_LAYERS) throw new InvalidArgumentError(`Wants at most ${MAX_LAYERS} layers.`)
  try {
    return sizes.map(width)
  } catch {
    throw new InvalidArgumentError('Wants whole numbers from 1 to 65536 with commas between, such as 128 or 512,256; or none.')
  }
}

const plain = (name: string) => name.toLowerCase().replace(/[-_ ]/g, '')

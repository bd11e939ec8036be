/** Checks of saved values that are loaded, perhaps from JSON or from a stranger, before anything is made from them. */

import { checkCount } from './checks.js'
import { NonFiniteError, rangeError, typeError } from './errors.js'
import { show } from './show.js'

/** Saved numbers: a typed array, its JSON form, `{"0": 0.5, "1": 2}`, or a plain array. */
export type SavedNumbers = Parameters<typeof savedNumbers>[0]

/**
 * @internal saved numbers in their order. A typed array may hold NaN and infinities, which are returned. In JSON every value must be a finite number:
 * JSON writes null for NaN and infinities, which would come back as 0.
 * @param what their name in messages
 * @throws TypeError for keys that are not 0, 1, 2 … and for values that are not numbers; RangeError for numbers that are not finite
 */
export function savedNumbers(saved: ArrayLike<number> | Readonly<Record<string, number>>, what: string): ArrayLike<number> {
  if (ArrayBuffer.isView(saved) && 'length' in saved) return saved as ArrayLike<number>
  if (typeof saved !== 'object' || saved === null) throw typeError(`${what}: wants numbers in an array, got ${show(saved)}`)
  const values = Array.isArray(saved) ? (saved as unknown[]) : valuesInOrder(saved, what)
  for (let i = 0; i < values.length; i++) checkNumber(values[i], `${what}: value ${i}`)
  return values as number[]
}

function valuesInOrder(saved: object, what: string): unknown[] {
  const keys = Object.keys(saved)
  const wrong = keys.findIndex((key, i) => key !== String(i))
  if (wrong >= 0) throw typeError(`${what}: wants values by the keys 0, 1, 2 …, got ${show(keys[wrong])} in the place of ${wrong}`)
  return Object.values(saved)
}

function checkNumber(value: unknown, what: string): void {
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (typeof value === 'number') throw rangeError(`${what} wants a finite number, got ${value}`)
  const hint = value === null ? ', which JSON writes for NaN and infinities; encodeState keeps those' : ''
  throw typeError(`${what} wants a number, got ${show(value)}${hint}`)
}

/** @internal @throws RangeError for the format of a later version, such as gradus-model/2 for gradus-model/1 */
export function refuseLater(who: string, found: unknown, known: string): void {
  if (typeof found === 'string' && found !== known && found.startsWith(known.replace(/\d+$/, '')))
    throw rangeError(`${who}: the file has the format ${show(found)}, this version of gradus reads ${known}; use a newer one`)
}

/** Readers of files whose format is not that of a model or a state alone. */
const READERS: Readonly<Record<string, string>> = {
  head: 'loadHead',
  'multi-label-head': 'loadMultiLabelHead',
  series: 'loadSeriesModel',
  images: 'loadImageModel',
  'table-model': 'loadTableModel',
}

/** @internal the reader of a file, by the formats in a text such as its metadata; undefined for a model or a state alone */
export function readerOf(text: string): string | undefined {
  const names = Array.from(text.matchAll(/gradus-([a-z-]+)\/\d/g), ([, name]) => name)
  return READERS[names.find((name) => Object.hasOwn(READERS, name)) ?? '']
}

/**
 * @internal refuses the parts of a file unless the right one has this format. @param what such as `head of trainHead` @throws TypeError that names the reader
 */
export function checkFormat(who: string, what: string, file: unknown, part: string, format: string): void {
  const parts = Object(file) as Record<string, { format?: unknown } | null | undefined>
  const found = parts[part]?.format
  refuseLater(who, found, format)
  if (found === format) return
  const formats = Object.values(parts).map((value) => String(value?.format))
  const reader = readerOf(formats.join(' '))
  throw typeError(`${who}: this file holds no ${what}; ${reader ?? (parts.model === undefined ? 'loadState' : 'loadModel')} reads it`)
}

/** @internal a saved number of steps or of draws. @throws RangeError unless it is a whole number from 0 */
export function savedCount(value: unknown, what: string): number {
  checkCount(what, value, 0)
  return value as number
}

/** @internal saved numbers by name; any of them may be infinite or NaN. @throws TypeError for anything but a number */
export function savedScalars(saved: Readonly<Record<string, unknown>>, what: string): Record<string, number> {
  if (typeof saved !== 'object' || saved === null) throw typeError(`${what} wants numbers by name, got ${show(saved)}`)
  for (const [name, value] of Object.entries(saved))
    if (typeof value !== 'number') throw typeError(`${what}: '${name}' wants a number, got ${show(value)}`)
  return { ...saved } as Record<string, number>
}

/**
 * @internal Refuses weights of a training that diverged, at saving and at loading. Buffers may be infinite: they may be masks. A parameter is known by its
 * method: with the class files of any state would bring the whole engine along.
 * @param what the tensor's name
 * @throws NonFiniteError
 */
export function checkSaved(what: string, p: object, values: ArrayLike<number>): void {
  const isGood = 'gradientView' in p ? Number.isFinite : (value: number) => !Number.isNaN(value)
  for (let i = 0; i < values.length; i++)
    if (!isGood(values[i]))
      throw new NonFiniteError(`${what} is ${values[i]} at position ${i}, as where training diverged; take weights from before`)
}

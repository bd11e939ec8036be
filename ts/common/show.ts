/** Short descriptions of arguments of any kind, for messages. */

import { isForeign, OF_ANOTHER_COPY } from './copies.js'

const LONGEST = 40
const MAX_NAMES = 6

/**
 * @internal `'text'`, `3`, `null`, `a function`, `the class Adam`, `an array of 2`, `a Float32Array of 2`, `a Sequential`, `an invalid Date`,
 * `a Promise (await it)`, `a generator`, `an object with lr`
 */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${shortened(value)}'`
  if (typeof value === 'function') return /^class\b/.test(String(value)) ? `the class ${shortened(value.name)}` : 'a function'
  if (typeof value === 'bigint') return `${shortened(String(value))}n`
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  const name = className(value)
  if (name === 'Promise') return 'a Promise (await it)'
  if (name === 'Date' && Number.isNaN(Number(value))) return 'an invalid Date'
  if (/Generator$/.test(Object.prototype.toString.call(value).slice(8, -1))) return 'a generator'
  if (!name || name === 'Object') return `an object with ${namesIn(value)}`
  const more = isForeign(value) ? OF_ANOTHER_COPY : ArrayBuffer.isView(value) && 'length' in value ? ` of ${value.length}` : ''
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}${more}`
}

/** @internal a text for a message, shortened if it is long */
export function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function className(value: object): string {
  const name: unknown = ((value.constructor ?? Object) as { name?: unknown }).name
  if (typeof name !== 'string') return ''
  // bundlers put a _ before the name of a class that uses itself
  return shortened(name.replace(/^_/, ''))
}

function namesIn(value: object): string {
  const names = Object.keys(value)
  if (names.length === 0) return 'nothing'
  return names.slice(0, MAX_NAMES).map(shortened).join(', ') + (names.length > MAX_NAMES ? ' …' : '')
}

/** A message shows no more than this many names of a list, and this many characters. */
const LONGEST_LIST = 12
const LONGEST_LINE = 160

/**
 * @internal names that the caller gave, such as columns or categories, for a message: all names of a short list; the first names and the number of a
 *   long one
 */
export function showNames(names: readonly string[]): string {
  const shown: string[] = []
  let length = 0
  for (const name of names.slice(0, LONGEST_LIST)) {
    const text = shortened(name)
    if ((length += text.length + 2) > LONGEST_LINE) break
    shown.push(text)
  }
  return shown.join(', ') + (shown.length < names.length ? `, … (${names.length} in all)` : '')
}

/** What was passed, for messages: short enough to read whatever it is. */

import { isForeign, OF_ANOTHER_COPY } from './copies.js'

const LONGEST = 40
const MOST_NAMES = 6

/**
 * @internal `'text'`, `3`, `null`, `a function`, `the class Adam`, `an array of 2`, `a Float32Array of 2`, `a Sequential`,
 * `an object with lr`
 */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${shortened(value)}'`
  if (typeof value === 'function') return /^class\b/.test(String(value)) ? `the class ${value.name}` : 'a function'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  // bundlers put a _ before the name of a class that uses itself
  const name = ((value.constructor ?? Object) as { name?: string }).name?.replace(/^_/, '')
  if (!name || name === 'Object') return `an object with ${namesIn(value)}`
  const more = isForeign(value) ? OF_ANOTHER_COPY : ArrayBuffer.isView(value) && 'length' in value ? ` of ${value.length}` : ''
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}${more}`
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function namesIn(value: object): string {
  const names = Object.keys(value)
  if (names.length === 0) return 'nothing'
  return names.slice(0, MOST_NAMES).map(shortened).join(', ') + (names.length > MOST_NAMES ? ' …' : '')
}

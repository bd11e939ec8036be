/** Allowed values of optimizer options, and errors that name the option, the value and the allowed range. */

import { checkChoice } from '../../common/checks.js'
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'

export { checkName, checkNames, list } from '../../common/names.js'

/** An interval of numbers; `open` ends are not allowed themselves. */
export interface Range {
  min: number
  max: number
  openMin?: boolean
  openMax?: boolean
}

/** Allowed values of an option: a range of numbers, or a list of values. Without either, the type of its default decides. */
export type Allowed = Range | readonly (string | number | boolean | null)[]

export const nonNegative: Range = { min: 0, max: Infinity, openMax: true }
export const positive: Range = { min: 0, max: Infinity, openMin: true, openMax: true }
/** A decay constant: 0 forgets at once, 1 would never learn. */
export const decay: Range = { min: 0, max: 1, openMax: true }
const anyNumber: Range = { min: -Infinity, max: Infinity, openMin: true, openMax: true }

/** Ranges by name of the option, for all optimizers; a class adds to them with `static allowed`. */
const RANGES: Readonly<Record<string, Allowed>> = {
  learningRate: nonNegative,
  weightDecay: nonNegative,
  momentum: nonNegative,
  epsilon: nonNegative,
  beta: decay,
  beta1: decay,
  beta2: decay,
  beta3: decay,
}

/** @throws RangeError or TypeError naming the option, the value and the allowed values */
export function checkOption(
  owner: string,
  name: string,
  value: unknown,
  usual: unknown,
  allowed: Allowed | undefined = RANGES[name],
): void {
  if (Array.isArray(allowed)) checkChoice(`${owner}: ${name}`, value, allowed)
  else if (allowed !== undefined || typeof usual === 'number') {
    checkNumber(owner, name, value, (allowed as Range | undefined) ?? anyNumber)
  } else if (typeof usual === 'boolean') checkChoice(`${owner}: ${name}`, value, [true, false])
}

/**
 * An object with the same values whose properties check assigned values and then call `changed`. `raw` keeps the values, so that hot code reads plain
 * properties.
 */
export function checked<O extends object>(raw: O, check: (name: string, value: unknown) => void, changed: (name: string) => void): O {
  const guarded = {}
  for (const name of Object.keys(raw) as (keyof O & string)[]) {
    Object.defineProperty(guarded, name, {
      enumerable: true,
      get: () => raw[name],
      set: (value) => {
        check(name, value)
        const before = raw[name]
        raw[name] = value
        try {
          changed(name)
        } catch (error) {
          raw[name] = before
          throw error
        }
      },
    })
  }
  return Object.seal(guarded) as O
}

/** Saved options. JSON writes null for an infinite number, which is put back here. */
export function fromJson(saved: Readonly<Record<string, unknown>>, defaults: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const read = (name: string, value: unknown) => (value === null && typeof defaults[name] === 'number' ? Infinity : value)
  return Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, read(name, value)]))
}

function checkNumber(owner: string, name: string, value: unknown, range: Range): void {
  const { min, max, openMin = false, openMax = false } = range
  const fits = typeof value === 'number' && (openMin ? value > min : value >= min) && (openMax ? value < max : value <= max)
  if (!fits) throw rangeError(`${owner}: ${name} wants ${describe(range)}, got ${show(value)}`)
}

function describe({ min, max, openMin, openMax }: Range): string {
  if (min === -Infinity && max === Infinity) return 'a finite number'
  if (max === Infinity) return `a finite number ${openMin ? '>' : '≥'} ${min}`
  return `a number in ${openMin ? '(' : '['}${min}, ${max}${openMax ? ')' : ']'}`
}

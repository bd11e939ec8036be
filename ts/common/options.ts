/**
 * Options are declared once: what each may be, its default and its other names stand in a {@link Schema}, beside the interface that
 * users see. `readOptions` checks what a public call was given and fills the defaults in. CONTRIBUTING.md says how to add an option.
 *
 * A schema is a plain object of literals, so that bundlers can leave it out where nothing reads it.
 */
import { rangeError, typeError } from './errors.js'
import { list, unknownName } from './names.js'
import { nearest } from './nearest.js'
import { show } from './show.js'

/** An interval of numbers; `open` ends are not allowed themselves. An end that is left out is infinite and open. */
export interface Range {
  min?: number
  max?: number
  openMin?: boolean
  openMax?: boolean
  /** True if only whole numbers are allowed. */
  whole?: boolean
  /** The unit for messages, such as seconds. */
  unit?: string
  /** Allowed values besides the numbers, such as `'full'`. */
  or?: readonly unknown[]
}

/** A kind of value, such as a function, that is neither a number in a range nor a value from a list. */
export interface Kind {
  /** The text of messages: `loss wants a function, such as mse`. */
  wants: string
  fits(value: unknown): boolean
  /** The end of a message about this value, such as `; import it`. */
  remedy?(value: unknown): string
}

/** The allowed values of an option: a range of numbers, a list of values, or a kind of value. */
export type Allowed = Range | readonly (string | number | boolean | null)[] | Kind

/** The declaration of one option. */
export interface Option<T = unknown> {
  readonly is: Allowed
  /** The value that is used if none is given. */
  readonly default?: T
  /** Names of this option in other libraries, for the hint "did you mean". */
  readonly aka?: readonly string[]
  /** The options within this one, for "did you mean read: { header }". */
  readonly holds?: object
}

/** A declaration for each option of an interface, no more and no fewer; required ones are marked. */
export type Schema<O> = {
  readonly [K in keyof Required<O>]: Option<Exclude<O[K], undefined>> & { readonly required?: true }
}

/** Options after reading: those with a default are always present. */
export type Read<O, S> = O & {
  [K in keyof O & keyof S as S[K] extends { readonly default: unknown } ? K : never]-?: Exclude<O[K], undefined>
}

/** A schema of any options. */
export type AnySchema = Readonly<Record<string, Option & { readonly required?: true }>>

export const finite: Range = {}
export const nonNegative: Range = { min: 0 }
export const positive: Range = { min: 0, openMin: true }
/** A time in seconds. */
export const seconds: Range = { min: 0, openMin: true, unit: 'seconds' }
/** Numbers from 0 on; Infinity is allowed, for "no limit". */
export const atLeast0: Range = { min: 0, max: Infinity }
/** Numbers from 1 on; Infinity is allowed, for "no limit". */
export const atLeast1: Range = { min: 1, max: Infinity }
/** A decay constant: 0 forgets at once, 1 would never learn. */
export const decay: Range = { min: 0, max: 1, openMax: true }
/** Part of a whole: above 0 and below 1. */
export const fraction: Range = { min: 0, max: 1, openMin: true, openMax: true }
/** Part of a whole: from 0 to 1, both allowed. */
export const share: Range = { min: 0, max: 1 }
/** A whole number from 1. */
export const count: Range = { min: 1, whole: true }
/** A whole number from 0. */
export const countFrom0: Range = { min: 0, whole: true }
/** A seed of random numbers. */
export const seed: Range = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true }
export const flag = [true, false] as const
export const text: Kind = { wants: 'a text', fits: (value) => typeof value === 'string' }
export const handler: Kind = { wants: 'a function', fits: isFunction }
export const array: Kind = { wants: 'an array', fits: Array.isArray }
export const object: Kind = { wants: 'an object', fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) }
export const signal: Kind = {
  wants: 'an AbortSignal, the signal of an AbortController',
  fits: (value) => typeof (value as AbortSignal | null)?.aborted === 'boolean',
}
/** Any value: the code that uses it checks it. */
export const anything: Kind = { wants: 'a value', fits: () => true }

/** True if a value is a function. */
export function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/**
 * Checks the options of a call: their names and values.
 * @param carried further names that may be there and are not checked
 * @returns the options
 * @throws TypeError, RangeError: `<who>: <option> wants X, got Y`
 */
export function checkOptions<O extends object>(who: string, given: O, schema: AnySchema, carried: readonly string[] = []): O {
  if (!object.fits(given)) throw typeError(`${who}: wants options as an object, { ${Object.keys(schema)[0]}: … }, got ${show(given)}`)
  const options = given as Record<string, unknown>
  for (const name in options) if (!Object.hasOwn(schema, name) && !carried.includes(name)) throw unknownOption(who, name, schema)
  for (const name in schema) {
    const { is, required } = schema[name]
    if (required || options[name] !== undefined) checkValue(`${who}: ${name}`, options[name], is)
  }
  return given
}

/** The error for an option that is not there, with the name that was meant. */
function unknownOption(owner: string, given: string, schema: AnySchema): RangeError {
  const names = Object.keys(schema)
  const others = names.flatMap((name) => {
    const { aka = [], holds = {} } = schema[name]
    return [...aka.map((other) => [other, name]), ...Object.keys(holds).map((part) => [part, `${name}: { ${part} }`])]
  })
  return unknownName(owner, given, names, Object.fromEntries(others))
}

/**
 * The checked options of a call, with defaults for those that were not given. Names that are `carried` are left out.
 * @throws TypeError, RangeError: `<who>: <option> wants X, got Y`
 */
export function readOptions<O extends object, const S extends Schema<O>>(
  who: string,
  given: O,
  schema: S,
  carried?: readonly string[],
): Read<O, S> {
  const options = checkOptions(who, given, schema as unknown as AnySchema, carried) as Record<string, unknown>
  const read: Record<string, unknown> = {}
  for (const name in schema) {
    const value = options[name] === undefined ? (schema[name] as Option).default : options[name]
    if (value !== undefined) read[name] = value
  }
  return read as Read<O, S>
}

/** Selects the given options that are in a schema. */
export function pickOptions<O extends object, S extends object>(options: O, schema: S): Pick<O, keyof O & keyof S> {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => name in schema && value !== undefined)) as Pick<
    O,
    keyof O & keyof S
  >
}

/** @throws RangeError for a number or choice, TypeError for another kind, that is not allowed: `<what> wants X, got Y` */
export function checkValue(what: string, value: unknown, allowed: Allowed): void {
  if (isAllowed(value, allowed)) return
  const near = isChoice(allowed) && typeof value === 'string' && nearest(value, allowed.map(String))
  const [error, remedy] = isKind(allowed) ? [typeError, allowed.remedy?.(value) ?? ''] : [rangeError, near ? `; did you mean ${near}?` : '']
  throw error(`${what} wants ${describe(allowed)}, got ${show(value)}${remedy}`)
}

/** True if a value is allowed. */
export function isAllowed(value: unknown, allowed: Allowed): boolean {
  if (isChoice(allowed)) return allowed.includes(value as string)
  if (isKind(allowed)) return allowed.fits(value)
  const { min = -Infinity, max = Infinity, openMin = min === -Infinity, openMax = allowed.max === undefined, whole, or } = allowed
  if (or?.includes(value)) return true
  if (typeof value !== 'number' || (whole && !Number.isInteger(value))) return false
  return (openMin ? value > min : value >= min) && (openMax ? value < max : value <= max)
}

/** The allowed values in words, for messages: `a number above 0`. */
export function describe(allowed: Allowed): string {
  if (isChoice(allowed)) return list(allowed.map(show))
  if (isKind(allowed)) return allowed.wants
  const { min, max, openMin, openMax, whole, unit, or = [] } = allowed
  const noun = whole ? 'a whole number' : max === undefined && !openMin ? 'a finite number' : unit ? `a number of ${unit}` : 'a number'
  let limits = ''
  if (max !== undefined && max < Infinity) {
    if (openMin && openMax) limits = ` above ${min} and below ${max}`
    else if (openMin || openMax) limits = ` in ${openMin ? '(' : '['}${min}, ${max}${openMax ? ')' : ']'}`
    else limits = ` from ${min} to ${max === Number.MAX_SAFE_INTEGER ? '2⁵³ − 1' : max}`
  } else if (min !== undefined) limits = ` ${openMin ? 'above' : '≥'} ${min}`
  return list([noun + limits, ...or.map(show)])
}

function isChoice(allowed: Allowed): allowed is readonly (string | number | boolean | null)[] {
  return Array.isArray(allowed)
}

function isKind(allowed: Allowed): allowed is Kind {
  return 'fits' in allowed
}

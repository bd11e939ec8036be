/** Checks of the values in a link, which anybody can make. Values that a check refuses are ignored, and the default stays. */
import { MAX_STEPS } from './engine/max-steps'
import { FIRST_ORDER, METHODS } from './methods'
import { SCHEDULES } from './schedules/choice'

export type Check = (value: unknown) => boolean

/** A check for each part of a state. */
export type Checks<State> = { readonly [name in keyof State]: Check }

/** A number within these. */
export const number =
  (low: number, high: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high

/** A whole number within these. */
export const whole =
  (low: number, high: number): Check =>
  (value) =>
    Number.isInteger(value) && number(low, high)(value)

/** A text that is not longer than this. */
export const text =
  (longest: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= longest

export const flag: Check = (value) => typeof value === 'boolean'

export const oneOf =
  (names: readonly unknown[]): Check =>
  (value) =>
    names.includes(value)

export const list =
  (part: Check, most: number, least = 0): Check =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.length <= most && value.every(part)

/** All of these fields, perhaps some of the others, and no more. */
export const record =
  (fields: Readonly<Record<string, Check>>, others: Readonly<Record<string, Check>> = {}): Check =>
  (value) =>
    isRecord(value) &&
    Object.entries(fields).every(([name, check]) => Object.hasOwn(value, name) && check(value[name])) &&
    Object.entries(value).every(([name, part]) => Object.hasOwn(fields, name) || (Object.hasOwn(others, name) && others[name](part)))

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

export const SEED = whole(0, 1e6)
export const RATE = number(0, 1e6)
/** A step of a training. */
export const STEP = whole(0, MAX_STEPS)

/** Options of an optimizer: numbers and switches by names as options have them. */
export const options: Check = (value) =>
  isRecord(value) &&
  Object.entries(value).every(([name, part]) => /^[a-z][a-zA-Z0-9]{0,40}$/.test(name) && (flag(part) || number(-1e12, 1e12)(part)))

export const method = oneOf(METHODS.map(({ id }) => id))
export const firstOrder = oneOf(FIRST_ORDER.map(({ id }) => id))

export const schedule = record({
  kind: oneOf(SCHEDULES.map(({ kind }) => kind)),
  steps: number(1, 1e6),
  factor: number(0, 1),
  threshold: number(0, 1),
})

/** Checks of arguments. @internal */
import { rangeError } from './errors.js'
import { list } from './names.js'
import { show } from './show.js'

/** @throws RangeError naming the value and the choices */
export function checkChoice(what: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw rangeError(`${what} wants ${list(choices.map(show))}, got ${show(value)}`)
}

/** @throws RangeError unless the value is an integer from `least`; `or` names other allowed values */
export function checkCount(what: string, value: unknown, least = 1, or = ''): void {
  if (!(Number.isInteger(value) && (value as number) >= least))
    throw rangeError(`${what} wants a whole number ≥ ${least}${or}, got ${show(value)}`)
}

/** @throws RangeError unless the value is a finite number above 0 */
export function checkPositive(what: string, value: unknown): void {
  if (!(Number.isFinite(value) && (value as number) > 0)) throw rangeError(`${what} wants a number above 0, got ${show(value)}`)
}

/** Checks of arguments that are not options. @internal */
import { checkValue } from './options.js'

/** @throws RangeError unless the value is a whole number from `min`, or one of `or` */
export function checkCount(what: string, value: unknown, min = 1, or: readonly unknown[] = []): void {
  checkValue(what, value, { min, whole: true, or })
}

/** @throws RangeError unless the value is a finite number above 0 */
export function checkPositive(what: string, value: unknown): void {
  checkValue(what, value, { min: 0, openMin: true })
}

import { short } from '../ui/controls'
import { GIVEN } from './given'

/** How far the net is off where it is alone, beside a flat line there. */
export function aloneText(wave: readonly number[], outputs: readonly number[]): string {
  const off = (at: (t: number) => number) => {
    const errors = wave.slice(GIVEN + 1).map((value, i) => at(GIVEN + i) - value)
    return short(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length), 2)
  }
  return `Alone it is off by ${off((t) => outputs[t])} (root mean square); a flat line at 0 would be off by ${off(() => 0)}.`
}

/** Cycles of dates: the day of the week, the time of the year and of the day, as features after the number of days. */

import { DAY, dateOf } from './values.js'

/** A cycle that a column of dates goes through. `dayOfYear`: the number of the day among the 366 of a year from 1, for an Embedding: holidays. */
export type Cycle = 'week' | 'year' | 'day' | 'dayOfYear'

/** @internal */
export const CYCLES: readonly Cycle[] = ['week', 'year', 'day', 'dayOfYear']

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
/** The first day of 1970 was a Thursday. */
const FIRST = 3
/** Days of a cycle of waves: a mean year, or a day. */
const LENGTHS = { year: 365.2425, day: 1 }

/** @internal Days of a leap year. */
export const DAYS_OF_YEAR = 366

/** @internal number of features of cycles */
export function widthOfCycles(cycles: readonly Cycle[]): number {
  return cycles.reduce((sum, cycle) => sum + (cycle === 'week' ? DAYS.length : cycle === 'dayOfYear' ? 1 : 4), 0)
}

/** @internal `when=Monday`, `when: sin(year)`, `when: cos(2 year)` */
export function namesOfCycles(name: string, cycles: readonly Cycle[]): string[] {
  return cycles.flatMap((cycle) =>
    cycle === 'week'
      ? DAYS.map((day) => `${name}=${day}`)
      : cycle === 'dayOfYear'
        ? [`${name}: day of the year`]
        : ['', '2 '].flatMap((n) => ['sin', 'cos'].map((of) => `${name}: ${of}(${n}${cycle})`)),
  )
}

/** @internal Writes the features of cycles: 1 for the day of the week; sine and cosine of one and of two waves a year, and a day. */
export function writeCycles(cycles: readonly Cycle[], days: number, out: Float32Array, at: number): void {
  let to = at
  for (const cycle of cycles) {
    if (cycle === 'week') {
      const day = (Math.floor(days) + FIRST) % DAYS.length
      out[to + (day < 0 ? day + DAYS.length : day)] = 1
      to += DAYS.length
      continue
    }
    if (cycle === 'dayOfYear') {
      out[to++] = dayOfYear(days)
      continue
    }
    const turn = (2 * Math.PI * days) / LENGTHS[cycle]
    for (const waves of [1, 2]) {
      out[to++] = Math.sin(waves * turn)
      out[to++] = Math.cos(waves * turn)
    }
  }
}

/** From 1 for the first of January to 366, as in a leap year, so that a holiday has the same number each year. */
function dayOfYear(days: number): number {
  const date = dateOf(Math.floor(days))
  // 2000 is a leap year
  return (Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0)) / DAY + 1
}

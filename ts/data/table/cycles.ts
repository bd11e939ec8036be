/** Cycles of dates: the day of the week, the time of the year and of the day, as features after the number of days. */

/** A cycle that a column of dates goes through. */
export type Cycle = 'week' | 'year' | 'day'

/** @internal */
export const CYCLES: readonly Cycle[] = ['week', 'year', 'day']

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
/** The first day of 1970 was a Thursday. */
const FIRST = 3
/** Days of a cycle of waves: a mean year, or a day. */
const LENGTHS = { year: 365.2425, day: 1 }

/** @internal number of features of cycles */
export function widthOfCycles(cycles: readonly Cycle[]): number {
  return cycles.reduce((sum, cycle) => sum + (cycle === 'week' ? DAYS.length : 4), 0)
}

/** @internal `when=Monday`, `when: sin(year)`, `when: cos(2 year)` */
export function namesOfCycles(name: string, cycles: readonly Cycle[]): string[] {
  return cycles.flatMap((cycle) =>
    cycle === 'week'
      ? DAYS.map((day) => `${name}=${day}`)
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
    const turn = (2 * Math.PI * days) / LENGTHS[cycle]
    for (const waves of [1, 2]) {
      out[to++] = Math.sin(waves * turn)
      out[to++] = Math.cos(waves * turn)
    }
  }
}

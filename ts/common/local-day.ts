/** Days of the machine's zone: `new Date(2024, 11, 31)` is the midnight that begins one, which in UTC is another time, and east of Greenwich another day. */

const DAY = 864e5

/** Days since 1970 of the local day that a Date begins; NaN where it begins none. */
export function localDay(date: Date): number {
  const start = new Date(date.getTime())
  // where clocks skip midnight, the first time of the day
  start.setHours(0, 0, 0, 0)
  return start.getTime() === date.getTime() ? Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY : Number.NaN
}

/** Whether Dates are days of the machine's zone: each begins a local day, and not each a day of UTC. */
export function areLocalDays(dates: readonly Date[]): boolean {
  return dates.every((date) => !Number.isNaN(localDay(date))) && !dates.every((date) => date.getTime() % DAY === 0)
}

/** An axis of a chart: where values are, and which of them have a line and a number. */

export interface Axis {
  /** Pixels of its two ends. */
  from: number
  to: number
  /** The pixel of a value. */
  place(value: number): number
  /** The value of a pixel. */
  value(place: number): number
  ticks: number[]
}

interface Options {
  log: boolean
  from: number
  to: number
  /** Pixels between ticks, at least. */
  spacing: number
  /** Room beyond the range at each end, as a share of it. */
  margin?: number
}

/** The axis that shows a range, `low` ≤ `high`; both are above 0 where it is logarithmic. */
export function axisOf([low, high]: readonly [number, number], { log, from, to, spacing, margin = 0 }: Options): Axis {
  const scaled = log ? Math.log10 : (v: number) => v
  const [a, b] = [scaled(low), scaled(high)]
  const room = b === a ? 0.5 * (log ? 1 : Math.abs(a) || 1) : margin * (b - a)
  const [start, end] = [a - room, b + room]
  const unscaled = log ? (v: number) => 10 ** v : (v: number) => v
  const most = Math.max(2, Math.floor(Math.abs(to - from) / spacing))
  return {
    from,
    to,
    place: (value) => from + ((scaled(value) - start) / (end - start)) * (to - from),
    value: (place) => unscaled(start + ((place - from) / (to - from)) * (end - start)),
    ticks: log ? logarithmicTicks(start, end, most) : roundNumbers(start, end, most),
  }
}

/** At most so many numbers of one distance: 1, 2 or 5 times a power of ten. */
export function roundNumbers(start: number, end: number, most: number): number[] {
  const least = (end - start) / most
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10)
  return multiples(step, start, end)
}

function multiples(step: number, start: number, end: number): number[] {
  const first = Math.ceil(start / step - 1e-9)
  const count = Math.floor(end / step + 1e-9) - first + 1
  return Array.from({ length: Math.max(count, 0) }, (_, i) => (first + i) * step)
}

/** Powers of ten, with 2 and 5 times, or 3 times, such a power where there is room; round numbers where the range is short. */
function logarithmicTicks(start: number, end: number, most: number): number[] {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = multiples(1, Math.floor(start), end)
      .flatMap((power) => factors.map((factor) => factor * 10 ** power))
      .filter((tick) => Math.log10(tick) >= start && Math.log10(tick) <= end)
    if (factors.length > 1 && ticks.length < 2) return roundNumbers(10 ** start, 10 ** end, most)
    if (ticks.length <= most + 1) return ticks
  }
  return multiples(Math.ceil((end - start) / most), start, end).map((power) => 10 ** power)
}

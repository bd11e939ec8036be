/** Axes of charts: positions of values between two ends, and ticks. The playground's charts use them, too. */

/** A line or a number beside a chart. */
export interface Tick {
  value: number
  place: number
  text: string
}

/** An axis of a chart. */
export interface Axis {
  /** Places of its two ends, such as pixels. */
  readonly from: number
  readonly to: number
  place(value: number): number
  value(place: number): number
  readonly ticks: readonly Tick[]
}

/** Options of {@link axisOf}. */
export interface AxisOptions {
  from: number
  to: number
  /** Logarithmic. Default false. */
  log?: boolean
  /** Least distance of two ticks. Default 80. */
  spacing?: number
  /** Space beyond the range at each end, as a fraction of it. Default 0. */
  margin?: number
  /** Ticks at whole numbers only. Default false. */
  whole?: boolean
  /** Text of a tick. Default {@link shortNumber}. */
  text?: (value: number) => string
}

/** True if an axis can show a value. */
export const isShown = (value: number | null | undefined, log = false): value is number =>
  Number.isFinite(value) && (!log || (value as number) > 0)

/** The least and the largest value that an axis can show; if there is none, 0 to 1, or 0.1 to 1 for a logarithmic axis. */
export function rangeOf(lists: Iterable<Iterable<number | null>>, log = false): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const values of lists)
    for (const value of values) {
      if (!isShown(value, log)) continue
      if (value < low) low = value
      if (value > high) high = value
    }
  return low <= high ? [low, high] : [log ? 0.1 : 0, 1]
}

/** The axis for a range, `low` ≤ `high`; both are above 0 for a logarithmic axis. */
export function axisOf([low, high]: readonly [number, number], options: AxisOptions): Axis {
  const { from, to, log = false, spacing = 80, margin = 0, whole = false, text = shortNumber } = options
  const scaled = log ? Math.log10 : (v: number) => v
  const unscaled = log ? (v: number) => 10 ** v : (v: number) => v
  const [a, b] = [scaled(low), scaled(high)]
  const room = b === a ? 0.5 * (log ? 1 : Math.abs(a) || 1) : margin * (b - a)
  const [start, end] = [a - room, b + room]
  const most = Math.max(2, Math.floor(Math.abs(to - from) / spacing))
  const place = (value: number) => from + ((scaled(value) - start) / (end - start)) * (to - from)
  const ticks = (log ? logarithmicTicks(start, end, most) : roundNumbers(start, end, most)).filter(
    (value) => !whole || Number.isInteger(value),
  )
  return {
    ...{ from, to, place },
    value: (at) => unscaled(start + ((at - from) / (to - from)) * (end - start)),
    ticks: ticks.map((value) => ({ value, place: place(value), text: text(value) })),
  }
}

/** The axis of categories, each in the middle of its part; values are their numbers from 0. */
export function categoryAxis(names: readonly string[], from: number, to: number): Axis {
  const axis = axisOf([-0.5, names.length - 0.5], { from, to })
  return { ...axis, ticks: names.map((text, value) => ({ value, place: axis.place(value), text })) }
}

/** At most `most` evenly spaced numbers; their distance is 1, 2 or 5 times a power of ten. */
function roundNumbers(start: number, end: number, most: number): number[] {
  const least = (end - start) / most
  const power = 10 ** Math.floor(Math.log10(least))
  return multiples(power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10), start, end)
}

function multiples(step: number, start: number, end: number): number[] {
  const first = Math.ceil(start / step - 1e-9)
  const count = Math.floor(end / step + 1e-9) - first + 1
  return Array.from({ length: Math.max(count, 0) }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** Powers of ten, with 2 and 5 times, or 3 times, each power if there is room; round numbers for a short range. */
function logarithmicTicks(start: number, end: number, most: number): number[] {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = multiples(1, Math.floor(start), end)
      .flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
      .filter((tick) => Math.log10(tick) >= start - 1e-9 && Math.log10(tick) <= end + 1e-9)
    if (factors.length > 1 && ticks.length < 2) return roundNumbers(10 ** start, 10 ** end, most)
    if (ticks.length <= most + 1) return ticks
  }
  return multiples(Math.ceil((end - start) / most), start, end).map((power) => Number(`1e${power}`))
}

/** `0.05`, `1,200`, `1e-5`, `2.5M`, `1.4e+31`. */
export function shortNumber(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e12) return Number(value.toPrecision(3)).toExponential()
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

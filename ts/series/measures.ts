/** Errors of forecasts. */

/** Mean absolute scaled error and its kin, over all forecasts of a backtest; NaN marks values that are missing. */
export interface SeriesErrors {
  /** Mean absolute error by that of the last season again in the known values (Hyndman & Koehler 2006): below 1 is better. */
  mase: number
  /** Root of the mean squared error, scaled likewise. */
  rmsse: number
  /** 200·|y − f| / (|y| + |f|), in percent. */
  smape: number
  /** Mean pinball loss of the lower and the upper end of the band, by the scale of `mase`. */
  pinball: number
  /** Fraction of values in the band. */
  coverage: number
}

/** Mean absolute and root mean squared change over a season of the first values: the units of scaled errors. 1 for a series that repeats itself. */
export function scalesOf(values: Float64Array, gaps: Uint8Array, season: number, length: number): [absolute: number, squared: number] {
  let [sum, squares, count] = [0, 0, 0]
  const lag = season < length ? season : 1
  for (let i = lag; i < length; i++) {
    if (gaps[i] === 1 || gaps[i - lag] === 1) continue
    const change = Math.abs(values[i] - values[i - lag])
    sum += change
    squares += change * change
    count++
  }
  const size = count > 0 && sum > 0 ? sum / count : Math.abs(values[0]) || 1
  return [size, count > 0 && squares > 0 ? Math.sqrt(squares / count) : size]
}

/** One value beside its forecast with the ends of its band. */
export type Judged = readonly [value: number, forecast: number, low: number, high: number]

/** @param coverage nominal fraction of values in the band */
export function errorsOf(judged: readonly Judged[], [absolute, squared]: readonly [number, number], coverage: number): SeriesErrors {
  const mean = (of: (one: Judged) => number) => judged.reduce((sum, one) => sum + of(one), 0) / judged.length
  const pinball = (q: number, y: number, end: number) => Math.max(q * (y - end), (q - 1) * (y - end))
  const tail = (1 - coverage) / 2
  return {
    mase: mean(([y, f]) => Math.abs(y - f)) / absolute,
    rmsse: Math.sqrt(mean(([y, f]) => (y - f) ** 2)) / squared,
    smape: mean(([y, f]) => (y === f ? 0 : (200 * Math.abs(y - f)) / (Math.abs(y) + Math.abs(f)))),
    pinball: mean(([y, , low, high]) => (pinball(tail, y, low) + pinball(1 - tail, y, high)) / 2) / absolute,
    coverage: mean(([y, , low, high]) => Number(y >= low && y <= high)),
  }
}

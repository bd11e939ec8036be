/** Numbers and names for people. */

/**
 * A metric as reports print it: to three or four digits, thousands apart.
 *
 * @example
 * formatMetric(0.97134) // '0.971'
 * formatMetric(12345.6) // '12,346'
 */
export function formatMetric(value: number): string {
  const size = Math.abs(value)
  // the R² of a guess is 0, except for rounding or because the mean comes from other rows
  if (size < 1e-12 || (value < 0 && size < 0.0001)) return '0.000'
  if (size < 0.0005) return value.toPrecision(2)
  if (size >= 1e15) return value.toExponential(3)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return size >= 1 ? value.toPrecision(4) : value.toFixed(3)
}

/** An interval in words. Bounds that are equal in all resamples say nothing. */
export function formatInterval(low: number, high: number): string {
  return low === high ? '–' : `${formatMetric(low)} to ${formatMetric(high)}`
}

/** To three digits: `0.00123`, `1.2e-7`, `12300`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  const text = String(Number(value.toPrecision(3)))
  return /e/.test(text) || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6)
    ? text
    : value
        .toExponential(2)
        .replace(/\.?0+e/, 'e')
        .replace('e+', 'e')
}

/** A count with its thousands apart: `12,346`. */
export const formatCount = (count: number): string => count.toLocaleString('en-US')

/** `84 %`; `0.4 %` below one. */
export function formatShare(share: number): string {
  const percent = 100 * share
  return `${percent > 0 && percent < 1 ? percent.toPrecision(1) : Math.round(percent)} %`
}

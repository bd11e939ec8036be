/**
 * A metric as reports print it: to three or four digits, thousands apart.
 *
 * @example
 * formatMetric(0.97134) // '0.971'
 * formatMetric(12345.6) // '12,346'
 */
export function formatMetric(value: number): string {
  const size = Math.abs(value)
  // a guess of R² is 0 but for rounding, or but for the mean of other rows
  if (size < 1e-12 || (value < 0 && size < 0.0001)) return '0.000'
  if (size < 0.0005) return value.toPrecision(2)
  if (size >= 1e15) return value.toExponential(3)
  if (size >= 1000) return Math.round(value).toLocaleString('en-US')
  return size >= 1 ? value.toPrecision(4) : value.toFixed(3)
}

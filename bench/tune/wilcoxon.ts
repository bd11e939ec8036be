/** Wilcoxon's signed-rank test of pairs (1945), by the normal approximation with corrections for ties and continuity, as in SciPy. */
import { normalCdf } from '../../ts/tune/math.js'

/** Two-sided p value of the hypothesis that the differences are symmetric around 0. Pairs without a difference are left out. */
export function wilcoxon(differences: readonly number[]): number {
  const kept = differences.filter((d) => d !== 0)
  const n = kept.length
  if (n === 0) return 1
  const sorted = kept.map(Math.abs).sort((a, b) => a - b)
  const rankOf = (d: number) => {
    const [first, last] = [sorted.indexOf(Math.abs(d)), sorted.lastIndexOf(Math.abs(d))]
    return (first + last) / 2 + 1
  }
  const plus = kept.filter((d) => d > 0).reduce((sum, d) => sum + rankOf(d), 0)
  const counts = [...new Set(sorted)].map((value) => sorted.filter((other) => other === value).length)
  const ties = counts.reduce((sum, count) => sum + count ** 3 - count, 0)
  const mean = (n * (n + 1)) / 4
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24 - ties / 48)
  const z = Math.max(0, Math.abs(plus - mean) - 0.5) / deviation
  return Math.min(1, 2 * normalCdf(-z))
}

/** What the map of regimes shows, in words. */
import { short } from '../ui/controls'
import type { Regimes } from './fair'

/** Every number is that of a cell. */
export function regimesText({ rates, betas, regime, steps }: Regimes): string {
  const arrived = Array.from(regime.keys()).filter((i) => regime[i] >= 2)
  if (arrived.length === 0) return 'At no rate and β does Momentum arrive from here in so few steps.'
  const at = (i: number) => ({ rate: rates[i % rates.length], beta: betas[Math.floor(i / rates.length)], steps: steps[i] })
  const least = (list: number[]) => list.reduce((best, i) => (steps[i] < steps[best] ? i : best))
  const best = at(least(arrived))
  const plain = arrived.filter((i) => i < rates.length)
  const without =
    plain.length > 0 ? `; without momentum (β 0) it is ${at(least(plain)).steps} at the best rate` : '; without momentum (β 0) none does'
  return `Soonest: ${best.steps} steps, at the rate ${short(best.rate, 2)} and β ${short(best.beta)}${without}. Click to race there.`
}

/** What the picture of every start shows, in words. */
import { methodOf } from '../methods'
import { short } from '../ui/controls'
import type { Starts } from './starts'
import { type DescentState, descent, groundOf } from './state'
import type { Racer } from './track'

/** Minima that are named, and the share of starts that one of them needs. */
const [MOST, LEAST] = [4, 0.001]

/** How many starts end where. Every number is counted in the grid, or computed from the curvature of the minima. */
export function startsText(
  { reached, minima }: Pick<Starts, 'reached' | 'minima'>,
  racer: Pick<Racer, 'id' | 'rate' | 'options'> & { label: string },
  steps: number,
): string {
  const { label, rate } = racer
  const whole = reached.length.toLocaleString('en')
  if (minima.length === 0) return `${label}, from ${whole} starts: there is no minimum on this map to arrive at.`
  const counts = new Array<number>(minima.length + 1).fill(0)
  for (const minimum of reached) counts[minimum]++
  const percent = (count: number) =>
    count < LEAST * reached.length
      ? 'less than 0.1'
      : short(Math.round((1000 * count) / reached.length) / 10, count < 0.01 * reached.length ? 1 : 2)
  const order = minima.map((_, k) => k).sort((a, b) => counts[b + 1] - counts[a + 1])
  const arrived = order.filter((k) => counts[k + 1] >= LEAST * reached.length)
  const named = arrived.slice(0, MOST).map((k) => `${percent(counts[k + 1])} % to (${short(minima[k][0])}, ${short(minima[k][1])})`)
  const rest = reached.length - counts[0] - arrived.slice(0, MOST).reduce((sum, k) => sum + counts[k + 1], 0)
  const parts = [...named, ...(rest > 0 ? [`${percent(rest)} % to others`] : [])]
  const dark = counts[0] > 0 ? `${parts.length > 0 ? '; ' : ''}${percent(counts[0])} % are at none after ${steps} steps (dark)` : ''
  const limits = order.flatMap((k) => {
    const limit = limitOf(racer, minima[k][2])
    return limit !== null && rate > limit ? [`(${short(minima[k][0])}, ${short(minima[k][1])}) only below ${short(limit, 2)}`] : []
  })
  const sharp =
    limits.length > 0
      ? ` At the rate ${short(rate)} it cannot stay at a minimum that is too sharp: ${limits.slice(0, MOST).join(', ')}.`
      : ''
  return `${label}, from ${whole} starts: ${parts.join(', ')}${dark}. The lighter, the sooner.${sharp}`
}

/** The rate above which a quadratic of this curvature throws it out; null for optimizers without a fixed one. */
function limitOf({ id, options = {} }: Pick<Racer, 'id' | 'options'>, curvature: number): number | null {
  if (id === 'SGD') return 2 / curvature
  const beta = Number(options.beta ?? 0.9)
  return id === 'Momentum' ? (2 * (1 + beta)) / ((1 - beta) * curvature) : null
}

/** The formula, the optimizer with its rate, and the link that shows the same again. */
export function captionOf(state: DescentState, { id, rate, options = {} }: Pick<Racer, 'id' | 'rate' | 'options'>, page: string): string[] {
  const { formula, condition } = groundOf(state)
  const others = Object.entries(options).map(([name, value]) => `, ${name} ${value}`)
  return [
    `f(x, y) = ${formula}${/\bk\b/.test(formula) ? `, k = ${short(condition)}` : ''}`,
    `${methodOf(id).label} from every start, learning rate ${short(rate)}${others.join('')}, ${state.steps} steps`,
    `${page}#${descent.link()}`,
  ]
}

/** A text in pieces that are no wider than this; links have no blanks, so it breaks anywhere. */
export function broken(text: string, widest: number, widthOf: (text: string) => number): string[] {
  const lines = ['']
  for (const letter of text) {
    const line = lines[lines.length - 1] + letter
    if (widthOf(line) > widest && line.length > 1) lines.push(letter)
    else lines[lines.length - 1] = line
  }
  return lines
}

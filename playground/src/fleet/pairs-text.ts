import { axis } from './axes'
import type { Pair } from './map'

/** Pairs that are named at most, and the share that one of them needs. */
const [MOST, LEAST] = [3, 0.02]

/** Which pairs matter together, beyond what each of both explains alone. */
export function pairsText(pairs: readonly Pair[]): string {
  const named = [...pairs].sort((a, b) => b.together - a.together).filter(({ together }) => together >= LEAST)
  if (named.length === 0) return 'No two of them explain more together than each does alone.'
  const parts = named
    .slice(0, MOST)
    .map(({ x, y, together }) => `${axis(x).label.toLowerCase()} and ${axis(y).label.toLowerCase()} ${Math.round(100 * together)} %`)
  return `Together, beyond what each explains alone: ${parts.join('; ')}.`
}

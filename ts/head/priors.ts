/** Shares of classes where a head is used, which may differ from those of its examples. */
import { rangeError, typeError } from '../common/errors.js'
import { show, showNames } from '../common/show.js'
import type { Label } from './vectors.js'

/**
 * Shares of classes where a head is used: those of its `examples`, all alike, `uniform`, or shares by label that add up to 1. Classes that are not
 * named, such as later ones, keep their share of the examples.
 */
export type Priors<L extends Label = Label> = 'examples' | 'uniform' | { readonly [K in `${L}`]?: number }

/**
 * The change of each logit, log(share where it is used / share of the examples), up to a constant: Bayes' rule.
 * @throws TypeError, RangeError
 */
export function logShifts<L extends Label>(
  who: string,
  priors: Priors<L>,
  { labels, counts }: { labels: readonly L[]; counts: Int32Array },
): Float64Array {
  const out = new Float64Array(labels.length)
  if (priors === 'examples') return out
  if (priors === 'uniform') return out.map((_, c) => -Math.log(counts[c]))
  if (typeof priors !== 'object' || priors === null)
    throw typeError(`${who}: priors wants 'examples', 'uniform' or shares by label, { cat: 0.9, dog: 0.1 }, got ${show(priors)}`)
  const names = labels.map(String)
  const given = Object.entries<number | undefined>(priors)
  const total = counts.reduce((a, b) => a + b, 0)
  let sum = 0
  for (const [name, share] of given) {
    if (!names.includes(name)) throw rangeError(`${who}: priors wants labels of the head, ${showNames(names)}, got ${show(name)}`)
    if (!(typeof share === 'number' && share > 0 && share <= 1))
      throw rangeError(`${who}: priors wants a share above 0 and at most 1 for ${show(name)}, got ${show(share)}`)
    sum += share
  }
  if (!(Math.abs(sum - 1) < 1e-6)) throw rangeError(`${who}: priors wants shares that add up to 1, got ${Number(sum.toPrecision(6))}`)
  const named = new Map(given)
  const others = names.reduce((rest, name, c) => rest + (named.has(name) ? 0 : counts[c]), 0) / total
  for (const [c, name] of names.entries()) {
    const share = named.get(name)
    if (share !== undefined) out[c] = Math.log((share * (1 - others) * total) / counts[c])
  }
  return out
}

/** The kind of a point, as a word and as a sentence, from its derivatives. */
import { ALL_TRIED, type FlatFindings, type Limits } from './flat.js'

/**
 * - `slope`: the gradient does not vanish;
 * - `minimum`, `maximum`: the function rises (falls) in every direction, so the point is a strict local one;
 * - `saddle`: it certainly takes both larger and smaller values nearby;
 * - `plateau`: all derivatives up to the fourth vanish, and there is no kink;
 * - `degenerate`: flat in some directions and of one sign in the others (a ridge, a valley floor, x⁴ + y⁴): derivatives
 *   at the point do not decide.
 */
export type PointKind = 'minimum' | 'maximum' | 'saddle' | 'plateau' | 'slope' | 'degenerate'

/** Result of `inspectPoint`. */
export interface PointInspection {
  kind: PointKind
  /** The finding in one sentence. */
  explanation: string
  value: number
  /** Euclidean norm of the gradient. */
  gradientNorm: number
  /** Eigenvalues of the Hessian in ascending order: all of them if `exact`, else the ends of the spectrum. */
  eigenvalues: Float64Array
  exact: boolean
  /** Directions (eigenvalues) with positive, negative and no curvature; counted over all eigenvalues if `exact`, else over the computed ones. */
  rising: number
  falling: number
  flat: number
  /** The order of the derivatives that decided: 1 for a slope or a kink, 2 by the Hessian, 3 for the monkey saddle … */
  order: 1 | 2 | 3 | 4
}

/** @internal facts from the gradient and the eigenvalues */
export interface Facts extends Limits {
  gradientNorm: number
  size: number
  rising: number
  falling: number
  flat: number
  low: number
  high: number
  isFlat: (i: number) => boolean
}

type Verdict = Pick<PointInspection, 'kind' | 'order' | 'explanation'>

function verdict(kind: Verdict['kind'], order: Verdict['order'], explanation: string): Verdict {
  return { kind, order, explanation }
}

/** @internal `probe` is called if the Hessian does not decide */
export function classify(facts: Facts, probe: () => FlatFindings): Verdict {
  const { gradientNorm, gradient, rising, falling, flat, low, high } = facts
  const [least, most] = [rounded(low), rounded(high)]
  if (gradientNorm > gradient)
    return verdict('slope', 1, `A slope: the gradient has norm ${rounded(gradientNorm)}, so the function falls along its negative.`)
  if (rising > 0 && falling > 0) {
    const both = `curves up in ${directions(rising)} (λ to ${most}) and down in ${falling} (λ to ${least})`
    return verdict('saddle', 2, `A saddle: the gradient vanishes, the function ${both}.`)
  }
  if (flat > 0) return classifyFlat(facts, probe())
  const [kind, sense] = rising > 0 ? (['minimum', 'up'] as const) : (['maximum', 'down'] as const)
  const way = `curves ${sense} in every direction (λ from ${least} to ${most})`
  return verdict(kind, 2, `A ${kind}: the gradient vanishes and the function ${way}.`)
}

/** The Hessian is flat somewhere and of one sign elsewhere. */
function classifyFlat(facts: Facts, found: FlatFindings): Verdict {
  const { rising, falling, flat } = facts
  const [up, down] = [found.up + rising, found.down + falling]
  const start = `the gradient vanishes and the Hessian is flat in ${flat} of ${directions(rising + falling + flat)}`
  if (found.third) return verdict('saddle', 3, `A saddle of third order: ${start}, along which the third derivative does not vanish.`)
  if (found.kinks > 0) return classifyKinks(flat, found, up, down, start)
  if (up > 0 && down > 0) {
    const why = 'along which the fourth derivative decides: the function both rises and falls'
    return verdict('saddle', 4, `A saddle of fourth order: ${start}, ${why}.`)
  }
  if (up + down === 0) {
    const seen = found.probes > 0 ? `, and so do the third and fourth derivative in ${directions(found.probes)}` : ''
    return verdict('plateau', found.probes > 0 ? 4 : 2, `A plateau: gradient and Hessian vanish${seen}.`)
  }
  const [kind, sense, shape] =
    up > 0 ? (['minimum', 'up', 'a valley floor or a flat minimum'] as const) : (['maximum', 'down', 'a ridge or a flat maximum'] as const)
  if (facts.size === 1)
    return verdict(kind, 4, `A flat ${kind}: the first derivative that does not vanish is the fourth, and it points ${sense}.`)
  const order = found.up + found.down > 0 ? 4 : 2
  const rest =
    rising + falling === 0
      ? `in ${directions(found.up + found.down)} of ${found.probes} tried it curves ${sense} by the fourth derivative`
      : `everything else curves ${sense}`
  return verdict('degenerate', order, `Degenerate: ${start}; ${rest}, so it is ${shape}.`)
}

/** All derivatives vanish, but values near the point reveal kinks. */
function classifyKinks(flat: number, { kinks, walls, probes }: FlatFindings, up: number, down: number, start: string): Verdict {
  if (up > 0 && down > 0)
    return verdict('saddle', 1, `A saddle with a kink: ${start}, but beside the point the function both rises and falls.`)
  const [kind, verb, sense] = up > 0 ? (['minimum', 'rises', 'up'] as const) : (['maximum', 'falls', 'down'] as const)
  if (walls < probes || flat > ALL_TRIED)
    return verdict('degenerate', 1, `Degenerate: ${start}, but in ${directions(kinks)} it has a kink that points ${sense}.`)
  return verdict(kind, 1, `A kinked ${kind}: ${start}, but the function ${verb} to both sides in all directions tried (${probes}).`)
}

function directions(n: number): string {
  return `${n} direction${n === 1 ? '' : 's'}`
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** NSGA-II: evolution of points for several objectives. */
import { readOptions, type Schema, share } from '../../common/options.js'
import { normalQuantile } from '../math.js'
import type { Observation, Observations } from '../observations.js'
import { dominates } from '../pareto.js'
import { pointAt, type Sampler } from './sampler.js'

/** Half of the mutated numbers stay this near to their old value, as a share of the range. */
const NEAR = 0.05

/** Options of {@link nsga2}. */
export interface Nsga2Options {
  /** Trials of a generation. Default 50. */
  populationSize?: number
  /** Probability that a parameter mutates. Default: one of all parameters on average. */
  mutationProb?: number
  /** The chance of two parents to be mixed; else one of them is copied. Default 0.9. */
  crossoverProb?: number
  /** The chance of a parameter to come from the second parent. Default 0.5. */
  swappingProb?: number
}

export const NSGA2 = {
  populationSize: { is: { min: 2, whole: true }, default: 50 },
  mutationProb: { is: share },
  crossoverProb: { is: share, default: 0.9 },
  swappingProb: { is: share, default: 0.5 },
} satisfies Schema<Nsga2Options>

/**
 * NSGA-II (Deb et al. 2002), as in Optuna: the first generation is random. The parents of later generations are the best trials so far, by Pareto
 * rank and then by crowding distance. Each child takes its parameters from two parents, and some mutate: half of the numbers to a value near the old
 * one, all others to any value.
 * @example
 * const space = { x: float(0, 2) }
 * const study = await createStudy({ space, direction: ['minimize', 'minimize'], sampler: nsga2({ populationSize: 20 }) })
 * await study.optimize(({ x }) => [x ** 2, (x - 2) ** 2], { trials: 100 })
 * study.front.length > 20 // true
 * @throws RangeError for a population that is not whole, or chances beyond 0 to 1
 */
export function nsga2(given: Nsga2Options = {}): Sampler {
  const { populationSize: population, mutationProb, crossoverProb, swappingProb } = readOptions('nsga2', given, NSGA2)
  const states = new WeakMap<Observations, { seen: number; parents: Ranked[] }>()
  return {
    name: 'nsga2',
    sample({ axes, history, random }) {
      const uniform = random.uniforms(axes.length)
      let state = states.get(history)
      if (state === undefined) states.set(history, (state = { seen: 0, parents: [] }))
      const complete = history.finished.filter((trial) => trial.state === 'complete')
      for (; complete.length - state.seen >= population; state.seen += population)
        state.parents = best(
          [...state.parents.map(({ trial }) => trial), ...complete.slice(state.seen, state.seen + population)],
          population,
        )
      const { parents } = state
      if (parents.length === 0) return pointAt(axes, uniform)
      const u = random.uniforms(6 + 3 * axes.length)
      const pick = (i: number) => {
        const [a, b] = [parents[Math.floor(u[i] * parents.length)], parents[Math.floor(u[i + 1] * parents.length)]]
        return (isBetter(b, a) ? b : a).trial.point
      }
      const first = pick(0)
      const second = u[4] < crossoverProb ? pick(2) : first
      const chance = mutationProb ?? 1 / Math.max(1, axes.length)
      const point = new Float64Array(axes.length).fill(Number.NaN)
      axes.forEach((axis, i) => {
        if (!axis.isActive(point)) return
        const inherited = u[6 + i] < swappingProb ? second[i] : first[i]
        const isKept = !Number.isNaN(inherited) && u[6 + axes.length + i] >= chance
        const isNear = !Number.isNaN(inherited) && axis.choices === 0 && u[6 + 2 * axes.length + i] < 0.5
        const share = isNear ? axis.share(inherited) + NEAR * normalQuantile(Math.max(uniform[i], 2 ** -53)) : uniform[i]
        point[i] = isKept ? inherited : axis.coordinate(axis.value(axis.at(Math.min(1 - 2 ** -53, Math.max(0, share)))))
      })
      return point
    },
  }
}

interface Ranked {
  trial: Observation
  rank: number
  /** Crowding distance: from the previous to the next point on the front, as a share of its extent. */
  space: number
}

function isBetter(a: Ranked, b: Ranked): boolean {
  return a.rank !== b.rank ? a.rank < b.rank : a.space > b.space
}

/** True if a comes before b: because it violates constraints less or, with equal violations, because it dominates b. */
function isAhead(a: Observation, b: Observation): boolean {
  return a.violation !== b.violation ? a.violation < b.violation : dominates(a.losses, b.losses)
}

/** The best by rank and distance. */
function best(trials: readonly Observation[], count: number): Ranked[] {
  const out: Ranked[] = []
  let rest = [...trials]
  for (let rank = 0; out.length < count && rest.length > 0; rank++) {
    const front = rest.filter((a) => !rest.some((b) => isAhead(b, a)))
    rest = rest.filter((trial) => !front.includes(trial))
    const spaces = distances(front)
    const ranked = front.map((trial, i) => ({ trial, rank, space: spaces[i] }))
    ranked.sort((a, b) => b.space - a.space || a.trial.number - b.trial.number)
    out.push(...ranked.slice(0, count - out.length))
  }
  return out
}

/** Crowding distances; infinite for the ends of a front. */
function distances(front: readonly Observation[]): number[] {
  const out = front.map(() => 0)
  for (let objective = 0; objective < front[0].losses.length; objective++) {
    const order = front.map((_, i) => i).sort((a, b) => front[a].losses[objective] - front[b].losses[objective] || a - b)
    const loss = (place: number) => front[order[place]].losses[objective]
    const extent = loss(order.length - 1) - loss(0)
    out[order[0]] = out[order[order.length - 1]] = Number.POSITIVE_INFINITY
    for (let j = 1; j < order.length - 1; j++) if (extent > 0) out[order[j]] += (loss(j + 1) - loss(j - 1)) / extent
  }
  return out
}

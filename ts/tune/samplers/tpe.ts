/** The tree-structured Parzen estimator. */
import { checkCount } from '../../common/checks.js'
import { rangeError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { show } from '../../common/show.js'
import type { Observation } from '../observations.js'
import { ParzenEstimator } from './parzen.js'
import { pointAt, type Sampler } from './sampler.js'

/** Options of {@link tpe}. */
export interface TpeOptions {
  /** Random trials before. Default 10. */
  startup?: number
  /** Points of which the most promising is taken. Default 32. */
  candidates?: number
  /** Which share of the trials counts as good, at most 25. Default 0.1. */
  good?: number
  /**
   * How narrow kernels of good trials get: the narrowest of n is 1/(1 + focus · n) of the range, at least 1/100. More is greedier. Default
   * 3.
   */
  focus?: number
}

/** More good trials than these are no help, and more bad ones than those cost time only. */
const MAX_GOOD = 25
const MAX_BAD = 200

/**
 * The multivariate tree-structured Parzen estimator (Bergstra et al. 2011; Falkner et al. 2018): one density is made of the best trials,
 * another of all others; of points drawn from the first that is tried which is likeliest in the first compared with the second. All
 * parameters are drawn together, so those that depend on each other are found. The default of a study: good from some ten to thousands of
 * trials, with categories, conditions, noise and failures.
 *
 * Trials that run count as bad (a constant liar), so many that are asked for at once spread out. Pruned trials rank behind complete
 * ones, by how far they came and how good they were there.
 * @example
 * const study = await createStudy({ space: { x: float(0, 10) }, sampler: tpe({ startup: 20 }) })
 * study.sampler.name // 'tpe'
 * @throws RangeError for counts that are not whole, or shares beyond 0 to 1
 */
export function tpe(options: TpeOptions = {}): Sampler {
  checkNames('tpe', options, ['startup', 'candidates', 'good', 'focus'], {
    n_startup_trials: 'startup',
    n_ei_candidates: 'candidates',
    gamma: 'good',
  })
  const { startup = 10, candidates = 32, good: share = 0.1, focus = 3 } = options
  checkCount('tpe: startup', startup)
  checkCount('tpe: candidates', candidates)
  if (!(share > 0 && share < 1)) throw rangeError(`tpe: good wants a number between 0 and 1, got ${show(share)}`)
  if (!(focus > 0 && focus < Number.POSITIVE_INFINITY)) throw rangeError(`tpe: focus wants a number above 0, got ${show(focus)}`)
  return {
    name: 'tpe',
    sample({ axes, history, random }) {
      const { ranked, running } = history
      if (ranked.length < startup) return pointAt(axes, random.uniforms(axes.length))
      const count = Math.min(MAX_GOOD, Math.ceil(share * ranked.length))
      const good = ranked.slice(0, count).map(({ point }) => point)
      const bad = thinned(ranked, count, [...running.values()])
      const likely = new ParzenEstimator(axes, good, widthOf(1 + focus * (count + 1)))
      const unlikely = new ParzenEstimator(axes, bad, widthOf(2 + bad.length))
      const uniforms = random.uniforms(candidates * (axes.length + 1))
      const points = Array.from({ length: candidates }, (_, c) => likely.sample(uniforms, c * (axes.length + 1)))
      const [high, low] = [likely.logDensities(points), unlikely.logDensities(points)]
      let best = 0
      for (let c = 1; c < candidates; c++) if (high[c] - low[c] > high[best] - low[best]) best = c
      return points[best]
    },
  }
}

/** The width of the narrowest kernel, as a share of the range. */
const widthOf = (narrowness: number) => 1 / Math.min(100, narrowness)

/** Points of every so-manyth of those behind the best, which are sorted, and of those that run. The long list is not copied. */
function thinned(ranked: readonly Observation[], best: number, running: readonly Observation[]): Float64Array[] {
  const others = ranked.length - best
  const all = others + running.length
  const points: Float64Array[] = []
  for (let i = 0, kept = Math.min(MAX_BAD, all); i < kept; i++) {
    const place = Math.floor((i * all) / kept)
    points.push((place < others ? ranked[best + place] : running[place - others]).point)
  }
  return points
}

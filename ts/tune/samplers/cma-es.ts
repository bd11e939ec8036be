/** CMA-ES: a normal distribution that moves, widens and rotates towards good points. */
import { count, positive, readOptions, type Schema } from '../../common/options.js'
import { identity, symmetricEigen } from '../../common/symmetric-eigen.js'
import { exp, log, normalQuantile } from '../math.js'
import type { Axis } from '../space.js'
import { pointAt, type Sampler, type SamplerContext } from './sampler.js'

/** Options of {@link cmaEs}. */
export interface CmaEsOptions {
  /** Random trials at the beginning; the search starts from the best of them. Default 1. */
  startupTrials?: number
  /** Width of the distribution at the start, as a share of each range. Default 1/6. */
  sigma0?: number
  /** Trials of a generation. Default 4 + ⌊3 ln n⌋ for n numbers. */
  populationSize?: number
}

export const CMA_ES = {
  startupTrials: { is: count, default: 1 },
  sigma0: { is: positive, default: 1 / 6 },
  populationSize: { is: { min: 2, whole: true } },
} satisfies Schema<CmaEsOptions>

/**
 * Covariance matrix adaptation (Hansen & Ostermeier 2001; the formulas of Hansen's tutorial, 2016). For five to a hundred numbers that depend on each
 * other, and some hundred trials. Numbers on logarithmic ranges are searched by their logarithm, integers are rounded; categories and conditional
 * parameters are random.
 *
 * A generation is made from the trials that had ended when its first trial was requested.
 * @example
 * cmaEs({ sigma0: 0.2 }).name // 'cmaEs'
 * @throws RangeError for counts that are not whole, or a sigma0 that is not above 0
 */
export function cmaEs(given: CmaEsOptions = {}): Sampler {
  const { startupTrials, sigma0, populationSize } = readOptions('cmaEs', given, CMA_ES)
  const states = new WeakMap<SamplerContext['history'], Search>()
  return {
    name: 'cmaEs',
    sample(context) {
      const { axes, history, random } = context
      const numbers = axes.flatMap((axis, i) => (axis.choices === 0 && axis.parent < 0 && !axis.isSingle ? [i] : []))
      const shares = random.uniforms(axes.length)
      const complete = history.finished.filter(({ state }) => state === 'complete')
      if (complete.length < startupTrials || numbers.length === 0) return pointAt(axes, shares)
      let search = states.get(history)
      if (search === undefined) {
        search = new Search(axes, numbers, sigma0, populationSize, complete.slice(0, startupTrials))
        states.set(history, search)
      }
      search.learn(complete)
      // a point outside of the range is drawn again, and finally moved to its edge
      for (let tries = 0; tries < 100; tries++) {
        const drawn = search.draw(random.uniforms(numbers.length))
        if (tries < 99 && drawn.some((x) => x < 0 || x >= 1)) continue
        numbers.forEach((axis, i) => {
          shares[axis] = Math.min(1 - 2 ** -53, Math.max(0, drawn[i]))
        })
        break
      }
      return pointAt(axes, shares)
    },
  }
}

interface Judged {
  point: Float64Array
  losses: readonly number[]
  violation: number
  number: number
}

/** The state of the search; coordinates are shares of ranges. */
class Search {
  private mean: Float64Array
  private sigma: number
  private covariance: Float64Array
  private readonly pathSigma: Float64Array
  private readonly pathC: Float64Array
  /** Row j is the j-th direction. */
  private vectors: Float64Array
  private lengths: Float64Array
  private generation = 0
  /** Number of trials that the search has learned from. */
  private seen: number
  private readonly population: number
  private readonly weights: number[]
  private readonly mass: number
  private readonly rates: { sigma: number; damping: number; c: number; one: number; mu: number; expected: number }

  constructor(
    private readonly axes: readonly Axis[],
    private readonly numbers: readonly number[],
    sigma: number,
    population: number | undefined,
    first: readonly Judged[],
  ) {
    const n = numbers.length
    this.sigma = sigma
    this.population = population ?? 4 + Math.floor(3 * log(n))
    const best = first.reduce((a, b) => (b.losses[0] < a.losses[0] ? b : a))
    this.mean = this.sharesOf(best)
    this.seen = first.length
    this.covariance = identity(n)
    this.vectors = identity(n)
    this.lengths = new Float64Array(n).fill(1)
    this.pathSigma = new Float64Array(n)
    this.pathC = new Float64Array(n)
    const mu = Math.floor(this.population / 2)
    const raw = Array.from({ length: mu }, (_, i) => log((this.population + 1) / 2) - log(i + 1))
    const sum = raw.reduce((a, b) => a + b, 0)
    this.weights = raw.map((w) => w / sum)
    this.mass = 1 / this.weights.reduce((total, w) => total + w * w, 0)
    const m = this.mass
    const one = 2 / ((n + 1.3) ** 2 + m)
    const cSigma = (m + 2) / (n + m + 5)
    this.rates = {
      sigma: cSigma,
      damping: 1 + 2 * Math.max(0, Math.sqrt((m - 1) / (n + 1)) - 1) + cSigma,
      c: (4 + m / n) / (n + 4 + (2 * m) / n),
      one,
      mu: Math.min(1 - one, (2 * (m - 2 + 1 / m)) / ((n + 2) ** 2 + m)),
      expected: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
    }
  }

  /** mean + sigma · B · D · z */
  draw(uniforms: ArrayLike<number>): Float64Array {
    const n = this.mean.length
    const out = Float64Array.from(this.mean)
    for (let j = 0; j < n; j++) {
      const z = this.sigma * this.lengths[j] * normalQuantile(Math.max(uniforms[j], 2 ** -54))
      for (let i = 0; i < n; i++) out[i] += this.vectors[j * n + i] * z
    }
    return out
  }

  /** Takes a step for each generation that has ended since the last call. */
  learn(complete: readonly Judged[]): void {
    for (; complete.length - this.seen >= this.population; this.seen += this.population) {
      const generation = complete
        .slice(this.seen, this.seen + this.population)
        .sort((a, b) => a.violation - b.violation || a.losses[0] - b.losses[0] || a.number - b.number)
      this.step(generation.slice(0, this.weights.length).map((trial) => this.sharesOf(trial)))
    }
  }

  private step(best: readonly Float64Array[]): void {
    const n = this.mean.length
    const { rates, mass, weights, sigma } = this
    const steps = best.map((x) => x.map((value, i) => (value - this.mean[i]) / sigma))
    const mean = new Float64Array(n)
    steps.forEach((y, k) => {
      for (let i = 0; i < n; i++) mean[i] += weights[k] * y[i]
    })
    for (let i = 0; i < n; i++) this.mean[i] += sigma * mean[i]
    // C^(-1/2) · mean
    const turned = new Float64Array(n)
    for (let j = 0; j < n; j++) {
      let along = 0
      for (let i = 0; i < n; i++) along += this.vectors[j * n + i] * mean[i]
      along /= this.lengths[j]
      for (let i = 0; i < n; i++) turned[i] += this.vectors[j * n + i] * along
    }
    const keep = Math.sqrt(rates.sigma * (2 - rates.sigma) * mass)
    let length = 0
    for (let i = 0; i < n; i++) {
      this.pathSigma[i] = (1 - rates.sigma) * this.pathSigma[i] + keep * turned[i]
      length += this.pathSigma[i] ** 2
    }
    length = Math.sqrt(length)
    this.generation++
    const grown = Math.sqrt(1 - exp(2 * this.generation * log(1 - rates.sigma)))
    const isSteady = length / grown < (1.4 + 2 / (n + 1)) * rates.expected
    const keepC = isSteady ? Math.sqrt(rates.c * (2 - rates.c) * mass) : 0
    for (let i = 0; i < n; i++) this.pathC[i] = (1 - rates.c) * this.pathC[i] + keepC * mean[i]
    const old = 1 - rates.one - rates.mu + (isSteady ? 0 : rates.one * rates.c * (2 - rates.c))
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let many = 0
        steps.forEach((y, k) => {
          many += weights[k] * y[i] * y[j]
        })
        this.covariance[i * n + j] = old * this.covariance[i * n + j] + rates.one * this.pathC[i] * this.pathC[j] + rates.mu * many
      }
    this.sigma = Math.min(1, sigma * exp(Math.min(1, (rates.sigma / rates.damping) * (length / rates.expected - 1))))
    this.decompose()
  }

  private decompose(): void {
    const n = this.mean.length
    const { values, vectors } = symmetricEigen(this.covariance, n)
    this.lengths = values.map((value) => Math.sqrt(Math.max(value, 1e-20)))
    this.vectors = vectors
  }

  private sharesOf({ point }: Judged): Float64Array {
    return Float64Array.from(this.numbers, (axis) => this.axes[axis].share(point[axis]))
  }
}

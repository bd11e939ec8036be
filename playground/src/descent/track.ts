/** The racers of a race, and the way of each. */
import type { Options } from '../engine/optimizers'
import type { Method } from '../methods'
import type { Ground } from './formula'

/** A method (`METHODS`) with the chosen options. */
export interface Racer extends Pick<Method, 'id' | 'order' | 'velocity' | 'squares'> {
  rate: number
  options?: Options
  /** A start of its own. */
  start?: readonly [number, number]
}

export interface RaceInput {
  ground: Ground
  start: readonly [number, number]
  racers: readonly Racer[]
  steps: number
  /** Standard deviation of the noise that is added to each number of a gradient, as in stochastic gradients. */
  noise: number
  seed: number
}

/** The way of one racer. */
export interface Track {
  /** x and y of each step alternately, from the start on. */
  path: Float64Array
  values: Float64Array
  /** Euclidean norm of the gradient (without noise) at each step. */
  gradientNorms: Float64Array
  /** The gradient of each step, with its noise, x and y alternately. */
  gradients: Float64Array
  /** Its velocity, or its gradient, before each step, x and y alternately; null if it has none. */
  velocity: Float64Array | null
  /** Roots of its mean squares, x and y alternately; null if it has none. */
  scale: Float64Array | null
  /** Number of steps taken; fewer than requested if it arrived, or left the map. */
  steps: number
  /** Why it ended; `undefined`: f or its gradient is not a number there. */
  end: 'steps' | 'converged' | 'diverged' | 'undefined'
  /** Evaluations of the gradient: second-order methods take several a step. */
  evaluations: number
  /** Products of the Hessian with a vector; a Hessian of two numbers is two of them. */
  products: number
}

/** A coordinate this large is outside of every map. */
export const FAR = 1e12

/** A track without a step. */
export function empty(steps: number, { velocity, squares }: Racer): Track {
  const pairs = () => new Float64Array(2 * (steps + 1))
  return {
    path: pairs(),
    values: new Float64Array(steps + 1),
    gradientNorms: new Float64Array(steps + 1),
    gradients: pairs(),
    velocity: velocity === undefined ? null : pairs(),
    scale: squares === undefined ? null : pairs(),
    ...{ steps: 0, end: 'steps', evaluations: 0, products: 0 },
  }
}

/** A track that is as long as its race was. */
export function trimmed(track: Track): Track {
  const n = track.steps + 1
  return {
    ...track,
    path: track.path.slice(0, 2 * n),
    values: track.values.slice(0, n),
    gradientNorms: track.gradientNorms.slice(0, n),
    gradients: track.gradients.slice(0, 2 * n),
    velocity: track.velocity?.slice(0, 2 * n) ?? null,
    scale: track.scale?.slice(0, 2 * n) ?? null,
  }
}

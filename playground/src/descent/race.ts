/** Optimizers that race from one point. All first-order ones go in step: one gradient of all their places at once. */
import { Generator, noGrad, type Optimizer, Parameter, slice, sum, type Tensor, tensor } from 'gradus'
import { valueAndGrad } from 'gradus/curvature'
import { type MinimizeMethod, minimize } from 'gradus/solve'
import { doubles } from '../engine/doubles'
import { makeOptimizer, type Options } from '../engine/optimizers'
import type { Method } from '../methods'
import { compile, type Ground } from './formula'

/** A method (`METHODS`) with the chosen options. */
export interface Racer extends Pick<Method, 'id' | 'order' | 'velocity' | 'squares'> {
  rate: number
  options?: Options
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
  /** Its velocity before each step, x and y alternately; null if it has none. */
  velocity: Float64Array | null
  /** Roots of its mean squares, x and y alternately; null if it has none. */
  scale: Float64Array | null
  /** Number of steps taken; fewer than requested if it arrived, or left the map. */
  steps: number
  /** Why it ended. */
  end: 'steps' | 'converged' | 'diverged'
  /** Evaluations of the gradient: second-order methods take several a step. */
  evaluations: number
}

/** A coordinate this large is outside of every map. */
const FAR = 1e12

export function race(input: RaceInput): Track[] {
  const first = input.racers.filter(({ order }) => order === 1)
  const together = descend(input, first)
  const tracks = new Map(first.map((racer, i) => [racer, together[i]]))
  return input.racers.map((racer) => tracks.get(racer) ?? solve(input, racer))
}

function descend({ ground, start, steps, noise, seed }: RaceInput, racers: readonly Racer[]): Track[] {
  const backend = doubles()
  const f = compile(ground)
  const n = racers.length
  if (n === 0) return []
  const evaluate = valueAndGrad((x: Tensor, y: Tensor) => sum(f(x, y)))
  const parameters = racers.map(() => new Parameter(Float64Array.from(start), { backend }))
  const optimizers = racers.map(({ id, rate, options }, i) => makeOptimizer(id, [parameters[i]], rate, options))
  const tracks = racers.map((racer) => empty(steps, racer))
  // The same noise for all: only their reactions differ.
  const disturbances = noise > 0 ? new Generator(seed).normals(2 * steps) : new Float64Array(2 * steps)
  const isOut = new Array<boolean>(n).fill(false)
  const xs = new Float64Array(n)
  const ys = new Float64Array(n)
  for (let step = 0; step <= steps; step++) {
    parameters.forEach((p, i) => {
      const [x, y] = p.view()
      xs[i] = x
      ys[i] = y
    })
    const x = tensor(xs, { backend })
    const y = tensor(ys, { backend })
    const gradients = evaluate(x, y).gradients.map((g) => g.data())
    const values = noGrad(() => f(x, y)).data()
    for (let i = 0; i < n; i++) {
      if (isOut[i]) continue
      const track = tracks[i]
      const [dx, dy] = [gradients[0][i], gradients[1][i]]
      track.path.set([xs[i], ys[i]], 2 * step)
      track.values[step] = values[i]
      track.gradientNorms[step] = Math.hypot(dx, dy)
      track.steps = step
      record(track, optimizers[i], racers[i], step)
      if (!(Math.abs(values[i]) < FAR && Number.isFinite(dx + dy))) {
        isOut[i] = true
        track.end = 'diverged'
        parameters[i].view().set(start)
      } else if (step < steps) {
        const g = parameters[i].gradientView()
        g[0] = dx + noise * disturbances[2 * step]
        g[1] = dy + noise * disturbances[2 * step + 1]
        optimizers[i].step()
        track.evaluations++
      }
    }
    if (isOut.every(Boolean)) break
  }
  return tracks.map(trimmed)
}

/** Second-order methods choose their own steps. */
function solve({ ground, start, steps }: RaceInput, racer: Racer): Track {
  const backend = doubles()
  const f = compile(ground)
  const track = empty(steps, racer)
  const loss = (p: Tensor) => sum(f(slice(p, 0, 1), slice(p, 1, 2)))
  const point = tensor(Float64Array.from(start), { backend })
  const { value, gradient } = valueAndGrad(loss)(point)
  const visit = (step: number, x: ArrayLike<number>, v: number, g: ArrayLike<number>) => {
    track.path.set([x[0], x[1]], 2 * step)
    track.values[step] = v
    track.gradientNorms[step] = Math.hypot(g[0], g[1])
    track.steps = step
  }
  visit(0, start, value, gradient.data())
  const result = minimize(loss, point, {
    method: racer.id as MinimizeMethod,
    maxIterations: steps,
    onIteration: ({ iteration, x, value, gradient, evaluations }) => {
      if (iteration > steps) return false
      visit(iteration, x, value, gradient)
      track.evaluations = evaluations
      return Math.abs(value) < FAR
    },
  })
  track.end = result.converged ? 'converged' : Math.abs(result.value) < FAR ? 'steps' : 'diverged'
  return trimmed(track)
}

function empty(steps: number, { velocity, squares }: Racer): Track {
  const pairs = () => new Float64Array(2 * (steps + 1))
  return {
    path: pairs(),
    values: new Float64Array(steps + 1),
    gradientNorms: new Float64Array(steps + 1),
    velocity: velocity === undefined ? null : pairs(),
    scale: squares === undefined ? null : pairs(),
    ...{ steps: 0, end: 'steps', evaluations: 0 },
  }
}

function record(track: Track, optimizer: Optimizer, { velocity, squares }: Racer, step: number): void {
  if (track.velocity === null && track.scale === null) return
  const { slots } = optimizer.state().groups[0].parameters[0]
  if (track.velocity && slots[velocity!]) track.velocity.set(slots[velocity!], 2 * step)
  if (track.scale && slots[squares!]) track.scale.set(slots[squares!].map(Math.sqrt), 2 * step)
}

function trimmed(track: Track): Track {
  const n = track.steps + 1
  return {
    ...track,
    path: track.path.slice(0, 2 * n),
    values: track.values.slice(0, n),
    gradientNorms: track.gradientNorms.slice(0, n),
    velocity: track.velocity?.slice(0, 2 * n) ?? null,
    scale: track.scale?.slice(0, 2 * n) ?? null,
  }
}

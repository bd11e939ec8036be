/** Optimizers that race from one point. All first-order ones go in step: one gradient of all their places at once. */
import { Generator, noGrad, type Optimizer, Parameter, sum, type Tensor, tensor } from 'gradus'
import { valueAndGrad } from 'gradus/curvature'
import { doubles } from '../engine/doubles'
import { fetchOptimizers, makeOptimizer } from '../engine/optimizers'
import { arrivalOf } from './arrival'
import { compile } from './formula'
import type { Surface } from './functions'
import { empty, FAR, type RaceInput, type Racer, type Track, trimmed } from './track'

export async function race(input: RaceInput): Promise<Track[]> {
  const first = input.racers.filter(({ order }) => order === 1)
  await fetchOptimizers(first.map(({ id }) => id))
  const together = descend(input, first)
  const tracks = new Map(first.map((racer, i) => [racer, together[i]]))
  if (first.length === input.racers.length) return together
  const { solve } = await import('./solve')
  return input.racers.map((racer) => tracks.get(racer) ?? solve(input, racer))
}

function descend({ ground, start: shared, steps, noise, seed }: RaceInput, racers: readonly Racer[]): Track[] {
  const backend = doubles()
  const f = compile(ground)
  const n = racers.length
  if (n === 0) return []
  const evaluate = valueAndGrad((x: Tensor, y: Tensor) => sum(f(x, y)))
  const parameters = racers.map(({ start = shared }) => new Parameter(Float64Array.from(start), { backend }))
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
      record(track, optimizers[i], racers[i], step, [dx, dy])
      if (!(Math.abs(values[i]) < FAR && Number.isFinite(dx + dy))) {
        isOut[i] = true
        track.end = step === 0 || Number.isNaN(values[i] + dx + dy) ? 'undefined' : 'diverged'
        parameters[i].view().set(shared)
      } else if (step < steps) {
        const g = parameters[i].gradientView()
        g[0] = dx + noise * disturbances[2 * step]
        g[1] = dy + noise * disturbances[2 * step + 1]
        track.gradients.set(g, 2 * step)
        optimizers[i].step()
        track.evaluations++
      }
    }
    if (isOut.every(Boolean)) break
  }
  return tracks.map(trimmed)
}

function record(track: Track, optimizer: Optimizer, { velocity, squares }: Racer, step: number, gradient: ArrayLike<number>): void {
  if (velocity === 'gradient') track.velocity!.set(gradient, 2 * step)
  if ((track.velocity === null || velocity === 'gradient') && track.scale === null) return
  const { slots } = optimizer.state().groups[0].parameters[0]
  if (track.velocity && slots[velocity!]) track.velocity.set(slots[velocity!], 2 * step)
  if (track.scale && slots[squares!]) track.scale.set(slots[squares!].map(Math.sqrt), 2 * step)
}

/** Learning rates of a {@link sweep}: eight a decade. */
export const RATES = Array.from({ length: 37 }, (_, i) => Number((10 ** (i / 8 - 4)).toPrecision(2)))
/** Steps of its races at most. */
const SWEEP_STEPS = 300
/** Directions in which its other starts lie. */
const AROUND = [
  [0, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
] as const

export type SweepInput = RaceInput & { range: Surface['range']; lowest: number | null; epsilon: number }

/**
 * Races of each first-order racer at each rate, from the start itself and four places around it, as one start alone rewards lucky jumps.
 *
 * @param input `lowest` null: the lowest value that any race found
 * @returns at each rate the steps of the starts that arrive, and the sum of values at the end; nothing for second-order methods, and where f has no
 * floor; with the steps of its races
 */
export async function sweep(
  input: SweepInput,
): Promise<{ starts: number; steps: number; racers: { arrivals: number[]; ends: number }[][] }> {
  const { racers, start, range, epsilon } = input
  await fetchOptimizers(racers.flatMap(({ id, order }) => (order === 1 ? id : [])))
  const [w, h] = range.map(([low, high]) => (high - low) / 12)
  const starts = AROUND.map(([dx, dy]) => [start[0] + w * dx, start[1] + h * dy] as const)
  const steps = Math.min(input.steps, SWEEP_STEPS)
  const swept = racers.map(({ id, order, options }) =>
    order === 1
      ? descend(
          { ...input, steps },
          RATES.flatMap((rate) => starts.map((start) => ({ id, order, options, rate, start }))),
        )
      : [],
  )
  const end = ({ values, steps, end }: Track) => (end === 'steps' ? values[steps] : Number.POSITIVE_INFINITY)
  const found = Math.min(...swept.flat().flatMap(({ values, steps }) => (values[steps] < FAR ? values[steps] : [])))
  const lowest = input.lowest ?? found
  const hasFloor = lowest > -FAR
  return {
    starts: starts.length,
    steps,
    racers: swept.map((tracks) =>
      tracks.length === 0 || !hasFloor
        ? []
        : RATES.map((_, i) => {
            const own = tracks.slice(starts.length * i, starts.length * (i + 1))
            return {
              arrivals: own.flatMap((track) => arrivalOf(track, lowest, epsilon) ?? []),
              ends: own.reduce((sum, track) => sum + end(track), 0),
            }
          }),
    ),
  }
}

/**
 * The learning rate of each racer with which the slowest of the starts of a {@link sweep} arrives soonest. Where fewer starts arrive at all, more of
 * them count first, then lower ends.
 *
 * @returns the present rate for second-order methods, and for all where f has no floor
 */
export async function bestRates(input: SweepInput): Promise<number[]> {
  const { racers } = await sweep(input)
  return input.racers.map(({ rate }, r) => {
    if (racers[r].length === 0) return rate
    const costs = racers[r].map(({ arrivals, ends }, i) => ({ rate: RATES[i], cost: [-arrivals.length, Math.max(0, ...arrivals), ends] }))
    return costs.reduce((best, one) => (isLess(one.cost, best.cost) ? one : best)).rate
  })
}

/** In the order of dictionaries. */
function isLess(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((v, k) => v !== b[k])
  return i >= 0 && a[i] < b[i]
}

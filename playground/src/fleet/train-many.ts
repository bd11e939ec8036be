/** A thousand nets, trained side by side by `fitMany`. */
import { binaryCrossEntropy, Dense, fitMany, Generator, Momentum, Sequential } from 'gradus'
import type { Context } from '../engine/context'
import { ready } from '../engine/ready'
import { examples } from '../train/data'
import { AXES, type AxisFacts, type AxisName, axis, type FleetState } from './axes'
import { DATA, epochsOf, type FleetMap, type Importance, type Pair, type Point, places, SAMPLE, SIDE, TRAIN_ROWS } from './map'

interface Trained {
  losses: Float32Array
  netSteps: number
}

export async function fleetMap(state: FleetState, context: Context<FleetMap>): Promise<FleetMap> {
  await ready()
  const xs = places(state.x, SIDE)
  const ys = places(state.y, SIDE)
  const rows = await rowsOf(state)
  // Nets that share all hyper-parameters start with different weights: the spread of their losses is chance.
  const isShared = axis(state.x).values !== undefined || axis(state.y).values !== undefined
  const losses = new Float32Array(SIDE * SIDE).fill(-1)
  let netSteps = 0
  let done = 0
  let seconds = 0
  const rowsAtOnce = 4
  for (let row = 0; row < SIDE && !context.isStopped; row += rowsAtOnce) {
    const points = Array.from({ length: rowsAtOnce * SIDE }, (_, i) =>
      pointOf(state, { [state.x]: xs[i % SIDE], [state.y]: ys[row + Math.floor(i / SIDE)] }),
    )
    const start = performance.now()
    const trained = await trainAll(state, rows, points, (i) => state.seed + (isShared ? row * SIDE + i : 0))
    seconds += (performance.now() - start) / 1000
    losses.set(trained.losses, row * SIDE)
    netSteps += trained.netSteps
    done += points.length
    context.update({ losses, done, netSteps, seconds })
    await context.breathe()
  }
  return { losses, done, netSteps, seconds }
}

function pointOf({ rate, momentum, cooling, decay, batch, width, depth }: FleetState, changes: Partial<Point>): Point {
  return { rate, momentum, cooling, decay, batch, width, depth, ...changes }
}

interface Rows {
  inputs: Float32Array
  targets: Float32Array
}

async function rowsOf({ data, seed }: FleetState): Promise<Rows> {
  const { train } = await examples({ ...DATA, kind: data as never, seed, points: [], csv: '', target: '' })
  return { inputs: train.inputs.subarray(0, 2 * TRAIN_ROWS), targets: Float32Array.from(train.labels.subarray(0, TRAIN_ROWS)) }
}

/** Trains a net for each point; nets that share rows a step go into one call. */
async function trainAll(
  state: FleetState,
  { inputs, targets }: Rows,
  points: readonly Point[],
  seedOf: (i: number) => number = () => state.seed,
): Promise<Trained> {
  const losses = new Float32Array(points.length)
  let netSteps = 0
  for (const batch of new Set(points.map((point) => point.batch))) {
    const chosen = points.flatMap((point, i) => (point.batch === batch ? [i] : []))
    const models = chosen.map((i) => {
      const { width, depth } = points[i]
      const layers = Array.from({ length: depth }, (_, k) => new Dense(k === 0 ? 2 : width, width, { activation: 'tanh' }))
      return new Sequential([...layers, new Dense(width, 1)] as Dense[], { seed: seedOf(i) })
    })
    const optimizers = models.map((model, k) => {
      const { rate, momentum, decay } = points[chosen[k]]
      return new Momentum(model.parameters(), { learningRate: rate, beta: momentum, weightDecay: decay })
    })
    const { epochs, stepsAnEpoch } = epochsOf(state.steps, batch)
    const steps = epochs * stepsAnEpoch
    const isCooled = chosen.some((i) => points[i].cooling > 0)
    const schedule = chosen.map((i) => (step: number) => points[i].rate / (1 + (points[i].cooling * step) / steps))
    const histories = await fitMany(models, {
      inputs,
      shape: [TRAIN_ROWS, 2],
      targets,
      loss: binaryCrossEntropy,
      optimizers,
      ...(isCooled ? { schedule } : {}),
      batchSize: batch,
      epochs,
      seed: state.seed,
    } as never)
    histories.forEach((history, k) => {
      losses[chosen[k]] = history.error ? Number.NaN : (history.epochs.at(-1)?.loss ?? Number.NaN)
    })
    netSteps += models.length * steps
  }
  return { losses, netSteps }
}

const BINS = 8

/** Trains nets with random hyper-parameters, and computes the share of the losses' variance that each hyper-parameter explains. */
export async function fleetImportance(state: FleetState): Promise<Importance> {
  await ready()
  const generator = new Generator(state.seed)
  const start = performance.now()
  const points = Array.from({ length: SAMPLE }, () => {
    const u = generator.uniforms(AXES.length)
    return pointOf(
      state,
      Object.fromEntries(
        AXES.map(({ name, from, to, log, values }, i) => [
          name,
          values ? values[Math.floor(u[i] * values.length)] : log ? from * (to / from) ** u[i] : from + (to - from) * u[i],
        ]),
      ),
    )
  })
  const { losses } = await trainAll(state, await rowsOf(state), points)
  const finite = losses.filter(Number.isFinite)
  const worst = finite.reduce((a, v) => Math.max(a, v), 0)
  const heights = Array.from(losses, (loss) => Math.log(Math.max(Number.isFinite(loss) ? Math.min(loss, worst) : worst, 1e-6)))
  const shares = AXES.map(({ name }) => ({ name, share: explained(binsOf(points, name), heights) }))
  shares.sort((a, b) => b.share - a.share)
  const best = losses.reduce(
    (least, loss, i) => (Number.isFinite(loss) && loss < losses[least] ? i : least),
    losses.findIndex(Number.isFinite),
  )
  const pairs = shares.flatMap((y, i) => shares.slice(0, i).map((x) => pairOf(x, y, points, heights)))
  return { shares, pairs, best: { point: points[best], loss: losses[best] }, nets: SAMPLE, seconds: (performance.now() - start) / 1000 }
}

/** The group of a value: its own for an axis of integers, else one of equal parts of the range. */
function binOf({ from, to, log, values }: AxisFacts, value: number): number {
  if (values) return values.indexOf(value)
  const t = log ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from)
  return Math.min(Math.floor(t * BINS), BINS - 1)
}

const binsOf = (points: readonly Point[], name: AxisName) => points.map((point) => binOf(axis(name), point[name]))

type Share = Importance['shares'][number]

function pairOf(x: Share, y: Share, points: readonly Point[], heights: readonly number[]): Pair {
  const [columns, rows] = [x, y].map(({ name }) => axis(name).values?.length ?? BINS)
  const [xs, ys] = [x, y].map(({ name }) => binsOf(points, name))
  const cells = xs.map((column, i) => ys[i] * columns + column)
  const means = Array.from({ length: columns * rows }, (_, cell) => {
    const own = heights.filter((_, i) => cells[i] === cell)
    return own.reduce((sum, v) => sum + v, 0) / own.length
  })
  return { x: x.name, y: y.name, columns, rows, means, together: Math.max(0, explained(cells, heights) - x.share - y.share) }
}

/** The share of the variance between groups, minus the share expected by chance (ω²). */
function explained(groups: readonly number[], heights: readonly number[]): number {
  const n = heights.length
  const mean = heights.reduce((a, v) => a + v, 0) / n
  const sums = new Map<number, { n: number; sum: number }>()
  groups.forEach((group, i) => {
    const entry = sums.get(group) ?? { n: 0, sum: 0 }
    sums.set(group, { n: entry.n + 1, sum: entry.sum + heights[i] })
  })
  const total = heights.reduce((a, v) => a + (v - mean) ** 2, 0)
  const between = [...sums.values()].reduce((a, { n, sum }) => a + n * (sum / n - mean) ** 2, 0)
  const within = (total - between) / Math.max(n - sums.size, 1)
  return Math.max(0, (between - (sums.size - 1) * within) / (total + within))
}

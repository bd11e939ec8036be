/** How fair a race is: how soon each racer arrives at each learning rate, and Momentum at each rate and β. */
import { sum, type Tensor, tensor } from 'gradus'
import { valueAndGrad } from 'gradus/curvature'
import { doubles } from '../engine/doubles'
import { compile, type Ground } from './formula'
import { RATES, type SweepInput, sweep } from './race'

export interface Fairness {
  rates: readonly number[]
  /** Steps of each race at most. */
  most: number
  /** For each racer the steps after which the slowest of five starts has arrived, by rate; null where not all do. Empty for racers without a rate. */
  steps: (number | null)[][]
}

export async function fairness(input: SweepInput): Promise<Fairness> {
  const { starts, steps, racers } = await sweep(input)
  return {
    rates: RATES,
    most: steps,
    steps: racers.map((costs) => costs.map(({ arrivals }) => (arrivals.length === starts ? Math.max(...arrivals) : null))),
  }
}

export interface Regimes {
  rates: readonly number[]
  betas: readonly number[]
  /** Row by row of a β: 0 diverges, 1 does not arrive, 2 swings in, 3 goes down without a swing; and steps to arrive. */
  regime: Uint8Array
  steps: Uint16Array
}

/** Cells of the map of regimes: rates from 0.001 to 10, and β with even steps of the memory's logarithm; both as sliders have them. */
const [COLUMNS, ROWS] = [72, 44]
const OFF = 1e9

/** Momentum from one start at each rate and β: all races at once. */
export function regimes({
  ground,
  start,
  steps,
  lowest,
  epsilon,
}: {
  ground: Ground
  start: readonly [number, number]
  steps: number
  lowest: number
  epsilon: number
}): Regimes {
  const backend = doubles()
  const f = compile(ground)
  const evaluate = valueAndGrad((x: Tensor, y: Tensor) => sum(f(x, y)))
  const rates = Array.from({ length: COLUMNS }, (_, i) => Number((10 ** (-3 + (4 * i) / (COLUMNS - 1))).toPrecision(2)))
  const betas = Array.from({ length: ROWS }, (_, i) => Number((1 - 10 ** ((-2.5 * i) / (ROWS - 1))).toPrecision(3)))
  const n = COLUMNS * ROWS
  const [x, y] = start.map((v) => new Float64Array(n).fill(v))
  const [vx, vy] = [new Float64Array(n), new Float64Array(n)]
  const [regime, arrival, isOut] = [new Uint8Array(n), new Uint16Array(n), new Uint8Array(n)]
  const rises = new Uint16Array(n)
  const before = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  for (let step = 0; step <= steps; step++) {
    const [xs, ys] = [tensor(x, { backend }), tensor(y, { backend })]
    const values = f(xs, ys).data()
    const [dx, dy] = evaluate(xs, ys).gradients.map((g) => g.data())
    for (let i = 0; i < n; i++) {
      if (isOut[i]) continue
      const value = values[i]
      if (!(Math.abs(value) < OFF)) {
        isOut[i] = 1
        // far from where a function may overflow
        x[i] = y[i] = vx[i] = vy[i] = 0
        continue
      }
      // Steps count from the last one that was outside.
      if (value - lowest > epsilon) {
        arrival[i] = step + 1
        if (value > before[i] + 1e-12) rises[i]++
      }
      before[i] = value
      const [rate, beta] = [rates[i % COLUMNS], betas[Math.floor(i / COLUMNS)]]
      vx[i] = beta * vx[i] + (1 - beta) * dx[i]
      vy[i] = beta * vy[i] + (1 - beta) * dy[i]
      x[i] -= rate * vx[i]
      y[i] -= rate * vy[i]
    }
  }
  for (let i = 0; i < n; i++) regime[i] = isOut[i] ? 0 : arrival[i] > steps ? 1 : rises[i] > 0 ? 2 : 3
  return { rates, betas, regime, steps: arrival }
}

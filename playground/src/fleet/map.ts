/** The results of the worker, and the places of the map. */
import { type AxisName, axis } from './axes'

export const SIDE = 32
/** Options of the data set of `gradus/data`. */
export const DATA = { count: 230, noise: 0.2 }
export const TRAIN_ROWS = 160
/** Nets whose hyper-parameters are drawn at random, to find out which of these matter. */
export const SAMPLE = 1024

export interface FleetMap {
  /** Mean losses of the last epoch, rows from the bottom; NaN where a net diverged, -1 where none is trained yet. */
  losses: Float32Array
  done: number
  netSteps: number
  seconds: number
}

/** The hyper-parameters of a net. */
export type Point = Record<AxisName, number>

/** Nets by two hyper-parameters, `x` the more important one. */
export interface Pair {
  x: AxisName
  y: AxisName
  columns: number
  rows: number
  /** Mean log loss in each cell, rows from the bottom; NaN where no net is. */
  means: number[]
  /** Share of the variance of the log loss that both explain together, beyond what each explains alone. */
  together: number
}

export interface Importance {
  /** Share of the variance of the log loss that each explains alone, largest first. */
  shares: { name: AxisName; share: number }[]
  /** Each pair of them, in the same order: the first with the second, both with the third, and so on. */
  pairs: Pair[]
  best: { point: Point; loss: number }
  nets: number
  seconds: number
}

/** Epochs of a net, which are whole, from its steps and the rows of each. */
export function epochsOf(steps: number, batch: number): { epochs: number; stepsAnEpoch: number } {
  const stepsAnEpoch = Math.ceil(TRAIN_ROWS / batch)
  return { epochs: Math.max(1, Math.round(steps / stepsAnEpoch)), stepsAnEpoch }
}

/** How many steps nets take that differ in the rows of a step. */
export function stepsText(steps: number): string {
  const taken = axis('batch').values!.map((batch) => {
    const { epochs, stepsAnEpoch } = epochsOf(steps, batch)
    return epochs * stepsAnEpoch
  })
  const [least, most] = [Math.min(...taken), Math.max(...taken)]
  return least === most ? `All nets take ${least} steps.` : `Nets take ${least} to ${most} steps: whole epochs, whatever their batch.`
}

/** Places of an axis, evenly spaced; whole numbers if the axis takes only these. */
export function places(name: string, count: number): number[] {
  const { from, to, log, values } = axis(name)
  return Array.from({ length: count }, (_, i) => {
    const t = i / (count - 1)
    if (values) return values[Math.min(Math.floor(t * values.length), values.length - 1)]
    return log ? from * (to / from) ** t : from + (to - from) * t
  })
}

/** Successive halving (Jamieson & Talwalkar 2016): nets are trained side by side, and from rung to rung only the best continue. */
import { type BuiltModel, type FitManyOptions, fitMany, type TrainingData } from '../index.js'

/** A net of a race. */
export interface Racer extends BuiltModel {
  batchSize?: number | undefined
  /** Its value at the last rung, less is better; NaN before the first rung, and if it diverged. */
  value: number
  /** Steps that it has taken. */
  steps: number
}

/** Options of a race. */
export interface RaceOptions extends Pick<FitManyOptions, 'loss' | 'dropLast' | 'signal'> {
  data: TrainingData
  /** Epochs at the end of each rung. */
  rungs: readonly number[]
  /** The best 1/reductionFactor of the nets continue. */
  reductionFactor: number
  seed: number
  /** Returns the value of a net, less is better; NaN if it diverged. */
  judge(net: BuiltModel): number
  /** True if there is no time for another rung. */
  isOver(): boolean
}

/** Result of a rung. */
export interface Rung<R> {
  epochs: number
  /** Nets that continue, the best first. */
  running: R[]
  cut: R[]
  diverged: R[]
}

/** Rungs at 1/reductionFactor² and 1/reductionFactor of the epochs, and at their end. */
export function rungsOf(epochs: number, reductionFactor: number): number[] {
  return [...new Set([Math.ceil(epochs / reductionFactor ** 2), Math.ceil(epochs / reductionFactor), epochs])]
}

/** Trains nets rung by rung. It ends early if the signal fires: nets that were stopped within a rung keep their value of the previous rung. */
export async function* race<R extends Racer>(nets: readonly R[], options: RaceOptions): AsyncGenerator<Rung<R>> {
  const { data, rungs, reductionFactor, seed, judge, isOver, loss, dropLast, signal } = options
  let running = [...nets]
  let done = 0
  for (const [i, epochs] of rungs.entries()) {
    if (signal?.aborted || isOver()) return
    for (const batchSize of new Set(running.map((net) => net.batchSize))) {
      const group = running.filter((net) => net.batchSize === batchSize)
      const histories = await fitMany(
        group.map(({ model }) => model),
        {
          ...{ ...data, loss, ...(dropLast !== undefined && { dropLast }), ...(signal && { signal }) },
          ...(batchSize !== undefined && { batchSize }),
          optimizers: group.map(({ optimizer }) => optimizer),
          // a rung continues where the previous one stopped, with the same schedule
          schedule: group.map(({ schedule, steps }) => schedule && ((step: number) => schedule(step + steps))),
          callbacks: (net) => group[net].callbacks ?? [],
          epochs: epochs - done,
          seed: seed + done,
        },
      )
      if (signal?.aborted) return
      for (const [j, net] of group.entries()) {
        net.steps += histories[j].steps
        net.value = histories[j].error === undefined ? judge(net) : Number.NaN
      }
    }
    done = epochs
    const diverged = running.filter(({ value }) => Number.isNaN(value))
    const ranked = running.filter(({ value }) => !Number.isNaN(value)).sort((a, b) => a.value - b.value)
    const kept = i === rungs.length - 1 ? ranked.length : Math.max(1, Math.ceil(ranked.length / reductionFactor))
    running = ranked.slice(0, kept)
    yield { epochs, running, cut: ranked.slice(kept), diverged }
  }
}

/** The task of the Sequences tab: the net learns, and goes on with a wave alone. */
import type { Context } from '../engine/context'
import { type Pace, paced } from '../engine/paced'
import { ALONE, GIVEN } from './given'
import { SeriesNet, type Trace, waveOf } from './net'
import type { SeriesConfig } from './state'

export interface SeriesInput extends Pace {
  config: SeriesConfig
}

export interface SeriesFrame {
  step: number
  stepsPerSecond: number
  problem: string
  curve: { steps: number[]; loss: number[] }
  /** The wave, one value more than the trace has steps. */
  wave: number[]
  trace: Trace
}

/** One kind; the other tasks of this form have more. */
export interface SeriesUpdate {
  type: 'frame'
  frame: SeriesFrame
}

export async function series({ config, ...pace }: SeriesInput, context: Context<SeriesUpdate>): Promise<void> {
  const net = new SeriesNet(config)
  const wave = waveOf(config.period, GIVEN + ALONE + 1)
  await paced<never>(pace, context, {
    step: () => net.step,
    isAlive: () => net.problem === '',
    advance: (until, deadline) => net.advance(until, deadline),
    show: (stepsPerSecond) => {
      const { step, problem, curve } = net
      const trace = net.trace(wave.slice(0, GIVEN), ALONE)
      context.update({ type: 'frame', frame: { step, problem, curve, wave, stepsPerSecond, trace } })
    },
    receive: () => false,
  })
}

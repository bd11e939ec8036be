/** The trials of a study as samplers see them: points with losses, and the order of the finished ones from best to worst. */
import type { Axis } from './space.js'

/** @internal a trial: its point and its losses. Less is better, whatever the direction of the study. */
export interface Observation {
  readonly number: number
  /** A coordinate for each axis; NaN if a parameter is absent. */
  readonly point: Float64Array
  readonly state: 'complete' | 'pruned' | 'running'
  /** One for each objective; empty unless complete. */
  readonly losses: readonly number[]
  /** Total violation of constraints; 0 if there is none. */
  readonly violation: number
  /** For a pruned trial the last step that it reported, with the loss there. */
  readonly step: number
  readonly stepLoss: number
}

/** @internal the trials of a study, without failed ones: samplers get them as `history` */
export class Observations {
  /** Finished trials from best to worst, by the first objective. Infeasible ones are behind all others, pruned ones behind complete ones. */
  readonly ranked: Observation[] = []
  /** Finished trials in the order in which they ended. */
  readonly finished: Observation[] = []
  readonly running = new Map<number, Observation>()

  constructor(readonly axes: readonly Axis[]) {}

  add(observation: Observation): void {
    if (observation.state === 'running') {
      this.running.set(observation.number, observation)
      return
    }
    this.running.delete(observation.number)
    this.finished.push(observation)
    let [from, to] = [0, this.ranked.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (compare(this.ranked[middle], observation) <= 0) from = middle + 1
      else to = middle
    }
    this.ranked.splice(from, 0, observation)
  }

  /** For failed trials. */
  remove(number: number): void {
    this.running.delete(number)
  }
}

/** Negative if a is better. */
function compare(a: Observation, b: Observation): number {
  if (a.violation !== b.violation) return a.violation - b.violation
  if (a.state !== b.state) return a.state === 'complete' ? -1 : 1
  if (a.state === 'complete') return a.losses[0] - b.losses[0]
  return b.step - a.step || orInfinity(a.stepLoss) - orInfinity(b.stepLoss) || 0
}

function orInfinity(loss: number): number {
  return Number.isNaN(loss) ? Number.MAX_VALUE : Math.min(loss, Number.MAX_VALUE)
}

/** The interface of runners of an objective. */
import { clock } from '../../common/clock.js'
import type { Space } from '../space.js'
import type { Trial } from '../trial.js'

/** @internal runs an objective: in this thread or elsewhere */
export interface Runner<S extends Space> {
  /** Name and hash of the objective, if it is a module that this process has. */
  readonly version?: string
  /**
   * The result of the objective.
   * @param onBegin called when the objective is loaded; from then on the time of the trial counts
   * @throws errors of the objective; {@link WorkerDied} if no worker is left
   */
  run(trial: Trial<S>, signal: AbortSignal, onBegin?: () => void): Promise<unknown>
  close(): Promise<void>
}

/** @internal stands for an outcome that is already in the storage */
export const TOLD = Symbol('told')

/** @internal a worker that ended in the middle of a trial */
export class WorkerDied extends Error {
  override name = 'WorkerDied'
}

/** @internal the end of a trial that took longer than it may */
export class TrialTimeout extends Error {
  override name = 'TrialTimeout'
  constructor(seconds: number) {
    super(`the trial took longer than trialTime allows, ${seconds} s, and was ended`)
  }
}

/** @internal an objective that cannot be loaded, or a queue that cannot run anything: the trial is not at fault, and is handed back */
export class LoadError extends TypeError {}

/**
 * @internal stops a trial after some seconds of work; time in which its reports wait for the storage does not count
 * @returns a function that ends the watch
 */
export function limitTime<S extends Space>(trial: Trial<S>, seconds: number, stop: AbortController): () => void {
  const { report } = trial
  let left = 1000 * seconds
  let waiting = 0
  let began = clock.now()
  const start = () => setTimeout(() => stop.abort(new TrialTimeout(seconds)), left)
  let timer = start()
  trial.report = async (value, step) => {
    if (waiting++ === 0) {
      clearTimeout(timer)
      left = Math.max(0, left - (clock.now() - began))
    }
    try {
      await Reflect.apply(report, trial, [value, step])
    } finally {
      if (--waiting === 0) {
        began = clock.now()
        timer = start()
      }
    }
  }
  return () => {
    waiting = Number.POSITIVE_INFINITY
    clearTimeout(timer)
    trial.report = report
  }
}

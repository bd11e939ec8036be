/** What shows how training goes where nobody asked for it: the entry for Node sets it. */
import type { Progress } from './callbacks.js'
import type { History } from './history.js'

/** @internal The line of one training. */
export interface ProgressLine {
  /** Called at most ten times a second within an epoch, and at the end of each that is watched. */
  show(progress: Progress): void
  /** Called once, with the history, or without one where training failed. */
  end(history?: History): void
}

/** @internal `line` makes the line of a training, if it is to have one. */
export const progressLine: { make?: (verbose: boolean | undefined) => ProgressLine | undefined } = {}

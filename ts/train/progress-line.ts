/** The progress line of a training that has no callbacks for it: the entry for Node sets it. */
import type { Progress } from './callbacks.js'
import type { History } from './history.js'

/** @internal The line of one training. */
export interface ProgressLine {
  /** Called at most ten times a second within an epoch, and at the end of each epoch if epochs are watched. */
  show(progress: Progress): void
  /** Called once, with the history, or without it if training failed. */
  end(history?: History): void
}

/** @internal `make` returns the line of a training, if it should have one. */
export const progressLine: { make?: (verbose: boolean | undefined) => ProgressLine | undefined } = {}

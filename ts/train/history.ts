/** What `fit` gives back: the course of a training. */

/** One row of the history. */
export interface EpochRecord {
  epoch: number
  loss: number
  /** Metrics of the training batches as they were trained on. */
  metrics: Record<string, number>
  /** Loss and metrics of the validation data, where there are any: as callbacks see them in `progress.validation`. */
  validation?: { loss: number } & Record<string, number>
  learningRate: number
  seconds: number
}

/**
 * How training steps were run: all ways give the same numbers.
 *
 * @example
 * const { execution } = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5 })
 * execution.writtenOut // steps that ran as they are written, among them those that were recorded
 * execution.reason     // undefined, or why steps were not replayed
 */
export interface Execution {
  /** Steps that ran many at a time, in one call of WebAssembly. */
  programs: number
  /** Steps that ran side by side with those of other nets, in `fitMany`. */
  fleet: number
  /** Steps that ran from a recording, one at a time. */
  replayed: number
  /** Steps that ran as they are written. */
  writtenOut: number
  /** Why steps were not replayed, where they were not: the first reason that was found. */
  reason?: string
}

/** The history of a training. */
export interface History {
  epochs: EpochRecord[]
  /** Steps taken. */
  steps: number
  seconds: number
  /** How the steps were run. */
  execution: Execution
  /** `completed`, `aborted`, or the reason a callback gave. */
  stopReason: string
}

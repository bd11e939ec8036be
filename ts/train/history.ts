/** The result of `fit`: the course of a training. */

/** One row of the history. */
export interface EpochRecord {
  epoch: number
  loss: number
  /** Metrics of the training batches, each computed before the update by its batch. */
  metrics: Record<string, number>
  /** Loss and metrics of the validation data, if there are any: callbacks see them in `progress.validation`. */
  validation?: { loss: number } & Record<string, number>
  learningRate: number
  seconds: number
}

/**
 * Counts of training steps by the way in which they ran. All ways give the same results.
 *
 * @example
 * const { execution } = await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5 })
 * execution.writtenOut // steps that ran as they are written, among them those that were recorded
 * execution.reason     // undefined, or why steps were not replayed
 */
export interface Execution {
  /** Steps that ran many at a time, in one call of WebAssembly. */
  programs: number
  /** Steps that ran side by side with other nets, in `fitMany`. */
  fleet: number
  /** Steps that ran from a recording, one at a time. */
  replayed: number
  /** Steps that ran as they are written. */
  writtenOut: number
  /** The first reason why steps were not replayed, if some were not. */
  reason?: string
}

/** The history of a training. */
export interface History {
  epochs: EpochRecord[]
  /** Steps taken. */
  steps: number
  seconds: number
  /** Counts of the steps by the way they ran. */
  execution: Execution
  /** `completed`, `aborted`, or the reason a callback gave. */
  stopReason: string
}

/** @internal A history at its start. It is a class so that notebooks can show it (`gradus/notebook`). */
export class NewHistory implements History {
  epochs: EpochRecord[] = []
  steps = 0
  seconds = 0
  execution: Execution
  stopReason = 'completed'

  constructor(execution: Execution) {
    this.execution = execution
  }
}

/** What `fit` gives back: the course of a training. */

/** One row of the history. */
export interface EpochRecord {
  epoch: number
  loss: number
  valLoss?: number
  /** Metrics of the training batches as they were trained on. */
  metrics: Record<string, number>
  valMetrics?: Record<string, number>
  learningRate: number
  seconds: number
}

/** What happened. */
export interface History {
  epochs: EpochRecord[]
  /** Steps taken. */
  steps: number
  seconds: number
  /** `completed`, `aborted`, or the reason a callback gave. */
  stopReason: string
}

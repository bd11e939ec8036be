/** The report of an X-ray: plain JSON data, from which verdicts, pictures and texts are made. */

/** `light` looks at norms, units and, a few times, at the sharpness; `full` does so more often, and follows the margin of every row. */
export type XrayLevel = 'light' | 'full'

/** A layer with parameters of its own, in the order of the model. */
export interface XrayLayer {
  /** The path in the model, such as `0` or `encoder.2`. */
  name: string
  /** The description of the layer, such as `Dense(4, 16, relu)`. */
  kind: string
  /** Outputs of the layer. */
  units: number
  /** Numbers that the layer trains and does not train. */
  parameters: number
  activation?: string
  /** True if the optimizer updates no parameter of the layer. */
  frozen?: boolean
}

/** A layer at one step. */
export interface LayerSample {
  /** Euclidean norm of the gradient of this step. */
  gradientNorm: number
  /** Euclidean norm of the weights after this step. */
  weightNorm: number
  /** ‖w after the step − w before it‖ / ‖w before it‖; some 1e-3 is usual. */
  updateRatio: number
  /** Share of units that are 0 on all probe rows, from 0 to 1; only with an activation that can be (relu and its kind). */
  dead?: number
  /** Share of outputs at an end of a sigmoid or tanh, from 0 to 1. */
  saturated?: number
}

/** One look at the training, after a step. A figure that could not be measured is left out: all numbers are finite. */
export interface XraySample {
  /** Steps so far, from 1. */
  step: number
  /** From 1. */
  epoch: number
  /** Mean of the loss over the epoch so far. */
  loss: number
  /** Loss on the probe rows, the same at each sample, in evaluation mode; left out where it is infinite. */
  probeLoss?: number
  learningRate: number
  batchSize: number
  /** Euclidean norm of the gradient of all layers. */
  gradientNorm: number
  /** Simple noise scale tr Σ / ‖G‖² in rows (McCandlish 2018): the batch size beyond which more rows bring little. Averaged over samples so far. */
  noiseScale?: number
  /** Largest eigenvalue of the Hessian on the probe rows, preconditioned as the optimizer does (Cohen 2022). */
  sharpness?: number
  /** Sharpness times learning rate over its limit: above 1 steps overshoot. The limit of plain gradient descent is 2. */
  stability?: number
  /** Cosine between this update and the one before: near 1 a steady slope, near −1 zigzag across a valley. */
  cosine?: number
  /** Share of steps whose gradient was clipped, among those that were looked at. */
  clipped?: number
  /** In the order of `layers` of the report. */
  layers: LayerSample[]
}

/** The net before its first step, on the probe rows. */
export interface XrayStart {
  loss: number
  /** Euclidean norm of the gradient. */
  gradientNorm: number
  /** Largest and smallest eigenvalue of the Hessian. */
  sharpness?: number
  lowest?: number
  layers: StartLayer[]
}

/** A layer before the first step. */
export interface StartLayer extends Omit<LayerSample, 'updateRatio'> {
  /** Share of units whose weights equal those of the first unit, from 0 to 1. */
  equal: number
  /** Root mean square of the weights times √inputs: 1 keeps the size of signals, usual initializers give 0.6 to 1.5. */
  gain: number
}

/** Options of the training that rules look at. */
export interface XraySetup {
  shuffle: boolean
  /** Steps that the training plans. */
  steps: number
  learningRate: number
  weightDecay: number
  /** True if the decay acts on weights apart from the gradient, as in AdamW. */
  decoupled: boolean
  /** True unless the optimizer's steps are proportional to gradients. */
  isAdaptive: boolean
  /** η·λ at which steps begin to overshoot: 2 for plain gradient descent; undefined for a method without a known one. */
  limit?: number
  /** The largest rate among dropout layers, or 0. */
  dropout: number
  /** Activation of the last layer; `softmax` if rows of predictions have the sum 1. */
  output: string
  /** True if the loss takes logits. */
  logits: boolean
}

/** An epoch that ended. */
export interface XrayEpoch {
  epoch: number
  /** Steps so far. */
  step: number
  loss: number
  validationLoss?: number
  learningRate: number
}

/** A row whose label the net prefers another class to, over the whole training. */
export interface SuspectRow {
  /** Number of the row among the training rows, from 0. */
  row: number
  /** Area under the margin: mean of the label's logit less the largest other one (Pleiss 2020). Negative for suspects. */
  margin: number
  label: number
  /** The class that the net prefers. */
  suggestion: number
}

/** The kind of point at which training stopped, as `inspectPoint` says it. */
export interface XrayEnd {
  kind: 'minimum' | 'maximum' | 'saddle' | 'plateau' | 'slope' | 'degenerate' | 'diverged'
  explanation: string
  /** Euclidean norm of the gradient there. */
  gradientNorm?: number
}

/** `fault`: training cannot succeed like this. `warning`: it is clearly worse than it could be. `note`: worth knowing. */
export type Severity = 'fault' | 'warning' | 'note'

/** A finding with its remedy. Every number in the sentences is one of the figures. */
export interface Verdict {
  /** The name of the rule, such as `rate too large`. */
  rule: string
  severity: Severity
  /** Name of the layer, where the finding is about one. */
  layer?: string
  /** The step at which it began to hold. */
  step: number
  /** The finding, without a full stop: `62 % of the units of layer 2 are dead since step 300`. */
  says: string
  /** The remedy: `try a learning rate of 0.008`. */
  remedy: string
  figures: Record<string, number>
}

/** Facts of the rows, looked at before the first step. Columns count from 0. */
export interface XrayData {
  rows: number
  columns: number
  validationRows?: number
  /** Rows by class, for targets that are classes. */
  classes?: number[]
  /** Rows of each class among the predictions for the probe rows at the end. */
  predicted?: number[]
  /** Targets that are numbers. `levels` counts different targets if they are a few whole numbers, else it is 0. */
  target?: { mean: number; deviation: number; least: number; most: number; levels: number }
  /** Loss of the best constant prediction, for losses of this library. */
  baseline?: number
  /** Columns with one value in all rows. */
  constant: number[]
  /** The column of the largest root mean square, and the root mean squares of it and of the smallest column; of columns that are not constant or indices. */
  largest?: { column: number; size: number; least: number }
  /** The column that says most about the target: its squared correlation, and that of the second best. */
  telling?: { column: number; share: number; second: number }
  /** How often a row has the class of the row before it (for numbers: correlation of neighbors), and how often it would in a random order. */
  sorted: { share: number; expected: number }
  /**
   * Share of validation rows that are among the training rows, and of training rows that repeat an earlier one. `copied` is the first share again, if
   * targets are equal, too, and columns of few values do not explain it by chance; else 0.
   */
  repeated?: { validation: number; training: number; copied?: number }
}

/** Residuals or margins of the probe rows over the training. */
export interface XrayFit {
  rows: number
  /**
   * Rows whose label the net contradicts as strongly as it agrees with the others, or, for numbers, that are four times as far off as the median; without
   * those whose nearest neighbor has that label, or is off to the same side: the net has not learned these.
   */
  odd: number
  /** Share of rows that the net has right (classes), or of the variance that it explains (numbers). */
  right: number
}

/** Everything that an X-ray saw. It is plain data: `JSON.parse(JSON.stringify(report))` gives the same verdicts. */
export interface XrayReport {
  level: XrayLevel
  /** Steps between two samples. */
  every: number
  model: string
  optimizer: string
  loss: string
  batchSize: number
  batchesPerEpoch: number
  epochsPlanned: number
  layers: XrayLayer[]
  samples: XraySample[]
  epochs: XrayEpoch[]
  setup: XraySetup
  start?: XrayStart
  data?: XrayData
  fit?: XrayFit
  /** Rows that look mislabelled, worst first; level `full` only. */
  suspects?: SuspectRow[]
  end?: XrayEnd
  /** The findings, faults and warnings before notes: the first one names the likely cause. */
  verdicts: Verdict[]
}

/** The sharpness of the loss over training: the largest eigenvalue of its Hessian, beside the one at which the rate stops being stable. */
import { NonFiniteError, tensor } from 'gradus'
import { largestEigenvalues } from 'gradus/curvature'
import type { Examples } from './examples'
import { lossOf, type Trainer } from './trainer'

/** Sharpness by step. */
export interface Sharpness {
  steps: number[]
  /** The largest eigenvalue of the Hessian of the loss of all training rows. */
  values: number[]
  /** Above this a step of the size of the rate overshoots further than it started: 2/η; null where the method has no such limit. */
  limits: (number | null)[]
}

const MOST = 200
const EVERY = 10
/** Rows times weights from which on it is measured less often. */
const LARGE = 100_000
/** Products with the Hessian, at most: enough for two digits. */
const ITERATIONS = 30

/** Measures a run as it trains, which goes on as if nobody had looked. */
export class SharpnessMeter {
  readonly sharpness: Sharpness = { steps: [], values: [], limits: [] }
  private every: number

  constructor(
    private readonly trainer: Trainer,
    private readonly examples: Examples,
  ) {
    const weights = trainer.model.parameters().reduce((sum, { size }) => sum + size, 0)
    this.every = EVERY * Math.max(1, Math.ceil((weights * examples.train.count) / LARGE))
    this.after(0)
  }

  /** After each step. */
  after(step: number): void {
    if (step % this.every !== 0) return
    const { steps, values, limits } = this.sharpness
    const value = sharpnessOf(this.trainer, this.examples)
    // Just before a run diverges, products may be infinite.
    if (value === null) return
    steps.push(step)
    values.push(value)
    limits.push(limitOf(this.trainer))
    if (steps.length < MOST) return
    // Every second one is enough from here on.
    this.every *= 2
    for (const list of [steps, values, limits]) list.splice(0, list.length, ...list.filter((_, i) => i % 2 === 0))
  }
}

/** The largest eigenvalue of the Hessian of the loss of all training rows; null where it is not finite. */
function sharpnessOf({ model }: Trainer, { train, features, classes }: Examples): number | null {
  const inputs = tensor(train.inputs, [train.count, features])
  try {
    const loss = () => lossOf(model, inputs, train.labels, classes)
    return largestEigenvalues(loss, model, { tolerance: 0.01, iterations: ITERATIONS }).largest[0]
  } catch (error) {
    if (error instanceof NonFiniteError) return null
    throw error
  }
}

/** 2/η of gradient descent. */
function limitOf({ optimizer }: Trainer): number | null {
  const { learningRate: rate } = optimizer
  return optimizer.name === 'SGD' ? 2 / rate : null
}

/** One net under training: its model, optimizer, order of batches and curve. The same config gives the same weights at each step. */
import {
  type ActivationName,
  binaryCrossEntropy,
  crossEntropy,
  Dense,
  Generator,
  noGrad,
  type Optimizer,
  Sequential,
  type Tensor,
  tensor,
} from 'gradus'
import { makeOptimizer, type Options } from '../engine/optimizers'
import { RateControl } from '../schedules/rates'
import { type Change, type RunChoice, type TrainingConfig, turned } from './config'
import type { Examples, Part } from './examples'

/** Losses by step, thinned out evenly so that there are never more than {@link MAX_POINTS}. */
export interface Curve {
  steps: number[]
  /** Rows of the batch of that step. */
  batch: number[]
  train: number[]
  test: number[]
  seconds: number[]
  rate: number[]
}

const MAX_POINTS = 600

export function netOf(
  { hidden, activation, seed }: Pick<TrainingConfig, 'hidden' | 'activation' | 'seed'>,
  { features, classes }: Examples,
): Sequential {
  const sizes = [features, ...hidden, classes === 2 ? 1 : classes]
  const layers = sizes
    .slice(1)
    .map((units, i) => new Dense(sizes[i], units, { activation: i < hidden.length ? (activation as ActivationName) : 'linear' }))
  return new Sequential(layers as Dense[], { seed })
}

/** Mean loss of some rows. */
export function lossOf(model: Sequential, inputs: Tensor, labels: Int32Array, classes: number): Tensor {
  const outputs = model.forward(inputs)
  return classes === 2 ? binaryCrossEntropy(outputs, Float32Array.from(labels)) : crossEntropy(outputs, labels)
}

export class Trainer {
  readonly model: Sequential
  optimizer: Optimizer
  step = 0
  samples = 0
  readonly curve: Curve = { steps: [], batch: [], train: [], test: [], seconds: [], rate: [] }
  /** The reason why training cannot go on; empty if it can. */
  problem = ''
  /** Loss of the last batch. */
  lastLoss = Number.NaN
  private stride = 1
  private seconds = 0
  private rates: RateControl
  private scheduleStart = 0
  /** The order of each epoch, as `fit` draws it from the same seed. */
  private readonly orders: Generator
  private order: Int32Array = new Int32Array(0)
  private place = 0
  /** The present options. */
  private now: RunChoice
  /** Those who look at the run after each step. */
  readonly watchers: { after(step: number, loss: number): void }[] = []

  constructor(
    private readonly config: TrainingConfig,
    readonly index: number,
    private readonly examples: Examples,
    private readonly settings: { isQuiet?: boolean } = {},
  ) {
    this.now = config.runs[index]
    this.orders = new Generator(config.seed)
    this.model = netOf(config, examples)
    this.optimizer = this.newOptimizer()
    this.rates = new RateControl(this.optimizer, this.now.schedule, this.now.rate)
    if (examples.train.count === 0) this.problem = 'there is nothing to learn from yet: draw some points'
    if (!settings.isQuiet) this.record(Number.NaN)
  }

  private newOptimizer(): Optimizer {
    const { method, rate, options } = this.now
    const decay: Options = this.config.decay > 0 ? { weightDecay: this.config.decay } : {}
    return makeOptimizer(method, this.model.parameters(), rate, { ...options, ...decay })
  }

  /** Rows of a step at present. */
  get batchSize(): number {
    const { count } = this.examples.train
    return this.now.batch === 0 ? count : Math.min(this.now.batch, count)
  }

  /** For a schedule that depends on the loss: the value below which the loss counts as better. */
  get goal(): number {
    return this.rates.goal
  }

  /** Steps until `until`, or until `deadline` (of `performance.now`) if that comes first. */
  advance(until: number, deadline: number): void {
    const start = performance.now()
    while (this.step < until && this.problem === '' && performance.now() < deadline) this.once()
    this.seconds += (performance.now() - start) / 1000
  }

  private once(): void {
    for (const change of this.config.changes) {
      if (change.step === this.step && change.run === this.index) this.apply(change)
    }
    this.edit()
    this.rates.before(this.step - this.scheduleStart)
    const { inputs, labels } = this.nextBatch()
    const { features, classes } = this.examples
    const loss = lossOf(this.model, tensor(inputs, [labels.length, features]), labels, classes)
    const value = loss.item()
    if (!Number.isFinite(value)) {
      this.problem = `the loss became ${value} at step ${this.step}: the learning rate is too large`
      return
    }
    loss.backward()
    this.optimizer.step()
    this.rates.after(value)
    this.step++
    this.samples += labels.length
    this.lastLoss = value
    for (const watcher of this.watchers) watcher.after(this.step, value)
    if (!this.settings.isQuiet && this.step % this.stride === 0) this.record(value)
  }

  /** Sets the weights that are set by hand at this step; as often as one likes, for the values are the same. */
  edit(): void {
    const parameters = this.model.parameters()
    for (const { step, run, weights = [] } of this.config.changes) {
      if (step !== this.step || run !== this.index) continue
      for (const { layer, index, value } of weights) {
        const values = parameters[2 * layer]?.view()
        if (values && index < values.length) values[index] = value
      }
    }
  }

  /** A step on some rows, taken back, as if nobody had looked: by parameter the weights before it, their gradients and the weights after it. */
  tryStep(inputs: Float32Array, labels: Int32Array) {
    const { model, optimizer } = this
    const { features, classes } = this.examples
    const parameters = model.parameters()
    const before = parameters.map((parameter) => parameter.view().slice())
    const state = optimizer.state()
    const loss = lossOf(model, tensor(inputs, [labels.length, features]), labels, classes)
    const value = loss.item()
    loss.backward()
    const gradients = parameters.map((parameter) => parameter.gradientView().slice())
    optimizer.step()
    const after = parameters.map((parameter) => parameter.view().slice())
    optimizer.loadState(state)
    parameters.forEach((parameter, i) => parameter.view().set(before[i]))
    return { loss: value, before, gradients, after }
  }

  private apply(change: Change): void {
    const { method, rate, batch, schedule } = change
    this.now = turned(this.now, change)
    if (batch !== undefined) this.place = this.order.length
    if (method !== undefined) this.optimizer = this.newOptimizer()
    if (method === undefined && rate === undefined && schedule === undefined) return
    // A schedule restarts together with the optimizer that it drives.
    this.optimizer.learningRate = this.now.rate
    this.scheduleStart = this.step
    this.rates = new RateControl(this.optimizer, this.now.schedule, this.now.rate)
  }

  /** The next rows in an order that is new each epoch. */
  private nextBatch(): { inputs: Float32Array; labels: Int32Array } {
    const { train, features } = this.examples
    const size = this.batchSize
    if (size === train.count) return train
    if (this.place >= this.order.length) {
      this.order = this.config.data.sorted ? Int32Array.from({ length: train.count }, (_, i) => i) : this.orders.permutation(train.count)
      this.place = 0
    }
    const rows = this.order.subarray(this.place, this.place + size)
    this.place += size
    const inputs = new Float32Array(rows.length * features)
    const labels = new Int32Array(rows.length)
    rows.forEach((row, i) => {
      inputs.set(train.inputs.subarray(row * features, (row + 1) * features), i * features)
      labels[i] = train.labels[row]
    })
    return { inputs, labels }
  }

  private record(batchLoss: number): void {
    const { curve } = this
    curve.steps.push(this.step)
    curve.batch.push(batchLoss)
    curve.train.push(this.lossOn(this.examples.train))
    curve.test.push(this.lossOn(this.examples.test))
    curve.seconds.push(this.seconds)
    curve.rate.push(this.optimizer.learningRate)
    if (curve.steps.length < MAX_POINTS) return
    // Every second point is enough from here on.
    this.stride *= 2
    for (const list of Object.values(curve) as number[][]) {
      const kept = list.filter((_, i) => i % 2 === 0)
      list.splice(0, list.length, ...kept)
    }
  }

  lossOn({ inputs, labels, count }: Part): number {
    if (count === 0) return Number.NaN
    const { features, classes } = this.examples
    return noGrad(() => lossOf(this.model, tensor(inputs, [count, features]), labels, classes)).item()
  }

  accuracyOn({ inputs, labels, count }: Part): number {
    if (count === 0) return Number.NaN
    const { features, classes } = this.examples
    const outputs = this.model.predict(tensor(inputs, [count, features])).data()
    let right = 0
    for (let i = 0; i < count; i++) right += classOf(outputs, i, classes) === labels[i] ? 1 : 0
    return right / count
  }
}

/** The class of a row of outputs. */
export function classOf(outputs: ArrayLike<number>, row: number, classes: number): number {
  if (classes === 2) return outputs[row] > 0 ? 1 : 0
  let best = 0
  for (let c = 1; c < classes; c++) if (outputs[row * classes + c] > outputs[row * classes + best]) best = c
  return best
}

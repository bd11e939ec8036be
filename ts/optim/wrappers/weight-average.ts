/** WeightAverage: an average of the weights that any optimizer trains. */
import type { FloatArray } from '../../backend/heap.js'
import type { Kernel } from '../../backend/kernels.js'
import { checkCount } from '../../common/checks.js'
import { checkOptions, count, countFrom0, readOptions, type Schema, share } from '../../common/options.js'
import { BufferTensor } from '../../nn/buffer.js'
import { exchange, withWeights } from '../base/averaging.js'
import { fromJson } from '../base/options.js'
import { type PlainCall, type StepScheme, stepSchemeOf } from '../base/step-scheme.js'
import { type OptimizerLike, OptimizerWrapper, type SavedArray } from './wrapper.js'

/** Options of {@link WeightAverage}. */
export interface WeightAverageOptions {
  /** `ema`: average ← decay·average + (1 − decay)·p. `mean`: the plain mean (stochastic weight averaging). Default `ema`. */
  form?: 'ema' | 'mean'
  /** Decay of `ema`. Default 0.999. */
  decay?: number
  /** Steps from one update of the average to the next. Default 1; for `mean` an epoch is usual. */
  every?: number
  /** Steps before those that count. Default 0; for `mean` three quarters of the training are usual. */
  from?: number
}

export const WEIGHT_AVERAGE = {
  form: { is: ['ema', 'mean'], default: 'ema' },
  decay: { is: share, default: 0.999 },
  every: { is: count, default: 1 },
  from: { is: countFrom0, default: 0 },
} satisfies Schema<WeightAverageOptions>

/**
 * Averages the weights along the way, which usually test better than the last weights: exponential (EMA, Polyak) or plain (stochastic weight
 * averaging). `fit` validates and saves the average, and `EarlyStopping` restores it; training continues with the weights of the inner optimizer. At
 * the end {@link apply} leaves the average in the model. The first update copies.
 *
 *     EMA:  a ← decay·a + (1 − decay)·p        mean:  a ← a + (p − a)/n
 *
 * An EMA of each step is a part of the steps that `fit` replays in WebAssembly; other averages run steps one by one.
 * When not: short runs with a rate that falls to 0, whose last weights are an average of sorts already.
 * Defaults: as the options say. State: 4 bytes a parameter more. Polyak & Juditsky 1992; Izmailov et al. 2018.
 * Statistics of batch norm belong to the last weights: compute them again with the average.
 *
 * @example
 * const optimizer = new WeightAverage(new Adam(model.parameters()), { decay: 0.99 })
 * optimizer.step()
 * const { loss } = optimizer.evaluate(() => evaluateModel(model, { inputs, targets, loss: crossEntropy }))
 */
export class WeightAverage extends OptimizerWrapper {
  static override get name() {
    return 'WeightAverage'
  }

  readonly form: 'ema' | 'mean'
  readonly decay: number
  readonly every: number
  readonly from: number
  /** Updates of the average so far. */
  count = 0
  private taken = 0
  private readonly values: readonly BufferTensor[]

  /** @throws TypeError for anything but an optimizer, RangeError for options out of range */
  constructor(inner: OptimizerLike, options: WeightAverageOptions = {}) {
    super(inner)
    const { form, decay, every, from } = readOptions('WeightAverage', options, WEIGHT_AVERAGE)
    this.form = form
    this.decay = decay
    this.every = every
    this.from = from
    this.values = this.parameters.map(
      ({ shape, backend, name }) => new BufferTensor(shape, { name: `average of ${name}`, backend, value: 0 }),
    )
  }

  /** Updates the average if the inner optimizer took a step. */
  protected override around(inner: () => void): void {
    const { stepCount } = this
    inner()
    if (this.stepCount === stepCount || ++this.taken <= this.from || (this.taken - this.from) % this.every !== 0) return
    for (const { kernel, args } of this.updateCalls()) kernel(...args)
    this.count++
  }

  /** The kernel calls of the next update. */
  private updateCalls(): PlainCall[] {
    const share = this.count === 0 ? 1 : this.form === 'ema' ? 1 - this.decay : 1 / (this.count + 1)
    return this.parameters.flatMap(({ address, size, backend: { kernels } }, i): PlainCall[] => {
      const average = this.values[i].address
      if (share === 1) return [{ name: 'copy', kernel: kernels.copy as Kernel, args: [address, average, size] }]
      const added = (from: number, scale: number) => ({
        name: 'addScaled',
        kernel: kernels.addScaled as Kernel,
        args: [from, average, size, scale],
      })
      return [added(average, -share), added(address, share)]
    })
  }

  /** @internal */
  stepScheme(): StepScheme {
    const scheme = stepSchemeOf(this.inner)
    // the first update copies, and SAM may leave out evaluations
    if (this.form !== 'ema' || this.every > 1 || this.count === 0 || scheme.secondEvaluation) return { ...scheme, optimizer: this }
    return {
      ...scheme,
      after: () => this.updateCalls(),
      updated: (updates) => {
        this.taken += updates
        this.count += updates
      },
    }
  }

  /** @internal the averages, once there are some */
  override showAverages(): (() => void) | undefined {
    return this.count === 0 ? super.showAverages() : exchange(this.parameters, this.averages())
  }

  /** Copies of the averages, in the order of the parameters; of the weights themselves before the first update. */
  averages(): FloatArray[] {
    return this.parameters.map((p, i) => (this.count === 0 ? p : this.values[i]).data())
  }

  /** Runs fn with the averages in the parameters, and puts the trained weights back. */
  evaluate<T>(fn: () => T): T {
    return withWeights(this.parameters, this.averages(), fn)
  }

  /** Leaves the averages in the parameters. */
  apply(): void {
    exchange(this.parameters, this.averages())
  }

  protected extra(): Record<string, unknown> {
    const { form, decay, every, from, count, taken } = this
    return { form, decay, every, from, count, taken, values: this.averages() }
  }

  protected loadExtra(extra: Record<string, unknown>): () => void {
    const { count, taken, values, ...saved } = extra as { count: number; taken: number; values: SavedArray[] }
    const { name, form, decay, every, from } = this
    const options = checkOptions(`${name}.loadState()`, fromJson(saved, { form, decay, every, from }), WEIGHT_AVERAGE)
    checkCount(`${name}.loadState(): count`, count, 0)
    checkCount(`${name}.loadState(): taken`, taken, 0)
    const lists = this.listsOf(values)
    return () => {
      Object.assign(this, options, { count, taken })
      for (const [i, list] of lists.entries()) this.values[i].view().set(list)
    }
  }
}

import type { FloatArray } from '../../backend/heap.js'
import { typeError } from '../../common/errors.js'
import { readOptions, type Schema, share } from '../../common/options.js'
import { savedCount, savedNumbers } from '../../common/saved.js'
import { show } from '../../common/show.js'
import type { Parameter } from '../../parameter.js'
import { withWeights } from '../base/averaging.js'
import { parametersOf } from '../base/input.js'
import { checkSizes } from '../base/state.js'

/** Options of {@link WeightAverage}. */
export interface WeightAverageOptions {
  /** `ema`: average ← average + (1 − decay)·(p − average). `mean`: the plain mean of all updates (SWA). Default `ema`. */
  form?: 'ema' | 'mean'
  /** Decay of `ema`. Default 0.999. */
  decay?: number
}

export const WEIGHT_AVERAGE = {
  form: { is: ['ema', 'mean'], default: 'ema' },
  decay: { is: share, default: 0.999 },
} satisfies Schema<WeightAverageOptions>

/**
 * Averages of the weights along the way, which usually test better than the last weights: exponential (EMA, Polyak) or
 * plain (stochastic weight averaging, Izmailov et al. 2018). Works with any optimizer: call update() after its steps,
 * for `mean` at the end of each epoch of the last quarter. The first update copies.
 *
 *     EMA:  a ← decay·a + (1 − decay)·p        mean:  a ← a + (p − a)/n
 *
 * When not: short runs with a rate that falls to 0, whose last weights are an average of sorts already.
 * Defaults: as the options say. State: 4 bytes a parameter more. Polyak & Juditsky 1992; Izmailov et al. 2018.
 * Batch-norm statistics belong to the last weights: recompute them under {@link evaluate}.
 *
 * @example
 * const average = new WeightAverage(model.parameters(), { decay: 0.99 })
 * optimizer.step()
 * average.update()
 * const { loss } = average.evaluate(() => evaluateModel(model, { inputs, targets, loss: crossEntropy }))
 */
export class WeightAverage {
  readonly form: 'ema' | 'mean'
  readonly decay: number
  /** Updates so far. */
  count = 0
  private readonly parameters: readonly Parameter[]
  private readonly values: FloatArray[]

  /** @throws TypeError for anything but a list of parameters, RangeError for options out of range */
  constructor(parameters: Iterable<Parameter>, options: WeightAverageOptions = {}) {
    const { form, decay } = readOptions('WeightAverage', options, WEIGHT_AVERAGE)
    this.form = form
    this.decay = decay
    this.parameters = parametersOf('WeightAverage', parameters)
    this.values = this.parameters.map((p) => p.data())
  }

  /** Takes the present weights into the average. */
  update(): void {
    const take = this.count === 0 ? 1 : this.form === 'ema' ? 1 - this.decay : 1 / (this.count + 1)
    this.count++
    for (const [i, p] of this.parameters.entries()) {
      const [average, now] = [this.values[i], p.view()]
      for (let k = 0; k < average.length; k++) average[k] = take === 1 ? now[k] : average[k] + take * (now[k] - average[k])
    }
  }

  /** Copies of the averages, in the order of the parameters. */
  averages(): FloatArray[] {
    return this.values.map((values) => values.slice())
  }

  /** Runs fn with the averages in the parameters, and puts the trained weights back. */
  evaluate<T>(fn: () => T): T {
    return withWeights(this.parameters, this.values, fn)
  }

  /** Leaves the averages in the parameters. */
  apply(): void {
    this.parameters.forEach((p, i) => p.view().set(this.values[i]))
  }

  /** The state for {@link loadState}. */
  state(): { count: number; values: FloatArray[] } {
    return { count: this.count, values: this.averages() }
  }

  /** @throws TypeError for a value that is not an average's state, RangeError for other parameters; then nothing was changed */
  loadState(state: { count: number; values: FloatArray[] }): void {
    if (!Array.isArray(state?.values)) throw typeError(`WeightAverage.loadState(): wants a state of an average, got ${show(state)}`)
    const saved = state.values.map((values, i) => savedNumbers(values, `WeightAverage.loadState(): average ${i}`))
    checkSizes(
      'WeightAverage',
      saved.map(({ length }) => length),
      this.parameters,
    )
    this.count = savedCount(state.count, 'WeightAverage.loadState(): count')
    saved.forEach((average, i) => this.values[i].set(average))
  }
}

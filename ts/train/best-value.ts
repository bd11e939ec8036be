/** Monitored values of callbacks: a value of the progress by its name, and the best one so far. */

import { plainError, rangeError, typeError } from '../common/errors.js'
import { nearest } from '../common/nearest.js'
import { savedCount } from '../common/saved.js'
import { show } from '../common/show.js'
import type { Progress } from './callbacks.js'

/** @internal a value of the progress by name. @throws Error naming the values there are */
export function monitored(progress: Progress, name: string, who: string): number {
  const { loss, metrics, validation } = progress
  if (name === 'loss') return loss
  const judged = name === 'valLoss' ? 'loss' : /^validation\.(.*)/.exec(name)?.[1]
  const value = judged === undefined ? (validation?.[name] ?? metrics[name]) : validation?.[judged]
  if (value !== undefined) return value
  const known = ['loss', ...Object.keys(metrics), ...Object.keys(validation ?? {}).map((key) => `validation.${key}`)]
  // val_loss, valAccuracy, validation_loss: names of Keras and others
  const [, own] = /^(?:validation[_. ]?|val[_.]|val(?=[A-Z]))(\w+)$/.exec(name) ?? []
  const wanted = own === undefined ? name : `validation.${own[0].toLowerCase()}${own.slice(1)}`
  const near = nearest(wanted, known)
  const remedy =
    own !== undefined && !validation ? '; give fit validation data or a validationFraction' : near ? `; did you mean '${near}'?` : ''
  throw plainError(`${who}: there is no '${name}' to watch, only ${known.join(', ')}${remedy}`)
}

/** The state of a monitored value: its best value so far, with its epoch. */
export interface BestValueState {
  /** 0 before the first. */
  bestEpoch: number
  /** NaN before the first. */
  bestValue: number
}

/** @internal the best of a monitored value so far */
export class BestValue {
  epoch = 0
  value = Number.NaN
  private readonly mode: 'min' | 'max'

  /** @throws RangeError if the direction of improvement is not known */
  constructor(
    private readonly who: string,
    readonly monitor: string,
    mode: 'min' | 'max' | undefined,
    private readonly minDelta = 0,
  ) {
    this.mode = mode ?? usualMode(who, monitor)
  }

  reset(): void {
    this.epoch = 0
    this.value = Number.NaN
  }

  /** Records a value; true if it is the best so far. NaN never is. */
  improvesBy(value: number, epoch: number): boolean {
    const { mode, minDelta } = this
    const isBetter = mode === 'min' ? value < this.value - minDelta : value > this.value + minDelta
    if (!(isBetter || (Number.isNaN(this.value) && !Number.isNaN(value)))) return false
    this.value = value
    this.epoch = epoch
    return true
  }

  state(): BestValueState {
    return { bestEpoch: this.epoch, bestValue: this.value }
  }

  /** @throws TypeError, RangeError for anything but a saved state */
  loadState({ bestEpoch, bestValue }: BestValueState): void {
    savedCount(bestEpoch, `${this.who}.loadState(): bestEpoch`)
    if (typeof bestValue !== 'number') throw typeError(`${this.who}.loadState(): bestValue wants a number, got ${show(bestValue)}`)
    this.epoch = bestEpoch
    this.value = bestValue
  }
}

function usualMode(who: string, monitor: string): 'min' | 'max' {
  if (/accuracy|auc|f1|r2|precision|recall/i.test(monitor)) return 'max'
  if (/loss|error|mse|mae|mape|brier/i.test(monitor)) return 'min'
  throw rangeError(`${who}: say whether more of '${monitor}' is better, mode: 'max', or less, mode: 'min'`)
}

/** A callback that ends a training which is good enough. */

import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { monitored } from './best-value.js'
import type { Callback, Progress, TrainingControl } from './callbacks.js'

/**
 * Stops as soon as the (validation) loss is below a threshold.
 *
 * @example await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [new TargetLoss(0.01)] })
 */
export class TargetLoss implements Callback {
  readonly name = 'TargetLoss'
  private readonly target: number
  private readonly monitor: string
  private last = Number.NaN

  constructor(target: number, monitor = 'loss') {
    if (!Number.isFinite(target)) throw rangeError(`TargetLoss: target wants a finite number, got ${show(target)}`)
    this.target = target
    this.monitor = monitor
  }

  onEpochEnd(progress: Progress, control: TrainingControl): void {
    const value = monitored(progress, this.monitor, 'TargetLoss')
    this.last = value
    this.stopWhenOver(control)
  }

  private stopWhenOver(control: TrainingControl): void {
    const { last, monitor, target } = this
    if (last <= target) control.stop(`${monitor} ${last.toPrecision(4)} reached the target ${target}`)
  }

  /** What {@link Checkpoint} saves. */
  state(): { last: number } {
    return { last: this.last }
  }

  /** @throws TypeError for what is no state of one */
  loadState(state: { last: number }, control: TrainingControl): void {
    if (typeof state?.last !== 'number') throw typeError(`TargetLoss.loadState(): last wants a number, got ${show(state?.last)}`)
    this.last = state.last
    this.stopWhenOver(control)
  }
}

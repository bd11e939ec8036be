/** A callback that ends a training once it is good enough. */

import { typeError } from '../common/errors.js'
import { finite, readOptions, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import { monitored } from './best-value.js'
import type { Callback, Progress, TrainingControl } from './callbacks.js'

/** Options of {@link TargetLoss}. */
export interface TargetLossOptions {
  /** The loss to reach. */
  target: number
  /** The value to watch, named as for {@link EarlyStopping}. Default `loss`. */
  monitor?: string
}

export const TARGET_LOSS = {
  target: { is: finite, required: true },
  monitor: { is: text, default: 'loss' },
} satisfies Schema<TargetLossOptions>

/**
 * Stops as soon as the (validation) loss is at or below a target.
 *
 * @example await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [new TargetLoss({ target: 0.01 })] })
 */
export class TargetLoss implements Callback {
  readonly name = 'TargetLoss'
  private readonly target: number
  private readonly monitor: string
  private last = Number.NaN

  constructor(options: TargetLossOptions) {
    const { target, monitor } = readOptions('TargetLoss', options, TARGET_LOSS)
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

  /** The state that {@link Checkpoint} saves. */
  state(): { last: number } {
    return { last: this.last }
  }

  /** @throws TypeError for anything but a saved state */
  loadState(state: { last: number }, control: TrainingControl): void {
    if (typeof state?.last !== 'number') throw typeError(`TargetLoss.loadState(): last wants a number, got ${show(state?.last)}`)
    this.last = state.last
    this.stopWhenOver(control)
  }
}

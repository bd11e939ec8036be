/** A chosen schedule as gradus has it. */
import { type Optimizer, ReduceOnPlateau, type Schedule, schedules } from 'gradus'
import type { ScheduleChoice } from './choice'

const { constant, stepDecay, cosine, warmup, cosineRestarts, oneCycle } = schedules

/** @returns the rate by step; null for a plateau, which needs the losses */
export function scheduleOf({ kind, steps, factor }: ScheduleChoice, rate: number): Schedule | null {
  switch (kind) {
    case 'step':
      return stepDecay(rate, { factor, every: steps })
    case 'exponential':
      return (step) => rate * factor ** (step / steps)
    case 'inverse':
      return (step) => rate / (1 + step / steps)
    case 'cosine':
      return cosine(rate, { steps })
    case 'warmup': {
      const rise = Math.max(1, Math.round(steps / 10))
      return warmup(cosine(rate, { steps: steps - rise }), { steps: rise })
    }
    case 'restarts':
      return cosineRestarts(rate, { steps, lengthen: 2 })
    case 'onecycle':
      return oneCycle(rate, { steps })
    case 'plateau':
      return null
    default:
      return constant(rate)
  }
}

/** Sets the rate before each step, by a schedule or by the course of the losses. */
export class RateControl {
  private readonly schedule: Schedule | null
  private readonly plateau: ReduceOnPlateau | null
  /** A running mean of the batches' losses, which alone jump too much to see a plateau. */
  private mean = Number.NaN

  constructor(
    private readonly optimizer: Optimizer,
    choice: ScheduleChoice,
    rate: number,
  ) {
    this.schedule = scheduleOf(choice, rate)
    const { factor, steps: patience, threshold } = choice
    this.plateau = this.schedule === null ? new ReduceOnPlateau(optimizer, { factor, patience, threshold, cooldown: 0 }) : null
  }

  before(step: number): void {
    if (this.schedule) this.optimizer.learningRate = this.schedule(step)
  }

  /** On a plateau: the loss below which the next one counts as better. */
  get goal(): number {
    return this.plateau ? (1 - this.plateau.options.threshold) * this.plateau.best : Number.NaN
  }

  after(loss: number): void {
    if (!this.plateau) return
    this.mean = Number.isNaN(this.mean) ? loss : this.mean + 0.05 * (loss - this.mean)
    this.plateau.step(this.mean)
  }
}

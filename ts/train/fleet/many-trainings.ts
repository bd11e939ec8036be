/** The trainings of one call of fitMany: their division into fleets and single nets, and their results. */

import { trapped } from '../../backend/crash.js'
import { fleetKernels } from '../../backend/fleet.js'
import { clock } from '../../common/clock.js'
import { Pacer } from '../../common/pacer.js'
import { traitsOf } from '../../loss/loss.js'
import type { OptimizerLike } from '../../optim/wrappers/wrapper.js'
import { canPlan } from '../fast/step-planner.js'
import type { History } from '../history.js'
import type { TrainingRun } from '../run.js'
import { Fleet } from './fleet.js'
import { stepKeyOf } from './keys.js'
import { Member } from './member.js'
import type { ReadFitMany } from './options.js'

/** The history of one net of many. */
export interface NetHistory extends History {
  /** The error that ended the training of this net alone, such as a NonFiniteError; the other nets continue. */
  error?: Error
}

export class ManyTrainings {
  private readonly results: (NetHistory | undefined)[]
  private readonly started = clock.now()
  private lastReport = 0
  /** An error in the caller's code, such as onProgress, which ends all trainings. */
  private failure: { cause: unknown } | null = null
  private readonly pacer: Pacer
  private readonly totalSteps: number

  constructor(
    private readonly trainings: readonly TrainingRun[],
    private readonly options: ReadFitMany,
  ) {
    this.results = trainings.map(() => undefined)
    this.pacer = new Pacer(options.yieldEvery)
    this.totalSteps = trainings.reduce((sum, { batches }) => sum + batches.total, 0)
  }

  /** Trains all nets: fleet after fleet, then the others one after the other. */
  async train(): Promise<NetHistory[]> {
    const { fleets, alone } = this.sort()
    for (const members of fleets) {
      const [{ training }] = members
      if (members.length === 1) training.history.execution.reason = 'no other net has its shape, loss, kind of optimizer and number of rows'
      if (members.length === 1 || !(await this.trainFleet(members))) alone.push(...members.map(({ index }) => index))
    }
    for (const net of alone.sort((a, b) => a - b)) {
      await this.settle(net, () => this.trainings[net].train())
      this.report()
    }
    this.report(true)
    return this.results as NetHistory[]
  }

  /** Nets that can run side by side, fleet by fleet, as far as that is known before a step is recorded; and the others by index. */
  private sort(): { fleets: Iterable<Member[]>; alone: number[] } {
    const fleets = new Map<string, Member[]>()
    const alone: number[] = []
    for (const [net, training] of this.trainings.entries()) {
      const obstacle = obstacleOf(training)
      if (obstacle !== null) {
        training.history.execution.reason = obstacle
        alone.push(net)
        continue
      }
      const member = new Member(net, training)
      const key = stepKeyOf(training)
      const alike = fleets.get(key)
      if (alike === undefined) fleets.set(key, [member])
      else alike.push(member)
    }
    return { fleets: fleets.values(), alone }
  }

  /** Trains a fleet. False if its nets cannot run side by side; they are then unchanged. */
  private async trainFleet(members: Member[]): Promise<boolean> {
    let fleet: Fleet
    const changed: Member[] = []
    // nets of a fleet have one backend
    const { backend } = members[0].plan.model
    try {
      fleet = new Fleet(members, {
        finished: ({ index, training }) => this.settle(index, () => training.finish()),
        failed: ({ index, training }, error) => this.settle(index, () => training.fail(error)),
        changed: (member) => void changed.push(member),
      })
    } catch (error) {
      // each net's training then runs alone and reports its own errors
      for (const { training } of members) training.history.execution.reason = (trapped(backend, error) as Error).message
      return false
    }
    for (const { training } of members) await training.begin()
    try {
      await fleet.train(this.pacer, () => this.report())
    } catch (error) {
      throw trapped(backend, error)
    }
    for (const { index, training, step } of changed) {
      training.history.execution.reason = 'the model was changed while it was trained'
      await this.settle(index, () => training.goOn(step))
      this.report()
    }
    return true
  }

  /** Steps of the nets whose training is not over, if none of them stops early. */
  private stepsLeft(): number {
    return this.trainings.reduce((sum, { batches, history }, net) => sum + (this.results[net] ? 0 : batches.total - history.steps), 0)
  }

  /** Keeps the result of a net; an error ends this net alone. */
  private async settle(net: number, end: () => Promise<History>): Promise<void> {
    try {
      this.results[net] = await end()
    } catch (thrown) {
      if (this.failure !== null) throw this.failure.cause
      const { history, plan } = this.trainings[net]
      const error = trapped(plan.model.backend, thrown)
      const stopReason = error instanceof Error ? error.message : String(error)
      this.results[net] = Object.assign(history, { stopReason, error: error as Error })
    }
  }

  /** Reports the progress of all nets, at most ten times a second. */
  report(isLast = false): void {
    const { onProgress } = this.options
    if (onProgress === undefined || (!isLast && clock.now() - this.lastReport < 100)) return
    this.lastReport = clock.now()
    const steps = this.trainings.reduce((sum, { history }) => sum + history.steps, 0)
    const seconds = (clock.now() - this.started) / 1000
    const progress = {
      finished: this.results.filter((result) => result !== undefined).length,
      nets: this.trainings.length,
      steps,
      totalSteps: this.totalSteps,
      netStepsPerSecond: steps / seconds,
      secondsLeft: steps === 0 ? Number.NaN : (seconds / steps) * this.stepsLeft(),
    }
    try {
      onProgress(progress)
    } catch (cause) {
      this.failure = { cause }
      throw cause
    }
  }
}

/** The reason why a net cannot run side by side with any others; null if it can. */
function obstacleOf({ plan, fast, watchesSteps, batches }: TrainingRun): string | null {
  const { rows, options } = plan
  const { backend } = rows.inputs
  const optimizer = options.optimizer as OptimizerLike
  if (backend.name !== 'wasm') return 'nets in JavaScript are trained one after the other'
  if (options.replay === false) return 'the option replay is false'
  if (!fast.fields.isBuiltIn) return 'layers of your own'
  if (traitsOf(options.loss) === undefined) return 'a loss of your own'
  if (watchesSteps) return 'metrics that look at whole epochs, or a callback after each batch'
  if (!canPlan(optimizer)) return `${optimizer.name} has no single fused update with numbers that are known ahead`
  if (optimizer.groups.some((group) => group.parameters.some((_, i) => group.extraNames(i).length > 0)))
    return `${optimizer.name} keeps more than state of elements`
  if (fleetKernels(backend) === undefined) return 'this runtime has no kernels for fleets'
  if (batches.total === 0) return 'there are no steps to take'
  return null
}

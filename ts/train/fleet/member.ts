/**
 * A member is one net of a fleet: the position of its training, and the next steps of its optimizer. Each round calls {@link Member.prepare}, then
 * {@link Member.planSteps}; after the steps it calls {@link Member.advance} and {@link Member.accept}.
 */

import type { Ptr } from '../../backend/kernels.js'
import type { Optimizer } from '../../optim/base/optimizer.js'
import type { Parameter } from '../../parameter.js'
import type { Generator } from '../../random.js'
import { ScheduleCache } from '../fast/blocks.js'
import type { StepBlock } from '../fast/index.js'
import type { ModelFields } from '../fast/model-fields.js'
import { type Plan, setLearningRate } from '../plan.js'
import type { TrainingRun } from '../run.js'
import type { NetBuffers } from './fleet-program.js'
import type { HyperTable, HyperTables } from './hyper-tables.js'
import { updateKeyOf } from './keys.js'
import { MemberOptimizer, type UpdateSpec } from './member-optimizer.js'

/** The next steps of a net, as its optimizer and its schedule have them. */
export interface PlannedSteps {
  steps: number
  /** The hyper-parameters of the updates. */
  table: HyperTable
  /** The learning rates of the updates. */
  rates: NetBuffers['rates']
}

export class Member {
  /** The next step, from 0. */
  step = 0
  readonly parameters: readonly Parameter[]
  readonly optimizer: Optimizer
  readonly generators: readonly Generator[]
  /** The updates that its next step ends with. */
  updates: readonly UpdateSpec[]
  /** The result of {@link updateKeyOf} for these updates. */
  updateKey: string
  private readonly memberOptimizer: MemberOptimizer
  /** The fields of its layers, which the recorded step depends on. */
  private readonly fields: ModelFields
  /** States of the gradients before the next step was prepared; null if none is prepared. */
  private gradientsBefore: Parameter['gradientState'][] | null = null
  /** Its schedule, called once for each step; null if the optimizer keeps its own rate. */
  private readonly schedule: ScheduleCache | null
  /** The state before the first step of an optimizer that begins by writing some (Rprop, DoG); null otherwise. */
  private beforeBeginning: Float32Array[] | null = null

  constructor(
    /** Its index among the models. */
    readonly index: number,
    readonly training: TrainingRun,
  ) {
    const { model, options } = training.plan
    this.parameters = model.parameters()
    this.optimizer = options.optimizer as Optimizer
    this.memberOptimizer = new MemberOptimizer(this.optimizer)
    this.fields = training.fast.fields
    this.generators = [...model.namedGenerators().values()]
    this.schedule = options.schedule === undefined ? null : new ScheduleCache(options.schedule)
    const states = this.parameters.map((p) => p.gradientState)
    this.claimGradients()
    this.updates = this.memberOptimizer.updates()
    this.updateKey = updateKeyOf(this.parameters, this.optimizer, this.updates)
    this.parameters.forEach((p, i) => {
      p.gradientState = states[i]
    })
  }

  get plan(): Plan {
    return this.training.plan
  }

  get isOver(): boolean {
    return this.step >= this.training.batches.total || this.training.isStopped
  }

  /** True if its layers are still those of the recorded step: a callback may have replaced one. */
  get hasSameLayers(): boolean {
    return this.fields.changed() === null
  }

  /**
   * Prepares the next step: marks the gradients that it will have, sets its learning rate, and checks whether its updates are still the same. Returns
   * false if the net cannot continue side by side with others, because a callback changed a layer, changed the number of updates, or left a gradient
   * to which the step has to add.
   * @throws errors of its schedule
   */
  prepare(): boolean {
    this.returnGradients()
    if (!this.hasSameLayers || this.parameters.some((p) => p.requiresGrad && p.gradientState === 'ready')) return false
    this.gradientsBefore = this.parameters.map((p) => p.gradientState)
    this.claimGradients()
    if (this.schedule !== null) {
      this.schedule.forgetBefore(this.step)
      this.setRate(0)
    }
    if (this.memberOptimizer.isUnchanged()) return true
    const { length } = this.updates
    this.updates = this.memberOptimizer.updates()
    this.updateKey = updateKeyOf(this.parameters, this.optimizer, this.updates)
    return this.updates.length === length
  }

  /** Undoes the preparation of the next step: its gradients are no longer marked as present. */
  returnGradients(): void {
    const { gradientsBefore } = this
    if (gradientsBefore === null) return
    this.parameters.forEach((p, i) => {
      p.gradientState = gradientsBefore[i]
    })
    this.gradientsBefore = null
  }

  /** Plans up to `wanted` steps, and writes their learning rates from `target` on, with room for `capacity` of them for each update. */
  planSteps(tables: HyperTables, target: Ptr, capacity: number, wanted: number): PlannedSteps {
    const { memberOptimizer, optimizer, schedule, updates } = this
    const { doubles } = optimizer.groups[0].backend.heap
    if (memberOptimizer.begins && optimizer.groups.some(({ spans }) => spans.some(({ t }) => t === 0))) {
      this.beforeBeginning = this.states().map((state) => state.slice())
      memberOptimizer.begin()
    } else this.beforeBeginning = null
    if (schedule === null) {
      const rates = updates.map((_, i) => {
        doubles[target / 8 + i] = this.rateNow(i)
        return { address: target + 8 * i, stepBytes: 0 }
      })
      return { steps: wanted, table: tables.forSteps(memberOptimizer, wanted), rates }
    }
    // if the rate is not multiplied in later, hyper-parameters depend on the rate of each step, and no other net shares them
    const own = updates.every(({ scaledByRate }) => scaledByRate !== 0) ? null : tables.empty(optimizer)
    const { stepCount } = optimizer
    let steps = 0
    while (steps < wanted) {
      if (steps > 0) {
        try {
          this.setRate(steps)
        } catch {
          break // this step begins the next plan, where an error of the schedule is thrown
        }
        // a schedule may also set another option: that step begins the next plan, too
        if (!memberOptimizer.isUnchanged()) break
      }
      for (let i = 0; i < updates.length; i++) doubles[target / 8 + i * capacity + steps] = this.rateNow(i)
      if (own !== null) tables.addStep(own, optimizer)
      steps++
      optimizer.stepCount++
      if (this.training.isStopped) break
    }
    optimizer.stepCount = stepCount
    const rates = updates.map((_, i) => ({ address: target + 8 * i * capacity, stepBytes: 8 }))
    return { steps, table: own ?? tables.forSteps(memberOptimizer, steps), rates }
  }

  /** Advances its optimizer by `done` of the planned steps. */
  advance({ table, steps }: PlannedSteps, tables: HyperTables, done: number): void {
    if (done > 0) {
      this.memberOptimizer.advance(done, tables.scalarsAfter(table, done))
      this.gradientsBefore = null
    } else if (this.beforeBeginning !== null) {
      const { beforeBeginning } = this
      this.states().forEach((state, i) => state.set(beforeBeginning[i]))
    }
    if (this.schedule !== null && done < steps && done > 0) this.setRate(done - 1)
    this.step += done
  }

  /** The learning rate of a step of this round or a later one. */
  rateOf(step: number): number {
    return this.schedule === null ? this.optimizer.learningRate : this.schedule.of(step)
  }

  /** The present learning rate of update i. */
  private rateNow(i: number): number {
    return (this.optimizer.groups[this.updates[i].group].values as { learningRate?: number }).learningRate ?? 0
  }

  /** Sets the learning rate of the step that is `ahead` steps ahead. */
  setRate(ahead: number): void {
    if (this.schedule !== null) setLearningRate(this.plan, this.schedule.of(this.step + ahead))
  }

  /** Reports finished steps to the training of the net. */
  accept(block: StepBlock): Promise<void> | undefined {
    this.training.history.execution.fleet += block.count
    return this.training.accept(block)
  }

  private claimGradients(): void {
    const { parameters } = this
    for (let i = 0; i < parameters.length; i++) if (parameters[i].requiresGrad) parameters[i].claimGradient()
  }

  private states(): Float32Array[] {
    return this.optimizer.groups.map(
      (group) => group.backend.heap.view(group.slotAt(0, 0), group.stride * group.slotNames.length) as Float32Array,
    )
  }
}

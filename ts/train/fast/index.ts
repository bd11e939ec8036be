/**
 * Fast steps: the only entry to the code that makes training steps cheaper than written-out steps. README.md in this folder explains recordings,
 * replay and programs.
 */
import type { GivenBackBy } from '../../backend/arena.js'
import { OutOfMemoryError } from '../../common/errors.js'
import { traitsOf } from '../../loss/loss.js'
import type { Tensor } from '../../tensor.js'
import type { RowRange } from '../batches.js'
import { type Batch, stepBatch } from '../data.js'
import { type ForwardLoss, forwardLoss } from '../forward-loss.js'
import type { Execution } from '../history.js'
import { checkTargets, type Plan } from '../plan.js'
import { type BlockLimits, BlockRunner, type StepBlock } from './blocks.js'
import { ModelFields } from './model-fields.js'
import { Recording } from './recording.js'
import { canPlan } from './step-planner.js'

export type { BlockLimits, StepBlock } from './blocks.js'

/** Forward pass, loss and gradients of a batch. */
export interface Evaluation {
  prediction: Tensor
  targets: Tensor
  loss: number
}

/** One kind of step: its number of rows, and whether it adds to existing gradients. */
interface StepKind {
  recording: Recording
  /** True if the recording may run instead of the step. */
  isVerified: boolean
  /** The value of {@link FastSteps.userCodeRuns} when isVerified was last established. */
  userCodeRuns: number
  /** Number of consecutive recordings that gave different lists of calls. */
  changes: number
}

/** After this many consecutive recordings that all differ, a step is not recorded again. */
const MAX_CHANGES = 2

/** Trains by the plan, each step in the fastest way that gives the same bits as the written-out step. */
export class FastSteps {
  /** Counts of the steps so far, by the way they ran. */
  readonly execution: Execution = { programs: 0, fleet: 0, replayed: 0, writtenOut: 0 }
  /** Kinds of steps by their numbers of rows: steps with fresh gradients, and steps that add to existing gradients. */
  private readonly fresh = new Map<number, StepKind>()
  private readonly adding = new Map<number, StepKind>()
  private isEnabled = true
  /** Number of times that user code ran and may have changed the step. */
  private userCodeRuns = 0
  /** The fields of the model when it was looked at last. */
  fields: ModelFields
  private isBuiltIn: boolean
  /** The field that forward changed in the last recorded step. */
  private changedBefore: string | null = null

  /**
   * @param codeEachStep true if user code runs after each step, such as the body of a loop
   * @param givenBackBy 'collector' if {@link release} may never be called
   */
  constructor(
    private readonly plan: Plan,
    codeEachStep: boolean,
    private readonly givenBackBy: GivenBackBy,
  ) {
    const { model, options } = plan
    this.fields = new ModelFields(model)
    this.isBuiltIn = this.fields.isBuiltIn && traitsOf(options.loss) !== undefined
    if (options.replay === false) this.disable('the option replay is false')
    else if (this.fields.patched !== null) this.disable(`${this.fields.patched} has a forward method of its own`)
    else if (codeEachStep && !this.isBuiltIn) this.disable('a model or loss of your own, and code of your own runs after each step')
  }

  /** Call this when code outside of this library ran, which may have changed the model. */
  userCodeRan(): void {
    this.userCodeRuns++
  }

  /** Gives all memory back. */
  release(): void {
    const { kinds } = this
    if (kinds.length === 0) return
    for (const { recording } of kinds) recording.release()
    this.fresh.clear()
    this.adding.clear()
    // the tensors of the last step are in that memory
    this.plan.model.backend.arena.discard()
  }

  /** The steps from `from` on in blocks. `runStep` runs a single step. With `keepsPredictions`, blocks have predictions and targets. */
  *blocks(
    limits: BlockLimits,
    runStep: (step: number, range: RowRange) => Evaluation,
    keepsPredictions = false,
    from = 0,
  ): globalThis.Generator<StepBlock, void, void> {
    const runner = new BlockRunner(this.plan, limits, (size, adds) => this.readyRecordings(size, adds), runStep, keepsPredictions)
    for (const block of runner.blocks(from)) {
      if (block.isProgram) this.execution.programs += block.count
      yield block
    }
  }

  /**
   * Forward pass, loss and gradients of a batch, from a recording if there is one.
   * @param fail makes the error for a loss that is not finite
   * @param isWatched true if prediction and targets are used: otherwise they need not belong to this step
   */
  evaluate(range: RowRange, fail: (loss: number) => Error, isWatched = true): Evaluation {
    const { unchecked, model, options } = this.plan
    const evaluation = this.evaluated(range, fail, isWatched || unchecked.length > 0)
    if (unchecked.length === 0) return evaluation
    // a model may return several rows for one
    const [rowsOfBatch, ...outputs] = evaluation.prediction.shape
    const shape = [rowsOfBatch / (range.to - range.from), ...outputs]
    for (const { rows, what } of unchecked.splice(0)) checkTargets(model, rows, options.loss, what, shape)
    return evaluation
  }

  private evaluated(range: RowRange, fail: (loss: number) => Error, isWatched: boolean): Evaluation {
    if (!this.isEnabled) return this.writtenOut(range, fail)
    const size = range.to - range.from
    const usual = this.fresh.get(size)
    if (usual !== undefined && this.isReady(usual)) return this.replayed(usual.recording, range, fail, isWatched)
    const adding = this.adding.get(size)
    if (adding !== undefined && this.isReady(adding)) return this.replayed(adding.recording, range, fail, isWatched)
    const kind = this.kindOf(size)
    if (kind === null) return this.writtenOut(range, fail)
    return this.isReady(kind) ? this.replayed(kind.recording, range, fail, isWatched) : this.recorded(kind, range, fail)
  }

  /** Counts a step that is not run here, because its optimizer evaluates the loss itself. */
  countWrittenOut(reason: string): void {
    this.execution.writtenOut++
    this.execution.reason ??= reason
  }

  /**
   * The recordings for steps of this number of rows, if they may run now: one, or with `adds` a second, of a step that adds its gradients to the
   * first one's. Null if one of them is missing.
   */
  private readyRecordings(size: number, adds: boolean): readonly Recording[] | null {
    const kind = this.fresh.get(size)
    if (kind === undefined || !this.isEnabled || !this.isReady(kind)) return null
    const { recording } = kind
    if (!adds) return [recording]
    const adding = this.adding.get(size)
    const goesOn = recording.ifGradients(() => adding !== undefined && this.isReady(adding) && adding.recording.continues(recording))
    return goesOn ? [recording, (adding as StepKind).recording] : null
  }

  private get kinds(): readonly StepKind[] {
    return [...this.fresh.values(), ...this.adding.values()]
  }

  private kindOf(size: number): StepKind | null {
    const { model, rows, options } = this.plan
    const kinds = model.parameters().some((p) => p.gradientState === 'ready') ? this.adding : this.fresh
    const found = kinds.get(size)
    if (found !== undefined) return found
    try {
      const kind: StepKind = {
        recording: new Recording({ model, loss: options.loss, rows, givenBackBy: this.givenBackBy }, size),
        isVerified: false,
        userCodeRuns: -1,
        changes: 0,
      }
      kinds.set(size, kind)
      return kind
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error
      this.disable('there is no memory for a recording')
      return null
    }
  }

  private isReady(kind: StepKind): boolean {
    if (!kind.isVerified || !kind.recording.isCurrent) return false
    if (kind.userCodeRuns === this.userCodeRuns) return true
    // dependencies of user code are only seen by running it
    if (!this.isBuiltIn || this.fields.changed() !== null) return false
    kind.userCodeRuns = this.userCodeRuns
    return true
  }

  private replayed(recording: Recording, range: RowRange, fail: (loss: number) => Error, isWatched: boolean): Evaluation {
    let loss: number
    try {
      loss = recording.run(range)
    } catch (error) {
      // the step refuses these rows: run it as written, which throws the error
      if (error instanceof RangeError) return this.writtenOut(range, fail)
      throw error
    }
    this.execution.replayed++
    return this.finished(recording, loss, fail, isWatched)
  }

  private recorded(kind: StepKind, range: RowRange, fail: (loss: number) => Error): Evaluation {
    const { recording } = kind
    const { optimizer } = this.plan.options
    if (!this.refreshFields()) return this.writtenOut(range, fail)
    const userCodeRan = kind.userCodeRuns !== this.userCodeRuns
    let isSame: boolean
    try {
      isSame = recording.record(range)
    } catch (error) {
      this.forget(kind)
      throw error
    }
    this.execution.writtenOut++
    kind.userCodeRuns = this.userCodeRuns
    kind.changes = isSame || userCodeRan ? 0 : kind.changes + 1
    const changed = this.fields.changed()
    const obstacle =
      recording.obstacle ??
      (recording.touchesRows && !canPlan(optimizer)
        ? `${optimizer.name} may update the rows of a table that were looked up alone`
        : null) ??
      (changed !== null && this.changedBefore !== null ? `forward changes the field ${changed}` : null) ??
      (kind.changes >= MAX_CHANGES ? 'two steps in a row did not do the same' : null)
    this.changedBefore = changed
    kind.isVerified = obstacle === null && changed === null && (isSame || this.isBuiltIn)
    if (obstacle !== null) this.disable(obstacle)
    return this.finished(recording, recording.loss, fail)
  }

  /** Inspects the model again; false if its steps are no longer recorded. */
  private refreshFields(): boolean {
    const { model, options } = this.plan
    const replaced = this.fields.replacedForward()
    // recordings of steps with other numbers of rows depend on the old fields
    if (this.fields.changed() !== null) for (const kind of this.kinds) kind.isVerified = false
    this.fields = new ModelFields(model)
    this.isBuiltIn = this.fields.isBuiltIn && traitsOf(options.loss) !== undefined
    if (this.fields.patched !== null) this.disable(`${this.fields.patched} has a forward method of its own`)
    else if (replaced !== null) this.disable(`the forward method of ${replaced} was replaced`)
    return this.isEnabled
  }

  private forget(kind: StepKind): void {
    kind.recording.release()
    for (const kinds of [this.fresh, this.adding]) for (const [size, other] of kinds) if (other === kind) kinds.delete(size)
  }

  private finished(recording: Recording, loss: number, fail: (loss: number) => Error, isWatched = true): Evaluation {
    if (!Number.isFinite(loss)) throw fail(loss)
    recording.markGradients()
    const { prediction, targets } = isWatched ? recording.results() : recording
    return { prediction, targets, loss }
  }

  private writtenOut({ order, from, to }: RowRange, fail: (loss: number) => Error): Evaluation {
    const { rows } = this.plan
    this.execution.writtenOut++
    const { prediction, targets, loss } = this.forward(stepBatch(rows, order, from, to))
    const value = loss.item()
    if (!Number.isFinite(value)) throw fail(value)
    loss.backward()
    return { prediction, targets, loss: value }
  }

  /** @throws RangeError with the row, if targets were changed to values that the loss refuses */
  private forward(batch: Batch): ForwardLoss {
    const { model, rows, options } = this.plan
    try {
      return forwardLoss(model, options.loss, batch)
    } catch (error) {
      if (error instanceof RangeError && traitsOf(options.loss)?.checksTargets) checkTargets(model, rows, options.loss, 'fit: targets')
      throw error
    }
  }

  private disable(reason: string): void {
    this.isEnabled = false
    this.execution.reason ??= reason
  }
}

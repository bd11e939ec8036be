/**
 * The base of wrappers around any optimizer: Lookahead, SAM, GradientAccumulation, your own. Wrappers have the methods of an optimizer, so that
 * training loops, schedulers and checkpoints treat both alike.
 */

import { typeError } from '../../common/errors.js'
import { savedNumbers } from '../../common/saved.js'
import { show } from '../../common/show.js'
import type { Parameter } from '../../parameter.js'
import type { ShowsAverages } from '../base/averaging.js'
import type { ParameterGroup } from '../base/group.js'
import type { UpdateOptions } from '../base/input.js'
import type { OptimizerInternals } from '../base/internals.js'
import { checkSizes, type OptimizerState, wrongState } from '../base/state.js'
import type { StepScheme } from '../base/step-scheme.js'

/** The methods of an optimizer that a training loop needs; optimizers and wrappers have them. */
export interface OptimizerLike {
  readonly name: string
  readonly groups: readonly ParameterGroup[]
  readonly stepCount: number
  /** True if step() takes a function that computes the loss and calls backward(), because it calls that function more than once (SAM). */
  readonly wantsClosure?: boolean
  /** True if not every step() changes parameters, because batches are accumulated (GradientAccumulation). */
  readonly accumulates?: boolean
  learningRate: number
  step(options?: UpdateOptions): void
  /** Steps on batches that are waiting for others, if there are any ({@link GradientAccumulation}). */
  flush?(options?: UpdateOptions): void
  /** @internal the scheme of the wrapper's next step; only wrappers whose steps can run in programs have this method */
  stepScheme?(): StepScheme
  zeroGrad(): void
  state(): OptimizerState
  loadState(state: OptimizerState): void
}

/** An array of a state, or its form in JSON. */
export type SavedArray = Parameters<typeof savedNumbers>[0]

/** Passes everything on to an inner optimizer. */
export abstract class OptimizerWrapper implements OptimizerLike {
  readonly inner: OptimizerLike

  constructor(inner: OptimizerLike) {
    if (typeof inner?.step !== 'function') throw typeError(`${this.constructor.name}: wants an optimizer to wrap, got ${show(inner)}`)
    // the arrays are copied in and out around each step of the inner optimizer, so that they would miss the wrapper's part
    if ((inner as Partial<OptimizerInternals>).bindings?.length)
      throw typeError(`${this.constructor.name}: ${inner.name} updates arrays of your own; wrap an optimizer of Parameters`)
    this.inner = inner
  }

  get name(): string {
    return `${this.constructor.name}(${this.inner.name})`
  }

  get groups(): readonly ParameterGroup[] {
    return this.inner.groups
  }

  get stepCount(): number {
    return this.inner.stepCount
  }

  get wantsClosure(): boolean {
    return this.inner.wantsClosure ?? false
  }

  get accumulates(): boolean {
    return this.inner.accumulates ?? false
  }

  get learningRate(): number {
    return this.inner.learningRate
  }

  set learningRate(value: number) {
    this.inner.learningRate = value
  }

  zeroGrad(): void {
    this.inner.zeroGrad()
  }

  step(options?: UpdateOptions): void {
    this.around(() => this.inner.step(options))
  }

  /**
   * Steps on batches that are waiting for others, if there are any ({@link GradientAccumulation}). `fit` calls it at the end of each epoch, and when
   * a training ends early; in a loop of your own, call it there.
   */
  flush(options?: UpdateOptions): void {
    this.around(() => this.inner.flush?.(options))
  }

  /**
   * Calls `inner`, which takes a step of the inner optimizer if `stepCount` grows: one that accumulates does not step at every call. A wrapper that
   * acts before or after these steps overrides it.
   */
  protected around(inner: () => void): void {
    inner()
  }

  /** @internal the averages of the inner optimizer, see {@link ShowsAverages} */
  showAverages(): (() => void) | undefined {
    return (this.inner as ShowsAverages).showAverages?.()
  }

  /** The wrapper's own state, options included, in plain numbers and typed arrays. */
  protected abstract extra(): Record<string, unknown>

  /** Checks the result of `extra()`, perhaps from JSON, before anything changes. @returns a function that applies it */
  protected abstract loadExtra(extra: Record<string, unknown>): () => void

  state(): OptimizerState {
    const { extra: inner, ...state } = this.inner.state()
    return { ...state, extra: { wrapper: this.constructor.name, own: this.extra(), ...(inner && { inner }) } }
  }

  /** The value for JSON.stringify: {@link OptimizerWrapper.state}, which {@link loadState} takes back. */
  toJSON(): OptimizerState {
    return this.state()
  }

  /**
   * Restores a state of {@link OptimizerWrapper.state}, options included.
   * @throws Error for the state of other optimizers or wrappers, or of the same wrappers in another order, RangeError for a state of other parameters
   *   or with invalid options; nothing is changed then
   */
  loadState(state: OptimizerState): void {
    const { wrapper, own, inner } = state?.extra ?? {}
    if (wrapper !== this.constructor.name || !own) throw wrongState(this.name, state)
    const restore = this.loadExtra(own)
    const { extra: _, ...rest } = state
    this.inner.loadState(inner ? { ...rest, extra: inner } : rest)
    restore()
  }

  /** The arrays of a state, one for each parameter, as lists of numbers. @throws RangeError unless each is as long as its parameter */
  protected listsOf(saved: readonly SavedArray[] | undefined): ArrayLike<number>[] {
    const lists = (saved ?? []).map((values, i) => savedNumbers(values, `${this.name}.loadState(): array ${i}`))
    const sizes = lists.map(({ length }) => length)
    checkSizes(this.name, sizes, this.parameters)
    return lists
  }

  protected get parameters(): Parameter[] {
    return this.groups.flatMap(({ parameters }) => parameters)
  }
}

/**
 * Wrappers around any optimizer: Lookahead, sharpness-aware minimisation, and what they and others share. They have the methods
 * of an optimizer, so that training loops, schedulers and checkpoints need not know.
 */

import type { FloatArray } from '../backend/heap.js'
import type { Parameter } from '../parameter.js'
import { show } from '../show.js'
import { asList } from '../tensor.js'
import { type ShowsAverages, withWeights } from './averaging.js'
import type { ParameterGroup } from './group.js'
import type { UpdateOptions } from './input.js'
import { checkNames, checkOption, nonNegative } from './options.js'
import { checkSizes, type OptimizerState } from './state.js'

/** What a training loop needs of an optimizer; optimizers and wrappers alike. */
export interface OptimizerLike {
  readonly name: string
  readonly groups: readonly ParameterGroup[]
  readonly stepCount: number
  /** step() takes a function that computes the loss and calls backward(), to call it more than once (SAM). */
  readonly wantsClosure?: boolean
  /** Not every step() changes parameters: batches add up (GradientAccumulation). */
  readonly accumulates?: boolean
  learningRate: number
  step(options?: UpdateOptions): void
  /** Steps on batches that wait for others to be added to them, where there are any ({@link GradientAccumulation}). */
  flush?(options?: UpdateOptions): void
  zeroGrad(): void
  state(): OptimizerState
  loadState(state: OptimizerState): void
}

/** An array of a state, or what JSON makes of it. */
export type SavedArray = Parameters<typeof asList>[0]

/** Passes everything on to an inner optimizer. */
export abstract class OptimizerWrapper implements OptimizerLike {
  readonly inner: OptimizerLike

  constructor(inner: OptimizerLike) {
    if (typeof inner?.step !== 'function') throw new TypeError(`${this.constructor.name}: wants an optimizer to wrap, got ${show(inner)}`)
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

  abstract step(options?: UpdateOptions): void

  /** Steps on batches that wait for others to be added to them, where there are any ({@link GradientAccumulation}). */
  flush(options?: UpdateOptions): void {
    this.inner.flush?.(options)
  }

  /** @internal those of the inner optimizer, see {@link ShowsAverages} */
  showAverages(): (() => void) | undefined {
    return (this.inner as ShowsAverages).showAverages?.()
  }

  /** What the wrapper itself remembers, in plain numbers and typed arrays. */
  protected abstract extra(): Record<string, unknown>

  /** Checks what `extra()` gave, perhaps through JSON, before anything changes. @returns what puts it in place */
  protected abstract loadExtra(extra: Record<string, unknown>): () => void

  state(): OptimizerState {
    const state = this.inner.state()
    return { ...state, extra: { ...state.extra, [this.constructor.name]: this.extra() } }
  }

  /** @throws Error for the state of something else, RangeError for one of other parameters; then nothing was changed */
  loadState(state: OptimizerState): void {
    const own = state.extra?.[this.constructor.name]
    if (own === undefined)
      throw new Error(`${this.name}.loadState(): this is the state of ${state.optimizer} without ${this.constructor.name}`)
    const restore = this.loadExtra(own as Record<string, unknown>)
    this.inner.loadState(state)
    restore()
  }

  /** Arrays of a state, one for each parameter, as lists. @throws RangeError unless they are as long as the parameters */
  protected listsOf(saved: readonly SavedArray[]): ArrayLike<number>[] {
    const lists = saved.map(asList)
    checkSizes(
      this.name,
      lists.map(({ length }) => length),
      this.parameters,
    )
    return lists
  }

  protected get parameters(): Parameter[] {
    return this.groups.flatMap(({ parameters }) => parameters)
  }
}

/** Options of {@link Lookahead}. */
export interface LookaheadOptions {
  /** Fast steps to each slow one. Default 5. */
  every?: number
  /** How far the slow weights move. Default 0.5. */
  alpha?: number
}

/**
 * Every k steps of the inner optimizer, slow weights go part of the way and the fast ones start again from there.
 *
 *     slow ← slow + α·(fast − slow),   fast ← slow
 *
 * Takes variance out of the inner optimizer and forgives a learning rate that is too high; the inner state is kept.
 * When not: an inner optimizer whose rate is tuned and falls already.
 * Defaults: the authors' (5, 0.5). State: 4 bytes a parameter more. Zhang et al. 2019.
 *
 * @example
 * const optimizer = new Lookahead(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }))
 */
export class Lookahead extends OptimizerWrapper {
  readonly every: number
  readonly alpha: number
  private readonly slow: FloatArray[]
  private taken = 0

  constructor(inner: OptimizerLike, options: LookaheadOptions = {}) {
    super(inner)
    checkNames('Lookahead', options, ['every', 'alpha'])
    const { every = 5, alpha = 0.5 } = options
    checkOption('Lookahead', 'every', every, 5, { min: 1, max: Infinity })
    checkOption('Lookahead', 'alpha', alpha, 0.5, { min: 0, max: 1 })
    this.every = every
    this.alpha = alpha
    this.slow = this.parameters.map((p) => p.data())
  }

  step(options?: UpdateOptions): void {
    this.follow(() => this.inner.step(options))
  }

  override flush(options?: UpdateOptions): void {
    this.follow(() => super.flush(options))
  }

  /** The slow weights' part, where the inner optimizer took a step: one that accumulates does not at every call. */
  private follow(inner: () => void): void {
    const { stepCount } = this
    inner()
    if (this.stepCount === stepCount || ++this.taken % this.every !== 0) return
    const { alpha } = this
    for (const [i, p] of this.parameters.entries()) {
      const [slow, fast] = [this.slow[i], p.view()]
      for (let k = 0; k < slow.length; k++) fast[k] = slow[k] += alpha * (fast[k] - slow[k])
    }
  }

  /** Copies of the slow weights. */
  averages(): FloatArray[] {
    return this.slow.map((values) => values.slice())
  }

  /** Runs fn with the slow weights in the parameters. */
  evaluate<T>(fn: () => T): T {
    return withWeights(this.parameters, this.slow, fn)
  }

  protected extra(): Record<string, unknown> {
    return { taken: this.taken, slow: this.averages() }
  }

  protected loadExtra({ taken, slow }: { taken: number; slow: SavedArray[] }): () => void {
    const lists = this.listsOf(slow)
    return () => {
      this.taken = taken
      lists.forEach((values, i) => this.slow[i].set(values))
    }
  }
}

/**
 * Sharpness-aware minimisation: steps along the gradient at the worst nearby point, which prefers flat minima.
 *
 *     e = ρ·g/‖g‖,   g′ = gradient at p + e,   then the inner step from p with g′
 *
 * Twice the cost of a step, for better generalisation on small data. Pass the closure that computes the loss and calls
 * backward().
 * When not: large data or short budgets: twice the steps without it do better there.
 * Defaults: the authors' (ρ 0.05). State: 4 bytes a parameter more, during the step. Foret et al. 2021.
 *
 * @example
 * const optimizer = new SAM(new SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 }))
 * optimizer.step(() => crossEntropy(model.forward(x), y).backward())
 *
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5 }) // passes the closure itself
 */
export class SAM extends OptimizerWrapper {
  readonly rho: number

  constructor(inner: OptimizerLike, options: { rho?: number } = {}) {
    super(inner)
    checkNames('SAM', options, ['rho'])
    const { rho = 0.05 } = options
    checkOption('SAM', 'rho', rho, 0.05, nonNegative)
    if (inner.accumulates) throw new TypeError(`SAM: ${inner.name} steps on the mean of several batches; SAM has the gradient of one only`)
    this.rho = rho
  }

  override get wantsClosure(): boolean {
    return true
  }

  /** @param closure computes all gradients at the present parameters; it runs twice, or once where they are all 0 */
  override step(closure?: (() => void) | UpdateOptions, options?: UpdateOptions): void {
    if (typeof closure !== 'function')
      throw new TypeError('SAM.step(): wants a function that computes the loss and calls backward(), to run it twice')
    closure()
    const active = this.parameters.filter((p) => p.gradientState === 'ready' && p.requiresGrad)
    const before = active.map((p) => p.data())
    const norm = Math.sqrt(active.reduce((sum, p) => sum + p.backend.kernels.sumSquares(p.gradientAddress, p.size), 0))
    if (norm > 0) {
      for (const p of active) {
        p.backend.kernels.addScaled(p.gradientAddress, p.address, p.size, this.rho / norm)
        p.gradientState = 'used'
      }
      try {
        closure()
      } finally {
        active.forEach((p, i) => p.view().set(before[i]))
      }
    }
    this.inner.step(options)
  }

  protected extra(): Record<string, unknown> {
    return {}
  }

  protected loadExtra(): () => void {
    return () => {}
  }
}

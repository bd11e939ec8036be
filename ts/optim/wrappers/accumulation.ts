/** Gradient accumulation: several batches to a step. */

import { checkCount } from '../../common/checks.js'
import { rangeError, typeError } from '../../common/errors.js'
import { atLeast1, checkOptions, readOptions, type Schema } from '../../common/options.js'
import { savedNumbers } from '../../common/saved.js'
import type { Parameter } from '../../parameter.js'
import type { UpdateOptions } from '../base/input.js'
import { fromJson } from '../base/options.js'
import type { StepScheme } from '../base/step-scheme.js'
import { type OptimizerLike, OptimizerWrapper, type SavedArray } from './wrapper.js'

/** A parameter's accumulated gradient: its values, and for a table that is looked up the rows that have values, see {@link Parameter}. */
interface PendingGradient {
  values: SavedArray
  rows: SavedArray | null
}

export const GRADIENT_ACCUMULATION = { every: { is: atLeast1, required: true } } satisfies Schema<{ every: number }>

/** Entries of a state besides options. */
interface Pending {
  pending: number
  gradients: (PendingGradient | null)[] | null
}

/**
 * Takes one inner step for every k batches, on the mean of their gradients: like a batch k times as large, in the memory of one batch.
 *
 *     g = (g₁ + … + g_k)/k,   then the inner step with g
 *
 * Gradients add up in place, and the division is part of the update. `fit` calls {@link flush} at the end of each epoch: the remaining batches make a
 * step of their own, on the mean of fewer gradients. In a loop of your own, or around `trainSteps`, call it yourself.
 * When not: batches that fit into memory: fewer, larger steps alone gain nothing.
 * Defaults: none, as PyTorch's loop and optax' MultiSteps. State: none besides the gradients so far. Goyal et al. 2017 on large batches.
 *
 * @example
 * const optimizer = new GradientAccumulation(new Adam(model.parameters()), { every: 4 })
 */
export class GradientAccumulation extends OptimizerWrapper {
  static override get name() {
    return 'GradientAccumulation'
  }

  readonly every: number
  private pending = 0

  constructor(inner: OptimizerLike, options: { every: number }) {
    super(inner)
    const { every } = readOptions('GradientAccumulation', options, GRADIENT_ACCUMULATION)
    if (inner.wantsClosure) throw typeError(`GradientAccumulation: ${inner.name} computes its gradients itself; nothing adds up for it`)
    if (inner.accumulates) throw typeError(`GradientAccumulation: ${inner.name} adds batches up already; one of them is enough`)
    this.every = every
  }

  override get accumulates(): boolean {
    return true
  }

  override step(options?: UpdateOptions): void {
    if (++this.pending < this.every) this.groups[0].backend.arena.end()
    else this.flush(options)
  }

  /** Takes a step on the gradients accumulated since the last step, if there are any: for the end of an epoch. */
  override flush(options?: UpdateOptions): void {
    if (this.pending === 0) return
    this.inner.step({ ...options, gradientScale: (options?.gradientScale ?? 1) / this.pending })
    this.pending = 0
  }

  /** @internal */
  stepScheme(): StepScheme {
    const { inner, every, pending } = this
    return { optimizer: inner, batches: every, gradientScale: 1 / every, isComplete: pending === 0 }
  }

  /** Forgets all gradients, and with them the batches accumulated so far. */
  override zeroGrad(): void {
    super.zeroGrad()
    this.pending = 0
  }

  protected extra(): Record<string, unknown> {
    const { every, pending } = this
    return { every, pending, gradients: pending === 0 ? null : this.parameters.map(pendingGradient) }
  }

  protected loadExtra(extra: Record<string, unknown>): () => void {
    const { pending, gradients, ...saved } = extra as unknown as Pending
    const { name, parameters, every } = this
    const options = checkOptions(`${name}.loadState()`, { every, ...fromJson(saved, { every }) }, GRADIENT_ACCUMULATION)
    checkCount(`${name}.loadState(): pending`, pending, 0)
    if (pending > 0 !== Array.isArray(gradients))
      throw rangeError(`${name}.loadState(): the state has ${pending} batches pending and ${pending > 0 ? 'no' : 'some'} gradients`)
    const kept = gradients ?? parameters.map(() => null)
    const lists = this.listsOf(kept.map((gradient, i) => gradient?.values ?? new Float32Array(parameters[i]?.size ?? 0)))
    const rows = kept.map(
      (gradient, i) => gradient?.rows && Int32Array.from(savedNumbers(gradient.rows, `${name}.loadState(): rows of gradient ${i}`)),
    )
    return () => {
      // gradients gathered so far do not belong to the loaded state
      if (this.pending > 0) this.zeroGrad()
      Object.assign(this, options, { pending })
      for (const [i, gradient] of kept.entries()) {
        if (gradient === null) continue
        parameters[i].gradientView().set(lists[i])
        parameters[i].touchedRows = rows[i] ? [rows[i]] : null
      }
    }
  }
}

function pendingGradient({ gradientState, grad, touchedRows }: Parameter): PendingGradient | null {
  if (gradientState !== 'ready' || grad === null) return null
  return { values: grad.read().slice(), rows: touchedRows && Int32Array.from(touchedRows.flatMap((rows) => [...rows])) }
}

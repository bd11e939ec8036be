/** The base of optimizers that evaluate the loss themselves, several times a step. */

import { plainError, typeError } from '../../common/errors.js'
import { checkOptions, checkValue, readOptions, type Schema } from '../../common/options.js'
import { type SavedNumbers, savedCount, savedNumbers } from '../../common/saved.js'
import { show } from '../../common/show.js'
import { allFinite } from '../../common/vector.js'
import type { Loss } from '../../loss/loss.js'
import { parametersOf } from '../../optim/base/input.js'
import { type Allowed, checked, type Definition, fromJson, schemaOf } from '../../optim/base/options.js'
import { checkSizes } from '../../optim/base/state.js'
import type { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import type { Frozen } from '../least-squares/equations.js'
import type { Point } from '../objective.js'
import type { StopReason } from '../result.js'

/**
 * Computes the loss at the present parameters: the forward pass only, as the optimizer runs backward(). A closure that fills the gradients itself
 * returns a number instead. It must be deterministic: the same batch, no dropout.
 */
export type Closure = () => Tensor | number

/** Result of a step of a closure-style optimizer. */
export interface ClosureResult {
  /** Loss before the step. */
  initialLoss: number
  /** Loss after the step, if it was evaluated; after a last step of fixed length it is not. */
  loss: number
  iterations: number
  evaluations: number
  converged: boolean
  reason: StopReason
  message: string
}

/** A plain object with all that {@link ClosureOptimizer.loadState} needs. */
export interface ClosureState {
  format: 'gradus-closure-optimizer/1'
  optimizer: string
  stepCount: number
  options: Record<string, unknown>
  /** Number of values of each parameter. */
  sizes: number[]
  /** Numbers and vectors by name. */
  values: Record<string, unknown>
}

/** The rows of one step of `fit`. */
export interface TrainingBatch {
  inputs: Tensor
  targets: Tensor
  weights: Tensor | undefined
  /** The loss function that `fit` was given. */
  loss: Loss
  /** The loss of this batch at the present parameters. */
  evaluate: () => Tensor
}

/**
 * Base of the optimizers that take a closure: one group of parameters, seen as one vector in double precision on any backend. Frozen parameters
 * (`requiresGrad = false`) are part of the vector and stay unchanged. In single precision gradients carry about seven digits, so that these methods
 * stall at a relative gradient of about 1e-4; a model on `createBackend({ backend: 'js', dtype: 'float64' })` has no such limit.
 */
export abstract class ClosureOptimizer<O extends object> {
  static readonly defaults: Readonly<Record<string, unknown>> = {}
  static readonly allowed: Readonly<Record<string, Allowed>> = {}

  readonly parameters: readonly Parameter[]
  /** Checked on assignment; may change between steps. */
  readonly options: Required<O>
  /** The one group, for schedulers. */
  readonly groups: readonly { name: string; parameters: readonly Parameter[]; options: Required<O> }[]
  /** True if a step needs the full set of rows, the same each time. */
  readonly wholeBatch: boolean = true
  /** Calls of step(). */
  stepCount = 0
  /** Number of elements of all parameters. */
  readonly size: number

  /** @throws RangeError for options out of range; Error for an empty list, a parameter that is listed twice, or parameters of two backends */
  constructor(parameters: Iterable<Parameter>, options: O = {} as O) {
    this.parameters = checkParameters(this.name, parametersOf(this.name, parameters, ' (one group: the method sees them as one vector)'))
    const schema = schemaOf(this.definition)
    const values = readOptions(this.name, options, schema as Schema<O>)
    const check = (name: string, value: unknown) => checkValue(`${this.name}: ${name}`, value, schema[name].is)
    this.options = checked(values, check, () => {}) as Required<O>
    this.groups = [{ name: '0', parameters: this.parameters, options: this.options }]
    this.size = this.parameters.reduce((sum, p) => sum + p.size, 0)
  }

  get name(): string {
    return this.constructor.name
  }

  /** The option `learningRate`; NaN for methods without it. @throws Error on assignment to a method without it */
  get learningRate(): number {
    return (this.options as { learningRate?: number }).learningRate ?? Number.NaN
  }

  set learningRate(rate: number) {
    if (!('learningRate' in this.options)) throw plainError(`${this.name} has no learning rate to set: it finds its steps itself`)
    ;(this.options as { learningRate: number }).learningRate = rate
  }

  /** The method that `fit` calls instead of a gradient and step(): one step on these rows. Returns the loss before it. */
  abstract trainOn(batch: TrainingBatch): number

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = null
  }

  /** Copies, safe to keep. */
  state(): ClosureState {
    return {
      format: 'gradus-closure-optimizer/1',
      optimizer: this.name,
      stepCount: this.stepCount,
      options: { ...this.options } as Record<string, unknown>,
      sizes: this.parameters.map(({ size }) => size),
      values: structuredClone(this.captured()),
    }
  }

  /** The value for JSON.stringify: {@link state}, which {@link loadState} takes back. */
  toJSON(): ClosureState {
    return this.state()
  }

  /**
   * Continues from a {@link ClosureOptimizer.state}, options included.
   * @throws Error for the state of another optimizer, RangeError for a state of other parameters or with invalid options; nothing is changed then
   */
  loadState(state: ClosureState): void {
    if (state?.format !== 'gradus-closure-optimizer/1' || state.optimizer !== this.name)
      throw plainError(
        `${this.name}.loadState(): this is ${state?.optimizer ? `the state of ${state.optimizer}` : 'no state of a closure optimizer'}`,
      )
    checkSizes(this.name, state.sizes ?? [], this.parameters)
    const schema = schemaOf(this.definition)
    const options = fromJson(state.options, this.definition.defaults)
    checkOptions(this.name, options, schema)
    const values = Object.entries(state.values).map(([name, value]) => [name, withVectors(value, `${this.name}.loadState(): ${name}`)])
    const stepCount = savedCount(state.stepCount, `${this.name}.loadState(): stepCount`)
    Object.assign(this.options, options)
    this.stepCount = stepCount
    this.restore(Object.fromEntries(values))
  }

  private get definition(): Definition {
    return this.constructor as unknown as Definition
  }

  /** The numbers and vectors that the method keeps from step to step. */
  protected abstract captured(): Record<string, unknown>
  protected abstract restore(values: Record<string, unknown>): void

  /** All parameters end to end. */
  protected read(): Float64Array {
    const x = new Float64Array(this.size)
    this.eachAt((p, at) => x.set(p.view(), at))
    return x
  }

  protected write(x: Float64Array): void {
    this.eachAt((p, at) => p.view().set(x.subarray(at, at + p.size)))
  }

  /** Loss and gradient at `x`; the value is NaN if either is not finite. The parameters stay at `x`. */
  protected evaluate(closure: Closure, x: Float64Array): Point {
    if (typeof closure !== 'function') throw typeError(`${this.name}.step(): wants a function that computes the loss, () => mse(…)`)
    this.write(x)
    this.zeroGrad()
    const loss = closure()
    if (!(loss instanceof Tensor) && typeof loss !== 'number')
      throw typeError(`${this.name}.step(): the closure wants to return the loss, a Tensor or a number, got ${show(loss)}`)
    if (loss instanceof Tensor) {
      if (this.parameters.some((p) => p.grad !== null))
        throw plainError(`${this.name}.step(): the closure ran backward(), which is for step() to do: it returns the loss alone`)
      loss.backward()
    }
    const value = loss instanceof Tensor ? loss.item() : loss
    // without this a number that was computed aside is a minimum at once
    if (Number.isFinite(value) && this.parameters.every((p) => p.grad === null) && this.parameters.some((p) => p.requiresGrad))
      throw plainError(
        `${this.name}.step(): no parameter has a gradient: ${loss instanceof Tensor ? 'the loss depends on none of them' : 'return the loss as a tensor, without item(), or fill the gradients and return a number'}`,
      )
    const gradient = this.readGradient()
    return { x, value: Number.isFinite(value) && allFinite(gradient) ? value : Number.NaN, gradient }
  }

  private readGradient(): Float64Array {
    const gradient = new Float64Array(this.size)
    this.eachAt(({ grad }, at) => {
      if (grad !== null) gradient.set(grad.read(), at)
    })
    return gradient
  }

  /** The parameters that are frozen now (requiresGrad = false): they stay unchanged, with zero gradient and curvature. */
  protected get frozen(): Frozen[] {
    const found: Frozen[] = []
    this.eachAt(({ requiresGrad, size }, at) => {
      if (!requiresGrad) found.push({ at, size })
    })
    return found
  }

  private eachAt(visit: (p: Parameter, at: number) => void): void {
    let at = 0
    for (const p of this.parameters) {
      visit(p, at)
      at += p.size
    }
  }
}

/** A copy of a saved value in which lists of numbers are vectors again: JSON turns vectors into objects with indices as names. */
function withVectors(saved: unknown, what: string): unknown {
  if (typeof saved !== 'object' || saved === null) return saved
  if (Array.isArray(saved) && typeof saved[0] !== 'number') return saved.map((value, i) => withVectors(value, `${what}[${i}]`))
  if (ArrayBuffer.isView(saved) || Object.keys(saved).every((key, i) => key === String(i)))
    return Float64Array.from(savedNumbers(saved as SavedNumbers, what))
  return Object.fromEntries(Object.entries(saved).map(([name, value]) => [name, withVectors(value, `${what}.${name}`)]))
}

function checkParameters(owner: string, parameters: Parameter[]): Parameter[] {
  for (const p of parameters) {
    if (p.backend !== parameters[0].backend)
      throw plainError(`${owner}: parameter '${p.name}' lives on another backend than '${parameters[0].name}'`)
  }
  if (new Set(parameters).size < parameters.length) throw plainError(`${owner}: a parameter is there twice`)
  return parameters
}

/** @internal @throws Error for another loss than the method's own, or for weights */
export function checkOwnLoss(owner: string, { loss, weights }: TrainingBatch, own: Loss, hint: string): void {
  if (weights !== undefined) throw plainError(`${owner} knows no weights of rows; LBFGS, ConjugateGradient and NewtonCG do`)
  if (loss !== own) throw plainError(`${owner} minimizes a loss of its own: ${hint}`)
}

/** Inputs of optimizers: parameters, arrays of the user, or groups of either; and the options that all optimizers share. */

import type { Backend } from '../../backend/index.js'
import { plainError, typeError } from '../../common/errors.js'
import { anything, finite, type Schema } from '../../common/options.js'
import { show } from '../../common/show.js'
import { Parameter } from '../../parameter.js'
import { Tensor } from '../../tensor.js'
import { type ArrayBinding, type ArrayParameter, bindArray, isArrayParameter } from './arrays.js'
import { TRANSFORM, type TransformOptions } from './transform.js'

/** Options that every optimizer has and that may differ from group to group. */
export interface GroupOptions {
  /** Step size. */
  learningRate?: number
  /** Pulls parameters towards zero. Default 0 unless the class says otherwise. */
  weightDecay?: number
  /** Ascends instead of descending; weight decay still shrinks parameters. Default false. */
  maximize?: boolean
}

/** {@link GroupOptions} with a choice of how weights decay. */
export interface DecayOptions extends GroupOptions {
  /**
   * false: decay is added to the gradient (L2). true: parameters shrink by 1 − learningRate·weightDecay (as in AdamW). Default false.
   *
   * In float32 a shrinkage below 3e-8 a step is lost, as in PyTorch: it is less than half of the last bit of a parameter.
   */
  decoupledWeightDecay?: boolean
}

/** Options of an optimizer as a whole. */
export interface SharedOptions extends TransformOptions {
  /** The backend for your arrays. Default: the backend chosen by load(). */
  backend?: Backend
}

export const SHARED = { ...TRANSFORM, backend: { is: anything } } satisfies Schema<SharedOptions>

/** Options of one step. */
export interface UpdateOptions {
  /** Every gradient is multiplied by this first (1/k for k accumulated batches, 1/s to undo a loss scale). Default 1. */
  gradientScale?: number
}

export const STEP = { gradientScale: { is: finite } } satisfies Schema<UpdateOptions>

/** A group as it is passed in: parameters, a name, and options that override the optimizer's. */
export type GroupInput<O> = Omit<O, keyof SharedOptions> & { parameters: Iterable<Parameter | ArrayParameter>; name?: string }

/** Parameters, arrays of your own, or groups of either. */
export type OptimizerInput<O> = Iterable<Parameter | ArrayParameter | GroupInput<O>>

/** The usual defaults of {@link GroupOptions}, to spread into `defaults` of a class. */
export const GROUP_DEFAULTS = { weightDecay: 0, maximize: false }
/** The usual defaults of {@link DecayOptions}, to spread into `defaults` of a class. */
export const DECAY_DEFAULTS = { ...GROUP_DEFAULTS, decoupledWeightDecay: false }

const NONE = 'there are no parameters; did you pass model.parameters()? Layers must be properties of the model'

/** @throws TypeError for a list that mixes parameters and groups, Error for an empty one */
export function readGroups<O>(owner: string, parameters: OptimizerInput<O>): GroupInput<O>[] {
  const items = [...listOf(owner, parameters)]
  if (items.length === 0) throw plainError(`${owner}: ${NONE}`)
  const isMember = (item: unknown) => item instanceof Parameter || isArrayParameter(item)
  if (items.every(isMember)) return [{ parameters: items } as unknown as GroupInput<O>]
  if (items.some(isMember)) throw typeError(`${owner}: wants parameters or groups of them, not both`)
  for (const item of items) if (!isList((item as GroupInput<O> | undefined)?.parameters)) wrong(owner, item, true)
  return items as GroupInput<O>[]
}

function isList(items: unknown): boolean {
  // a tensor has an iterator that throws
  return !(items instanceof Tensor) && typeof (items as Iterable<unknown> | undefined)?.[Symbol.iterator] === 'function'
}

function listOf<T>(owner: string, items: Iterable<T>): Iterable<T> {
  return isList(items) ? items : wrong(owner, items)
}

function wrong(owner: string, given: unknown, isInList = false): never {
  const wanted = 'wants parameters (model.parameters()), { value, gradient } arrays, or groups { parameters: [...], ...options } in a list'
  throw typeError(`${owner}: ${wanted}, got ${isInList ? 'a list with ' : ''}${show(given)}`)
}

/** @internal a list of parameters, for functions that take no groups. @throws TypeError for anything else, Error for an empty list */
export function parametersOf(owner: string, given: Iterable<Parameter>, note = ''): Parameter[] {
  const found = isList(given) ? [...given] : []
  const odd = found.find((p) => !(p instanceof Parameter))
  if (odd !== undefined || !isList(given)) {
    const got = odd === undefined ? show(given) : `a list with ${show(odd)}`
    throw typeError(`${owner}: wants parameters, model.parameters()${note}, got ${got}`)
  }
  if (found.length === 0) throw plainError(`${owner}: ${NONE}`)
  return found
}

/** The parameters of a group. For arrays, a parameter is made that represents them, and is added to `bindings`. */
export function readMembers(
  owner: string,
  members: Iterable<Parameter | ArrayParameter>,
  backend: Backend | undefined,
  bindings: ArrayBinding[],
): Parameter[] {
  return [...listOf(owner, members)].map((member) => {
    if (member instanceof Parameter) return member
    if (!isArrayParameter(member)) return wrong(owner, member, true)
    const twice = bindings.find(({ array }) => array === member || array.value === member.value)
    if (twice) throw plainError(`${owner}: parameter '${twice.parameter.name}' is given twice`)
    const made = bindArray(member, bindings.length, backend)
    bindings.push(made)
    return made.parameter
  })
}

/** @throws Error for an empty group, a parameter that is there twice, or one of another backend */
export function checkMembers(owner: string, groups: readonly Parameter[][]): void {
  const seen = new Map<Parameter, number>()
  for (const [i, parameters] of groups.entries()) {
    if (parameters.length === 0) throw plainError(`${owner}: group ${i} has no parameters`)
    for (const p of parameters) {
      const other = seen.get(p)
      if (other !== undefined)
        throw plainError(`${owner}: parameter '${p.name}' is ${other === i ? 'twice in one group' : 'in two groups'}`)
      if (p.backend !== groups[0][0].backend)
        throw plainError(`${owner}: parameter '${p.name}' lives on another backend than '${groups[0][0].name}'`)
      seen.set(p, i)
    }
  }
}

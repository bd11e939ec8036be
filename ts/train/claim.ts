/** Keeps two trainings from using one model, layer or parameter at the same time. */

import { plainError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'

/** The training that has claimed each layer or parameter, until it ends or is collected. */
interface Claim {
  readonly who: string
  /** Ends the claim. The training holds it, so that a claim ends when its iterator is collected. */
  readonly release: WeakRef<() => void>
}

const claims = new WeakMap<object, Set<Claim>>()

/** Loops over `trainSteps` may take turns on a model, because each is between two steps when another one runs; and so may `trainOnBatch`. */
const TAKES_TURNS = ['trainSteps', 'trainOnBatch']

/** @internal @throws TypeError for anything but a model */
export function checkModel(who: string, model: unknown): void {
  if (!(model instanceof Module)) throw typeError(`${who}: wants a model, such as a Sequential, got ${show(model)}`)
}

/**
 * @internal Claims a model with all its parts.
 * @returns a function that releases the model; garbage collection releases it, too
 * @throws Error if the model or a part of it is already being trained, TypeError for anything but a model
 */
export function claim(who: string, model: Module): () => void {
  checkModel(who, model)
  const parts = [...model.modules(), ...model.parameters()]
  for (const part of parts) checkFree(who, model, part)
  const release = () => {
    for (const part of parts) claims.get(part)?.delete(own)
  }
  const own: Claim = { who, release: new WeakRef(release) }
  for (const part of parts) claims.set(part, (claims.get(part) ?? new Set()).add(own))
  return release
}

/** @internal for training that ends before anything else can begin. @throws Error if `fit` is training the model or a part of it */
export function checkUnclaimed(who: string, model: Module): void {
  checkModel(who, model)
  for (const part of model.modules()) checkFree(who, model, part)
  for (const part of model.parameters()) checkFree(who, model, part)
}

function checkFree(who: string, model: Module, part: Module | Parameter): void {
  const known = claims.get(part)
  if (known === undefined) return
  for (const claim of known) {
    if (claim.release.deref() === undefined) known.delete(claim)
    else if (!(TAKES_TURNS.includes(who) && TAKES_TURNS.includes(claim.who))) throw plainError(`${who}: ${busy(model, part, claim.who)}`)
  }
}

function busy(model: Module, part: Module | Parameter, by: string): string {
  const what = part === model ? 'this model' : part instanceof Module ? `${part.describe()} '${part.path}'` : `parameter '${part.name}'`
  const end = TAKES_TURNS.includes(by) ? 'end that loop, or call return() of its iterator' : `wait for the first ${by} to end`
  return `${what} is being trained already${part === model ? '' : ' as a part of another model'}; ${end}`
}

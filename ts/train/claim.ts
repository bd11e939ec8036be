/** A model is trained by one at a time. */

import { show } from '../common/show.js'
import { Module } from '../nn/module.js'

const training = new WeakSet<Module>()

/** @internal @throws TypeError for what is no model */
export function checkModel(who: string, model: unknown): void {
  if (!(model instanceof Module)) throw new TypeError(`${who}: wants a model, such as a Sequential, got ${show(model)}`)
}

/**
 * @internal
 * @returns what gives the model free again
 * @throws Error if it is being trained already, TypeError for what is no model
 */
export function claim(who: string, model: Module): () => void {
  checkModel(who, model)
  if (training.has(model)) throw new Error(`${who}: this model is being trained already; wait for the first fit to end`)
  training.add(model)
  return () => {
    training.delete(model)
  }
}

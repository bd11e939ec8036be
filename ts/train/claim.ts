/** Keeps two trainings from using one model, layer or parameter at the same time. */
import { checkFree, claimParts } from '../common/claims.js'
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { Module } from '../nn/module.js'

/** @internal @throws TypeError for anything but a model */
export function checkModel(who: string, model: unknown): void {
  if (!(model instanceof Module)) throw typeError(`${who}: wants a model, such as a Sequential, got ${show(model)}`)
}

/** @internal {@link claimParts} of a model. @throws TypeError for anything but a model */
export function claim(who: string, model: Module): () => void {
  checkModel(who, model)
  return claimParts(who, model)
}

/** @internal for training that ends before anything else can begin. @throws Error if `fit` is training the model or a part of it */
export function checkUnclaimed(who: string, model: Module): void {
  checkModel(who, model)
  checkFree(who, model)
}

/** What exports have in common. */
import { typeError } from '../common/errors.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'

/** @internal for a layer that a format does not have */
export function withoutExport(who: string, layer: Module): TypeError {
  const where = layer.path === '' ? '' : ` '${layer.path}'`
  return typeError(
    `${who}: ${layer.describe()}${where} is not among the layers that can be exported: Dense, Embedding, EmbedColumns, BatchNorm, LayerNorm, Activation, Dropout, Flatten, and Sequential of these`,
  )
}

/** @internal the layers of nested Sequentials, one after the other */
export function leavesOf(model: Module): Module[] {
  model.build()
  return model.constructor === Sequential ? (model as Sequential).layers.flatMap(leavesOf) : [model]
}

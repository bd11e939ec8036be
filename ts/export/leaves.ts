/** Code that exports share. */
import { typeError } from '../common/errors.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'

/** Layers that every format has. */
const SHARED = 'Dense, Embedding, BatchNorm, LayerNorm, Activation, Dropout, Flatten'

/**
 * @internal the error for a layer that a format does not have. @param hasEmbedColumns true if the format has EmbedColumns, as ONNX and JavaScript do
 */
export function withoutExport(who: string, layer: Module, hasEmbedColumns = true): TypeError {
  const where = layer.path === '' ? '' : ` '${layer.path}'`
  return typeError(
    `${who}: ${layer.describe()}${where} is not among the layers that can be exported: ${SHARED}${hasEmbedColumns ? ', EmbedColumns' : ''}, and Sequential of these${hasEmbedColumns ? '' : '; toOnnx and toFunction take EmbedColumns too'}`,
  )
}

/** @internal the layers of nested Sequentials, one after the other */
export function leavesOf(model: Module): Module[] {
  model.build()
  return model.constructor === Sequential ? (model as Sequential).layers.flatMap(leavesOf) : [model]
}

/** Code that exports share. */
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { ROOMS } from '../files/kinds.js'
import { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import type { LayerExports } from './layer-exports.js'

/** Layers that every format has. */
const SHARED = 'Dense, Embedding, BatchNorm, LayerNorm, Activation, Dropout, Flatten'
/** Layers that ONNX and JavaScript have, but PyTorch and Keras have no module for. */
const OF_OPERATIONS = 'EmbedColumns, PiecewiseLinearEmbedding, PeriodicEmbedding, Scale, EnsembleDense, EnsembleMean'

/** Rooms whose layers a format has. */
const ROOMS_OF: Readonly<Record<string, string>> = {
  toFunction: ', layers of gradus/recurrent and gradus/attention,',
  toOnnx: ', layers of gradus/conv, gradus/recurrent and gradus/attention,',
  toPyTorch: ', layers of gradus/conv other than Residual, Concat and SqueezeExcite,',
  toKeras: ', layers of gradus/conv other than Residual, Concat and SqueezeExcite,',
}

/**
 * @internal the error for a layer that a format does not have. @param hasOperations true if the format is made of operations, as ONNX and JavaScript are
 */
export function withoutExport(who: string, layer: Module, hasOperations = true): TypeError {
  const where = layer.path === '' ? '' : ` '${layer.path}'`
  const layers = `${SHARED}${hasOperations ? `, ${OF_OPERATIONS}` : ''}${ROOMS_OF[who] ?? ''}`
  const more = hasOperations ? '' : `; toOnnx and toFunction take ${OF_OPERATIONS} too`
  return typeError(
    `${who}: ${layer.describe()}${where} is not among the layers that can be exported: ${layers} and Sequential of these${more}`,
  )
}

/** @internal the layers of nested Sequentials, one after the other */
export function leavesOf(model: Module): Module[] {
  model.build()
  return model.constructor === Sequential ? (model as Sequential).layers.flatMap(leavesOf) : [model]
}

/** @internal how other programs have a layer of a room, by its exact class; undefined for one of the core, or of one's own */
export function exportsOf(layer: Module): LayerExports | undefined {
  return ROOMS.find(([, Class]) => layer.constructor === Class)?.[2].exports
}

/** @internal an error for anything but a model; one of a table, of pictures or of vectors has its net within */
export function noModel(who: string, got: unknown): TypeError {
  const { net, toModel } = Object(got)
  const remedy =
    net instanceof Module ? '; its net is one, model.net' : typeof toModel === 'function' ? '; await head.toModel() is one' : ''
  return typeError(`${who}: wants a model, got ${show(got)}${remedy}`)
}

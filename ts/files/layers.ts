/** The layers and models of `gradus` as model files have them. Rooms add those of theirs: kinds.ts. */
import type { Backend } from '../backend/index.js'
import type { Activation as ActivationName } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { rangeError } from '../common/errors.js'
import { formatShape, type Shape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { type ColumnToEmbed, EmbedColumns } from '../nn/embed-columns.js'
import { Embedding } from '../nn/embedding.js'
import { EnsembleDense } from '../nn/ensemble-dense.js'
import { type EnsembleAverage, EnsembleMean } from '../nn/ensemble-mean.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import type { Module } from '../nn/module.js'
import { PeriodicEmbedding } from '../nn/periodic-embedding.js'
import { type BinnedColumn, PiecewiseLinearEmbedding } from '../nn/piecewise-linear-embedding.js'
import { Scale } from '../nn/scale.js'
import { Sequential } from '../nn/sequential.js'
import { Ensemble } from '../select/ensemble.js'
import { type LayerConfig, type LayerInFiles, type LayerKind, layerInFiles, ROOMS } from './kinds.js'

/** The weights come from the file. */
const UNFILLED = { weightInitializer: 'zeros' } as const

function checkFlag(what: string, value: unknown): void {
  if (typeof value !== 'boolean') throw rangeError(`${what} wants true or false, got ${show(value)}`)
}

/** Classes of layers that files hold, by the names that they have there. */
const LAYERS: readonly LayerInFiles[] = [
  layerInFiles<Dense, { inputs: number; outputs: number; activation: ActivationName; bias: boolean }>('Dense', Dense, {
    save: ({ inputs, outputs, activation, bias }) => ({ inputs, outputs, activation, bias: bias !== null }),
    names: ['inputs', 'outputs', 'activation', 'bias'],
    load: ({ inputs, outputs, activation, bias }, options) => {
      checkFlag('Dense: bias', bias)
      return new Dense(inputs, outputs, { activation, bias, ...UNFILLED, ...options })
    },
    shapes: ({ inputs, outputs, bias }) => ({ weight: [inputs, outputs], ...(bias && { bias: [outputs] }) }),
  }),
  layerInFiles<Activation, { activation: ActivationName }>('Activation', Activation, {
    names: ['activation'],
    load: ({ activation }) => new Activation(activation),
  }),
  layerInFiles<BatchNorm, { width: number; epsilon: number; momentum: number; activation: ActivationName }>('BatchNorm', BatchNorm, {
    names: ['width', 'epsilon', 'momentum', 'activation'],
    load: ({ width, ...options }, more) => new BatchNorm(width, { ...options, ...more }),
    shapes: ({ width }) => ({ weight: [width], bias: [width], runningMean: [width], runningVariance: [width] }),
  }),
  layerInFiles<LayerNorm, { width: number; epsilon: number }>('LayerNorm', LayerNorm, {
    names: ['width', 'epsilon'],
    load: ({ width, epsilon }, options) => new LayerNorm(width, { epsilon, ...options }),
    shapes: ({ width }) => ({ weight: [width], bias: [width] }),
  }),
  layerInFiles<Embedding, { count: number; width: number }>('Embedding', Embedding, {
    names: ['count', 'width'],
    load: ({ count, width }, options) => new Embedding(count, width, { ...UNFILLED, ...options }),
    shapes: ({ count, width }) => ({ weight: [count, width] }),
  }),
  layerInFiles<EmbedColumns, { features: number; columns: readonly ColumnToEmbed[] }>('EmbedColumns', EmbedColumns, {
    names: ['features', 'columns'],
    load: ({ features, columns }, options) => new EmbedColumns(features, columns, { ...UNFILLED, ...options }),
    shapes: ({ columns }) => {
      if (!Array.isArray(columns)) throw rangeError(`EmbedColumns: columns wants a list, got ${show(columns)}`)
      return Object.fromEntries(columns.map((column, i) => [`tables.${i}.weight`, [column?.count, column?.size]]))
    },
  }),
  layerInFiles<PiecewiseLinearEmbedding, { features: number; columns: readonly BinnedColumn[]; size: number }>(
    'PiecewiseLinearEmbedding',
    PiecewiseLinearEmbedding,
    {
      names: ['features', 'columns', 'size'],
      load: ({ features, columns, size }, options) => new PiecewiseLinearEmbedding(features, columns, { size, ...UNFILLED, ...options }),
      shapes: ({ columns, size }) => {
        if (!Array.isArray(columns)) throw rangeError(`PiecewiseLinearEmbedding: columns wants a list, got ${show(columns)}`)
        const weights = columns.map((column, i) => [`weights.${i}`, [column?.edges?.length, size]])
        return { ...Object.fromEntries(weights), bias: [columns.length * size, 1] }
      },
    },
  ),
  layerInFiles<
    PeriodicEmbedding,
    { features: number; columns: readonly number[]; form: 'plr' | 'pbld'; size: number; frequencies: number }
  >('PeriodicEmbedding', PeriodicEmbedding, {
    names: ['features', 'columns', 'form', 'size', 'frequencies'],
    load: ({ features, ...how }, options) => new PeriodicEmbedding(features, { ...how, ...options }),
    shapes: ({ columns, form, size, frequencies }) => {
      if (!Array.isArray(columns)) throw rangeError(`PeriodicEmbedding: columns wants a list, got ${show(columns)}`)
      const each = (name: string, shape: Shape) => Object.fromEntries(columns.map((_, i) => [`${name}.${i}`, shape]))
      return {
        ...each('rates', [frequencies, 1]),
        ...(form === 'pbld' && each('phases', [frequencies, 1])),
        ...each('weights', [form === 'pbld' ? frequencies : 2 * frequencies, size]),
        bias: [columns.length * size, 1],
      }
    },
  }),
  layerInFiles<Scale, { width: number; members: number | null }>('Scale', Scale, {
    save: ({ width, members }) => ({ width, members: members ?? null }),
    names: ['width', 'members'],
    load: ({ width, members }, options) => new Scale(width, { ...(members !== null && { members }), ...UNFILLED, ...options }),
    shapes: ({ width, members }) => ({ weight: members === null ? [width] : [members, 1, width] }),
  }),
  layerInFiles<
    EnsembleDense,
    { inputs: number; outputs: number; members: number; activation: ActivationName; bias: boolean; shared: boolean }
  >('EnsembleDense', EnsembleDense, {
    save: ({ inputs, outputs, members, activation, bias, shared }) => ({
      inputs,
      outputs,
      members,
      activation,
      bias: bias !== null,
      shared,
    }),
    names: ['inputs', 'outputs', 'members', 'activation', 'bias', 'shared'],
    load: ({ inputs, outputs, members, activation, bias, shared }, options) => {
      checkFlag('EnsembleDense: bias', bias)
      checkFlag('EnsembleDense: shared', shared)
      const unfilled = { ...UNFILLED, inputScaleInitializer: 'ones', outputScaleInitializer: 'ones' } as const
      return new EnsembleDense(inputs, outputs, members, { activation, bias, shared, ...unfilled, ...options })
    },
    shapes: ({ inputs, outputs, members, bias, shared }) => ({
      weight: shared ? [inputs, outputs] : [members, inputs, outputs],
      ...(bias && { bias: [members, 1, outputs] }),
      ...(shared && { inputScale: [members, 1, inputs], outputScale: [members, 1, outputs] }),
    }),
  }),
  layerInFiles<EnsembleMean, { average: EnsembleAverage }>('EnsembleMean', EnsembleMean, {
    names: ['average'],
    load: ({ average }, options) => new EnsembleMean({ average, ...options }),
  }),
  layerInFiles<Dropout, { rate: number }>('Dropout', Dropout, {
    names: ['rate'],
    load: ({ rate }, options) => new Dropout(rate, options),
  }),
  layerInFiles<Flatten, Record<string, never>>('Flatten', Flatten, { names: [], load: () => new Flatten() }),
  layerInFiles<Sequential, { layers: Module[] }>('Sequential', Sequential, {
    save: ({ layers }) => ({ layers: [...layers] }),
    names: ['layers'],
    load: ({ layers }, options) => new Sequential(layers, options),
  }),
  layerInFiles<Ensemble, { members: readonly Module[]; average: EnsembleAverage }>('Ensemble', Ensemble, {
    names: ['members', 'average'],
    load: ({ members, average }) => new Ensemble(members, { average }),
    shapes: ({ members }) => ({ weights: [members?.length ?? 0] }),
  }),
]

/** @internal the kind of a layer of this library, by its exact class: a subclass may be anything */
export function kindOf(layer: Module): { name: string; kind: LayerKind } | undefined {
  const found = [...LAYERS, ...ROOMS].find(([, Class]) => layer.constructor === Class)
  return found && { name: found[0], kind: found[2] }
}

/** @internal */
export function kindNamed(name: unknown): LayerKind | undefined {
  return [...LAYERS, ...ROOMS].find(([known]) => known === name)?.[2]
}

/**
 * @internal Makes a layer from its description in a file, after checking that the file has numbers for it: a stranger's file must not make layers
 * larger than itself.
 * @param shapeOf the shape of a tensor of the file by its name in the layer
 * @throws RangeError
 */
export function makeLayer(
  name: string,
  kind: LayerKind,
  config: LayerConfig,
  options: { backend?: Backend },
  shapeOf: (name: string) => Shape | undefined,
): Module {
  const unknown = Object.keys(config).find((key) => !kind.names.includes(key))
  if (unknown !== undefined) throw rangeError(`${name}: '${unknown}' is nothing that this version knows; a newer one may have written it`)
  const missing = kind.names.find((key) => config[key] === undefined)
  if (missing !== undefined) throw rangeError(`${name}: there is no '${missing}'`)
  const shapes = kind.shapes?.(config) ?? {}
  for (const [own, shape] of Symbol.iterator in shapes ? shapes : Object.entries(shapes)) {
    for (const size of shape) checkCount(`${name}: a size`, size)
    const found = shapeOf(own)
    if (found === undefined) throw rangeError(`${name}: there are no numbers for '${own}', ${formatShape(shape)}`)
    if (!sameShape(found, shape))
      throw rangeError(`${name}: '${own}' wants shape ${formatShape(shape)}, the numbers in the file have ${formatShape(found)}`)
  }
  return kind.load(config, options)
}

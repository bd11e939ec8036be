/** The weights of recurrent layers of PyTorch and Keras, read and written: other names, layouts and orders of gates. */

import type { CellName } from '../backend/recurrent-kernels.js'
import { plainError, typeError } from '../common/errors.js'
import { countFrom0, readOptions, type Schema, text } from '../common/options.js'
import { type Shape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { checkNamed, noTensor, tensorOfShape } from '../export/torch-tensors.js'
import { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import { floatArray, Tensor, type TensorLike } from '../tensor.js'
import type { Weights } from './call.js'
import { RecurrentLayer, weightsOf } from './layer.js'

/** The place of a layer's weights among named tensors of PyTorch. */
export interface TorchPlace {
  /** Text before the names, such as `encoder.gru.`. Default: none. */
  prefix?: string
  /** Number of the layer in a stack (`num_layers`). Default 0. */
  layer?: number
}

export const TORCH_PLACE = { prefix: { is: text, default: '' }, layer: { is: countFrom0, default: 0 } } satisfies Schema<TorchPlace>

/** The order of Keras' gates: index of gradus' gate for each of Keras'. PyTorch's order is that of gradus. */
const KERAS_ORDER: Record<CellName, readonly number[]> = { simple: [0], gruAfter: [1, 0, 2], gruBefore: [1, 0, 2], lstm: [0, 1, 2, 3] }

/** The parameters of each direction. @throws TypeError for anything but a recurrent layer */
function directionsOf(who: string, layer: RecurrentLayer): Weights<Parameter>[] {
  if (!(layer instanceof RecurrentLayer)) {
    const remedy = (layer as unknown) instanceof Module ? '; pass a layer of the model, model.layers[0]' : ''
    throw typeError(`${who}: layer wants a GRU, LSTM or SimpleRNN, got ${show(layer)}${remedy}`)
  }
  return weightsOf(layer.build())
}

/** A matrix as rows of doubles. */
type Rows = number[][]

function rowsOf(t: Tensor): Rows {
  const columns = t.shape.at(-1) ?? 1
  const values = t.read()
  return Array.from({ length: columns === 0 ? 0 : t.size / columns }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  )
}

const transposed = (rows: Rows): Rows => rows[0].map((_, column) => rows.map((row) => row[column]))

/** Columns of each gate, in another order: gate i of the result is gate order[i]. */
function inOrder(rows: Rows, order: readonly number[]): Rows {
  return rows.map((row) => {
    const units = row.length / order.length
    return order.flatMap((gate) => row.slice(gate * units, (gate + 1) * units))
  })
}

function tensorOf(backend: Tensor['backend'], rows: Rows, shape: Shape): Tensor {
  const values = floatArray(backend, sizeOf(shape))
  values.set(rows.flat())
  return Tensor.onHost(backend, shape, values)
}

/** Sets the parameters of a direction from the four arrays in gradus' layout; two biases are added up where one is enough. */
function assign(who: string, d: Weights<Parameter>, cell: CellName, weight: Rows, recurrent: Rows, biases: readonly number[][]): void {
  const [inputs, width] = d.weight.shape
  const units = d.recurrentWeight.shape[0]
  const ofCandidate = cell === 'gruAfter' ? biases[1]?.slice(2 * units) : undefined
  const sum = Array.from({ length: width }, (_, i) => {
    const belongsToCandidate = cell === 'gruAfter' && i >= 2 * units
    return (biases[0]?.[i] ?? 0) + (belongsToCandidate ? 0 : (biases[1]?.[i] ?? 0))
  })
  if (d.bias === null && biases.flat().some((value) => value !== 0))
    throw plainError(`${who}: the weights have a bias, and the layer was made with bias: false; make it with a bias`)
  d.weight.assign(tensorOf(d.weight.backend, weight, [inputs, width]))
  d.recurrentWeight.assign(tensorOf(d.weight.backend, recurrent, [units, width]))
  d.bias?.assign(tensorOf(d.weight.backend, [sum], [width]))
  d.recurrentBias?.assign(tensorOf(d.weight.backend, [ofCandidate ?? new Array(units).fill(0)], [units]))
}

/**
 * Sets the weights of a layer to those of PyTorch's `nn.GRU`, `nn.LSTM` or `nn.RNN` (with tanh), by their names in its `state_dict`: `weight_ih_l0`,
 * `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, and the same with `_reverse`. PyTorch has two biases; they are added up where they act as one.
 *
 * @example
 * const layer = new LSTM(2, 3)
 * loadTorchWeights(layer, { 'rnn.weight_ih_l0': zeros([12, 2]), 'rnn.weight_hh_l0': zeros([12, 3]) }, { prefix: 'rnn.' })
 * @throws Error for a missing name, ShapeError for another size; nothing is changed then
 */
export function loadTorchWeights(layer: RecurrentLayer, tensors: Readonly<Record<string, TensorLike>>, place: TorchPlace = {}): void {
  const who = 'loadTorchWeights'
  const { prefix, layer: number } = readOptions(who, place, TORCH_PLACE)
  const { cell } = checkTorch(who, layer)
  checkNamed(who, tensors)
  const ready = directionsOf(who, layer).map((d, i) => {
    const width = d.weight.shape[1]
    const [inputs, units] = [d.weight.shape[0], d.recurrentWeight.shape[0]]
    const find = (name: string, shape: Shape): Tensor | null => {
      const full = `${prefix}${name}_l${number}${i === 1 ? '_reverse' : ''}`
      if (Object.hasOwn(tensors, full)) return tensorOfShape(who, full, tensors[full], shape, d.weight)
      if (name.startsWith('bias')) return null
      throw noTensor(who, full, tensors, 'prefix and layer')
    }
    const [w, u] = [find('weight_ih', [width, inputs]) as Tensor, find('weight_hh', [width, units]) as Tensor]
    const biases = [find('bias_ih', [width]), find('bias_hh', [width])].map((b) => (b === null ? [] : rowsOf(b)[0]))
    return [d, transposed(rowsOf(w)), transposed(rowsOf(u)), biases] as const
  })
  for (const [d, w, u, biases] of ready) assign(who, d, cell, w, u, biases)
}

/**
 * The weights of a layer as PyTorch's `nn.GRU`, `nn.LSTM` or `nn.RNN` has them in its `state_dict`, for `encodeSafetensors`.
 *
 * @example Object.keys(torchWeights(new GRU(2, 3))) // ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0']
 * @throws Error for a GRU with `resetAfter: false`, which PyTorch does not have
 */
export function torchWeights(layer: RecurrentLayer, place: TorchPlace = {}): Record<string, Tensor> {
  const who = 'torchWeights'
  const { prefix, layer: number } = readOptions(who, place, TORCH_PLACE)
  checkTorch(who, layer)
  const found: Record<string, Tensor> = {}
  directionsOf(who, layer).forEach(({ weight, recurrentWeight, bias, recurrentBias }, i) => {
    const [width, units] = [weight.shape[1], recurrentWeight.shape[0]]
    const note = (name: string, rows: Rows, shape: Shape) => {
      found[`${prefix}${name}_l${number}${i === 1 ? '_reverse' : ''}`] = tensorOf(weight.backend, rows, shape)
    }
    note('weight_ih', transposed(rowsOf(weight)), [width, weight.shape[0]])
    note('weight_hh', transposed(rowsOf(recurrentWeight)), [width, units])
    if (bias === null) return
    note('bias_ih', rowsOf(bias), [width])
    const zeros = new Array<number>(recurrentBias === null ? width : 2 * units).fill(0)
    note('bias_hh', [[...zeros, ...(recurrentBias === null ? [] : rowsOf(recurrentBias)[0])]], [width])
  })
  return found
}

/** @throws Error for a layer that PyTorch does not have */
function checkTorch(who: string, layer: RecurrentLayer): { cell: CellName } {
  directionsOf(who, layer)
  if (layer.settings.cell === 'gruBefore')
    throw plainError(`${who}: PyTorch has no GRU with resetAfter: false; make the layer with resetAfter: true`)
  return layer.settings
}

/**
 * Sets the weights of a layer to those of Keras' `GRU`, `LSTM`, `SimpleRNN`, or of a `Bidirectional` around one, as `get_weights()` returns them:
 * kernel, recurrent kernel and bias, then those of the other direction. Keras' gates of a GRU have another order.
 *
 * @example
 * const layer = new GRU(2, 3)
 * loadKerasWeights(layer, [zeros([2, 9]), zeros([3, 9]), zeros([2, 9])])
 * @throws RangeError for another number of arrays, ShapeError for another size; nothing is changed then
 */
export function loadKerasWeights(layer: RecurrentLayer, arrays: readonly TensorLike[]): void {
  const who = 'loadKerasWeights'
  const directions = directionsOf(who, layer)
  const { cell, bias } = layer.settings
  const each = bias ? 3 : 2
  if (!Array.isArray(arrays) || arrays.length !== each * directions.length)
    throw typeError(
      `${who}: wants ${each * directions.length} arrays, as get_weights() of ${layer.describe()} returns them, got ${show(arrays)}`,
    )
  const order = KERAS_ORDER[cell]
  const ready = directions.map((d, i) => {
    const [width, units] = [d.weight.shape[1], d.recurrentWeight.shape[0]]
    const [w, u, b] = (arrays as readonly TensorLike[]).slice(i * each, (i + 1) * each)
    const weight = tensorOfShape(who, `array ${i * each} (kernel)`, w, [d.weight.shape[0], width], d.weight)
    const recurrent = tensorOfShape(who, `array ${i * each + 1} (recurrent kernel)`, u, [units, width], d.weight)
    const shape = cell === 'gruAfter' ? [2, width] : [width]
    const biases = bias ? inOrder(rowsOf(tensorOfShape(who, `array ${i * each + 2} (bias)`, b, shape, d.weight)), order) : []
    return [d, inOrder(rowsOf(weight), order), inOrder(rowsOf(recurrent), order), biases] as const
  })
  for (const [d, w, u, biases] of ready) assign(who, d, cell, w, u, biases)
}

/**
 * The weights of a layer as `set_weights()` of Keras' layer takes them: kernel, recurrent kernel and bias, then those of the other direction.
 *
 * @example kerasWeights(new LSTM(2, 3)).map(({ shape }) => shape) // [[2, 12], [3, 12], [12]]
 */
export function kerasWeights(layer: RecurrentLayer): Tensor[] {
  const directions = directionsOf('kerasWeights', layer)
  const { cell } = layer.settings
  return directions.flatMap(({ weight, recurrentWeight, bias, recurrentBias }) => {
    const order = KERAS_ORDER[cell]
    const [width, units] = [weight.shape[1], recurrentWeight.shape[0]]
    const write = (rows: Rows, shape: Shape) => tensorOf(weight.backend, inOrder(rows, order), shape)
    const arrays = [write(rowsOf(weight), weight.shape), write(rowsOf(recurrentWeight), recurrentWeight.shape)]
    if (bias === null) return arrays
    if (recurrentBias === null) return [...arrays, write(rowsOf(bias), [width])]
    const second = [...new Array<number>(2 * units).fill(0), ...rowsOf(recurrentBias)[0]]
    return [...arrays, write([...rowsOf(bias), second], [2, width])]
  })
}

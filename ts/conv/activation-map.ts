/** Class activation maps: where in an image a net sees a class. */
import { noGrad, withRecording } from '../autograd.js'
import { ShapeError, typeError } from '../common/errors.js'
import { anything, readOptions, type Schema } from '../common/options.js'
import { formatShape, sameShape, sizeOf } from '../common/shape.js'
import { show } from '../common/show.js'
import { type Module, outputOf, rememberModes } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { mul } from '../ops/elementwise.js'
import { asIndices, oneHot } from '../ops/gather.js'
import { gradients } from '../ops/gradients.js'
import { sum } from '../ops/reduce.js'
import { asFloats, type Tensor, type TensorLike, tensor } from '../tensor.js'

/** Options of {@link classActivationMap}. */
export interface ActivationMapOptions {
  /**
   * The layer whose result is weighed: one of `model.layers`, or of a `Sequential` in it. Default: the last one with weights whose result has pixels,
   * and the layers behind it that keep its shape, such as an activation.
   */
  layer?: Module
}

export const ACTIVATION_MAP = { layer: { is: anything } } satisfies Schema<ActivationMapOptions>

/**
 * Where in images a net sees a class, by Grad-CAM: m = relu(Σₖ αₖ·Aₖ), with Aₖ the channels of a layer's result, αₖ the mean over its pixels of ∂y/∂Aₖ,
 * and y the logit of the class (Selvaraju et al. 2017). The map is brought to the size of the images by bilinear interpolation and divided by its
 * largest value; it is 0 everywhere if nothing speaks for the class. The model runs in evaluation mode, and its gradients stay as they are.
 *
 * @param model from images [rows, height, width, channels] or signals [rows, length, channels] to logits [rows, classes]
 * @param classes the class of each row, or a number for all rows
 * @returns [rows, height, width] or [rows, length], from 0 to 1
 * @example
 * const model = new Sequential([new Conv2d(1, 4, 3, { activation: 'relu' }), new MaxPool(2), new Flatten(), new Dense(36, 2)])
 * classActivationMap(model, zeros([5, 8, 8, 1]), 1).shape // [5, 8, 8]
 * @throws TypeError for a model that is no `Sequential` or has a `forward` of its own, or a `layer` that is no part of it; ShapeError for images, logits or a
 *   layer of another rank; RangeError for a class that the model does not have
 */
export function classActivationMap(
  model: Sequential,
  images: TensorLike,
  classes: number | TensorLike,
  options: ActivationMapOptions = {},
): Tensor {
  const who = 'classActivationMap'
  if (!(model instanceof Sequential)) throw typeError(`${who}: model wants a Sequential, got ${show(model)}`)
  if (!isPlain(model))
    throw typeError(
      `${who}: model wants a Sequential that runs its layers in turn, got ${show(model)} with a forward of its own; give it new Sequential(model.layers), or put what forward adds into a layer`,
    )
  const { layer } = readOptions(who, options, ACTIVATION_MAP)
  const layers = layersIn(model)
  const wanted = layer === undefined ? undefined : layers.indexOf(layer)
  if (wanted === -1) throw typeError(`${who}: layer wants one of the model's layers, such as model.layers[0], got ${show(layer)}`)
  const x = asFloats(images, model.backend, `${who}: images`)
  if (x.rank < 3)
    throw new ShapeError(
      `${who}: images want a shape of [rows, height, width, channels] or [rows, length, channels], got ${formatShape(x.shape)}`,
    )
  const restore = rememberModes(model, false)
  try {
    const results = noGrad(() => resultsOf(layers, x))
    const at = wanted ?? lastWithPixels(layers, results)
    const seen = results[at]
    if (!(seen?.rank >= 3))
      throw new ShapeError(
        seen === undefined
          ? `${who}: model wants a layer with weights whose result has pixels, such as a Conv2d, got none`
          : `${who}: layer wants a result with pixels, [rows, ..., channels], got ${formatShape(seen.shape)} of ${layers[at].describe()}`,
      )
    const values = seen.data()
    const slopes = withRecording(true, () => slopesOf(layers.slice(at + 1), tensor(values, seen.shape, { backend: x.backend, requiresGrad: true }), classes)).data() // biome-ignore format: one line
    return tensor(mapsOf(values, slopes, seen.shape, x.shape), x.shape.slice(0, -1), { backend: x.backend })
  } finally {
    restore()
  }
}

/** True for a `Sequential` without a forward of its own, which may do more than its layers. */
function isPlain(layer: Module): layer is Sequential {
  return layer instanceof Sequential && layer.forward === Sequential.prototype.forward
}

/** The layers that a model runs, those of a `Sequential` in it one by one. */
function layersIn(model: Sequential): Module[] {
  return (model.layers as readonly Module[]).flatMap((layer) => (isPlain(layer) ? layersIn(layer) : [layer]))
}

function resultsOf(layers: readonly Module[], x: Tensor): Tensor[] {
  const results: Tensor[] = []
  for (const layer of layers) results.push(outputOf(layer, results.at(-1) ?? x))
  return results
}

/** Position of the default layer; −1 if there is none. */
function lastWithPixels(layers: readonly Module[], results: readonly Tensor[]): number {
  let at = -1
  for (const [i, { rank, shape }] of results.entries()) {
    const follows = i > 0 && at === i - 1 && sameShape(shape, results[at].shape)
    if (rank >= 3 && (follows || layers[i].parameters().length > 0)) at = i
  }
  return at
}

/** Gradient of the logits of the classes with respect to `seen`, the input of the layers. */
function slopesOf(layers: readonly Module[], seen: Tensor, classes: number | TensorLike): Tensor {
  const who = 'classActivationMap'
  const logits = layers.reduce((y, layer) => outputOf(layer, y), seen)
  const [rows, count] = logits.shape
  if (logits.rank !== 2 || rows !== seen.shape[0])
    throw new ShapeError(`${who}: model wants logits of shape [rows, classes] as its result, got ${formatShape(logits.shape)}`)
  const given = asIndices(typeof classes === 'number' ? new Array(rows).fill(classes) : classes, count, `${who}: classes`, seen.backend)
  if (given.rank !== 1 || given.size !== rows)
    throw new ShapeError(`${who}: classes want a number, or one for each of ${rows} rows, got shape ${formatShape(given.shape)}`)
  return gradients(sum(mul(logits, oneHot(given, count))), [seen])[0]
}

/** relu(Σₖ αₖ·Aₖ) of each row at the size of the images, the largest value 1. */
function mapsOf(values: ArrayLike<number>, slopes: ArrayLike<number>, from: readonly number[], to: readonly number[]): Float64Array {
  const [rows, channels] = [from[0], from[from.length - 1]]
  const pixels = sizeOf(from.slice(1, -1))
  const size = sizeOf(to.slice(1, -1))
  const out = new Float64Array(rows * size)
  for (let row = 0; row < rows; row++) {
    const start = row * pixels * channels
    const weights = new Float64Array(channels)
    for (let i = 0; i < pixels * channels; i++) weights[i % channels] += slopes[start + i] / pixels
    const map = new Float64Array(pixels)
    for (let i = 0; i < pixels * channels; i++) map[Math.floor(i / channels)] += weights[i % channels] * values[start + i]
    const resized = atSize(map.map((v) => (v < 0 ? 0 : v)), from.slice(1, -1), to.slice(1, -1)) // biome-ignore format: one line
    const largest = resized.reduce((most, v) => Math.max(most, v), 0)
    out.set(largest === 0 ? resized : resized.map((v) => v / largest), row * size)
  }
  return out
}

/** Bilinear interpolation with pixels as areas: `align_corners=False` in PyTorch. A signal is an image of height 1. */
function atSize(map: Float64Array, from: readonly number[], to: readonly number[]): Float64Array {
  const [[oldHeight, oldWidth], [height, width]] = [from, to].map((sizes) => (sizes.length === 1 ? [1, sizes[0]] : sizes))
  const [down, across] = [placesOf(oldHeight, height), placesOf(oldWidth, width)]
  const out = new Float64Array(height * width)
  for (const [y, [top, bottom, fy]] of down.entries())
    for (const [x, [left, right, fx]] of across.entries()) {
      const line = (at: number) => map[at * oldWidth + left] * (1 - fx) + map[at * oldWidth + right] * fx
      out[y * width + x] = line(top) * (1 - fy) + line(bottom) * fy
    }
  return out
}

/** The two pixels of `length` around each of `count`, and the share of the second. */
function placesOf(length: number, count: number): [number, number, number][] {
  return Array.from({ length: count }, (_, i) => {
    const at = Math.min(length - 1, Math.max(0, ((i + 0.5) * length) / count - 0.5))
    return [Math.floor(at), Math.min(Math.floor(at) + 1, length - 1), at % 1]
  })
}

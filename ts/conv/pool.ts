/** Pooling: the largest value, or the mean, of windows of images and signals. */
import { apply } from '../autograd.js'
import type { Ptr } from '../backend/kernels.js'
import { withConv } from '../backend/rooms/conv.js'
import { ShapeError } from '../common/errors.js'
import { checkValue, readOptions, type Schema } from '../common/options.js'
import { formatShape, sizeOf } from '../common/shape.js'
import { mean } from '../ops/reduce.js'
import { asFloats, Tensor, type TensorLike } from '../tensor.js'
import { checkImages, numbers, numbersOf, type Padding, type Pair, padding, pair, type Window, windowOf, windowOver } from './window.js'

/** Options of {@link maxPool} and {@link avgPool}. */
export interface PoolOptions {
  /** Distance between neighboring windows. Default: the size of a window. */
  stride?: Pair
  /** Places around the image that windows may reach over, where nothing counts: see {@link Padding}. Default `valid`, none. */
  padding?: Padding
  /** Distance between neighboring taps of a window. Default 1. */
  dilation?: Pair
}

export const POOL = {
  stride: { is: pair, aka: ['strides'] },
  padding: { is: padding, default: 'valid' },
  dilation: { is: pair, default: 1 },
} satisfies Schema<PoolOptions>

/** Largest number of taps of a window: kernels keep their numbers as floats. */
const MOST_TAPS = 2 ** 24

/** The window of a pooling. @throws ShapeError, also for a window without a tap in the image */
function poolWindow(x: Tensor, size: Pair, given: PoolOptions, who: string): Window {
  const options = readOptions(who, given, POOL)
  checkValue(`${who}: size`, size, pair)
  checkImages(x, [1, 2], who)
  const kernel = numbersOf(size, x.rank - 2, `${who}: size`)
  const channels = x.shape[x.rank - 1]
  const own = { ...options, stride: options.stride ?? size, kernel, limit: MOST_TAPS * channels }
  const window = windowOver(x.shape, channels, Math.max(1, channels), own, who)
  const { geometry: g } = window
  checkTaps(g.height, g.outHeight, g.kernelHeight, g.strideY, g.top, g.dilationY, x, who)
  checkTaps(g.width, g.outWidth, g.kernelWidth, g.strideX, g.left, g.dilationX, x, who)
  return window
}

/** @throws ShapeError for a position without a tap in the image, which has no largest value and no mean */
// biome-ignore format: one line of numbers
function checkTaps(input: number, output: number, taps: number, stride: number, before: number, dilation: number, x: Tensor, who: string): void {
  for (let i = 0; i < output; i++) {
    const at = i * stride - before
    const first = Math.max(0, Math.ceil(-at / dilation))
    if (first < taps && at + first * dilation < input) continue
    throw new ShapeError(`${who}: wants windows that see a part of the image, got one in the padding alone (inputs of shape ${formatShape(x.shape)}); use less padding`)
  }
}

/**
 * The largest value of each window and channel of images [rows, height, width, channels] or signals [rows, length, channels]. NaN if any value is NaN.
 * Of several largest values the first one gets the gradient, as in PyTorch.
 *
 * @param size of a window: a number, or [height, width]
 * @example maxPool([[[1], [5], [2], [3]]], 2).toArray() // [[[5], [3]]]
 * @throws ShapeError for inputs of another rank, or smaller than a window; RangeError for other options
 */
export function maxPool(input: TensorLike, size: Pair, options: PoolOptions = {}): Tensor {
  return maxPoolBy(input, size, options, 'maxPool')
}

/** @internal {@link maxPool}, whose name in messages is `who` */
export function maxPoolBy(input: TensorLike, size: Pair, options: PoolOptions, who: string): Tensor {
  const x = asFloats(input, undefined, who)
  return largest(x, poolWindow(x, size, options, who), who)
}

function largest(x: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, x.backend)
  let taps: Tensor
  return apply(
    [x, geometry],
    window.outputShape,
    (y, backend) => {
      const at = backend.arena.allocate(sizeOf(window.outputShape) * backend.heap.elementSize)
      taps = Tensor.inArena(backend, window.outputShape, at)
      withConv(backend).maxPool(x.address, y, at, window.rows, geometry.address)
    },
    () => ({
      operation: who,
      vjp: (g) => [spread(g, taps, window, who), null],
      fused: (g) => {
        const { arena, heap } = g.backend
        const dx = arena.gradientPlace(x.size * heap.elementSize)
        runSpread(g, taps, window, geometry.address, dx)
        return [Tensor.inArena(g.backend, x.shape, dx), null]
      },
    }),
  )
}

function runSpread(g: Tensor, taps: Tensor, window: Window, geometry: Ptr, dx: Ptr): void {
  withConv(g.backend).maxPoolBackward(taps.address, g.address, dx, window.rows, geometry)
}

/** The gradient of {@link maxPool}: g at the taps. */
function spread(g: Tensor, taps: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, g.backend)
  return apply(
    [g, taps, geometry],
    window.inputShape,
    (dx) => runSpread(g, taps, window, geometry.address, dx),
    () => ({ operation: who, vjp: (h) => [pick(h, taps, window, who), null, null] }),
  )
}

/** The values at the taps, the gradient of {@link spread}. */
function pick(x: Tensor, taps: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, x.backend)
  return apply(
    [x, taps, geometry],
    window.outputShape,
    (y, backend) => withConv(backend).maxPoolPick(x.address, taps.address, y, window.rows, geometry.address),
    () => ({ operation: who, vjp: (g) => [spread(g, taps, window, who), null, null] }),
  )
}

/**
 * The mean of each window and channel of images [rows, height, width, channels] or signals [rows, length, channels]. Places outside of the image do
 * not count, as in Keras (PyTorch: `count_include_pad=False`).
 *
 * @param size of a window: a number, or [height, width]
 * @example avgPool([[[1], [5], [2], [4]]], 2).toArray() // [[[3], [3]]]
 * @throws as {@link maxPool}
 */
export function avgPool(input: TensorLike, size: Pair, options: PoolOptions = {}): Tensor {
  return avgPoolBy(input, size, options, 'avgPool')
}

/** @internal {@link avgPool}, whose name in messages is `who` */
export function avgPoolBy(input: TensorLike, size: Pair, options: PoolOptions, who: string): Tensor {
  const x = asFloats(input, undefined, who)
  return average(x, poolWindow(x, size, options, who), who)
}

function average(x: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, x.backend)
  return apply(
    [x, geometry],
    window.outputShape,
    (y: Ptr, backend) => withConv(backend).averagePool(x.address, y, window.rows, geometry.address),
    () => ({ operation: who, vjp: (g) => [averageGradient(g, window, who), null] }),
  )
}

/** The gradient of {@link average}, whose own gradient is the average again. */
function averageGradient(g: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, g.backend)
  return apply(
    [g, geometry],
    window.inputShape,
    (dx, backend) => withConv(backend).averagePoolBackward(g.address, dx, window.rows, geometry.address),
    () => ({ operation: who, vjp: (h) => [average(h, window, who), null] }),
  )
}

/**
 * Windows that cut an image into as many parts as the result has places: place i of n sees the pixels from ⌊i·length / n⌋ to ⌈(i + 1)·length / n⌉ − 1, so
 * that neighbors may share a pixel.
 */
function adaptiveWindow(x: Tensor, size: Pair, who: string): Window {
  checkValue(`${who}: size`, size, pair)
  checkImages(x, [1, 2], who)
  const channels = x.shape[x.rank - 1]
  const sides = numbersOf(size, x.rank - 2, `${who}: size`).map((output, i) => {
    const input = x.shape[i + 1]
    if (input === 0) throw new ShapeError(`${who}: wants images with pixels, got shape ${formatShape(x.shape)}`)
    return { input, output, before: 0 }
  })
  // equal parts are ordinary windows; for others a stride of 0 tells kernels to find the ends
  const stride = sides.map(({ input, output }) => (input % output === 0 ? input / output : 0))
  const kernel = sides.map(({ input, output }, i) => stride[i] || Math.ceil(input / output) + 1)
  const how = { kernel, stride, dilation: sides.map(() => 1), limit: MOST_TAPS * channels }
  return windowOf(x.shape, sides, channels, Math.max(1, channels), how, who)
}

/**
 * The largest value of each part and channel of images [rows, height, width, channels] or signals [rows, length, channels] of any size, cut into `size`
 * parts that cover them, as in PyTorch: part i of n goes from pixel ⌊i·length / n⌋ to ⌈(i + 1)·length / n⌉ − 1. Ties and NaN as in {@link maxPool}.
 *
 * @param size of the result: a number, or [height, width]
 * @example adaptiveMaxPool([[[1], [5], [2], [3], [4]]], 2).toArray() // [[[5], [4]]]
 * @throws ShapeError for inputs of another rank, or without pixels; TypeError for a size that is not a whole number ≥ 1
 */
export function adaptiveMaxPool(input: TensorLike, size: Pair): Tensor {
  return adaptiveMaxPoolBy(input, size, 'adaptiveMaxPool')
}

/** @internal {@link adaptiveMaxPool}, whose name in messages is `who` */
export function adaptiveMaxPoolBy(input: TensorLike, size: Pair, who: string): Tensor {
  const x = asFloats(input, undefined, who)
  return largest(x, adaptiveWindow(x, size, who), who)
}

/**
 * The mean of each part and channel of images [rows, height, width, channels] or signals [rows, length, channels] of any size, cut into `size` parts as
 * {@link adaptiveMaxPool} does. {@link globalAvgPool} is the mean of all pixels.
 *
 * @param size of the result: a number, or [height, width]
 * @example adaptiveAvgPool([[[1], [5], [3], [3], [4]]], 2).toArray()[0][0] // [3]
 * @throws as {@link adaptiveMaxPool}
 */
export function adaptiveAvgPool(input: TensorLike, size: Pair): Tensor {
  return adaptiveAvgPoolBy(input, size, 'adaptiveAvgPool')
}

/** @internal {@link adaptiveAvgPool}, whose name in messages is `who` */
export function adaptiveAvgPoolBy(input: TensorLike, size: Pair, who: string): Tensor {
  const x = asFloats(input, undefined, who)
  return average(x, adaptiveWindow(x, size, who), who)
}

/**
 * The mean of each channel over whole images [rows, height, width, channels] or signals [rows, length, channels]: [rows, channels].
 *
 * @example globalAvgPool([[[1, 10], [3, 20]]]).toArray() // [[2, 15]]
 * @throws ShapeError for inputs of another rank
 */
export function globalAvgPool(input: TensorLike): Tensor {
  return globalAvgPoolBy(input, 'globalAvgPool')
}

/** @internal {@link globalAvgPool}, whose name in messages is `who` */
export function globalAvgPoolBy(input: TensorLike, who: string): Tensor {
  const x = asFloats(input, undefined, who)
  checkImages(x, [1, 2], who)
  return mean(x, x.rank === 3 ? [1] : [1, 2]) as Tensor
}

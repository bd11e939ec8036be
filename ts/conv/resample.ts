/**
 * Images and signals with other sizes: padded, enlarged, or cut into windows. Padding and windows are made of whole pixels of the input, looked up by
 * number, so that derivatives of any order are those of a lookup; enlarging is linear.
 */

import { apply } from '../autograd.js'
import { withConv } from '../backend/rooms/conv.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { checkValue, finite, readOptions, type Schema } from '../common/options.js'
import { formatShape, type Shape, sizeOf } from '../common/shape.js'
import { rowsAt } from '../ops/gather.js'
import { concat, reshape } from '../ops/shape.js'
import { asFloats, full, Tensor, type TensorLike } from '../tensor.js'
import type { ConvOptions } from './convolve.js'
import { checkImages, numbersOf, type Padding, type Pair, padding, pair, windowOver, zeros, zerosOf } from './window.js'

/** Options of {@link pad}. */
export interface PadOptions {
  /**
   * The new pixels. `constant`: each channel has `value`. `edge`: the nearest pixel of the image. `reflect`: the image mirrored at its outermost pixels,
   * which are not repeated. Default `constant`.
   */
  mode?: 'constant' | 'edge' | 'reflect'
  /** The number in the new pixels with `constant`. Default 0. */
  value?: number
}

export const PAD = {
  mode: { is: ['constant', 'edge', 'reflect'], default: 'constant' },
  value: { is: finite, default: 0 },
} satisfies Schema<PadOptions>

/** Largest number of numbers of a result. */
const MOST_NUMBERS = 2 ** 28

/** @throws RangeError for images of so many pixels that no memory holds them */
function checkSize(x: Tensor, sizes: readonly number[], who: string): void {
  const size = x.shape[0] * sizeOf(sizes) * x.shape[x.rank - 1]
  if (!(size <= MOST_NUMBERS && Math.max(0, ...sizes) <= MOST_NUMBERS))
    throw rangeError(`${who}: wants a result of at most 2²⁸ numbers, got one of ${sizes.join(' × ')} pixels`)
}

/** The place outside of an image. */
const OUTSIDE = -1

/**
 * Images [rows, height, width, channels] or signals [rows, length, channels] with pixels around them.
 *
 * @param amounts pixels on every side: a number, [height, width], or [[top, bottom], [left, right]]; for signals a number or [[before, after]]
 * @example
 * pad([[[1], [2], [3]]], 1).toArray()                      // [[[0], [1], [2], [3], [0]]]
 * pad([[[1], [2], [3]]], 2, { mode: 'reflect' }).toArray() // [[[3], [2], [1], [2], [3], [2], [1]]]
 * pad([[[1], [2]]], [[0, 2]], { mode: 'edge' }).toArray()  // [[[1], [2], [2], [2]]]
 * @throws ShapeError for inputs of another rank, for `edge` of an image without pixels, and for `reflect` by more pixels than the image has beside its
 *   outermost; RangeError for other options
 */
export function pad(input: TensorLike, amounts: Exclude<Padding, 'same' | 'valid'>, options: PadOptions = {}): Tensor {
  const { mode, value } = readOptions('pad', options, PAD)
  const x = asFloats(input, undefined, 'pad')
  checkImages(x, [1, 2], 'pad')
  checkValue('pad: amounts', amounts, zeros)
  const sides = zerosOf(amounts, x.rank - 2, 'pad') as [number, number][]
  checkSize(x, sides.map(([before, after], i) => before + x.shape[i + 1] + after), 'pad') // biome-ignore format: one line
  const places = sides.map(([before, after], i) => {
    const length = x.shape[i + 1]
    const most = Math.max(before, after)
    if (most > 0 && mode === 'edge' && length === 0)
      throw new ShapeError(`pad: mode 'edge' wants an image with pixels, got shape ${formatShape(x.shape)}`)
    if (most > 0 && mode === 'reflect' && most >= length)
      throw new ShapeError(
        `pad: mode 'reflect' wants fewer than ${length} pixels at an end of inputs of shape ${formatShape(x.shape)}, got ${most}`,
      )
    return Float64Array.from({ length: before + length + after }, (_, j) => placeOf(j - before, length, mode))
  })
  const lengths = places.map(({ length }) => length)
  return pixels(x, gridOf(x, places), [...lengths, x.shape[x.rank - 1]], 'pad', value)
}

/** The pixel of the image that a pixel at `at` shows. */
function placeOf(at: number, length: number, mode: 'constant' | 'edge' | 'reflect'): number {
  if (at >= 0 && at < length) return at
  if (mode === 'constant') return OUTSIDE
  if (mode === 'edge') return at < 0 ? 0 : length - 1
  return at < 0 ? -at : 2 * (length - 1) - at
}

/** The places in an image [height, width] of all pairs of lines and columns; {@link OUTSIDE} if either is. */
function grid(ys: ArrayLike<number>, xs: ArrayLike<number>, width: number): number[] {
  const placeAt = (y: number, x: number) => (y === OUTSIDE || x === OUTSIDE ? OUTSIDE : y * width + x)
  return Array.from(ys).flatMap((y) => Array.from(xs, (x) => placeAt(y, x)))
}

/** {@link grid} of an image or, with one direction, of a signal. */
function gridOf(x: Tensor, places: readonly ArrayLike<number>[]): number[] {
  return places.length === 1 ? grid([0], places[0], 0) : grid(places[0], places[1], x.shape[2])
}

/** Pixels of each image, by their places in it, as a tensor [rows, ...shape]; {@link OUTSIDE} is a pixel of `value`. */
function pixels(x: Tensor, places: readonly number[], shape: readonly number[], who: string, value = 0): Tensor {
  const [rows, channels] = [x.shape[0], x.shape[x.rank - 1]]
  const size = sizeOf(x.shape.slice(1, -1))
  const count = rows * size
  const index = new Int32Array(rows * places.length)
  for (let row = 0, i = 0; row < rows; row++) for (const place of places) index[i++] = place === OUTSIDE ? count : row * size + place
  const table = reshape(x, [count, channels]) as Tensor
  const outside = () => full([1, channels], value, { backend: x.backend })
  const whole = places.includes(OUTSIDE) ? (concat([table, outside()]) as Tensor) : table
  return reshape(rowsAt(whole, Tensor.onHost(x.backend, [index.length], index), who), [rows, ...shape]) as Tensor
}

/** Options of {@link upsample}. */
export interface UpsampleOptions {
  /**
   * `nearest`: each pixel is repeated. `bilinear`: pixels between two are their weighted mean, in each direction (for signals: linear interpolation),
   * with pixels as areas: `align_corners=False` in PyTorch. Default `nearest`.
   */
  mode?: 'nearest' | 'bilinear'
}

export const UPSAMPLE = { mode: { is: ['nearest', 'bilinear'], default: 'nearest' } } satisfies Schema<UpsampleOptions>

/**
 * Images [rows, height, width, channels] or signals [rows, length, channels], larger by a whole factor.
 *
 * @param factor a number, or [height, width]
 * @example
 * upsample([[[1], [3]]], 2).toArray()                       // [[[1], [1], [3], [3]]]
 * upsample([[[1], [3]]], 2, { mode: 'bilinear' }).toArray() // [[[1], [1.5], [2.5], [3]]]
 * @throws ShapeError for inputs of another rank, RangeError for other options
 */
export function upsample(input: TensorLike, factor: Pair, options: UpsampleOptions = {}): Tensor {
  const { mode } = readOptions('upsample', options, UPSAMPLE)
  const x = asFloats(input, undefined, 'upsample')
  checkImages(x, [1, 2], 'upsample')
  checkValue('upsample: factor', factor, pair)
  const factors = numbersOf(factor, x.rank - 2, 'upsample: factor')
  checkSize(x, factors.map((f, i) => f * x.shape[i + 1]), 'upsample') // biome-ignore format: one line
  return factors.reduce((y, f, i) => (f === 1 ? y : along(y, i + 1, f, mode === 'bilinear', y.shape)), x)
}

/**
 * An image of the shape x [..., length, ...], larger along one axis; `back`: its derivative, which brings a gradient to the shape x again. Each is the
 * derivative of the other.
 */
function along(input: Tensor, axis: number, factor: number, smooth: boolean, shape: Shape, back = false): Tensor {
  const [outer, length, inner] = [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))]
  const large = shape.map((size, i) => (i === axis ? size * factor : size))
  return apply(
    [input],
    back ? shape : large,
    (y, backend) => {
      const kernels = withConv(backend)
      const kernel = back ? kernels.upsampleBackward : kernels.upsample
      kernel(input.address, y, outer, length, inner, factor, smooth ? 1 : 0)
    },
    () => ({ operation: 'upsample', vjp: (g) => [along(g, axis, factor, smooth, shape, !back)] }),
  )
}

/** Options of {@link unfold}. */
export interface UnfoldOptions extends Pick<ConvOptions, 'stride' | 'padding' | 'dilation'> {}

export const UNFOLD = {
  stride: { is: pair, default: 1, aka: ['strides'] },
  padding: { is: padding, default: 'valid' },
  dilation: { is: pair, default: 1, aka: ['dilation_rate'] },
} satisfies Schema<UnfoldOptions>

/**
 * The windows of images [rows, height, width, channels] or signals [rows, length, channels], each as a row of its taps and channels: what a convolution
 * multiplies by its weights (im2col). It takes as many times the memory of the input as a window has taps.
 *
 * @param size of a window: a number, or [height, width]
 * @returns [rows, positions down, positions across, taps · channels], or [rows, positions, taps · channels]; channels are next to each other
 * @example unfold([[[1], [2], [3]]], 2).toArray() // [[[1, 2], [2, 3]]]
 * @throws ShapeError for inputs of another rank, or smaller than a window; RangeError for other options
 */
export function unfold(input: TensorLike, size: Pair, options: UnfoldOptions = {}): Tensor {
  const given = readOptions('unfold', options, UNFOLD)
  const x = asFloats(input, undefined, 'unfold')
  checkImages(x, [1, 2], 'unfold')
  checkValue('unfold: size', size, pair)
  const axes = x.rank - 2
  const channels = x.shape[x.rank - 1]
  const kernel = numbersOf(size, axes, 'unfold: size')
  const { geometry: g, outputShape } = windowOver(x.shape, channels, Math.max(1, channels), { ...given, kernel }, 'unfold')
  const positions = outputShape.slice(1, -1)
  checkSize(x, [...positions, sizeOf(kernel)], 'unfold')
  const along = (count: number, taps: number, stride: number, before: number, dilation: number, length: number) =>
    Float64Array.from({ length: count * taps }, (_, i) => {
      const at = Math.floor(i / taps) * stride + (i % taps) * dilation - before
      return at >= 0 && at < length ? at : OUTSIDE
    })
  const across = along(g.outWidth, g.kernelWidth, g.strideX, g.left, g.dilationX, g.width)
  const down = along(g.outHeight, g.kernelHeight, g.strideY, g.top, g.dilationY, g.height)
  const places: number[] = []
  for (let i = 0; i < g.outHeight; i++) {
    const lines = down.subarray(i * g.kernelHeight, (i + 1) * g.kernelHeight)
    for (let j = 0; j < g.outWidth; j++) places.push(...grid(lines, across.subarray(j * g.kernelWidth, (j + 1) * g.kernelWidth), g.width))
  }
  return pixels(x, places, [...positions, sizeOf(kernel) * channels], 'unfold')
}

/** Windows: sizes, strides and padding as users give them, checked, as the numbers that kernels take. */

import { GEOMETRY, type Geometry, MAX_GROUP_CHANNELS, MAX_WINDOW } from '../backend/conv-kernels.js'
import type { Backend } from '../backend/index.js'
import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import type { Kind } from '../common/options.js'
import { formatShape, type Shape } from '../common/shape.js'
import { show } from '../common/show.js'
import { Tensor } from '../tensor.js'

/** One number for both directions, or [height, width]. */
export type Pair = number | readonly [height: number, width: number]

/**
 * Zeros around an image. `'valid'`: none. `'same'`: as many as it takes for ⌈length / stride⌉ positions, the odd one at the end, as in Keras. A number
 * of zeros on every side, or [height, width], or [[top, bottom], [left, right]]; along one direction, a number or [[before, after]].
 */
export type Padding = 'same' | 'valid' | number | readonly (number | readonly [before: number, after: number])[]

const isPair = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && value.every((one) => Number.isInteger(one) && one >= 0)

/** @internal an option that is a {@link Pair} */
export const pair: Kind = {
  wants: 'a whole number ≥ 1, or one for each direction',
  fits: (value) => isSize(value) || (Array.isArray(value) && value.length > 0 && value.length <= 2 && value.every(isSize)),
}

/** @internal an option that is a {@link Padding} */
export const zeros: Kind = {
  wants: 'a whole number ≥ 0, or for each direction a number or [before, after]',
  fits: (value) =>
    isZeros(value) || (Array.isArray(value) && value.length > 0 && value.length <= 2 && value.every((one) => isZeros(one) || isPair(one))),
}

export const padding: Kind = {
  wants: `'same', 'valid', ${zeros.wants}`,
  fits: (value) => value === 'same' || value === 'valid' || zeros.fits(value),
}

function isSize(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1
}

function isZeros(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}

/** @internal the numbers of a {@link Pair}, one for each of the `axes` directions. @throws RangeError */
export function numbersOf(value: Pair | readonly number[], axes: number, who: string): number[] {
  if (typeof value === 'number') return Array<number>(axes).fill(value)
  if (value.length !== axes)
    throw rangeError(`${who} wants ${axes === 1 ? 'one number' : 'a number, or [height, width]'}, got ${show(value)}`)
  return [...value]
}

/** @internal one direction of a window */
export interface Side {
  input: number
  output: number
  before: number
}

/** @internal options of a window, for `axes` directions */
export interface WindowOptions {
  kernel: readonly number[]
  stride: Pair
  padding: Padding
  dilation: Pair
  /** Largest number of floats of a window with its channels. Default MAX_WINDOW, which is as many as a band of a convolution has room for. */
  limit?: number
}

/** @internal the sizes of a convolution or a pooling, and its shapes */
export interface Window {
  readonly geometry: Geometry
  readonly rows: number
  readonly inputShape: Shape
  readonly outputShape: Shape
  readonly weightShape: Shape
}

const NAMES = ['height', 'width']

/**
 * @internal the window over images of the shape [rows, length, channels] or [rows, height, width, channels]
 * @throws ShapeError for a window that is larger than the padded image
 */
export function windowOver(shape: Shape, filters: number, groups: number, options: WindowOptions, who: string): Window {
  const axes = shape.length - 2
  const { kernel } = options
  const stride = numbersOf(options.stride, axes, `${who}: stride`)
  const dilation = numbersOf(options.dilation, axes, `${who}: dilation`)
  const zeros = zerosOf(options.padding, axes, who)
  const lengths = shape.slice(1, -1)
  const sides = lengths.map((input, i): Side => {
    const reach = (kernel[i] - 1) * dilation[i] + 1
    if (zeros === 'same') {
      const output = Math.ceil(input / stride[i])
      return { input, output, before: Math.floor(Math.max(0, (output - 1) * stride[i] + reach - input) / 2) }
    }
    const [before, after] = zeros[i]
    const room = input + before + after - reach
    if (room < 0) {
      const direction = axes === 1 ? 'length' : NAMES[i]
      throw new ShapeError(
        `${who}: wants inputs of a ${direction} of at least ${reach - before - after}, got shape ${formatShape(shape)}: ` +
          `the window of ${reach}${dilation[i] > 1 ? ` (${kernel[i]} taps, ${dilation[i]} apart)` : ''} is larger` +
          `${before + after > 0 ? ` than ${input} with ${before + after} zeros` : ''}; padding: 'same' adds zeros`,
      )
    }
    return { input, output: Math.floor(room / stride[i]) + 1, before }
  })
  return windowOf(shape, sides, filters, groups, { kernel, stride, dilation, limit: options.limit }, who)
}

/** @internal the zeros before and after the image in each direction. @throws RangeError */
export function zerosOf(given: Padding, axes: number, who: string): 'same' | [number, number][] {
  if (given === 'same') return 'same'
  if (given === 'valid') return Array.from({ length: axes }, () => [0, 0])
  if (typeof given === 'number') return Array.from({ length: axes }, () => [given, given])
  if (given.length !== axes)
    throw rangeError(
      `${who}: padding wants ${axes === 1 ? 'a number, or [[before, after]]' : 'a number, [height, width] or [[top, bottom], [left, right]]'}, got ${show(given)}`,
    )
  return given.map((one) => (typeof one === 'number' ? [one, one] : [one[0], one[1]]))
}

/** @internal the window with these sides, whose sizes are checked against what kernels take */
export function windowOf(
  inputShape: Shape,
  sides: readonly Side[],
  filters: number,
  groups: number,
  { kernel, stride, dilation, limit }: Record<'kernel' | 'stride' | 'dilation', readonly number[]> & { limit?: number },
  who: string,
): Window {
  const channels = inputShape[inputShape.length - 1]
  const [y, x] = sides.length === 1 ? [{ input: 1, output: 1, before: 0 }, sides[0]] : sides
  const of = (values: readonly number[]) => (values.length === 1 ? [1, values[0]] : values)
  const [[kernelHeight, kernelWidth], [strideY, strideX], [dilationY, dilationX]] = [of(kernel), of(stride), of(dilation)]
  const geometry: Geometry = {
    ...{ height: y.input, width: x.input, channels, outHeight: y.output, outWidth: x.output, filters },
    ...{ kernelHeight, kernelWidth, strideY, strideX, top: y.before, left: x.before, dilationY, dilationX, groups },
  }
  checkMemory(geometry, who, limit)
  return {
    geometry,
    rows: inputShape[0],
    inputShape,
    outputShape: [inputShape[0], ...sides.map(({ output }) => output), filters],
    weightShape: [...kernel, groups === 0 ? 0 : channels / groups, filters],
  }
}

/** Largest size, stride, dilation or padding: kernels count in 32 bits. */
const LARGEST = 2 ** 30

/** @throws RangeError for a window that the memory of a kernel does not hold, or numbers that it cannot count with */
function checkMemory(g: Geometry, who: string, limit = MAX_WINDOW): void {
  if (g.kernelHeight < 1 || g.kernelWidth < 1)
    throw new ShapeError(`${who}: wants a kernel of at least 1, got ${g.kernelHeight} × ${g.kernelWidth}`)
  const largest = Math.max(...Object.values(g))
  if (largest > LARGEST) throw rangeError(`${who}: wants sizes, strides, dilations and padding up to 2³⁰, got ${largest}`)
  const reach = (taps: number, dilation: number) => (taps - 1) * dilation + 1
  const size = reach(g.kernelHeight, g.dilationY) * reach(g.kernelWidth, g.dilationX) * Math.max(g.channels, g.filters)
  if (size > limit)
    throw rangeError(
      `${who}: wants a window of at most ${limit} numbers, got ${size}: ${reach(g.kernelHeight, g.dilationY)} × ` +
        `${reach(g.kernelWidth, g.dilationX)} with ${Math.max(g.channels, g.filters)} channels; flatten the input for a Dense layer, or pool it first`,
    )
  const most = Math.max(g.channels, g.filters) / g.groups
  if (most > MAX_GROUP_CHANNELS)
    throw rangeError(
      `${who}: wants at most ${MAX_GROUP_CHANNELS} channels in a group, got ${most}; a Dense layer takes more, and so do several groups`,
    )
}

/** @internal the numbers of a window as a tensor, for kernels */
export function numbers({ geometry }: Window, backend: Backend): Tensor {
  const inOrder = Int32Array.from(GEOMETRY, (name) => geometry[name])
  return Tensor.onHost(backend, [GEOMETRY.length], inOrder)
}

/** @internal images with 1 or 2 directions and their channels. @throws ShapeError */
export function checkImages(x: Tensor, axes: readonly number[], who: string): void {
  if (axes.includes(x.rank - 2)) return
  const wanted = axes.map((n) => (n === 1 ? '[rows, length, channels]' : '[rows, height, width, channels]'))
  const missing = axes.some((n) => n === x.rank - 1) ? '; expandDims(x, -1) adds an axis of one channel' : ''
  throw new ShapeError(`${who}: wants inputs of shape ${wanted.join(' or ')}, got shape ${formatShape(x.shape)}${missing}`)
}

/** @internal the error for inputs with another number of channels than the weights, with the remedy for PyTorch's order, [rows, channels, height, width] */
export function otherChannels(who: string, x: Tensor, w: Tensor, channels: number, axes: number): ShapeError {
  const remedy = x.shape[1] === channels ? `; channels come last: transpose(x, ${axes === 2 ? '[0, 2, 3, 1]' : '[0, 2, 1]'})` : ''
  const wanted = `${channels} ${channels === 1 ? 'channel' : 'channels'}, as weights ${formatShape(w.shape)} take them`
  return new ShapeError(`${who}: wants inputs of ${wanted}, got ${x.shape[axes + 1]} in inputs of shape ${formatShape(x.shape)}${remedy}`)
}

/** @internal @throws RangeError unless both numbers are multiples of the groups */
export function checkGroups(groups: number, channels: number, filters: number, who: string): void {
  checkCount(`${who}: groups`, groups)
  if (channels % groups !== 0 || filters % groups !== 0)
    throw rangeError(`${who}: groups wants a divisor of ${channels} channels and ${filters} filters, got ${groups}`)
}

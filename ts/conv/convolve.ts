/**
 * Convolution as one operation: y = f(b + x ∗ w), one kernel forward and one backward. Its derivatives are convolutions, too: three operations, each
 * linear in both arguments, are the derivatives of one another, so that gradients of any order are made of them.
 */
import { apply, needsGradient } from '../autograd.js'
import type { Backend } from '../backend/index.js'
import { ACCUMULATE_B, ACCUMULATE_W, type Activation, type Ptr, SAVES_INPUT } from '../backend/kernels.js'
import { withConv } from '../backend/rooms/conv.js'
import { ShapeError } from '../common/errors.js'
import { anything, count, readOptions, type Schema } from '../common/options.js'
import { formatShape, sizeOf } from '../common/shape.js'
import { activate, activationNumber } from '../ops/activation.js'
import { activationGradient } from '../ops/activation-gradient.js'
import { dense } from '../ops/dense.js'
import { add } from '../ops/elementwise.js'
import { gradientTarget } from '../ops/gradient-target.js'
import { sum } from '../ops/reduce.js'
import { reshape } from '../ops/shape.js'
import { asFloats, Tensor, type TensorLike } from '../tensor.js'
import {
  checkGroups,
  checkImages,
  numbers,
  numbersOf,
  otherChannels,
  type Padding,
  type Pair,
  padding,
  pair,
  type Window,
  windowOf,
  windowOver,
  zerosOf,
} from './window.js'

/** Options of {@link conv2d} and {@link conv1d}. */
export interface ConvOptions {
  /** One number for each filter, which is added to its results. Default none. */
  bias?: Tensor | null
  /** Distance between neighboring windows. Default 1. */
  stride?: Pair
  /** Zeros around the image: see {@link Padding}. Default `valid`, none. */
  padding?: Padding
  /** Distance between neighboring taps of a window. Default 1. */
  dilation?: Pair
  /** Channels and filters are cut into this number of groups, and each filter sees the channels of its group. Default 1. */
  groups?: number
  /** The function applied to the result. Default `linear`, the identity. */
  activation?: Activation
}

export const CONV = {
  bias: { is: anything, default: null },
  stride: { is: pair, default: 1, aka: ['strides'] },
  padding: { is: padding, default: 'valid' },
  dilation: { is: pair, default: 1, aka: ['dilation_rate'] },
  groups: { is: count, default: 1 },
  activation: { is: anything, default: 'linear' },
} satisfies Schema<ConvOptions>

/**
 * Convolution of images: y[r, i, j, o] = f(b[o] + Σ x[r, i·stride + u·dilation − top, j·stride + v·dilation − left, c] · w[u, v, c, o]), the sum over
 * taps (u, v) and the channels c of the filter's group; the images are zero outside. As in all of deep learning, the kernel is not turned around.
 *
 * @param input [rows, height, width, channels]
 * @param w [kernel height, kernel width, channels / groups, filters]
 * @returns [rows, ⌊(height + zeros − (kernel − 1)·dilation − 1) / stride⌋ + 1, the same of the width, filters]
 * @example
 * const image = ones([1, 3, 3, 1])
 * conv2d(image, ones([2, 2, 1, 1])).shape // [1, 2, 2, 1]
 * conv2d(image, ones([3, 3, 1, 1]), { padding: 'same' }).toArray()[0][0] // [[4], [6], [4]]
 * @throws ShapeError for shapes that do not fit, or a window larger than the padded image; RangeError for other options
 */
export function conv2d(input: TensorLike, w: Tensor, options: ConvOptions = {}): Tensor {
  return convolve(input, w, options, 2, 'conv2d')
}

/**
 * Convolution of signals, as {@link conv2d} along one direction.
 *
 * @param input [rows, length, channels]
 * @param w [kernel, channels / groups, filters]
 * @example conv1d([[[1], [2], [4]]], tensor([[[-1]], [[1]]])).toArray() // [[[1], [2]]]
 * @throws as {@link conv2d}
 */
export function conv1d(input: TensorLike, w: Tensor, options: ConvOptions = {}): Tensor {
  return convolve(input, w, options, 1, 'conv1d')
}

/** @internal {@link conv2d} or {@link conv1d}, whose name in messages is `who` */
export function convolve(input: TensorLike, w: Tensor, given: ConvOptions, axes: number, who: string): Tensor {
  const options = readOptions(who, given, CONV)
  const x = asFloats(input, w.backend, who)
  checkImages(x, [axes], who)
  const { groups, bias, activation } = options
  const channels = x.shape[axes + 1]
  const inputs = channels / groups
  if (w.rank !== axes + 2) {
    const wanted = `[${axes === 2 ? 'height, width' : 'length'}, ${inputs}, filters]`
    throw new ShapeError(`${who}: wants weights of shape ${wanted}, got ${formatShape(w.shape)}`)
  }
  if (w.shape[axes] !== inputs) throw otherChannels(who, x, w, w.shape[axes] * groups, axes)
  const filters = w.shape[axes + 1]
  checkGroups(groups, channels, filters, who)
  if (bias !== null && bias.size !== filters)
    throw new ShapeError(`${who}: wants a bias of ${filters}, got shape ${formatShape(bias.shape)}`)
  const window = windowOver(x.shape, filters, groups, { ...options, kernel: w.shape.slice(0, axes) }, who)
  if (isPointwise(window)) return dense(x, reshape(w, [channels, filters]), bias, activation, who)
  return correlate({ x, w, b: bias, window, activation, number: activationNumber(activation, who), who })
}

/** True if each window is one pixel, in its place: the convolution is a matrix product. */
function isPointwise({ geometry: g }: Window): boolean {
  const ones = [g.kernelHeight, g.kernelWidth, g.strideY, g.strideX, g.groups]
  return ones.every((n) => n === 1) && g.outHeight === g.height && g.outWidth === g.width
}

interface ConvCall {
  x: Tensor
  w: Tensor
  b: Tensor | null
  window: Window
  activation: Activation
  number: number
  who: string
}

/** y = f(b + x ∗ w). */
function correlate(call: ConvCall): Tensor {
  const { x, w, b, window, activation, number, who } = call
  const geometry = numbers(window, x.backend)
  const inputs = b === null ? [x, w, geometry] : [x, w, geometry, b]
  let z: Ptr = 0
  const keepsZ = SAVES_INPUT.has(activation) && needsGradient(inputs)
  return apply(
    inputs,
    window.outputShape,
    (y, backend) => {
      const { heap, arena } = backend
      if (keepsZ) z = arena.allocate(sizeOf(window.outputShape) * heap.elementSize)
      const bias = b === null ? 0 : b.address
      withConv(backend).convForward(x.address, w.address, bias, z, y, window.rows, geometry.address, number, heap.scratch)
    },
    (y) => ({
      operation: who,
      vjp: (g) => {
        const saved = SAVES_INPUT.has(activation) ? correlate({ ...call, activation: 'linear', number: 0 }) : y
        const dz = activationGradient(activation, saved, g)
        return [
          x.requiresGrad ? imageGradient(dz, w, window, who) : null,
          w.requiresGrad ? weightGradient(x, dz, window, who) : null,
          null,
          b?.requiresGrad ? biasGradient(dz) : null,
        ]
      },
      fused: (g, direct) => fusedGradient(call, geometry, z === 0 ? y.address : z, g, direct),
    }),
  )
}

function biasGradient(dz: Tensor): Tensor {
  const axes = Array.from({ length: dz.rank - 1 }, (_, axis) => axis)
  return sum(dz, axes) as Tensor
}

/** dz, dw, db and dx in one kernel call; gradients of parameters are written in place. */
function fusedGradient(
  { x, w, b, window, activation, number }: ConvCall,
  geometry: Tensor,
  saved: Ptr,
  g: Tensor,
  direct: boolean,
): (Tensor | null)[] {
  const { backend } = x
  const { heap, arena } = backend
  const dz = activation === 'linear' ? 0 : arena.gradientPlace(g.size * heap.elementSize, g.address)
  const dx = x.requiresGrad ? arena.gradientPlace(x.size * heap.elementSize) : 0
  // weights are read for dx alone, so without dx it does not matter that they have changed since
  const [xAt, gAt, wAt] = [x.address, g.address, dx === 0 ? 0 : w.address]
  const toW = gradientTarget(w, direct, ACCUMULATE_W)
  const toB = gradientTarget(b, direct, ACCUMULATE_B)
  const accumulate = toW.accumulate | toB.accumulate
  withConv(backend).convBackward(
    ...([xAt, wAt, saved, gAt, dz, toW.ptr, toB.ptr, dx] as const),
    ...([window.rows, geometry.address, number, accumulate, heap.scratch] as const),
  )
  return [dx === 0 ? null : Tensor.inArena(backend, x.shape, dx), toW.result, null, toB.result]
}

const plain = (x: Tensor, w: Tensor, window: Window, who: string) =>
  correlate({ x, w, b: null, window, activation: 'linear', number: 0, who })

/** The gradient of the image: dx = Σ over the windows with a pixel of w · g. It is a transposed convolution of g. */
function imageGradient(g: Tensor, w: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, g.backend)
  const call = (backend: Backend, dx: Ptr) =>
    withConv(backend).convBackward(
      ...([0, w.address, 0, g.address, 0, 0, 0, dx] as const),
      ...([window.rows, geometry.address, 0, 0, backend.heap.scratch] as const),
    )
  return apply(
    [g, w, geometry],
    window.inputShape,
    (dx, backend) => call(backend, dx),
    () => ({
      operation: who,
      vjp: (h) => [g.requiresGrad ? plain(h, w, window, who) : null, w.requiresGrad ? weightGradient(h, g, window, who) : null, null],
    }),
  )
}

/** The gradient of the weights: dw = Σ over positions of x · g. */
function weightGradient(x: Tensor, g: Tensor, window: Window, who: string): Tensor {
  const geometry = numbers(window, g.backend)
  return apply(
    [x, g, geometry],
    window.weightShape,
    (dw, backend) =>
      withConv(backend).convBackward(
        ...([x.address, 0, 0, g.address, 0, dw, 0, 0] as const),
        ...([window.rows, geometry.address, 0, 0, backend.heap.scratch] as const),
      ),
    () => ({
      operation: who,
      vjp: (h) => [x.requiresGrad ? imageGradient(g, h, window, who) : null, g.requiresGrad ? plain(x, h, window, who) : null, null],
    }),
  )
}

/** Options of {@link convTranspose2d} and {@link convTranspose1d}. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Further pixels at the ends, with which the result has the size of another image that has the same positions. Default 0. */
  outputPadding?: Pair | 0
}

/** @internal the option of {@link convTranspose2d}, and of its layer */
export const outputPadding = {
  is: { wants: 'a whole number ≥ 0, or one for each direction', fits: isOutputPadding },
  default: 0,
} as const

export const CONV_TRANSPOSE = { ...CONV, outputPadding } satisfies Schema<ConvTransposeOptions>

function isOutputPadding(value: unknown): boolean {
  return [value].flat().every((one) => Number.isInteger(one) && (one as number) >= 0)
}

/**
 * Transposed convolution of images: the gradient of {@link conv2d} with respect to its image, as a function of its own. Each pixel adds its multiple
 * of the kernel to the result; with a stride of 2 the result is twice as large.
 *
 * @param input [rows, height, width, channels]
 * @param w [kernel height, kernel width, filters / groups, channels]: the weights of the convolution that leads back
 * @returns [rows, (height − 1)·stride + (kernel − 1)·dilation + 1 − zeros + outputPadding, the same of the width, filters]; with `same` padding the
 *   height times the stride
 * @example convTranspose2d(ones([1, 2, 2, 1]), ones([2, 2, 1, 1]), { stride: 2 }).shape // [1, 4, 4, 1]
 * @throws as {@link conv2d}
 */
export function convTranspose2d(input: TensorLike, w: Tensor, options: ConvTransposeOptions = {}): Tensor {
  return convolveTransposed(input, w, options, 2, 'convTranspose2d')
}

/**
 * Transposed convolution of signals, as {@link convTranspose2d} along one direction.
 *
 * @example convTranspose1d([[[1], [2]]], tensor([[[1]], [[1]]]), { stride: 2 }).toArray() // [[[1], [1], [2], [2]]]
 * @throws as {@link conv2d}
 */
export function convTranspose1d(input: TensorLike, w: Tensor, options: ConvTransposeOptions = {}): Tensor {
  return convolveTransposed(input, w, options, 1, 'convTranspose1d')
}

/** @internal {@link convTranspose2d} or {@link convTranspose1d}, whose name in messages is `who` */
export function convolveTransposed(input: TensorLike, w: Tensor, given: ConvTransposeOptions, axes: number, who: string): Tensor {
  const options = readOptions(who, given, CONV_TRANSPOSE)
  const x = asFloats(input, w.backend, who)
  checkImages(x, [axes], who)
  const { groups, bias, activation } = options
  const channels = x.shape[axes + 1]
  if (w.rank !== axes + 2) {
    const wanted = `[${axes === 2 ? 'height, width' : 'length'}, filters${groups > 1 ? ' / groups' : ''}, ${channels}]`
    throw new ShapeError(`${who}: wants weights of shape ${wanted}, got ${formatShape(w.shape)}`)
  }
  if (w.shape[axes + 1] !== channels) throw otherChannels(who, x, w, w.shape[axes + 1], axes)
  const filters = w.shape[axes] * groups
  checkGroups(groups, channels, filters, who)
  if (bias !== null && bias.size !== filters)
    throw new ShapeError(`${who}: wants a bias of ${filters}, got shape ${formatShape(bias.shape)}`)
  const kernel = w.shape.slice(0, axes)
  const stride = numbersOf(options.stride, axes, `${who}: stride`)
  const dilation = numbersOf(options.dilation, axes, `${who}: dilation`)
  const extra = numbersOf(options.outputPadding, axes, `${who}: outputPadding`)
  const zeros = zerosOf(options.padding, axes, who)
  const sides = kernel.map((taps, i) => {
    const positions = x.shape[i + 1]
    const reach = (taps - 1) * dilation[i] + 1
    const [before, after] = zeros === 'same' ? [0, 0] : zeros[i]
    const whole = positions === 0 ? 0 : (positions - 1) * stride[i] + reach
    const length = zeros === 'same' ? positions * stride[i] : whole - before - after + extra[i]
    if (positions > 0 && length < 1)
      throw new ShapeError(
        `${who}: wants padding that leaves a result, got ${before} + ${after} zeros for one of ${whole} (inputs of shape ${formatShape(x.shape)})`,
      )
    return { input: length, output: positions, before: zeros === 'same' ? Math.floor(Math.max(0, whole - length) / 2) : before }
  })
  const shape = [x.shape[0], ...sides.map(({ input: length }) => length), filters]
  const window = windowOf(shape, sides, channels, groups, { kernel, stride, dilation }, who)
  const y = imageGradient(x, w, window, who)
  return activate(bias === null ? y : add(y, bias), activation) as Tensor
}

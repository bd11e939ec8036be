/** The layers of this room in PyTorch, Keras and ONNX. */
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { KERAS_ACTIVATIONS, TORCH_ACTIVATIONS } from '../export/activations.js'
import { exports, type OnnxAttributes, type OnnxGraph } from '../export/layer-exports.js'
import { turned } from '../export/turned.js'
import type { Module } from '../nn/module.js'
import type { Concat, Residual, SqueezeExcite } from './blocks.js'
import type { Conv1d, Conv2d, ConvTranspose2d } from './conv-layers.js'
import type { ConvSettings } from './conv-options.js'
import type { GroupNorm } from './group-norm.js'
import type { AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, MaxPool } from './pool-layers.js'
import type { SeparableConv2d } from './separable.js'
import { numbersOf, type Padding, type Pair, zerosOf } from './window.js'

/** One number, or a tuple of two. */
const tuple = (values: readonly number[]) => (values.every((n) => n === values[0]) ? String(values[0]) : `(${values.join(', ')})`)
const option = (name: string, value: string, usual: string) => (value === usual ? '' : `${name}=${value}`)
const call = (name: string, ...given: readonly (string | number)[]) => `${name}(${given.filter((one) => one !== '').join(', ')})`

/** The padding of a module in PyTorch. @throws RangeError for one that its modules do not have */
function torchPadding(padding: Padding, axes: number, stride: Pair, who: string): string {
  if (padding === 'same') {
    if (numbersOf(stride, axes, who).some((n) => n > 1))
      throw rangeError(`toPyTorch: ${who} has padding 'same' with a stride, which PyTorch has not; give the padding in numbers`)
    return "'same'"
  }
  const zeros = zerosOf(padding, axes, who) as [number, number][]
  if (zeros.some(([before, after]) => before !== after))
    throw rangeError(`toPyTorch: ${who} has padding ${show(padding)}, and modules of PyTorch have the same on both sides`)
  return tuple(zeros.map(([before]) => before))
}

/** Padding as a layer of Keras in front, if it is in numbers, and the padding of the layer itself. */
function kerasPadding(padding: Padding, axes: number, who: string): [before: string[], own: string] {
  if (padding === 'same' || padding === 'valid') return [[], option('padding', `'${padding}'`, "'valid'")]
  const zeros = zerosOf(padding, axes, who) as [number, number][]
  if (zeros.flat().every((n) => n === 0)) return [[], '']
  const sides = zeros.map((side) => `(${side.join(', ')})`)
  return [[axes === 1 ? `layers.ZeroPadding1D(${sides[0]})` : `layers.ZeroPadding2D((${sides.join(', ')}))`], '']
}

/** The directions of the images of a layer that takes any. @throws RangeError where no layer of the net says them */
function directed(axes: number, who: string): number {
  if (axes === 0) throw rangeError(`${who} takes images or signals, and no convolution of the net says which`)
  return axes
}

const after = (activation: ConvSettings['activation']) => (activation === 'linear' ? [] : [TORCH_ACTIVATIONS[activation]])
const kerasActivation = (activation: ConvSettings['activation']) =>
  activation === 'linear' ? '' : `activation=${KERAS_ACTIVATIONS[activation]}`

/** Places of the axes with channels second, and back. */
const CHANNELS_FIRST = { 3: [0, 2, 1], 4: [0, 3, 1, 2] } as Record<number, number[]>
const CHANNELS_LAST = { 3: [0, 2, 1], 4: [0, 2, 3, 1] } as Record<number, number[]>

/** A node that takes channels second, between two transpositions. Engines cancel those of neighbors. */
function channelsFirst(graph: OnnxGraph, x: string, rank: number, run: (x: string) => string): string {
  const turned = graph.node('Transpose', [x], { perm: CHANNELS_FIRST[rank] })
  return graph.node('Transpose', [run(turned)], { perm: CHANNELS_LAST[rank] })
}

/** Attributes of a window in ONNX. */
function windowAttributes(kernel: readonly number[], stride: Pair, padding: Padding, dilation: Pair, who: string) {
  const axes = kernel.length
  const [strides, dilations] = [numbersOf(stride, axes, who), numbersOf(dilation, axes, who)]
  const zeros = zerosOf(padding, axes, who)
  if (zeros === 'same' && strides.some((n) => n > 1))
    throw rangeError(
      `toOnnx: ${who} has padding 'same' with a stride, whose zeros depend on the size of images; give the padding in numbers`,
    )
  const sides =
    zeros === 'same'
      ? kernel.map((taps, i) => {
          const total = (taps - 1) * dilations[i]
          return [Math.floor(total / 2), Math.ceil(total / 2)]
        })
      : zeros
  return { kernel_shape: kernel, strides, dilations, pads: [...sides.map(([before]) => before), ...sides.map(([, end]) => end)] }
}

const WEIGHT_AXES = { 1: [2, 1, 0], 2: [3, 2, 0, 1] } as const

type AnyConv = Conv1d | Conv2d | ConvTranspose2d

/** Adds a convolution with its bias and activation. */
function onnxConv(layer: AnyConv, graph: OnnxGraph, x: string, rank: number, at: string, type: 'Conv' | 'ConvTranspose'): string {
  const { weight, bias, settings } = layer
  const { kernel, stride, padding, dilation, groups, activation } = settings
  const axes = WEIGHT_AXES[kernel.length as 1 | 2]
  const shape = axes.map((axis) => weight.shape[axis])
  const w = graph.constant(`${at}.weight`, turned(weight.data(), weight.shape, axes), shape)
  const b = bias === null ? [] : [graph.constant(`${at}.bias`, bias.data(), bias.shape)]
  const window = windowAttributes(kernel, stride, padding, dilation, layer.describe())
  const extra: OnnxAttributes =
    type === 'Conv' ? {} : { output_padding: numbersOf((layer as ConvTranspose2d).settings.outputPadding || [0, 0], 2, 'ConvTranspose2d') }
  const y = channelsFirst(graph, x, rank, (turnedX) => graph.node(type, [turnedX, w, ...b], { ...window, ...extra, group: groups }))
  return graph.activation(activation, y, at)
}

function convExports<L extends AnyConv & Module>(axes: 1 | 2, name: string, transposed = false) {
  return exports<L>({
    axes,
    channels: ({ filters }) => filters,
    tensors: ({ weight, bias }) => [
      { torch: 'weight', keras: 'kernel', tensor: weight, torchAxes: WEIGHT_AXES[axes] },
      { torch: 'bias', keras: 'bias', tensor: bias },
    ],
    torch(layer) {
      const { inputs, filters, settings } = layer
      const { kernel, stride, padding, dilation, groups, bias, activation } = settings
      const zeros = torchPadding(padding, axes, stride, layer.describe())
      if (transposed && zeros === "'same'")
        throw rangeError(`toPyTorch: ${layer.describe()} has padding 'same', which PyTorch has not; give the padding in numbers`)
      const { outputPadding = 0 } = settings as ConvTranspose2d['settings']
      const module = call(
        `nn.${name}${axes}d`,
        ...[inputs, filters, tuple(kernel), option('stride', tuple(numbersOf(stride, axes, name)), '1'), option('padding', zeros, '0')],
        ...[
          option('dilation', tuple(numbersOf(dilation, axes, name)), '1'),
          option('groups', String(groups), '1'),
          bias ? '' : 'bias=False',
        ],
        transposed ? option('output_padding', tuple(numbersOf(outputPadding as Pair, axes, name)), '0') : '',
      )
      return [module, ...after(activation)]
    },
    keras(layer) {
      const { filters, settings } = layer
      const { kernel, stride, padding, dilation, groups, bias, activation } = settings
      if (transposed && padding !== 'same' && padding !== 'valid')
        throw rangeError(`toKeras: ${layer.describe()} has padding in numbers, and transposed convolutions of Keras have 'same' or 'valid'`)
      if (transposed && ((settings as ConvTranspose2d['settings']).outputPadding || groups > 1))
        throw rangeError(`toKeras: ${layer.describe()} has outputPadding or groups, which exports to Keras do not have`)
      const [before, own] = kerasPadding(padding, axes, name)
      const options = [
        ...[filters, tuple(kernel), option('strides', tuple(numbersOf(stride, axes, name)), '1'), own],
        ...[option('dilation_rate', tuple(numbersOf(dilation, axes, name)), '1'), option('groups', String(groups), '1')],
        ...[kerasActivation(activation), bias ? '' : 'use_bias=False'],
      ]
      return [...before, call(`layers.Conv${axes}D${transposed ? 'Transpose' : ''}`, ...options)]
    },
    onnx: (layer, graph, x, rank, at) => onnxConv(layer, graph, x, rank, at, transposed ? 'ConvTranspose' : 'Conv'),
  })
}

export const conv1dExports = convExports<Conv1d>(1, 'Conv')
export const conv2dExports = convExports<Conv2d>(2, 'Conv')
export const convTranspose2dExports = convExports<ConvTranspose2d>(2, 'ConvTranspose', true)

function poolExports<L extends (MaxPool | AvgPool) & Module>(
  torchName: string,
  kerasName: string,
  type: string,
  attributes: Readonly<Record<string, number>>,
) {
  return exports<L>({
    torch(layer, given) {
      const axes = directed(given, `toPyTorch: ${layer.describe()}`)
      const { stride = layer.size, padding = 'valid', dilation = 1 } = layer.settings
      const zeros = torchPadding(padding, axes, stride, layer.describe())
      const apart = tuple(numbersOf(dilation, axes, torchName))
      if (zeros === "'same'" || (apart !== '1' && type === 'AveragePool'))
        throw rangeError(
          `toPyTorch: ${layer.describe()} has ${zeros === "'same'" ? "padding 'same'" : 'a dilation'}, which PyTorch's has not`,
        )
      const size = tuple(numbersOf(layer.size, axes, torchName))
      const options = [size, option('stride', tuple(numbersOf(stride, axes, torchName)), size), option('padding', zeros, '0')]
      return [
        call(
          `nn.${torchName}${axes}d`,
          ...options,
          option('dilation', apart, '1'),
          type === 'AveragePool' ? 'count_include_pad=False' : '',
        ),
      ]
    },
    keras(layer, given) {
      const axes = directed(given, `toKeras: ${layer.describe()}`)
      const { stride = layer.size, padding = 'valid', dilation = 1 } = layer.settings
      if ((padding !== 'same' && padding !== 'valid') || numbersOf(dilation, axes, kerasName).some((n) => n > 1))
        throw rangeError(`toKeras: ${layer.describe()} has padding in numbers or a dilation, which pooling of Keras has not`)
      const size = tuple(numbersOf(layer.size, axes, kerasName))
      const options = [
        size,
        option('strides', tuple(numbersOf(stride, axes, kerasName)), size),
        option('padding', `'${padding}'`, "'valid'"),
      ]
      return [call(`layers.${kerasName}${axes}D`, ...options)]
    },
    onnx(layer, graph, x, rank) {
      const { stride = layer.size, padding = 'valid', dilation = 1 } = layer.settings
      const kernel = numbersOf(layer.size, rank - 2, layer.describe())
      const { dilations, ...window } = windowAttributes(kernel, stride, padding, dilation, layer.describe())
      if (type === 'AveragePool' && dilations.some((n) => n > 1))
        throw rangeError(`toOnnx: ${layer.describe()} has a dilation, which the average of ONNX has not`)
      const own = { ...window, ...(type === 'MaxPool' && { dilations }), ...attributes }
      return channelsFirst(graph, x, rank, (turnedX) => graph.node(type, [turnedX], own))
    },
  })
}

export const maxPoolExports = poolExports<MaxPool>('MaxPool', 'MaxPooling', 'MaxPool', {})
export const avgPoolExports = poolExports<AvgPool>('AvgPool', 'AveragePooling', 'AveragePool', { count_include_pad: 0 })

function adaptiveExports<L extends (AdaptiveMaxPool | AdaptiveAvgPool) & Module>(name: string, kerasName: string, reduce: string) {
  return exports<L>({
    torch(layer, given) {
      const axes = directed(given, `toPyTorch: ${layer.describe()}`)
      return [`nn.${name}${axes}d(${tuple(numbersOf(layer.size, axes, name))})`]
    },
    keras(layer, given) {
      const axes = directed(given, `toKeras: ${layer.describe()}`)
      return [`layers.${kerasName}${axes}D(${tuple(numbersOf(layer.size, axes, kerasName))})`]
    },
    // ONNX has none: the parts of each direction, whose ends depend on the length of the input, are cut out, reduced and put together
    onnx(layer, graph, x, rank) {
      const sizes = numbersOf(layer.size, rank - 2, layer.describe())
      return sizes.reduce((value, count, i) => {
        const axis = i + 1
        const length = graph.node('Gather', [graph.node('Shape', [value]), graph.list([axis])])
        // (part · length + more) / count, rounded down
        const end = (part: number, more: number) => {
          const times = graph.node('Mul', [length, graph.list([part])])
          return graph.node('Div', [graph.node('Add', [times, graph.list([more])]), graph.list([count])])
        }
        const parts = Array.from({ length: count }, (_, part) => {
          const cut = graph.node('Slice', [value, end(part, 0), end(part + 1, count - 1), graph.list([axis])])
          return graph.node(reduce, [cut], { axes: [axis], keepdims: 1 })
        })
        return graph.node('Concat', parts, { axis })
      }, x)
    },
  })
}

export const adaptiveMaxPoolExports = adaptiveExports<AdaptiveMaxPool>('AdaptiveMaxPool', 'AdaptiveMaxPooling', 'ReduceMax')
export const adaptiveAvgPoolExports = adaptiveExports<AdaptiveAvgPool>('AdaptiveAvgPool', 'AdaptiveAveragePooling', 'ReduceMean')

/** Axes of the directions of images. */
const directions = (rank: number) => (rank === 4 ? [1, 2] : [1])

export const globalAvgPoolExports = exports<GlobalAvgPool>({
  channels: () => 0,
  torch: (_, axes) => [`nn.AdaptiveAvgPool${directed(axes, 'toPyTorch: GlobalAvgPool')}d(1)`, 'nn.Flatten()'],
  keras: (_, axes) => [`layers.GlobalAveragePooling${directed(axes, 'toKeras: GlobalAvgPool')}D()`],
  onnx: (_, graph, x, rank) => graph.node('ReduceMean', [x], { axes: directions(rank), keepdims: 0 }),
})

export const groupNormExports = exports<GroupNorm>({
  tensors: ({ weight, bias }) => [
    { torch: 'weight', keras: 'gamma', tensor: weight },
    { torch: 'bias', keras: 'beta', tensor: bias },
  ],
  torch: ({ groups, channels, epsilon }) => [`nn.GroupNorm(${groups}, ${channels}, eps=${epsilon})`],
  keras: ({ groups, epsilon }) => [`layers.GroupNormalization(groups=${groups}, epsilon=${epsilon})`],
  onnx(layer, graph, x, _, at) {
    const { weight, bias, groups, channels, epsilon } = layer
    // [rows, pixels, groups, channels / groups]
    const grouped = graph.node('Reshape', [x, graph.list([0, -1, groups, channels / groups])])
    const centered = graph.node('Sub', [grouped, graph.node('ReduceMean', [grouped], { axes: [1, 3], keepdims: 1 })])
    const variance = graph.node('ReduceMean', [graph.node('Mul', [centered, centered])], { axes: [1, 3], keepdims: 1 })
    const deviation = graph.node('Sqrt', [graph.node('Add', [variance, graph.constant(`${at}.epsilon`, [epsilon], [])])])
    const normal = graph.node('Reshape', [graph.node('Div', [centered, deviation]), graph.node('Shape', [x])])
    const scaled = graph.node('Mul', [normal, graph.constant(`${at}.weight`, weight.data(), [channels])])
    return graph.node('Add', [scaled, graph.constant(`${at}.bias`, bias.data(), [channels])])
  },
})

export const separableExports = exports<SeparableConv2d>({
  axes: 2,
  channels: ({ filters }) => filters,
  tensors: ({ depthwiseWeight, weight, bias }) => [
    { torch: 'depthwise', keras: 'depthwise_kernel', tensor: depthwiseWeight, kerasAxes: [0, 1, 3, 2] },
    { torch: 'weight', keras: 'pointwise_kernel', tensor: weight },
    { torch: 'bias', keras: 'bias', tensor: bias },
  ],
  torch(layer) {
    throw rangeError(`toPyTorch: ${layer.describe()} is two modules there; use a Conv2d with groups and one of 1 × 1`)
  },
  keras(layer) {
    const { kernel, stride, padding, dilation, bias, activation } = layer.settings
    const [before, own] = kerasPadding(padding, 2, 'SeparableConv2d')
    const options = [
      ...[layer.filters, tuple(kernel), option('strides', tuple(numbersOf(stride, 2, 'SeparableConv2d')), '1'), own],
      option('dilation_rate', tuple(numbersOf(dilation, 2, 'SeparableConv2d')), '1'),
      ...[kerasActivation(activation), bias ? '' : 'use_bias=False'],
    ]
    return [...before, call('layers.SeparableConv2D', ...options)]
  },
  onnx(layer, graph, x, rank, at) {
    const { depthwiseWeight, weight, bias, settings, inputs, filters } = layer
    const { kernel, stride, padding, dilation, activation } = settings
    const own = (name: string, { data, shape }: { data: ArrayLike<number>; shape: readonly number[] }) =>
      graph.constant(`${at}.${name}`, turned(data, shape, WEIGHT_AXES[2]), WEIGHT_AXES[2].map((axis) => shape[axis])) // biome-ignore format: one line
    const first = own('depthwiseWeight', { data: depthwiseWeight.data(), shape: [...kernel, 1, inputs] })
    const second = own('weight', { data: weight.data(), shape: [1, 1, inputs, filters] })
    const b = bias === null ? [] : [graph.constant(`${at}.bias`, bias.data(), bias.shape)]
    const window = windowAttributes(kernel, stride, padding, dilation, layer.describe())
    const y = channelsFirst(graph, x, rank, (turnedX) => {
      const each = graph.node('Conv', [turnedX, first], { ...window, group: inputs })
      return graph.node('Conv', [each, second, ...b], { kernel_shape: [1, 1] })
    })
    return graph.activation(activation, y, at)
  },
})

export const residualExports = exports<Residual>({
  parts: ({ layers, shortcut }) => [...layers, ...shortcut],
  onnx(layer, graph, x, rank, at) {
    const sum = graph.node('Add', [graph.layers(layer.layers, x, rank), graph.layers(layer.shortcut, x, rank)])
    return graph.activation(layer.activation, sum, at)
  },
})

export const concatExports = exports<Concat>({
  parts: ({ branches }) => branches.flat(),
  onnx: ({ branches }, graph, x, rank) =>
    graph.node(
      'Concat',
      branches.map((branch) => graph.layers(branch, x, rank)),
      { axis: -1 },
    ),
})

export const squeezeExports = exports<SqueezeExcite>({
  onnx(layer, graph, x, rank, at) {
    const { squeezeWeight, squeezeBias, exciteWeight, exciteBias } = layer
    const constant = (name: string, parameter: typeof squeezeWeight) => graph.constant(`${at}.${name}`, parameter.data(), parameter.shape)
    const means = graph.node('ReduceMean', [x], { axes: directions(rank), keepdims: 1 })
    const product = (value: string, weight: string, bias: string) => graph.node('Add', [graph.node('MatMul', [value, weight]), bias])
    const squeezed = graph.node('Relu', [product(means, constant('squeezeWeight', squeezeWeight), constant('squeezeBias', squeezeBias))])
    const excited = product(squeezed, constant('exciteWeight', exciteWeight), constant('exciteBias', exciteBias))
    return graph.node('Mul', [x, graph.node('Sigmoid', [excited])])
  },
})

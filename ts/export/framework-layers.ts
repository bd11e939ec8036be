/** Names of layers in PyTorch and Keras: one entry for each layer of the core; rooms have those of their layers. */
import { rangeError } from '../common/errors.js'
import type { Shape } from '../common/shape.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import type { BufferTensor } from '../nn/buffer.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { Embedding } from '../nn/embedding.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import type { Module } from '../nn/module.js'
import type { Parameter } from '../parameter.js'
import { KERAS_ACTIVATIONS, TORCH_ACTIVATIONS } from './activations.js'
import type { LayerExports, TensorNames } from './layer-exports.js'
import { exportsOf, leavesOf, withoutExport } from './leaves.js'

export type Framework = 'PyTorch' | 'Keras'

/** One tensor of a layer, and its place and layout in a framework. */
export interface NamedTensor {
  readonly name: string
  readonly tensor: Parameter | BufferTensor
  /** The shape of its numbers here, with an axis for each that the framework moves. */
  readonly view: Shape
  /** The order of these axes in the framework. */
  readonly axes: readonly number[]
  /** Its shape in the framework. */
  readonly shape: Shape
}

type FrameworkLayer<L extends Module> = Required<Pick<LayerExports<L>, 'tensors' | 'torch' | 'keras'>>

/** A layer, and what is known of the values that it takes. */
export interface PlacedLayer {
  readonly layer: Module
  /** Directions of images: 2, of signals: 1; 0 for rows. */
  readonly axes: number
  /** Channels of the images that a `Flatten` before made rows of, up to the next dense layer; NaN if no layer says them; else null. */
  readonly flattened: number | null
}

/** @internal the layers of nested Sequentials in their order */
export function placedLayers(model: Module): PlacedLayer[] {
  const leaves = leavesOf(model)
  const first = leaves.map((layer) => exportsOf(layer)?.axes).find((found) => found !== undefined)
  let axes: number = first ?? 0
  let [channels, flattened]: (number | null)[] = [null, null]
  let areImages = false
  return leaves.map((layer) => {
    const own = exportsOf(layer)
    const placed = { layer, axes, flattened }
    const results = own?.channels?.(layer) ?? (layer instanceof BatchNorm && axes > 0 ? layer.width : undefined)
    areImages ||= own !== undefined
    if (own?.axes !== undefined) axes = own.axes
    if (results !== undefined) channels = results
    if (results === 0) [axes, areImages] = [0, false]
    if (layer instanceof Flatten && first === undefined && areImages) flattened = Number.NaN
    if (layer instanceof Flatten && axes > 0) [flattened, axes] = [channels, 0]
    if (layer instanceof Dense) flattened = null
    return placed
  })
}

const dense: FrameworkLayer<Dense> = {
  tensors: ({ weight, bias }) => [
    { torch: 'weight', keras: 'kernel', tensor: weight, torchAxes: [1, 0] },
    { torch: 'bias', keras: 'bias', tensor: bias },
  ],
  torch({ inputs, outputs, bias, activation }) {
    const linear = `nn.Linear(${inputs}, ${outputs}${bias === null ? ', bias=False' : ''})`
    return activation === 'linear' ? [linear] : [linear, TORCH_ACTIVATIONS[activation]]
  },
  keras({ outputs, bias, activation }) {
    const options = [activation === 'linear' ? '' : `activation=${KERAS_ACTIVATIONS[activation]}`, bias === null ? 'use_bias=False' : '']
    return [`layers.Dense(${[outputs, ...options.filter(Boolean)].join(', ')})`]
  },
}

const embedding: FrameworkLayer<Embedding> = {
  tensors: ({ weight }) => [{ torch: 'weight', keras: 'embeddings', tensor: weight }],
  torch: ({ count, width }) => [`nn.Embedding(${count}, ${width})`],
  keras: ({ count, width }) => [`layers.Embedding(${count}, ${width})`],
}

const scaled = ({ weight, bias }: LayerNorm | BatchNorm): TensorNames[] => [
  { torch: 'weight', keras: 'gamma', tensor: weight },
  { torch: 'bias', keras: 'beta', tensor: bias },
]

const layerNorm: FrameworkLayer<LayerNorm> = {
  tensors: scaled,
  torch: ({ width, epsilon }) => [`nn.LayerNorm(${width}, eps=${epsilon})`],
  keras: ({ epsilon }) => [`layers.LayerNormalization(epsilon=${epsilon})`],
}

const batchNorm: FrameworkLayer<BatchNorm> = {
  tensors: (layer) => [
    ...scaled(layer),
    { torch: 'running_mean', keras: 'moving_mean', tensor: layer.runningMean },
    { torch: 'running_var', keras: 'moving_variance', tensor: layer.runningVariance },
  ],
  torch: ({ width, epsilon, momentum, activation }, axes) => [
    `nn.BatchNorm${Math.max(axes, 1)}d(${width}, eps=${epsilon}, momentum=${momentum})`,
    ...(activation === 'linear' ? [] : [TORCH_ACTIVATIONS[activation]]),
  ],
  keras: ({ epsilon, momentum, activation }) => [
    `layers.BatchNormalization(epsilon=${epsilon}, momentum=${+(1 - momentum).toPrecision(12)})`,
    ...(activation === 'linear' ? [] : [`layers.Activation(${KERAS_ACTIVATIONS[activation]})`]),
  ],
}

const activation: FrameworkLayer<Activation> = {
  tensors: () => [],
  torch: ({ activation }) => [TORCH_ACTIVATIONS[activation]],
  keras: ({ activation }) => (activation === 'linear' ? [] : [`layers.Activation(${KERAS_ACTIVATIONS[activation]})`]),
}

const dropout: FrameworkLayer<Dropout> = {
  tensors: () => [],
  torch: ({ rate }) => [`nn.Dropout(${rate})`],
  keras: ({ rate }) => [`layers.Dropout(${rate})`],
}

const flatten: FrameworkLayer<Flatten> = { tensors: () => [], torch: () => ['nn.Flatten()'], keras: () => ['layers.Flatten()'] }

const LAYERS = new Map<unknown, FrameworkLayer<Module>>([
  [Dense, dense as FrameworkLayer<Module>],
  [Embedding, embedding as FrameworkLayer<Module>],
  [LayerNorm, layerNorm as FrameworkLayer<Module>],
  [BatchNorm, batchNorm as FrameworkLayer<Module>],
  [Activation, activation as FrameworkLayer<Module>],
  [Dropout, dropout as FrameworkLayer<Module>],
  [Flatten, flatten as FrameworkLayer<Module>],
])

function entryOf(layer: Module, framework: Framework): FrameworkLayer<Module> {
  const { tensors = () => [], torch, keras } = LAYERS.get(layer.constructor) ?? exportsOf(layer) ?? {}
  if ((framework === 'PyTorch' ? torch : keras) === undefined) throw withoutExport(`to${framework}`, layer, false)
  return { tensors, torch, keras } as FrameworkLayer<Module>
}

/** @internal @throws TypeError for a layer that has no equivalent in the framework */
export function tensorsOf({ layer, flattened }: PlacedLayer, framework: Framework): NamedTensor[] {
  const isTorch = framework === 'PyTorch'
  return entryOf(layer, framework)
    .tensors(layer)
    .flatMap(({ torch, keras, tensor, torchAxes, kerasAxes }) => {
      if (tensor === null) return []
      const [name, given] = isTorch ? [torch, torchAxes] : [keras, kerasAxes]
      const axes = given ?? tensor.shape.map((_, axis) => axis)
      const own = { name, tensor, view: tensor.shape, axes, shape: axes.map((axis) => tensor.shape[axis]) }
      // PyTorch flattens images by channel, pixel by pixel
      if (!isTorch || flattened === null || (name === 'bias' && layer instanceof Dense)) return [own]
      if (Number.isNaN(flattened))
        throw rangeError(
          `PyTorch: ${layer.describe()} '${layer.path}' is behind a Flatten of images, which PyTorch has in another order, and no convolution says their channels`,
        )
      const [width, ...others] = tensor.shape
      return [{ ...own, view: [width / flattened, flattened, ...others], axes: others.length > 0 ? [2, 1, 0] : [1, 0] }]
    })
}

/** @internal @throws TypeError for a layer that has no equivalent in PyTorch, RangeError for one with options that PyTorch does not have */
export function torchCode({ layer, axes }: PlacedLayer): string[] {
  if (axes > 0 && (layer instanceof Dense || layer instanceof LayerNorm))
    throw rangeError(
      `toPyTorch: ${layer.describe()} '${layer.path}' works on the channels of each pixel; use a convolution of 1 × 1, or Flatten before`,
    )
  return entryOf(layer, 'PyTorch').torch(layer, axes)
}

/** @internal @throws TypeError for a layer that has no equivalent in Keras, RangeError for one with options that Keras does not have */
export function kerasCode({ layer, axes }: PlacedLayer): string[] {
  return entryOf(layer, 'Keras').keras(layer, axes)
}

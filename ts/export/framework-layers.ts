/** Names of layers in PyTorch and Keras: one entry for each layer that can be exported. */
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
import { withoutExport } from './leaves.js'

export type Framework = 'PyTorch' | 'Keras'

/** One tensor of a layer: its path here and its name in the framework. */
export interface NamedTensor {
  readonly name: string
  readonly tensor: Parameter | BufferTensor
  /** True if the framework's matrix is the transpose of the one here. */
  readonly isTransposed: boolean
}

/** A tensor by its names in the state of PyTorch and in Keras; with `transposed`, rows in PyTorch are columns here. */
interface TensorNames {
  torch: string
  keras: string
  tensor: Parameter | BufferTensor | null
  transposed?: true
}

interface FrameworkLayer<L extends Module> {
  /** The layer's tensors, in the order of Keras' `get_weights`. */
  tensors(layer: L): TensorNames[]
  /** The modules of `nn.Sequential` that replace the layer: an activation is a module of its own there. */
  torch(layer: L): string[]
  keras(layer: L): string[]
}

const TORCH_ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: 'nn.Identity()',
  relu: 'nn.ReLU()',
  leakyRelu: 'nn.LeakyReLU(0.01)',
  sigmoid: 'nn.Sigmoid()',
  tanh: 'nn.Tanh()',
  gelu: 'nn.GELU()',
  silu: 'nn.SiLU()',
  softplus: 'nn.Softplus()',
  elu: 'nn.ELU()',
}

const KERAS_ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: "'relu'",
  leakyRelu: 'lambda x: ops.leaky_relu(x, negative_slope=0.01)',
  sigmoid: "'sigmoid'",
  tanh: "'tanh'",
  gelu: 'lambda x: ops.gelu(x, approximate=False)',
  silu: "'silu'",
  softplus: "'softplus'",
  elu: "'elu'",
}

const dense: FrameworkLayer<Dense> = {
  tensors: ({ weight, bias }) => [
    { torch: 'weight', keras: 'kernel', tensor: weight, transposed: true },
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
  torch: ({ width, epsilon, momentum, activation }) => [
    `nn.BatchNorm1d(${width}, eps=${epsilon}, momentum=${momentum})`,
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
  const entry = LAYERS.get(layer.constructor)
  if (entry === undefined) throw withoutExport(`to${framework}`, layer, false)
  return entry
}

/** @internal @throws TypeError for a layer that has no equivalent in the framework */
export function tensorsOf(layer: Module, framework: Framework): NamedTensor[] {
  const isTorch = framework === 'PyTorch'
  return entryOf(layer, framework)
    .tensors(layer)
    .flatMap(({ torch, keras, tensor, transposed = false }) =>
      tensor === null ? [] : [{ name: isTorch ? torch : keras, tensor, isTransposed: isTorch && transposed }],
    )
}

/** @internal @throws TypeError for a layer that has no equivalent in PyTorch */
export function torchCode(layer: Module): string[] {
  return entryOf(layer, 'PyTorch').torch(layer)
}

/** @internal @throws TypeError for a layer that has no equivalent in Keras */
export function kerasCode(layer: Module): string[] {
  return entryOf(layer, 'Keras').keras(layer)
}

/** Models of every layer for exports, each with inputs: the same bits on every machine, so that files of them are the same bytes. */
import { GPT, LearnedPositions, MultiHeadAttention, RMSNorm, SinusoidalPositions, TransformerBlock } from '../../ts/attention/index.js'
import {
  AdaptiveAvgPool,
  AdaptiveMaxPool,
  AvgPool,
  Concat,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  GlobalAvgPool,
  GroupNorm,
  MaxPool,
  Residual,
  SeparableConv2d,
  SqueezeExcite,
} from '../../ts/conv/index.js'
import {
  Activation,
  type ActivationName,
  BatchNorm,
  createBackend,
  Dense,
  Dropout,
  EmbedColumns,
  Embedding,
  Ensemble,
  EnsembleDense,
  EnsembleMean,
  Flatten,
  Generator,
  LayerNorm,
  type Module,
  PeriodicEmbedding,
  PiecewiseLinearEmbedding,
  Scale,
  Sequential,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { GRU, LSTM, SimpleRNN } from '../../ts/recurrent/index.js'

export interface Case {
  name: string
  model: Module
  inputs: Tensor
  inputShape?: number[]
  /** The formats that have an equivalent of the model. */
  in: readonly ('onnx' | 'torch' | 'keras' | 'function')[]
}

const ALL = ['onnx', 'torch', 'keras', 'function'] as const
const ACTIVATIONS: ActivationName[] = ['linear', 'relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu', 'silu', 'softplus', 'elu', 'mish', 'selu']

/** Weights of multiples of 1/64, which no rounding of another engine changes. */
function filled(model: Module): Module {
  const random = new Generator(7)
  for (const [name, tensor] of model.savedTensors()) {
    const isVariance = name.endsWith('runningVariance')
    const values = random.uniforms(tensor.size)
    tensor.view().set(values.map((u) => (isVariance ? Math.round(64 * u + 16) / 64 : Math.round(128 * (u - 0.5)) / 64)))
    if (name.endsWith('weights')) tensor.view().set(values.map((_, i) => i + 1))
  }
  return model
}

const backend = createBackend({ backend: 'js' })

function numbers(shape: number[]): Tensor {
  const size = shape.reduce((product, n) => product * n, 1)
  const values = Float32Array.from(new Generator(9).uniforms(size), (u) => Math.round(1024 * (u - 0.5)) / 128)
  return tensor(values, shape, { backend })
}

export function cases(): Case[] {
  const net = (...layers: Module[]) => filled(new Sequential(layers, { backend }))
  const member = () => new Sequential([new Dense(3, 4, { activation: 'tanh' }), new Dense(4, 2)], { backend })
  const ensemble = (average: 'outputs' | 'softmax' | 'sigmoid') => filled(new Ensemble([member(), member(), member()], { average }))
  const words = tensor(Int32Array.of(0, 4, 2, 1, 3, 3), [2, 3], { backend })
  return [
    ...ACTIVATIONS.map((activation) => ({
      name: `dense ${activation}`,
      model: net(new Dense(3, 5, { activation }), new Dense(5, 2, { bias: false }), new Activation(activation)),
      inputs: numbers([4, 3]),
      in: ALL,
    })),
    {
      name: 'norms',
      model: net(
        new BatchNorm(3, { epsilon: 1e-3, momentum: 0.3 }),
        new Dense(3, 4),
        new LayerNorm(4, { epsilon: 1e-4 }),
        new Dropout(0.3),
      ),
      inputs: numbers([5, 3]),
      in: ALL,
    },
    {
      name: 'images',
      model: net(new Flatten(), new Sequential([new Dense(12, 6, { activation: 'relu' })], { backend }), new Dense(6, 3)),
      inputs: numbers([2, 3, 4]),
      inputShape: [3, 4],
      in: ALL,
    },
    { name: 'words', model: net(new Embedding(5, 2), new Flatten(), new Dense(6, 1)), inputs: words, inputShape: [3], in: ALL },
    {
      name: 'rows of rows',
      model: net(new Dense(3, 4, { activation: 'gelu' }), new LayerNorm(4), new BatchNorm(4)),
      inputs: numbers([2, 5, 3]),
      inputShape: [5, 3],
      in: ['onnx', 'function'],
    },
    { name: 'a layer alone', model: filled(new Dense(3, 2, { backend })), inputs: numbers([3, 3]), in: ALL },
    ...(['outputs', 'softmax', 'sigmoid'] as const).map((average) => ({
      name: `ensemble ${average}`,
      model: ensemble(average),
      inputs: numbers([4, 3]),
      in: ['onnx'] as const,
    })),
    {
      name: 'columns of categories',
      model: net(
        new EmbedColumns(5, [
          { feature: 3, count: 4, size: 3 },
          { feature: 1, count: 6, size: 2 },
        ]),
        new Dense(8, 4, { activation: 'silu' }),
        new Dense(4, 2),
      ),
      inputs: tensor(Float32Array.of(0.5, 5, -1, 0, 0.25, -2, 0, 1.5, 3, 1, 0.125, 2, 0, 2, -0.75), [3, 5], { backend }),
      in: ['onnx', 'function'],
    },
    ...(['outputs', 'softmax', 'sigmoid'] as const).map((average) => ({
      name: `members that share weights, ${average}`,
      model: net(
        new EnsembleDense(3, 5, 4, { activation: 'gelu' }),
        new EnsembleDense(5, 4, 4, { activation: 'relu', bias: false }),
        new EnsembleDense(4, 2, 4, { shared: false }),
        new EnsembleMean({ average }),
      ),
      inputs: numbers([4, 3]),
      in: ['onnx', 'function'] as const,
    })),
    {
      name: 'members that share layers',
      model: net(
        new Scale(3),
        new Scale(3, { members: 5 }),
        new Dense(3, 4, { activation: 'silu' }),
        new LayerNorm(4),
        new EnsembleDense(4, 2, 5, { shared: false, activation: 'tanh' }),
        new EnsembleMean(),
      ),
      inputs: numbers([4, 3]),
      in: ['onnx', 'function'],
    },
    {
      name: 'numbers as piecewise linear vectors',
      model: net(
        new PiecewiseLinearEmbedding(
          3,
          [
            { feature: 2, edges: [-1.5, 0.25, 2] },
            { feature: 0, edges: [-3, 3] },
          ],
          { size: 3 },
        ),
        new Dense(7, 2),
      ),
      inputs: numbers([6, 3]),
      in: ['onnx', 'function'],
    },
    ...(['plr', 'pbld'] as const).map((form) => ({
      name: `numbers as waves, ${form}`,
      model: net(new PeriodicEmbedding(3, { columns: [2, 1], form, size: 4, frequencies: 5 }), new Dense(form === 'plr' ? 9 : 11, 2)),
      inputs: numbers([6, 3]),
      in: ['onnx', 'function'] as const,
    })),
    {
      name: 'convolution of images',
      model: net(
        new Conv2d(2, 6, 3, { padding: 'same', activation: 'relu', bias: false }),
        new BatchNorm(6, { activation: 'relu' }),
        new MaxPool(2),
        new Conv2d(6, 8, [3, 2], { stride: 2, padding: [[2, 2], [1, 1]], groups: 2, activation: 'gelu' }), // biome-ignore format: one line
        new GroupNorm(2, 8),
        new AvgPool([2, 1]),
        new Flatten(),
        new BatchNorm(24),
        new Dense(24, 3),
      ),
      inputs: numbers([3, 8, 9, 2]),
      inputShape: [8, 9, 2],
      in: ['onnx', 'torch', 'keras'],
    },
    {
      name: 'convolution of signals',
      model: net(
        new Conv1d(3, 4, 5, { stride: 2, padding: [[1, 1]], dilation: 1, activation: 'tanh' }),
        new MaxPool(2, { stride: 1 }),
        new Conv1d(4, 6, 2, { padding: 'same', dilation: 2 }),
        new GlobalAvgPool(),
        new Dense(6, 2),
      ),
      inputs: numbers([2, 12, 3]),
      inputShape: [12, 3],
      in: ['onnx', 'torch', 'keras'],
    },
    ...[
      { name: 'pooling to a size, of images', layers: [new Conv2d(2, 3, 2), new AdaptiveAvgPool([3, 2]), new Flatten(), new Dense(18, 2)], shape: [6, 4, 2] }, // biome-ignore format: one line
      { name: 'pooling to a size, of signals', layers: [new Conv1d(2, 3, 2), new AdaptiveMaxPool(5), new Flatten(), new Dense(15, 2)], shape: [9, 2] }, // biome-ignore format: one line
    ].map(({ name, layers, shape }) => ({
      name,
      model: net(...layers),
      inputs: numbers([2, ...shape]),
      inputShape: shape,
      in: ['onnx', 'torch', 'keras'] as const,
    })),
    {
      name: 'transposed convolution',
      model: net(
        new ConvTranspose2d(2, 4, 3, { stride: 2, padding: 1, outputPadding: 1, groups: 2, activation: 'elu' }),
        new Conv2d(4, 2, 1),
      ),
      inputs: numbers([2, 3, 4, 2]),
      inputShape: [3, 4, 2],
      in: ['onnx', 'torch'],
    },
    {
      name: 'separable convolution',
      model: net(new SeparableConv2d(2, 5, 3, { padding: 'same', activation: 'silu' }), new MaxPool(2), new GlobalAvgPool()),
      inputs: numbers([2, 6, 4, 2]),
      inputShape: [6, 4, 2],
      in: ['onnx', 'keras'],
    },
    {
      name: 'blocks of a residual net',
      model: net(
        new Residual([new Conv2d(2, 2, 3, { padding: 1 }), new BatchNorm(2), new SqueezeExcite(2)], { activation: 'relu' }),
        new Residual([new Conv2d(2, 4, 3, { stride: 2, padding: 1 })], { shortcut: [new Conv2d(2, 4, 1, { stride: 2 })] }),
        new Concat([[new Conv2d(4, 3, 1)], [new MaxPool(3, { stride: 1, padding: 'same' })], []]),
        new GlobalAvgPool(),
        new Dense(11, 3),
      ),
      inputs: numbers([2, 6, 5, 2]),
      inputShape: [6, 5, 2],
      in: ['onnx'],
    },
    ...[
      { name: 'a simple recurrent layer', layer: new SimpleRNN(3, 4) },
      { name: 'both directions', layer: new SimpleRNN(3, 4, { bidirectional: true, bias: false }) },
      { name: 'a GRU', layer: new GRU(3, 5) },
      { name: 'a GRU of Cho', layer: new GRU(3, 5, { resetAfter: false, bidirectional: true }) },
      { name: 'an LSTM', layer: new LSTM(3, 5, { bidirectional: true }) },
    ].map(({ name, layer }) => ({
      name: `recurrence: ${name}`,
      model: net(layer, new Dense<number, number>((layer as GRU).settings.bidirectional ? 2 * layer.units : layer.units, 2)),
      inputs: numbers([2, 6, 3]),
      inputShape: [6, 3],
      in: ['onnx', 'function'] as const,
    })),
    {
      name: 'recurrence: stacked',
      model: net(
        new GRU(3, 4, { returnSequences: true, bidirectional: true }),
        new LSTM(8, 4, { returnSequences: true }),
        new SimpleRNN(4, 3, { returnSequences: true }),
        new Dense(3, 2),
      ),
      inputs: numbers([2, 6, 3]),
      inputShape: [6, 3],
      in: ['onnx', 'function'],
    },
    ...([false, true] as const).map((isCausal) => ({
      name: `attention ${isCausal ? 'to steps before, rotary' : 'to all steps'}`,
      model: net(
        isCausal ? new RMSNorm(4) : new SinusoidalPositions(4),
        new MultiHeadAttention(4, 2, { causal: isCausal, rotary: isCausal, bias: !isCausal }),
        new TransformerBlock(4, 2, { causal: isCausal, rotary: isCausal, normalization: isCausal ? 'rms' : 'layer', dropout: 0.2 }),
        new LearnedPositions(9, 4),
        new Dense(4, 2),
      ),
      inputs: numbers([2, 7, 4]),
      inputShape: [7, 4],
      in: ['onnx', 'function'] as const,
    })),
    ...(['learned', 'sinusoidal', 'rotary'] as const).map((positions) => ({
      name: `a GPT, positions ${positions}`,
      model: filled(
        new GPT({
          ...{ vocabulary: 5, context: 8, width: 4, heads: 2, blocks: 2, positions, tied: positions !== 'rotary', backend },
          ...(positions === 'rotary' && { normalization: 'rms', bias: false, dropout: 0.1 }),
        }),
      ),
      inputs: tensor(Int32Array.of(0, 4, 2, 1, 3, 3, 0, 1), [2, 4], { backend }),
      inputShape: [4],
      in: ['onnx', 'function'] as const,
    })),
  ]
}

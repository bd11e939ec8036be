/** The layers of this room in model files: importing `gradus/conv` is enough to read a file with them. */
import type { Activation } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { LayerExports } from '../export/layer-exports.js'
import { kind, type LayerConfig, layerInFiles, registerLayers } from '../files/kinds.js'
import type { Module } from '../nn/module.js'
import { Concat, Residual, SqueezeExcite } from './blocks.js'
import { Conv1d, Conv2d, ConvTranspose2d } from './conv-layers.js'
import * as exported from './exports.js'
import { GroupNorm } from './group-norm.js'
import type { PoolOptions } from './pool.js'
import { AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, MaxPool } from './pool-layers.js'
import { SeparableConv2d } from './separable.js'
import type { Padding, Pair } from './window.js'

interface ConvConfig extends LayerConfig {
  inputs: number
  filters: number
  kernel: readonly number[]
  stride: Pair
  padding: Padding
  dilation: Pair
  groups: number
  activation: Activation
  bias: boolean
}

type ConvLayer = Conv1d | Conv2d | ConvTranspose2d

const NAMES = ['inputs', 'filters', 'kernel', 'stride', 'padding', 'dilation', 'groups', 'activation', 'bias'] as const

/** The options of an untrusted file, as far as the constructors do not check them. @throws RangeError */
function checked<C extends ConvConfig>(config: C): C {
  if (typeof config.bias !== 'boolean') throw rangeError(`Conv: bias wants true or false, got ${show(config.bias)}`)
  if (!Array.isArray(config.kernel)) throw rangeError(`Conv: kernel wants a list of numbers, got ${show(config.kernel)}`)
  return config
}

const saveConv = ({ inputs, filters, settings }: ConvLayer): ConvConfig => {
  const { kernel, stride, padding, dilation, groups, activation, bias } = settings
  return { inputs, filters, kernel, stride, padding, dilation, groups, activation, bias }
}

function convKind<L extends ConvLayer & Module>(make: (config: ConvConfig, options: object) => L, exports: LayerExports) {
  return kind<L, ConvConfig>({
    exports,
    save: saveConv,
    names: NAMES,
    load: (config, options) => {
      const { stride, padding, dilation, groups, activation, bias } = checked(config)
      return make(config, { stride, padding, dilation, groups, activation, bias, weightInitializer: 'zeros', ...options })
    },
    shapes: ({ inputs, filters, kernel, groups, bias }) => ({
      weight: [...(Array.isArray(kernel) ? kernel : []), inputs / groups, filters],
      ...(bias && { bias: [filters] }),
    }),
  })
}

interface PoolConfig extends PoolOptions, LayerConfig {
  size: Pair
}

function poolKind<L extends (MaxPool | AvgPool) & Module>(make: (size: Pair, options: PoolOptions) => L, exports: LayerExports) {
  return kind<L, PoolConfig>({
    exports,
    save: ({ size, settings }) => ({ size, ...settings }),
    names: ['size', 'stride', 'padding', 'dilation'],
    load: ({ size, ...options }, more) => make(size, { ...options, ...more }),
  })
}

function adaptiveKind<L extends (AdaptiveMaxPool | AdaptiveAvgPool) & Module>(
  make: (size: Pair, options: object) => L,
  exports: LayerExports,
) {
  return kind<L, { size: Pair }>({
    exports,
    names: ['size'],
    load: ({ size }, options) => make(size, options),
  })
}

/** The names of a separable convolution: it has no groups of its own. */
const SEPARABLE = NAMES.filter((name) => name !== 'groups')

registerLayers([
  layerInFiles<SeparableConv2d, Omit<ConvConfig, 'groups'>>('SeparableConv2d', SeparableConv2d, {
    exports: exported.separableExports,
    save: ({ inputs, filters, settings }) => {
      const { kernel, stride, padding, dilation, activation, bias } = settings
      return { inputs, filters, kernel, stride, padding, dilation, activation, bias }
    },
    names: SEPARABLE as Exclude<(typeof NAMES)[number], 'groups'>[],
    load: (config, options) => {
      const { stride, padding, dilation, activation, bias } = checked(config as ConvConfig)
      const given = { stride, padding, dilation, activation, bias, weightInitializer: 'zeros' as const, ...options }
      return new SeparableConv2d(config.inputs as number, config.filters as number, config.kernel as [number, number], given)
    },
    shapes: ({ inputs, filters, kernel, bias }) => ({
      depthwiseWeight: [...(Array.isArray(kernel) ? kernel : []), 1, inputs],
      weight: [1, 1, inputs as number, filters as number],
      ...(bias === true && { bias: [filters as number] }),
    }),
  }),
  layerInFiles<GroupNorm, { groups: number; channels: number; epsilon: number }>('GroupNorm', GroupNorm, {
    exports: exported.groupNormExports,
    names: ['groups', 'channels', 'epsilon'],
    load: ({ groups, channels, epsilon }, options) => new GroupNorm(groups, channels, { epsilon, ...options }),
    shapes: ({ channels }) => ({ weight: [channels], bias: [channels] }),
  }),
  layerInFiles<SqueezeExcite, { channels: number; units: number }>('SqueezeExcite', SqueezeExcite, {
    exports: exported.squeezeExports,
    names: ['channels', 'units'],
    load: ({ channels, units }, options) => new SqueezeExcite(channels, { units, ...options }),
    shapes: ({ channels, units }) => ({
      ...{ squeezeWeight: [channels, units], squeezeBias: [units] },
      ...{ exciteWeight: [units, channels], exciteBias: [channels] },
    }),
  }),
  layerInFiles<Residual, { layers: readonly Module[]; shortcut: readonly Module[]; activation: Activation }>('Residual', Residual, {
    exports: exported.residualExports,
    save: ({ layers, shortcut, activation }) => ({ layers: [...layers], shortcut: [...shortcut], activation }),
    names: ['layers', 'shortcut', 'activation'],
    load: ({ layers, shortcut, activation }, options) => new Residual(layers, { shortcut, activation, ...options }),
  }),
  layerInFiles<Concat, { branches: readonly (readonly Module[])[] }>('Concat', Concat, {
    exports: exported.concatExports,
    save: ({ branches }) => ({ branches: branches.map((branch) => [...branch]) }),
    names: ['branches'],
    load: ({ branches }, options) => new Concat(branches, options),
  }),
  [
    'Conv2d',
    Conv2d,
    convKind((c, options) => new Conv2d(c.inputs, c.filters, c.kernel as [number, number], options), exported.conv2dExports),
  ],
  layerInFiles<ConvTranspose2d, ConvConfig & { outputPadding: Pair | 0 }>('ConvTranspose2d', ConvTranspose2d, {
    exports: exported.convTranspose2dExports,
    save: (layer) => ({ ...saveConv(layer), outputPadding: layer.settings.outputPadding ?? 0 }),
    names: [...NAMES, 'outputPadding'],
    load: (config, options) => {
      const { stride, padding, dilation, groups, activation, bias, outputPadding } = checked(config)
      const given = {
        stride,
        padding,
        dilation,
        groups,
        activation,
        bias,
        outputPadding,
        weightInitializer: 'zeros' as const,
        ...options,
      }
      return new ConvTranspose2d(config.inputs, config.filters, config.kernel as [number, number], given)
    },
    shapes: ({ inputs, filters, kernel, groups, bias }) => ({
      weight: [...(Array.isArray(kernel) ? kernel : []), filters / groups, inputs],
      ...(bias && { bias: [filters] }),
    }),
  }),
  ['Conv1d', Conv1d, convKind((c, options) => new Conv1d(c.inputs, c.filters, c.kernel[0], options), exported.conv1dExports)],
  ['MaxPool', MaxPool, poolKind((size, options) => new MaxPool(size, options), exported.maxPoolExports)],
  ['AvgPool', AvgPool, poolKind((size, options) => new AvgPool(size, options), exported.avgPoolExports)],
  [
    'AdaptiveMaxPool',
    AdaptiveMaxPool,
    adaptiveKind((size, options) => new AdaptiveMaxPool(size, options), exported.adaptiveMaxPoolExports),
  ],
  [
    'AdaptiveAvgPool',
    AdaptiveAvgPool,
    adaptiveKind((size, options) => new AdaptiveAvgPool(size, options), exported.adaptiveAvgPoolExports),
  ],
  layerInFiles<GlobalAvgPool, LayerConfig>('GlobalAvgPool', GlobalAvgPool, {
    exports: exported.globalAvgPoolExports,
    save: () => ({}),
    names: [],
    load: () => new GlobalAvgPool(),
  }),
])

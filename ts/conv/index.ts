/**
 * Convolution, pooling and their layers, for images and signals.
 *
 * @module gradus/conv
 */

export { type ActivationMapOptions, classActivationMap } from './activation-map.js'
export {
  Concat,
  type ConcatShapes,
  Residual,
  type ResidualOptions,
  type ResidualShapes,
  SqueezeExcite,
  type SqueezeExciteOptions,
} from './blocks.js'
export { Conv1d, Conv2d, type ConvLayer, ConvTranspose2d } from './conv-layers.js'
export type { ConvLayerOptions, ConvSettings, ConvTransposeLayerOptions, SeparableConvOptions } from './conv-options.js'
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
} from './convolve.js'

import './files.js' // registers the layers with model files

export { GroupNorm, type GroupNormOptions } from './group-norm.js'
export { fromOnnxFeatures, OnnxFeatures, type OnnxFeaturesOptions } from './onnx-features.js'
export { adaptiveAvgPool, adaptiveMaxPool, avgPool, globalAvgPool, maxPool, type PoolOptions } from './pool.js'
export { AdaptiveAvgPool, AdaptiveMaxPool, AvgPool, GlobalAvgPool, MaxPool, type PoolLayer, type PoolLayerOptions } from './pool-layers.js'
export { type PadOptions, pad, type UnfoldOptions, type UpsampleOptions, unfold, upsample } from './resample.js'
export { SeparableConv2d } from './separable.js'
export type { GlobalShapes, ImageShapes, PoolShapes, SignalShapes } from './shapes.js'
export type { Padding, Pair } from './window.js'

/** Options that the convolutional layers share, and the code behind them. */
import { checkCount } from '../common/checks.js'
import { anything, checkValue, count, flag, type Read, readOptions, type Schema } from '../common/options.js'
import { type Initializer, type InitializerName, initializer, initializerFor, initializing } from '../nn/initializer.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import { activationNumber } from '../ops/activation.js'
import type { Parameter } from '../parameter.js'
import type { Generator } from '../random.js'
import { type ConvOptions, type ConvTransposeOptions, outputPadding } from './convolve.js'
import { checkGroups, numbersOf, type Pair, padding, pair } from './window.js'

/** Options of {@link Conv1d} and {@link Conv2d}. */
export interface ConvLayerOptions extends ModuleOptions, Omit<ConvOptions, 'bias'> {
  /** Adds a bias. Default true. */
  bias?: boolean
  /** First weights. Default: `heUniform` for the relu family, `lecunUniform` for `linear`, else `glorotUniform`. */
  weightInitializer?: InitializerName | Initializer
  /** First values of the bias. Default `zeros`. */
  biasInitializer?: InitializerName | Initializer
}

/** Options of {@link SeparableConv2d}: stride, padding and dilation are those of its first convolution, bias and activation those of the second. */
export interface SeparableConvOptions extends Omit<ConvLayerOptions, 'groups'> {}

export const SEPARABLE_CONV = {
  ...MODULE,
  stride: { is: pair, default: 1, aka: ['strides'] },
  padding: { is: padding, default: 'valid' },
  dilation: { is: pair, default: 1, aka: ['dilation_rate'] },
  activation: { is: anything, default: 'linear' },
  bias: { is: flag, default: true, aka: ['use_bias'] },
  weightInitializer: { is: initializing, aka: ['kernel_initializer'] },
  biasInitializer: { is: initializing, default: 'zeros' },
} satisfies Schema<SeparableConvOptions>

export const CONV_LAYER = { ...SEPARABLE_CONV, groups: { is: count, default: 1 } } satisfies Schema<ConvLayerOptions>

/** Options of {@link ConvTranspose2d}. */
export interface ConvTransposeLayerOptions extends ConvLayerOptions, Pick<ConvTransposeOptions, 'outputPadding'> {}

export const CONV_TRANSPOSE_LAYER = { ...CONV_LAYER, outputPadding } satisfies Schema<ConvTransposeLayerOptions>

/** @internal the checked options of a layer */
export type ConvSettings = Read<ConvLayerOptions, typeof CONV_LAYER> & { kernel: readonly number[] }

/** @internal the options of a convolutional layer along `axes` directions. @throws RangeError */
export function convSettings(
  who: string,
  axes: number,
  inputs: number,
  filters: number,
  kernel: Pair,
  given: ConvLayerOptions,
  schema: typeof CONV_LAYER | typeof SEPARABLE_CONV = CONV_LAYER,
): ConvSettings {
  checkCount(`${who}: inputs`, inputs)
  checkCount(`${who}: filters`, filters)
  checkValue(`${who}: kernel`, kernel, pair)
  const read = readOptions(who, given, schema as typeof CONV_LAYER)
  const options = { ...read, groups: read.groups ?? 1 }
  activationNumber(options.activation, who)
  checkGroups(options.groups, inputs, filters, who)
  numbersOf(options.stride, axes, `${who}: stride`)
  numbersOf(options.dilation, axes, `${who}: dilation`)
  return { ...options, kernel: Object.freeze(numbersOf(kernel, axes, `${who}: kernel`)) }
}

/** @internal draws the first weights and the first bias */
export function drawWeights(
  { weightInitializer, biasInitializer, activation, kernel, groups }: ConvSettings,
  [inputs, outputs]: readonly [number, number],
  weight: Parameter,
  bias: Parameter | null,
  generator: Generator,
  who: string,
): void {
  const taps = kernel.reduce((product, n) => product * n, 1)
  const [fanIn, fanOut] = [(taps * inputs) / groups, (taps * outputs) / groups]
  initializer(weightInitializer ?? initializerFor(activation), fanIn, fanOut, who)(weight, generator)
  if (bias) initializer(biasInitializer, fanIn, fanOut, who)(bias, generator)
}

/** @internal `Conv2d(3, 8, 3 × 3, relu)`, for summaries */
export function convText(who: string, inputs: number, filters: number, { kernel, activation }: ConvSettings): string {
  return `${who}(${inputs}, ${filters}, ${kernel.join(' × ')}${activation === 'linear' ? '' : `, ${activation}`})`
}

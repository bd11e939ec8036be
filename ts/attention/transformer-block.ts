/** Attention and a dense net on each step, each behind a normalization and beside a shortcut. */

import type { Activation } from '../backend/kernels.js'
import { checkCount } from '../common/checks.js'
import { anything, checkOptions, count, decay, flag, readOptions, type Schema } from '../common/options.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { type Initializer, type InitializerName, initializing } from '../nn/initializer.js'
import { ShapedLayer } from '../nn/layer.js'
import { LayerNorm } from '../nn/layer-norm.js'
import type { LastAxis } from '../nn/layer-shapes.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import { activationNumber } from '../ops/activation.js'
import { add } from '../ops/elementwise.js'
import { STEPS_TO_TAKE, type StepsToTake } from '../ops/steps.js'
import type { Tensor, TensorLike } from '../tensor.js'
import type { KeyValueCache } from './cache.js'
import { MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head-attention.js'
import { RMSNorm } from './rms-norm.js'

/** The normalization in front of each part of a block: {@link LayerNorm} or {@link RMSNorm}. */
export type Normalization = 'layer' | 'rms'

/** @internal */
export const NORMALIZATIONS = ['layer', 'rms'] as const

/** Options of {@link TransformerBlock}. */
export interface TransformerBlockOptions extends ModuleOptions, Pick<MultiHeadAttentionOptions, 'causal' | 'rotary'> {
  /** Columns of the hidden layer. Default: 4 times the width. */
  hidden?: number
  /** The normalizations: `layer` or `rms`. Default `layer`. */
  normalization?: Normalization
  /** The function of the hidden layer. Default `gelu`, the exact one. */
  activation?: Activation
  /** Share of the numbers that each part drops in training before they are added to x. Default 0. */
  dropout?: number
  /** Adds biases. Default true. */
  bias?: boolean
  /** First weights. Default: those of {@link MultiHeadAttention} and {@link Dense}. */
  weightInitializer?: InitializerName | Initializer
  /** First weights of the two layers whose results are added to x. Default: those of `weightInitializer`. */
  outputInitializer?: InitializerName | Initializer
}

export const TRANSFORMER_BLOCK = {
  ...MODULE,
  hidden: { is: count },
  causal: { is: flag, default: false },
  rotary: { is: flag, default: false },
  normalization: { is: NORMALIZATIONS, default: 'layer' },
  activation: { is: anything, default: 'gelu' },
  dropout: { is: decay, default: 0 },
  bias: { is: flag, default: true },
  weightInitializer: { is: initializing },
  outputInitializer: { is: initializing },
} satisfies Schema<TransformerBlockOptions>

type BlockShapes<W extends number> = LastAxis<`TransformerBlock(${W})`, W, W>

/**
 * A block of a transformer over sequences x [rows, steps, width]: x ← x + attention(norm(x)), then x ← x + project(f(expand(norm(x)))), with
 * normalizations in front (Xiong et al. 2020), as in GPT-2.
 *
 * @example
 * const model = new Sequential([new SinusoidalPositions(8), new TransformerBlock(8, 2), new TransformerBlock(8, 2)])
 * model.predict(zeros([3, 5, 8])).shape // [3, 5, 8]
 * @throws RangeError for sizes that are not whole numbers, or a width that the heads do not divide; forward() throws ShapeError naming the layer
 */
export class TransformerBlock<const W extends number = number> extends ShapedLayer<BlockShapes<W>> {
  static override get name() {
    return 'TransformerBlock'
  }

  readonly norm1: LayerNorm | RMSNorm
  readonly attention: MultiHeadAttention
  readonly norm2: LayerNorm | RMSNorm
  readonly expand: Dense
  readonly project: Dense
  /** Drops numbers of both parts; null without `dropout`. */
  readonly drop: Dropout | null
  /** Options with their defaults. */
  readonly settings: Readonly<
    Required<Omit<TransformerBlockOptions, keyof ModuleOptions | 'weightInitializer' | 'outputInitializer'>> &
      Pick<TransformerBlockOptions, 'weightInitializer' | 'outputInitializer'>
  >

  constructor(
    /** Columns of x and of the result. */
    readonly width: W,
    /** Number of heads, which divides the width. */
    readonly heads: number,
    options: TransformerBlockOptions = {},
  ) {
    super(options)
    const read = readOptions('TransformerBlock', options, TRANSFORMER_BLOCK)
    checkCount('TransformerBlock: width', width)
    checkCount('TransformerBlock: heads', heads)
    activationNumber(read.activation, 'TransformerBlock')
    this.settings = Object.freeze({ ...read, hidden: read.hidden ?? 4 * width })
    const { hidden, causal, rotary, normalization, activation, dropout, bias, weightInitializer, outputInitializer } = this.settings
    const last = outputInitializer ?? weightInitializer
    const first = { bias, ...(weightInitializer !== undefined && { weightInitializer }) }
    this.norm1 = normOf(normalization, width)
    this.attention = new MultiHeadAttention<number>(width, heads, {
      ...{ ...first, causal, rotary },
      ...(last !== undefined && { outputInitializer: last }),
    })
    this.norm2 = normOf(normalization, width)
    this.expand = new Dense<number, number>(width, hidden, { ...first, activation })
    this.project = new Dense<number, number>(hidden, width, { bias, ...(last !== undefined && { weightInitializer: last }) })
    this.drop = dropout > 0 ? new Dropout(dropout) : null
  }

  override describe(): string {
    const { hidden, causal, rotary, normalization } = this.settings
    const more = `${causal ? ', causal' : ''}${rotary ? ', rotary' : ''}${normalization === 'rms' ? ', rms' : ''}`
    return `TransformerBlock(${this.width}, ${this.heads}, hidden ${hidden}${more})`
  }

  protected compute(x: Tensor): Tensor {
    return this.run(x)
  }

  /**
   * The same for sequences of different lengths: steps that do not count are not seen by any step.
   *
   * @example new TransformerBlock(4, 2).run(zeros([2, 5, 4]), { lengths: [5, 2] }).shape // [2, 5, 4]
   * @throws ShapeError, RangeError or TypeError naming the layer, for inputs, lengths or a mask that do not fit
   */
  run(x: TensorLike, options: StepsToTake = {}): Tensor {
    const steps = checkOptions(this.label(this.describe()), options, STEPS_TO_TAKE)
    return this.through(x, (normed) => this.attention.run(normed, steps))
  }

  /** @internal steps behind those of a cache */
  continue(x: Tensor, cache: KeyValueCache): Tensor {
    return this.through(x, (normed) => this.attention.continue(normed, cache))
  }

  private through(x: TensorLike, attention: (normed: Tensor) => Tensor): Tensor {
    this.build()
    const dropped = (t: Tensor) => (this.drop === null ? t : this.drop.forward(t))
    const middle = add(x, dropped(attention(this.norm1.forward(x as Tensor) as Tensor))) as Tensor
    const hidden = this.expand.forward(this.norm2.forward(middle) as Tensor) as Tensor
    return add(middle, dropped(this.project.forward(hidden) as Tensor)) as Tensor
  }
}

/** @internal */
export function normOf(normalization: Normalization, width: number): LayerNorm | RMSNorm {
  return normalization === 'rms' ? new RMSNorm<number>(width) : new LayerNorm<number>(width)
}

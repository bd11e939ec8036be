/** Attention with several heads. */

import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { anything, checkOptions, flag, readOptions, type Schema } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { type Initializer, type InitializerName, initializing } from '../nn/initializer.js'
import { ShapedLayer } from '../nn/layer.js'
import type { LastAxis } from '../nn/layer-shapes.js'
import { type BuildContext, MODULE, type ModuleOptions } from '../nn/module.js'
import { dense } from '../ops/dense.js'
import { slice } from '../ops/shape.js'
import { maskOf, STEPS_TO_TAKE, type StepsToTake } from '../ops/steps.js'
import type { Parameter } from '../parameter.js'
import { asFloats, type Tensor, type TensorLike } from '../tensor.js'
import { type AttentionCall, attend } from './attend.js'
import type { KeyValueCache } from './cache.js'
import { checkSizes, rotate } from './operations.js'

/** Options of {@link MultiHeadAttention}. */
export interface MultiHeadAttentionOptions extends ModuleOptions {
  /** A step sees no step after it. Default false. */
  causal?: boolean
  /** Turns queries and keys by their positions: see {@link rotaryEmbedding}. Default false. */
  rotary?: boolean
  /** Adds biases to queries, keys, values and results. Default true. */
  bias?: boolean
  /** First weights of queries, keys and values. Default `glorotUniform`. */
  weightInitializer?: InitializerName | Initializer
  /** First weights of the results. Default: those of `weightInitializer`. */
  outputInitializer?: InitializerName | Initializer
}

export const MULTI_HEAD_ATTENTION = {
  ...MODULE,
  causal: { is: flag, default: false },
  rotary: { is: flag, default: false },
  bias: { is: flag, default: true },
  weightInitializer: { is: initializing, default: 'glorotUniform' },
  outputInitializer: { is: initializing },
} satisfies Schema<MultiHeadAttentionOptions>

/** Options of the method `run` of {@link MultiHeadAttention}. The steps that do not count are not seen by any step. */
export interface AttentionRun extends StepsToTake {
  /** The vectors that give keys and values, [rows, keys, width] (cross-attention). Default: x itself. The mask, or the lengths, are those of `memory`. */
  memory?: TensorLike
}

export const ATTENTION_RUN = { ...STEPS_TO_TAKE, memory: { is: anything } } satisfies Schema<AttentionRun>

type AttentionShapes<W extends number> = LastAxis<`MultiHeadAttention(${W})`, W, W>

/**
 * Attention with several heads over sequences x [rows, steps, width] (Vaswani et al. 2017): queries, keys and values are x·W + b; each head attends with
 * `width / heads` columns of each ({@link scaledDotProductAttention}); the results of all heads, side by side, go through one more dense layer. Returns
 * [rows, steps, width].
 *
 * @example
 * const layer = new MultiHeadAttention(8, 2, { causal: true })
 * layer.predict(zeros([4, 5, 8])).shape // [4, 5, 8]
 * @throws RangeError for sizes that are not whole numbers, or a width that the heads do not divide; forward() throws ShapeError naming the layer
 */
export class MultiHeadAttention<const W extends number = number> extends ShapedLayer<AttentionShapes<W>> {
  static override get name() {
    return 'MultiHeadAttention'
  }

  /** Weights of queries, keys and values side by side [width, 3 · width]. */
  declare weight: Parameter
  /** Their biases [3 · width]; null with `bias: false`. */
  declare bias: Parameter | null
  /** Weights of the result [width, width]. */
  declare outputWeight: Parameter
  /** Its bias [width]; null with `bias: false`. */
  declare outputBias: Parameter | null
  /** Options with their defaults. */
  readonly settings: Readonly<MultiHeadAttentionOptions & Required<Pick<MultiHeadAttentionOptions, 'causal' | 'rotary' | 'bias'>>>

  constructor(
    /** Columns of x and of the result. */
    readonly width: W,
    /** Number of heads, which divides the width. */
    readonly heads: number,
    options: MultiHeadAttentionOptions = {},
  ) {
    super(options)
    this.settings = Object.freeze(readOptions('MultiHeadAttention', options, MULTI_HEAD_ATTENTION))
    checkCount('MultiHeadAttention: width', width)
    checkCount('MultiHeadAttention: heads', heads)
    if (width % heads !== 0) throw rangeError(`MultiHeadAttention: heads wants a number that divides the width ${width}, got ${heads}`)
    if (this.settings.rotary && (width / heads) % 2 === 1)
      throw rangeError(`MultiHeadAttention: rotary wants heads of an even width, got ${width / heads} columns each; choose other heads`)
  }

  protected override createParameters(context: BuildContext): void {
    const { width } = this
    const { bias, weightInitializer, outputInitializer = weightInitializer } = this.settings
    this.weight = this.makeParameter(context, 'weight', [width, 3 * width], weightInitializer)
    this.bias = bias ? this.makeParameter(context, 'bias', [3 * width]) : null
    this.outputWeight = this.makeParameter(context, 'outputWeight', [width, width], outputInitializer)
    this.outputBias = bias ? this.makeParameter(context, 'outputBias', [width]) : null
  }

  override describe(): string {
    const { causal, rotary } = this.settings
    return `MultiHeadAttention(${this.width}, ${this.heads}${causal ? ', causal' : ''}${rotary ? ', rotary' : ''})`
  }

  protected compute(x: Tensor): Tensor {
    return this.run(x)
  }

  /**
   * The same with sequences of different lengths, a mask, or keys and values of other vectors. Recorded for backpropagation unless under noGrad().
   *
   * @example
   * const layer = new MultiHeadAttention(4, 2)
   * layer.run(zeros([2, 5, 4]), { lengths: [5, 2] }).shape // [2, 5, 4]
   * layer.run(zeros([2, 5, 4]), { memory: zeros([2, 7, 4]) }).shape // [2, 5, 4]
   * @throws ShapeError, RangeError or TypeError naming the layer, for inputs, lengths, a mask or a memory that do not fit
   */
  run(x: TensorLike, options: AttentionRun = {}): Tensor {
    const { weight, bias, width, settings } = this.build()
    const name = this.label(this.describe())
    const { memory, ...steps } = checkOptions(name, options, ATTENTION_RUN)
    const from = this.sequences(name, x)
    if (memory === undefined) return this.attendWithin(name, this.turned(dense(from, weight, bias, 'linear', name), 0), steps, from)
    if (settings.causal || settings.rotary)
      throw rangeError(`${name}: memory wants a layer that is neither causal nor rotary: its steps have no order beside those of x`)
    const to = asFloats(memory, from.backend, `${name}: memory`)
    const [rows, queries] = from.shape
    if (to.rank !== 3 || to.shape[0] !== rows || to.shape[2] !== width)
      throw new ShapeError(`${name}: memory wants shape [${rows}, keys, ${width}], got ${formatShape(to.shape)}`)
    const part = (t: Tensor, first: number, last: number) => {
      const b = bias && (slice(bias, first * width, last * width) as Tensor)
      return dense(t, slice(weight, first * width, last * width, 1) as Tensor, b, 'linear', name)
    }
    const query = { tensor: part(from, 0, 1), from: 0 }
    const both = part(to, 1, 3)
    const sizes = { rows, queries, keys: to.shape[1], mask: maskOf(name, to, steps), causal: false }
    return this.result(name, { ...sizes, query, key: { tensor: both, from: 0 }, value: { tensor: both, from: width } })
  }

  /** @internal steps behind those of a cache, of one sequence [1, steps, width]; the cache has room for them */
  continue(x: Tensor, cache: KeyValueCache): Tensor {
    const { weight, bias } = this.build()
    const name = this.label(this.describe())
    const all = this.turned(dense(x, weight, bias, 'linear', name), cache.length)
    cache.append(all)
    const [key, value] = [cache.keys, cache.values].map((tensor) => ({ tensor, from: 0 }))
    const sizes = { rows: 1, queries: x.shape[1], keys: cache.length, mask: null, causal: this.settings.causal }
    return this.result(name, { ...sizes, query: { tensor: all, from: 0 }, key, value })
  }

  private sequences(name: string, value: TensorLike): Tensor {
    const x = asFloats(value, this.weight.backend, name)
    if (x.rank !== 3 || x.shape[2] !== this.width)
      throw new ShapeError(
        `${name}: wants inputs of shape [rows, steps, ${this.width}], got shape ${formatShape(x.shape)}${x.rank === 2 ? '; one sequence is a batch of one, [sequence]' : ''}`,
      )
    return x
  }

  /** Queries and keys turned by their positions, if the layer is rotary. */
  private turned(all: Tensor, first: number): Tensor {
    const { heads, width, settings } = this
    return settings.rotary ? rotate(all, { heads: 2 * heads, width: width / heads, first, base: 10_000 }) : all
  }

  /** Attention among steps, from their queries, keys and values side by side. */
  private attendWithin(name: string, all: Tensor, steps: StepsToTake, x: Tensor): Tensor {
    const [rows, count] = x.shape
    const [query, key, value] = [0, 1, 2].map((part) => ({ tensor: all, from: part * this.width }))
    const sizes = { rows, queries: count, keys: count, mask: maskOf(name, x, steps), causal: this.settings.causal }
    return this.result(name, { ...sizes, query, key, value })
  }

  private result(name: string, call: Omit<AttentionCall, 'heads' | 'width' | 'valueWidth' | 'name'>): Tensor {
    const { heads, width, outputWeight, outputBias } = this
    checkSizes(name, { width, ...call })
    const sizes = { heads, width: width / heads, valueWidth: width / heads, name }
    return dense(attend({ ...call, ...sizes }), outputWeight, outputBias, 'linear', name)
  }
}

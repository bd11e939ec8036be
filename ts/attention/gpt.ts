/** A language model: which token comes next. */

import { rangeError, ShapeError } from '../common/errors.js'
import { count, decay, flag, readOptions, type Schema } from '../common/options.js'
import { formatShape, sameShape } from '../common/shape.js'
import { crossEntropy } from '../loss/classification.js'
import { builtIn, checkPrediction, type LossOptions } from '../loss/loss.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { Embedding } from '../nn/embedding.js'
import { normal } from '../nn/initializer.js'
import { Layer } from '../nn/layer.js'
import type { LayerNorm } from '../nn/layer-norm.js'
import { MODULE, type ModuleOptions } from '../nn/module.js'
import { matmul } from '../ops/matmul.js'
import { reshape, slice } from '../ops/shape.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'
import { KeyValueCache } from './cache.js'
import { LearnedPositions, SinusoidalPositions } from './positions.js'
import type { RMSNorm } from './rms-norm.js'
import { NORMALIZATIONS, type Normalization, normOf, TransformerBlock } from './transformer-block.js'

/** The way in which a {@link GPT} knows the order of tokens: {@link LearnedPositions}, {@link SinusoidalPositions}, or {@link rotaryEmbedding}. */
export type PositionKind = 'learned' | 'sinusoidal' | 'rotary'

/** @internal */
const POSITION_KINDS = ['learned', 'sinusoidal', 'rotary'] as const

/** Sizes and options of a {@link GPT}. */
export interface GPTOptions extends ModuleOptions {
  /** Number of tokens: they are whole numbers from 0 to vocabulary − 1. */
  vocabulary: number
  /** Largest number of tokens that it sees at once. */
  context: number
  /** Columns of a token's vector. */
  width: number
  /** Heads of a block, which divide the width. */
  heads: number
  /** Number of blocks. */
  blocks: number
  /** Columns of the hidden layer of a block. Default: 4 times the width. */
  hidden?: number
  /** Default `learned`. */
  positions?: PositionKind
  /** Default `layer`. */
  normalization?: Normalization
  /** The table of vectors is the weight of the output, too (Press & Wolf 2017). Default true. */
  tied?: boolean
  /** Adds biases to the dense layers of blocks. Default true. */
  bias?: boolean
  /** Share of numbers that are dropped in training, of the first vectors and of each part of a block. Default 0. */
  dropout?: number
}

export const GPT_OPTIONS = {
  ...MODULE,
  vocabulary: { is: count, required: true, aka: ['vocab_size', 'vocabSize'] },
  context: { is: count, required: true, aka: ['block_size', 'n_positions', 'blockSize'] },
  width: { is: count, required: true, aka: ['n_embd', 'd_model'] },
  heads: { is: count, required: true, aka: ['n_head', 'nhead'] },
  blocks: { is: count, required: true, aka: ['n_layer', 'num_layers', 'layers'] },
  hidden: { is: count, aka: ['dim_feedforward'] },
  positions: { is: POSITION_KINDS, default: 'learned' },
  normalization: { is: NORMALIZATIONS, default: 'layer' },
  tied: { is: flag, default: true },
  bias: { is: flag, default: true },
  dropout: { is: decay, default: 0 },
} satisfies Schema<GPTOptions>

/**
 * A language model in the manner of GPT-2 (Radford et al. 2019): tokens [rows, steps] become logits of the next token, [rows, steps, vocabulary]. Train
 * it by {@link nextTokenLoss}; {@link generate} continues a text.
 *
 * First weights are normal with standard deviation 0.02, and those of layers that are added to the vectors 0.02 / √(2 · blocks); biases are 0.
 *
 * @example
 * const model = new GPT({ vocabulary: 65, context: 32, width: 16, heads: 2, blocks: 1 })
 * model.predict(Int32Array.of(3, 1, 4)).shape // [3, 65]
 * model.predict([[3, 1], [4, 1]]).shape // [2, 2, 65]
 * @throws RangeError for sizes that are not whole numbers, or a width that the heads do not divide; forward() throws RangeError for a token outside
 *   the vocabulary, ShapeError for more tokens than the context
 */
export class GPT extends Layer {
  static override get name() {
    return 'GPT'
  }

  readonly embedding: Embedding
  readonly positions: LearnedPositions | SinusoidalPositions | null
  readonly drop: Dropout | null
  readonly blocks: readonly TransformerBlock[]
  readonly norm: LayerNorm | RMSNorm
  /** The output; null if it is tied to the embedding. */
  readonly head: Dense | null
  /** Sizes and options with their defaults. */
  readonly settings: Readonly<Required<Omit<GPTOptions, keyof ModuleOptions>>>

  constructor(options: GPTOptions) {
    super(options)
    const read = readOptions('GPT', options, GPT_OPTIONS)
    if (read.width % read.heads !== 0) throw rangeError(`GPT: heads wants a number that divides the width ${read.width}, got ${read.heads}`)
    this.settings = Object.freeze({ ...read, hidden: read.hidden ?? 4 * read.width })
    const { vocabulary, context, width, heads, blocks, hidden, positions, normalization, tied, bias, dropout } = this.settings
    const weightInitializer = normal(0, 0.02)
    this.embedding = new Embedding(vocabulary, width, { weightInitializer })
    this.positions =
      positions === 'learned'
        ? new LearnedPositions<number>(context, width)
        : positions === 'sinusoidal'
          ? new SinusoidalPositions<number>(width)
          : null
    this.drop = dropout > 0 ? new Dropout(dropout) : null
    const block = {
      ...{ hidden, causal: true, rotary: positions === 'rotary', normalization, bias, dropout, weightInitializer },
      outputInitializer: normal(0, 0.02 / Math.sqrt(2 * blocks)),
    }
    this.blocks = Object.freeze(Array.from({ length: blocks }, () => new TransformerBlock<number>(width, heads, block)))
    this.norm = normOf(normalization, width)
    this.head = tied ? null : new Dense<number, number>(width, vocabulary, { bias: false, weightInitializer })
  }

  override describe(): string {
    const { vocabulary, context, width, heads, blocks } = this.settings
    return `GPT(vocabulary ${vocabulary}, context ${context}, ${blocks} blocks of ${width} with ${heads} heads)`
  }

  forward(tokens: TensorLike): Tensor {
    const given = asTensor(tokens, this.build().backend, this.label('GPT'))
    const logits = this.logits(this.vectors(this.rowsOf(given), 0, (block, y) => block.forward(y) as Tensor))
    return reshape(logits, [...given.shape, this.settings.vocabulary]) as Tensor
  }

  /** @internal the logits after the last of some tokens [steps] of one sequence, which continue those of the caches */
  next(tokens: Int32Array, caches: readonly KeyValueCache[]): Tensor {
    const x = Tensor.onHost(this.backend, [1, tokens.length], tokens)
    let at = 0
    const y = this.vectors(x, caches[0].length, (block, y) => block.continue(y, caches[at++]))
    return this.logits(slice(y, tokens.length - 1, tokens.length, 1) as Tensor)
  }

  /** @internal empty caches for {@link next}, one for each block */
  makeCaches(): KeyValueCache[] {
    const { context, width } = this.settings
    return this.blocks.map(() => new KeyValueCache(this.backend, context, width))
  }

  /** Tokens [rows, steps]; one sequence [steps] is a row. */
  private rowsOf(given: Tensor): Tensor {
    const name = this.label('GPT')
    const x = given.rank === 1 ? (reshape(given, [1, given.size]) as Tensor) : given
    if (x.rank !== 2 || x.shape[1] === 0)
      throw new ShapeError(`${name}: wants tokens of shape [rows, steps] with at least one step, got shape ${formatShape(given.shape)}`)
    const { context } = this.settings
    if (x.shape[1] > context)
      throw new ShapeError(
        `${name}: wants at most ${context} tokens (context), got ${x.shape[1]}; cut the sequences, or make the context longer`,
      )
    return x
  }

  /** The vectors behind the last block. */
  private vectors(tokens: Tensor, first: number, through: (block: TransformerBlock, x: Tensor) => Tensor): Tensor {
    let x = this.embedding.forward(tokens)
    if (this.positions !== null) x = this.positions.from(x, first)
    if (this.drop !== null) x = this.drop.forward(x)
    for (const block of this.blocks) x = through(block, x)
    return x
  }

  private logits(x: Tensor): Tensor {
    const y = this.norm.forward(x) as Tensor
    return this.head === null ? (matmul(y, this.embedding.weight, { transposeB: true }) as Tensor) : (this.head.forward(y) as Tensor)
  }
}

/**
 * The cross-entropy of next tokens: the mean over all steps of −log softmax(logits)[token], for logits [rows, steps, vocabulary] and tokens
 * [rows, steps], those that follow each step.
 *
 * @example nextTokenLoss(zeros([2, 3, 4]), zeros([2, 3])).item() // 1.386294, log 4
 * @throws ShapeError unless there is a token for each step, RangeError naming a token outside the vocabulary
 */
export const nextTokenLoss = /* @__PURE__ */ builtIn(
  'nextTokenLoss',
  (logits: Tensor, tokens: TensorLike, options: LossOptions = {}): Tensor<[]> => {
    const target = asTensor(tokens, checkPrediction('nextTokenLoss', logits).backend, 'nextTokenLoss')
    const steps = logits.shape.slice(0, -1)
    const vocabulary = logits.shape.at(-1) ?? 0
    if (logits.rank !== 3 || !sameShape(target.shape, steps))
      throw new ShapeError(
        `nextTokenLoss: wants logits [rows, steps, vocabulary] and tokens [rows, steps], got ${formatShape(logits.shape)} and ${formatShape(target.shape)}`,
      )
    if (options.weights !== undefined) throw rangeError('nextTokenLoss: takes no weights of rows; use crossEntropy on reshaped logits')
    return crossEntropy(reshape(logits, [target.size, vocabulary]) as Tensor, reshape(target, [target.size]) as Tensor, options)
  },
  { takes: (targets) => targets.dtype === 'int32', checksTargets: true, takesLogits: true },
)

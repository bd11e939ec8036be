/** The layers of this room in model files: importing `gradus/attention` is enough to read a file with them. */
import type { Activation } from '../backend/kernels.js'
import type { Shape } from '../common/shape.js'
import { type LayerConfig, layerInFiles, registerLayers } from '../files/kinds.js'
import * as exported from './exports.js'
import { GPT, type PositionKind } from './gpt.js'
import { MultiHeadAttention } from './multi-head-attention.js'
import { LearnedPositions, SinusoidalPositions } from './positions.js'
import { RMSNorm } from './rms-norm.js'
import { type Normalization, TransformerBlock } from './transformer-block.js'

type Shapes = Readonly<Record<string, Shape>>

/** Shapes of a part, under its name. */
const under = (name: string, shapes: Shapes): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([own, shape]) => [`${name}.${own}`, shape]))

const denseShapes = (inputs: number, outputs: number, bias: boolean): Shapes => ({
  weight: [inputs, outputs],
  ...(bias && { bias: [outputs] }),
})

const normShapes = (normalization: Normalization, width: number): Shapes => ({
  weight: [width],
  ...(normalization === 'layer' && { bias: [width] }),
})

const attentionShapes = (width: number, bias: boolean): Shapes => ({
  ...{ ...denseShapes(width, 3 * width, bias), outputWeight: [width, width] },
  ...(bias && { outputBias: [width] }),
})

interface BlockSizes {
  width: number
  hidden: number
  normalization: Normalization
  bias: boolean
}

const blockShapes = ({ width, hidden, normalization, bias }: BlockSizes): Shapes => ({
  ...under('norm1', normShapes(normalization, width)),
  ...under('attention', attentionShapes(width, bias)),
  ...under('norm2', normShapes(normalization, width)),
  ...under('expand', denseShapes(width, hidden, bias)),
  ...under('project', denseShapes(hidden, width, bias)),
})

type AttentionConfig = LayerConfig & { width: number; heads: number; causal: boolean; rotary: boolean; bias: boolean }
type BlockConfig = AttentionConfig & { hidden: number; normalization: Normalization; activation: Activation; dropout: number }
type GPTConfig = LayerConfig &
  BlockSizes & {
    vocabulary: number
    context: number
    heads: number
    blocks: number
    positions: PositionKind
    tied: boolean
    dropout: number
  }

/** One block after the other: the number in a stranger's file may be any. */
function* gptShapes({
  vocabulary,
  context,
  width,
  blocks,
  positions,
  normalization,
  tied,
  ...block
}: GPTConfig): Iterable<[string, Shape]> {
  yield ['embedding.weight', [vocabulary, width]]
  if (positions === 'learned') yield ['positions.weight', [context, width]]
  for (let i = 0; i < blocks; i++) yield* Object.entries(under(`blocks.${i}`, blockShapes({ width, normalization, ...block })))
  yield* Object.entries(under('norm', normShapes(normalization, width)))
  if (!tied) yield ['head.weight', [width, vocabulary]]
}

/** The weights come from the file. */
const UNFILLED = { weightInitializer: 'zeros' } as const

registerLayers([
  layerInFiles<MultiHeadAttention, AttentionConfig>('MultiHeadAttention', MultiHeadAttention, {
    exports: exported.attentionExports,
    save: ({ width, heads, settings: { causal, rotary, bias } }) => ({ width, heads, causal, rotary, bias }),
    names: ['width', 'heads', 'causal', 'rotary', 'bias'],
    load: ({ width, heads, ...options }, more) => new MultiHeadAttention<number>(width, heads, { ...options, ...UNFILLED, ...more }),
    shapes: ({ width, bias }) => attentionShapes(width, bias),
  }),
  layerInFiles<TransformerBlock, BlockConfig>('TransformerBlock', TransformerBlock, {
    exports: exported.blockExports,
    save: ({ width, heads, settings: { hidden, causal, rotary, normalization, activation, dropout, bias } }) => {
      return { width, heads, hidden, causal, rotary, normalization, activation, dropout, bias }
    },
    names: ['width', 'heads', 'hidden', 'causal', 'rotary', 'normalization', 'activation', 'dropout', 'bias'],
    load: ({ width, heads, ...options }, more) => new TransformerBlock<number>(width, heads, { ...options, ...UNFILLED, ...more }),
    shapes: blockShapes,
  }),
  layerInFiles<RMSNorm, LayerConfig & { width: number; epsilon: number }>('RMSNorm', RMSNorm, {
    exports: exported.rmsNormExports,
    names: ['width', 'epsilon'],
    load: ({ width, epsilon }, more) => new RMSNorm<number>(width, { epsilon, ...more }),
    shapes: ({ width }) => ({ weight: [width] }),
  }),
  layerInFiles<LearnedPositions, LayerConfig & { context: number; width: number }>('LearnedPositions', LearnedPositions, {
    exports: exported.learnedPositionsExports,
    names: ['context', 'width'],
    load: ({ context, width }, more) => new LearnedPositions<number>(context, width, { ...UNFILLED, ...more }),
    shapes: ({ context, width }) => ({ weight: [context, width] }),
  }),
  layerInFiles<SinusoidalPositions, LayerConfig & { width: number }>('SinusoidalPositions', SinusoidalPositions, {
    exports: exported.sinusoidalPositionsExports,
    names: ['width'],
    load: ({ width }, more) => new SinusoidalPositions<number>(width, more),
  }),
  layerInFiles<GPT, GPTConfig>('GPT', GPT, {
    exports: exported.gptExports,
    save: ({ settings }) => {
      const { vocabulary, context, width, heads, blocks, hidden, positions, normalization, tied, bias, dropout } = settings
      return { vocabulary, context, width, heads, blocks, hidden, positions, normalization, tied, bias, dropout }
    },
    names: [
      ...(['vocabulary', 'context', 'width', 'heads', 'blocks', 'hidden', 'positions', 'normalization'] as const),
      ...(['tied', 'bias', 'dropout'] as const),
    ],
    load: (config, more) => new GPT({ ...config, ...more }),
    shapes: gptShapes,
  }),
])

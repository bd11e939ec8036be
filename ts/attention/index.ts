/**
 * Attention: {@link MultiHeadAttention}, {@link TransformerBlock}, positions, and {@link GPT}, a language model.
 *
 * @module gradus/attention
 */
export type { StepsToTake } from '../ops/steps.js'

import './files.js' // registers the layers with model files

export { type GenerateOptions, generate } from './generate.js'
export { GPT, type GPTOptions, nextTokenLoss, type PositionKind } from './gpt.js'
export { type MaskedSoftmaxOptions, maskedSoftmax } from './masked-softmax.js'
export { type AttentionRun, MultiHeadAttention, type MultiHeadAttentionOptions } from './multi-head-attention.js'
export { type AttentionOptions, type RotaryOptions, rotaryEmbedding, scaledDotProductAttention } from './operations.js'
export { LearnedPositions, type LearnedPositionsOptions, SinusoidalPositions } from './positions.js'
export { RMSNorm, type RMSNormOptions } from './rms-norm.js'
export { type Normalization, TransformerBlock, type TransformerBlockOptions } from './transformer-block.js'
export { loadTorchWeights, type TorchPlace, torchWeights } from './weights.js'

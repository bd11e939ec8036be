/**
 * `gradus/text`: tokens of texts, and batches of them.
 * @module gradus/text
 */
export type { Source } from '../data/index.js'
export {
  type BatchPlace,
  type BucketOptions,
  bucketBatches,
  type NextTokenOptions,
  nextTokenRows,
  type PaddedTokens,
  type PadOptions,
  padTokens,
  type StepMaskOptions,
  stepMask,
  type TokenBatch,
  type TokenSequences,
} from './batches.js'
export type { VocabularyFiles } from './hugging-face.js'
export { type ReadTextOptions, readText, streamText } from './read-text.js'
export { type ReadTokenizerOptions, readTokenizer } from './read-tokenizer.js'
export type { TextNormalization, TokenizerKind } from './split.js'
export { type DecodeOptions, type EncodeOptions, Tokenizer } from './tokenizer.js'
export { type TrainTokenizerOptions, trainTokenizer } from './train-tokenizer.js'

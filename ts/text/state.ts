/** The contents of a tokenizer. */
import { type Merge, pairOf } from './merges.js'
import type { TextNormalization, TokenizerKind } from './split.js'

/** @internal Most tokens of a vocabulary. */
export const MAX_TOKENS = 2 ** 24

/** @internal the contents of a {@link Tokenizer} */
export interface TokenizerState {
  kind: TokenizerKind
  /** Tokens by their numbers. */
  vocabulary: readonly string[]
  /** Merges by their pair. */
  merges: ReadonlyMap<number, Merge>
  /** Tokens that stand for no text. */
  special: readonly string[]
  /** The token of text outside the vocabulary; null if such text is an error. */
  unknown: string | null
  normalize: TextNormalization | null
  lowerCase: boolean
}

/** @internal merges by their pairs, whose tokens the vocabulary has */
export function mergesOf(vocabulary: readonly string[], pairs: readonly (readonly [string, string])[]): Map<number, Merge> {
  const ids = new Map(vocabulary.map((token, id) => [token, id]))
  const id = (token: string) => ids.get(token) as number
  return new Map(pairs.map(([left, right], rank) => [pairOf(id(left), id(right)), { rank, token: id(left + right) }]))
}

/** Files of Hugging Face's `tokenizers`: `tokenizer.json`, and the older pair `vocab.json` and `merges.txt`. */
import { rangeError } from '../common/errors.js'
import { shortened, show } from '../common/show.js'
import { tokensOf } from './merges.js'
import { SPACE, type TokenizerKind } from './split.js'
import type { TokenizerState } from './state.js'

/** The texts of `vocab.json` and `merges.txt`, the files of GPT-2's tokenizer. */
export interface VocabularyFiles {
  /** Text of `vocab.json`: an object with the number of each token. */
  vocabulary: string
  /** Text of `merges.txt`: a line for each merged pair, the first merge first. */
  merges: string
}

/** @internal the parts of `tokenizer.json` that are not its vocabulary, for each kind */
export const PARTS: Readonly<Record<TokenizerKind, { model: 'BPE' | 'WordLevel'; splitter: object; decoder: object | null }>> = {
  characters: {
    model: 'WordLevel',
    splitter: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
    decoder: { type: 'Fuse' },
  },
  words: { model: 'WordLevel', splitter: { type: 'Whitespace' }, decoder: null },
  bpe: {
    model: 'BPE',
    splitter: { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'never', split: true },
    decoder: { type: 'Metaspace', replacement: SPACE, prepend_scheme: 'never', split: true },
  },
  byteBpe: {
    model: 'BPE',
    splitter: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  },
}

/** The pairs of merges by their ranks. */
function pairsOf({ merges, vocabulary }: TokenizerState): [string, string][] {
  const sorted = [...merges].sort(([, a], [, b]) => a.rank - b.rank)
  return sorted.map(([pair]) => tokensOf(pair).map((id) => vocabulary[id]) as [string, string])
}

const numbered = (vocabulary: readonly string[]) => Object.fromEntries(vocabulary.map((token, id) => [token, id]))

/** A name of no token: WordLevel wants one for text outside the vocabulary, and raises an error for it. */
function missingFrom(vocabulary: readonly string[]): string {
  let name = '<unk>'
  while (vocabulary.includes(name)) name = `<${name}>`
  return name
}

/** @internal */
export function tokenizerJson(state: TokenizerState): string {
  const { kind, vocabulary, special, unknown, normalize, lowerCase } = state
  const { model, splitter, decoder } = PARTS[kind]
  const normalizers = [...(normalize === null ? [] : [{ type: normalize as string }]), ...(lowerCase ? [{ type: 'Lowercase' }] : [])]
  const vocab = numbered(vocabulary)
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      ...{ id: vocabulary.indexOf(content), content, single_word: false, lstrip: false, rstrip: false },
      ...{ normalized: false, special: true },
    })),
    normalizer: normalizers.length > 1 ? { type: 'Sequence', normalizers } : (normalizers[0] ?? null),
    pre_tokenizer: splitter,
    post_processor: null,
    decoder,
    model:
      model === 'WordLevel'
        ? { type: model, vocab, unk_token: unknown ?? missingFrom(vocabulary) }
        : {
            ...{ type: model, dropout: null, unk_token: unknown, continuing_subword_prefix: null, end_of_word_suffix: null },
            ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges: pairsOf(state) },
          },
  })
}

/** @internal @throws RangeError for a kind without merges */
export function vocabularyFiles(state: TokenizerState): VocabularyFiles {
  if (PARTS[state.kind].model !== 'BPE')
    throw rangeError(`toFiles: a tokenizer of ${state.kind} has no merges, which vocab.json and merges.txt are for; toJson writes any kind`)
  const pairs = pairsOf(state)
  const unfit = pairs.flat().find((token) => /\s/u.test(token))
  if (unfit !== undefined)
    throw rangeError(
      `toFiles: the token ${show(shortened(unfit))} has white space, which merges.txt cannot hold; toJson writes any, and so does kind: 'byteBpe'`,
    )
  return {
    vocabulary: JSON.stringify(numbered(state.vocabulary)),
    merges: `#version: 0.2\n${pairs.map((pair) => `${pair.join(' ')}\n`).join('')}`,
  }
}

/** A tokenizer from texts. */
import { rangeError, typeError } from '../common/errors.js'
import { array, count, flag, readOptions, type Schema, text } from '../common/options.js'
import { Pacer } from '../common/pacer.js'
import { show } from '../common/show.js'
import {
  BYTE_ALPHABET,
  byCodePoints,
  lowerCase as lowered,
  NORMALIZATIONS,
  SPLITTERS,
  type TextNormalization,
  TOKENIZER_KINDS,
  type TokenizerKind,
} from './split.js'
import { MAX_TOKENS, mergesOf } from './state.js'
import { checkText, Tokenizer } from './tokenizer.js'
import { trainMerges } from './train-merges.js'

/** Options of {@link trainTokenizer}. */
export interface TrainTokenizerOptions {
  /**
   * The tokens: `byteBpe`, frequent strings of bytes within words, as in GPT-2, which know every text; `bpe`, frequent strings of characters, with `▁`
   * for a space; `words`, runs of letters and digits, and of other characters between spaces; or `characters`. Default `byteBpe`.
   */
  kind?: TokenizerKind
  /**
   * Largest number of tokens, special ones included. Default: 8,000 for `bpe` and `byteBpe`, and all for words and characters, of which the most
   * frequent are kept.
   */
  vocabulary?: number
  /** Least number of times that a word, a character or a merged pair occurs in the texts. Default 1. */
  minCount?: number
  /** Names of tokens that stand for no text, such as `<pad>` or `<end>`: tokens 0, 1, … Default: none. */
  special?: readonly string[]
  /** The special token of text outside the vocabulary; it is put behind the others unless `special` has it. Default: none, such text is an error. */
  unknown?: string
  /** Makes texts lower case. Default false. */
  lowerCase?: boolean
  /** Unicode normalization of texts. Default: none. */
  normalize?: TextNormalization
}

export const TRAIN_TOKENIZER = {
  kind: { is: TOKENIZER_KINDS, default: 'byteBpe' },
  vocabulary: { is: count, aka: ['vocab_size', 'vocabSize', 'vocabularySize', 'size', 'maxTokens', 'num_words'] },
  minCount: { is: count, default: 1, aka: ['min_frequency', 'minFrequency'] },
  special: { is: array, default: [], aka: ['special_tokens', 'specialTokens'] },
  unknown: { is: text, aka: ['unk_token', 'unkToken'] },
  lowerCase: { is: flag, default: false, aka: ['lowercase'] },
  normalize: { is: NORMALIZATIONS },
} satisfies Schema<TrainTokenizerOptions>

/** Tokens of `bpe` and `byteBpe` by default. */
const VOCABULARY = 8000

/**
 * Makes a tokenizer from texts. The same texts give the same tokens, those of Hugging Face's `tokenizers`: `BpeTrainer` with `ByteLevel` or `Metaspace`,
 * `WordLevelTrainer` with `Whitespace`. Words that are equally frequent come in the order of their code points.
 *
 * @param texts a text, or many, one after the other; no token spans two of them
 * @example
 * const tokenizer = await trainTokenizer(['a cat and a dog', 'a dog'], { kind: 'words', special: ['<pad>'], unknown: '<unk>' })
 * tokenizer.vocabulary // ['<pad>', '<unk>', 'a', 'dog', 'and', 'cat']
 * tokenizer.encode('a cow') // [2, 1]
 * @throws RangeError if the texts are empty, or if the vocabulary is smaller than the alphabet; TypeError naming a text that is none
 */
export async function trainTokenizer(
  texts: string | Iterable<string> | AsyncIterable<string>,
  options: TrainTokenizerOptions = {},
): Promise<Tokenizer> {
  const who = 'trainTokenizer'
  const { kind, minCount, lowerCase, normalize = null, ...given } = readOptions(who, options, TRAIN_TOKENIZER)
  const { special, unknown } = specialOf(given.special, given.unknown)
  const counts = new Map<string, number>()
  const pacer = new Pacer()
  let index = 0
  for await (const one of listed(texts)) {
    checkText(who, one, typeof texts === 'string' ? '' : `text ${index}: `)
    const normal = normalize === null ? one : one.normalize(normalize)
    for (const piece of SPLITTERS[kind].split(lowerCase ? lowered(normal) : normal)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
    if (pacer.isDue) await pacer.pause()
    index++
  }
  if (counts.size === 0)
    throw rangeError(
      `${who}: texts have no ${kind === 'words' ? 'words' : 'characters'}; give a text, or a list of texts to learn tokens from`,
    )
  const merging = kind === 'bpe' || kind === 'byteBpe'
  const size = given.vocabulary ?? (merging ? VOCABULARY : MAX_TOKENS)
  if (size > MAX_TOKENS) throw rangeError(`${who}: vocabulary wants at most ${MAX_TOKENS} tokens, got ${size}`)
  const state = { kind, special, unknown, normalize, lowerCase }
  const word = special.find((name) => (kind === 'words' ? counts.has(name) : [...name].length === 1))
  if (word !== undefined)
    throw rangeError(
      `${who}: special wants names that no text has as a ${kind === 'words' ? 'word' : 'character'}, got ${show(word)}; take '<pad>', for example`,
    )
  if (!merging) {
    if (size <= special.length)
      throw rangeError(`${who}: vocabulary wants more than the ${special.length} special tokens, got ${size}; make it larger`)
    const vocabulary = frequent(counts, special, size, minCount)
    if (vocabulary.length === special.length)
      throw rangeError(
        `${who}: none of the ${counts.size} ${kind} occurs ${minCount} times (minCount); make it smaller, or give more texts`,
      )
    return new Tokenizer({ ...state, vocabulary, merges: new Map() })
  }
  const alphabet = kind === 'byteBpe' ? [...BYTE_ALPHABET] : alphabetOf(counts)
  const vocabulary = [...special, ...alphabet.sort(byCodePoints)]
  if (vocabulary.length > size)
    throw rangeError(
      `${who}: vocabulary wants at least ${vocabulary.length} tokens, for ${vocabulary.length - special.length} ${kind === 'byteBpe' ? 'bytes' : 'characters of the texts'} and ${special.length} special tokens, got ${size}${kind === 'bpe' && size >= 256 + special.length ? "; kind: 'byteBpe' has an alphabet of 256" : '; make it larger'}`,
    )
  const pairs = await trainMerges(counts, vocabulary, { size, minCount, special })
  return new Tokenizer({ ...state, vocabulary, merges: mergesOf(vocabulary, pairs) })
}

/** @throws TypeError, RangeError for names of special tokens that are none, or that repeat */
function specialOf(names: readonly unknown[], unknown: string | undefined): { special: string[]; unknown: string | null } {
  const special: string[] = []
  for (const [i, name] of names.entries()) {
    const at = `special[${i}]: `
    checkText('trainTokenizer', name, at)
    if (name === '') throw rangeError(`trainTokenizer: ${at}wants a name of at least one character, got ''`)
    if (special.includes(name)) throw rangeError(`trainTokenizer: ${at}${show(name)} is there already`)
    special.push(name)
  }
  if (unknown === undefined) return { special, unknown: null }
  checkText('trainTokenizer', unknown, 'unknown: ')
  if (unknown === '') throw rangeError("trainTokenizer: unknown wants a name of at least one character, got ''")
  if (!special.includes(unknown)) special.push(unknown)
  return { special, unknown }
}

async function* listed(texts: string | Iterable<string> | AsyncIterable<string>): AsyncGenerator<string, void, void> {
  if (typeof texts === 'string') yield texts
  else if (isIterable(texts)) yield* texts
  else
    throw typeError(
      `trainTokenizer: texts wants a text or many, got ${show(texts)}${(texts as unknown) instanceof ArrayBuffer ? '; readText makes text of bytes' : ''}`,
    )
}

function isIterable(value: unknown): value is Iterable<string> | AsyncIterable<string> {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

/** All characters of words. */
function alphabetOf(counts: ReadonlyMap<string, number>): string[] {
  const characters = new Set<string>()
  for (const word of counts.keys()) for (const character of word) characters.add(character)
  return [...characters]
}

/** The most frequent words behind the special tokens. */
function frequent(counts: ReadonlyMap<string, number>, special: readonly string[], size: number, minCount: number): string[] {
  const kept = [...counts].filter(([, n]) => n >= minCount)
  kept.sort(([a, n], [b, m]) => m - n || byCodePoints(a, b))
  return [...special, ...kept.map(([word]) => word)].slice(0, size)
}

/** Texts as tokens, and back. */
import { rangeError, typeError } from '../common/errors.js'
import { checkOptions, flag, type Schema } from '../common/options.js'
import { shortened, show } from '../common/show.js'
import { tokenizerJson, type VocabularyFiles, vocabularyFiles } from './hugging-face.js'
import { mergeAll } from './merges.js'
import { lowerCase, SPLITTERS, type TokenizerKind } from './split.js'
import type { TokenizerState } from './state.js'

/** Options of `encode` of a {@link Tokenizer}. */
export interface EncodeOptions {
  /** Takes the names of special tokens within the text for these tokens. Default false: they are text like any other. */
  special?: boolean
}

/** Options of `decode` of a {@link Tokenizer}. */
export interface DecodeOptions {
  /** Writes special tokens into the text, by their names. Default true; false leaves them out. */
  special?: boolean
}

export const ENCODE_TEXT = { special: { is: flag } } satisfies Schema<EncodeOptions>
export const DECODE_TOKENS = { special: { is: flag } } satisfies Schema<DecodeOptions>

/** Number of words whose tokens are remembered. */
const REMEMBERED = 1 << 16
/** Characters of the longest word that is remembered. */
const LONGEST_REMEMBERED = 64

/**
 * Turns texts into tokens, whole numbers from 0 to `size` − 1, and tokens into texts. {@link trainTokenizer} makes one from texts, {@link readTokenizer}
 * from a file. The tokens are those of Hugging Face's `tokenizers` with the same vocabulary.
 *
 * @example
 * const tokenizer = await trainTokenizer(['low lower lowest'], { kind: 'bpe', vocabulary: 12 })
 * tokenizer.encode('lower').length // 3
 * tokenizer.decode(tokenizer.encode('lower')) // 'lower'
 */
export class Tokenizer {
  /** Tokens by their numbers. Those of `byteBpe` have a printable character for each byte; `▁` in those of `bpe` is a space. */
  readonly vocabulary: readonly string[]
  /** Names of the special tokens: they stand for no text. */
  readonly special: readonly string[]
  readonly #state: TokenizerState
  readonly #ids: ReadonlyMap<string, number>
  readonly #unknown: number
  readonly #specials: ReadonlySet<number>
  readonly #named: RegExp | null
  readonly #words = new Map<string, readonly number[]>()

  /** @internal */
  constructor(state: TokenizerState) {
    this.#state = state
    this.vocabulary = Object.freeze([...state.vocabulary])
    this.special = Object.freeze([...state.special])
    this.#ids = new Map(state.vocabulary.map((token, id) => [token, id]))
    this.#unknown = state.unknown === null ? -1 : (this.#ids.get(state.unknown) as number)
    this.#specials = new Set(state.special.map((name) => this.#ids.get(name) as number))
    // the longest name first, where one begins like another
    const names = [...state.special].sort((a, b) => b.length - a.length).map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'))
    this.#named = names.length === 0 ? null : new RegExp(`(${names.join('|')})`, 'u')
  }

  /** `characters`, `words`, `bpe` or `byteBpe`. */
  get kind(): TokenizerKind {
    return this.#state.kind
  }

  /** Number of tokens: the `vocabulary` of a `GPT`, the `count` of an `Embedding`. */
  get size(): number {
    return this.vocabulary.length
  }

  /**
   * The number of a token, such as a special one.
   * @throws RangeError for a token that the vocabulary does not have
   */
  idOf(token: string): number {
    const id = this.#ids.get(token)
    if (id === undefined) throw rangeError(`idOf: wants a token of the vocabulary, got ${show(token)}${this.#specialNames()}`)
    return id
  }

  /**
   * The tokens of a text. `words` leaves out white space; the other kinds keep every character.
   *
   * @throws TypeError for anything but a text; RangeError naming the position of a character outside the vocabulary, if there is no token `unknown`, and
   *   of half a character (a lone surrogate)
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { special = false } = checkOptions('encode', options, ENCODE_TEXT)
    checkText('encode', text)
    const tokens: number[] = []
    const parts = special && this.#named !== null ? text.split(this.#named) : [text]
    parts.forEach((part, i) => {
      if (i % 2 === 1) tokens.push(this.#ids.get(part) as number)
      else this.#encodeText(part, tokens, text)
    })
    return Int32Array.from(tokens)
  }

  /**
   * The text of tokens. Tokens of `words` are joined by spaces; bytes of `byteBpe` that are no whole character become U+FFFD.
   *
   * @param tokens whole numbers, as `encode` and `generate` give them
   * @throws RangeError naming a token outside the vocabulary
   */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const { special = true } = checkOptions('decode', options, DECODE_TOKENS)
    if (typeof tokens !== 'object' || tokens === null || !Number.isInteger(tokens.length))
      throw typeError(`decode: wants a list of tokens, got ${show(tokens)}${typeof tokens === 'number' ? `; [${tokens}] is one` : ''}`)
    const { join, between } = SPLITTERS[this.kind]
    const parts: string[] = []
    let run: string[] = []
    const endRun = () => {
      if (run.length > 0) parts.push(join(run))
      run = []
    }
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]
      if (!Number.isInteger(token) || token < 0 || token >= this.size)
        throw rangeError(
          `decode: tokens[${i}] wants a whole number from 0 to ${this.size - 1}, got ${show(token)}${Number.isInteger(token) ? '; take the tokenizer that the model was trained with' : ''}`,
        )
      const name = this.vocabulary[token]
      if (!this.#specials.has(token)) run.push(name)
      else if (special) {
        // a name is no string of bytes, and has no space that is written as ▁
        endRun()
        parts.push(name)
      }
    }
    endRun()
    return parts.join(between)
  }

  /** The tokenizer as the text of a file `tokenizer.json`, which Hugging Face's `tokenizers` and {@link readTokenizer} read. */
  toJson(): string {
    return tokenizerJson(this.#state)
  }

  /**
   * The texts of the two files of GPT-2, `vocab.json` and `merges.txt`.
   * @throws RangeError for a kind without merges
   */
  toFiles(): VocabularyFiles {
    return vocabularyFiles(this.#state)
  }

  #encodeText(part: string, tokens: number[], whole: string): void {
    for (const piece of SPLITTERS[this.kind].split(this.#normalized(part))) {
      let found = this.#words.get(piece)
      if (found === undefined) {
        found = this.#tokensOf(piece, whole)
        if (piece.length <= LONGEST_REMEMBERED) {
          if (this.#words.size === REMEMBERED) this.#words.clear()
          this.#words.set(piece, found)
        }
      }
      for (const token of found) tokens.push(token)
    }
  }

  #normalized(text: string): string {
    const { normalize, lowerCase: lowers } = this.#state
    const normal = normalize === null ? text : text.normalize(normalize)
    return lowers ? lowerCase(normal) : normal
  }

  #tokensOf(piece: string, whole: string): readonly number[] {
    const { kind, merges } = this.#state
    const known = (token: string) => {
      const id = this.#ids.get(token)
      // the name of a special token is text like any other
      return id === undefined || this.#specials.has(id) ? this.#unknownFor(token, whole) : id
    }
    if (kind === 'words' || kind === 'characters') return [known(piece)]
    return mergeAll(Array.from(piece, known), merges)
  }

  #unknownFor(token: string, whole: string): number {
    if (this.#unknown >= 0) return this.#unknown
    const at = whole.indexOf(token)
    const where = at < 0 ? '' : ` at position ${at}`
    throw rangeError(
      `encode: ${show(shortened(token))}${where} is not in the vocabulary of ${this.size} tokens; train with unknown: '<unk>', or with kind: 'byteBpe', which knows every text`,
    )
  }

  #specialNames(): string {
    return this.special.length === 0 ? '' : `; special tokens are ${this.special.map(show).join(', ')}`
  }
}

/** @internal @throws TypeError for anything but a text, RangeError naming the place of half a character */
export function checkText(who: string, text: unknown, what = ''): asserts text is string {
  if (typeof text !== 'string')
    throw typeError(
      `${who}: ${what}wants a text, got ${show(text)}${text instanceof Uint8Array || text instanceof ArrayBuffer ? '; readText makes text of bytes' : ''}`,
    )
  const at = loneSurrogate(text)
  if (at >= 0)
    throw rangeError(
      `${who}: ${what}position ${at} has half a character (a lone surrogate), which is no text; was it cut there? text.toWellFormed() puts U+FFFD in its place`,
    )
}

/** The position of the first lone surrogate, or -1. */
function loneSurrogate(text: string): number {
  return text.search(/\p{Surrogate}/u)
}

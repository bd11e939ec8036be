/** Tokenizers from files of any origin. */
import { rangeError, typeError } from '../common/errors.js'
import { array, checkOptions, type Schema, text as textKind } from '../common/options.js'
import { shortened, show } from '../common/show.js'
import { PARTS, type VocabularyFiles } from './hugging-face.js'
import type { Merge } from './merges.js'
import { BYTE_ALPHABET, NORMALIZATIONS, type TextNormalization, TOKENIZER_KINDS, type TokenizerKind } from './split.js'
import { MAX_TOKENS, mergesOf } from './state.js'
import { Tokenizer } from './tokenizer.js'

/** Options of {@link readTokenizer}. */
export interface ReadTokenizerOptions {
  /** Special tokens of `vocab.json`, such as GPT-2's `<|endoftext|>`; `tokenizer.json` has them itself. Default: none. */
  special?: readonly string[]
  /** The special token of text outside the vocabulary of `vocab.json`. Default: none. */
  unknown?: string
}

export const READ_TOKENIZER = {
  special: { is: array, aka: ['special_tokens', 'specialTokens'] },
  unknown: { is: textKind, aka: ['unk_token', 'unkToken'] },
} satisfies Schema<ReadTokenizerOptions>

const WHO = 'readTokenizer'

type Json = Readonly<Record<string, unknown>>

/**
 * A tokenizer from the text of a file `tokenizer.json`, as {@link Tokenizer.toJson} and Hugging Face's `tokenizers` write it, or from the texts of GPT-2's
 * `vocab.json` and `merges.txt`. It takes files of the kinds that {@link trainTokenizer} makes: a part that would give other tokens is an error.
 *
 * @example
 * const tokenizer = await trainTokenizer('to be or not to be')
 * readTokenizer(tokenizer.toJson()).decode(tokenizer.encode('to be')) // 'to be'
 * readTokenizer(tokenizer.toFiles()).size === tokenizer.size // true
 * @throws RangeError naming the part of the file that does not fit, or a merge whose tokens the vocabulary does not have
 */
export function readTokenizer(file: string | VocabularyFiles, options: ReadTokenizerOptions = {}): Tokenizer {
  const { special, unknown } = checkOptions(WHO, options, READ_TOKENIZER)
  if (typeof file === 'string') {
    if (special !== undefined || unknown !== undefined)
      throw rangeError(
        `${WHO}: ${special ? 'special' : 'unknown'} is for vocab.json and merges.txt; tokenizer.json has its own special tokens`,
      )
    return fromJson(file)
  }
  const { vocabulary, merges } = (file ?? {}) as Partial<VocabularyFiles>
  if (typeof vocabulary !== 'string' || typeof merges !== 'string')
    throw typeError(
      `${WHO}: wants the text of tokenizer.json, or { vocabulary, merges }, the texts of vocab.json and merges.txt, got ${show(file)}`,
    )
  return fromFiles({ vocabulary, merges }, special ?? [], unknown)
}

function fromFiles(files: VocabularyFiles, special: readonly unknown[], unknown: string | undefined): Tokenizer {
  const vocabulary = listOf(objectOf(parsed('vocab.json', files.vocabulary), 'vocab.json'), 'vocab.json', [])
  const names = [...special, ...(unknown === undefined || special.includes(unknown) ? [] : [unknown])]
  for (const name of names)
    if (typeof name !== 'string' || name === '' || !vocabulary.includes(name))
      throw rangeError(`${WHO}: special wants tokens of vocab.json, not empty ones, got ${show(name)}`)
  const lines = files.merges.split(/\r?\n/)
  const pairs = lines.flatMap((line, i): { pair: [string, string]; where: string }[] => {
    if (line === '' || (i === 0 && line.startsWith('#version'))) return []
    const pair = line.split(' ')
    const where = `line ${i + 1} of merges.txt`
    if (pair.length !== 2 || pair.includes(''))
      throw rangeError(`${WHO}: ${where} wants two tokens with a space between, got ${show(shortened(line))}`)
    return [{ pair: pair as [string, string], where }]
  })
  const kind = BYTE_ALPHABET.every((character) => vocabulary.includes(character)) ? 'byteBpe' : 'bpe'
  const state = { kind, vocabulary, special: names as string[], unknown: unknown ?? null, normalize: null, lowerCase: false } as const
  return new Tokenizer({ ...state, merges: checkedMerges(vocabulary, pairs, 'vocab.json') })
}

function fromJson(text: string): Tokenizer {
  const file = objectOf(parsed('tokenizer.json', text), 'tokenizer.json')
  const model = objectOf(file.model, 'model')
  // files of early versions leave the type out
  const type = model.type ?? ('merges' in model ? 'BPE' : undefined)
  if (type !== 'BPE' && type !== 'WordLevel')
    throw rangeError(`${WHO}: model wants the type BPE or WordLevel, got ${show(type)}, which gives other tokens`)
  for (const [name, usual] of Object.entries({ truncation: null, padding: null })) refuse(name, file[name], usual)
  if (type === 'BPE')
    for (const [name, usual] of Object.entries({
      ...{ dropout: null, continuing_subword_prefix: '', end_of_word_suffix: '' },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
    }))
      refuse(`model.${name}`, model[name], usual)
  const kind = kindOf(file.pre_tokenizer, type)
  checkDecoder(file.decoder, kind)
  const { post_processor: post } = file
  // the one of bytes changes positions alone
  if (post !== null && post !== undefined && (post as Json).type !== 'ByteLevel')
    throw rangeError(
      `${WHO}: post_processor adds tokens (${show((post as Json).type)}); take it out of the file, and add them to what encode gives`,
    )
  const added = addedOf(file.added_tokens)
  const vocabulary = listOf(objectOf(model.vocab, 'model.vocab'), 'model.vocab', added)
  const special = added.map(({ content }) => content)
  const unknown = typeof model.unk_token === 'string' && vocabulary.includes(model.unk_token) ? model.unk_token : null
  const pairs = type === 'BPE' ? pairsIn(model.merges) : []
  const state = { kind, vocabulary, unknown, ...normalizationOf(file.normalizer) }
  return new Tokenizer({
    ...state,
    special: unknown === null || special.includes(unknown) ? special : [...special, unknown],
    merges: checkedMerges(vocabulary, pairs, 'model.vocab'),
  })
}

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw rangeError(`${WHO}: ${name} is no JSON: ${(cause as Error).message}`, { cause })
  }
}

function objectOf(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw rangeError(`${WHO}: ${name} wants an object, got ${show(value)}`)
  return value as Json
}

function refuse(name: string, value: unknown, usual: unknown): void {
  if (value === undefined || value === null || value === usual) return
  throw rangeError(`${WHO}: ${name} ${show(value)} would give other tokens than this tokenizer; it reads files with ${name} ${show(usual)}`)
}

interface Added {
  id: number
  content: string
}

function addedOf(given: unknown): Added[] {
  if (given === undefined || given === null) return []
  if (!Array.isArray(given)) throw rangeError(`${WHO}: added_tokens wants a list, got ${show(given)}`)
  return given.map((one, i) => {
    const { id, content, single_word, lstrip, rstrip, special } = objectOf(one, `added_tokens[${i}]`)
    if (typeof content !== 'string' || content === '' || !isId(id))
      throw rangeError(`${WHO}: added_tokens[${i}] wants a number and a text, got ${show(id)} and ${show(content)}`)
    if (single_word === true || lstrip === true || rstrip === true)
      throw rangeError(`${WHO}: added_tokens[${i}] ${show(content)} takes white space around it along, which this tokenizer does not`)
    if (special === false)
      throw rangeError(
        `${WHO}: added_tokens[${i}] ${show(content)} is no special token, but text that is cut out first, which this tokenizer does not do`,
      )
    return { id, content }
  })
}

const isId = (id: unknown): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_TOKENS

/** Tokens by their numbers. @throws RangeError for numbers with gaps */
function listOf(vocab: Json, name: string, added: readonly Added[]): string[] {
  const entries = Object.entries(vocab)
  const out: (string | undefined)[] = []
  const put = (token: string, id: unknown, where: string) => {
    if (!isId(id)) throw rangeError(`${WHO}: ${where} wants whole numbers from 0 on, got ${show(id)} for ${show(shortened(token))}`)
    if (out[id] !== undefined && out[id] !== token)
      throw rangeError(`${WHO}: ${where} has number ${id} twice, for ${show(shortened(out[id] as string))} and ${show(shortened(token))}`)
    out[id] = token
  }
  for (const [token, id] of entries) put(token, id, name)
  for (const { id, content } of added) {
    const known = Object.hasOwn(vocab, content) ? vocab[content] : undefined
    if (known !== undefined && known !== id)
      throw rangeError(
        `${WHO}: added_tokens have number ${id} for ${show(content)}, ${name} has ${show(known)}; are they of one tokenizer?`,
      )
    put(content, id, 'added_tokens')
  }
  if (out.length === 0) throw rangeError(`${WHO}: ${name} has no tokens`)
  let gap = 0
  while (out[gap] !== undefined) gap++
  if (gap < out.length)
    throw rangeError(`${WHO}: ${name} has no token ${gap}, but ${entries.length} others up to ${out.length - 1}; is the file whole?`)
  if (new Set(out).size < out.length) throw rangeError(`${WHO}: added_tokens have the same text twice`)
  return out as string[]
}

function kindOf(splitter: unknown, type: 'BPE' | 'WordLevel'): TokenizerKind {
  const kind = TOKENIZER_KINDS.find((one) => PARTS[one].model === type && isLike(splitter, PARTS[one].splitter))
  if (kind !== undefined) return kind
  throw rangeError(
    `${WHO}: pre_tokenizer ${show(JSON.stringify(splitter ?? null))} of a model ${type} would give other tokens; it reads ${TOKENIZER_KINDS.filter(
      (one) => PARTS[one].model === type,
    )
      .map((one) => JSON.stringify(PARTS[one].splitter))
      .join(' and ')}`,
  )
}

/** Values that older files leave out, because they are the usual ones. */
const USUAL = ['use_regex', 'split', 'invert']

/** True for a part with the same values; `trim_offsets` concerns positions alone. */
function isLike(given: unknown, wanted: object): boolean {
  if (typeof given !== 'object' || given === null) return false
  return Object.entries(wanted).every(([name, value]) => {
    const own = (given as Json)[name]
    return name === 'trim_offsets' || (own === undefined && USUAL.includes(name)) || JSON.stringify(own) === JSON.stringify(value)
  })
}

function checkDecoder(decoder: unknown, kind: TokenizerKind): void {
  const wanted = (PARTS[kind].decoder as Json | null)?.type ?? null
  const own = (decoder as Json | null | undefined)?.type ?? null
  if (own !== wanted) throw rangeError(`${WHO}: decoder wants ${show(wanted)}, as its pre_tokenizer, got ${show(own)}`)
}

function normalizationOf(given: unknown): { normalize: TextNormalization | null; lowerCase: boolean } {
  const parts = given === null || given === undefined ? [] : partsOf(objectOf(given, 'normalizer'))
  let normalize: TextNormalization | null = null
  let lowerCase = false
  for (const { type } of parts) {
    const isForm = NORMALIZATIONS.includes(type as TextNormalization)
    if ((isForm && (normalize !== null || lowerCase)) || (!isForm && type !== 'Lowercase'))
      throw rangeError(
        `${WHO}: normalizer ${show(type)} would give other tokens; it reads one of ${NORMALIZATIONS.join(', ')}, and Lowercase behind it`,
      )
    if (isForm) normalize = type as TextNormalization
    else lowerCase = true
  }
  return { normalize, lowerCase }
}

function partsOf(normalizer: Json): Json[] {
  if (normalizer.type !== 'Sequence') return [normalizer]
  const { normalizers } = normalizer
  if (!Array.isArray(normalizers)) throw rangeError(`${WHO}: normalizer.normalizers wants a list, got ${show(normalizers)}`)
  return normalizers.map((one, i) => objectOf(one, `normalizer.normalizers[${i}]`))
}

/** The merges of a file: lists of two, or texts with a space between, as older versions wrote them. */
function pairsIn(merges: unknown): { pair: [string, string]; where: string }[] {
  if (!Array.isArray(merges)) throw rangeError(`${WHO}: model.merges wants a list, got ${show(merges)}`)
  return merges.map((merge, i) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((token) => typeof token !== 'string' || token === ''))
      throw rangeError(`${WHO}: model.merges[${i}] wants two tokens, got ${show(merge)}`)
    return { pair: pair as [string, string], where: `model.merges[${i}]` }
  })
}

/** @throws RangeError for a merge whose tokens the vocabulary does not have: it is that of another tokenizer */
function checkedMerges(
  vocabulary: readonly string[],
  pairs: readonly { pair: [string, string]; where: string }[],
  name: string,
): Map<number, Merge> {
  const known = new Set(vocabulary)
  for (const { pair, where } of pairs)
    for (const token of [...pair, pair.join('')])
      if (!known.has(token))
        throw rangeError(
          `${WHO}: ${where} wants tokens of ${name}, which has no ${show(shortened(token))}; are both files of the same tokenizer?`,
        )
  const all = pairs.map(({ pair }) => pair)
  return mergesOf(vocabulary, all)
}

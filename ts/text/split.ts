/** Cuts of a text into the pieces within which tokens are looked up, and the way back. The names are those of Hugging Face's `tokenizers`. */

/** Kinds of tokenizers. */
export type TokenizerKind = 'characters' | 'words' | 'bpe' | 'byteBpe'

/** @internal */
export const TOKENIZER_KINDS = ['characters', 'words', 'bpe', 'byteBpe'] as const

/** How a kind of tokenizer cuts a text, and joins tokens. */
interface Splitter {
  /** The pieces of a text, in the alphabet of tokens. */
  split(text: string): string[]
  /** The text of tokens that follow one another. */
  join(tokens: readonly string[]): string
  /** Text between joined tokens and a special one. */
  between: string
}

/** The words of GPT-2 (Radford et al. 2019). `\s` of JavaScript also has U+FEFF, and lacks U+0085. */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu
/** Letters, digits and underscores, or other characters between spaces. */
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu
/** A space and the text up to the next one. */
const SPACED = /▁[^▁]*|[^▁]+/gu
/** Stands for a space within tokens of `bpe`. */
export const SPACE = '▁'

/** A printable character for each byte: itself if it is one, else a character from U+0100 on. */
const BYTE_CHARACTERS: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++))
})()

/** The byte that a character stands for. */
const BYTE_OF: ReadonlyMap<string, number> = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]))

/** @internal the alphabet of `byteBpe`: a character for each byte */
export const BYTE_ALPHABET: readonly string[] = BYTE_CHARACTERS

const utf8 = new TextEncoder()

function inByteAlphabet(piece: string): string {
  let out = ''
  for (const byte of utf8.encode(piece)) out += BYTE_CHARACTERS[byte]
  return out
}

/** Bytes of a token, or of its text where a character of it stands for no byte. */
function bytesOf(token: string): Iterable<number> {
  const bytes: number[] = []
  for (const character of token) {
    const byte = BYTE_OF.get(character)
    if (byte === undefined) return utf8.encode(token)
    bytes.push(byte)
  }
  return bytes
}

/** @internal */
export const SPLITTERS: Readonly<Record<TokenizerKind, Splitter>> = {
  characters: { split: (text) => [...text], join: (tokens) => tokens.join(''), between: '' },
  words: { split: (text) => text.match(WORDS) ?? [], join: (tokens) => tokens.join(' '), between: ' ' },
  bpe: {
    split: (text) => text.replaceAll(' ', SPACE).match(SPACED) ?? [],
    join: (tokens) => tokens.join('').replaceAll(SPACE, ' '),
    between: '',
  },
  byteBpe: {
    split: (text) => (text.match(GPT2_WORDS) ?? []).map(inByteAlphabet),
    // bytes that are no UTF-8, as where a character is cut in two, become U+FFFD
    join: (tokens) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(tokens.flatMap((token) => [...bytesOf(token)]))),
    between: '',
  },
}

/** @internal the order of code points, which that of UTF-16 is not */
export function byCodePoints(a: string, b: string): number {
  const [left, right] = [[...a], [...b]]
  const at = left.findIndex((character, i) => character !== right[i])
  if (at < 0) return left.length - right.length
  return at < right.length ? (left[at].codePointAt(0) as number) - (right[at].codePointAt(0) as number) : 1
}

/** Ways to change a text before it is cut. */
export type TextNormalization = 'NFC' | 'NFD' | 'NFKC' | 'NFKD'

/** @internal */
export const NORMALIZATIONS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const

/** @internal The text in lower case, each character for itself: a sigma at the end of a word is like any other. */
export function lowerCase(text: string): string {
  return Array.from(text, (character) => character.toLowerCase()).join('')
}

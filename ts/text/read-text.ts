/** Text from files, in one encoding: a byte that is none is an error with its position. */
import { rangeError } from '../common/errors.js'
import { joined } from '../common/joined.js'
import { readOptions, type Schema, text as textKind } from '../common/options.js'
import { decoderFor, markedEncoding } from '../data/formats/encodings.js'
import { nameOf, piecesOf, type Source } from '../data/formats/source.js'

/** Options of {@link readText} and {@link streamText}. */
export interface ReadTextOptions {
  /** Encoding of the bytes, a label for TextDecoder, such as `windows-1252`. Default: from the byte order mark, else `utf-8`. */
  encoding?: string
}

export const READ_TEXT = { encoding: { is: textKind } } satisfies Schema<ReadTextOptions>

/**
 * The text of a file, URL, Blob, bytes or stream; gzip is unpacked, and a byte order mark is left out.
 *
 * @example
 * const bytes = new TextEncoder().encode('Grüße')
 * await readText(bytes) // 'Grüße'
 * @throws RangeError naming the first byte that is not in the encoding; Error for a file that cannot be read
 */
export async function readText(source: Source, options: ReadTextOptions = {}): Promise<string> {
  const { encoding } = readOptions('readText', options, READ_TEXT)
  let text = ''
  for await (const piece of decodedText('readText', source, encoding)) text += piece
  return text
}

/**
 * The lines of a file, one after the other, each with its line break: memory does not depend on the size of the file.
 *
 * @example
 * const file = new Blob(['one two\nthree\n'])
 * const tokenizer = await trainTokenizer(streamText(file), { kind: 'words' })
 * tokenizer.vocabulary // ['one', 'three', 'two']
 * @throws RangeError naming the first byte that is not in the encoding; Error for a file that cannot be read
 */
export async function* streamText(source: Source, options: ReadTextOptions = {}): AsyncGenerator<string, void, void> {
  const { encoding } = readOptions('streamText', options, READ_TEXT)
  let rest = ''
  for await (const piece of decodedText('streamText', source, encoding)) {
    const end = piece.lastIndexOf('\n') + 1
    if (end === 0) {
      rest += piece
      continue
    }
    const lines = (rest + piece.slice(0, end)).split(/(?<=\n)/)
    rest = piece.slice(end)
    yield* lines
  }
  if (rest !== '') yield rest
}

async function* decodedText(who: string, source: Source, encoding: string | undefined): AsyncGenerator<string, void, void> {
  const name = nameOf(source)
  let decoder: TextDecoder | undefined
  /** The bytes from position `start` to the next piece. */
  let before: Uint8Array = new Uint8Array()
  let start = 0
  for await (const piece of piecesOf(source)) {
    decoder ??= decoderFor(who, encoding ?? markedEncoding(piece))
    const bytes = joined(Uint8Array, [before, piece])
    try {
      yield decoder.decode(piece, { stream: true })
    } catch (cause) {
      throw noText(who, name, decoder, start, bytes, cause)
    }
    // the last characters; `start` stays even, as units of UTF-16 are
    const from = 2 * Math.floor(Math.max(0, bytes.length - 6) / 2)
    start += from
    before = bytes.slice(from)
  }
  try {
    yield decoder?.decode() ?? ''
  } catch (cause) {
    throw noText(who, name, decoder as TextDecoder, start, before, cause)
  }
}

/** The error for bytes that are not in the encoding. @param start position of the first of these bytes, which may be in the midst of a character */
function noText(who: string, name: string, { encoding }: TextDecoder, start: number, bytes: Uint8Array, cause: unknown): RangeError {
  let from = 0
  if (encoding === 'utf-8' && start > 0) while ((bytes[from] & 0xc0) === 0x80) from++
  const at = start + from + wholeBytes(encoding, bytes.subarray(from))
  const remedy = encoding === 'utf-8' ? "; say how the text is encoded, such as encoding: 'windows-1252'" : ''
  return rangeError(`${who}: ${name} is no ${encoding.toUpperCase()} at byte ${at}${remedy}`, { cause })
}

/** The number of bytes at the beginning that are whole characters. */
function wholeBytes(encoding: string, bytes: Uint8Array): number {
  const decodes = (count: number, stream: boolean) => {
    try {
      new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, count), { stream })
      return true
    } catch {
      return false
    }
  }
  // the first `low` bytes may go on as a text in the encoding, the first `high` cannot
  let [low, high] = [0, bytes.length + 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (decodes(middle, true)) low = middle
    else high = middle
  }
  // without the beginning of a character
  while (low > 0 && !decodes(low, false)) low--
  return low
}

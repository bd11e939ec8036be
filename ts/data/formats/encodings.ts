/** Encodings of texts: their decoders, and the mark at the beginning of a file. */
import { rangeError } from '../../common/errors.js'
import { isText, kindOf } from '../../common/file-kinds.js'
import { show } from '../../common/show.js'
import { withWholeStart } from './source.js'

/** @internal a decoder that refuses bytes of another encoding. @throws RangeError for an unknown encoding @param name of the source or call, for messages */
export function decoderFor(name: string, encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true })
  } catch (cause) {
    throw rangeError(`${name}: encoding wants a name that TextDecoder knows, such as 'utf-8' or 'windows-1252', got ${show(encoding)}`, {
      cause,
    })
  }
}

/** @internal the encoding that a byte order mark says, else `utf-8` */
export function markedEncoding([a, b]: Uint8Array): string {
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  return a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8'
}

/** @internal text of bytes. @throws RangeError for an unknown encoding, and for bytes that are invalid in it */
export async function* decoded(
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  encoding?: string,
  formats: readonly string[] = [],
): AsyncGenerator<string, void, void> {
  const decode = decoderOf(name, encoding, formats)
  for await (const piece of withWholeStart(pieces)) yield decode(piece)
  yield decode()
}

/** @internal A function that decodes piece by piece; without a piece, what is left. The first piece has the start of the file. */
export function decoderOf(
  name: string,
  encoding?: string,
  formats: readonly string[] = [],
): { (piece?: Uint8Array): string; encoding?: string } {
  let decoder: TextDecoder | undefined
  let mayBeText = true
  const decode: { (piece?: Uint8Array): string; encoding?: string } = (piece) => {
    if (decoder === undefined && piece !== undefined) {
      checkKind(name, piece, encoding, formats)
      mayBeText = isText(piece)
      decoder = decoderFor(name, encoding ?? markedEncoding(piece))
      decode.encoding = decoder.encoding
    }
    try {
      return decoder?.decode(piece, { stream: piece !== undefined }) ?? ''
    } catch (cause) {
      throw rangeError(
        mayBeText
          ? `${name}: there are bytes that are no ${decoder?.encoding.toUpperCase()}; say how the text is encoded, such as encoding: 'windows-1252'`
          : `${name} is no text, but a binary file of a kind that is not known; tables are CSV, TSV, JSON, JSON lines, Parquet or Arrow`,
        { cause },
      )
    }
  }
  return decode
}

/** @throws RangeError for a file of another kind than these formats of text */
function checkKind(name: string, start: Uint8Array, encoding: string | undefined, formats: readonly string[]): void {
  const kind = kindOf(start)
  if (kind === undefined || formats.includes(kind.format ?? '')) return
  if (encoding !== undefined && /^utf-?16/i.test(encoding) && kind.name.includes('UTF-16')) return
  throw rangeError(`${name} is ${kind.name}; ${kind.asTable}`)
}

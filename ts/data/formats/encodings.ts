/** Encodings of texts: their decoders, and the mark at the beginning of a file. */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'

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

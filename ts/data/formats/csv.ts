/** Rows of CSV files and texts. */

import type { EncodedRows } from '../../common/encoded-rows.js'
import { rangeError, typeError } from '../../common/errors.js'
import { joined } from '../../common/joined.js'
import { show } from '../../common/show.js'
import type { Row } from '../table/values.js'
import type { BlockReaders, ReadBlock } from './block-readers.js'
import { type CsvOptions, CsvParser } from './csv-parser.js'
import { decoded, decoderOf } from './encodings.js'
import { nameOf, piecesOf, type Source, withWholeStart } from './source.js'

/**
 * The rows of CSV that is in memory as text, as objects: { name: value, … }, each value a text. {@link fromTable} makes numbers of them.
 *
 * @example
 * parseCsv('x,kind\n1,a\n2,"b, c"\n') // [{ x: '1', kind: 'a' }, { x: '2', kind: 'b, c' }]
 * parseCsv('1;2\n3;4', { header: false }) // [{ column1: '1', column2: '2' }, { column1: '3', column2: '4' }]
 * parseCsv('x;y\n1,5;2.000', { decimal: ',' }) // [{ x: '1.5', y: '2000' }]
 * @throws RangeError naming the line of a quote that is not closed, or of too few or too many values, or of a number that is not as `decimal` says
 */
export function parseCsv(text: string, options: CsvOptions = {}): Row[] {
  if (typeof text !== 'string') throw typeError(`parseCsv: wants text, got ${show(text)}; of bytes or a file there is readTable`)
  if (/^[^\s,;]+\.(csv|tsv|txt|json|jsonl|parquet)(\.gz)?$/i.test(text))
    throw rangeError(`parseCsv: wants the text of a file, got a path, ${show(text)}; await readTable(${show(text)}) reads the file`)
  const parser = new CsvParser('parseCsv', options)
  return parser.push(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, true)
}

/**
 * @internal The rows of a CSV file, some thousand at a time: memory does not depend on the size of the file.
 * @param lines gets the line in which each row begins
 * @throws the errors of {@link parseCsv}, with the name of the file; Error for an unreadable file
 */
export async function* csvRows(source: Source, options: CsvOptions = {}, lines?: number[]): AsyncGenerator<Row[], void, void> {
  const parser = parserOf(source, options, lines)
  for await (const text of decoded(nameOf(source), piecesOf(source), options.encoding)) {
    const rows = parser.push(text, false)
    if (rows.length > 0) yield rows
  }
  const rows = parser.push('', true)
  if (rows.length > 0) yield rows
}

/**
 * @internal
 * The rows of {@link csvRows}, encoded: a block of lines at a time is read by the readers that `readersFor` makes, once the columns are known, and a block
 * that they do not know comes as rows.
 */
export async function* encodedCsv(
  source: Source,
  options: CsvOptions,
  readersFor: (columns: readonly string[], delimiter: string, quote: string) => BlockReaders | null,
  size = BLOCK,
): AsyncGenerator<Row[] | EncodedRows, void, void> {
  const parser = parserOf(source, options)
  const decode = decoderOf(nameOf(source), options.encoding)
  const blocks = blocksOf(withWholeStart(piecesOf(source, size)), size)
  let readers: BlockReaders | null | undefined
  const ahead: Promise<ReadBlock>[] = []
  let coming: Promise<Coming> | null = null
  let end: Coming | null = null
  try {
    for (;;) {
      if (end === null && ahead.length < (readers?.depth ?? 1)) coming ??= comingFrom(blocks)
      if (coming === null && ahead.length === 0) break
      // whichever is there first: a source that makes one wait does not hold rows back
      const oldest = ahead.length > 0 ? [ahead[0]] : []
      const first: Coming | ReadBlock = await Promise.race(coming === null ? oldest : [coming, ...oldest])
      if ('block' in first) {
        coming = null
        if (first.block === null) end = first
        else {
          const read = readers?.read(first.block) ?? Promise.resolve({ bytes: first.block, rows: null })
          // an error is thrown when its turn comes
          read.catch(() => {})
          ahead.push(read)
        }
        continue
      }
      ahead.shift()
      const { bytes, rows } = first
      if (rows !== null && parser.isBetweenLines) {
        parser.skipLines(rows.count)
        yield rows
        continue
      }
      const some = parser.push(decode(bytes), false)
      if (some.length > 0) yield some
      if (readers === undefined && parser.isBetweenLines)
        readers = decode.encoding === 'utf-8' && parser.isPlain ? readersFor(...parser.form) : null
    }
    if (end?.failure !== undefined) throw end.failure
    const rows = parser.push(decode(), true)
    if (rows.length > 0) yield rows
  } finally {
    readers?.close()
    await blocks.return()
  }
}

function parserOf(source: Source, options: CsvOptions, lines?: number[]): CsvParser {
  const name = nameOf(source)
  return new CsvParser(name, { ...(/\.tsv(\.gz)?$/i.test(name) && { delimiter: '\t' }), ...options }, lines)
}

/** Bytes of a piece of a file, and about those of a block. */
const BLOCK = 1 << 20

/** The next block; null at the end, or where the source failed. */
interface Coming {
  block: Uint8Array | null
  failure?: unknown
}

const comingFrom = (blocks: AsyncIterator<Uint8Array>): Promise<Coming> =>
  blocks.next().then(
    ({ value, done }) => ({ block: done ? null : value }),
    (failure) => ({ block: null, failure }),
  )

/** Milliseconds that whole lines wait for more of them. */
const PATIENCE = 20

/** Blocks of whole lines in memory of their own, and what follows the last line end. */
async function* blocksOf(pieces: AsyncGenerator<Uint8Array, void, void>, least: number): AsyncGenerator<Uint8Array, void, void> {
  let waiting: Uint8Array[] = []
  let size = 0
  /** Bytes up to the last line end. */
  let end = 0
  const cut = () => {
    const all = joined(Uint8Array, waiting)
    const block = end < all.length ? all.slice(0, end) : all
    waiting = end < all.length ? [all.slice(end)] : []
    size = all.length - end
    end = 0
    return block
  }
  let next = pieces.next()
  next.catch(() => {})
  try {
    for (;;) {
      const came = end === 0 ? await next : await within(next, PATIENCE)
      if (came === null) {
        yield cut()
        continue
      }
      const { value: piece, done } = came
      if (done) break
      const last = piece.lastIndexOf(NEWLINE) + 1
      if (last > 0) end = size + last
      // the memory of a piece may be used again
      waiting.push(piece.slice())
      size += piece.length
      next = pieces.next()
      next.catch(() => {})
      if (end >= least / 2) yield cut()
    }
    end = size
    if (size > 0) yield cut()
  } catch (error) {
    // whole lines came before the failure
    if (end > 0) yield cut()
    throw error
  } finally {
    await pieces.return()
  }
}

/** What a promise gives, or null if that takes longer. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds)
  })
  const first = await Promise.race([promise, late])
  clearTimeout(timer)
  return first
}

const NEWLINE = 10

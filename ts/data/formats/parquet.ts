/** Parquet, by hyparquet: rows of one row group after the other, reading only the requested ones. */
import { rangeError } from '../../common/errors.js'
import { isText, kindOf } from '../../common/file-kinds.js'
import { nodeModule } from '../../common/node-module.js'
import type { Row } from '../table/values.js'
import { allBytes, isAddress, nameOf, type Source, unreadable } from './source.js'
import { gunzipSync } from './unzip.js'

/** The file interface of hyparquet: its size, and bytes of a range. */
interface ByteRange {
  byteLength: number
  slice(start: number, end?: number): Promise<ArrayBuffer> | ArrayBuffer
}

/** @internal the rows of a file, one row group at a time. @throws RangeError for a file that is not Parquet or is damaged */
export async function* parquetRows(source: Source): AsyncGenerator<Row[], void, void> {
  const name = nameOf(source)
  const { file: whole, close } = await openRange(source)
  const file = within(whole)
  try {
    const { parquetMetadataAsync, parquetReadObjects } = await import('./hyparquet.js')
    const compressors = await compressorsFor()
    const metadata = await parquetMetadataAsync(file)
    checkRows(Number(metadata.num_rows), metadata.row_groups[0]?.columns.length ?? 0, file.byteLength)
    let from = 0
    for (const group of metadata.row_groups) {
      checkGroup(group, file.byteLength)
      const to = from + Number(group.num_rows)
      // parts of a group, so that a file of one group does not take more memory than others
      for (let rowStart = from; rowStart < to; rowStart += ROWS) {
        const rowEnd = Math.min(rowStart + ROWS, to)
        const rows = (await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd })) as Row[]
        if (rows.length !== rowEnd - rowStart) throw rangeError(`rows ${rowStart} to ${rowEnd} are promised, and there are ${rows.length}`)
        yield rows
      }
      from = to
    }
  } catch (cause) {
    const start = await file.slice(0, Math.min(file.byteLength, 512))
    throw unlike(name, 'Parquet', new Uint8Array(start), cause as Error)
  } finally {
    await close()
  }
}

/** @internal The error for an unreadable file: its actual kind, by its first bytes, or the error of its reader. */
export function unlike(name: string, format: 'Parquet' | 'Arrow', start: Uint8Array, cause: Error): RangeError {
  const kind = kindOf(start)
  const instead =
    kind?.name ?? (start.length === 0 ? 'empty' : isText(start) ? 'text, as CSV is; name it so that it ends in .csv' : 'of another kind')
  const isSo = kind?.format === format.toLowerCase()
  const damage = cause instanceof TypeError ? 'it is damaged, or ends too early' : cause.message
  return rangeError(`${name}: cannot be read as ${format}: ${isSo ? damage : `it is ${instead}`}`, { cause })
}

/** The same file, with reads limited to its bytes: offsets in a file are untrusted. */
function within({ byteLength, slice }: ByteRange): ByteRange {
  return {
    byteLength,
    slice(start, end = byteLength) {
      const isInside = Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= byteLength
      if (!isInside) throw rangeError(`it speaks of bytes ${start} to ${end}, and has ${byteLength}`)
      return slice(start, end)
    },
  }
}

/** Number of values that a file of any size may have, and largest number per byte for larger files: a column that never changes takes nearly no bytes. */
const [FEWEST_VALUES, VALUES_OF_BYTE] = [1 << 22, 1000]

/** @internal @throws RangeError for more rows than a file of this size may have: they become objects */
export function checkRows(rows: number, columns: number, byteLength: number): void {
  if (!(rows * Math.max(1, columns) <= Math.max(FEWEST_VALUES, VALUES_OF_BYTE * byteLength)))
    throw rangeError(`it promises ${rows} rows of ${columns} columns in ${byteLength} bytes`)
}

interface RowGroup {
  readonly num_rows: bigint
  readonly columns: readonly { readonly meta_data?: { readonly total_compressed_size: bigint } }[]
}

/** @internal @throws RangeError for a group with an impossible description: its columns are read at once, and must lie side by side in a file */
export function checkGroup({ num_rows: rows, columns }: RowGroup, byteLength: number): void {
  if (!(rows >= 0n && rows <= Number.MAX_SAFE_INTEGER)) throw rangeError(`a group of ${rows} rows`)
  const bytes = columns.reduce((sum, { meta_data: column }) => sum + Number(column?.total_compressed_size ?? 0), 0)
  if (!(bytes <= byteLength)) throw rangeError(`columns of ${bytes} bytes are promised, and it has ${byteLength}`)
}

/** Limit on the unpacked size of a page, and the limit as a multiple of its size if that is larger; ordinary programs write pages of one or a few MiB. */
const MAX_OF_PAGE = 1 << 26
const MAX_RATIO = 1000

function checkPage(input: Uint8Array, size: number): number {
  if (size >= 0 && size <= Math.max(MAX_OF_PAGE, MAX_RATIO * input.length)) return size
  throw rangeError(`a page of ${input.length} bytes unpacks to ${size}`)
}

/** Rows of a part. Each part unpacks its pages again, so parts should not be small. */
const ROWS = 1 << 16

type FileSystem = typeof import('node:fs/promises')

async function openRange(source: Source): Promise<{ file: ByteRange; close(): Promise<void> }> {
  const close = async () => {}
  if (source instanceof Blob)
    return { file: { byteLength: source.size, slice: (start, end) => source.slice(start, end).arrayBuffer() }, close }
  if (isAddress(source)) {
    const { asyncBufferFromUrl } = await import('./hyparquet.js')
    return { file: await asyncBufferFromUrl({ url: String(source) }), close }
  }
  if (typeof source === 'string' || source instanceof URL) return openFile(source)
  const bytes = await allBytes(source)
  const { buffer, byteOffset } = bytes
  return {
    file: {
      byteLength: bytes.length,
      slice: (start, end = bytes.length) => buffer.slice(byteOffset + start, byteOffset + end) as ArrayBuffer,
    },
    close,
  }
}

async function openFile(path: string | URL): Promise<{ file: ByteRange; close(): Promise<void> }> {
  let handle: Awaited<ReturnType<FileSystem['open']>>
  try {
    const fs = await nodeModule<FileSystem>('node:fs/promises')
    handle = await fs.open(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
  const { size } = await handle.stat()
  const slice = async (start: number, end = size) => {
    const bytes = new Uint8Array(end - start)
    await handle.read(bytes, 0, bytes.length, start)
    return bytes.buffer
  }
  return { file: { byteLength: size, slice }, close: () => handle.close() }
}

type Compressors = Record<string, (input: Uint8Array, size: number) => Uint8Array>

/** @internal Snappy is hyparquet's own and gzip ours; others come from Node, or from hyparquet-compressors if it is installed. */
export async function compressorsFor(): Promise<Compressors> {
  const { snappyUncompress } = await import('./hyparquet.js')
  const own: Compressors = {
    GZIP: (input, size) => gunzipSync(input, { out: new Uint8Array(checkPage(input, size)) }),
    SNAPPY(input, size) {
      const page = new Uint8Array(checkPage(input, size))
      snappyUncompress(input, page)
      return page
    },
  }
  try {
    const { compressors } = await nodeModule<{ compressors: Compressors }>('hyparquet-compressors')
    const checked = Object.entries(compressors).map(([codec, unpack]): [string, Compressors[string]] => [
      codec,
      (input, size) => unpack(input, checkPage(input, size)),
    ])
    return { ...Object.fromEntries(checked), ...own }
  } catch {
    // not installed
  }
  try {
    type Unpack = (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
    const zlib = await nodeModule<typeof import('node:zlib') & { zstdDecompressSync?: Unpack }>('node:zlib')
    const { zstdDecompressSync: zstd, brotliDecompressSync: brotli } = zlib
    const bounded = (unpack: Unpack) => (input: Uint8Array, size: number) =>
      // Node requires a limit of at least one byte, even for empty contents
      unpack(input, { maxOutputLength: Math.max(1, checkPage(input, size)) })
    return { ...own, BROTLI: bounded(brotli), ...(zstd && { ZSTD: bounded(zstd) }) }
  } catch {
    return own
  }
}

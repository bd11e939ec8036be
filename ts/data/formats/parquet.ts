/** Parquet, by hyparquet: rows of one row group after the other, of which no more is read than is asked for. */
import { rangeError } from '../../common/errors.js'
import { nodeModule } from '../files.js'
import type { Row } from '../table/values.js'
import { allBytes, isAddress, nameOf, type Source, unreadable } from './source.js'
import { gunzipSync } from './unzip.js'

/** As hyparquet wants a file: its size, and bytes from here to there. */
interface ByteRange {
  byteLength: number
  slice(start: number, end?: number): Promise<ArrayBuffer> | ArrayBuffer
}

/** @internal the rows of a file, those of a row group at a time. @throws RangeError for what is no Parquet or is damaged */
export async function* parquetRows(source: Source): AsyncGenerator<Row[], void, void> {
  const name = nameOf(source)
  const { file, close } = await openRange(source)
  try {
    const { parquetMetadataAsync, parquetReadObjects } = await import('./hyparquet.js')
    const compressors = await compressorsFor()
    const metadata = await parquetMetadataAsync(file)
    let from = 0
    for (const group of metadata.row_groups) {
      const to = from + Number(group.num_rows)
      // parts of a group, so that a file of one group does not take more memory than others
      for (let rowStart = from; rowStart < to; rowStart += ROWS)
        yield (await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd: Math.min(rowStart + ROWS, to) })) as Row[]
      from = to
    }
  } catch (cause) {
    throw rangeError(`${name}: cannot be read as Parquet: ${(cause as Error).message}`, { cause })
  } finally {
    await close()
  }
}

/** Rows of a part. Pages are unpacked anew for each, so that parts are not small. */
const ROWS = 1 << 16

type FileSystem = typeof import('node:fs/promises')

async function openRange(source: Source): Promise<{ file: ByteRange; close(): Promise<void> }> {
  const close = async () => {}
  if (source instanceof Blob) {
    return { file: { byteLength: source.size, slice: (start, end) => source.slice(start, end).arrayBuffer() }, close }
  }
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

/** Snappy is hyparquet's own and gzip ours; others are Node's, or those of hyparquet-compressors where it is installed. */
async function compressorsFor(): Promise<Compressors> {
  const own: Compressors = { GZIP: (input) => gunzipSync(input) }
  try {
    const { compressors } = await nodeModule<{ compressors: Compressors }>('hyparquet-compressors')
    return { ...compressors, ...own }
  } catch {
    // not installed
  }
  try {
    const zlib = await nodeModule<typeof import('node:zlib') & { zstdDecompressSync?: (input: Uint8Array) => Uint8Array }>('node:zlib')
    const { zstdDecompressSync: zstd, brotliDecompressSync: brotli } = zlib
    return { ...own, BROTLI: (input) => brotli(input), ...(zstd && { ZSTD: (input) => zstd(input) }) }
  } catch {
    return own
  }
}

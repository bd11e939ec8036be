/** Sources of data: a path, a URL, bytes in memory, or a stream; read piece by piece. */
import { plainError, rangeError, typeError } from '../../common/errors.js'
import { joined } from '../../common/joined.js'
import { nodeModule } from '../../common/node-module.js'
import { show } from '../../common/show.js'

/**
 * A source of data. A text is a path (Node, Deno, Bun) or a URL that begins with `http://` or `https://`; a URL object may refer to a file. Bytes are
 * the contents of a file, and so is a Blob, such as the File that a user chose in a page.
 */
export type Source =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | Uint8Array
  | Response
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

/** Bytes that are read at a time. */
const PIECE = 1 << 16

/** @internal the name of a source in messages: the name of its file, if it has one */
export function nameOf(source: Source): string {
  if (typeof source === 'string') return isAddress(source) ? lastOf(source.replace(/[?#].*$/, '')) : lastOf(source)
  if (source instanceof URL) return lastOf(source.pathname)
  const { name, url } = Object(source) as { name?: unknown; url?: unknown }
  if (typeof name === 'string' && name !== '') return name
  return typeof url === 'string' && url !== '' ? lastOf(url.replace(/[?#].*$/, '')) : 'the data'
}

/** @internal true for a source that is fetched: a URL that is not a file's, or a text that begins with http:// or https:// */
export function isAddress(source: Source): boolean {
  return source instanceof URL ? source.protocol !== 'file:' : typeof source === 'string' && /^https?:\/\//.test(source)
}

function lastOf(path: string): string {
  return path.split(/[\\/]/).pop() || path
}

/**
 * @internal The bytes of a source, a piece at a time; gzip is unpacked. Leaving the loop closes the file.
 * @param size bytes of a piece of a file
 * @throws Error for a missing source, TypeError for anything but a source
 */
export async function* piecesOf(source: Source, size = PIECE): AsyncGenerator<Uint8Array, void, void> {
  yield* unpacked(bytesOf(source, size))
}

/** @internal all bytes of a source, without a copy if they are in one piece. @throws errors of {@link piecesOf} */
export async function allBytes(source: Source): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of piecesOf(source)) pieces.push(piece)
  return pieces.length === 1 ? pieces[0] : joined(Uint8Array, pieces)
}

/** @internal the size of a file or of bytes in memory, without unpacking; undefined if it is not known */
export async function sizeOf(source: Source): Promise<number | undefined> {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return source.byteLength
  if (source instanceof Blob) return source.size
  if (isAddress(source) || !(typeof source === 'string' || source instanceof URL)) return undefined
  try {
    const { size } = (await nodeModule<Fs>('node:fs')).statSync(source)
    return size > 0 ? size : undefined
  } catch {
    // reading it reports the error
    return undefined
  }
}

/** @internal the same source, read from its beginning to its end, with the size of each piece passed to `onBytes` */
export function counting(source: Source, onBytes: (bytes: number) => void): Source {
  return Object.assign(counted(source, onBytes), { name: nameOf(source) })
}

async function* counted(source: Source, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of bytesOf(source)) {
    onBytes(piece.length)
    yield piece
  }
}

async function* bytesOf(source: Source, size = PIECE): AsyncGenerator<Uint8Array, void, void> {
  if (source instanceof Uint8Array) yield* cut(source)
  else if (source instanceof ArrayBuffer) yield* cut(new Uint8Array(source))
  // Node gives a Blob in memory as one piece
  else if (source instanceof Blob) for await (const piece of readAll(source.stream())) yield* cut(piece)
  else if (typeof Response !== 'undefined' && source instanceof Response) yield* body(source, nameOf(source))
  else if (isAddress(source)) yield* body(await fetched(String(source)), nameOf(source))
  else if (typeof source === 'string' || source instanceof URL) yield* file(source, size)
  else if (typeof (source as ReadableStream<Uint8Array>)?.getReader === 'function') yield* readAll(source as ReadableStream<Uint8Array>)
  else if (typeof (source as AsyncIterable<Uint8Array>)?.[Symbol.asyncIterator] === 'function') {
    const encoder = new TextEncoder()
    for await (const piece of source as AsyncIterable<Uint8Array | string>) {
      if (typeof piece === 'string') yield encoder.encode(piece)
      else if (piece instanceof Uint8Array) yield piece
      else throw typeError(`a stream of data wants pieces of bytes (Uint8Array) or text, got ${show(piece)}`)
    }
  } else throw typeError(`data are read from a path, a URL, a Blob, bytes or a stream, got ${show(source)}`)
}

/** @internal true for anything that may be a {@link Source} */
export function isSource(source: unknown): source is Source {
  if (typeof source === 'string') return true
  if (typeof source !== 'object' || source === null) return false
  if (source instanceof Uint8Array || source instanceof ArrayBuffer || source instanceof Blob || source instanceof URL) return true
  return Symbol.asyncIterator in source || 'getReader' in source || (typeof Response !== 'undefined' && source instanceof Response)
}

/** Small pieces of bytes in memory, so that later stages need not hold all of them twice. */
function* cut(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let from = 0; from < bytes.length; from += PIECE) yield bytes.subarray(from, from + PIECE)
}

async function fetched(address: string): Promise<Response> {
  try {
    return await fetch(address)
  } catch (cause) {
    throw plainError(`${lastOf(address)} cannot be fetched: ${(cause as Error).message}`, { cause })
  }
}

async function* body(response: Response, name: string): AsyncGenerator<Uint8Array, void, void> {
  if (!response.ok) throw plainError(`${name} cannot be fetched: the server answered ${response.status} ${response.statusText}`)
  if (response.body !== null) yield* readAll(response.body)
}

async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}

type Fs = typeof import('node:fs')

async function* file(path: string | URL, size: number): AsyncGenerator<Uint8Array, void, void> {
  if (typeof path === 'string' && /[\n\r]/.test(path))
    throw typeError(
      `data are read from a path, a URL, a Blob, bytes or a stream, got the text of a table, ${show(path)}; parseCsv takes such text, and new Blob([text]) makes a source of it`,
    )
  let fs: Fs
  try {
    fs = await nodeModule<Fs>('node:fs')
  } catch (cause) {
    throw plainError(`'${String(path)}' is the path of a file, which a page cannot read; give a URL, or the File of an <input>`, { cause })
  }
  try {
    yield* fs.createReadStream(path, { highWaterMark: size })
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** @internal an error that says in words why a file cannot be read */
export function unreadable(path: string | URL, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') return plainError(`there is no file ${String(path)}`, { cause })
  if (code === 'EISDIR') return plainError(`${String(path)} is a folder, not a file`, { cause })
  return plainError(`${String(path)} cannot be read: ${message}`, { cause })
}

/** Limit on the unpacked size, as a multiple of the bytes that were read; text never compresses so well. */
const MAX_RATIO = 1000

async function* unpacked(pieces: AsyncGenerator<Uint8Array, void, void>): AsyncGenerator<Uint8Array, void, void> {
  const whole = withWholeStart(pieces)
  const first = await whole.next()
  if (first.done) return
  const all = startingWith(first.value, whole)
  if (!(first.value[0] === 0x1f && first.value[1] === 0x8b)) {
    yield* all
    return
  }
  let [packed, size] = [0, 0]
  const counted = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await all.next()
      if (done) return controller.close()
      packed += value.length
      controller.enqueue(value)
    },
    async cancel() {
      await all.return()
    },
  })
  const inflated = counted.pipeThrough(new DecompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>)
  try {
    for await (const piece of readAll(inflated)) {
      size += piece.length
      if (size > MAX_RATIO * packed + PIECE) throw rangeError(`packed data unpack to more than ${MAX_RATIO} times their size`)
      yield piece
    }
  } catch (cause) {
    if (cause instanceof RangeError) throw cause
    throw rangeError('packed data (gzip) are damaged, or end too early', { cause })
  }
}

/** Number of bytes that identify the kind of file. */
const START = 512

/**
 * @internal The same bytes, with at least {@link START} bytes in the first piece if the source has that many: the beginning of a file is in
 * one piece.
 */
export async function* withWholeStart(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let [start, size]: [Uint8Array[] | null, number] = [[], 0]
  for await (const piece of pieces) {
    if (start === null) {
      yield piece
      continue
    }
    start.push(piece)
    size += piece.length
    if (size < START) continue
    yield start.length === 1 ? piece : joined(Uint8Array, start)
    start = null
  }
  if (start !== null && size > 0) yield joined(Uint8Array, start)
}

async function* startingWith(first: Uint8Array, rest: AsyncGenerator<Uint8Array, void, void>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return()
  }
}

/**
 * @internal The same items, with the next one requested while one is used. One, not more: waiting requests of an asynchronous generator keep later
 * ones alive, and the garbage collector took half the time of reading.
 */
export async function* readAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, void> {
  const iterator = items[Symbol.asyncIterator]()
  const next = () => {
    const item = iterator.next()
    // an error is thrown when its turn comes
    item.catch(() => {})
    return item
  }
  let waiting = next()
  try {
    for (;;) {
      const item = await waiting
      if (item.done) return
      waiting = next()
      yield item.value
    }
  } finally {
    await iterator.return?.()
  }
}
